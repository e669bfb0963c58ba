//! Odds that are published, seeds that are committed to, and draws that anybody can make again.

use std::collections::HashSet;

use chrono::TimeDelta;
use xmas_games::{
    DrawRegistry, FairnessError, GameError, GameService,
    draw::{DrawId, Seed},
    fairness::{
        DrawReceipt, OddsReport, Published, ReportQuery,
        receipt::{Rejected, Verified},
        reveals_at,
    },
    lottery::NewLottery,
};
use xmas_kernel::{
    Feature, OddsId, PlayId, UserId,
    entropy::OsEntropy,
    paging::{Limit, Page},
    seal::DataKey,
};
use xmas_players::AccessError;
use xmas_rewards::{Reward, RewardType};
use xmas_time::EventDay;

use crate::world::{DATA_KEY, Real, Setting, at, lottery, play, prize, reward};

fn day(day: u32) -> EventDay {
    EventDay::from_ymd(2025, 12, day).unwrap()
}

#[tokio::test]
async fn a_commitment_is_public_before_the_day_and_the_seed_only_after_it() {
    let real = Real::new(Setting::default()).await;
    let unknown = real.fairness.day(day(26), at(25)).await;
    assert!(matches!(unknown, Err(FairnessError::UnknownDay)));
    real.draws.prepare(at(25)).await.unwrap();
    let ahead = real.fairness.day(day(26), at(25)).await.unwrap();
    assert_eq!(ahead.seed, None);
    assert!(ahead.committed_at < day(26).start());
    // A week ahead, and no further.
    assert!(real.fairness.day(day(31), at(25)).await.is_ok());
    let far = EventDay::from_ymd(2026, 1, 2).unwrap();
    assert!(matches!(
        real.fairness.day(far, at(25)).await,
        Err(FairnessError::UnknownDay)
    ));

    let reveal = reveals_at(day(26));
    assert_eq!(reveal, at(27) + TimeDelta::minutes(10));
    let just_before = reveal - TimeDelta::microseconds(1);
    let hidden = real.fairness.day(day(26), just_before).await.unwrap();
    assert_eq!((hidden.seed, hidden.reveals_at), (None, reveal));
    let revealed = real.fairness.day(day(26), reveal).await.unwrap();
    assert_eq!(revealed.seed.unwrap().commitment(), ahead.commitment);
    assert_eq!(revealed.commitment, ahead.commitment);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_and_restarts_agree_on_the_seed() {
    let real = Real::new(Setting::default()).await;
    let draws = || {
        let key = DataKey::new(DATA_KEY);
        DrawRegistry::new(real.test.db.clone(), key, std::sync::Arc::new(OsEntropy))
    };
    let preparing: Vec<_> = (0..8)
        .map(|_| {
            let draws = draws();
            tokio::spawn(async move { draws.prepare(at(25)).await })
        })
        .collect();
    for prepared in preparing {
        prepared.await.unwrap().unwrap();
    }
    let seeds = "SELECT COUNT(*) FROM draw_seed";
    assert_eq!(
        real.test.count(seeds).await,
        8,
        "today and seven days ahead"
    );
    let distinct = "SELECT COUNT(DISTINCT commitment) FROM draw_seed";
    assert_eq!(real.test.count(distinct).await, 8);
    let after = reveals_at(day(26));
    let here = real.fairness.day(day(26), after).await.unwrap();
    let replica = real.replica().await;
    let there = replica.fairness.day(day(26), after).await.unwrap();
    assert_eq!(here, there);
    let plain = hex::encode(here.seed.unwrap().expose());
    let leak = format!("SELECT COUNT(*) FROM draw_seed WHERE sealed_seed LIKE '%{plain}%'");
    assert_eq!(real.test.count(&leak).await, 0);
}

#[tokio::test]
async fn a_seed_that_was_exchanged_decides_nothing() {
    let real = Real::new(Setting::default()).await;
    real.draws.prepare(at(25)).await.unwrap();
    let player = real.player("a", 2).await;
    let keyed = crate::world::keyed(player, "k", "");
    real.roulette.play(&keyed, at(26)).await.unwrap();
    let blocked = real.player("blocked", 1).await;
    real.test.block(&blocked).await;
    // Another day's seed, sealed text and all.
    let other = "UPDATE draw_seed SET sealed_seed = (SELECT sealed_seed FROM (SELECT * FROM \
        draw_seed) AS s WHERE s.event_day = '2025-12-27') WHERE event_day = '2025-12-26'";
    real.test.execute(other).await;
    let replica = real.replica().await;
    let before = replica.rows().await;
    let refused = replica.roulette.play(&play(player), at(26)).await;
    assert!(matches!(refused, Err(GameError::Sealed(_))));
    // What needs no seed is answered as ever.
    let replay = replica.roulette.play(&keyed, at(26)).await.unwrap();
    assert!(replay.replayed);
    let refused = replica.roulette.play(&play(blocked), at(26)).await;
    assert!(matches!(
        refused,
        Err(GameError::Access(AccessError::Blocked))
    ));
    assert_eq!(replica.rows().await, before);
    // A seed whose commitment was exchanged.
    real.test
        .execute("UPDATE draw_seed SET commitment = 'x' WHERE event_day = '2025-12-28'")
        .await;
    assert!(replica.roulette.play(&play(player), at(28)).await.is_err());
    assert_eq!(replica.rows().await, before);
}

/// A world in which every game has been played on the 26th, one lottery play of them with a prize
/// that had run out; and the plays.
async fn played() -> (Real, xmas_players::Identity, Vec<PlayId>) {
    let real = Real::new(Setting {
        lottery: NewLottery {
            prizes: vec![
                prize("다음 기회에", 1, None, Reward::NONE),
                prize("한정", 999_999, Some(1), reward(RewardType::CcCoin, 1)),
            ],
            ..lottery()
        },
        ..Setting::default()
    })
    .await;
    real.draws.prepare(at(25)).await.unwrap();
    let player = real.player("a", 5).await;
    let command = play(player);
    let mut plays = Vec::new();
    for _ in 0..3 {
        let spin = real.roulette.play(&command, at(26)).await.unwrap();
        plays.push(spin.result.receipt.play_id);
        let game = real.dice.play(&command, at(26)).await.unwrap();
        plays.push(game.result.receipt.play_id);
    }
    real.lottery.status(&player, at(26)).await.unwrap();
    real.test
        .execute("UPDATE lottery_prize SET stock = 0 WHERE stock = 1")
        .await;
    let ticket = real.lottery.play(&command, at(26)).await.unwrap();
    assert_eq!(ticket.result.receipt.attempt, 1);
    plays.push(ticket.result.receipt.play_id);
    (real, player, plays)
}

async fn receipt_of(real: &Real, player: &xmas_players::Identity, play: PlayId) -> String {
    let receipt = real.fairness.receipt(player, play, at(28)).await.unwrap();
    serde_json::to_string_pretty(&receipt).unwrap()
}

fn committed(commitment: &str) -> Published<'_> {
    Published {
        commitment: Some(commitment),
        ..Published::default()
    }
}

