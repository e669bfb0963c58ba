//! The contract of [`SeasonPassService`], held by the fake and by the real service, and what the
//! real one does to the tables.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{DatabaseTransaction, sea_query::SelectStatement};
use xmas_activity::{Activities, ActivityLog, EventWriter};
use xmas_features::fake::FakeFeatures;
use xmas_kernel::{
    Feature, SeasonId,
    entropy::OsEntropy,
    idempotency::{IdempotencyError, RequestKey},
    seal::DataKey,
};
use xmas_players::{AccessError, Identity, LockedPlayer, lock_beside_in_tx, lock_in_tx};
use xmas_rewards::{Books, Reward, RewardDesk, RewardState, RewardType, Rewards};
use xmas_season_pass::{
    ClaimCommand, Level, NewSeason, Place, PlayEffect, SeasonError, SeasonMover, SeasonPass,
    SeasonPassOptions, SeasonPassService, SeasonProgress, StampCommand, fake::FakeSeasonPass,
};
use xmas_test_support::TestDb;
use xmas_time::{DateTime, EventDay, Utc};

fn day(day: u32) -> EventDay {
    EventDay::from_ymd(2025, 12, day).unwrap()
}

fn at(day_of_month: u32) -> DateTime<Utc> {
    day(day_of_month).start()
}

fn new_year(days: u32) -> DateTime<Utc> {
    EventDay::from_ymd(2026, 1, 1)
        .unwrap()
        .plus_days(days - 1)
        .start()
}

/// Levels at 20 and 50 XP pay by themselves, those at 60 and 70 wait for a claim.
fn season() -> NewSeason {
    let level = |level, required_xp, kind, amount, auto_claim, manual| Level {
        level,
        required_xp,
        reward: Reward::new(kind, amount).unwrap(),
        reward_label: format!("{level}단계 보상"),
        auto_claim,
        manual,
    };
    NewSeason {
        name: "XMAS_1WEEK_2025".to_owned(),
        start: day(25),
        end: day(31),
        max_level: 5,
        base_xp_per_stamp: 20,
        max_xp_bonus: 20,
        grace_days: 7,
        internal_win_threshold: 3,
        is_active: true,
        levels: vec![
            level(1, 20, RewardType::TicketRoulette, 1, true, false),
            level(2, 50, RewardType::TicketDice, 1, true, false),
            level(3, 60, RewardType::CcCoin, 2, false, true),
            level(4, 70, RewardType::Point, 500, false, false),
            level(5, 75, RewardType::Point, 10_000, false, false),
        ],
    }
}

/// What the contract needs beyond the service itself.
#[async_trait]
trait World {
    fn service(&self) -> &dyn SeasonPassService;
    fn features(&self) -> &FakeFeatures;
    async fn player(&self, name: &str) -> Identity;
}

/// One process's service over a database.
fn service(test: &TestDb, features: Arc<FakeFeatures>, mover: SeasonMover) -> SeasonPass {
    let db = test.db.clone();
    let log = ActivityLog::default();
    let desk = RewardDesk::new(
        db.clone(),
        DataKey::new("the data key of all tests, 32 bytes or more"),
        Arc::new(OsEntropy),
        Rewards::new(EventWriter, 10_000),
    );
    SeasonPass::new(SeasonPassOptions {
        db: db.clone(),
        features,
        rewards: Arc::new(desk),
        pages: Arc::new(Activities::new(db, log.clone())),
        activity: log,
        mover,
    })
}

struct Real {
    test: TestDb,
    features: Arc<FakeFeatures>,
    service: Arc<SeasonPass>,
    mover: SeasonMover,
}

impl Real {
    async fn new() -> Self {
        let test = TestDb::new().await;
        let features = Arc::new(FakeFeatures::all_on());
        let log = ActivityLog::default();
        let mover = SeasonMover::new(Arc::new(Rewards::new(EventWriter, 10_000)), log.clone());
        let tx = test.db.begin().await.unwrap();
        SeasonPass::insert_in_tx(&tx, &season(), at(25))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let service = service(&test, features.clone(), mover.clone());
        Self {
            test,
            features,
            service: Arc::new(service),
            mover,
        }
    }
}

