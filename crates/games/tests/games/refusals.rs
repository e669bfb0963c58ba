//! Whoever may not play, and whatever is broken: nothing changes.

use xmas_games::{
    Game, GameError, GameService, SaveError,
    dice::Dice,
    lottery::{Lottery, NewLottery},
    roulette::{NewWheel, Roulette},
};
use xmas_kernel::{BundleId, CouponKindId, Feature};
use xmas_players::{AccessError, Identity};
use xmas_rewards::{NewBundle, Reward, RewardError, RewardType};
use xmas_season_pass::{SeasonError, SeasonPassService, StampCommand};

use crate::world::{Real, Setting, World, at, keyed, lottery, play, prize, reward, wheel};

/// Both answer the game's own error, and no row anywhere changes.
async fn assert_broken<G: Game>(real: &Real, player: Identity, damage: &str)
where
    Real: World<G>,
{
    let service = World::<G>::service(real);
    let before = real.rows().await;
    let own = |error| matches!(error, GameError::InvalidConfig(feature) if feature == G::FEATURE);
    let refused = service.play(&play(player), at(26)).await;
    assert!(own(refused.unwrap_err()), "{damage}");
    let refused = service.status(&player, at(26)).await;
    assert!(own(refused.unwrap_err()), "{damage}");
    assert_eq!(real.rows().await, before, "{damage}");
}

#[tokio::test]
async fn a_game_broken_by_hand_takes_no_token() {
    for damage in [
        "DELETE FROM roulette_segment WHERE slot_index = 5",
        "UPDATE roulette_segment SET weight = 0",
        "UPDATE roulette_segment SET weight = 1000000001 WHERE slot_index = 0",
        "UPDATE roulette_segment SET reward_amount = 1000000001 WHERE slot_index = 1",
        // A bundle that is not named, one that does not exist, and the same for coupons.
        "UPDATE roulette_segment SET reward_type = 'BUNDLE', reward_amount = 1 WHERE slot_index = 0",
        "UPDATE roulette_segment SET reward_type = 'BUNDLE', reward_amount = 1, reward_item = 9 \
         WHERE slot_index = 0",
        "UPDATE roulette_segment SET reward_type = 'COUPON', reward_amount = 1, reward_item = 9 \
         WHERE slot_index = 0",
        "UPDATE roulette_config SET is_active = 0, active_slot = NULL",
    ] {
        let real = Real::new(Setting::default()).await;
        let player = real.player("a", 1).await;
        real.test.execute(damage).await;
        assert_broken::<Roulette>(&real, player, damage).await;
    }
    for damage in [
        "UPDATE dice_config SET win_reward_amount = 1000000001",
        "UPDATE dice_config SET lose_reward_type = 'COUPON', lose_reward_amount = 1",
        "UPDATE dice_config SET draw_reward_type = 'NONE'",
        "DELETE FROM dice_config",
    ] {
        let real = Real::new(Setting::default()).await;
        let player = real.player("a", 1).await;
        real.test.execute(damage).await;
        assert_broken::<Dice>(&real, player, damage).await;
    }
    for damage in [
        "UPDATE lottery_prize SET weight = 0",
        "UPDATE lottery_prize SET is_active = 0",
        "UPDATE lottery_prize SET stock = 0, stock_at_edit = 0, stock_supplied = 0",
        "UPDATE lottery_prize SET reward_type = 'BUNDLE', reward_amount = 1, reward_item = 9",
        "DELETE FROM lottery_prize",
        "UPDATE lottery_config SET is_active = 0, active_slot = NULL",
    ] {
        let real = Real::new(Setting::default()).await;
        let player = real.player("a", 1).await;
        real.test.execute(damage).await;
        assert_broken::<Lottery>(&real, player, damage).await;
    }
}

