//! Texts that an older version kept as they were typed, in the form in which they are compared.

use std::collections::HashMap;

use icu_normalizer::ComposingNormalizerBorrowed;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    DatabaseConnection, DbBackend, QueryResult, Statement, TransactionTrait, Value,
};
use serde_json::json;

/// A column of texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts {
    table: &'static str,
    /// What names a row.
    key: &'static [&'static str],
    column: &'static str,
    /// How many characters it has room for.
    width: usize,
    unique: Unique,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unique {
    No,
    InTable,
    /// Among the rows that have the same in this column.
    Among(&'static str),
}

const ID: &[&str] = &["id"];

pub(crate) const TEXTS: [Texts; 13] = [
    texts("user", ID, "external_id", Unique::InTable),
    texts("user", ID, "nickname", Unique::No),
    texts("season_pass_config", ID, "season_name", Unique::InTable),
    Texts {
        width: 191,
        ..texts(
            "season_pass_level",
            &["season_id", "level"],
            "reward_label",
            Unique::No,
        )
    },
    texts("roulette_config", ID, "name", Unique::No),
    texts("roulette_segment", ID, "label", Unique::No),
    texts("dice_config", ID, "name", Unique::No),
    texts("lottery_config", ID, "name", Unique::No),
    texts("lottery_prize", ID, "label", Unique::Among("config_id")),
    texts("feature_config", &["feature_type"], "title", Unique::No),
    texts("reward_bundle", ID, "name", Unique::InTable),
    texts("coupon_kind", ID, "name", Unique::InTable),
    texts("ranking_daily", ID, "display_name", Unique::No),
];

const fn texts(
    table: &'static str,
    key: &'static [&'static str],
    column: &'static str,
    unique: Unique,
) -> Texts {
    Texts {
        table,
        key,
        column,
        width: 100,
        unique,
    }
}

/// How many rows one statement reads.
const ROWS_AT_ONCE: usize = 5_000;
/// How many rows one transaction writes.
const WRITES_AT_ONCE: usize = 200;

/// A text that is not composed.
#[derive(Clone, Debug)]
struct Decomposed {
    key: Vec<String>,
    scope: String,
    old: String,
    new: String,
}

fn composed(text: &str) -> String {
    const { ComposingNormalizerBorrowed::new_nfc() }
        .normalize(text)
        .trim()
        .to_owned()
}

/// A text that could not be composed, because another one is the same then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collision {
    table: &'static str,
    column: &'static str,
    key: Vec<String>,
    text: String,
}

impl std::fmt::Display for Collision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Collision {
            table,
            column,
            key,
            text,
        } = self;
        write!(
            f,
            "{column} {text:?} of {table} {}: composed (NFC), it is that of another row or too \
             long; it stays and is matched to the byte until somebody changes it",
            key.join(" ")
        )
    }
}

/// Every text that could not be composed.
pub(crate) async fn collisions(db: &DatabaseConnection) -> Result<Vec<Collision>, DbErr> {
    let mut collisions = Vec::new();
    for texts in TEXTS {
        for row in decomposed(db, texts).await? {
            collisions.push(Collision {
                table: texts.table,
                column: texts.column,
                key: row.key,
                text: row.old,
            });
        }
    }
    Ok(collisions)
}