#[tokio::test]
async fn a_receipt_from_a_table_that_was_never_published_is_rejected() {
    let (real, player, plays) = played().await;
    let published = real.in_force(Feature::Roulette, at(26)).await;
    let json = receipt_of(&real, &player, plays[0]).await;
    let published = published.published;
    let known = [published.odds.hash().to_owned()];
    let against = |hashes| Published {
        odds_hashes: hashes,
        ..Published::default()
    };
    let verified = DrawReceipt::verify(json.as_bytes(), against(&known)).unwrap();
    assert_eq!(verified.tables[0].hash, known[0]);
    assert_eq!(verified.tables[0].odds_id, published.odds_id);
    let other = ["0".repeat(64)];
    assert_eq!(
        DrawReceipt::verify(json.as_bytes(), against(&other)),
        Err(Rejected::OtherOdds(0))
    );
    // The table without what had run out follows from the published one.
    let json = receipt_of(&real, &player, plays[6]).await;
    let receipt: DrawReceipt = serde_json::from_str(&json).unwrap();
    let first = [receipt.facts.draws[0].table_hash.clone()];
    assert!(DrawReceipt::verify(json.as_bytes(), against(&first)).is_ok());
}

#[tokio::test]
async fn every_draw_is_verified_from_published_data_alone() {
    let (real, player, plays) = played().await;
    let published = real.fairness.day(day(26), at(25)).await.unwrap().commitment;
    let mut games = HashSet::new();
    for play in &plays {
        let json = receipt_of(&real, &player, *play).await;
        let verified = DrawReceipt::verify(json.as_bytes(), committed(&published)).unwrap();
        assert_eq!(verified.user_id, player.user_id);
        assert_eq!(
            verified.redraws,
            usize::from(verified.feature == Feature::Lottery)
        );
        games.insert(verified.feature);
        // By hand: the day's seed from the public page, the table from its public id.
        let receipt: DrawReceipt = serde_json::from_str(&json).unwrap();
        let facts = &receipt.facts;
        let seed = real.fairness.day(day(26), at(28)).await.unwrap().seed;
        for (attempt, draw) in (0..).zip(&facts.draws) {
            let table = real.fairness.odds_by_id(facts.feature, draw.odds_id).await;
            let table = table.unwrap();
            assert_eq!(table.odds.content(), draw.table);
            let id = DrawId {
                feature: facts.feature,
                user_id: player.user_id,
                nonce: facts.nonce,
                attempt,
            };
            let number = seed.as_ref().unwrap().number(&id, table.odds.total());
            assert_eq!(number, draw.number);
        }
        let other = "0".repeat(64);
        assert_eq!(
            DrawReceipt::verify(json.as_bytes(), committed(&other)),
            Err(Rejected::OtherCommitment)
        );
    }
    assert_eq!(games.len(), 3);
}

