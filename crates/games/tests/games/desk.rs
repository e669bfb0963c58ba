//! Operators who change a game while another process lets players play it.

use std::time::{Duration, Instant};

use xmas_cache::Snapshot;
use xmas_games::{
    Engine, GameService, Play,
    config::ConfigEdit,
    fairness::{DrawReceipt, Published},
    lottery::{Lottery, NewLottery, Prize, PrizeEdit},
    roulette::{Roulette, SegmentEdit},
};
use xmas_kernel::{ConfigId, Feature};
use xmas_rewards::{Reward, RewardType};

use crate::world::{Real, Setting, at, lottery, play, prize, reward};

/// A lottery of which the limited prize comes up almost for sure.
async fn limited() -> Real {
    Real::new(Setting {
        lottery: NewLottery {
            prizes: vec![
                prize("다음 기회에", 1, None, Reward::NONE),
                prize(
                    "한정",
                    1_000_000_000,
                    Some(5),
                    reward(RewardType::CcCoin, 1),
                ),
            ],
            ..lottery()
        },
        ..Setting::default()
    })
    .await
}

fn prizes(edit: &[PrizeEdit]) -> ConfigEdit<Option<Vec<PrizeEdit>>> {
    ConfigEdit {
        body: Some(edit.to_vec()),
        ..ConfigEdit::default()
    }
}

fn labelled(label: &str) -> PrizeEdit {
    PrizeEdit {
        label: Some(label.to_owned()),
        ..PrizeEdit::default()
    }
}

/// Plays on a replica whose copy of the table is as old as the look that the player has just taken.
async fn play_behind(real: &Real, edit: &ConfigEdit<Option<Vec<PrizeEdit>>>) -> Play<Prize> {
    let (actor, replica) = (real.test.operator("operator").await, real.replica().await);
    let player = real.player("a", 2).await;
    replica.lottery.play(&play(player), at(26)).await.unwrap();
    replica.lottery.status(&player, at(26)).await.unwrap();
    let desk: &Engine<Lottery> = &real.lottery;
    let saved = desk
        .update(&actor, ConfigId(1), &|_| edit.clone(), at(26))
        .await;
    saved.unwrap();
    let played = replica.lottery.play(&play(player), at(26)).await;
    played.unwrap().result
}

#[tokio::test]
async fn an_edit_is_seen_everywhere_within_a_second() {
    let real = Real::new(Setting::default()).await;
    let (actor, replica) = (real.test.operator("operator").await, real.replica().await);
    let odds = async |real: &Real| {
        let odds = real.in_force(Feature::Roulette, at(26)).await;
        odds.published.odds_id
    };
    let before = odds(&replica).await;
    let desk: &Engine<Roulette> = &real.roulette;
    let wheel = desk.config(ConfigId(1)).await.unwrap();
    let mut segments = Vec::new();
    for segment in &wheel.config.body.segments {
        segments.push(SegmentEdit {
            weight: Some(segment.weight + segment.slot_index),
            ..Default::default()
        });
    }
    let edit = ConfigEdit {
        body: Some(segments),
        ..ConfigEdit::default()
    };
    let saved = desk
        .update(&actor, ConfigId(1), &|_| edit.clone(), at(26))
        .await;
    saved.unwrap();
    let after = odds(&real).await;
    assert_ne!(after, before);
    // The promise is the copies' lifetime; a busy machine may look later than it could.
    const { assert!(Snapshot::<(), ()>::LIFETIME.as_millis() < 1_000) };
    let saved = Instant::now();
    while odds(&replica).await != after {
        assert!(
            saved.elapsed() < Duration::from_secs(30),
            "the edit has not arrived"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_prize_that_was_drawn_is_there_to_be_had_though_it_is_being_left_out() {
    let real = limited().await;
    // The player has won one, so it is kept and switched off.
    let played = play_behind(&real, &prizes(&[labelled("다음 기회에")])).await;
    let is_behind = played.outcome.label == "한정";
    let left = "SELECT stock FROM lottery_prize WHERE label = '한정' AND is_active = 0";
    assert_eq!(real.test.count(left).await, 4 - i64::from(is_behind));
    real.assert_ledgers_add_up().await;
}

#[tokio::test]
async fn a_prize_whose_limit_is_lifted_is_won_and_its_books_stay_in_order() {
    let real = limited().await;
    let lifted = PrizeEdit {
        stock: Some(None),
        ..labelled("한정")
    };
    let all = [labelled("다음 기회에"), lifted];
    let played = play_behind(&real, &prizes(&all)).await;
    assert_eq!(
        (played.outcome.label.as_str(), played.receipt.attempt),
        ("한정", 0)
    );
    let limited_again = PrizeEdit {
        stock: Some(Some(3)),
        ..labelled("한정")
    };
    let actor = real.test.operator("operator").await;
    let desk: &Engine<Lottery> = &real.lottery;
    let edit = prizes(&[labelled("다음 기회에"), limited_again]);
    desk.update(&actor, ConfigId(1), &|_| edit.clone(), at(26))
        .await
        .unwrap();
    let books = "SELECT COUNT(*) FROM lottery_prize p WHERE label = '한정' AND stock = 3 AND \
        stock_supplied = stock + (SELECT COUNT(*) FROM feature_log l WHERE l.entry_id = p.id AND took_stock = 1)";
    assert_eq!(real.test.count(books).await, 1);
}

#[tokio::test]
async fn a_prize_that_is_removed_under_a_play_is_drawn_around() {
    let real = limited().await;
    let (actor, replica) = (real.test.operator("operator").await, real.replica().await);
    let player = real.player("a", 1).await;
    replica.lottery.status(&player, at(26)).await.unwrap();
    let desk: &Engine<Lottery> = &real.lottery;
    let edit = prizes(&[labelled("다음 기회에")]);
    let saved = desk
        .update(&actor, ConfigId(1), &|_| edit.clone(), at(26))
        .await
        .unwrap();
    assert_eq!(saved.config.body.prizes.len(), 1);
    let played = replica
        .lottery
        .play(&play(player), at(26))
        .await
        .unwrap()
        .result;
    assert_eq!(played.outcome.label, "다음 기회에");
    // Every draw of it can be checked, also that of the prize that is gone.
    let redraws = "SELECT COUNT(*) FROM feature_redraw";
    assert_eq!(real.test.count(redraws).await, played.receipt.attempt);
    let day = real
        .fairness
        .receipt(&player, played.receipt.play_id, at(28))
        .await;
    let receipt = serde_json::to_vec(&day.unwrap()).unwrap();
    let published = Published::default();
    DrawReceipt::verify(&receipt, published).unwrap();
}
