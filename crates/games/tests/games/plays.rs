use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use xmas_activity::{ActivityObserver, Event};
use xmas_games::{
    ActiveConfig, Game, GameError, GameService, Play,
    dice::{self, Dice, DiceGame},
    lottery::{self, Lottery, Prize},
    roulette::{self, Roulette, Segment},
};
use xmas_kernel::{ConfigId, db::DbError};
use xmas_players::LockedPlayer;
use xmas_rewards::{NewBundle, Reward, RewardState, RewardType};
use xmas_season_pass::{Level, SeasonPassService, StampCommand};
use xmas_time::{DateTime, EventDay, Utc};

use crate::world::{Fake, LIMIT, Real, Setting, World, at, keyed, play, reward, season, sure};

/// What a play paid in tokens of its own game.
trait PaysTokens {
    fn tokens(&self) -> i64;
}

fn of(wanted: RewardType, (kind, amount): (RewardType, i64)) -> i64 {
    if kind == wanted { amount } else { 0 }
}

impl PaysTokens for Segment {
    fn tokens(&self) -> i64 {
        of(
            RewardType::TicketRoulette,
            (self.reward_type, self.reward_amount),
        )
    }
}

impl PaysTokens for DiceGame {
    fn tokens(&self) -> i64 {
        of(
            RewardType::TicketDice,
            (self.reward_type, self.reward_amount),
        )
    }
}

impl PaysTokens for Prize {
    fn tokens(&self) -> i64 {
        of(
            RewardType::TicketLottery,
            (self.reward_type, self.reward_amount),
        )
    }
}

async fn contract<G: Game>(world: &dyn World<G>)
where
    G::Outcome: PaysTokens,
{
    let service = world.service();
    let player = world.player_with("player", LIMIT + 1).await;
    let status = service.status(&player, at(26)).await.unwrap();
    let mut tokens = LIMIT + 1;
    assert_eq!(
        (status.token_balance, status.today_plays, status.remaining),
        (tokens, 0, LIMIT)
    );
    let check = |play: &Play<G::Outcome>, tokens: &mut i64, nonce: i64| {
        *tokens += play.outcome.tokens() - 1;
        assert_eq!(play.token_balance, *tokens);
        assert_eq!(play.receipt.nonce, nonce);
        let waits = play.receipt.reward_state == RewardState::PendingReview;
        assert!(!waits || play.receipt.reward_type == RewardType::Point);
    };

    let first = service.play(&play(player), at(26)).await.unwrap();
    assert_eq!(first.result.receipt.day, EventDay::of(at(26)));
    check(&first.result, &mut tokens, 0);
    let second = service.play(&keyed(player, "k", ""), at(26)).await.unwrap();
    check(&second.result, &mut tokens, 1);

    let again = service.play(&keyed(player, "k", ""), at(27)).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.result, second.result);
    let reused = service.play(&keyed(player, "k", "x"), at(27)).await;
    assert!(matches!(reused, Err(GameError::Idempotency(_))));

    world.features().set_enabled(G::FEATURE, false);
    let off = service.play(&play(player), at(26)).await;
    assert!(matches!(off, Err(GameError::Feature(_))));
    let off = service.status(&player, at(26)).await;
    assert!(matches!(off, Err(GameError::Feature(_))));
    let replay = service.play(&keyed(player, "k", ""), at(26)).await;
    assert!(replay.unwrap().replayed);
    world.features().set_enabled(G::FEATURE, true);

    for nonce in 2..LIMIT {
        let next = service.play(&play(player), at(26)).await.unwrap();
        check(&next.result, &mut tokens, nonce);
    }
    let status = service.status(&player, at(26)).await.unwrap();
    assert_eq!((status.today_plays, status.remaining), (LIMIT, -1));
    assert_eq!(status.token_balance, tokens);
    let over = service.play(&play(player), at(26)).await;
    assert!(matches!(over, Err(GameError::DailyLimitReached)));

    // The next day starts from nonce 0.
    let next = service.play(&play(player), at(27)).await.unwrap();
    check(&next.result, &mut tokens, 0);
    let poor = world.player_with("poor", 0).await;
    let broke = service.play(&play(poor), at(27)).await;
    assert!(matches!(broke, Err(GameError::NotEnoughTokens)));
    let status = service.status(&poor, at(27)).await.unwrap();
    assert_eq!((status.token_balance, status.today_plays), (0, 0));
}

