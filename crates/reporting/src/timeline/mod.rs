//! Everything about one player in one piece: "where is my token?"

mod model;
mod store;

use xmas_kernel::{
    UserId,
    db::{Db, retry},
};

pub use model::{
    LevelEntry, PlayerStanding, RewardEntry, Timeline, TimelineCursor, TimelineEntry,
    TimelineError, TimelineKind, TimelineQuery,
};

use crate::{
    Whose,
    place::cut,
    records::{logs, store as records},
    store::{add_prize_states, plays, stamps},
};

/// What happened to a player, for operators.
#[derive(Clone, Debug)]
pub struct Timelines {
    db: Db,
}

impl Timelines {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn timeline_once(
        &self,
        user_id: UserId,
        query: &TimelineQuery,
    ) -> Result<Timeline, TimelineError> {
        let db = self.db.read();
        let player = store::player(db, user_id).await?;
        let player = player.ok_or(TimelineError::UnknownPlayer)?;
        let whose = Whose {
            user_id: Some(user_id),
            external_id: None,
        };
        let mut found = Vec::new();
        if let Some(part) = query.part(TimelineKind::Play) {
            let plays = plays(db, user_id, &part).await?;
            found.extend(plays.into_iter().map(TimelineEntry::Play));
        }
        if let Some(part) = query.part(TimelineKind::Stamp) {
            let stamps = stamps(db, user_id, &part).await?;
            found.extend(stamps.into_iter().map(TimelineEntry::Stamp));
        }
        if let Some(part) = query.part(TimelineKind::Reward) {
            let rewards = store::rewards(db, user_id, &part).await?;
            found.extend(rewards.into_iter().map(TimelineEntry::Reward));
        }
        if let Some(part) = query.part(TimelineKind::Level) {
            let levels = store::levels(db, user_id, &part).await?;
            found.extend(levels.into_iter().map(TimelineEntry::Level));
        }
        if let Some(part) = query.part(TimelineKind::Ledger) {
            let ledger = records::ledger_of(db, &whose, &part).await?;
            found.extend(ledger.into_iter().map(TimelineEntry::Ledger));
        }
        if let Some(part) = query.part(TimelineKind::Event) {
            let events = logs::events_of(db, &whose, &part).await?;
            found.extend(events.into_iter().map(TimelineEntry::Event));
        }
        if let Some(part) = query.part(TimelineKind::Audit) {
            let resource = format!("user:{user_id}");
            let audits = logs::audits_of(db, &resource, &part).await?;
            found.extend(audits.into_iter().map(TimelineEntry::Audit));
        }
        let (mut items, next) = cut(found, query.limit, TimelineEntry::cursor);
        let plays = items.iter_mut().filter_map(|entry| match entry {
            TimelineEntry::Play(play) => Some(play),
            _ => None,
        });
        add_prize_states(db, plays).await?;
        Ok(Timeline {
            player,
            items,
            next,
        })
    }

    /// Where the player stands, and one page of what has happened, newest first.
    pub async fn timeline(
        &self,
        user_id: UserId,
        query: &TimelineQuery,
    ) -> Result<Timeline, TimelineError> {
        retry(|| self.timeline_once(user_id, query)).await
    }
}