/// What the schema's own checks refuse, put there all the same.
#[tokio::test]
async fn what_the_schema_refuses_is_refused_by_the_game_too() {
    for (check, damage) in [
        (
            "roulette_segment.ck_roulette_segment_weight",
            "UPDATE roulette_segment SET weight = -1 WHERE slot_index = 0",
        ),
        (
            "roulette_segment.ck_roulette_segment_type",
            "UPDATE roulette_segment SET reward_type = 'GOLD' WHERE slot_index = 0",
        ),
    ] {
        let real = Real::new(Setting::default()).await;
        let player = real.player("a", 1).await;
        real.test.execute_unchecked(check, damage).await;
        assert_broken::<Roulette>(&real, player, damage).await;
    }
    for (check, damage) in [
        (
            "lottery_prize.ck_lottery_prize_weight",
            "UPDATE lottery_prize SET weight = -1 WHERE label = '다음 기회에'",
        ),
        (
            "lottery_prize.ck_lottery_prize_type",
            "UPDATE lottery_prize SET reward_type = 'GOLD' WHERE label = '다음 기회에'",
        ),
    ] {
        let real = Real::new(Setting::default()).await;
        let player = real.player("a", 1).await;
        real.test.execute_unchecked(check, damage).await;
        assert_broken::<Lottery>(&real, player, damage).await;
    }
    for (check, damage) in [
        (
            "roulette_config.ck_roulette_max_daily",
            "UPDATE roulette_config SET max_daily_spins = -5",
        ),
        (
            "roulette_config.ck_roulette_active",
            "UPDATE roulette_config SET is_active = 0",
        ),
    ] {
        let real = Real::new(Setting::default()).await;
        let player = real.player("a", 1).await;
        real.test.execute_unchecked(check, damage).await;
        assert_broken::<Roulette>(&real, player, damage).await;
    }
    let damage = "UPDATE dice_config SET win_reward_type = 'GOLD'";
    let real = Real::new(Setting::default()).await;
    let player = real.player("a", 1).await;
    real.test
        .execute_unchecked("dice_config.ck_dice_win_type", damage)
        .await;
    assert_broken::<Dice>(&real, player, damage).await;
}

#[tokio::test]
async fn a_bundle_that_contains_itself_cannot_be_saved_and_gives_nothing() {
    let real = Real::new(Setting::default()).await;
    let bundle = |items: Vec<Reward>| NewBundle {
        name: "상자".to_owned(),
        items,
    };
    let nested = bundle(vec![Reward::bundle(BundleId(1))]);
    let refused = real.bundle(&nested).await;
    assert!(matches!(refused, Err(RewardError::Invalid(problems)) if problems.len() == 1));

    let box_of_points = bundle(vec![reward(RewardType::Point, 5)]);
    let id = real.bundle(&box_of_points).await.unwrap();
    let again = real.bundle(&box_of_points).await;
    assert!(matches!(again, Err(RewardError::NameTaken)));
    real.test
        .execute(&format!(
            "UPDATE roulette_segment SET reward_type = 'BUNDLE', reward_amount = 1, reward_item = {id}"
        ))
        .await;
    real.test
        .execute_unchecked(
            "reward_bundle_item.ck_reward_bundle_item_type",
            "UPDATE reward_bundle_item SET reward_type = 'BUNDLE'",
        )
        .await;
    let player = real.player("a", 1).await;
    assert_broken::<Roulette>(&real, player, "a bundle in a bundle").await;
}

#[tokio::test]
async fn a_season_broken_by_hand_stops_its_own_and_every_play_without_a_token() {
    for (check, damage) in [
        (
            "season_pass_level.ck_season_level_type",
            "UPDATE season_pass_level SET reward_type = 'GOLD'",
        ),
        (
            "season_pass_level.ck_season_level_amount",
            "UPDATE season_pass_level SET reward_amount = -1",
        ),
    ] {
        let real = Real::new(Setting::default()).await;
        let player = real.player("a", 1).await;
        real.test.execute_unchecked(check, damage).await;
        let before = real.rows().await;
        let refused = real.roulette.play(&play(player), at(26)).await;
        assert!(matches!(
            refused,
            Err(GameError::Season(SeasonError::InvalidConfig))
        ));
        let refused = real.season_pass.status(&player, at(26)).await;
        assert!(matches!(refused, Err(SeasonError::InvalidConfig)));
        let stamp = StampCommand {
            identity: player,
            request: None,
            source: Feature::SeasonPass,
            xp_bonus: 0,
        };
        let refused = real.season_pass.stamp(&stamp, at(26)).await;
        assert!(matches!(refused, Err(SeasonError::InvalidConfig)));
        assert_eq!(real.rows().await, before);
    }
}

#[tokio::test]
async fn a_configuration_with_a_mistake_is_not_saved() {
    let real = Real::new(Setting::default()).await;
    let mut five = wheel();
    five.segments.pop();
    let mut negative = wheel();
    negative.segments[0].weight = -1;
    let mut nothing = wheel();
    for segment in &mut nothing.segments {
        segment.weight = 0;
    }
    let mut unknown = wheel();
    unknown.segments[0].reward = Reward::bundle(BundleId(9));
    let mut no_coupon = wheel();
    no_coupon.segments[0].reward = Reward::coupon(CouponKindId(9));
    for (wheel, field) in [
        (five, "segments"),
        (negative, "segments.0.weight"),
        (nothing, "segments"),
        (unknown, "segments.0.reward_item"),
        (no_coupon, "segments.0.reward_item"),
    ] {
        assert_eq!(save_wheel(&real, &wheel).await, [field]);
    }
    let mut unknown = lottery();
    unknown.prizes[0].reward = Reward::bundle(BundleId(9));
    let negative = NewLottery {
        prizes: vec![prize("상품", -1, None, Reward::NONE)],
        ..lottery()
    };
    for (lottery, fields) in [
        (unknown, vec!["prizes.0.reward_item"]),
        (negative, vec!["prizes.0.weight", "prizes"]),
    ] {
        let tx = real.test.db.begin().await.unwrap();
        let saved = Lottery::insert_active_in_tx(&tx, &lottery, at(25)).await;
        let Err(SaveError::Invalid(problems)) = saved else {
            panic!("{saved:?}")
        };
        let found: Vec<_> = problems.into_iter().map(|problem| problem.field).collect();
        assert_eq!(found, fields);
    }
    let configs = "SELECT COUNT(*) FROM roulette_config";
    assert_eq!(real.test.count(configs).await, 1);
}

