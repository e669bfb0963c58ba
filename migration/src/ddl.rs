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

pub(crate) async fn create_table(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    run(manager, sql).await
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
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
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

/// Adds a column that is not there yet; `definition` may use the words above.
pub(crate) async fn add_column(
    manager: &SchemaManager<'_>,
    table: &str,
    column: &str,
    definition: &str,
) -> Result<(), DbErr> {
    if manager.has_column(table, column).await? {
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
    if !manager.has_column(table, column).await? {
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
    if !manager.has_index(table, name).await? {
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
    if manager.has_index(table, name).await? {
        return Ok(());
    }
    let sql = format!("CREATE {what} {name} ON {table} ({columns})");
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

/// Drops tables in the order given: children first.
pub(crate) async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<(), DbErr> {
    for table in tables {
        let sql = format!("DROP TABLE IF EXISTS `{table}`");
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Records the oldest binary (its package version) that can still run on this schema, so that an
/// older one keeps running beside a newer schema until it is too old.
pub(crate) async fn supported_since(
    manager: &SchemaManager<'_>,
    migration: &str,
    oldest_binary: &str,
) -> Result<(), DbErr> {
    forget_support(manager, migration).await?;
    let sql = format!(
        "INSERT INTO schema_compatibility (migration, oldest_binary) \
         VALUES ('{migration}', '{oldest_binary}')"
    );
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

pub(crate) async fn forget_support(
    manager: &SchemaManager<'_>,
    migration: &str,
) -> Result<(), DbErr> {
    let sql = format!("DELETE FROM schema_compatibility WHERE migration = '{migration}'");
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}