fn roulette_config() -> ActiveConfig<Roulette> {
    let wheel = crate::world::wheel();
    let segments = (1..).zip(wheel.segments).collect();
    let (menu, odds) = roulette::rules::wheel(ConfigId(1), segments).unwrap();
    ActiveConfig {
        config_id: ConfigId(1),
        name: wheel.name,
        max_daily: wheel.max_daily_spins,
        menu,
        table: odds,
        stock: BTreeMap::new(),
        supplied: BTreeMap::new(),
    }
}

fn dice_config() -> ActiveConfig<Dice> {
    let dice = crate::world::dice();
    ActiveConfig {
        config_id: ConfigId(1),
        table: dice::rules::odds(ConfigId(1), &dice).unwrap(),
        name: dice.name,
        max_daily: dice.max_daily_plays,
        menu: (),
        stock: BTreeMap::new(),
        supplied: BTreeMap::new(),
    }
}

fn lottery_config() -> ActiveConfig<Lottery> {
    let lottery = crate::world::lottery();
    let prizes = (1..).zip(lottery.prizes).collect();
    let prizes = lottery::rules::prizes(ConfigId(1), prizes).unwrap();
    ActiveConfig {
        config_id: ConfigId(1),
        name: lottery.name,
        max_daily: lottery.max_daily_plays,
        menu: prizes.shown,
        table: prizes.table,
        stock: prizes.stock,
        supplied: BTreeMap::new(),
    }
}

#[tokio::test]
async fn the_fakes_keep_the_contract() {
    contract(&Fake::<Roulette>::new(roulette_config())).await;
    contract(&Fake::<Dice>::new(dice_config())).await;
    contract(&Fake::<Lottery>::new(lottery_config())).await;
}

#[tokio::test]
async fn the_roulette_keeps_the_contract() {
    contract::<Roulette>(&Real::new(Setting::default()).await).await;
}

#[tokio::test]
async fn the_dice_keep_the_contract() {
    contract::<Dice>(&Real::new(Setting::default()).await).await;
}

#[tokio::test]
async fn the_lottery_keeps_the_contract() {
    contract::<Lottery>(&Real::new(Setting::default()).await).await;
}

