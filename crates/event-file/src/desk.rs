//! The event's file in the hands of an operator.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use xmas_event_bridge::Bridges;
use xmas_features::{Features, UiConfigs};
use xmas_games::{
    Game,
    catalog::Engines,
    config::{named, plan},
    dice::Dice,
    lottery::Lottery,
    roulette::Roulette,
};
use xmas_kernel::{
    Problem, Problems,
    audit::{self, Actor, Area, Change},
    db::{Db, DbError, EVENT_AREA, retry},
    version::{self, Seen, Stale, Version},
};
use xmas_rewards::RewardDesk;
use xmas_season_pass::{NewSeason, SeasonPass, rules::level_for};
use xmas_texts::event_file as texts;
use xmas_time::EventDay;

use crate::{
    CheckedFile, EventFile, canonical, convert,
    diff::{self, ChangeKind, SECTIONS},
    effects::{self, NewlyReached},
    names::Names,
    plan::{Announced, Plan},
    put::Put,
    state::{self, Wanted},
};

/// The event as one file, on the database.
#[derive(Clone)]
pub struct EventDesk {
    db: Db,
    seasons: Arc<SeasonPass>,
    engines: Engines,
    rewards: Arc<RewardDesk>,
    features: Arc<Features>,
    texts: Arc<UiConfigs>,
}

/// The event of the database as a file.
#[derive(Clone, Debug)]
pub struct Exported {
    /// In its canonical form.
    pub text: String,
    /// What no file can say, and is not in it.
    pub unsaid: Vec<Problem>,
}

/// Why a file was not applied. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    #[error("there is no such season")]
    UnknownSeason,
    /// The database refuses it: [`Plan::refused`].
    #[error("the file is refused")]
    Refused(Box<Plan>),
    /// The database has moved since the plan.
    #[error(transparent)]
    Stale(#[from] Stale),
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Whether a file is applied, or only what that would do is found out.
#[derive(Clone, Copy, Debug)]
enum Mode<'a> {
    Plan,
    Apply {
        actor: Option<&'a Actor>,
        seen: Option<&'a Seen>,
    },
}

impl EventDesk {
    pub fn new(
        db: Db,
        seasons: Arc<SeasonPass>,
        engines: Engines,
        rewards: Arc<RewardDesk>,
        (features, texts): (Arc<Features>, Arc<UiConfigs>),
    ) -> Self {
        Self {
            db,
            seasons,
            engines,
            rewards,
            features,
            texts,
        }
    }

    /// The event as it is: with the season of this name, or else the active one that ends last.
    pub async fn export(&self, season: Option<&str>) -> Result<Exported, EventError> {
        let wanted = season.map_or(Wanted::Last, Wanted::Named);
        let tx = self.db.begin().await?;
        // Each statement sees what is committed by then: nobody edits meanwhile, so that no edit is seen by halves.
        enter_in_tx(&tx).await?;
        let state = state::load(&*tx, wanted, &EventFile::default()).await?;
        if season.is_some() && state.file.season.is_none() {
            return Err(EventError::UnknownSeason);
        }
        Ok(Exported {
            text: canonical(&state.file),
            unsaid: state.unsaid,
        })
    }

    /// What a file would make of the event. Nothing is changed.
    pub async fn plan(&self, file: &CheckedFile, now: DateTime<Utc>) -> Result<Plan, EventError> {
        self.prepare(file, now).await?;
        retry(|| self.run_once(file, Mode::Plan, now)).await
    }

