//! The contract of [`ActivityService`], held by the fake and by the real service.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use serde_json::json;
use uuid::Uuid;
use xmas_activity::{
    Activities, ActivityError, ActivityLog, ActivityObserver, ActivityService, ClientEvent,
    ClientEventKind, Event, EventKind, RecordCommand, fake::FakeActivities,
};
use xmas_kernel::{Feature, UserId, db::DbError, idempotency::RequestKey};
use xmas_players::{AccessError, Identity, LockedPlayer, lock_in_tx};
use xmas_test_support::TestDb;
use xmas_time::{DateTime, EventDay, Kst, Utc};

fn instant(day: u32) -> DateTime<Utc> {
    EventDay::from_ymd(2025, 12, day).unwrap().start()
}

fn report(identity: &Identity, event_id: Uuid) -> RecordCommand {
    RecordCommand {
        identity: *identity,
        request: None,
        event: ClientEvent::new(event_id, ClientEventKind::PlayDuration, Some(12), None).unwrap(),
    }
}

async fn a_repeated_report_counts_once(service: &dyn ActivityService, player: &Identity) {
    let event_id = Uuid::new_v4();
    let first = service
        .record(&report(player, event_id), instant(26))
        .await
        .unwrap();
    assert_eq!(first.result.user_id, player.user_id);
    assert_eq!(first.result.updated_at, Kst(instant(26)));
    let again = service
        .record(&report(player, event_id), instant(27))
        .await
        .unwrap();
    assert_eq!(again, first);
    let other = service
        .record(&report(player, Uuid::new_v4()), instant(27))
        .await
        .unwrap();
    assert_eq!(other.result.updated_at, Kst(instant(27)));
}

async fn look_around(service: &dyn ActivityService, player: &Identity) {
    for day in [26, 26, 27] {
        service
            .enter_page(player, Feature::Roulette, instant(day))
            .await;
    }
    service
        .enter_page(player, Feature::Ranking, instant(26))
        .await;
}

async fn a_key_repeats_the_answer(service: &dyn ActivityService, player: &Identity) {
    let request = |body: &[u8]| RequestKey::new("k", "POST", "/api/activity/record", body).ok();
    let first = RecordCommand {
        request: request(b"1"),
        ..report(player, Uuid::new_v4())
    };
    assert!(!service.record(&first, instant(26)).await.unwrap().replayed);
    assert!(service.record(&first, instant(27)).await.unwrap().replayed);
    let other = RecordCommand {
        request: request(b"2"),
        ..first
    };
    let reused = service.record(&other, instant(26)).await;
    assert!(matches!(reused, Err(ActivityError::Idempotency(_))));
}

const DIFFERENT_VIEWS: usize = 3;

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    let fake = FakeActivities::default();
    let player = Identity {
        user_id: UserId(1),
        token_epoch: 0,
    };
    a_repeated_report_counts_once(&fake, &player).await;
    a_key_repeats_the_answer(&fake, &player).await;
    look_around(&fake, &player).await;
    assert_eq!(fake.views_of(player.user_id), DIFFERENT_VIEWS);
}

#[tokio::test]
async fn the_service_keeps_the_contract() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let service = Activities::new(test.db.clone(), ActivityLog::default());
    a_repeated_report_counts_once(&service, &player).await;
    a_key_repeats_the_answer(&service, &player).await;
    look_around(&service, &player).await;
    // A replica that has seen none of it writes none of it again.
    let replica = Activities::new(test.db.clone(), ActivityLog::default());
    look_around(&replica, &player).await;
    let views = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'ENTER_PAGE'";
    assert_eq!(
        test.count(views).await,
        i64::try_from(DIFFERENT_VIEWS).unwrap()
    );
}

#[tokio::test]
async fn a_blocked_player_reports_nothing_and_their_page_view_leaves_no_row() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    test.block(&player).await;
    let service = Activities::new(test.db.clone(), ActivityLog::default());
    let refused = service
        .record(&report(&player, Uuid::new_v4()), instant(26))
        .await;
    assert!(matches!(
        refused,
        Err(ActivityError::Access(AccessError::Blocked))
    ));
    service
        .enter_page(&player, Feature::Roulette, instant(26))
        .await;
    assert_eq!(test.count("SELECT COUNT(*) FROM user_event_log").await, 0);
}

#[test]
fn a_report_s_meta_data_are_bounded() {
    let meta = |length: usize| {
        let meta = json!("x".repeat(length));
        ClientEvent::new(Uuid::nil(), ClientEventKind::EnterPage, None, Some(meta))
    };
    assert!(meta(4_000).is_ok());
    assert!(meta(4_096).is_err());
}

/// Counts what it hears, and fails if it is told to.
#[derive(Default)]
struct Listener {
    heard: AtomicUsize,
    fails: bool,
}

#[async_trait]
impl ActivityObserver for Listener {
    async fn observe_in_tx(
        &self,
        _: &sea_orm::DatabaseTransaction,
        _: &LockedPlayer,
        _: &Event,
        _: DateTime<Utc>,
    ) -> Result<Vec<Event>, DbError> {
        self.heard.fetch_add(1, Ordering::SeqCst);
        if self.fails {
            return Err(DbError::Corrupt("an observer that fails".to_owned()));
        }
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn observers_hear_of_what_concerns_them_and_of_nothing_else() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let listener = Arc::new(Listener::default());
    let log = ActivityLog::with_observers(vec![listener.clone()]);
    let tx = test.db.begin().await.unwrap();
    let locked = lock_in_tx(&tx, &player).await.unwrap();
    let event = |kind| Event {
        kind,
        feature: Some(Feature::Roulette),
        meta: json!({}),
    };
    let events = [
        event(EventKind::Play),
        event(EventKind::Result),
        event(EventKind::RewardGranted),
    ];
    for event in events {
        log.record_in_tx(&tx, &locked, event, instant(26))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(listener.heard.load(Ordering::SeqCst), 1);

    // Pages are observed, and client reports are not.
    let service = Activities::new(test.db.clone(), log);
    look_around(&service, &player).await;
    service
        .record(&report(&player, Uuid::new_v4()), instant(26))
        .await
        .unwrap();
    assert_eq!(listener.heard.load(Ordering::SeqCst), 1 + 3);
}

#[tokio::test]
async fn a_page_view_whose_observer_fails_leaves_no_row_and_is_tried_again_next_time() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let listener = Arc::new(Listener {
        fails: true,
        ..Listener::default()
    });
    let log = ActivityLog::with_observers(vec![listener.clone()]);
    let service = Activities::new(test.db.clone(), log);
    for _ in 0..2 {
        service
            .enter_page(&player, Feature::Ranking, instant(26))
            .await;
    }
    assert_eq!(listener.heard.load(Ordering::SeqCst), 2);
    assert_eq!(test.count("SELECT COUNT(*) FROM user_event_log").await, 0);
}
