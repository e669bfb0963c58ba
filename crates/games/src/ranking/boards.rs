//! The first places of both boards: the same ones for everybody who asks.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_cache::{Cache, Shared, Snapshot};
use xmas_kernel::{
    UserId,
    db::{Db, DbError},
};
use xmas_time::EventDay;

use super::{
    entity::{daily, external},
    store,
};

/// How many places are kept of each board: the most that a player may ask for.
const PLACES: u64 = 100;
/// How old they may be, beside [`Snapshot::LIFETIME`].
const SHOWN_AGAIN: Duration = Duration::from_secs(1);

/// A place of a day's board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DayPlace {
    pub(super) rank: i64,
    pub(super) user_id: Option<UserId>,
    /// What operators have entered; empty for the player's own public name.
    pub(super) display_name: String,
    pub(super) score: i64,
}

/// A place of the external board, without what operators note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExternalPlace {
    pub(super) rank: i64,
    pub(super) user_id: UserId,
    pub(super) deposit_amount: i64,
    pub(super) play_count: i64,
}

/// The first [`PLACES`] of each board. The names of players are not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Boards {
    /// Ascending by rank.
    pub(super) daily: Vec<DayPlace>,
    /// Ascending by rank.
    pub(super) external: Vec<ExternalPlace>,
}

/// [`Boards`] as they are read: at most 1.4 s old, and what this process has saved at once.
pub(super) struct BoardCopies {
    own: Snapshot<EventDay, Arc<Boards>>,
    shared: Shared<Boards>,
}

impl BoardCopies {
    pub(super) fn new(cache: Arc<dyn Cache>) -> Self {
        Self {
            own: Snapshot::new(),
            shared: Shared::new(cache, "ranking", SHOWN_AGAIN),
        }
    }

    pub(super) async fn get(&self, db: &Db, now: DateTime<Utc>) -> Result<Arc<Boards>, DbError> {
        let day = EventDay::of(now);
        let shared = self.shared.get_or_load(day, now, load(db, day));
        let shared = async { shared.await.map(Arc::new) };
        self.own.get_or_load(day, shared).await
    }

    /// To be called after a board was saved.
    pub(super) fn renew(&self) {
        self.shared.pass_over();
        self.own.drop_all();
    }
}

async fn load(db: &Db, day: EventDay) -> Result<Boards, DbError> {
    let daily = store::first_of_day(db.read(), day, PLACES).await?;
    let external = store::external_rows(db.read(), PLACES).await?;
    let external = (1..).zip(external).map(ExternalPlace::from);
    Ok(Boards {
        daily: daily.into_iter().map(DayPlace::from).collect(),
        external: external.collect(),
    })
}

impl From<daily::Model> for DayPlace {
    fn from(row: daily::Model) -> Self {
        Self {
            rank: row.place,
            user_id: row.user_id.map(UserId),
            display_name: row.display_name,
            score: row.score,
        }
    }
}

impl From<(i64, external::Model)> for ExternalPlace {
    fn from((rank, row): (i64, external::Model)) -> Self {
        Self {
            rank,
            user_id: UserId(row.user_id),
            deposit_amount: row.deposit_amount,
            play_count: row.play_count,
        }
    }
}