#[tokio::test]
async fn a_play_pays_xp_for_itself_and_for_its_prize() {
    let real = Real::new(Setting {
        xp_per_play: 5,
        wheel: sure(reward(RewardType::Xp, 7)),
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 3).await;
    for _ in 0..3 {
        real.roulette.play(&play(player), at(26)).await.unwrap();
    }
    let xp = "SELECT current_xp FROM season_pass_progress";
    assert_eq!(real.test.count(xp).await, 3 * (5 + 7));
    let xp = "SELECT SUM(amount) FROM reward_log WHERE reward_type = 'XP'";
    assert_eq!(real.test.count(xp).await, 3 * (5 + 7));
    let wins = "SELECT internal_wins FROM season_pass_progress";
    assert_eq!(real.test.count(wins).await, 3);
    // At 20 XP level 1 paid one coin by itself.
    let coins = "SELECT balance FROM user_game_wallet WHERE asset = 'ROULETTE_COIN'";
    assert_eq!(real.test.count(coins).await, 1);
    assert_eq!(real.test.count("SELECT level FROM user_profiles").await, 2);
    for (kind, rows) in [("PLAY", 3), ("RESULT", 3), ("SEASON_PASS_LEVEL_UP", 1)] {
        let sql = format!("SELECT COUNT(*) FROM user_event_log WHERE event_type = '{kind}'");
        assert_eq!(real.test.count(&sql).await, rows, "{kind}");
    }
}

#[tokio::test]
async fn a_dice_game_is_won_by_the_higher_sum_whatever_it_pays() {
    let mut dice = crate::world::dice();
    dice.max_daily_plays = 0;
    dice.win = Reward::NONE;
    dice.lose = reward(RewardType::Point, 1);
    let real = Real::new(Setting {
        dice,
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 30).await;
    for _ in 0..30 {
        let game = real.dice.play(&play(player), at(26)).await.unwrap();
        let throw = game.result.outcome.throw;
        let sum = |dice: [u8; 2]| dice[0] + dice[1];
        assert_eq!(throw.user_sum, sum(throw.user_dice));
        assert_eq!(throw.dealer_sum, sum(throw.dealer_dice));
    }
    let won = "SELECT COUNT(*) FROM feature_log WHERE is_win = 1 AND reward_type = 'NONE'";
    let wins = real.test.count(won).await;
    assert!((1..30).contains(&wins), "{wins}");
    let counted = "SELECT internal_wins FROM season_pass_progress";
    assert_eq!(real.test.count(counted).await, wins);
    let lost = "SELECT COUNT(*) FROM feature_log WHERE is_win = 1 AND reward_type = 'POINT' \
        AND reward_amount = 1";
    assert_eq!(real.test.count(lost).await, 0);
}

#[tokio::test]
async fn a_prize_of_zero_is_no_win_but_won_dice_are() {
    let mut dice = crate::world::dice();
    dice.max_daily_plays = 0;
    dice.win = reward(RewardType::Point, 0);
    for nothing in [
        reward(RewardType::Point, 0),
        reward(RewardType::TicketRoulette, 0),
        reward(RewardType::Xp, 0),
        Reward::NONE,
    ] {
        let real = Real::new(Setting {
            dice: dice.clone(),
            wheel: sure(nothing),
            ..Setting::default()
        })
        .await;
        let player = real.player("a", 20).await;
        for left in [19, 18] {
            let spin = real.roulette.play(&play(player), at(26)).await.unwrap();
            let (shown, receipt) = (spin.result.outcome, spin.result.receipt);
            assert_eq!(
                (shown.reward_type, shown.reward_amount),
                (nothing.kind(), 0)
            );
            assert_eq!(receipt.reward_state, RewardState::Delivered);
            assert_eq!(spin.result.token_balance, left);
        }
        // Nothing moved the season either.
        let progress = "SELECT COUNT(*) FROM season_pass_progress";
        assert_eq!(real.test.count(progress).await, 0, "{nothing:?}");
        for _ in 0..20 {
            real.dice.play(&play(player), at(26)).await.unwrap();
        }
        let won = "SELECT COUNT(*) FROM feature_log WHERE is_win = 1 AND feature_type = 'DICE' \
            AND reward_type = 'POINT' AND reward_amount = 0";
        let wins = real.test.count(won).await;
        assert!((1..20).contains(&wins), "{wins}");
        let all = "SELECT COUNT(*) FROM feature_log WHERE is_win = 1";
        assert_eq!(real.test.count(all).await, wins);
        let counted = "SELECT internal_wins FROM season_pass_progress";
        assert_eq!(real.test.count(counted).await, wins);
        // A receipt for each play and each is delivered, but no XP of 0 for the play itself.
        let receipts = "SELECT COUNT(*) FROM reward_log WHERE amount = 0 AND state = 'DELIVERED'";
        let lost = "SELECT COUNT(*) FROM reward_log WHERE amount = 0 AND state <> 'DELIVERED' \
            OR grant_key LIKE '%:xp'";
        assert!(real.test.count(receipts).await >= 2 + wins);
        assert_eq!(real.test.count(lost).await, 0);
        real.assert_ledgers_add_up().await;
    }
}

#[tokio::test]
async fn the_jackpot_waits_for_an_admin() {
    let real = Real::new(Setting {
        wheel: sure(reward(RewardType::Point, 10_000)),
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 1).await;
    let spin = real.roulette.play(&play(player), at(26)).await.unwrap();
    let state = spin.result.receipt.reward_state;
    assert_eq!(state, RewardState::PendingReview);
    let points = "SELECT COUNT(*) FROM user_game_wallet WHERE asset = 'POINT'";
    assert_eq!(real.test.count(points).await, 0);
}

#[tokio::test]
async fn a_bundle_pays_everything_in_it() {
    let real = Real::new(Setting::default()).await;
    let bundle = NewBundle {
        name: "룰렛 1장 + 500 포인트".to_owned(),
        items: vec![
            reward(RewardType::TicketRoulette, 1),
            reward(RewardType::Point, 500),
        ],
    };
    let bundle = real.bundle(&bundle).await.unwrap();
    real.test
        .execute(&format!(
            "UPDATE roulette_segment SET reward_type = 'BUNDLE', reward_amount = 1, \
             reward_item = {bundle}"
        ))
        .await;
    let player = real.player("a", 2).await;
    let spin = real.roulette.play(&play(player), at(26)).await.unwrap();
    assert_eq!(spin.result.outcome.reward_type, RewardType::Bundle);
    assert_eq!(spin.result.token_balance, 2);
    let points = "SELECT balance FROM user_game_wallet WHERE asset = 'POINT'";
    assert_eq!(real.test.count(points).await, 500);
    let reference = "SELECT COUNT(*) FROM wallet_ledger l JOIN reward_log r \
        ON r.grant_key = l.reference WHERE r.reward_type = 'BUNDLE' AND l.delta > 0";
    assert_eq!(real.test.count(reference).await, 2);
    real.assert_ledgers_add_up().await;
}

#[tokio::test]
async fn between_seasons_a_play_pays_its_prize_and_no_xp() {
    let real = Real::new(Setting {
        xp_per_play: 5,
        stamp_on_play: true,
        wheel: sure(reward(RewardType::Xp, 7)),
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 1).await;
    let after = EventDay::from_ymd(2026, 1, 3).unwrap().start();
    let spin = real.roulette.play(&play(player), after).await.unwrap();
    assert_eq!(spin.result.season_pass, None);
    let progress = "SELECT COUNT(*) FROM season_pass_progress";
    assert_eq!(real.test.count(progress).await, 0);
    let xp = "SELECT COUNT(*) FROM reward_log WHERE reward_type = 'XP' AND state = 'REJECTED'";
    assert_eq!(real.test.count(xp).await, 1);
}

#[tokio::test]
async fn the_day_s_first_play_of_any_game_stamps_if_the_feature_says_so() {
    let real = Real::new(Setting {
        stamp_on_play: true,
        wheel: sure(Reward::NONE),
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 2).await;
    let first = real.roulette.play(&play(player), at(26)).await.unwrap();
    let stamp = first.result.season_pass.unwrap();
    assert_eq!(
        (stamp.added_stamp, stamp.xp_added, stamp.rewards.len()),
        (1, 20, 1)
    );
    assert_eq!(first.result.token_balance, 2, "level 1 gave a coin back");
    let second = real.roulette.play(&play(player), at(26)).await.unwrap();
    assert_eq!(second.result.season_pass, None);
    let other = real.dice.play(&play(player), at(26)).await.unwrap();
    assert_eq!(other.result.season_pass, None, "the day has its stamp");
    let next = real.lottery.play(&play(player), at(27)).await.unwrap();
    assert_eq!(next.result.season_pass.unwrap().added_stamp, 1);
}

#[tokio::test]
async fn a_play_does_not_stamp_while_the_season_pass_is_off() {
    let real = Real::new(Setting {
        xp_per_play: 5,
        stamp_on_play: true,
        wheel: sure(Reward::NONE),
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 2).await;
    real.features
        .set_enabled(xmas_kernel::Feature::SeasonPass, false);
    let spin = real.roulette.play(&play(player), at(26)).await.unwrap();
    assert_eq!(spin.result.season_pass, None);
    let stamps = "SELECT COUNT(*) FROM season_pass_stamp_log";
    assert_eq!(real.test.count(stamps).await, 0);
    let xp = "SELECT current_xp FROM season_pass_progress";
    assert_eq!(real.test.count(xp).await, 5);
}

#[tokio::test]
async fn a_level_may_pay_a_bundle_by_itself() {
    let real = Real::new(Setting::default()).await;
    let bundle = NewBundle {
        name: "주사위 2장 + 복권 1장".to_owned(),
        items: vec![
            reward(RewardType::TicketDice, 2),
            reward(RewardType::TicketLottery, 1),
        ],
    };
    let bundle = real.bundle(&bundle).await.unwrap();
    let level = Level {
        reward: Reward::bundle(bundle),
        reward_label: "주사위 2장 + 복권 1장".to_owned(),
        ..season().levels[0].clone()
    };
    real.test
        .execute(&format!(
            "UPDATE season_pass_level SET reward_type = 'BUNDLE', reward_amount = 1, \
             reward_item = {}",
            level.reward.item().unwrap()
        ))
        .await;
    let player = real.player("a", 0).await;
    let command = StampCommand {
        identity: player,
        request: None,
        source: xmas_kernel::Feature::SeasonPass,
        xp_bonus: 0,
    };
    let stamp = real.season_pass.stamp(&command, at(26)).await.unwrap();
    assert_eq!(stamp.result.rewards[0].reward_type, RewardType::Bundle);
    let tickets = "SELECT SUM(balance) FROM user_game_wallet";
    assert_eq!(real.test.count(tickets).await, 3);
}

struct Failing;

#[async_trait]
impl ActivityObserver for Failing {
    async fn observe_in_tx(
        &self,
        _: &sea_orm::DatabaseTransaction,
        _: &LockedPlayer,
        _: &Event,
        _: DateTime<Utc>,
    ) -> Result<Vec<Event>, DbError> {
        Err(DbError::Corrupt("the last participant fails".to_owned()))
    }
}

#[tokio::test]
async fn a_failure_of_the_last_participant_leaves_every_table_as_it_was() {
    let real = Real::new(Setting {
        xp_per_play: 20,
        stamp_on_play: true,
        observers: vec![Arc::new(Failing)],
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 10).await;
    let before = real.rows().await;
    let failed = |error: GameError| matches!(error, GameError::Db(DbError::Corrupt(_)));
    for _ in 0..3 {
        let command = keyed(player, "k", "");
        assert!(failed(
            real.roulette.play(&command, at(26)).await.unwrap_err()
        ));
        assert!(failed(real.dice.play(&command, at(26)).await.unwrap_err()));
        assert!(failed(
            real.lottery.play(&command, at(26)).await.unwrap_err()
        ));
    }
    assert_eq!(real.rows().await, before);
}

#[tokio::test]
async fn a_hundred_spins_at_once_with_ten_coins_are_ten_plays() {
    let real = Real::new(Setting {
        wheel: sure(Reward::NONE),
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 10).await;
    let spins: Vec<_> = (0..100)
        .map(|_| {
            let service = real.roulette.clone();
            tokio::spawn(async move { service.play(&play(player), at(26)).await })
        })
        .collect();
    let mut played = 0;
    for spin in spins {
        match spin.await.unwrap() {
            Ok(_) => played += 1,
            Err(error) => assert!(matches!(error, GameError::NotEnoughTokens), "{error:?}"),
        }
    }
    assert_eq!(played, 10);
    for (sql, expected) in [
        ("SELECT COUNT(*) FROM feature_log", 10),
        ("SELECT MAX(nonce) FROM feature_log", 9),
        (
            "SELECT balance FROM user_game_wallet WHERE asset = 'ROULETTE_COIN'",
            0,
        ),
        (
            "SELECT COUNT(*) FROM wallet_ledger WHERE asset = 'ROULETTE_COIN'",
            11,
        ),
    ] {
        assert_eq!(real.test.count(sql).await, expected, "{sql}");
    }
    real.assert_ledgers_add_up().await;
}
