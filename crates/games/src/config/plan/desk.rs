//! Plans as operators make and withdraw them.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value, json};
use xmas_kernel::{
    ConfigId, OddsId, PlanId, Problem, Problems, UserId,
    audit::{self, Actor, LoggedChange},
    db::{DbError, Tx, retry},
    paging::{Cursor, Limit, Page},
    version,
};
use xmas_players::{anonymised_among, signature};
use xmas_texts::plan as texts;
use xmas_time::Kst;

use super::{
    entity::odds_plan,
    log::{audit_in_tx, change_of, resource},
    model::{LEAD, MAX_AHEAD, MAX_PLANS, NewPlan, Plan, PlanSource, PlanState},
    store,
    take_over::taken_over,
};
use crate::{
    ConfigError, Engine, Game,
    config::{
        Config, ConfigEdit, Saved, SavedBy, check::problems_in_tx, edits::enter_in_tx, history,
        store as configs,
    },
    fairness::{self, ChangeKind, OddsChange, changes},
};

impl<G: Game> Engine<G> {
    /// What was ever planned of a configuration, newest first.
    pub async fn plans(
        &self,
        id: ConfigId,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<Plan<G::Body>>, ConfigError> {
        let db = self.plays.context.db.read();
        configs::find::<G>(db, id).await?;
        let rows = store::of_config(db, G::FEATURE, id, limit, before).await?;
        let page = Page::from_overfetched(rows, limit, |row| row.id);
        Ok(Page {
            items: read::<G>(db, page.items).await?,
            next: page.next,
        })
    }

    /// Announces that a configuration takes over at an instant: as it is after an edit, or as it was in a version. It
    /// is checked as a whole, and published at once.
    pub async fn plan(
        &self,
        actor: &Actor,
        id: ConfigId,
        new: &NewPlan<'_, G::Body, G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<Plan<G::Body>, ConfigError> {
        self.plays.in_force.catch_up(now).await?;
        let plan = retry(|| self.plan_once(actor, id, new, now)).await;
        let plan = plan.map_err(|error| placed(error, &new.source))?;
        self.plays.in_force.forget();
        self.found(plan).await
    }

    /// Takes an announcement back, until its instant. What was announced stays in the history.
    ///
    /// # Errors
    /// [`ConfigError::PlanEnded`] from its instant on, or if it was withdrawn before.
    pub async fn withdraw(
        &self,
        actor: &Actor,
        id: ConfigId,
        plan: PlanId,
        now: DateTime<Utc>,
    ) -> Result<Plan<G::Body>, ConfigError> {
        self.plays.in_force.catch_up(now).await?;
        retry(|| self.withdraw_once(actor, id, plan, now)).await?;
        self.plays.in_force.forget();
        self.found(plan).await
    }

    async fn found(&self, id: PlanId) -> Result<Plan<G::Body>, ConfigError> {
        let db = self.plays.context.db.read();
        let row = store::find(db, G::FEATURE, id).await?;
        let plan = read::<G>(db, row.into_iter().collect()).await?.pop();
        plan.ok_or(ConfigError::UnknownPlan)
    }

    async fn plan_once(
        &self,
        actor: &Actor,
        id: ConfigId,
        new: &NewPlan<'_, G::Body, G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<PlanId, ConfigError> {
        let tx = self.plays.context.db.begin().await?;
        let stored = enter_in_tx::<G>(&tx, id).await?;
        version::expect(new.seen.as_ref(), &stored.version())?;
        // To what the database keeps of an instant, so that it divides plays there as here.
        let effective_from = new.effective_from.trunc_subsecs(6);
        let planned = store::planned(&*tx, G::FEATURE).await?;
        let mut problems = Problems::default();
        check_instant(effective_from, &planned, now, &mut problems);
        let (earlier, later): (Vec<_>, Vec<_>) = planned
            .iter()
            .filter(|plan| plan.config_id == id.0)
            .partition(|plan| plan.takes_over_at.0 < effective_from);
        let before = Saved {
            config: after_plans::<G>(stored.config.clone(), earlier)?,
            ..stored
        };
        let mut config = self.planned_in_tx(&tx, &before, new, &mut problems).await?;
        G::number_in_tx(&tx, id, &mut config.body).await?;
        // Checked as what it becomes, as when it takes over.
        let body = G::taken_over(&before.config.body, config.body.clone(), &mut problems);
        let after = Config {
            body,
            ..config.clone()
        };
        let problems = problems_in_tx::<G>(&tx, &after, Some(&before.config), problems).await?;
        if !problems.is_empty() {
            return Err(ConfigError::Invalid(problems));
        }
        let playable = G::playable(Saved {
            config: after.clone(),
            ..before
        });
        let refused = |text| ConfigError::Invalid(vec![Problem::new("", text)]);
        let playable = playable.ok_or_else(|| refused(texts::unplayable()))?;
        if playable.left().is_none() {
            return Err(refused(texts::nothing_left()));
        }
        after_plans::<G>(after, later)?;
        let odds_id = fairness::insert_odds_in_tx(&tx, &playable.table, now).await?;
        let row = store::NewRow {
            feature: G::FEATURE,
            config_id: id,
            effective_from,
            odds_id,
            config: &config,
        };
        let plan = store::insert(&tx, &row, now).await?;
        let change = OddsChange {
            kind: ChangeKind::Announced,
            odds_id: Some(odds_id),
            plan_id: Some(plan),
            effective_from: Some(effective_from),
            at: now,
        };
        changes::insert(&tx, G::FEATURE, &change).await?;
        let state = json!({
            "config_id": id,
            "effective_from": Kst(effective_from),
            "odds_id": odds_id,
            "config": config,
        });
        audit_in_tx::<G>(&tx, actor, G::ACTIONS.plan, plan, (Value::Null, state), now).await?;
        tx.commit().await?;
        Ok(plan)
    }

    /// What is to take over, but for whether it may.
    async fn planned_in_tx(
        &self,
        tx: &Tx,
        before: &Saved<G::Body>,
        new: &NewPlan<'_, G::Body, G::BodyEdit>,
        problems: &mut Problems,
    ) -> Result<Config<G::Body>, ConfigError> {
        let edit = match &new.source {
            PlanSource::Edit(edit) => edit(&before.config),
            PlanSource::Version(version) => {
                let wanted = history::find_in_tx::<G>(tx, before, *version).await?;
                ConfigEdit {
                    body: G::back_to_in_tx(tx, before, &wanted).await?,
                    name: Some(wanted.config.name),
                    is_active: None,
                    max_daily: Some(wanted.config.max_daily),
                    seen: None,
                    problems: Vec::new(),
                }
            }
        };
        let drawn = G::drawn_in_tx(tx, before, &edit).await?;
        let mut body = G::edited(Some(before), &edit, &drawn, problems);
        let changed = G::keep_stock(&before.config.body, &mut body);
        // What a version had is no wish of the operator's.
        if matches!(new.source, PlanSource::Edit(_)) {
            for field in changed {
                problems.push(Problem::new(field, texts::stock_kept()));
            }
        }
        let takes_over = edit.is_active != Some(false);
        problems.expect(takes_over, "is_active", texts::is_active());
        let config = edit.applied(Some(&before.config), body, problems);
        Ok(Config {
            is_active: true,
            ..config
        })
    }

    async fn withdraw_once(
        &self,
        actor: &Actor,
        id: ConfigId,
        plan: PlanId,
        now: DateTime<Utc>,
    ) -> Result<(), ConfigError> {
        let tx = self.plays.context.db.begin().await?;
        audit::enter_in_tx(&tx, G::AREA).await?;
        let row = store::find(&*tx, G::FEATURE, plan).await?;
        let row = row.filter(|row| row.config_id == id.0);
        let row = row.ok_or(ConfigError::UnknownPlan)?;
        let withdrawn = PlanState::Withdrawn;
        if row.takes_over_at.0 <= now || !store::end::<()>(&tx, plan, withdrawn, None, now).await? {
            return Err(ConfigError::PlanEnded);
        }
        // Those after it may have been made for what it would have left.
        if let Some(stored) = configs::known::<G>(&*tx, id).await? {
            let others = planned_of::<G>(&tx, id).await?;
            after_plans::<G>(stored.config, &others).map_err(of_plan)?;
        }
        changes::insert(
            &tx,
            G::FEATURE,
            &change_of(&row, ChangeKind::Withdrawn, now),
        )
        .await?;
        let was = json!({
            "config_id": id,
            "effective_from": Kst(row.takes_over_at.0),
            "odds_id": row.odds_id,
        });
        audit_in_tx::<G>(
            &tx,
            actor,
            G::ACTIONS.withdraw,
            plan,
            (was, Value::Null),
            now,
        )
        .await?;
        Ok(tx.commit().await?)
    }
}

/// The same error, whose problems with the configuration are under the name of what was sent.
fn placed<B, E>(error: ConfigError, source: &PlanSource<'_, B, E>) -> ConfigError {
    let ConfigError::Invalid(problems) = error else {
        return error;
    };
    let sent = match source {
        PlanSource::Edit(_) => "config",
        PlanSource::Version(_) => "from_version",
    };
    let placed = |problem: Problem| match &*problem.field {
        "effective_from" => problem,
        "" => Problem {
            field: sent.to_owned(),
            ..problem
        },
        field => Problem {
            field: format!("{sent}.{field}"),
            ..problem
        },
    };
    ConfigError::Invalid(problems.into_iter().map(placed).collect())
}

/// Notes what is wrong with the instant of a new plan.
fn check_instant(
    effective_from: DateTime<Utc>,
    planned: &[odds_plan::Model],
    now: DateTime<Utc>,
    problems: &mut Problems,
) {
    let told = |instant: DateTime<Utc>| Kst(instant).to_string();
    let (first, last) = (now + LEAD, now + MAX_AHEAD);
    problems.expect(
        (first..=last).contains(&effective_from),
        "effective_from",
        texts::instant(told(first), told(last), told(effective_from)),
    );
    let is_near = |plan: &&odds_plan::Model| (plan.takes_over_at.0 - effective_from).abs() < LEAD;
    if let Some(other) = planned.iter().find(is_near) {
        let text = texts::overlaps(other.id.to_string(), told(other.takes_over_at.0));
        problems.push(Problem::new("effective_from", text));
    }
    problems.expect(
        planned.len() < MAX_PLANS,
        "effective_from",
        texts::too_many(MAX_PLANS),
    );
}

/// Whether everything that is planned of a configuration can still take over from it after an edit.
///
/// # Errors
/// [`ConfigError::Invalid`] that names the first plan that could not, and why.
pub(in crate::config) async fn expect_intact_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    before: &Saved<G::Body>,
    after: &Saved<G::Body>,
) -> Result<(), ConfigError> {
    let planned = planned_of::<G>(tx, after.id).await?;
    for plan in &planned {
        // Of one that cannot be read is told below.
        let Ok(promised) = serde_json::from_str::<Config<G::Body>>(&plan.config) else {
            continue;
        };
        if let Some(field) = G::taken_away(&before.config.body, &after.config.body, &promised.body)
        {
            return Err(ConfigError::Invalid(vec![would_break(plan, field)]));
        }
    }
    after_plans::<G>(after.config.clone(), &planned)?;
    Ok(())
}

