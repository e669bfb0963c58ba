use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xmas_kernel::{
    Problem, SeasonId,
    audit::{self, Actor, Area, Change},
    db::{DbError, retry},
    version,
};
use xmas_rewards::are_deliverable;
use xmas_texts::{reward, season as texts};
use xmas_time::EventDay;

use crate::{
    EditedSeason, NewSeason, SavedSeason, SeasonDeskError, SeasonEdit, SeasonPass, SeasonWarden,
    SettleDay, constraints, rules, store,
};

/// What only one operator at a time edits: seasons.
pub(crate) const SEASONS: Area = Area::new("SEASONS");

/// What the audit log calls a new season, and one that is changed.
pub(crate) const CREATE: &str = "SEASON_CREATE";
pub(crate) const UPDATE: &str = "SEASON_UPDATE";

/// A season that is to be saved.
pub(crate) struct Save<'a> {
    /// `None` if nobody in particular does it.
    pub(crate) actor: Option<&'a Actor>,
    pub(crate) action: &'static str,
    /// `None` for a new one.
    pub(crate) before: Option<&'a SavedSeason>,
    pub(crate) after: &'a NewSeason,
    /// Whether wardens have a say in it.
    pub(crate) has_wardens: bool,
}

/// What an operator says about a season, given the season as it is.
pub type SeasonEditor<'a> = dyn Fn(&NewSeason) -> SeasonEdit + Send + Sync + 'a;

impl SeasonPass {
    /// Adds somebody who has a say in the edits of seasons.
    pub fn with_warden(mut self, warden: Arc<dyn SeasonWarden>) -> Self {
        self.wardens.push(warden);
        self
    }

    /// Refuses a season as a whole, before anything of it is touched.
    async fn check_in_tx(
        &self,
        tx: &DatabaseTransaction,
        Save {
            before: own,
            after: season,
            has_wardens,
            ..
        }: &Save<'_>,
        mut problems: Vec<Problem>,
        now: DateTime<Utc>,
    ) -> Result<(), SeasonDeskError> {
        if problems.is_empty() {
            let before = own.map(|before| &before.season.rules);
            problems.extend(rules::check_save(season, before, EventDay::of(now)));
        }
        for (index, level) in season.levels.iter().enumerate() {
            let named = level.reward.item().is_some();
            if named && !are_deliverable(tx, &[level.reward]).await? {
                let field = format!("levels.{index}.reward_item");
                let item = level.reward.item().unwrap_or_default();
                problems.push(Problem::new(field, reward::unknown_item(item.to_string())));
            }
        }
        let own = own.map(|before| before.season.id);
        if let Some(own) = own.filter(|_| *has_wardens) {
            for warden in &self.wardens {
                problems.extend(warden.object_in_tx(tx, own, season).await?);
            }
        }
        if !problems.is_empty() {
            return Err(SeasonDeskError::Invalid(problems));
        }
        if season.is_active && store::has_overlap(tx, season, own).await? {
            return Err(SeasonDeskError::Overlap);
        }
        Ok(())
    }

    /// Saves a season that is checked as a whole, and writes it to the audit log.
    pub(crate) async fn save_in_tx(
        &self,
        tx: &DatabaseTransaction,
        save: &Save<'_>,
        problems: Vec<Problem>,
        now: DateTime<Utc>,
    ) -> Result<SeasonId, SeasonDeskError> {
        self.check_in_tx(tx, save, problems, now).await?;
        let saved = match save.before {
            Some(before) => {
                let id = before.season.id;
                let updated = store::update_season(tx, id, save.after, now).await;
                updated.map(|()| id)
            }
            None => store::insert_season(tx, save.after, now).await,
        };
        let id = saved.map_err(name_conflict)?;
        let before = save.before.map(|before| audit::state(&before.season.rules));
        let change = Change {
            action: save.action,
            resource: &format!("season:{id}"),
            before: before.unwrap_or(Value::Null),
            after: audit::state(save.after),
        };
        audit::write_in_tx(tx, save.actor, change, now).await?;
        Ok(id)
    }

    async fn create_once(
        &self,
        actor: &Actor,
        edit: &SeasonEdit,
        now: DateTime<Utc>,
    ) -> Result<SavedSeason, SeasonDeskError> {
        let tx = self.options.db.begin().await?;
        audit::enter_in_tx(&tx, SEASONS).await?;
        let (season, mut problems) = rules::edited(None, edit);
        if edit.move_settle_on {
            problems.push(Problem::new("move_settle_on", texts::new_has_no_bridge()));
        }
        let save = Save {
            actor: Some(actor),
            action: CREATE,
            before: None,
            after: &season,
            has_wardens: true,
        };
        let id = self.save_in_tx(&tx, &save, problems, now).await?;
        let saved = store::find_season(&*tx, id).await?;
        tx.commit().await?;
        self.seasons.drop_all();
        saved.ok_or(SeasonDeskError::NotFound)
    }