#[tokio::test]
async fn a_receipt_with_one_bit_changed_is_rejected() {
    let (real, player, plays) = played().await;
    // One of each game: a spin, a throw, and the ticket with two draws.
    for play in [plays[0], plays[1], plays[6]] {
        let json = receipt_of(&real, &player, play).await.into_bytes();
        for bit in 0..json.len() * 8 {
            let mut changed = json.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let rejected = DrawReceipt::verify(&changed, Published::default());
            let text = String::from_utf8_lossy(&changed);
            let reason = rejected.expect_err(&text).to_string();
            assert!(!reason.is_empty());
        }
    }
}

/// What somebody could claim, signed with a digest that fits.
#[tokio::test]
async fn a_receipt_made_up_with_care_is_rejected_with_the_reason() {
    let (real, player, plays) = played().await;
    let ticket = real.fairness.receipt(&player, plays[6], at(28)).await;
    let facts = ticket.unwrap().facts;
    type Change = fn(&mut xmas_games::fairness::receipt::Facts);
    let cases: [(Change, Rejected); 9] = [
        (
            |facts| facts.seed = "00".repeat(32),
            Rejected::SeedNotCommitted,
        ),
        (
            |facts| facts.seed = "xyz".to_owned(),
            Rejected::MalformedSeed,
        ),
        (
            |facts| facts.feature = Feature::Ranking,
            Rejected::NoGame(Feature::Ranking),
        ),
        (
            |facts| facts.feature = Feature::Dice,
            Rejected::OtherGame(0),
        ),
        (|facts| facts.draws.clear(), Rejected::NoDraw),
        (
            |facts| facts.draws[0].table.push(' '),
            Rejected::TableChanged(0),
        ),
        (
            |facts| facts.draws[1].entry_id += 1,
            Rejected::OtherEntry {
                attempt: 1,
                drawn: 1,
                stated: 2,
            },
        ),
        (
            |facts| {
                let first = facts.draws[0].clone();
                facts.draws[1].table = first.table;
                facts.draws[1].table_hash = first.table_hash;
            },
            Rejected::OtherTable(1),
        ),
        (
            |facts| facts.outcome = facts.outcome.replace("다음 기회에", "한정"),
            Rejected::OtherOutcome,
        ),
    ];
    let check = |facts| {
        let json = serde_json::to_vec(&DrawReceipt::of(facts)).unwrap();
        DrawReceipt::verify(&json, Published::default())
    };
    assert!(check(facts.clone()).is_ok());
    for (change, reason) in cases {
        let mut changed = facts.clone();
        change(&mut changed);
        assert_eq!(check(changed), Err(reason));
    }
    // Another play's number.
    let mut shifted = facts;
    shifted.nonce += 1;
    assert!(matches!(
        check(shifted),
        Err(Rejected::OtherNumber { attempt: 0, .. })
    ));
}

