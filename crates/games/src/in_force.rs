//! What is in force at an instant: the configuration that is played, and the odds that are published for it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use xmas_cache::Snapshot;
use xmas_kernel::{
    OddsId, audit,
    db::{DbError, EventSeen, retry},
};

use crate::{
    ActiveConfig, Game, GameError, PlayContext,
    config::{
        Saved, note_in_tx,
        plan::{Brief, LEAD, MAX_PLANS, MOST_LATE, PlanState, foreseen, store as plans, take_over},
        store,
    },
    fairness::{Limits, OddsChange, PlannedOdds, PublishedOdds, changes},
    odds::Odds,
};

/// A configuration as it is played, and its odds as they are published.
pub(crate) struct PublishedConfig<G: Game> {
    pub(crate) active: ActiveConfig<G>,
    /// What is drawn from; all that takes part if nothing is left.
    pub(crate) odds: Odds,
    pub(crate) odds_id: OddsId,
    /// Whether anything is left that can come up.
    pub(crate) is_playable: bool,
    /// Since when it is drawn from.
    pub(crate) since: Option<DateTime<Utc>>,
}

/// What is in force from when to when, as far as that is known.
pub(crate) struct Timeline<G: Game> {
    /// Until when something else was in force, and what, by these instants.
    replaced: Vec<(DateTime<Utc>, MaybePublished<G>)>,
    current: MaybePublished<G>,
    pub(crate) next: Vec<PlannedOdds>,
    /// From then on more must be known.
    until: DateTime<Utc>,
}

/// `None` if nothing can be played, or what there is breaks its rules.
pub(crate) type MaybePublished<G> = Option<Arc<PublishedConfig<G>>>;

/// What a copy is of: the event, and from when on it must know what is in force, if the usual copy does not.
type Looked = (EventSeen, Option<DateTime<Utc>>);

/// What is in force in one game.
pub(crate) struct InForce<G: Game> {
    context: PlayContext,
    timelines: Snapshot<Looked, Arc<Timeline<G>>>,
}

/// How often a look is repeated: after each plan that takes over, and whenever somebody else has edited the game.
const LOOKS: usize = 8 + MAX_PLANS;

impl<G: Game> Timeline<G> {
    pub(crate) fn at(&self, instant: DateTime<Utc>) -> &MaybePublished<G> {
        let mut replaced = self.replaced.iter();
        match replaced.find(|(until, _)| instant < *until) {
            Some((_, replaced)) => replaced,
            None => &self.current,
        }
    }
}

impl<G: Game> InForce<G> {
    pub(crate) fn new(context: PlayContext) -> Self {
        Self {
            context,
            timelines: Snapshot::new(),
        }
    }

    /// Forgets what it has seen, after the game was edited or a prize was won.
    pub(crate) fn forget(&self) {
        self.timelines.drop_all();
    }