/// What is to take over from a configuration, by the instants.
async fn planned_of<G: Game>(
    tx: &DatabaseTransaction,
    id: ConfigId,
) -> Result<Vec<odds_plan::Model>, DbError> {
    let mut planned = store::planned(tx, G::FEATURE).await?;
    planned.retain(|plan| plan.config_id == id.0);
    Ok(planned)
}

/// That something keeps a plan from taking over as it was announced.
fn would_break(plan: &odds_plan::Model, field: impl Into<String>) -> Problem {
    let at = Kst(plan.takes_over_at.0).to_string();
    Problem::new(field, texts::would_break(plan.id.to_string(), at))
}

/// The same error, of a plan that is to be withdrawn.
fn of_plan(error: ConfigError) -> ConfigError {
    let ConfigError::Invalid(problems) = error else {
        return error;
    };
    let first = problems.into_iter().take(1);
    let about = |problem: Problem| Problem::new("plan", problem.text);
    ConfigError::Invalid(first.map(about).collect())
}

/// What a configuration will be once these plans have taken over, one after the other.
///
/// # Errors
/// [`ConfigError::Invalid`] that names the first plan that could not, and why.
fn after_plans<'a, G: Game>(
    config: Config<G::Body>,
    plans: impl IntoIterator<Item = &'a odds_plan::Model>,
) -> Result<Config<G::Body>, ConfigError> {
    plans.into_iter().try_fold(config, |before, plan| {
        let mut problems = Problems::default();
        let after = taken_over::<G>(&before, plan, &mut problems);
        let Some(problem) = problems.into_vec().into_iter().next() else {
            return Ok(after);
        };
        let told = Problem {
            code: problem.code,
            ..would_break(plan, problem.field.clone())
        };
        Err(ConfigError::Invalid(vec![told, problem]))
    })
}

