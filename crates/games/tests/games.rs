//! The contract of [`RouletteService`], held by the fake and by the real service, and what the real
//! one does to the tables.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use xmas_activity::{Activities, ActivityLog, ActivityObserver, Event, EventWriter};
use xmas_features::{FeatureRow, FeatureSettings, fake::FakeFeatures};
use xmas_games::{
    Floor, GameError, PlayCommand, RouletteService,
    roulette::{
        NewSegment, NewWheel, Roulette, Segment,
        fake::FakeRoulette,
        rules::{Weighted, Wheel},
    },
};
use xmas_kernel::{Asset, Feature, UserId, db::DbError, entropy::Entropy, idempotency::RequestKey};
use xmas_players::{AccessError, Identity, LockedPlayer};
use xmas_rewards::{Credit, Reward, RewardState, RewardType, Rewards, WalletService, Wallets};
use xmas_season_pass::{Level, NewSeason, SeasonMover, SeasonPass};
use xmas_test_support::TestDb;
use xmas_time::{DateTime, EventDay, Utc};

fn at(day: u32) -> DateTime<Utc> {
    EventDay::from_ymd(2025, 12, day).unwrap().start()
}

/// Counts up from 0, so that spins go round the wheel slot by slot.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        for (byte, value) in bytes.iter_mut().zip(number) {
            *byte = value;
        }
    }
}

/// Slot by slot: nothing, three coins, 1,000 points, 7 XP, 10,000 points, two coins.
fn prizes() -> [Reward; 6] {
    [
        Reward::NONE,
        Reward::new(RewardType::TicketRoulette, 3).unwrap(),
        Reward::new(RewardType::Point, 1_000).unwrap(),
        Reward::new(RewardType::Xp, 7).unwrap(),
        Reward::new(RewardType::Point, 10_000).unwrap(),
        Reward::new(RewardType::TicketRoulette, 2).unwrap(),
    ]
}

fn wheel() -> NewWheel {
    let segment = |(slot, reward): (i64, Reward)| NewSegment {
        slot_index: slot,
        label: format!("칸 {slot}"),
        weight: 1,
        reward,
        is_jackpot: slot == 4,
    };
    NewWheel {
        name: "룰렛".to_owned(),
        max_daily_spins: 8,
        segments: (0..).zip(prizes()).map(segment).collect(),
    }
}

fn features(xp_per_play: u32, stamp_on_play: bool) -> Arc<FakeFeatures> {
    let features = FakeFeatures::default();
    for feature in [Feature::Roulette, Feature::SeasonPass] {
        features.put(FeatureRow {
            feature,
            title: feature.to_string(),
            page_path: "/".to_owned(),
            is_enabled: true,
            settings: FeatureSettings {
                xp_per_play,
                stamp_on_play,
            },
        });
    }
    Arc::new(features)
}

#[async_trait]
trait World {
    fn service(&self) -> &dyn RouletteService;
    fn features(&self) -> &FakeFeatures;
    async fn player(&self, name: &str, coins: i64) -> Identity;
}

struct Real {
    test: TestDb,
    features: Arc<FakeFeatures>,
    wallets: Arc<Wallets>,
    service: Arc<Roulette>,
}

#[derive(Default)]
struct Setting {
    xp_per_play: u32,
    stamp_on_play: bool,
    observers: Vec<Arc<dyn ActivityObserver>>,
}