    /// What a play of this instant is drawn from.
    pub(crate) async fn playable(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Arc<PublishedConfig<G>>, GameError> {
        let timeline = self.timeline(now).await?;
        let published = timeline.at(now).clone();
        let playable = published.filter(|published| published.is_playable);
        playable.ok_or(GameError::InvalidConfig(G::FEATURE))
    }

    /// Lets what is due take over, and notes what is in force: an edit at a plan's instant or later edits what the plan
    /// has made.
    pub(crate) async fn catch_up(&self, now: DateTime<Utc>) -> Result<(), DbError> {
        self.timeline(now).await?;
        Ok(())
    }

    /// What is known of the time around an instant. Whoever asks first after something has changed by itself writes it down.
    pub(crate) async fn timeline(&self, now: DateTime<Utc>) -> Result<Arc<Timeline<G>>, DbError> {
        // Whoever comes after what the usual copy knows shares another one, however many they are.
        let mut after = None;
        for _ in 0..LOOKS {
            let key = (self.context.db.event(), after);
            let timeline = self.timelines.get_or_load(key, self.load(now)).await?;
            if now < timeline.until {
                return Ok(timeline);
            }
            after = Some(timeline.until);
        }
        self.load(now).await
    }

    async fn load(&self, now: DateTime<Utc>) -> Result<Arc<Timeline<G>>, DbError> {
        let db = &self.context.db;
        db.load_of_event(db.read(), || self.load_once(now)).await
    }

    async fn load_once(&self, now: DateTime<Utc>) -> Result<Arc<Timeline<G>>, DbError> {
        let db = self.context.db.read();
        let since = now - MOST_LATE;
        for _ in 0..LOOKS {
            let known = plans::around(db, G::FEATURE, since).await?;
            let planned = || known.iter().filter(|plan| plan.state == PlanState::Planned);
            if let Some(due) = planned().find(|plan| plan.effective_from <= now) {
                take_over::<G>(&self.context.db, due, now).await?;
                continue;
            }
            let saved = store::active::<G>(db).await?;
            let active = saved.and_then(G::playable);
            // What takes over while it is looked at is looked at again.
            let next = planned().next();
            let is_near = next.is_some_and(|plan| plan.effective_from <= now + LEAD);
            if is_near && plans::around(db, G::FEATURE, since).await? != known {
                continue;
            }
            let current = match active {
                Some(active) => self.published_config(active, now).await?,
                None => None,
            };
            let drawn = current.as_ref().and_then(PublishedConfig::drawn);
            let is_of_it = |last: &Option<OddsChange>| last.and_then(|last| last.odds_id) == drawn;
            let mut last = changes::last(db, G::FEATURE).await?;
            if !is_of_it(&last) {
                last = retry(|| self.note(now)).await?;
            }
            // It has been edited since it was read.
            if !is_of_it(&last) {
                continue;
            }
            let since = last.filter(|_| drawn.is_some()).map(|last| last.at);
            let current = current.map(|current| Arc::new(PublishedConfig { since, ..current }));
            return Ok(Arc::new(Timeline {
                replaced: self.replaced(&known, now).await?,
                next: self.announced(&known).await?,
                current,
                until: next.map_or(now + LEAD, |plan| plan.effective_from.min(now + LEAD)),
            }));
        }
        let busy = DbErr::Custom("the configuration kept changing under a look".to_owned());
        Err(DbError::Contention(busy))
    }

    /// Notes what is drawn from now: a prize has run out, say.
    async fn note(&self, now: DateTime<Utc>) -> Result<Option<OddsChange>, DbError> {
        let tx = self.context.db.begin().await?;
        audit::enter_in_tx(&tx, G::AREA).await?;
        let noted = note_in_tx::<G>(&tx, None, now).await?;
        tx.commit().await?;
        Ok(noted)
    }

    async fn published_config(
        &self,
        active: ActiveConfig<G>,
        now: DateTime<Utc>,
    ) -> Result<Option<PublishedConfig<G>>, DbError> {
        let left = active.left();
        let is_playable = left.is_some();
        let odds = left.unwrap_or_else(|| active.table.clone());
        let Ok(rewards) = odds.rewards() else {
            return Ok(None);
        };
        if !self.context.rewards.are_deliverable(&rewards).await? {
            return Ok(None);
        }
        let odds_id = self.context.draws.publish(&odds, now).await?;
        Ok(Some(PublishedConfig {
            active,
            odds,
            odds_id,
            is_playable,
            since: None,
        }))
    }

    /// What the last plans have replaced, while plays of the time before may still be drawn.
    async fn replaced(
        &self,
        plans: &[Brief],
        now: DateTime<Utc>,
    ) -> Result<Vec<(DateTime<Utc>, MaybePublished<G>)>, DbError> {
        let db = self.context.db.read();
        let mut replaced = Vec::new();
        for plan in plans
            .iter()
            .filter(|plan| plan.state == PlanState::TakenOver)
        {
            let until = plan.effective_from;
            let saved: Option<Saved<G::Body>> = plans::replaced(db, G::FEATURE, plan).await?;
            let mut published = match saved.and_then(G::playable) {
                Some(active) => self.published_config(active, now).await?,
                None => None,
            };
            if let Some(published) = &mut published {
                let before = changes::before(db, G::FEATURE, until).await?;
                let before = before.filter(|_| published.is_playable);
                published.since = before.map(|before| before.at);
            }
            replaced.push((until, published.map(Arc::new)));
        }
        Ok(replaced)
    }

    /// What takes over next, as it is announced.
    async fn announced(&self, plans: &[Brief]) -> Result<Vec<PlannedOdds>, DbError> {
        let planned = plans.iter().filter(|plan| plan.state == PlanState::Planned);
        let planned: Vec<&Brief> = planned.collect();
        if planned.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<OddsId> = planned.iter().map(|plan| plan.odds_id).collect();
        let tables = self.context.draws.tables(&ids).await?;
        let mut foreseen = foreseen::<G>(self.context.db.read()).await?;
        let announced = planned.into_iter().map(|plan| {
            let odds = tables.get(&plan.odds_id).cloned();
            let odds = odds
                .ok_or_else(|| DbError::Corrupt(format!("odds_plan {} has no table", plan.id)))?;
            let config = foreseen.remove(&plan.id).and_then(G::playable);
            Ok(PlannedOdds {
                plan_id: plan.id,
                effective_from: plan.effective_from,
                announced_at: plan.announced_at,
                published: PublishedOdds {
                    odds_id: plan.odds_id,
                    odds,
                },
                limits: config.map(|config| Limits {
                    stock: config.stock,
                    supplied: config.supplied,
                    max_daily: config.max_daily,
                }),
            })
        });
        announced.collect()
    }
}

impl<G: Game> PublishedConfig<G> {
    /// Under which is published what is drawn from, if anything is.
    fn drawn(&self) -> Option<OddsId> {
        self.is_playable.then_some(self.odds_id)
    }
}