#[tokio::test]
async fn receipts_are_for_their_player_and_only_after_the_day() {
    let (real, player, plays) = played().await;
    let before = reveals_at(day(26)) - TimeDelta::microseconds(1);
    let early = real.fairness.receipt(&player, plays[0], before).await;
    assert!(matches!(early, Err(FairnessError::NotRevealed)));
    let other = real.player("other", 0).await;
    let foreign = real.fairness.receipt(&other, plays[0], at(28)).await;
    assert!(matches!(foreign, Err(FairnessError::UnknownPlay)));
    let nothing = real
        .fairness
        .receipt(&player, PlayId(999_999), at(28))
        .await;
    assert!(matches!(nothing, Err(FairnessError::UnknownPlay)));
    real.test.block(&player).await;
    let blocked = real.fairness.receipt(&player, plays[0], at(28)).await;
    assert!(matches!(
        blocked,
        Err(FairnessError::Game(GameError::Access(AccessError::Blocked)))
    ));
}

#[tokio::test]
async fn one_content_is_one_table_on_every_replica() {
    let real = Real::new(Setting::default()).await;
    let replica = real.replica().await;
    let here = real.in_force(Feature::Roulette, at(26)).await;
    let there = replica.in_force(Feature::Roulette, at(26)).await;
    assert_eq!(here, there);
    let here = here.published;
    let player = real.player("a", 2).await;
    let spin = real.roulette.play(&play(player), at(26)).await.unwrap();
    assert_eq!(spin.result.receipt.odds_id, here.odds_id);
    // Another weight is another table, and the old one stays what it was.
    real.test
        .execute("UPDATE roulette_segment SET weight = 5 WHERE slot_index = 0")
        .await;
    let edited = real.replica().await;
    let now = edited.in_force(Feature::Roulette, at(26)).await;
    assert_ne!(now.published.odds_id, here.odds_id);
    let past = edited
        .fairness
        .odds_by_id(Feature::Roulette, here.odds_id)
        .await;
    assert_eq!(past.unwrap().odds, here.odds);
    let misnamed = edited
        .fairness
        .odds_by_id(Feature::Dice, here.odds_id)
        .await;
    assert!(matches!(misnamed, Err(FairnessError::UnknownOdds)));
    let unknown = edited.fairness.odds_by_id(Feature::Dice, OddsId(999)).await;
    assert!(matches!(unknown, Err(FairnessError::UnknownOdds)));
    let no_game = edited.fairness.odds(Feature::Ranking, at(26)).await;
    assert!(matches!(no_game, Err(FairnessError::UnknownOdds)));
}

#[tokio::test]
async fn the_odds_tell_what_is_left_and_leave_out_what_is_not() {
    let real = Real::new(Setting::default()).await;
    let odds = real.in_force(Feature::Lottery, at(26)).await;
    assert_eq!(odds.published.odds, odds.table);
    assert_eq!(odds.table.entries().len(), 3);
    assert_eq!(odds.limits.stock.into_values().collect::<Vec<_>>(), [500]);
    real.test
        .execute("UPDATE lottery_prize SET stock = 0 WHERE stock IS NOT NULL")
        .await;
    let real = real.replica().await;
    let odds = real.in_force(Feature::Lottery, at(26)).await;
    assert_eq!(odds.published.odds.entries().len(), 2);
    assert_eq!(odds.table.entries()[2].label, "3,000 포인트");
    assert_eq!(odds.limits.stock.into_values().collect::<Vec<_>>(), [0]);
    assert!(odds.is_playable);
}

async fn report(
    real: &Real,
    feature: Feature,
    limit: u64,
) -> Result<Page<OddsReport>, FairnessError> {
    let query = ReportQuery {
        only: None,
        before: None,
        limit: Limit::clamped(limit),
    };
    real.fairness.report(feature, query, at(26)).await
}