impl Real {
    async fn new(setting: Setting) -> Self {
        let test = TestDb::new().await;
        let tx = test.db.begin().await.unwrap();
        SeasonPass::insert_in_tx(&tx, &season(), at(25))
            .await
            .unwrap();
        Roulette::insert_active_in_tx(&tx, &wheel(), at(25))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let features = features(setting.xp_per_play, setting.stamp_on_play);
        let log = ActivityLog::with_observers(setting.observers);
        let rewards = Arc::new(Rewards::new(EventWriter, 10_000));
        let mover = SeasonMover::new(rewards.clone(), log.clone());
        let pages = Arc::new(Activities::new(test.db.clone(), log.clone()));
        let seasons = SeasonPass::new(
            test.db.clone(),
            features.clone(),
            pages.clone(),
            log.clone(),
            mover.clone(),
        );
        let wallets = Arc::new(Wallets::new(test.db.clone()));
        let service = Roulette::new(Floor {
            db: test.db.clone(),
            features: features.clone(),
            wallets: wallets.clone(),
            rewards,
            seasons: Arc::new(seasons),
            progress: Arc::new(mover),
            pages,
            activity: log,
            entropy: Arc::new(Counting::default()),
        });
        Self {
            test,
            features,
            wallets,
            service: Arc::new(service),
        }
    }

    /// Rows of every table that a play touches.
    async fn rows(&self) -> Vec<i64> {
        let mut rows = Vec::new();
        for table in [
            "feature_log",
            "wallet_ledger",
            "reward_log",
            "season_pass_progress",
            "season_pass_stamp_log",
            "season_pass_reward_log",
            "user_event_log",
            "idempotency_key",
        ] {
            rows.push(
                self.test
                    .count(&format!("SELECT COUNT(*) FROM {table}"))
                    .await,
            );
        }
        rows.push(
            self.test
                .count("SELECT SUM(balance) FROM user_game_wallet")
                .await,
        );
        rows.push(
            self.test
                .count("SELECT SUM(level) FROM user_profiles")
                .await,
        );
        rows
    }
}

fn season() -> NewSeason {
    NewSeason {
        name: "S".to_owned(),
        start: EventDay::from_ymd(2025, 12, 25).unwrap(),
        end: EventDay::from_ymd(2025, 12, 31).unwrap(),
        max_level: 1,
        base_xp_per_stamp: 20,
        max_xp_bonus: 20,
        grace_days: 7,
        internal_win_threshold: 50,
        is_active: true,
        levels: vec![Level {
            level: 1,
            required_xp: 20,
            reward: Reward::new(RewardType::TicketRoulette, 1).unwrap(),
            reward_label: "룰렛 티켓 1장".to_owned(),
            auto_claim: true,
            manual: false,
        }],
    }
}

#[async_trait]
impl World for Real {
    fn service(&self) -> &dyn RouletteService {
        &*self.service
    }

    fn features(&self) -> &FakeFeatures {
        &self.features
    }

    async fn player(&self, name: &str, coins: i64) -> Identity {
        let player = self.test.player(name).await;
        let credit = Credit {
            asset: Asset::RouletteCoin,
            amount: coins,
            reason: "ADMIN_GRANT",
            reference: "test".to_owned(),
            actor: "tester".to_owned(),
        };
        self.wallets
            .credit(player.user_id, &credit, at(25))
            .await
            .unwrap();
        player
    }
}

struct Fake {
    features: Arc<FakeFeatures>,
    service: FakeRoulette,
}

impl Fake {
    fn new() -> Self {
        let features = features(0, false);
        let weighted = |segment: NewSegment| Weighted {
            segment: Segment {
                id: segment.slot_index + 1,
                label: segment.label,
                reward_type: segment.reward.kind(),
                reward_amount: segment.reward.amount(),
                slot_index: segment.slot_index,
                is_jackpot: segment.is_jackpot,
            },
            weight: segment.weight,
            reward: segment.reward,
        };
        let new = wheel();
        let wheel = Wheel::new(new.segments.into_iter().map(weighted).collect()).unwrap();
        let entropy = Arc::new(Counting::default());
        let service =
            FakeRoulette::new(features.clone(), entropy, new.max_daily_spins, Some(wheel));
        Self { features, service }
    }
}

#[async_trait]
impl World for Fake {
    fn service(&self) -> &dyn RouletteService {
        &self.service
    }

    fn features(&self) -> &FakeFeatures {
        &self.features
    }

    async fn player(&self, name: &str, coins: i64) -> Identity {
        let user_id = UserId(name.bytes().map(i64::from).sum());
        self.service.give_coins(user_id, coins);
        Identity {
            user_id,
            token_epoch: 0,
        }
    }
}

