//! SQL that differs between the servers, in one place.
//!
//! Tables and columns are written as SQL text with these words in braces:
//!
//! | word | MySQL, MariaDB | SQLite |
//! |---|---|---|
//! | `{id}` | 64-bit auto-increment primary key | the same |
//! | `{instant}` | `DATETIME(6)`, UTC | text of one width, UTC |
//! | `{options}` | InnoDB, utf8mb4, compared byte by byte as SQLite does | nothing |

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::{oldest_binary, script::Script};

/// Makes a table that is not there yet; `sql` is `CREATE TABLE IF NOT EXISTS …`, and may use the words above.
pub(crate) async fn create_table(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    let table = sql.split_whitespace().nth(5).unwrap_or_default();
    if has_table(manager, table.trim_matches('`')).await? {
        return Ok(());
    }
    run(manager, sql).await
}

/// Runs a statement, which may use the words above; a dry run only writes it down.
pub(crate) async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    let (id, instant, options) = match manager.get_database_backend() {
        DbBackend::Sqlite => ("INTEGER PRIMARY KEY AUTOINCREMENT", "TEXT", ""),
        _ => (
            "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
            "DATETIME(6)",
            "ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        ),
    };
    let sql = sql
        .replace("{id}", id)
        .replace("{instant}", instant)
        .replace("{options}", options);
    if Script::take_down(&sql) {
        return Ok(());
    }
    #[cfg(test)]
    crate::faults::spend()?;
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

/// Changes rows one by one, which a dry run passes over: what is to be done may depend on what it has not made.
/// `what` says it in a few words.
pub(crate) async fn change_rows(
    what: &str,
    change: impl AsyncFnOnce() -> Result<(), DbErr>,
) -> Result<(), DbErr> {
    if Script::remark(&format!("here rows are changed one by one: {what}")) {
        return Ok(());
    }
    change().await
}

/// Whether the table is there, or would be.
pub(crate) async fn has_table(manager: &SchemaManager<'_>, table: &str) -> Result<bool, DbErr> {
    match Script::has_table(table) {
        Some(made) => Ok(made),
        None => manager.has_table(table).await,
    }
}

/// Whether the column is there, or would be.
pub(crate) async fn has_column(
    manager: &SchemaManager<'_>,
    table: &str,
    column: &str,
) -> Result<bool, DbErr> {
    match Script::has_in(table, &format!("COLUMN {column}")) {
        Some(made) => Ok(made),
        None => manager.has_column(table, column).await,
    }
}

async fn has_index(manager: &SchemaManager<'_>, table: &str, name: &str) -> Result<bool, DbErr> {
    match Script::has_in(table, &format!("INDEX {name}")) {
        Some(made) => Ok(made),
        None => manager.has_index(table, name).await,
    }
}

/// Adds a column that is not there yet; `definition` may use the words above.
pub(crate) async fn add_column(
    manager: &SchemaManager<'_>,
    table: &str,
    column: &str,
    definition: &str,
) -> Result<(), DbErr> {
    if has_column(manager, table, column).await? {
        return Ok(());
    }
    let sql = format!("ALTER TABLE {table} ADD COLUMN {column} {definition}");
    run(manager, &sql).await
}

/// Drops a column that is still there.
pub(crate) async fn drop_column(
    manager: &SchemaManager<'_>,
    table: &str,
    column: &str,
) -> Result<(), DbErr> {
    if !has_column(manager, table, column).await? {
        return Ok(());
    }
    run(
        manager,
        &format!("ALTER TABLE {table} DROP COLUMN {column}"),
    )
    .await
}

/// Drops an index that is still there.
pub(crate) async fn drop_index(
    manager: &SchemaManager<'_>,
    table: &str,
    name: &str,
) -> Result<(), DbErr> {
    if !has_index(manager, table, name).await? {
        return Ok(());
    }
    let sql = match manager.get_database_backend() {
        DbBackend::Sqlite => format!("DROP INDEX {name}"),
        _ => format!("DROP INDEX {name} ON {table}"),
    };
    run(manager, &sql).await
}

/// Adds an index that is not there yet; MySQL has no `IF NOT EXISTS` for one.
pub(crate) async fn create_index(
    manager: &SchemaManager<'_>,
    name: &str,
    table: &str,
    columns: &str,
) -> Result<(), DbErr> {
    new_index(manager, "INDEX", (name, table, columns)).await
}

/// As [`create_index`]; no two rows have the same in these columns.
pub(crate) async fn create_unique_index(
    manager: &SchemaManager<'_>,
    name: &str,
    table: &str,
    columns: &str,
) -> Result<(), DbErr> {
    new_index(manager, "UNIQUE INDEX", (name, table, columns)).await
}

async fn new_index(
    manager: &SchemaManager<'_>,
    what: &str,
    (name, table, columns): (&str, &str, &str),
) -> Result<(), DbErr> {
    if has_index(manager, table, name).await? {
        return Ok(());
    }
    let sql = format!("CREATE {what} {name} ON {table} ({columns})");
    run(manager, &sql).await
}

/// Drops tables in the order given: children first.
pub(crate) async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<(), DbErr> {
    for table in tables {
        let sql = format!("DROP TABLE IF EXISTS `{table}`");
        run(manager, &sql).await?;
    }
    Ok(())
}

/// Records the oldest binary that can still run on this schema, as [`crate::steps`] has it, so that an
/// older one keeps running beside a newer schema until it is too old.
pub(crate) async fn supported_since(
    manager: &SchemaManager<'_>,
    migration: &str,
) -> Result<(), DbErr> {
    let oldest_binary = oldest_binary(migration)
        .ok_or_else(|| DbErr::Custom(format!("{migration} is not listed")))?;
    forget_support(manager, migration).await?;
    let sql = format!(
        "INSERT INTO schema_compatibility (migration, oldest_binary) \
         VALUES ('{migration}', '{oldest_binary}')"
    );
    run(manager, &sql).await
}

pub(crate) async fn forget_support(
    manager: &SchemaManager<'_>,
    migration: &str,
) -> Result<(), DbErr> {
    let sql = format!("DELETE FROM schema_compatibility WHERE migration = '{migration}'");
    run(manager, &sql).await
}
