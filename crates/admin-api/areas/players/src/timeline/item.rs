//! The entries of a timeline, as they are sent.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use xmas_http::receipts::{PlayItem, StampItem};
use xmas_reporting::{
    AuditRecord, EventRecord, LedgerRecord, LevelEntry, RewardEntry, TimelineEntry,
};
use xmas_time::{EventDay, Kst};

/// One thing that happened to the player.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TimelineItem {
    Play(PlayItem),
    Stamp(StampItem),
    Reward(RewardItem),
    Level(LevelItem),
    Ledger(LedgerItem),
    Event(EventItem),
    Audit(AuditItem),
}

/// Something that was given, waits or was refused. The code of a coupon is its winner's alone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineReward)]
pub(crate) struct RewardItem {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Kst,
    #[schema(value_type = String, format = Date)]
    day: EventDay,
    /// What it was given for.
    source: String,
    /// Names the occasion; ledger entries of the reward have it as their `reference`.
    grant_key: String,
    /// The play that brought it, if one did.
    play_id: Option<i64>,
    label: Option<String>,
    reward_type: String,
    reward_amount: i64,
    /// `DELIVERED`, `PENDING_REVIEW` or `REJECTED`.
    state: String,
    /// Why it waits, or why it was rejected.
    reason: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Kst>,
    #[schema(value_type = Option<String>, format = DateTime)]
    reviewed_at: Option<Kst>,
    /// The operator who decided about it.
    reviewed_by: Option<String>,
}

/// A level of the season pass that was paid or claimed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineLevel)]
pub(crate) struct LevelItem {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Kst,
    season_id: i64,
    level: i64,
    reward_type: String,
    reward_amount: i64,
    reward_label: String,
    auto_claim: bool,
    /// Names the reward that it brought.
    grant_key: String,
}

/// A change of a balance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineLedger)]
pub(crate) struct LedgerItem {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Kst,
    token_type: String,
    delta: i64,
    balance_after: i64,
    reason: String,
    /// What it belongs to: a play (`play:17`), a reward's `grant_key`, a batch, a request.
    reference: String,
    /// The label of the reward, or what the operator said of the batch, if there is one.
    label: Option<String>,
    actor: String,
}

/// A row of the activity log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineEvent)]
pub(crate) struct EventItem {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Kst,
    #[schema(value_type = String, format = Date)]
    day: EventDay,
    feature_type: Option<String>,
    event_type: String,
    #[schema(value_type = serde_json::Value)]
    meta_json: Value,
}

/// What an operator did to the player.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineAudit)]
pub(crate) struct AuditItem {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Kst,
    actor: String,
    action: String,
    #[schema(value_type = Option<serde_json::Value>)]
    before: Option<Value>,
    #[schema(value_type = Option<serde_json::Value>)]
    after: Option<Value>,
    reason: Option<String>,
    request_id: String,
}

impl From<TimelineEntry> for TimelineItem {
    fn from(entry: TimelineEntry) -> Self {
        match entry {
            TimelineEntry::Play(play) => Self::Play(play.into()),
            TimelineEntry::Stamp(stamp) => Self::Stamp(stamp.into()),
            TimelineEntry::Reward(entry) => Self::Reward(entry.into()),
            TimelineEntry::Level(entry) => Self::Level(entry.into()),
            TimelineEntry::Ledger(record) => Self::Ledger(record.into()),
            TimelineEntry::Event(record) => Self::Event(record.into()),
            TimelineEntry::Audit(record) => Self::Audit(record.into()),
        }
    }
}

impl From<RewardEntry> for RewardItem {
    fn from(entry: RewardEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            day: entry.day,
            source: entry.source,
            grant_key: entry.grant_key,
            play_id: entry.play_id,
            label: entry.label,
            reward_type: entry.reward_type,
            reward_amount: entry.reward_amount,
            state: entry.state,
            reason: entry.reason,
            delivered_at: entry.delivered_at,
            reviewed_at: entry.reviewed_at,
            reviewed_by: entry.reviewed_by,
        }
    }
}

impl From<LevelEntry> for LevelItem {
    fn from(entry: LevelEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            season_id: entry.season_id,
            level: entry.level,
            reward_type: entry.reward_type,
            reward_amount: entry.reward_amount,
            reward_label: entry.label,
            auto_claim: entry.auto_claim,
            grant_key: entry.grant_key,
        }
    }
}

impl From<LedgerRecord> for LedgerItem {
    fn from(record: LedgerRecord) -> Self {
        Self {
            id: record.id,
            at: record.created_at,
            token_type: record.asset,
            delta: record.delta,
            balance_after: record.balance_after,
            reason: record.reason,
            reference: record.reference,
            label: record.label,
            actor: record.actor,
        }
    }
}

impl From<EventRecord> for EventItem {
    fn from(record: EventRecord) -> Self {
        Self {
            id: record.id,
            at: record.created_at,
            day: record.event_day,
            feature_type: record.feature_type,
            event_type: record.event_type,
            meta_json: record.meta,
        }
    }
}

impl From<AuditRecord> for AuditItem {
    fn from(record: AuditRecord) -> Self {
        Self {
            id: record.id,
            at: record.created_at,
            actor: record.actor,
            action: record.action,
            before: record.before,
            after: record.after,
            reason: record.reason,
            request_id: record.request_id,
        }
    }
}
