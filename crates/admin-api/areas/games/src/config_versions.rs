//! `/admin/api/…-config/{id}/versions`: what a configuration of a game was like, and what comes of putting
//! it back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_games::config::{ConfigVersion, Restored, Saved, StockKept};
use xmas_kernel::{ConfigId, paging::Page};
use xmas_time::{DateTime, Kst, Utc};

/// A page of versions, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 17, "since": "2025-12-26T09:00:00.000000+09:00", "until": null,
    "is_current": true, "saved_by": "operator", "action": "ROULETTE_UPDATE", "reason": "장애",
    "request_id": "3f0a4c1e", "restored_from": null, "plan_id": null, "config": null}], "next_cursor": null}))]
pub(crate) struct VersionPage<A: ToSchema> {
    items: Vec<VersionItem<A>>,
    /// What the next page is asked for with; null on the last one.
    next_cursor: Option<String>,
}

/// A state in which a configuration was saved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionItem<A: ToSchema> {
    /// Names the version: the row of the audit log that has it; 0 for what was there before the log began.
    #[schema(minimum = 0, maximum = 9_000_000_000_000_000_i64)]
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    since: Kst,
    /// Null while it is as it is now.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Kst>,
    /// Whether the configuration is like this now. Players met it if it `is_active` as well.
    is_current: bool,
    /// Null for what was there before the log began.
    saved_by: Option<String>,
    action: Option<String>,
    reason: Option<String>,
    request_id: Option<String>,
    /// The version that was put back by this one.
    #[schema(minimum = 0, maximum = 9_000_000_000_000_000_i64)]
    restored_from: Option<i64>,
    /// The plan by which it took over.
    plan_id: Option<i64>,
    /// All of it, with what was left of limited prizes when it was saved; null if this release cannot read it.
    config: Option<A>,
}

impl<A: ToSchema> VersionPage<A> {
    /// The versions of a configuration with this id, which was made then.
    pub(super) fn of<B>(
        page: Page<ConfigVersion<B>>,
        id: ConfigId,
        created_at: DateTime<Utc>,
    ) -> Self
    where
        A: From<Saved<B>>,
    {
        let items = page.items.into_iter();
        Self {
            items: items
                .map(|version| VersionItem::of(version, id, created_at))
                .collect(),
            next_cursor: page.next.map(|cursor| cursor.0.to_string()),
        }
    }
}

impl<A: ToSchema> VersionItem<A> {
    fn of<B>(version: ConfigVersion<B>, id: ConfigId, created_at: DateTime<Utc>) -> Self
    where
        A: From<Saved<B>>,
    {
        let since = version.since;
        let saved = |config| Saved {
            id,
            config,
            created_at,
            updated_at: since,
        };
        let (mut saved_by, mut action, mut reason, mut request_id) = (None, None, None, None);
        if let Some(by) = version.saved {
            (saved_by, action) = (Some(by.actor), Some(by.action));
            (reason, request_id) = (by.reason, Some(by.request_id));
        }
        Self {
            id: version.id,
            since: Kst(since),
            until: version.until.map(Kst),
            is_current: version.until.is_none(),
            saved_by,
            action,
            reason,
            request_id,
            restored_from: version.restored_from,
            plan_id: version.plan.map(|plan| plan.0),
            config: version.config.map(|config| A::from(saved(config))),
        }
    }
}

/// A configuration after a version of it was put back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"restored_from": 17, "stock_kept": [{"prize_id": 5, "label": "배민 2만",
    "stock": 3, "stock_then": 20}], "config": {"id": 1}}))]
pub(crate) struct RestoredAnswer<A: ToSchema> {
    #[schema(minimum = 0, maximum = 9_000_000_000_000_000_i64)]
    restored_from: i64,
    /// Prizes of a lottery of which not as many are left as the version had: what was won since is not put
    /// back. An ordinary edit sets the number.
    stock_kept: Vec<StockKeptAnswer>,
    config: A,
}

impl<A: ToSchema> RestoredAnswer<A> {
    pub(super) fn of<B>(restored: Restored<B>, restored_from: i64) -> Self
    where
        A: From<Saved<B>>,
    {
        Self {
            restored_from,
            stock_kept: restored.stock_kept.into_iter().map(Into::into).collect(),
            config: restored.saved.into(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"prize_id": 5, "label": "배민 2만", "stock": 3, "stock_then": 20}))]
pub(crate) struct StockKeptAnswer {
    prize_id: i64,
    label: String,
    /// How many are left; null means no limit.
    stock: Option<i64>,
    /// How many the version had.
    stock_then: Option<i64>,
}

impl From<StockKept> for StockKeptAnswer {
    fn from(kept: StockKept) -> Self {
        Self {
            prize_id: kept.prize_id,
            label: kept.label,
            stock: kept.stock,
            stock_then: kept.stock_then,
        }
    }
}

/// Nothing but what the client has loaded; the body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct RestoreRequest {
    /// The `version` of the configuration as it is now: with it nothing is put back that somebody else has
    /// changed meanwhile.
    pub(super) version: Option<String>,
}