    /// Makes the event what a file says: all of it, or nothing. What is there already is left alone. `seen` is the version
    /// of the plan that the operator has seen ([`Plan::version`]).
    pub async fn apply(
        &self,
        actor: Option<&Actor>,
        file: &CheckedFile,
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<Plan, EventError> {
        self.prepare(file, now).await?;
        let mode = Mode::Apply { actor, seen };
        let applied = retry(|| self.run_once(file, mode, now)).await;
        // Also if nobody knows whether it was committed.
        self.drop_copies();
        applied
    }

    /// What must be done before the transaction.
    async fn prepare(&self, file: &CheckedFile, now: DateTime<Utc>) -> Result<(), EventError> {
        self.engines.roulette.catch_up(now).await?;
        self.engines.dice.catch_up(now).await?;
        self.engines.lottery.catch_up(now).await?;
        if file.event.coupons.iter().any(|coupon| coupon.ignores_case) {
            self.rewards.complete_codes().await?;
        }
        Ok(())
    }

    /// Makes this process look the event up again.
    pub fn drop_copies(&self) {
        self.seasons.drop_copies();
        self.engines.roulette.drop_copies();
        self.engines.dice.drop_copies();
        self.engines.lottery.drop_copies();
        self.features.drop_copies();
        self.texts.drop_copies();
    }

    async fn run_once(
        &self,
        file: &CheckedFile,
        mode: Mode<'_>,
        now: DateTime<Utc>,
    ) -> Result<Plan, EventError> {
        let tx = self.db.begin().await?;
        let Mode::Apply { actor, seen } = mode else {
            return self.put_in_tx(&tx, None, file, None, now).await;
        };
        let plan = self.apply_in_tx(&tx, actor, file, seen, now).await?;
        if !plan.changes.is_empty() {
            tx.commit().await?;
        }
        Ok(plan)
    }

    /// As [`EventDesk::apply`], in a transaction of the caller's, whose copies of the event are old after its commit.
    pub async fn apply_in_tx(
        &self,
        tx: &DatabaseTransaction,
        actor: Option<&Actor>,
        file: &CheckedFile,
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<Plan, EventError> {
        let plan = self.put_in_tx(tx, actor, file, seen, now).await?;
        if !plan.refused.is_empty() {
            return Err(EventError::Refused(Box::new(plan)));
        }
        audit_in_tx(tx, actor, &plan, now).await?;
        Ok(plan)
    }

    /// Saves what is not there as the file says, and says what that means. Nothing is to be committed if it is refused.
    async fn put_in_tx(
        &self,
        tx: &DatabaseTransaction,
        actor: Option<&Actor>,
        file: &CheckedFile,
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<Plan, EventError> {
        let wanted = normal(&file.event);
        let season = match &wanted.season {
            Some(season) => Wanted::Named(&season.season_name),
            None => Wanted::Last,
        };
        enter_in_tx(tx).await?;
        let whole = state::load(tx, season, &wanted).await?.file;
        let before = state::restricted(&whole, &wanted);
        let announced = announced_in_tx(tx, &wanted).await?;
        let is_running = is_running_in_tx(tx, EventDay::of(now)).await?;
        let version = version_of(&before, &announced, is_running);
        // What is as it should be already is left alone, whichever version was seen before.
        let is_a_version = seen.is_none_or(Seen::is_of_anything);
        if before != wanted || !is_a_version {
            version::expect(seen, &version)?;
        }
        // What was promised may be in bundles that the file does not have.
        let promised = EventFile {
            bundles: whole.bundles,
            ..before.clone()
        };
        let mut plan = Plan {
            file_sha256: file.sha256.clone(),
            version,
            is_running,
            changes: diff::changes(&before, &wanted),
            unchanged: Vec::new(),
            left: Vec::new(),
            odds: effects::odds(&promised, &wanted),
            levels: newly_reached_in_tx(tx, &before, &wanted).await?,
            announced,
            refused: Vec::new(),
        };
        let changed: Vec<&str> = plan.changed().collect();
        let others = SECTIONS.into_iter().filter(|it| !changed.contains(it));
        (plan.unchanged, plan.left) = others.partition(|section| wanted.has(section));
        let put = Put {
            seasons: &self.seasons,
            rewards: &self.rewards,
            tx,
            actor,
            now,
        };
        let mut refused = put.all(&file.event, &before).await?;
        if refused.is_empty() {
            let after = state::load(tx, season, &wanted).await?.file;
            let after = state::restricted(&after, &wanted);
            refused = amiss(&wanted, &after, &file.event);
            if refused.is_empty() && after != wanted {
                // A difference that has no name.
                refused.push(Problem::new("", texts::becomes_another("event", "…")));
            }
        }
        let mut problems = Problems::default();
        problems.extend(refused);
        plan.refused = file.placed(problems);
        Ok(plan)
    }
}

/// One operator at a time, in an order in which nobody waits for each other: as an edit of a season enters both its areas.
async fn enter_in_tx(tx: &DatabaseTransaction) -> Result<(), DbError> {
    audit::enter_in_tx(tx, Area::new(EVENT_AREA)).await?;
    RewardDesk::enter_in_tx(tx).await?;
    SeasonPass::enter_in_tx(tx).await?;
    Bridges::enter_in_tx(tx).await?;
    named::enter_in_tx::<Roulette>(tx).await?;
    named::enter_in_tx::<Dice>(tx).await?;
    named::enter_in_tx::<Lottery>(tx).await?;
    Features::enter_in_tx(tx).await?;
    UiConfigs::enter_in_tx(tx).await
}

/// What a plan has seen. Who has looked at an event that did not run, or of which nothing was announced, has not agreed to
/// change another one.
fn version_of(before: &EventFile, announced: &[Announced], is_running: bool) -> Version {
    let announced: Vec<_> = announced.iter().map(|it| (it.game, it.plan)).collect();
    Version::of(&(canonical(before), announced, is_running))
}

/// Whether players are being promised something: a season is served, or a bridge has begun and is not closed.
async fn is_running_in_tx(tx: &DatabaseTransaction, today: EventDay) -> Result<bool, DbError> {
    Ok(SeasonPass::is_served_in_tx(tx, today).await?
        || Bridges::is_under_way_in_tx(tx, today).await?)
}

/// The file as it is compared: lists that are in no order by their names.
fn normal(event: &EventFile) -> EventFile {
    let mut event = event.clone();
    event
        .bundles
        .sort_by(|one, other| one.name.cmp(&other.name));
    event
        .coupons
        .sort_by(|one, other| one.name.cmp(&other.name));
    event
}

/// What has become of a file that is another event than the file says.
fn amiss(wanted: &EventFile, after: &EventFile, file: &EventFile) -> Vec<Problem> {
    let problem = |change: diff::Change| {
        let field = place(&change.path, file);
        let is = change.after.unwrap_or_default();
        let text = match change.kind {
            ChangeKind::Added if change.path.starts_with("lottery.prizes[") => {
                let label = change.path.strip_prefix("lottery.prizes[");
                let label = label.and_then(|label| label.strip_suffix(']'));
                texts::drawn_stays(label.unwrap_or_default().to_owned())
            }
            _ if change.path.ends_with("[order]") => texts::order_stays(is),
            _ => texts::becomes_another(change.path, is),
        };
        Problem::new(field, text)
    };
    diff::changes(wanted, after)
        .into_iter()
        .map(problem)
        .collect()
}

/// Where in the file a change is: its section, or the item that it names.
fn place(path: &str, file: &EventFile) -> String {
    let Some(rest) = path.strip_prefix("lottery.prizes[") else {
        return path.split(['.', '[']).next().unwrap_or_default().to_owned();
    };
    let prizes = file.lottery.iter().flat_map(|lottery| &lottery.prizes);
    let mut prizes = prizes.enumerate();
    let found = prizes.find(|(_, prize)| rest.starts_with(&format!("{}]", prize.label)));
    match found {
        Some((index, _)) => format!("lottery.prizes.{index}"),
        None => "lottery.prizes".to_owned(),
    }
}

/// Who reaches a level only because the ladder is another one.
async fn newly_reached_in_tx(
    tx: &DatabaseTransaction,
    before: &EventFile,
    wanted: &EventFile,
) -> Result<Vec<NewlyReached>, DbError> {
    let (Some(was), Some(is)) = (&before.season, &wanted.season) else {
        return Ok(Vec::new());
    };
    let ladder = |season: &crate::file::SeasonSection| -> Vec<(i64, i64)> {
        let levels = season.levels.iter();
        levels
            .map(|level| (level.level, level.required_xp))
            .collect()
    };
    if ladder(was) == ladder(is) {
        return Ok(Vec::new());
    }
    let Some(season) = SeasonPass::named(tx, &is.season_name).await? else {
        return Ok(Vec::new());
    };
    let (rules, _): (NewSeason, _) = convert::season(is, &Names::of_file(wanted));
    let mut reached: BTreeMap<i64, u64> = BTreeMap::new();
    for standing in SeasonPass::standings(tx, season.season.id).await? {
        let level = level_for(&rules, standing.current_xp);
        for level in standing.level_high_water + 1..=level {
            *reached.entry(level).or_default() += standing.players;
        }
    }
    let newly = |(level, players)| NewlyReached { level, players };
    Ok(reached.into_iter().map(newly).collect())
}

async fn announced_in_tx(
    tx: &DatabaseTransaction,
    wanted: &EventFile,
) -> Result<Vec<Announced>, DbError> {
    let mut announced = Vec::new();
    let games = [
        (wanted.roulette.is_some(), Roulette::FEATURE),
        (wanted.dice.is_some(), Dice::FEATURE),
        (wanted.lottery.is_some(), Lottery::FEATURE),
    ];
    for (_, game) in games.into_iter().filter(|(is_in, _)| *is_in) {
        let plans = plan::announced(tx, game).await?.into_iter();
        announced.extend(plans.map(|(plan, effective_from)| Announced {
            game,
            plan,
            effective_from,
        }));
    }
    Ok(announced)
}

/// The areas of the configuration, and the sections that each has.
const AREAS: [(&str, &[&str]); 8] = [
    ("REWARDS", &["bundles", "coupons"]),
    ("SEASONS", &["season"]),
    ("BRIDGE", &["bridge"]),
    ("ROULETTE", &["roulette"]),
    ("DICE", &["dice"]),
    ("LOTTERY", &["lottery"]),
    ("FEATURES", &["features"]),
    ("UI_CONFIG", &["texts"]),
];

/// A row for each area that has changed: besides those of the things themselves, which look as if they had been edited one
/// by one.
async fn audit_in_tx(
    tx: &DatabaseTransaction,
    actor: Option<&Actor>,
    plan: &Plan,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    for (area, sections) in AREAS {
        let changes = plan.changes.iter();
        let own: Vec<&str> = changes
            .filter(|change| sections.contains(&diff::section(change)))
            .map(|change| change.path.as_str())
            .collect();
        if own.is_empty() {
            continue;
        }
        let change = Change {
            action: "EVENT_APPLY",
            resource: &format!("event:{area}"),
            before: Value::Null,
            after: json!({ "file_sha256": plan.file_sha256, "changes": own }),
        };
        audit::write_in_tx(tx, actor, change, now).await?;
    }
    Ok(())
}

impl EventFile {
    /// Whether the file says something about a section.
    pub(crate) fn has(&self, section: &str) -> bool {
        match section {
            "season" => self.season.is_some(),
            "bridge" => self.bridge.is_some(),
            "roulette" => self.roulette.is_some(),
            "dice" => self.dice.is_some(),
            "lottery" => self.lottery.is_some(),
            "bundles" => !self.bundles.is_empty(),
            "coupons" => !self.coupons.is_empty(),
            "features" => !self.features.is_empty(),
            _ => !self.texts.is_empty(),
        }
    }
}
