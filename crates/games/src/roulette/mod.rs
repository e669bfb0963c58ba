//! The roulette: six segments, one coin a spin.

mod model;
pub mod rules;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_kernel::{
    Asset, ConfigId, ErrorCode, Feature, Problem, Problems,
    audit::Area,
    db::{Constraint, DbError},
};
use xmas_rewards::Reward;
use xmas_texts::game as texts;

use crate::{
    ActiveConfig, Game, SaveError,
    config::{Actions, Config, ConfigEdit, Past, Saved, insert_in_tx},
    odds::Entry,
};
use store::config;

pub use model::{NewSegment, NewWheel, Segment, SegmentConfig, SegmentEdit, Segments};

/// Up to how many segments an edit is looked at in detail.
const MAX_SENT: usize = 100;

/// The rules of the roulette.
#[derive(Clone, Copy, Debug)]
pub struct Roulette;

#[async_trait]
impl Game for Roulette {
    // Names.

    const FEATURE: Feature = Feature::Roulette;
    const TOKEN: Asset = Asset::RouletteCoin;
    const AREA: Area = Area::new("ROULETTE");
    const ACTIONS: Actions = Actions {
        resource: "roulette",
        create: "ROULETTE_CREATE",
        update: "ROULETTE_UPDATE",
        switch_off: "ROULETTE_SWITCH_OFF",
        restore: "ROULETTE_RESTORE",
        delete: "ROULETTE_DELETE",
        plan: "ROULETTE_PLAN",
        withdraw: "ROULETTE_PLAN_WITHDRAW",
        take_over: "ROULETTE_TAKE_OVER",
        refuse: "ROULETTE_PLAN_REFUSE",
    };
    const ONE_ACTIVE: Constraint =
        Constraint::new("uq_roulette_active", "roulette_config", &["active_slot"]);
    const INVALID_CONFIG: ErrorCode = ErrorCode::InvalidRouletteConfig;
    const CONFIG_NOT_FOUND: ErrorCode = ErrorCode::RouletteConfigNotFound;
    const CHECK_CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidRouletteConfig,
        ErrorCode::InvalidMaxDailyPlays,
    ];

    // Playing.

    /// Six segments in the order of their slots.
    type Menu = Vec<Segment>;
    type Outcome = Segment;

    fn playable(saved: Saved<Segments>) -> Option<ActiveConfig<Self>> {
        let segment = |segment: SegmentConfig| {
            let new = NewSegment {
                slot_index: segment.slot_index,
                label: segment.label,
                weight: segment.weight,
                reward: segment.reward.reward("").ok()?,
                is_jackpot: segment.is_jackpot,
            };
            Some((segment.id?, new))
        };
        let segments = saved.config.body.segments.into_iter().map(segment);
        let (menu, odds) = rules::wheel(saved.id, segments.collect::<Option<_>>()?).ok()?;
        Some(ActiveConfig {
            config_id: saved.id,
            name: saved.config.name,
            max_daily: saved.config.max_daily,
            menu,
            table: odds,
            stock: BTreeMap::new(),
            supplied: BTreeMap::new(),
        })
    }

    fn outcome(menu: &Vec<Segment>, entry: &Entry, _: u64) -> Segment {
        let segment = menu.iter().find(|segment| segment.id == entry.id);
        segment
            .expect("a wheel's odds are those of its segments")
            .clone()
    }

    fn agrees(outcome: &Segment, entry: &Entry, _: u64) -> bool {
        let shown = (outcome.reward_type, outcome.reward_amount);
        outcome.id == entry.id
            && outcome.label == entry.label
            && shown == (entry.reward_type, entry.reward_amount)
    }

    // Configuring.

    type Body = Segments;
    /// `None` keeps them all.
    type BodyEdit = Option<Vec<SegmentEdit>>;

    fn edited(
        before: Option<&Saved<Segments>>,
        edit: &ConfigEdit<Option<Vec<SegmentEdit>>>,
        _: &BTreeSet<i64>,
        problems: &mut Problems,
    ) -> Segments {
        let kept = before.map(|before| before.config.body.segments.as_slice());
        let kept = kept.unwrap_or_default();
        let segments = match &edit.body {
            // So many are not looked at one by one.
            Some(edit) if edit.len() > MAX_SENT => {
                let text = texts::segments(rules::SEGMENTS, edit.len());
                let code = ErrorCode::InvalidRouletteConfig;
                problems.push(Problem::coded(code, "segments", text));
                kept.to_vec()
            }
            Some(edit) => rules::edited(kept, edit, problems),
            None => kept.to_vec(),
        };
        Segments { segments }
    }

    async fn back_to_in_tx(
        _: &DatabaseTransaction,
        _: &Saved<Segments>,
        version: &Past<Segments>,
    ) -> Result<Option<Vec<SegmentEdit>>, DbError> {
        let edit = |segment: &SegmentConfig| SegmentEdit {
            id: None,
            slot_index: Some(segment.slot_index),
            label: Some(segment.label.clone()),
            weight: Some(segment.weight),
            reward: (&segment.reward).into(),
            is_jackpot: Some(segment.is_jackpot),
        };
        let segments = version.config.body.segments.iter();
        Ok(Some(segments.map(edit).collect()))
    }

    fn labels(body: &Segments) -> Vec<(String, &str)> {
        let labels = body.segments.iter().map(|segment| segment.label.as_str());
        let named = labels.enumerate();
        let named = named.map(|(index, label)| (format!("segments.{index}.label"), label));
        named.collect()
    }

    fn check(config: &Config<Segments>, problems: &mut Problems) -> Vec<(String, Reward)> {
        let mut rewards = Vec::new();
        let segments = config.body.segments.iter().enumerate();
        let segments = segments.map(|(index, segment)| {
            let prefix = format!("segments.{index}.");
            let reward = segment.reward.checked(&prefix, problems);
            rewards.push((prefix, reward));
            NewSegment {
                slot_index: segment.slot_index,
                label: segment.label.clone(),
                weight: segment.weight,
                reward,
                is_jackpot: segment.is_jackpot,
            }
        });
        let wheel = NewWheel {
            name: config.name.clone(),
            max_daily_spins: config.max_daily,
            segments: segments.collect(),
        };
        problems.extend(rules::check(&wheel));
        rewards
    }

    // Storing.

    type Table = config::Entity;

    async fn bodies<C: ConnectionTrait>(
        conn: &C,
        rows: Vec<config::Model>,
    ) -> Result<Vec<Segments>, DbError> {
        store::bodies(conn, &rows).await
    }

    /// All of it stands in `roulette_segment`.
    fn own_columns(_: &Segments) -> config::ActiveModel {
        Default::default()
    }

    async fn insert_body_in_tx(
        tx: &DatabaseTransaction,
        id: ConfigId,
        body: &Segments,
    ) -> Result<(), DbError> {
        store::insert(tx, id, &body.segments).await
    }

    async fn update_body_in_tx(
        tx: &DatabaseTransaction,
        before: &Saved<Segments>,
        after: &Segments,
    ) -> Result<(), DbError> {
        store::update(tx, before, after).await
    }

    async fn delete_body_in_tx(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError> {
        store::delete(tx, id).await
    }
}

impl Roulette {
    /// Checks a wheel and saves it as the active one.
    pub async fn insert_active_in_tx(
        tx: &DatabaseTransaction,
        wheel: &NewWheel,
        now: DateTime<Utc>,
    ) -> Result<ConfigId, SaveError> {
        insert_in_tx::<Self>(tx, &wheel.to_active_config(), now).await
    }
}
