//! What operators did: `admin_audit_log` (docs/rules.md, "Activity").
//!
//! A row is written in the transaction of the change that it records, and never touched again. The
//! database's user needs no right to update or delete here.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, DatabaseTransaction, NotSet, QueryOrder, QuerySelect, Select,
    entity::prelude::*, sea_query::Expr,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Problem, Problems, UserId,
    db::{DbError, Timestamp},
    text::{self, Lines, Unfit},
};

/// The operator who acts, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub user_id: UserId,
    /// The name to log in with, at most 100 characters.
    pub name: String,
    /// What the operator says about it, at most [`Actor::REASON_CHARACTERS`].
    pub reason: Option<String>,
    /// Finds the request in the log, at most 64 characters.
    pub request_id: String,
}

/// How long a reason is that must be said: for what is refused to a player, given by hand or taken back.
pub const REQUIRED_REASON: RangeInclusive<usize> = 1..=191;

/// A reason that must be said, as it is kept.
///
/// # Errors
/// What is wrong with it, under `reason`: it has another length than [`REQUIRED_REASON`], or characters that no
/// text has.
pub fn required_reason(reason: &str, lines: Lines) -> Result<String, Vec<Problem>> {
    let reason = text::tidy(reason);
    let mut problems = Problems::default();
    problems.expect_fit(text::check(&reason, REQUIRED_REASON, lines), "reason");
    match problems.is_empty() {
        true => Ok(reason),
        false => Err(problems.into_vec()),
    }
}

impl Actor {
    pub const REASON_CHARACTERS: usize = 500;

    /// A reason that may be said, as the log keeps it: nothing if it is empty.
    pub fn reason(said: &str, lines: Lines) -> Result<Option<String>, Unfit> {
        let reason = text::tidy(said);
        text::check(&reason, 0..=Self::REASON_CHARACTERS, lines)?;
        Ok((!reason.is_empty()).then_some(reason))
    }
}

/// One change to be recorded.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// What was done, in upper case: `SEASON_UPDATE`. At most 64 characters.
    pub action: &'static str,
    /// What it was done to: `season:3`, `user:42`. At most 191 characters.
    pub resource: &'a str,
    /// What it was like before; null if it was not there.
    pub before: Value,
    /// What it is like now; null if it is gone.
    pub after: Value,
}

/// A part of the configuration that one operator at a time changes. Each is a row of `config_lock`. The
/// crate that is configured has it as a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area(&'static str);

impl Area {
    /// By its row in `config_lock`, as the migration writes it.
    pub const fn new(row: &'static str) -> Self {
        Self(row)
    }

    /// Its row in `config_lock`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Makes two operators who edit the same area come one after the other: the second one reads what the
/// first one has saved. The first statement of every edit of configuration; players wait for it only where a game's odds change by themselves.
pub async fn enter_in_tx(tx: &DatabaseTransaction, area: Area) -> Result<(), DbError> {
    // A lock would hold on one node of a cluster only.
    let entered = lock::Entity::update_many()
        .col_expr(
            lock::Column::Turn,
            sea_orm::ExprTrait::add(Expr::col(lock::Column::Turn), 1),
        )
        .filter(lock::Column::Area.eq(area.as_str()))
        .exec(tx)
        .await?;
    match entered.rows_affected {
        1 => Ok(()),
        _ => Err(DbError::Corrupt(format!(
            "config_lock has no row {}",
            area.as_str()
        ))),
    }
}

/// Writes what was done. The last statement before commit, or at least after the change. Of what nobody in particular
/// does, as when a database is filled, there is no row.
pub async fn write_in_tx<'a>(
    tx: &DatabaseTransaction,
    actor: impl Into<Option<&'a Actor>>,
    change: Change<'_>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let Some(actor) = actor.into() else {
        return Ok(());
    };
    let text = |value: Value| (!value.is_null()).then(|| value.to_string());
    Entity::insert(ActiveModel {
        id: NotSet,
        actor_id: Set(actor.user_id.0),
        actor: Set(actor.name.clone()),
        action: Set(change.action.to_owned()),
        resource: Set(change.resource.to_owned()),
        before_json: Set(text(change.before)),
        after_json: Set(text(change.after)),
        reason: Set(actor.reason.clone()),
        request_id: Set(actor.request_id.clone()),
        created_at: Set(Timestamp(now)),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(())
}

/// A change as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedChange {
    pub id: i64,
    pub actor_id: UserId,
    /// The operator's name.
    pub actor: String,
    pub action: String,
    pub resource: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub reason: Option<String>,
    pub request_id: String,
    pub at: DateTime<Utc>,
}

impl LoggedChange {
    fn of(row: Model) -> Result<Self, DbError> {
        let read = |text: Option<String>| {
            let value = text.map(|text| serde_json::from_str(&text)).transpose();
            value.map_err(|error| DbError::Corrupt(format!("audit row {}: {error}", row.id)))
        };
        Ok(Self {
            before: read(row.before_json)?,
            after: read(row.after_json)?,
            id: row.id,
            actor_id: UserId(row.actor_id),
            actor: row.actor,
            action: row.action,
            resource: row.resource,
            reason: row.reason,
            request_id: row.request_id,
            at: row.created_at.0,
        })
    }
}

async fn read(
    conn: &impl ConnectionTrait,
    rows: Select<Entity>,
) -> Result<Vec<LoggedChange>, DbError> {
    let rows = rows.all(conn).await?;
    rows.into_iter().map(LoggedChange::of).collect()
}

/// What was done to something, newest first, from this row on if one is named.
pub async fn history(
    conn: &impl ConnectionTrait,
    resource: &str,
    from: Option<i64>,
    limit: u64,
) -> Result<Vec<LoggedChange>, DbError> {
    let mut rows = Entity::find()
        .filter(Column::Resource.eq(resource))
        .order_by_desc(Column::Id)
        .limit(limit);
    if let Some(from) = from {
        rows = rows.filter(Column::Id.lte(from));
    }
    read(conn, rows).await
}

/// What was done to something after this row, oldest first.
pub async fn since(
    conn: &impl ConnectionTrait,
    resource: &str,
    row: i64,
) -> Result<Vec<LoggedChange>, DbError> {
    let rows = Entity::find()
        .filter(Column::Resource.eq(resource))
        .filter(Column::Id.gt(row))
        .order_by_asc(Column::Id);
    read(conn, rows).await
}

/// What was done to any of these, oldest first.
pub async fn of_all(
    conn: &impl ConnectionTrait,
    resources: impl IntoIterator<Item = String>,
) -> Result<Vec<LoggedChange>, DbError> {
    let rows = Entity::find()
        .filter(Column::Resource.is_in(resources))
        .order_by_asc(Column::Id);
    read(conn, rows).await
}

/// Something as the audit log keeps it.
pub fn state(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or(Value::Null)
}

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "admin_audit_log")]
pub struct Model {
    #[sea_orm(primary_key)]
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

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

mod lock {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "config_lock")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub area: String,
        pub turn: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