async fn save_wheel(real: &Real, wheel: &NewWheel) -> Vec<String> {
    let tx = real.test.db.begin().await.unwrap();
    match Roulette::insert_active_in_tx(&tx, wheel, at(25)).await {
        Err(SaveError::Invalid(problems)) => {
            problems.into_iter().map(|problem| problem.field).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// Every pair of reasons to refuse, in every game: the earlier one in the order of docs/rules.md, "Games",
/// answers, and nothing changes.
#[tokio::test]
async fn the_first_failing_check_answers_and_nothing_changes() {
    check_order::<Roulette>("UPDATE roulette_segment SET weight = 0").await;
    check_order::<Dice>("UPDATE dice_config SET win_reward_amount = 1000000001").await;
    check_order::<Lottery>("UPDATE lottery_prize SET is_active = 0").await;
}

/// Reasons to refuse a play, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Off,
    Blocked,
    Broken,
    Limit,
    NoToken,
}

impl Reason {
    fn is_told_by(self, error: &GameError) -> bool {
        match self {
            Reason::Off => matches!(error, GameError::Feature(_)),
            Reason::Blocked => matches!(error, GameError::Access(AccessError::Blocked)),
            Reason::Broken => matches!(error, GameError::InvalidConfig(_)),
            Reason::Limit => matches!(error, GameError::DailyLimitReached),
            Reason::NoToken => matches!(error, GameError::NotEnoughTokens),
        }
    }
}

async fn check_order<G: Game>(damage: &str)
where
    Real: World<G>,
{
    use Reason::{Blocked, Broken, Limit, NoToken, Off};
    let all = [Off, Blocked, Broken, Limit, NoToken];
    let broken = Real::new(Setting::default()).await;
    let sound = Real::new(Setting::default()).await;
    broken.test.execute(damage).await;
    for (index, first) in all.into_iter().enumerate() {
        for second in &all[index..] {
            let reasons = [first, *second];
            let real = if reasons.contains(&Broken) {
                &broken
            } else {
                &sound
            };
            let service = World::<G>::service(real);
            let name = format!("{first:?}-{second:?}");
            let tokens = if reasons.contains(&NoToken) { 0 } else { 20 };
            let player = real.player(&name, tokens).await;
            if reasons.contains(&Limit) {
                // As many plays as the limit allows, without playing them.
                for nonce in 0..8 {
                    real.test
                        .execute(&format!(
                            "INSERT INTO feature_log (user_id, feature_type, config_id, nonce, \
                             outcome, is_win, reward_type, reward_amount, event_day, created_at) \
                             VALUES ({}, '{}', 1, {nonce}, '{{}}', 0, 'NONE', 0, '2025-12-26', \
                             '2025-12-26 00:00:00.000000')",
                            player.user_id,
                            G::FEATURE
                        ))
                        .await;
                }
            }
            if reasons.contains(&Blocked) {
                real.test.block(&player).await;
            }
            real.features
                .set_enabled(G::FEATURE, !reasons.contains(&Off));
            let before = real.rows().await;
            for command in [play(player), keyed(player, "k", "")] {
                let refused = service.play(&command, at(26)).await.unwrap_err();
                assert!(first.is_told_by(&refused), "{name}: {refused:?}");
            }
            assert_eq!(real.rows().await, before, "{name}");
            real.features.set_enabled(G::FEATURE, true);
        }
    }
}

#[tokio::test]
async fn a_token_of_an_older_epoch_does_not_play() {
    let real = Real::new(Setting::default()).await;
    let stale = Identity {
        token_epoch: 9,
        ..real.player("stale", 1).await
    };
    let before = real.rows().await;
    let refused = real.lottery.play(&play(stale), at(26)).await;
    assert!(matches!(
        refused,
        Err(GameError::Access(AccessError::StaleToken))
    ));
    assert_eq!(real.rows().await, before);
}