/// Composes the texts of a column, and tells the audit log of each. Cut off, it goes on: what has been
/// composed is not looked at again.
pub(crate) async fn rewrite(manager: &SchemaManager<'_>, texts: Texts) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let backend = manager.get_database_backend();
    let rows = decomposed(db, texts).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let rows = without_collisions(db, texts, rows).await?;
    let actor = actor(db).await?;
    for rows in rows.chunks(WRITES_AT_ONCE) {
        let tx = db.begin().await?;
        for row in rows {
            let sql = format!(
                "UPDATE `{}` SET {} = ? WHERE {} = ? AND {}",
                texts.table,
                texts.column,
                texts.column,
                texts.named()
            );
            let mut values: Vec<Value> = vec![row.new.clone().into(), row.old.clone().into()];
            values.extend(row.key.iter().map(|part| Value::from(part.clone())));
            let done = tx
                .execute_raw(Statement::from_sql_and_values(backend, sql, values))
                .await?;
            if done.rows_affected() == 1
                && let Some(actor) = actor
            {
                audit_composed(&tx, backend, actor, texts, row).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(())
}

impl Texts {
    /// The condition that names a row.
    fn named(&self) -> String {
        let parts = self.key.iter().map(|column| format!("{column} = ?"));
        parts.collect::<Vec<_>>().join(" AND ")
    }

    fn scope(&self) -> &'static str {
        match self.unique {
            Unique::Among(column) => column,
            Unique::No | Unique::InTable => "''",
        }
    }

    fn row(&self, row: &QueryResult) -> Result<Option<Decomposed>, DbErr> {
        let old: Option<String> = row.try_get_by("text")?;
        let Some(old) = old else { return Ok(None) };
        let new = composed(&old);
        if new == old || new.is_empty() {
            return Ok(None);
        }
        let key = (0..self.key.len()).map(|place| row.try_get_by(format!("key{place}").as_str()));
        Ok(Some(Decomposed {
            key: key.collect::<Result<_, _>>()?,
            scope: row.try_get_by("scope")?,
            old,
            new,
        }))
    }
}

/// The texts of a column that are not composed. Databases cannot tell, so all of them are read.
async fn decomposed(db: &impl ConnectionTrait, texts: Texts) -> Result<Vec<Decomposed>, DbErr> {
    let backend = db.get_database_backend();
    let keys = texts.key.iter().enumerate();
    let keys = keys.map(|(place, column)| format!("CAST({column} AS CHAR) AS key{place}"));
    let columns = format!(
        "{}, CAST({} AS CHAR) AS scope, {} AS text",
        keys.collect::<Vec<_>>().join(", "),
        texts.scope(),
        texts.column,
    );
    let table = texts.table;
    let mut found = Vec::new();
    if texts.key != ID {
        let all = format!("SELECT {columns} FROM `{table}`");
        let all = Statement::from_string(backend, all);
        for row in db.query_all_raw(all).await? {
            found.extend(texts.row(&row)?);
        }
        return Ok(found);
    }
    let mut after = 0_i64;
    loop {
        let page = format!(
            "SELECT {columns}, id AS row_id FROM `{table}` WHERE id > ? ORDER BY id \
             LIMIT {ROWS_AT_ONCE}"
        );
        let page = Statement::from_sql_and_values(backend, page, [after.into()]);
        let rows = db.query_all_raw(page).await?;
        let Some(last) = rows.last() else {
            return Ok(found);
        };
        after = last.try_get_by("row_id")?;
        for row in &rows {
            found.extend(texts.row(row)?);
        }
    }
}

/// Those that can be composed: no other row has or gets the same, and there is room.
async fn without_collisions(
    db: &impl ConnectionTrait,
    texts: Texts,
    rows: Vec<Decomposed>,
) -> Result<Vec<Decomposed>, DbErr> {
    let mut wanted: HashMap<(String, String), usize> = HashMap::new();
    for row in &rows {
        let form = (row.scope.clone(), row.new.clone());
        *wanted.entry(form).or_default() += 1;
    }
    let mut alone = Vec::with_capacity(rows.len());
    for row in rows {
        let form = (row.scope.clone(), row.new.clone());
        let fits = row.new.chars().count() <= texts.width;
        let is_free =
            texts.unique == Unique::No || wanted[&form] == 1 && !is_taken(db, texts, &row).await?;
        if fits && is_free {
            alone.push(row);
        }
    }
    Ok(alone)
}

async fn is_taken(
    db: &impl ConnectionTrait,
    texts: Texts,
    row: &Decomposed,
) -> Result<bool, DbErr> {
    let backend = db.get_database_backend();
    let mut sql = format!(
        "SELECT 1 AS taken FROM `{}` WHERE {} = ?",
        texts.table, texts.column
    );
    let mut values: Vec<Value> = vec![row.new.clone().into()];
    if let Unique::Among(column) = texts.unique {
        sql.push_str(&format!(" AND {column} = ?"));
        values.push(row.scope.clone().into());
    }
    let statement = Statement::from_sql_and_values(backend, sql, values);
    Ok(db.query_one_raw(statement).await?.is_some())
}

/// In whose name the audit log is written: the first admin's, since every row there is somebody's; or else
/// the first account's. Without any account nobody has typed anything.
async fn actor(db: &impl ConnectionTrait) -> Result<Option<i64>, DbErr> {
    let sql = "SELECT id FROM `user` ORDER BY CASE role WHEN 'ADMIN' THEN 0 ELSE 1 END, id LIMIT 1";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await?;
    row.map(|row| row.try_get_by("id")).transpose()
}

async fn audit_composed(
    tx: &impl ConnectionTrait,
    backend: DbBackend,
    actor: i64,
    texts: Texts,
    row: &Decomposed,
) -> Result<(), DbErr> {
    let now = match backend {
        // As wide as every other instant.
        DbBackend::Sqlite => "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'",
        _ => "UTC_TIMESTAMP(6)",
    };
    let sql = format!(
        "INSERT INTO admin_audit_log (actor_id, actor, action, resource, before_json, after_json, \
         reason, request_id, created_at) VALUES (?, 'xmas-api migrate', 'TEXT_COMPOSE', ?, ?, ?, \
         NULL, 'migrate', {now})"
    );
    let state = |text: &str| json!({ (texts.column): text }).to_string();
    let values: [Value; 4] = [
        actor.into(),
        format!("{}:{}", texts.table, row.key.join(":")).into(),
        state(&row.old).into(),
        state(&row.new).into(),
    ];
    tx.execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    Ok(())
}
