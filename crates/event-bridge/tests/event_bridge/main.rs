//! Keys and settlements on a database: once, whoever asks and however often.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

mod contract;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use xmas_activity::{
    ActivityLog, ActivityObserver, Event, EventKind, EventWriter, fake::FakeActivities,
};
use xmas_event_bridge::{
    BridgeDay, BridgeEdit, BridgeError, BridgeService, BridgeState, Bridges, Certificate, Due,
    GiftState, KeyAwarder, KeyOrder, KeysGiven, Mission, Mode, NewBridge, Pace, Reason, Settlement,
    SettlementOptions, SlotState,
};
use xmas_features::fake::FakeFeatures;
use xmas_kernel::{
    BridgeId, Feature, GiftId, SeasonId, UserId,
    audit::Actor,
    db::{Db, Executed},
    entropy::OsEntropy,
    lease::Lease,
    paging::Limit,
    seal::DataKey,
};
use xmas_players::{
    Identity, Inactive, PlayerRef, RecipientError, ResolveError, Status, key_standing,
    lock_by_id_in_tx, set_status_in_tx,
};
use xmas_rewards::{Reward, RewardDesk, RewardType, Rewards};
use xmas_season_pass::{
    Level, NewSeason, SeasonMover, SeasonPass, SeasonPassOptions, SeasonStamps,
};
use xmas_test_support::TestDb;
use xmas_time::{DateTime, EventDay, Utc};

fn day(day: u32) -> EventDay {
    EventDay::from_ymd(2025, 12, day).unwrap()
}

fn at(day_of_month: u32) -> DateTime<Utc> {
    day(day_of_month).start()
}

fn new_year(day: u32) -> DateTime<Utc> {
    EventDay::from_ymd(2026, 1, day).unwrap().start()
}

fn season(year: i32) -> NewSeason {
    NewSeason {
        name: format!("XMAS_{year}"),
        start: EventDay::from_ymd(year, 12, 25).unwrap(),
        end: EventDay::from_ymd(year, 12, 31).unwrap(),
        max_level: 1,
        base_xp_per_stamp: 20,
        max_xp_bonus: 0,
        grace_days: 7,
        internal_win_threshold: 50,
        is_active: true,
        levels: vec![Level {
            level: 1,
            required_xp: 20,
            reward: Reward::new(RewardType::Point, 1).unwrap(),
            reward_label: "1 포인트".to_owned(),
            auto_claim: true,
            manual: false,
        }],
    }
}

/// Two missions of a kind on two days, and one that takes all games.
fn bridge(season_id: SeasonId, year: i32) -> NewBridge {
    let bridge_day = |(number, mission): (i64, Mission)| BridgeDay {
        number,
        day: EventDay::from_ymd(year, 12, 24)
            .unwrap()
            .plus_days(u32::try_from(number).unwrap()),
        event_type: format!("KEY_DAY_{number}"),
        mission,
        points: 1_000 * number,
    };
    let missions = [Mission::PlayDice, Mission::Stamp, Mission::PlayAllGames];
    NewBridge {
        season_id,
        days: (1..).zip(missions).map(bridge_day).collect(),
        keys_required: 3,
        settle_on: EventDay::from_ymd(year + 1, 1, 1).unwrap(),
        auto_settle: true,
    }
}

const ALL_POINTS: i64 = 1_000 + 2_000 + 3_000;

struct Real {
    test: TestDb,
    awarder: KeyAwarder,
    settlement: Settlement,
    bridges: Bridges,
    id: BridgeId,
    season: SeasonId,
}

/// One process's services over a database.
fn settlement(db: &Db) -> (KeyAwarder, Settlement) {
    let log = ActivityLog::default();
    let ledger = Rewards::new(EventWriter, 10_000);
    let desk = RewardDesk::new(
        db.clone(),
        DataKey::new("the data key of all tests, 32 bytes or more"),
        Arc::new(OsEntropy),
        ledger.clone(),
    );
    let ledger = Arc::new(ledger);
    let seasons = SeasonPass::new(SeasonPassOptions {
        db: db.clone(),
        features: Arc::new(FakeFeatures::default()),
        rewards: Arc::new(desk),
        pages: Arc::new(FakeActivities::default()),
        activity: log.clone(),
        mover: SeasonMover::new(ledger.clone(), log),
    });
    let awarder = KeyAwarder::new(db.clone(), Arc::new(SeasonStamps));
    let settlement = Settlement::new(SettlementOptions {
        db: db.clone(),
        ledger,
        seasons: Arc::new(seasons),
        awarder: awarder.clone(),
    });
    (awarder, settlement)
}

impl Real {
    async fn new() -> Self {
        let test = TestDb::new().await;
        let tx = test.db.begin().await.unwrap();
        let new = season(2025);
        let season = SeasonPass::insert_in_tx(&tx, &new, at(25)).await.unwrap();
        let days = (new.start, new.end);
        let id = Bridges::insert_in_tx(&tx, &bridge(season, 2025), days, at(25)).await;
        let id = id.unwrap();
        tx.commit().await.unwrap();
        let (awarder, settlement) = settlement(&test.db);
        let bridges = Bridges::new(test.db.clone(), &awarder);
        Self {
            test,
            awarder,
            settlement,
            bridges,
            id,
            season,
        }
    }