#[tokio::test]
async fn the_report_counts_every_draw_also_those_that_were_made_again() {
    let (real, _, _) = played().await;
    let lottery = report(&real, Feature::Lottery, 10).await.unwrap().items;
    // Newest first: the table without the limited prize, and the whole one.
    let draws: Vec<i64> = lottery.iter().map(|report| report.draws).collect();
    assert_eq!(draws, [1, 1]);
    assert_eq!(lottery[1].entries[1].observed, 1);
    assert_eq!(lottery[1].first_play, None, "no play counted");
    assert_eq!(lottery[0].first_play, Some(at(26)));
    let in_force: Vec<bool> = lottery.iter().map(|report| report.in_force).collect();
    assert_eq!(in_force, [true, false]);
    let roulette = report(&real, Feature::Roulette, 10).await.unwrap().items;
    assert_eq!((roulette.len(), roulette[0].draws), (1, 3));
    let fit = roulette[0].fit.unwrap();
    assert!((0.0..=1.0).contains(&fit.p_value) && !fit.is_reliable);
    let none = report(&real, Feature::SeasonPass, 10).await;
    assert!(matches!(none, Err(FairnessError::UnknownOdds)));
}

#[tokio::test]
async fn the_draws_of_a_busy_day_fit_the_declared_odds() {
    let mut wheel = crate::world::wheel();
    wheel.max_daily_spins = 0;
    for (segment, weight) in wheel.segments.iter_mut().zip([120, 220, 220, 200, 180, 60]) {
        segment.weight = weight;
    }
    let real = Real::new(Setting {
        wheel,
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 400).await;
    for _ in 0..400 {
        real.roulette.play(&play(player), at(26)).await.unwrap();
    }
    let report = report(&real, Feature::Roulette, 1).await.unwrap();
    assert_eq!(report.next, None);
    let fit = report.items[0].fit.unwrap();
    // The seed of a test is always the same, so this is one sample for ever.
    assert!(fit.is_reliable && fit.p_value > 0.01, "{fit:?}");
}

/// The vectors of docs/fairness-vectors.json, which other implementations can check theirs against.
#[test]
fn the_published_vectors_hold() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../../docs/fairness-vectors.json")).unwrap();
    let draws = vectors["draws"].as_array().unwrap();
    assert!(draws.len() >= 6);
    for vector in draws {
        let seed = Seed::from_hex(vector["seed"].as_str().unwrap()).unwrap();
        assert_eq!(seed.commitment(), vector["commitment"]);
        let id = DrawId {
            feature: vector["feature"].as_str().unwrap().parse().unwrap(),
            user_id: UserId(vector["user_id"].as_i64().unwrap()),
            nonce: vector["nonce"].as_i64().unwrap(),
            attempt: vector["attempt"].as_i64().unwrap(),
        };
        let total = vector["total"].as_u64().unwrap();
        assert_eq!(seed.number(&id, total), vector["number"], "{vector}");
    }
    let receipts = vectors["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 3);
    for receipt in receipts {
        let json = serde_json::to_vec(receipt).unwrap();
        let verified: Result<Verified, Rejected> = DrawReceipt::verify(&json, Published::default());
        assert!(verified.is_ok(), "{verified:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Receipts come from whoever wants theirs to be believed.
    #[test]
    fn whatever_is_written_into_a_receipt_it_is_rejected_and_nothing_breaks(
        which in 0usize..3,
        at in proptest::prelude::any::<proptest::sample::Index>(),
        length in 0usize..40,
        text in "[0-9a-zA-Z\"{}:,\\[\\]-]{0,40}",
    ) {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../../docs/fairness-vectors.json")).unwrap();
        let receipt = &vectors["receipts"][which];
        let mut changed = serde_json::to_vec(receipt).unwrap();
        let start = at.index(changed.len());
        let end = (start + length).min(changed.len());
        changed.splice(start..end, text.bytes());
        let says_the_same = serde_json::from_slice(&changed).is_ok_and(|it: serde_json::Value| it == *receipt);
        let verified = DrawReceipt::verify(&changed, Published::default());
        proptest::prop_assert!(verified.is_err() || says_the_same, "{}", String::from_utf8_lossy(&changed));
    }
}
