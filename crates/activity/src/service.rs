use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use moka::future::Cache as Moka;
use serde_json::json;
use xmas_kernel::{
    Feature, UserId,
    db::{Db, DbError},
    idempotency::{self, Replayable, retry_keyed},
};
use xmas_players::{Entry, Identity, enter_in_tx, lock_in_tx};
use xmas_time::{EventDay, Kst};

use crate::{
    ActivityError, ActivityLog, Event, EventKind, EventWriter, RecordCommand, Recorded, store,
};

/// What handlers and reads need of this crate.
#[async_trait]
pub trait ActivityService: Send + Sync {
    /// Keeps an event that a client reports. The same event id counts once.
    async fn record(
        &self,
        command: &RecordCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Recorded>, ActivityError>;

    /// Notes the player's first look at a feature's page on a day. It never fails the read that
    /// calls it: a failure is logged.
    async fn enter_page(&self, identity: &Identity, feature: Feature, now: DateTime<Utc>);
}

/// [`ActivityService`] on the database.
pub struct Activities {
    db: Db,
    log: ActivityLog,
    /// Page views that are known to be in the database, so that a page that is read again and
    /// again is not written again and again.
    seen: Moka<(UserId, Feature, EventDay), ()>,
}

impl Activities {
    /// How long a read waits for the note of its page view.
    const NOTE_WITHIN: Duration = Duration::from_millis(500);
    const SEEN_CAPACITY: u64 = 100_000;
    /// Longer than a day: the key carries the day.
    const SEEN_LIFETIME: Duration = Duration::from_secs(26 * 3_600);

    pub fn new(db: Db, log: ActivityLog) -> Self {
        let seen = Moka::builder()
            .max_capacity(Self::SEEN_CAPACITY)
            .time_to_live(Self::SEEN_LIFETIME)
            .build();
        Self { db, log, seen }
    }

    async fn record_once(
        &self,
        command: &RecordCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Recorded>, ActivityError> {
        let (identity, request) = (&command.identity, command.request.as_ref());
        let tx = self.db.begin().await?;
        let ready = Ok::<_, ActivityError>(());
        let player = match enter_in_tx(&tx, identity, request, ready).await? {
            Entry::Replay(result) => return Ok(Replayable::replayed(result)),
            Entry::Run(player, ()) => player,
        };
        let user_id = player.user_id();
        let once_key = command.event.once_key();
        let row = store::Row {
            user_id,
            at: now,
            feature: None,
            event_type: command.event.kind().as_str(),
            once_key: Some(once_key.clone()),
            meta: command.event.meta(),
        };
        let reported_at = if store::insert_once(&tx, row).await? {
            now
        } else {
            let first = store::written_at(&tx, user_id, &once_key).await?;
            first.ok_or_else(|| DbError::Corrupt(format!("{once_key} is there and is not")))?
        };
        let recorded = Recorded {
            user_id,
            updated_at: Kst(reported_at),
        };
        idempotency::store_in_tx(&tx, user_id, request, &recorded, now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(recorded))
    }

    async fn enter_page_once(
        &self,
        identity: &Identity,
        feature: Feature,
        now: DateTime<Utc>,
    ) -> Result<(), ActivityError> {
        let tx = self.db.begin().await?;
        let player = lock_in_tx(&tx, identity).await?;
        let event = Event {
            kind: EventKind::EnterPage,
            feature: Some(feature),
            meta: json!({}),
        };
        let row = store::Row {
            user_id: player.user_id(),
            at: now,
            feature: event.feature,
            event_type: event.kind.as_str(),
            once_key: Some(format!("ENTER_PAGE:{feature}:{}", EventDay::of(now))),
            meta: &event.meta,
        };
        if store::insert_once(&tx, row).await? {
            let more = self.log.tell_in_tx(&tx, &player, &event, now).await?;
            EventWriter.write_in_tx(&tx, &player, &more, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

#[async_trait]
impl ActivityService for Activities {
    async fn record(
        &self,
        command: &RecordCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Recorded>, ActivityError> {
        retry_keyed(&self.db, command.request.as_ref(), || {
            self.record_once(command, now)
        })
        .await
    }

    async fn enter_page(&self, identity: &Identity, feature: Feature, now: DateTime<Utc>) {
        let view = (identity.user_id, feature, EventDay::of(now));
        if self.seen.contains_key(&view) {
            return;
        }
        // Once, and briefly: the player is waiting for the page, not for this note.
        let noting = self.enter_page_once(identity, feature, now);
        match tokio::time::timeout(Self::NOTE_WITHIN, noting).await {
            Ok(Ok(())) => self.seen.insert(view, ()).await,
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(user_id = %identity.user_id, %feature, error, "a page view could not be noted");
            }
            Err(_) => {
                tracing::warn!(user_id = %identity.user_id, %feature, "a page view took too long to note");
            }
        }
    }
}