    /// What a player's action does, in a transaction as of its use case.
    async fn act(&self, player: &Identity, kind: EventKind, feature: Feature, now: DateTime<Utc>) {
        let tx = self.test.db.begin().await.unwrap();
        let locked = lock_by_id_in_tx(&tx, player.user_id).await.unwrap();
        let locked = locked.unwrap();
        let event = Event {
            kind,
            feature: Some(feature),
            meta: serde_json::json!({}),
        };
        let observed = self.awarder.observe_in_tx(&tx, &locked, &event, now);
        let more = observed.await.unwrap();
        let written = EventWriter.write_in_tx(&tx, &locked, &more, now);
        written.await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn play(&self, player: &Identity, game: Feature, now: DateTime<Utc>) {
        self.act(player, EventKind::Play, game, now).await;
    }

    /// Everything that earns all keys.
    async fn walk(&self, player: &Identity) {
        self.play(player, Feature::Dice, at(25)).await;
        let stamp = EventKind::SeasonPassStamp;
        self.act(player, stamp, Feature::SeasonPass, at(26)).await;
        for game in [Feature::Lottery, Feature::Roulette, Feature::Dice] {
            self.play(player, game, at(27)).await;
        }
    }

    /// So many players with all keys, without their walking.
    async fn crowd(&self, players: u64) -> Vec<UserId> {
        let mut ids = Vec::new();
        for number in 0..players {
            ids.push(self.test.player(&format!("player-{number}")).await.user_id);
        }
        self.test
            .execute(&format!(
                "UPDATE user_profiles SET event_key_count = 3, event_pending_points = {ALL_POINTS}"
            ))
            .await;
        ids
    }

    async fn keys(&self, player: &Identity) -> (i64, i64) {
        let user = player.user_id;
        let of =
            |column: &str| format!("SELECT {column} FROM user_profiles WHERE user_id = {user}");
        (
            self.test.count(&of("event_key_count")).await,
            self.test.count(&of("event_pending_points")).await,
        )
    }

    async fn settle(&self, chunk: u64, now: DateTime<Utc>) -> u64 {
        let run = self.settlement.settle(self.id, chunk, now, &|_| ()).await;
        run.unwrap().paid
    }

    async fn certificate(&self) -> Certificate {
        self.settlement.certificate(self.id).await.unwrap()
    }

    /// One level, one payment and no key for so many players.
    async fn assert_paid_once(&self, players: i64) {
        for (sql, expected) in [
            (
                "SELECT COUNT(*) FROM user_profiles WHERE level = 2 AND event_key_count = 0",
                players,
            ),
            ("SELECT COUNT(*) FROM user_profiles WHERE level > 2", 0),
            (
                "SELECT COUNT(*) FROM reward_log WHERE source = 'BRIDGE'",
                players,
            ),
            (
                "SELECT COUNT(*) FROM wallet_ledger WHERE reason = 'BRIDGE'",
                players,
            ),
            (
                "SELECT COALESCE(SUM(balance), 0) FROM user_game_wallet",
                players * ALL_POINTS,
            ),
            (
                "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'BRIDGE_SETTLED'",
                players,
            ),
        ] {
            assert_eq!(self.test.count(sql).await, expected, "{sql}");
        }
    }
}

#[tokio::test]
async fn each_mission_earns_its_key_on_its_day_once() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    real.play(&player, Feature::Roulette, at(25)).await;
    assert_eq!(real.keys(&player).await, (0, 0), "the mission is the dice");
    for _ in 0..3 {
        real.play(&player, Feature::Dice, at(25)).await;
    }
    assert_eq!(real.keys(&player).await, (1, 1_000));
    real.play(&player, Feature::Dice, at(26)).await;
    assert_eq!(real.keys(&player).await, (1, 1_000), "that was yesterday's");
    let stamp = EventKind::SeasonPassStamp;
    real.act(&player, stamp, Feature::SeasonPass, at(26)).await;
    for game in [Feature::Dice, Feature::Dice, Feature::Roulette] {
        real.play(&player, game, at(27)).await;
        assert_eq!(real.keys(&player).await, (2, 3_000), "not all games yet");
    }
    real.play(&player, Feature::Lottery, at(27)).await;
    assert_eq!(real.keys(&player).await, (3, ALL_POINTS));
    real.play(&player, Feature::Lottery, at(27)).await;
    real.play(&player, Feature::Dice, at(28)).await;
    assert_eq!(real.keys(&player).await, (3, ALL_POINTS));
    let told = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'BRIDGE_KEY'";
    assert_eq!(real.test.count(told).await, 3);
    let status = real
        .bridges
        .status(player.user_id, real.season, at(28))
        .await;
    let status = status.unwrap().unwrap();
    let collected = |slot: &xmas_event_bridge::Slot| slot.state == SlotState::Collected;
    assert!(status.slots.iter().all(collected) && !status.settled);
}

#[tokio::test]
async fn a_key_costs_two_statements_and_none_once_the_day_has_it() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut db = real.test.db.clone();
    let log = seen.clone();
    db.observe_statements(move |executed| log.lock().unwrap().push(executed.sql.to_owned()));
    let mut counts = Vec::new();
    // The configuration is known, as it is to a process that serves.
    real.play(&player, Feature::Roulette, at(25)).await;
    for (game, now) in [
        (Feature::Dice, at(25)),
        (Feature::Dice, at(25)),
        (Feature::Roulette, at(27)),
        (Feature::Lottery, at(27)),
        (Feature::Dice, at(27)),
        (Feature::Dice, at(27)),
    ] {
        let tx = db.begin().await.unwrap();
        let locked = lock_by_id_in_tx(&tx, player.user_id)
            .await
            .unwrap()
            .unwrap();
        seen.lock().unwrap().clear();
        let event = Event {
            kind: EventKind::Play,
            feature: Some(game),
            meta: serde_json::json!({}),
        };
        let observed = real.awarder.observe_in_tx(&tx, &locked, &event, now);
        observed.await.unwrap();
        counts.push(
            seen.lock()
                .unwrap()
                .iter()
                .filter(|sql| !sql.contains("event_bridge` ") && !sql.contains("event_bridge_day"))
                .count(),
        );
        tx.commit().await.unwrap();
    }
    // The key; nothing; read and note a part, twice; read and the key; nothing. The log's row is written with others.
    assert_eq!(counts, [2, 0, 2, 2, 3, 0]);
}

#[tokio::test]
async fn the_settlement_pays_once_and_before_its_day_nothing() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    let idle = real.test.player("idle").await;
    real.walk(&player).await;
    real.play(&idle, Feature::Dice, at(25)).await;
    let just_before = new_year(1) - chrono::TimeDelta::microseconds(1);
    let early = real
        .settlement
        .settle(real.id, 10, just_before, &|_| ())
        .await;
    assert!(matches!(early, Err(BridgeError::NotDue)));
    // An action of the last day may still be under way for ten minutes, and nothing is left after a closing.
    let almost = new_year(1) + chrono::TimeDelta::minutes(10) - chrono::TimeDelta::microseconds(1);
    for early in [just_before, almost] {
        let early = real.settlement.close(real.id, 10, early).await;
        assert!(matches!(early, Err(BridgeError::NotDue)));
    }
    assert_eq!(
        real.settlement.find(None).await.unwrap().state,
        BridgeState::Open
    );
    let dry = real.certificate().await;
    assert_eq!((dry.eligible, dry.paid, dry.too_few_keys), (1, 0, 1));
    assert_eq!(dry.unpaid[&Reason::NotYet], 1);
    assert_eq!(dry.unpaid_points, ALL_POINTS);

    assert_eq!(real.settle(10, new_year(1)).await, 1);
    assert_eq!(real.settle(10, new_year(1)).await, 0);
    real.assert_paid_once(1).await;
    assert_eq!(
        real.keys(&idle).await,
        (1, 1_000),
        "too few keys, not taken yet"
    );
    let certificate = real.certificate().await;
    assert_eq!((certificate.paid, certificate.points), (1, ALL_POINTS));
    assert!(certificate.unpaid.is_empty());
    let status = real
        .bridges
        .status(player.user_id, real.season, new_year(1))
        .await;
    let status = status.unwrap().unwrap();
    assert_eq!((status.settled, status.pending_points), (true, 0));
    let unknown = real.settlement.certificate(BridgeId(99)).await;
    assert!(matches!(unknown, Err(BridgeError::NotFound)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn settlements_at_once_pay_everybody_once_with_equal_certificates() {
    const PLAYERS: u64 = 120;
    let real = Real::new().await;
    real.crowd(PLAYERS).await;
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let (_, settlement) = settlement(&real.test.db);
            let id = real.id;
            tokio::spawn(async move {
                let run = settlement
                    .settle(id, 7, new_year(1), &|_| ())
                    .await
                    .unwrap();
                (run.paid, settlement.certificate(id).await.unwrap())
            })
        })
        .collect();
    let mut paid = 0;
    let mut certificates = Vec::new();
    for run in runs {
        let (players, certificate) = run.await.unwrap();
        paid += players;
        certificates.push(certificate);
    }
    assert_eq!(paid, PLAYERS);
    real.assert_paid_once(i64::try_from(PLAYERS).unwrap()).await;
    let last = real.certificate().await;
    assert_eq!(last.paid, PLAYERS);
    // Whoever came last saw everybody paid.
    assert!(certificates.contains(&last));
}