/// Plans as operators see them, with what the audit log says of them.
async fn read<G: Game>(
    conn: &impl ConnectionTrait,
    rows: Vec<odds_plan::Model>,
) -> Result<Vec<Plan<G::Body>>, DbError> {
    let resources = rows.iter().map(|row| resource::<G>(PlanId(row.id)));
    let mut logged = audit::of_all(conn, resources).await?;
    let operators: Vec<UserId> = logged.iter().map(|row| row.actor_id).collect();
    let anonymised = anonymised_among(conn, &operators).await?;
    for row in &mut logged {
        row.actor = signature(std::mem::take(&mut row.actor), row.actor_id, &anonymised);
    }
    let mut by_plan: HashMap<String, Vec<LoggedChange>> = HashMap::new();
    for row in logged {
        by_plan.entry(row.resource.clone()).or_default().push(row);
    }
    let ids: Vec<_> = rows.iter().map(|row| OddsId(row.odds_id)).collect();
    let tables = fairness::find_odds(conn, &ids).await?;
    let plan = |row: odds_plan::Model| {
        let logged = by_plan.remove(&resource::<G>(PlanId(row.id)));
        let mut logged = logged.unwrap_or_default();
        let mut done = |action: &str| {
            let place = logged.iter().position(|row| row.action == action)?;
            Some(logged.swap_remove(place))
        };
        let (planned, withdrawn) = (done(G::ACTIONS.plan), done(G::ACTIONS.withdraw));
        let refused = done(G::ACTIONS.refuse).and_then(|row| row.after);
        let fields = refused
            .as_ref()
            .and_then(|state| state["problems"].as_array());
        let fields = fields.into_iter().flatten();
        let fields = fields.filter_map(|problem| problem["field"].as_str().map(str::to_owned));
        let odds_id = OddsId(row.odds_id);
        let table = tables.get(&odds_id);
        let table =
            table.ok_or_else(|| DbError::Corrupt(format!("odds_plan {} has no table", row.id)))?;
        Ok(Plan {
            id: PlanId(row.id),
            config_id: ConfigId(row.config_id),
            state: store::state_of(row.id, &row.state)?,
            effective_from: row.takes_over_at.0,
            odds_id,
            content_hash: table.hash().to_owned(),
            announced_at: row.announced_at.0,
            ended_at: row.ended_at.map(|instant| instant.0),
            config: serde_json::from_str(&row.config).ok(),
            planned: planned.map(SavedBy::from),
            withdrawn: withdrawn.map(SavedBy::from),
            refused_for: fields.collect(),
        })
    };
    rows.into_iter().map(plan).collect()
}