#[async_trait]
impl World for Real {
    fn service(&self) -> &dyn SeasonPassService {
        &*self.service
    }

    fn features(&self) -> &FakeFeatures {
        &self.features
    }

    async fn player(&self, name: &str) -> Identity {
        self.test.player(name).await
    }
}

struct Fake {
    features: Arc<FakeFeatures>,
    service: FakeSeasonPass,
}

impl Fake {
    fn new() -> Self {
        let features = Arc::new(FakeFeatures::all_on());
        let service = FakeSeasonPass::new(features.clone());
        service.insert(season());
        Self { features, service }
    }
}

#[async_trait]
impl World for Fake {
    fn service(&self) -> &dyn SeasonPassService {
        &self.service
    }

    fn features(&self) -> &FakeFeatures {
        &self.features
    }

    async fn player(&self, name: &str) -> Identity {
        Identity {
            user_id: xmas_kernel::UserId(name.bytes().map(i64::from).sum()),
            token_epoch: 0,
        }
    }
}

fn stamp(identity: Identity, xp_bonus: i64) -> StampCommand {
    StampCommand {
        identity,
        request: None,
        source: Feature::Roulette,
        xp_bonus,
    }
}

fn claim(identity: Identity, level: i64) -> ClaimCommand {
    ClaimCommand {
        identity,
        request: None,
        level,
    }
}

fn key(key: &str, body: &str) -> Option<RequestKey> {
    Some(RequestKey::new(key, "POST", "/api/season-pass/stamp", body.as_bytes()).unwrap())
}

