use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, ExprTrait, FromQueryResult};
use xmas_kernel::db::{DbError, Timestamp};
use xmas_time::{EventDay, Kst};

use super::{
    AuditFilter, AuditRecord, EXPORT_AUDIT_ROWS, EventFilter, EventRecord, Resource, Slice, Whose,
    mask::mask,
    select::{Listing, Newest},
    store::json,
};
use crate::{place::Part, store::rows};

#[derive(FromQueryResult)]
struct EventRow {
    id: i64,
    user_id: i64,
    external_id: Option<String>,
    feature_type: Option<String>,
    event_type: String,
    event_day: NaiveDate,
    meta_json: String,
    created_at: Timestamp,
}

const EVENT_COLUMNS: [&str; 7] = [
    "id",
    "user_id",
    "feature_type",
    "event_type",
    "event_day",
    "meta_json",
    "created_at",
];

pub(super) async fn events(
    conn: &impl ConnectionTrait,
    filter: &EventFilter,
    slice: &Slice<i64>,
) -> Result<Vec<EventRecord>, DbError> {
    let mut listing = Listing::of_log("user_event_log", &EVENT_COLUMNS, slice, Newest::ByTime);
    listing.with_players(&filter.whose);
    if let Some(event_type) = &filter.event_type {
        listing.keep("event_type", |column| column.eq(event_type.as_str()));
    }
    if let Some(feature) = filter.feature {
        listing.keep("feature_type", |column| column.eq(feature.as_str()));
    }
    listing.within("created_at", filter.span);
    event_records(conn, listing).await
}

/// A player's part of a timeline.
pub(crate) async fn events_of(
    conn: &impl ConnectionTrait,
    player: &Whose,
    part: &Part,
) -> Result<Vec<EventRecord>, DbError> {
    let mut listing = Listing::of_player("user_event_log", &EVENT_COLUMNS, part);
    listing.with_players(player);
    event_records(conn, listing).await
}

async fn event_records(
    conn: &impl ConnectionTrait,
    listing: Listing,
) -> Result<Vec<EventRecord>, DbError> {
    let found: Vec<EventRow> = rows(conn, listing.select).await?;
    let record = |row: EventRow| {
        Ok(EventRecord {
            meta: json(&row.meta_json, "user_event_log", row.id)?,
            id: row.id,
            user_id: row.user_id,
            external_id: row.external_id,
            feature_type: row.feature_type,
            event_type: row.event_type,
            event_day: EventDay::from(row.event_day),
            created_at: Kst(row.created_at.0),
        })
    };
    found.into_iter().map(record).collect()
}

#[derive(FromQueryResult)]
struct AuditRow {
    id: i64,
    actor_id: i64,
    actor: String,
    action: String,
    resource: String,
    before_json: Option<String>,
    after_json: Option<String>,
    reason: Option<String>,
    request_id: String,
    created_at: Timestamp,
}

const AUDIT_COLUMNS: [&str; 10] = [
    "id",
    "actor_id",
    "actor",
    "action",
    "resource",
    "before_json",
    "after_json",
    "reason",
    "request_id",
    "created_at",
];

pub(super) async fn audits(
    conn: &impl ConnectionTrait,
    filter: &AuditFilter,
    slice: &Slice<i64>,
) -> Result<Vec<AuditRecord>, DbError> {
    let mut listing = Listing::of_log("admin_audit_log", &AUDIT_COLUMNS, slice, Newest::ById);
    if matches!(slice, Slice::Export { .. }) {
        listing.select.limit(EXPORT_AUDIT_ROWS);
    }
    let texts = [
        ("actor", &filter.actor),
        ("action", &filter.action),
        ("request_id", &filter.request_id),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            listing.keep(column, |column| column.eq(text.as_str()));
        }
    }
    match &filter.resource {
        Some(Resource::Exactly(resource)) => {
            listing.keep("resource", |column| column.eq(resource.as_str()));
        }
        Some(Resource::Under(beginning)) => {
            // No text that begins so is after this one.
            let last = format!("{beginning}{}", char::MAX);
            listing.keep("resource", |column| column.gte(beginning.as_str()));
            listing.keep("resource", |column| column.lte(last));
        }
        None => {}
    }
    listing.within("created_at", filter.span);
    audit_records(conn, listing).await
}

/// What operators did to a player, as a part of a timeline.
pub(crate) async fn audits_of(
    conn: &impl ConnectionTrait,
    resource: &str,
    part: &Part,
) -> Result<Vec<AuditRecord>, DbError> {
    let mut listing = Listing::of_player("admin_audit_log", &AUDIT_COLUMNS, part);
    listing.keep("resource", |column| column.eq(resource));
    audit_records(conn, listing).await
}

async fn audit_records(
    conn: &impl ConnectionTrait,
    listing: Listing,
) -> Result<Vec<AuditRecord>, DbError> {
    let found: Vec<AuditRow> = rows(conn, listing.select).await?;
    let mut records = found
        .into_iter()
        .map(audit)
        .collect::<Result<Vec<_>, _>>()?;
    mask(conn, &mut records).await?;
    Ok(records)
}

fn audit(row: AuditRow) -> Result<AuditRecord, DbError> {
    let state = |text: Option<String>| {
        let state = text.map(|text| json(&text, "admin_audit_log", row.id));
        state.transpose()
    };
    Ok(AuditRecord {
        id: row.id,
        actor_id: row.actor_id,
        actor: row.actor,
        action: row.action,
        resource: row.resource,
        before: state(row.before_json)?,
        after: state(row.after_json)?,
        reason: row.reason,
        request_id: row.request_id,
        created_at: Kst(row.created_at.0),
    })
}
