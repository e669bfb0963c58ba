//! Seasons by their names, as the event's file knows them.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_kernel::{
    SeasonId,
    audit::{self, Actor},
    db::DbError,
};

use xmas_time::EventDay;

use crate::{
    NewSeason, SavedSeason, Season, SeasonDeskError, SeasonPass,
    desk::{CREATE, SEASONS, Save, UPDATE},
    rules, store,
};

/// Players who stand at the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub current_xp: i64,
    /// The highest level ever reached.
    pub level_high_water: i64,
    pub players: u64,
}

impl SeasonPass {
    /// The season of this name.
    pub async fn named(
        conn: &impl ConnectionTrait,
        name: &str,
    ) -> Result<Option<SavedSeason>, DbError> {
        store::find_named(conn, name).await
    }

    /// The active season that ends last: the event as it is now.
    pub async fn last_active(conn: &impl ConnectionTrait) -> Result<Option<SavedSeason>, DbError> {
        store::find_last_active(conn).await
    }

    /// Whether a season is served on a day, grace days included.
    pub async fn is_served_in_tx(
        tx: &DatabaseTransaction,
        today: EventDay,
    ) -> Result<bool, DbError> {
        let active = store::active_seasons(tx).await?;
        let is_served =
            |season: &Season| (season.rules.start..=rules::last_served(season)).contains(&today);
        Ok(active.iter().any(is_served))
    }

    /// How many players of a season have so much XP and have reached such a level before.
    pub async fn standings(
        conn: &impl ConnectionTrait,
        season: SeasonId,
    ) -> Result<Vec<Standing>, DbError> {
        let rows = store::standings(conn, season).await?.into_iter();
        let standing = |(current_xp, level_high_water, players): (i64, i64, i64)| Standing {
            current_xp,
            level_high_water,
            players: players.unsigned_abs(),
        };
        Ok(rows.map(standing).collect())
    }

    /// Lets nobody else edit seasons until the transaction ends.
    pub async fn enter_in_tx(tx: &DatabaseTransaction) -> Result<(), DbError> {
        audit::enter_in_tx(tx, SEASONS).await
    }

    /// Makes the season of this name what is said, or adds it, checked as an operator's edit is; once nobody else edits
    /// seasons ([`SeasonPass::enter_in_tx`]). Wardens have a say unless the caller saves what they watch over along with
    /// it (`has_wardens`). After the commit, copies are to be dropped ([`SeasonPass::drop_copies`]).
    pub async fn put_in_tx(
        &self,
        tx: &DatabaseTransaction,
        actor: Option<&Actor>,
        season: &NewSeason,
        has_wardens: bool,
        now: DateTime<Utc>,
    ) -> Result<SeasonId, SeasonDeskError> {
        let before = store::find_named(tx, &season.name).await?;
        if let Some(before) = before.as_ref().filter(|it| it.season.rules == *season) {
            return Ok(before.season.id);
        }
        let save = Save {
            actor,
            action: match before {
                Some(_) => UPDATE,
                None => CREATE,
            },
            before: before.as_ref(),
            after: season,
            has_wardens,
        };
        self.save_in_tx(tx, &save, Vec::new(), now).await
    }

    /// Makes this process look seasons up again.
    pub fn drop_copies(&self) {
        self.seasons.drop_all();
        self.wardens.iter().for_each(|warden| warden.drop_copies());
    }
}