    /// What an edit means for the settlement of the season's bridge: looked at if the season ends later
    /// than before, or if the edit asks for it.
    async fn follow_in_tx(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        (id, before, after): (SeasonId, &NewSeason, &NewSeason),
        edit: &SeasonEdit,
        now: DateTime<Utc>,
    ) -> Result<Option<SettleDay>, SeasonDeskError> {
        let mut settle_day = None;
        if edit.move_settle_on || before.end < after.end {
            for warden in &self.wardens {
                let season = (id, after);
                let followed = warden.follow_in_tx(tx, actor, season, edit, now).await?;
                settle_day = settle_day.or(followed);
            }
        }
        Ok(settle_day)
    }

    async fn update_once(
        &self,
        actor: &Actor,
        id: SeasonId,
        edit: &SeasonEditor<'_>,
        now: DateTime<Utc>,
    ) -> Result<EditedSeason, SeasonDeskError> {
        let tx = self.options.db.begin().await?;
        audit::enter_in_tx(&tx, SEASONS).await?;
        let before = store::find_season(&*tx, id).await?;
        let before = before.ok_or(SeasonDeskError::NotFound)?;
        let edit = &edit(&before.season.rules);
        version::expect(edit.seen.as_ref(), &before.version())?;
        let (season, problems) = rules::edited(Some(&before.season.rules), edit);
        let is_changed = !problems.is_empty() || season != before.season.rules;
        if is_changed {
            let save = Save {
                actor: Some(actor),
                action: match edit.levels {
                    Some(_) => "SEASON_LEVELS_UPDATE",
                    None => UPDATE,
                },
                before: Some(&before),
                after: &season,
                has_wardens: true,
            };
            self.save_in_tx(&tx, &save, problems, now).await?;
        }
        let states = (id, &before.season.rules, &season);
        let settle_day = self.follow_in_tx(&tx, actor, states, edit, now).await?;
        let is_moved = settle_day.is_some_and(|day| day.moved_from.is_some());
        // An edit that changes nothing leaves no trace.
        if !is_changed && !is_moved {
            return Ok(EditedSeason {
                saved: before,
                settle_day,
            });
        }
        let saved = store::find_season(&*tx, id).await?;
        tx.commit().await?;
        self.seasons.drop_all();
        if is_moved {
            self.wardens.iter().for_each(|warden| warden.drop_copies());
        }
        Ok(EditedSeason {
            saved: saved.ok_or(SeasonDeskError::NotFound)?,
            settle_day,
        })
    }
}

/// Makes the name of another season a problem of its own.
fn name_conflict(error: DbError) -> SeasonDeskError {
    if !error.violates(&constraints::SEASON_NAME) {
        return error.into();
    }
    let problem = Problem::new("season_name", texts::name_taken());
    SeasonDeskError::Invalid(vec![problem])
}

/// Seasons for operators. Every edit leaves a row in the audit log and takes effect here at once, and
/// within a second everywhere.
impl SeasonPass {
    /// Some of all seasons, newest first, and how many there are.
    pub async fn list(&self, offset: u64, limit: u64) -> Result<(Vec<SavedSeason>, u64), DbError> {
        store::page(self.options.db.read(), offset, limit).await
    }

    /// A season as it was saved.
    pub async fn find(&self, id: SeasonId) -> Result<SavedSeason, SeasonDeskError> {
        let found = store::find_season(self.options.db.read(), id).await?;
        found.ok_or(SeasonDeskError::NotFound)
    }

    /// Saves a new season. Its ladder may follow later, unless it runs today.
    pub async fn create(
        &self,
        actor: &Actor,
        edit: &SeasonEdit,
        now: DateTime<Utc>,
    ) -> Result<SavedSeason, SeasonDeskError> {
        retry(|| self.create_once(actor, edit, now)).await
    }

    /// Changes a season, its ladder, or both. `edit` is asked what to change under the lock of seasons, and
    /// again if the transaction is tried again.
    pub async fn update(
        &self,
        actor: &Actor,
        id: SeasonId,
        edit: &SeasonEditor<'_>,
        now: DateTime<Utc>,
    ) -> Result<EditedSeason, SeasonDeskError> {
        retry(|| self.update_once(actor, id, edit, now)).await
    }
}