async fn a_week_of_stamps(world: &dyn World) {
    let service = world.service();
    let player = world.player("walker").await;
    let status = service.status(&player, at(25)).await.unwrap();
    assert_eq!(
        (status.progress.current_level, status.account_level),
        (0, 1)
    );

    let first = service
        .stamp(&stamp(player, 0), at(25))
        .await
        .unwrap()
        .result;
    assert_eq!(
        (first.xp_added, first.current_xp, first.current_level),
        (20, 20, 1)
    );
    assert!(first.leveled_up);
    let rewards: Vec<_> = first
        .rewards
        .iter()
        .map(|reward| (reward.level, reward.state))
        .collect();
    assert_eq!(rewards, [(1, RewardState::Delivered)]);

    let again = service.stamp(&stamp(player, 0), at(25)).await;
    assert!(matches!(again, Err(SeasonError::AlreadyStamped)));

    // 20 + 40 = 60 XP jumps over level 2 onto level 3, which waits for a claim.
    let second = service
        .stamp(&stamp(player, 20), at(26))
        .await
        .unwrap()
        .result;
    assert_eq!((second.xp_added, second.current_level), (40, 3));
    assert_eq!(
        second
            .rewards
            .iter()
            .map(|reward| reward.level)
            .collect::<Vec<_>>(),
        [2]
    );

    let status = service.status(&player, at(26)).await.unwrap();
    assert_eq!(status.progress.last_stamp_day, Some(day(26)));
    assert_eq!(status.progress.total_stamps, 2);
    assert_eq!(status.claimed.into_iter().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(status.account_level, 4);

    let claimed = service
        .claim(&claim(player, 3), at(26))
        .await
        .unwrap()
        .result;
    assert_eq!(
        (claimed.reward_type, claimed.state),
        (RewardType::CcCoin, RewardState::PendingReview)
    );
    for (level, expected) in [
        (3, "AlreadyClaimed"),
        (1, "AutoClaimLevel"),
        (4, "LevelNotReached"),
        (6, "LevelNotFound"),
        (0, "LevelNotFound"),
        (i64::MIN, "LevelNotFound"),
    ] {
        let refused = service
            .claim(&claim(player, level), at(26))
            .await
            .unwrap_err();
        assert_eq!(format!("{refused:?}"), expected);
    }
}

async fn the_end_of_the_season(world: &dyn World) {
    let service = world.service();
    let player = world.player("late").await;
    service.stamp(&stamp(player, 20), at(30)).await.unwrap();
    service.stamp(&stamp(player, 20), at(31)).await.unwrap();
    let refused = service.stamp(&stamp(player, 0), new_year(1)).await;
    assert!(matches!(refused, Err(SeasonError::NoActiveSeason)));
    assert!(service.running(day(31).next()).await.unwrap().is_none());
    let served = async |days| service.served(EventDay::of(new_year(days))).await.unwrap();
    assert_eq!(served(7).await.unwrap().rules.end, day(31));
    assert!(served(8).await.is_none());
    assert!(service.served(day(24)).await.unwrap().is_none());
    assert_eq!(
        service
            .status(&player, new_year(7))
            .await
            .unwrap()
            .progress
            .current_xp,
        80
    );
    let claimed = service
        .claim(&claim(player, 4), new_year(7))
        .await
        .unwrap()
        .result;
    assert_eq!(claimed.state, RewardState::Delivered);
    let reviewed = service
        .claim(&claim(player, 5), new_year(7))
        .await
        .unwrap()
        .result;
    assert_eq!(reviewed.state, RewardState::PendingReview);
    let over = service.claim(&claim(player, 3), new_year(8)).await;
    assert!(matches!(over, Err(SeasonError::NoActiveSeason)));
    let over = service.status(&player, new_year(8)).await;
    assert!(matches!(over, Err(SeasonError::NoActiveSeason)));
}

async fn bonuses_and_switches(world: &dyn World) {
    let service = world.service();
    let player = world.player("tester").await;
    for bonus in [-1, 21, i64::MAX, i64::MIN] {
        let refused = service.stamp(&stamp(player, bonus), at(26)).await;
        let Err(SeasonError::XpBonusOutOfRange { max: 20, got }) = refused else {
            panic!("{bonus}: {refused:?}");
        };
        assert_eq!(got, bonus);
    }
    for feature in [Feature::SeasonPass, Feature::Roulette] {
        world.features().set_enabled(feature, false);
        let refused = service.stamp(&stamp(player, 0), at(26)).await;
        assert!(matches!(refused, Err(SeasonError::Feature(_))), "{feature}");
        world.features().set_enabled(feature, true);
    }
    assert_eq!(
        service
            .status(&player, at(26))
            .await
            .unwrap()
            .progress
            .total_stamps,
        0
    );
}

async fn the_same_request_twice(world: &dyn World) {
    let service = world.service();
    let player = world.player("retrier").await;
    let command = StampCommand {
        request: key("k1", "{}"),
        ..stamp(player, 0)
    };
    let first = service.stamp(&command, at(26)).await.unwrap();
    let again = service.stamp(&command, at(27)).await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(first.result, again.result);
    // Even after the switch has been thrown.
    world.features().set_enabled(Feature::SeasonPass, false);
    assert!(service.stamp(&command, at(27)).await.unwrap().replayed);
    world.features().set_enabled(Feature::SeasonPass, true);
    let other = StampCommand {
        request: key("k1", "{ }"),
        ..stamp(player, 0)
    };
    let reused = service.stamp(&other, at(27)).await;
    assert!(matches!(
        reused,
        Err(SeasonError::Idempotency(IdempotencyError::KeyReused))
    ));
    // A claim is another request than a stamp.
    let claimed = ClaimCommand {
        request: Some(RequestKey::new("k1", "POST", "/api/season-pass/claim", b"{}").unwrap()),
        ..claim(player, 1)
    };
    let reused = service.claim(&claimed, at(27)).await;
    assert!(matches!(
        reused,
        Err(SeasonError::Idempotency(IdempotencyError::KeyReused))
    ));
    // A refusal is not remembered: the same key works once the reason is gone.
    let tomorrow = StampCommand {
        request: key("k2", "{}"),
        ..stamp(player, 0)
    };
    assert!(service.stamp(&tomorrow, at(26)).await.is_err());
    assert!(!service.stamp(&tomorrow, at(27)).await.unwrap().replayed);
    assert_eq!(
        service
            .status(&player, at(27))
            .await
            .unwrap()
            .progress
            .total_stamps,
        2
    );
}

async fn contract(world: &dyn World) {
    a_week_of_stamps(world).await;
    the_end_of_the_season(world).await;
    bonuses_and_switches(world).await;
    the_same_request_twice(world).await;
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    contract(&Fake::new()).await;
}

#[tokio::test]
async fn the_service_keeps_the_contract() {
    contract(&Real::new().await).await;
}

#[tokio::test]
async fn a_blocked_player_is_told_so_and_nothing_changes() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    real.test.block(&player).await;
    let refused = real.service.stamp(&stamp(player, 0), at(26)).await;
    assert!(matches!(
        refused,
        Err(SeasonError::Access(AccessError::Blocked))
    ));
    let refused = real.service.status(&player, at(26)).await;
    assert!(matches!(
        refused,
        Err(SeasonError::Access(AccessError::Blocked))
    ));
    for table in [
        "season_pass_progress",
        "season_pass_stamp_log",
        "user_event_log",
    ] {
        assert_eq!(
            real.test
                .count(&format!("SELECT COUNT(*) FROM {table}"))
                .await,
            0,
            "{table}"
        );
    }
}

