//! Keys and settlements on a database: once, whoever asks and however often.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use std::sync::{Arc, Mutex};

use xmas_activity::{Activities, ActivityLog, ActivityObserver, Event, EventKind, EventWriter};
use xmas_event_bridge::{
    BridgeDay, BridgeError, BridgeService, BridgeState, Bridges, Certificate, Due, KeyAwarder,
    KeyGift, Mission, NewBridge, Reason, Settlement, SettlementOptions, SettlementService,
    SlotState,
};
use xmas_features::fake::FakeFeatures;
use xmas_kernel::{
    BridgeId, Feature, SeasonId, UserId, db::Db, entropy::OsEntropy, lease::Lease, seal::DataKey,
};
use xmas_players::{Identity, Status, lock_by_id_in_tx, set_status_in_tx};
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
        pages: Arc::new(Activities::new(db.clone(), log.clone())),
        activity: log.clone(),
        mover: SeasonMover::new(ledger.clone(), log),
    });
    let awarder = KeyAwarder::new(Arc::new(SeasonStamps));
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
        observed.await.unwrap();
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
async fn a_key_costs_three_statements_and_none_once_the_day_has_it() {
    let real = Real::new().await;
    let player = real.test.player("a").await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut db = real.test.db.clone();
    let log = seen.clone();
    db.observe_statements(move |sql| log.lock().unwrap().push(sql.to_owned()));
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
    // The key; nothing; read and note a part, twice; read and the key; nothing.
    assert_eq!(counts, [3, 0, 2, 2, 4, 0]);
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
    let early = real.settlement.close(real.id, 10, just_before).await;
    assert!(matches!(early, Err(BridgeError::NotDue)));
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
        .close(real.id, 10, new_year(8))
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
    assert_eq!(save(negative).await, "days.points");
    assert_eq!(save(none).await, "days");
    assert_eq!(save(outside).await, "days.date");
    assert_eq!(save(greedy).await, "keys_required");
}

fn gift(real: &Real, day_number: i64, player: Option<UserId>) -> KeyGift {
    KeyGift {
        bridge: real.id,
        day_number,
        player,
        actor: "admin-1".to_owned(),
        reason: "25일 장애".to_owned(),
    }
}

#[tokio::test]
async fn an_operator_gives_a_key_once_to_one_or_to_all_who_were_active() {
    let real = Real::new().await;
    let (a, b) = (real.test.player("a").await, real.test.player("b").await);
    let sleeper = real.test.player("sleeper").await;
    real.play(&a, Feature::Dice, at(25)).await;
    // Active on another day of the bridge, but without a key.
    let tx = real.test.db.begin().await.unwrap();
    let locked = lock_by_id_in_tx(&tx, b.user_id).await.unwrap().unwrap();
    let login = Event {
        kind: EventKind::AuthLogin,
        feature: None,
        meta: serde_json::json!({}),
    };
    EventWriter
        .write_in_tx(&tx, &locked, &[login], at(27))
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let all = gift(&real, 1, None);
    let give = async |gift: &KeyGift, dry| real.settlement.give_key(gift, dry, at(28)).await;
    let dry = give(&all, true).await.unwrap();
    assert_eq!((dry.given, dry.had, dry.points), (1, 1, 1_000));
    assert_eq!(real.keys(&b).await, (0, 0));
    assert_eq!(give(&all, false).await.unwrap(), dry);
    assert_eq!(real.keys(&b).await, (1, 1_000));
    let again = give(&all, false).await.unwrap();
    assert_eq!((again.given, again.had), (0, 2));
    assert_eq!(real.keys(&sleeper).await, (0, 0));

    let one = gift(&real, 2, Some(sleeper.user_id));
    assert_eq!(give(&one, false).await.unwrap().given, 1);
    assert_eq!(real.keys(&sleeper).await, (1, 2_000));
    let nobody = gift(&real, 2, Some(UserId(999_999)));
    assert!(matches!(
        give(&nobody, false).await,
        Err(BridgeError::UnknownPlayer)
    ));
    let no_day = gift(&real, 8, None);
    assert!(matches!(
        give(&no_day, false).await,
        Err(BridgeError::Invalid(_))
    ));
    let silent = KeyGift {
        reason: " ".to_owned(),
        ..one.clone()
    };
    assert!(matches!(
        give(&silent, false).await,
        Err(BridgeError::Invalid(_))
    ));
    real.settlement
        .close(real.id, 10, new_year(8))
        .await
        .unwrap();
    assert!(matches!(give(&one, false).await, Err(BridgeError::Closed)));
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
    let late = gift(&real, 3, Some(player.user_id));
    let given = real.settlement.give_key(&late, true, new_year(2)).await;
    assert_eq!(given.unwrap().given, 0);
    let given = real.settlement.give_key(&late, false, new_year(2)).await;
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
        awarder: KeyAwarder::new(replica),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_gift_that_races_with_the_closing_leaves_nothing_behind() {
    let real = Arc::new(Real::new().await);
    let mut players = Vec::new();
    for number in 0..40 {
        let player = real.test.player(&format!("player-{number}")).await;
        real.play(&player, Feature::Dice, at(25)).await;
        players.push(player);
    }
    let giving = tokio::spawn({
        let real = real.clone();
        async move {
            let all = gift(&real, 2, None);
            real.settlement.give_key(&all, false, new_year(8)).await
        }
    });
    let closing = tokio::spawn({
        let real = real.clone();
        async move { real.settlement.close(real.id, 3, new_year(8)).await }
    });
    closing.await.unwrap().unwrap();
    // Refused as a whole, or for those who came too late.
    match giving.await.unwrap() {
        Ok(_) | Err(BridgeError::Closed) => {}
        Err(error) => panic!("{error:?}"),
    }
    let left = "SELECT COUNT(*) FROM user_profiles WHERE event_key_count <> 0 \
        OR event_pending_points <> 0";
    assert_eq!(real.test.count(left).await, 0);
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
        .close(real.id, 10, new_year(8))
        .await
        .unwrap();
    assert_eq!(due(new_year(9)).await, None);
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