fn play(identity: Identity) -> PlayCommand {
    PlayCommand {
        identity,
        request: None,
    }
}

fn keyed(identity: Identity, key: &str, body: &str) -> PlayCommand {
    let request = RequestKey::new(key, "POST", "/api/roulette/play", body.as_bytes()).unwrap();
    PlayCommand {
        identity,
        request: Some(request),
    }
}

/// Slots come up in order: 0 nothing, 1 three coins, 2 points, …
async fn contract(world: &dyn World) {
    let service = world.service();
    let player = world.player("player", 3).await;
    let status = service.status(&player, at(26)).await.unwrap();
    assert_eq!(
        (
            status.token_balance,
            status.today_spins,
            status.remaining_spins
        ),
        (3, 0, 8)
    );
    assert_eq!(status.segments.len(), 6);

    let first = service.play(&play(player), at(26)).await.unwrap().result;
    assert_eq!((first.segment.slot_index, first.token_balance), (0, 2));
    assert_eq!(
        (first.receipt.nonce, first.receipt.day),
        (0, EventDay::of(at(26)))
    );
    let second = service.play(&keyed(player, "k", ""), at(26)).await.unwrap();
    assert_eq!(
        (
            second.result.segment.slot_index,
            second.result.token_balance
        ),
        (1, 4)
    );
    assert_eq!(second.result.receipt.nonce, 1);

    let again = service.play(&keyed(player, "k", ""), at(27)).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.result, second.result);
    let reused = service.play(&keyed(player, "k", "x"), at(27)).await;
    assert!(matches!(reused, Err(GameError::Idempotency(_))));

    world.features().set_enabled(Feature::Roulette, false);
    assert!(matches!(
        service.play(&play(player), at(26)).await,
        Err(GameError::Feature(_))
    ));
    assert!(matches!(
        service.status(&player, at(26)).await,
        Err(GameError::Feature(_))
    ));
    assert!(
        service
            .play(&keyed(player, "k", ""), at(26))
            .await
            .unwrap()
            .replayed
    );
    world.features().set_enabled(Feature::Roulette, true);

    // Six more spins fill the limit of eight; slot 5 and slot 1 of the next round pay for them.
    for nonce in 2..8 {
        let spin = service.play(&play(player), at(26)).await.unwrap().result;
        assert_eq!(spin.receipt.nonce, nonce);
        assert_eq!(spin.segment.slot_index, nonce % 6);
        let waits = spin.receipt.reward_state == RewardState::PendingReview;
        assert_eq!(waits, spin.segment.is_jackpot);
    }
    let status = service.status(&player, at(26)).await.unwrap();
    assert_eq!((status.today_spins, status.remaining_spins), (8, -1));
    let coins = status.token_balance;
    assert_eq!(coins, 3 + 3 + 2 + 3 - 8);
    let over = service.play(&play(player), at(26)).await;
    assert!(matches!(over, Err(GameError::DailyLimitReached)));

    // The next day starts from nonce 0, until the coins run out.
    for nonce in 0..coins {
        let spin = service.play(&play(player), at(27)).await.unwrap().result;
        assert_eq!(spin.receipt.nonce, nonce);
    }
    // Slots 2 to 4 gave no coins.
    let broke = service.play(&play(player), at(27)).await;
    assert!(matches!(broke, Err(GameError::NotEnoughTokens)));
    assert_eq!(
        service.status(&player, at(27)).await.unwrap().token_balance,
        0
    );
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    contract(&Fake::new()).await;
}

#[tokio::test]
async fn the_service_keeps_the_contract() {
    contract(&Real::new(Setting::default()).await).await;
}