#[tokio::test]
async fn a_switched_off_feature_answers_before_a_block() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    real.test.block(&player).await;
    real.features.set_enabled(Feature::SeasonPass, false);
    let command = StampCommand {
        request: key("k", "{}"),
        ..stamp(player, 0)
    };
    let refused = real.service.stamp(&command, at(26)).await;
    assert!(matches!(refused, Err(SeasonError::Feature(_))));
}

#[tokio::test]
async fn a_level_that_an_edit_makes_pay_by_itself_is_paid_by_the_next_move_once() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    real.service
        .stamp(&stamp(player, 20), at(25))
        .await
        .unwrap();
    real.service
        .stamp(&stamp(player, 20), at(26))
        .await
        .unwrap();
    assert_eq!(
        real.test
            .count("SELECT COUNT(*) FROM season_pass_reward_log")
            .await,
        2
    );
    real.test
        .execute("UPDATE season_pass_level SET auto_claim = 1 WHERE level = 4")
        .await;
    // Another replica's service has not read the ladder before.
    let replica = service(&real.test, real.features.clone(), real.mover.clone());
    let next = replica
        .stamp(&stamp(player, 0), at(27))
        .await
        .unwrap()
        .result;
    assert_eq!(
        next.rewards
            .iter()
            .map(|reward| reward.level)
            .collect::<Vec<_>>(),
        [4]
    );
    let next = replica
        .stamp(&stamp(player, 0), at(28))
        .await
        .unwrap()
        .result;
    assert_eq!(next.rewards, []);
    let points = "SELECT SUM(delta) FROM wallet_ledger WHERE asset = 'POINT'";
    assert_eq!(real.test.count(points).await, 500);
}

#[tokio::test]
async fn in_the_grace_days_such_a_level_is_paid_by_asking_for_it_once() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    for (day, bonus) in [(25, 20), (26, 20)] {
        let stamped = real.service.stamp(&stamp(player, bonus), at(day)).await;
        stamped.unwrap();
    }
    real.test
        .execute("UPDATE season_pass_level SET auto_claim = 1 WHERE level = 4")
        .await;
    let replica = service(&real.test, real.features.clone(), real.mover.clone());
    let command = ClaimCommand {
        identity: player,
        request: None,
        level: 4,
    };
    let claimed = replica.claim(&command, new_year(2)).await.unwrap().result;
    assert_eq!((claimed.level, claimed.auto_claim), (4, true));
    let again = replica.claim(&command, new_year(2)).await;
    assert!(matches!(again, Err(SeasonError::AutoClaimLevel)));
    let points = "SELECT SUM(delta) FROM wallet_ledger WHERE asset = 'POINT'";
    assert_eq!(real.test.count(points).await, 500);
}

/// What a play begins with.
async fn open<'a>(
    tx: &'a DatabaseTransaction,
    locked: &'a LockedPlayer,
    season: SeasonId,
) -> (Place, Books<'a>) {
    let join = |select: &mut SelectStatement| {
        Books::join(select);
        Place::join(select, season);
    };
    let rows = lock_beside_in_tx(tx, locked, join).await.unwrap();
    let books = Books::open(tx, locked, &rows, at(26)).unwrap();
    (Place::joined(&rows).unwrap(), books)
}