#[tokio::test]
async fn the_digest_does_not_depend_on_chunks_or_order() {
    let mut digests = Vec::new();
    for chunk in [1, 4, 1_000] {
        let real = Real::new().await;
        real.crowd(13).await;
        real.settle(chunk, new_year(1)).await;
        let certificate = real.certificate().await;
        assert_eq!(certificate.paid, 13);
        digests.push(certificate.digest);
    }
    digests.dedup();
    assert_eq!(digests.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn blocks_and_plays_in_the_middle_lose_nothing_and_double_nothing() {
    const PLAYERS: u64 = 60;
    let real = Arc::new(Real::new().await);
    let ids = real.crowd(PLAYERS).await;
    let settling = tokio::spawn({
        let real = real.clone();
        async move { real.settle(3, new_year(1)).await }
    });
    let blocking = tokio::spawn({
        let (real, ids) = (real.clone(), ids.clone());
        async move {
            for (index, id) in ids.iter().enumerate() {
                let tx = real.test.db.begin().await.unwrap();
                let player = lock_by_id_in_tx(&tx, *id).await.unwrap().unwrap();
                let status = [Status::Blocked, Status::Active][index % 2];
                set_status_in_tx(&tx, &player, status, new_year(1))
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
            }
        }
    });
    let playing = tokio::spawn({
        let (real, ids) = (real.clone(), ids.clone());
        async move {
            for id in ids {
                let player = Identity {
                    user_id: id,
                    token_epoch: 0,
                };
                real.play(&player, Feature::Dice, new_year(1)).await;
            }
        }
    });
    settling.await.unwrap();
    blocking.await.unwrap();
    playing.await.unwrap();
    // Some were blocked before their chunk; unblocked, the next run pays them.
    for id in &ids {
        let tx = real.test.db.begin().await.unwrap();
        let player = lock_by_id_in_tx(&tx, *id).await.unwrap().unwrap();
        set_status_in_tx(&tx, &player, Status::Active, new_year(2))
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    real.settle(50, new_year(2)).await;
    real.assert_paid_once(i64::try_from(PLAYERS).unwrap()).await;
}

#[tokio::test]
async fn whoever_is_blocked_or_inactive_waits_and_is_named() {
    let real = Real::new().await;
    let ids = real.crowd(4).await;
    for (id, status, blocked) in [(ids[0], "BLOCKED", 1), (ids[1], "INACTIVE", 0)] {
        let sql = format!("UPDATE `user` SET status = '{status}' WHERE id = {id}");
        real.test.execute(&sql).await;
        let sql = format!("UPDATE user_profiles SET is_blocked = {blocked} WHERE user_id = {id}");
        real.test.execute(&sql).await;
    }
    assert_eq!(real.settle(10, new_year(1)).await, 2);
    let certificate = real.certificate().await;
    assert_eq!((certificate.eligible, certificate.paid), (4, 2));
    assert_eq!(certificate.unpaid[&Reason::Blocked], 1);
    assert_eq!(certificate.unpaid[&Reason::Inactive], 1);
    assert_eq!(certificate.unpaid_points, 2 * ALL_POINTS);
    real.test
        .execute("UPDATE `user` SET status = 'ACTIVE'")
        .await;
    assert_eq!(real.settle(10, new_year(2)).await, 2);
    real.assert_paid_once(4).await;
}

#[tokio::test]
async fn closing_pays_who_may_be_paid_and_takes_the_rest() {
    let real = Real::new().await;
    let (player, idle) = (real.test.player("a").await, real.test.player("idle").await);
    real.walk(&player).await;
    real.play(&idle, Feature::Dice, at(25)).await;
    // No other opens before.
    let tx = real.test.db.begin().await.unwrap();
    let next = season(2026);
    let next_season = SeasonPass::insert_in_tx(&tx, &next, new_year(1))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let days = (next.start, next.end);
    let open = async || {
        let tx = real.test.db.begin().await.unwrap();
        let new = bridge(next_season, 2026);
        let opened = Bridges::insert_in_tx(&tx, &new, days, new_year(8)).await;
        if opened.is_ok() {
            tx.commit().await.unwrap();
        }
        opened
    };
    assert!(matches!(open().await, Err(BridgeError::Conflict)));

    let certificate = real
        .settlement
        .close(real.id, 10, new_year(8) + chrono::TimeDelta::minutes(10))
        .await
        .unwrap();
    assert_eq!(
        (certificate.state, certificate.paid),
        (BridgeState::Closed, 1)
    );
    assert_eq!(real.keys(&idle).await, (0, 0));
    let expired = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'BRIDGE_EXPIRED'";
    assert_eq!(real.test.count(expired).await, 1);
    assert_eq!(
        real.settlement
            .close(real.id, 10, new_year(9))
            .await
            .unwrap(),
        certificate
    );
    assert_eq!(real.test.count(expired).await, 1);
    assert_eq!(real.settle(10, new_year(9)).await, 0);
    real.assert_paid_once(1).await;

    let second = open().await.unwrap();
    assert_eq!(real.settlement.find(None).await.unwrap().id, second);
    let again = real.certificate().await;
    assert_eq!(again, certificate, "another bridge is not in it");
}

#[tokio::test]
async fn a_bridge_with_a_mistake_is_not_saved() {
    let real = Real::new().await;
    let days = (season(2026).start, season(2026).end);
    let save = async |new: NewBridge| {
        let tx = real.test.db.begin().await.unwrap();
        match Bridges::insert_in_tx(&tx, &new, days, at(25)).await {
            Err(BridgeError::Invalid(problems)) => problems[0].field.clone(),
            other => panic!("{other:?}"),
        }
    };
    let good = bridge(SeasonId(2), 2026);
    let mut negative = good.clone();
    negative.days[0].points = -1;
    let mut none = good.clone();
    none.days.clear();
    let outside = bridge(SeasonId(2), 2025);
    let mut greedy = good;
    greedy.keys_required = 4;
    assert_eq!(save(negative).await, "days.0.points");
    assert_eq!(save(none).await, "days");
    assert_eq!(save(outside).await, "days.0.date");
    assert_eq!(save(greedy).await, "keys_required");
}

fn operator(reason: &str) -> Actor {
    Actor {
        user_id: UserId(1),
        name: "admin-1".to_owned(),
        reason: Some(reason.to_owned()),
        request_id: "a-request".to_owned(),
    }
}

fn order(real: &Real, day_number: i64, player: Option<UserId>) -> KeyOrder {
    KeyOrder {
        bridge: Some(real.id),
        day_number,
        player: player.map(|user_id| PlayerRef {
            user_id: Some(user_id),
            external_id: None,
        }),
        inactive: Inactive::Refused,
    }
}

fn mode(dry_run: bool) -> Mode<'static> {
    match dry_run {
        true => Mode::DryRun,
        false => Mode::Do(None),
    }
}

impl Real {
    async fn give(
        &self,
        order: &KeyOrder,
        dry_run: bool,
        now: DateTime<Utc>,
    ) -> Result<KeysGiven, BridgeError> {
        let actor = operator("25일 장애");
        let desk = &self.settlement;
        // In chunks of a few, so that there are several.
        let pace = Pace {
            chunk: 3,
            ..Pace::usual()
        };
        let given = desk.give(&actor, order, mode(dry_run), pace, now).await?;
        Ok(given.result)
    }

    async fn take_back(
        &self,
        gift: GiftId,
        dry_run: bool,
        now: DateTime<Utc>,
    ) -> Result<(u64, u64), BridgeError> {
        let actor = operator("잘못 지급");
        let desk = &self.settlement;
        let taken = desk
            .revert_gift(&actor, gift, mode(dry_run), Pace::usual(), now)
            .await?
            .result;
        Ok((taken.taken, taken.kept))
    }

    /// A player who was there on some day of the bridge, as the activity log says.
    async fn was_active(&self, player: &Identity) {
        let tx = self.test.db.begin().await.unwrap();
        let locked = lock_by_id_in_tx(&tx, player.user_id).await.unwrap();
        let login = Event {
            kind: EventKind::AuthLogin,
            feature: None,
            meta: serde_json::json!({}),
        };
        EventWriter
            .write_in_tx(&tx, &locked.unwrap(), &[login], at(27))
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// So many players who were there, without a key.
    async fn active_crowd(&self, players: u64) -> Vec<Identity> {
        let mut crowd = Vec::new();
        for number in 0..players {
            let player = self.test.player(&format!("player-{number}")).await;
            self.was_active(&player).await;
            crowd.push(player);
        }
        crowd
    }

    /// Every key, and what is pending for it, is that of a stamp.
    async fn assert_keys_are_stamps(&self) {
        let odd = "SELECT COUNT(*) FROM user_profiles u LEFT JOIN \
             (SELECT s.user_id, COUNT(*) AS total, SUM(d.points) AS points \
             FROM season_pass_stamp_log s JOIN event_bridge_day d ON d.event_type = s.period_key \
             GROUP BY s.user_id) k ON k.user_id = u.user_id \
             WHERE u.event_key_count <> COALESCE(k.total, 0) \
             OR u.event_pending_points <> COALESCE(k.points, 0)";
        assert_eq!(self.test.count(odd).await, 0);
    }
}

#[tokio::test]
async fn an_operator_gives_a_key_once_to_one_or_to_all_who_were_active() {
    let real = Real::new().await;
    let (a, b) = (real.test.player("a").await, real.test.player("b").await);
    let sleeper = real.test.player("sleeper").await;
    let gone = real.test.player("gone").await;
    real.play(&a, Feature::Dice, at(25)).await;
    for player in [&a, &b, &gone] {
        real.was_active(player).await;
    }
    let sql = format!(
        "UPDATE `user` SET status = 'INACTIVE' WHERE id = {}",
        gone.user_id
    );
    real.test.execute(&sql).await;

    let all = order(&real, 1, None);
    let dry = real.give(&all, true, at(28)).await.unwrap();
    assert_eq!((dry.given, dry.had, dry.points), (1, 1, 1_000));
    assert_eq!((dry.gift, real.keys(&b).await), (None, (0, 0)));
    let given = real.give(&all, false, at(28)).await.unwrap();
    assert_eq!((given.given, given.had, given.points), (1, 1, 1_000));
    assert_eq!(real.keys(&b).await, (1, 1_000));
    assert_eq!(given.given_now, 1);
    // An answer that was lost: the same order is the same gift, and gives nothing more.
    let again = real.give(&all, false, at(28)).await.unwrap();
    assert_eq!((again.given, again.given_now, again.had), (1, 0, 1));
    assert_eq!(again.gift, given.gift);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action LIKE 'BRIDGE_KEYS%'";
    assert_eq!(real.test.count(told).await, 2);
    assert_eq!(real.keys(&sleeper).await, (0, 0));
    assert_eq!(
        real.keys(&gone).await,
        (0, 0),
        "nobody gives to whom was deleted"
    );

    let one = order(&real, 2, Some(sleeper.user_id));
    assert_eq!(real.give(&one, true, at(28)).await.unwrap().given, 1);
    assert_eq!(real.give(&one, false, at(28)).await.unwrap().given, 1);
    assert_eq!(real.keys(&sleeper).await, (1, 2_000));
    let had = real.give(&one, false, at(28)).await.unwrap();
    assert_eq!((had.given, had.had, had.points), (0, 1, 0));
    let deleted = order(&real, 2, Some(gone.user_id));
    for dry_run in [true, false] {
        let refused = real.give(&deleted, dry_run, at(28)).await;
        let inactive = matches!(
            refused,
            Err(BridgeError::Recipient(RecipientError::Inactive))
        );
        assert!(inactive, "{refused:?}");
    }
    let forced = KeyOrder {
        inactive: Inactive::Reached,
        ..deleted
    };
    assert_eq!(real.give(&forced, false, at(28)).await.unwrap().given, 1);
    let nobody = order(&real, 2, Some(UserId(999_999)));
    assert!(matches!(
        real.give(&nobody, false, at(28)).await,
        Err(BridgeError::Player(ResolveError::Unknown))
    ));
    let invalid = async |order: &KeyOrder, reason: &str, now| {
        let actor = operator(reason);
        let given = real
            .settlement
            .give(&actor, order, Mode::Do(None), Pace::usual(), now)
            .await;
        match given {
            Err(BridgeError::Invalid(problems)) => problems[0].field.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(invalid(&order(&real, 8, None), "x", at(28)).await, "day");
    assert_eq!(invalid(&one, " ", at(28)).await, "reason");
    assert_eq!(invalid(&one, &"긴".repeat(192), at(28)).await, "reason");
    // Its players could not earn it any more.
    let just_before = at(26) - chrono::TimeDelta::microseconds(1);
    for to_come in [one.clone(), order(&real, 2, None)] {
        assert_eq!(invalid(&to_come, "x", just_before).await, "day");
    }
    real.give(&order(&real, 2, Some(a.user_id)), false, at(26))
        .await
        .unwrap();
    let ten_past = new_year(8) + chrono::TimeDelta::minutes(10);
    real.settlement.close(real.id, 10, ten_past).await.unwrap();
    assert!(matches!(
        real.give(&one, false, ten_past).await,
        Err(BridgeError::Closed)
    ));
}

#[tokio::test]
async fn a_gift_that_was_a_mistake_is_taken_back_from_those_whom_it_gave_a_key() {
    let real = Real::new().await;
    let earned = real.test.player("earned").await;
    real.was_active(&earned).await;
    real.play(&earned, Feature::Dice, at(25)).await;
    let crowd = real.active_crowd(5).await;
    let by_hand = order(&real, 1, Some(crowd[0].user_id));
    let by_hand = real.give(&by_hand, false, at(27)).await.unwrap();
    let given = real.give(&order(&real, 1, None), false, at(27)).await;
    let given = given.unwrap();
    assert_eq!((given.given, given.had), (4, 2));
    let gift = given.gift.unwrap();
    assert_eq!(real.take_back(gift, true, at(27)).await.unwrap(), (4, 0));
    assert_eq!(real.keys(&crowd[1]).await, (1, 1_000));
    assert_eq!(real.take_back(gift, false, at(27)).await.unwrap(), (4, 0));
    assert_eq!(
        real.take_back(gift, false, at(27)).await.unwrap(),
        (4, 0),
        "twice"
    );
    assert_eq!(real.keys(&earned).await, (1, 1_000));
    assert_eq!(
        real.keys(&crowd[0]).await,
        (1, 1_000),
        "that was another gift"
    );
    for player in &crowd[1..] {
        assert_eq!(real.keys(player).await, (0, 0));
    }
    real.assert_keys_are_stamps().await;
    let taken = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'BRIDGE_KEY_TAKEN'";
    assert_eq!(real.test.count(taken).await, 4);
    for (action, times) in [
        ("BRIDGE_KEYS_BEGIN", 1),
        ("BRIDGE_KEYS", 1),
        ("BRIDGE_KEYS_REVERT_BEGIN", 1),
        ("BRIDGE_KEYS_REVERT", 1),
    ] {
        let sql = format!("SELECT COUNT(*) FROM admin_audit_log WHERE action = '{action}'");
        assert_eq!(real.test.count(&sql).await, times, "{action}");
    }
    // Given again it is another gift, and whoever gave the key back gets it.
    let again = real.give(&order(&real, 1, None), false, at(28)).await;
    assert_eq!(again.unwrap().given, 4);
    let by_hand = by_hand.gift.unwrap();
    assert_eq!(
        real.take_back(by_hand, false, at(28)).await.unwrap(),
        (1, 0)
    );
    real.assert_keys_are_stamps().await;
    assert!(matches!(
        real.take_back(GiftId(999), false, at(28)).await,
        Err(BridgeError::UnknownGift)
    ));
    let page = real
        .settlement
        .gifts(Limit::clamped(10), None)
        .await
        .unwrap();
    let states = page
        .items
        .iter()
        .map(|item| (item.gift.state, item.tally.taken));
    let expected = [
        (GiftState::Done, 0),
        (GiftState::Reverted, 4),
        (GiftState::Reverted, 1),
    ];
    assert_eq!(states.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_key_that_was_paid_for_or_has_expired_is_not_taken_back() {
    let real = Real::new().await;
    real.test
        .execute("UPDATE event_bridge SET keys_required = 2")
        .await;
    let crowd = real.active_crowd(3).await;
    real.play(&crowd[0], Feature::Dice, at(25)).await;
    let gift = real.give(&order(&real, 2, None), false, at(28)).await;
    let gift = gift.unwrap().gift.unwrap();
    assert_eq!(real.settle(10, new_year(1)).await, 1);
    assert_eq!(
        real.take_back(gift, true, new_year(2)).await.unwrap(),
        (2, 1)
    );
    let ten_past = new_year(8) + chrono::TimeDelta::minutes(10);
    real.settlement.close(real.id, 10, ten_past).await.unwrap();
    assert_eq!(real.take_back(gift, true, ten_past).await.unwrap(), (0, 3));
    assert_eq!(real.take_back(gift, false, ten_past).await.unwrap(), (0, 3));
    let stamps = "SELECT COUNT(*) FROM season_pass_stamp_log WHERE period_key = 'KEY_DAY_2'";
    assert_eq!(real.test.count(stamps).await, 3);
    let paid = "SELECT SUM(delta) FROM wallet_ledger WHERE reason = 'BRIDGE'";
    assert_eq!(real.test.count(paid).await, 3_000);
}

#[tokio::test]
async fn a_key_that_was_given_on_its_day_and_then_earned_is_not_taken_back() {
    let real = Real::new().await;
    let (player, idle) = (real.test.player("a").await, real.test.player("idle").await);
    let one = order(&real, 1, Some(player.user_id));
    let gift = real.give(&one, false, at(25)).await.unwrap().gift.unwrap();
    let again = real.give(&one, false, at(25)).await.unwrap();
    assert_eq!((again.gift, again.given, again.had), (Some(gift), 0, 1));
    let other = order(&real, 1, Some(idle.user_id));
    let other = real
        .give(&other, false, at(25))
        .await
        .unwrap()
        .gift
        .unwrap();
    for _ in 0..2 {
        real.play(&player, Feature::Dice, at(25)).await;
    }
    assert_eq!(real.keys(&player).await, (1, 1_000));
    assert_eq!(real.take_back(gift, true, at(25)).await.unwrap(), (0, 0));
    assert_eq!(real.take_back(gift, false, at(25)).await.unwrap(), (0, 0));
    assert_eq!(real.keys(&player).await, (1, 1_000), "it was earned");
    let page = real
        .settlement
        .gifts(Limit::clamped(10), None)
        .await
        .unwrap();
    let earned = page
        .items
        .iter()
        .map(|item| (item.gift.id, item.tally.earned));
    assert_eq!(earned.collect::<Vec<_>>(), [(other, 0), (gift, 1)]);

    // Taken back before, it may be earned as by anybody.
    assert_eq!(real.take_back(other, false, at(25)).await.unwrap(), (1, 0));
    assert_eq!(real.keys(&idle).await, (0, 0));
    real.play(&idle, Feature::Dice, at(25)).await;
    assert_eq!(real.keys(&idle).await, (1, 1_000));
    assert_eq!(
        real.take_back(other, false, at(25)).await.unwrap(),
        (1, 0),
        "twice"
    );
    assert_eq!(real.keys(&idle).await, (1, 1_000));
    // Also a mission of several parts, some of them done before the gift.
    real.play(&idle, Feature::Lottery, at(27)).await;
    let parts = order(&real, 3, Some(idle.user_id));
    let parts = real
        .give(&parts, false, at(27))
        .await
        .unwrap()
        .gift
        .unwrap();
    for game in [Feature::Roulette, Feature::Dice] {
        real.play(&idle, game, at(27)).await;
    }
    assert_eq!(real.take_back(parts, false, at(27)).await.unwrap(), (0, 0));
    assert_eq!(real.keys(&idle).await, (2, 4_000));
    real.assert_keys_are_stamps().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_gift_to_all_that_is_cut_off_goes_on_and_two_at_once_give_each_key_once() {
    let real = Arc::new(Real::new().await);
    let crowd = real.active_crowd(30).await;
    // What a process has left behind that was killed after some chunks.
    let some = order(&real, 1, None);
    let half: Vec<UserId> = crowd[15..].iter().map(|player| player.user_id).collect();
    let ids = half.iter().map(ToString::to_string).collect::<Vec<_>>();
    let ids = ids.join(", ");
    let hide = format!("UPDATE `user` SET role = 'ADMIN' WHERE id IN ({ids})");
    real.test.execute(&hide).await;
    let first = real.give(&some, false, at(28)).await.unwrap();
    assert_eq!(first.given, 15);
    let reopen = "UPDATE event_bridge_gift SET state = 'OPEN', finished_at = NULL";
    real.test.execute(reopen).await;
    let show = format!("UPDATE `user` SET role = 'PLAYER' WHERE id IN ({ids})");
    real.test.execute(&show).await;
    let runs = (0..4).map(|_| {
        let (real, some) = (real.clone(), some.clone());
        tokio::spawn(async move { real.give(&some, false, at(28)).await.unwrap() })
    });
    for run in runs.collect::<Vec<_>>() {
        let run = run.await.unwrap();
        assert_eq!((run.given, run.gift), (30, first.gift), "{run:?}");
    }
    for player in &crowd {
        assert_eq!(real.keys(player).await, (1, 1_000));
    }
    let given = "SELECT COUNT(*) FROM event_bridge_gift_key WHERE state = 'GIVEN'";
    assert_eq!(real.test.count(given).await, 30);
    real.assert_keys_are_stamps().await;
}

/// A gift in two chunks, between which something happens.
async fn give_with_a_pause(real: &Real, meanwhile: &str) -> Result<KeysGiven, BridgeError> {
    let pause = |_| {
        let meanwhile = real.test.execute(meanwhile);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(meanwhile));
    };
    let pace = Pace {
        chunk: 2,
        progress: &pause,
    };
    let (actor, order) = (operator("25일 장애"), order(real, 1, None));
    let given = real
        .settlement
        .give(&actor, &order, Mode::Do(None), pace, at(28));
    Ok(given.await?.result)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_whose_day_or_bridge_changes_in_the_middle_stops_there() {
    let real = Real::new().await;
    real.active_crowd(4).await;
    for meanwhile in [
        "UPDATE event_bridge_day SET points = 7 WHERE day_number = 1",
        "UPDATE event_bridge_day SET event_day = '2025-12-29', points = 1000 WHERE day_number = 1",
    ] {
        match give_with_a_pause(&real, meanwhile).await {
            Err(BridgeError::Invalid(problems)) => assert_eq!(problems[0].field, "day"),
            other => panic!("{other:?}"),
        }
    }
    let keys = "SELECT COUNT(*) FROM season_pass_stamp_log";
    assert_eq!(real.test.count(keys).await, 2, "those of the first chunk");
    let back = "UPDATE event_bridge_day SET event_day = '2025-12-25' WHERE day_number = 1";
    real.test.execute(back).await;
    let closing = "UPDATE event_bridge SET closing_at = created_at";
    let order = order(&real, 1, None);
    let given = real.give(&order, true, at(28)).await.unwrap();
    assert_eq!((given.given, given.had), (2, 2));
    real.test.execute(closing).await;
    let stopped = real.give(&order, false, at(28)).await;
    assert!(matches!(stopped, Err(BridgeError::Closed)));
    assert_eq!(real.test.count(keys).await, 2);
    let gift = GiftId(
        real.test
            .count("SELECT MIN(id) FROM event_bridge_gift")
            .await,
    );
    assert_eq!(real.take_back(gift, true, at(28)).await.unwrap(), (0, 2));
    assert_eq!(real.take_back(gift, false, at(28)).await.unwrap(), (0, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_in_whose_middle_the_closing_begins_ends_there() {
    let real = Real::new().await;
    let crowd = real.active_crowd(4).await;
    let closing = "UPDATE event_bridge SET closing_at = created_at";
    let stopped = give_with_a_pause(&real, closing).await;
    assert!(matches!(stopped, Err(BridgeError::Closed)), "{stopped:?}");
    for (sql, count) in [
        ("SELECT COUNT(*) FROM season_pass_stamp_log", 2),
        ("SELECT COUNT(*) FROM event_bridge_gift_key", 2),
        (
            "SELECT COUNT(*) FROM event_bridge_gift WHERE state = 'DONE'",
            1,
        ),
        (
            "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'BRIDGE_KEYS'",
            1,
        ),
    ] {
        assert_eq!(real.test.count(sql).await, count, "{sql}");
    }
    // Nor is there a key for one.
    let one = order(&real, 1, Some(crowd[3].user_id));
    let refused = real.give(&one, false, at(28)).await;
    assert!(matches!(refused, Err(BridgeError::Closed)));
    assert_eq!(real.keys(&crowd[3]).await, (0, 0));
}

#[tokio::test]
async fn whoever_only_got_something_was_not_there() {
    let real = Real::new().await;
    let sleeper = real.test.player("sleeper").await;
    // Within the days of the bridge, as somebody's being there would be.
    let one = order(&real, 1, Some(sleeper.user_id));
    real.give(&one, false, at(27)).await.unwrap();
    let all = real.give(&order(&real, 2, None), false, at(27)).await;
    assert_eq!(all.unwrap().given, 0);
    assert_eq!(real.keys(&sleeper).await, (1, 1_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_whose_day_was_just_moved_freezes_nothing() {
    let real = Real::new().await;
    // The edit commits when the run has just found the bridge due.
    let moved = "UPDATE event_bridge SET settle_on = '2026-01-02'";
    let mut db = real.test.db.clone();
    let (other, is_moved) = (real.test.db.clone(), Arc::new(AtomicBool::new(false)));
    db.observe_statements(move |Executed { sql, .. }| {
        if sql.starts_with("SELECT")
            && sql.contains("event_bridge_day")
            && !is_moved.swap(true, Ordering::SeqCst)
        {
            let moving = async {
                let tx = other.begin().await.unwrap();
                sea_orm::ConnectionTrait::execute_unprepared(&*tx, moved)
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
            };
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(moving));
        }
    });
    let (_, settlement) = settlement(&db);
    let settled = settlement.settle(real.id, 10, new_year(1), &|_| ()).await;
    assert!(matches!(settled, Err(BridgeError::NotDue)));
    let bridge = real.settlement.find(None).await.unwrap();
    assert_eq!(bridge.state, BridgeState::Open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_gift_that_is_taken_back_while_it_is_given_leaves_no_key_behind() {
    for round in 0..5 {
        let real = Arc::new(Real::new().await);
        let crowd = real.active_crowd(20).await;
        let open = "INSERT INTO event_bridge_gift (bridge_id, day_number, event_type, points, state, \
            reason, actor, created_at) SELECT id, 1, 'KEY_DAY_1', 1000, 'OPEN', '25일 장애', 'admin-1', \
            created_at FROM event_bridge";
        real.test.execute(open).await;
        let gift = GiftId(real.test.count("SELECT id FROM event_bridge_gift").await);
        let giving = tokio::spawn({
            let real = real.clone();
            async move { real.give(&order(&real, 1, None), false, at(28)).await }
        });
        let taking = tokio::spawn({
            let real = real.clone();
            async move { real.take_back(gift, false, at(28)).await }
        });
        taking.await.unwrap().unwrap();
        let given = giving.await.unwrap();
        real.assert_keys_are_stamps().await;
        let left = match given {
            // It was stopped, or all of it was given and taken back.
            Err(BridgeError::GiftReverted) => 0,
            Ok(given) if given.gift == Some(gift) => 0,
            // It was taken back before this run began, which so was another gift.
            Ok(_) => 1,
            Err(error) => panic!("{error:?}"),
        };
        for player in &crowd {
            assert_eq!(real.keys(player).await.0, left, "round {round}");
        }
    }
}

#[tokio::test]
async fn whoever_has_been_paid_gets_no_key_that_nobody_would_pay_for() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    real.test
        .execute("UPDATE event_bridge SET keys_required = 2")
        .await;
    real.play(&player, Feature::Dice, at(25)).await;
    real.act(
        &player,
        EventKind::SeasonPassStamp,
        Feature::SeasonPass,
        at(26),
    )
    .await;
    assert_eq!(real.settle(10, new_year(1)).await, 1);
    let late = order(&real, 3, Some(player.user_id));
    let given = real.give(&late, true, new_year(2)).await;
    assert_eq!(given.unwrap().given, 0);
    let given = real.give(&late, false, new_year(2)).await;
    assert_eq!(given.unwrap().given, 0);
    assert_eq!(real.keys(&player).await, (0, 0));
}

#[tokio::test]
async fn keys_that_appear_after_the_payment_pay_nobody_twice_and_stop_nobody() {
    let real = Real::new().await;
    real.crowd(3).await;
    assert_eq!(real.settle(10, new_year(1)).await, 3);
    // By hand, past every service.
    let again = format!(
        "UPDATE user_profiles SET event_key_count = 3, event_pending_points = {ALL_POINTS} \
         WHERE user_id = (SELECT MIN(id) FROM `user`)"
    );
    real.test.execute(&again).await;
    assert_eq!(real.settle(10, new_year(2)).await, 0);
    let paid = "SELECT SUM(delta) FROM wallet_ledger WHERE reason = 'BRIDGE'";
    assert_eq!(real.test.count(paid).await, 3 * ALL_POINTS);
    let late = real.test.player("late").await.user_id;
    let keys = format!(
        "UPDATE user_profiles SET event_key_count = 3, event_pending_points = {ALL_POINTS} \
         WHERE user_id = {late}"
    );
    real.test.execute(&keys).await;
    assert_eq!(
        real.settle(10, new_year(3)).await,
        1,
        "who comes after them is paid"
    );
}

#[tokio::test]
async fn an_action_of_the_last_day_that_ends_after_a_settlement_began_is_paid_by_the_next() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    real.play(&player, Feature::Dice, at(25)).await;
    let stamp = EventKind::SeasonPassStamp;
    real.act(&player, stamp, Feature::SeasonPass, at(26)).await;
    assert_eq!(real.settle(10, new_year(1)).await, 0);
    let replica = Arc::new(SeasonStamps);
    let real = Real {
        awarder: KeyAwarder::new(real.test.db.clone(), replica),
        ..real
    };
    for game in [Feature::Lottery, Feature::Roulette, Feature::Dice] {
        real.play(&player, game, at(27)).await;
    }
    assert_eq!(real.settle(10, new_year(1)).await, 1);
    real.assert_paid_once(1).await;
}

#[tokio::test]
async fn a_season_that_was_switched_off_does_not_hold_up_the_closing() {
    let real = Real::new().await;
    real.test
        .execute("UPDATE season_pass_config SET is_active = 0")
        .await;
    real.settle(10, new_year(2)).await;
    let due = real.settlement.due(new_year(9)).await.unwrap();
    assert_eq!(due, Some(Due::Close(real.id)));
}

#[tokio::test]
async fn an_admin_is_not_paid() {
    let real = Real::new().await;
    real.crowd(2).await;
    real.test
        .execute("UPDATE `user` SET role = 'ADMIN' WHERE external_id = 'player-0'")
        .await;
    assert_eq!(real.settle(10, new_year(1)).await, 1);
    assert_eq!(real.certificate().await.eligible, 1);
}

/// Whether a player was paid by the bridge, all keys and once.
async fn is_paid(real: &Real, player: UserId) -> bool {
    let paid = format!(
        "SELECT COALESCE(SUM(delta), 0) FROM wallet_ledger WHERE reason = 'BRIDGE' AND user_id = {player}"
    );
    let paid = real.test.count(&paid).await;
    assert!([0, ALL_POINTS].contains(&paid), "{paid}");
    paid == ALL_POINTS
}

async fn assert_nothing_is_left(real: &Real) {
    let left = "SELECT COUNT(*) FROM user_profiles WHERE event_key_count <> 0 \
        OR event_pending_points <> 0";
    assert_eq!(real.test.count(left).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_that_was_given_while_the_bridge_was_closed_is_paid_for() {
    let closing_time = new_year(8) + chrono::TimeDelta::minutes(10);
    for to_all in [false, true, false] {
        let real = Arc::new(Real::new().await);
        let crowd = real.active_crowd(40).await;
        // All but the key of the second day.
        for day in [1, 3] {
            let all = order(&real, day, None);
            real.give(&all, false, at(28)).await.unwrap();
        }
        let giving = tokio::spawn({
            let (real, crowd) = (real.clone(), crowd.clone());
            async move {
                let mut given = Vec::new();
                if to_all {
                    // Refused as a whole, cut off by the closing, or all of it before.
                    let all = real.give(&order(&real, 2, None), false, closing_time).await;
                    match all {
                        Ok(all) => assert_eq!(all.given, 40),
                        Err(BridgeError::Closed) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                    return given;
                }
                for player in crowd {
                    let one = order(&real, 2, Some(player.user_id));
                    match real.give(&one, false, closing_time).await {
                        Ok(one) if one.given == 1 => given.push(player.user_id),
                        Ok(_) | Err(BridgeError::Closed) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
                given
            }
        });
        let closing = tokio::spawn({
            let real = real.clone();
            async move { real.settlement.close(real.id, 1, closing_time).await }
        });
        closing.await.unwrap().unwrap();
        let mut given = giving.await.unwrap();
        let open = "SELECT COUNT(*) FROM event_bridge_gift WHERE state = 'OPEN'";
        assert_eq!(real.test.count(open).await, 0, "nobody could go on with it");
        if to_all {
            let sql = "SELECT k.user_id FROM event_bridge_gift_key k JOIN event_bridge_gift g \
                ON g.id = k.gift_id WHERE g.day_number = 2 AND k.user_id = ";
            for player in &crowd {
                let has = format!("SELECT COUNT(*) FROM ({sql}{}) AS g", player.user_id);
                if real.test.count(&has).await == 1 {
                    given.push(player.user_id);
                }
            }
        }
        for player in &crowd {
            let has_all = given.contains(&player.user_id);
            assert_eq!(is_paid(&real, player.user_id).await, has_all);
        }
        assert_nothing_is_left(&real).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_let_back_in_when_the_closing_has_just_begun_is_paid() {
    let real = Arc::new(Real::new().await);
    let ids = real.crowd(3).await;
    real.test
        .execute("UPDATE `user` SET status = 'BLOCKED'")
        .await;
    let mut db = real.test.db.clone();
    let has_begun = Arc::new(AtomicBool::new(false));
    let unblocked = Arc::new(AtomicBool::new(false));
    let (other, id) = (real.clone(), ids[1]);
    db.observe_statements(move |Executed { sql, .. }| {
        if sql.starts_with("UPDATE") && sql.contains("closing_at") {
            has_begun.store(true, Ordering::SeqCst);
        } else if sql.starts_with("SELECT")
            && has_begun.load(Ordering::SeqCst)
            && !unblocked.swap(true, Ordering::SeqCst)
        {
            let unblock = format!("UPDATE `user` SET status = 'ACTIVE' WHERE id = {id}");
            let unblock = other.test.execute(&unblock);
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(unblock));
        }
    });
    let (_, settlement) = settlement(&db);
    let closing_time = new_year(8) + chrono::TimeDelta::minutes(10);
    let certificate = settlement.close(real.id, 10, closing_time).await.unwrap();
    assert_eq!(certificate.paid, 1);
    for (id, paid) in ids.into_iter().zip([false, true, false]) {
        assert_eq!(is_paid(&real, id).await, paid);
    }
    assert_nothing_is_left(&real).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_is_let_back_in_before_the_closing_takes_their_keys_is_paid() {
    let closing_time = new_year(8) + chrono::TimeDelta::minutes(10);
    for _ in 0..3 {
        let real = Arc::new(Real::new().await);
        let ids = real.crowd(60).await;
        let blocked = "UPDATE `user` SET status = 'BLOCKED'";
        real.test.execute(blocked).await;
        let unblocking = tokio::spawn({
            let (real, ids) = (real.clone(), ids.clone());
            async move {
                let mut in_time = Vec::new();
                for id in ids {
                    let tx = real.test.db.begin().await.unwrap();
                    let player = lock_by_id_in_tx(&tx, id).await.unwrap().unwrap();
                    let standing = key_standing(&*tx, id).await.unwrap().unwrap();
                    set_status_in_tx(&tx, &player, Status::Active, closing_time)
                        .await
                        .unwrap();
                    tx.commit().await.unwrap();
                    if standing.keys == 3 {
                        in_time.push(id);
                    }
                }
                in_time
            }
        });
        let closing = tokio::spawn({
            let real = real.clone();
            async move { real.settlement.close(real.id, 1, closing_time).await }
        });
        let certificate = closing.await.unwrap().unwrap();
        let in_time = unblocking.await.unwrap();
        for id in ids {
            assert_eq!(is_paid(&real, id).await, in_time.contains(&id));
        }
        assert_eq!(certificate.paid, in_time.len() as u64);
        assert_nothing_is_left(&real).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_that_stood_still_until_the_bridge_was_closed_touches_no_key_of_the_next() {
    let real = Real::new().await;
    let ids = real.crowd(2).await;
    let stand_still = |_| {
        let close = "UPDATE event_bridge SET closed_at = created_at, closing_at = created_at, \
            open_slot = NULL, state = 'CLOSED'";
        let closing = real.test.execute(close);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(closing));
    };
    let settled = real
        .settlement
        .settle(real.id, 1, new_year(1), &stand_still);
    assert_eq!(settled.await.unwrap().paid, 1);
    assert!(is_paid(&real, ids[0]).await && !is_paid(&real, ids[1]).await);
    let waiting = "SELECT COUNT(*) FROM user_profiles WHERE event_key_count = 3";
    assert_eq!(real.test.count(waiting).await, 1);
}

#[tokio::test]
async fn what_is_due_follows_the_clock() {
    let real = Real::new().await;
    let due = async |now| real.settlement.due(now).await.unwrap();
    let minutes = chrono::TimeDelta::minutes;
    assert_eq!(due(at(31)).await, None);
    assert_eq!(due(new_year(1) - minutes(61)).await, None);
    assert_eq!(
        due(new_year(1) - minutes(60)).await,
        Some(Due::Precheck(real.id))
    );
    let noted = real.settlement.note_precheck(real.id, at(31)).await;
    assert!(noted.unwrap());
    let noted = real.settlement.note_precheck(real.id, at(31)).await;
    assert!(!noted.unwrap(), "once");
    assert_eq!(due(new_year(1) - minutes(1)).await, None);
    assert_eq!(due(new_year(1) + minutes(9)).await, None);
    assert_eq!(
        due(new_year(1) + minutes(10)).await,
        Some(Due::Settle(real.id))
    );
    // By hand before its time, it runs by itself all the same.
    real.settle(10, new_year(1) + minutes(5)).await;
    assert_eq!(
        due(new_year(1) + minutes(10)).await,
        Some(Due::Settle(real.id))
    );
    // The service was down for days.
    assert_eq!(due(new_year(5)).await, Some(Due::Settle(real.id)));
    let hold = |auto: i64| format!("UPDATE event_bridge SET auto_settle = {auto}");
    real.test.execute(&hold(0)).await;
    assert_eq!(due(new_year(5)).await, None, "held");
    assert_eq!(due(new_year(20)).await, None, "nor closed");
    real.test.execute(&hold(1)).await;
    real.settle(10, new_year(5)).await;
    assert_eq!(due(new_year(5)).await, None);
    assert_eq!(due(new_year(8) - minutes(1)).await, None);
    assert_eq!(due(new_year(8)).await, Some(Due::Close(real.id)));
    real.settlement
        .close(real.id, 10, new_year(8) + chrono::TimeDelta::minutes(10))
        .await
        .unwrap();
    assert_eq!(due(new_year(9)).await, None);
}

#[tokio::test]
async fn a_settlement_that_is_moved_is_checked_again_the_evening_before() {
    let real = Real::new().await;
    let minute = chrono::TimeDelta::minutes(1);
    // In whose name it is edited.
    real.test.player("admin-1").await;
    let noted = real.settlement.note_precheck(real.id, at(31)).await;
    assert!(noted.unwrap());
    let save = async |settle_on: u32| {
        let edit = BridgeEdit {
            settle_on: EventDay::from_ymd(2026, 1, settle_on),
            auto_settle: Some(settle_on != 1),
            ..BridgeEdit::default()
        };
        let saved = real.settlement.save(&operator("x"), &edit, at(31)).await;
        saved.unwrap();
    };
    save(1).await;
    assert_eq!(
        real.settlement.due(new_year(1) - minute).await.unwrap(),
        None
    );
    save(2).await;
    assert_eq!(
        real.settlement.due(new_year(2) - minute).await.unwrap(),
        Some(Due::Precheck(real.id))
    );
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_is_given_back() {
    let real = Real::new().await;
    let take = async |holder: &str, seconds| {
        let lifetime = std::time::Duration::from_secs(seconds);
        Lease::take(&real.test.db, "bridge:1", holder, lifetime)
            .await
            .unwrap()
    };
    let first = take("a", 600).await.unwrap();
    assert!(take("b", 600).await.is_none());
    assert!(take("a", 600).await.is_some(), "renewed");
    first.give_back(&real.test.db).await.unwrap();
    assert!(take("b", 0).await.is_some());
    // It has ended by itself.
    assert!(take("a", 600).await.is_some());
}