#[tokio::test]
async fn a_play_pays_xp_for_itself_and_for_its_prize() {
    let real = Real::new(Setting {
        xp_per_play: 5,
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 4).await;
    for _ in 0..4 {
        real.service.play(&play(player), at(26)).await.unwrap();
    }
    // 4 × 5 for the plays and 7 for slot 3; at 20 XP level 1 pays one coin by itself.
    assert_eq!(
        real.test
            .count("SELECT current_xp FROM season_pass_progress")
            .await,
        27
    );
    assert_eq!(
        real.test
            .count("SELECT SUM(amount) FROM reward_log WHERE reward_type = 'XP'")
            .await,
        27
    );
    assert_eq!(
        real.test
            .count("SELECT internal_wins FROM season_pass_progress")
            .await,
        3
    );
    let coins = "SELECT balance FROM user_game_wallet WHERE asset = 'ROULETTE_COIN'";
    assert_eq!(real.test.count(coins).await, 3 + 1);
    assert_eq!(real.test.count("SELECT level FROM user_profiles").await, 2);
    for (kind, rows) in [("PLAY", 4), ("RESULT", 4), ("SEASON_PASS_LEVEL_UP", 1)] {
        let sql = format!("SELECT COUNT(*) FROM user_event_log WHERE event_type = '{kind}'");
        assert_eq!(real.test.count(&sql).await, rows, "{kind}");
    }
}

#[tokio::test]
async fn the_jackpot_waits_for_an_admin() {
    let real = Real::new(Setting::default()).await;
    let player = real.player("a", 5).await;
    let mut last = None;
    for _ in 0..5 {
        last = Some(
            real.service
                .play(&play(player), at(26))
                .await
                .unwrap()
                .result,
        );
    }
    let jackpot = last.unwrap();
    assert!(jackpot.segment.is_jackpot);
    assert_eq!(jackpot.receipt.reward_state, RewardState::PendingReview);
    let points = "SELECT balance FROM user_game_wallet WHERE asset = 'POINT'";
    assert_eq!(real.test.count(points).await, 1_000);
}

#[tokio::test]
async fn between_seasons_a_play_pays_its_prize_and_no_xp() {
    let real = Real::new(Setting {
        xp_per_play: 5,
        stamp_on_play: true,
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 4).await;
    let after = EventDay::from_ymd(2026, 1, 3).unwrap().start();
    for _ in 0..4 {
        let spin = real
            .service
            .play(&play(player), after)
            .await
            .unwrap()
            .result;
        assert_eq!(spin.season_pass, None);
    }
    assert_eq!(
        real.test
            .count("SELECT COUNT(*) FROM season_pass_progress")
            .await,
        0
    );
    let xp = "SELECT COUNT(*) FROM reward_log WHERE reward_type = 'XP' AND state = 'REJECTED'";
    assert_eq!(real.test.count(xp).await, 1);
}

#[tokio::test]
async fn the_day_s_first_play_stamps_if_the_feature_says_so() {
    let real = Real::new(Setting {
        stamp_on_play: true,
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 2).await;
    let first = real
        .service
        .play(&play(player), at(26))
        .await
        .unwrap()
        .result;
    let stamp = first.season_pass.unwrap();
    assert_eq!(
        (stamp.added_stamp, stamp.xp_added, stamp.rewards.len()),
        (1, 20, 1)
    );
    assert_eq!(first.token_balance, 2, "level 1 gave a coin back");
    let second = real
        .service
        .play(&play(player), at(26))
        .await
        .unwrap()
        .result;
    assert_eq!(second.season_pass, None);
}

#[tokio::test]
async fn a_play_does_not_stamp_while_the_season_pass_is_off() {
    let real = Real::new(Setting {
        xp_per_play: 5,
        stamp_on_play: true,
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 2).await;
    real.features.set_enabled(Feature::SeasonPass, false);
    let spin = real
        .service
        .play(&play(player), at(26))
        .await
        .unwrap()
        .result;
    assert_eq!(spin.season_pass, None);
    assert_eq!(
        real.test
            .count("SELECT COUNT(*) FROM season_pass_stamp_log")
            .await,
        0
    );
    assert_eq!(
        real.test
            .count("SELECT current_xp FROM season_pass_progress")
            .await,
        5
    );
}

#[tokio::test]
async fn a_wheel_broken_by_hand_takes_no_token() {
    for damage in [
        "DELETE FROM roulette_segment WHERE slot_index = 5",
        "UPDATE roulette_segment SET weight = 0",
        "UPDATE roulette_segment SET reward_type = 'BUNDLE' WHERE slot_index = 0",
        "UPDATE roulette_segment SET reward_amount = 0 WHERE slot_index = 1",
        "UPDATE roulette_config SET is_active = 0, active_slot = NULL",
    ] {
        let real = Real::new(Setting::default()).await;
        let player = real.player("a", 1).await;
        real.test.execute(damage).await;
        let before = real.rows().await;
        let refused = real.service.play(&play(player), at(26)).await;
        assert!(
            matches!(refused, Err(GameError::InvalidRoulette)),
            "{damage}"
        );
        let refused = real.service.status(&player, at(26)).await;
        assert!(
            matches!(refused, Err(GameError::InvalidRoulette)),
            "{damage}"
        );
        assert_eq!(real.rows().await, before, "{damage}");
    }
}

#[tokio::test]
async fn whoever_may_not_play_changes_nothing() {
    let real = Real::new(Setting::default()).await;
    let blocked = real.player("blocked", 1).await;
    real.test.block(&blocked).await;
    let stale = Identity {
        token_epoch: 9,
        ..real.player("stale", 1).await
    };
    let before = real.rows().await;
    let refused = real.service.play(&play(blocked), at(26)).await;
    assert!(matches!(
        refused,
        Err(GameError::Access(AccessError::Blocked))
    ));
    let refused = real.service.play(&keyed(blocked, "k", ""), at(26)).await;
    assert!(matches!(
        refused,
        Err(GameError::Access(AccessError::Blocked))
    ));
    let refused = real.service.play(&play(stale), at(26)).await;
    assert!(matches!(
        refused,
        Err(GameError::Access(AccessError::StaleToken))
    ));
    assert_eq!(real.rows().await, before);
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
    ) -> Result<(), DbError> {
        Err(DbError::Corrupt("the last participant fails".to_owned()))
    }
}

#[tokio::test]
async fn a_failure_of_the_last_participant_leaves_every_table_as_it_was() {
    let real = Real::new(Setting {
        xp_per_play: 20,
        stamp_on_play: true,
        observers: vec![Arc::new(Failing)],
    })
    .await;
    let player = real.player("a", 10).await;
    let before = real.rows().await;
    for _ in 0..6 {
        let failed = real.service.play(&keyed(player, "k", ""), at(26)).await;
        assert!(matches!(failed, Err(GameError::Db(DbError::Corrupt(_)))));
    }
    assert_eq!(real.rows().await, before);
}

#[tokio::test]
async fn a_hundred_spins_at_once_with_ten_coins_are_ten_plays() {
    let real = Real::new(Setting::default()).await;
    let player = real.player("a", 10).await;
    // Only slot 0, which gives nothing, comes up; and no daily limit stands in the way.
    real.test
        .execute("UPDATE roulette_segment SET weight = 0 WHERE slot_index > 0")
        .await;
    real.test
        .execute("UPDATE roulette_config SET max_daily_spins = 0")
        .await;
    let spins: Vec<_> = (0..100)
        .map(|_| {
            let service = real.service.clone();
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
    assert_eq!(
        real.test.count("SELECT COUNT(*) FROM feature_log").await,
        10
    );
    assert_eq!(
        real.test
            .count("SELECT balance FROM user_game_wallet")
            .await,
        0
    );
    assert_eq!(
        real.test
            .count("SELECT SUM(delta) FROM wallet_ledger")
            .await,
        0
    );
    assert_eq!(
        real.test.count("SELECT COUNT(*) FROM wallet_ledger").await,
        11
    );
    assert_eq!(
        real.test.count("SELECT MAX(nonce) FROM feature_log").await,
        9
    );
}