#[tokio::test]
async fn the_win_that_reaches_the_threshold_earns_one_bonus_stamp() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    let season = real.service.running(day(26)).await.unwrap().unwrap();
    let win = PlayEffect {
        feature: Feature::Roulette,
        xp: 1,
        is_win: true,
        stamp: false,
    };
    for _ in 0..5 {
        let tx = real.test.db.begin().await.unwrap();
        let locked = lock_in_tx(&tx, &player).await.unwrap();
        let (place, mut books) = open(&tx, &locked, season.id).await;
        let stamp = real
            .mover
            .after_play(&mut books, (&season, &place), &win)
            .await
            .unwrap();
        books.write_in_tx().await.unwrap();
        assert_eq!(stamp, None);
        tx.commit().await.unwrap();
    }
    let wins = real.service.internal_wins(&player, at(26)).await.unwrap();
    assert_eq!((wins.total_wins, wins.threshold, wins.remaining), (5, 3, 0));
    let status = real.service.status(&player, at(26)).await.unwrap();
    assert_eq!(status.progress.current_xp, 5 + 20);
    assert_eq!(status.progress.total_stamps, 1);
    assert_eq!(
        status.progress.last_stamp_day, None,
        "the bonus is not the daily stamp"
    );
    assert!(real.service.stamp(&stamp(player, 0), at(26)).await.is_ok());
}

#[tokio::test]
async fn a_play_may_bring_the_day_s_first_stamp_along() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    let season = real.service.running(day(26)).await.unwrap().unwrap();
    let play = PlayEffect {
        feature: Feature::Roulette,
        xp: 5,
        is_win: false,
        stamp: true,
    };
    let mut stamps = Vec::new();
    for _ in 0..2 {
        let tx = real.test.db.begin().await.unwrap();
        let locked = lock_in_tx(&tx, &player).await.unwrap();
        let (place, mut books) = open(&tx, &locked, season.id).await;
        stamps.push(
            real.mover
                .after_play(&mut books, (&season, &place), &play)
                .await
                .unwrap(),
        );
        books.write_in_tx().await.unwrap();
        tx.commit().await.unwrap();
    }
    let first = stamps[0].as_ref().unwrap();
    assert_eq!(
        (first.xp_added, first.current_xp, first.leveled_up),
        (20, 25, true)
    );
    assert_eq!(stamps[1], None);
    let refused = real.service.stamp(&stamp(player, 0), at(26)).await;
    assert!(matches!(refused, Err(SeasonError::AlreadyStamped)));
    assert_eq!(
        real.service
            .status(&player, at(26))
            .await
            .unwrap()
            .progress
            .current_xp,
        30
    );
}

#[tokio::test]
async fn a_race_for_one_stamp_and_one_claim_has_one_winner_each() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    let race = async |day: u32| {
        let attempts: Vec<_> = (0..30)
            .map(|_| {
                let service = real.service.clone();
                tokio::spawn(
                    async move { service.stamp(&stamp(player, 20), at(day)).await.is_ok() },
                )
            })
            .collect();
        let mut winners = 0;
        for attempt in attempts {
            winners += u32::from(attempt.await.unwrap());
        }
        winners
    };
    assert_eq!(race(25).await, 1);
    assert_eq!(race(26).await, 1);
    let claims: Vec<_> = (0..30)
        .map(|_| {
            let service = real.service.clone();
            tokio::spawn(async move { service.claim(&claim(player, 4), at(26)).await.is_ok() })
        })
        .collect();
    let mut winners = 0;
    for claim in claims {
        winners += u32::from(claim.await.unwrap());
    }
    assert_eq!(winners, 1);
    let points = "SELECT SUM(delta) FROM wallet_ledger WHERE asset = 'POINT'";
    assert_eq!(real.test.count(points).await, 500);
    assert_eq!(real.test.count("SELECT level FROM user_profiles").await, 6);
}
