//! Which migrations a database has: the library's table `seaql_migrations`.

use std::collections::HashSet;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseConnection, DbBackend, Statement},
};

use crate::{Migrator, MigratorTrait};

/// The names of the migrations that a database has.
pub(crate) async fn applied(db: &DatabaseConnection) -> Result<HashSet<String>, DbErr> {
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(HashSet::new());
    }
    let names = "SELECT version FROM seaql_migrations";
    let names = Statement::from_string(db.get_database_backend(), names);
    let rows = db.query_all_raw(names).await?;
    rows.iter().map(|row| row.try_get_by("version")).collect()
}

/// The migrations that are not applied, in their order.
pub(crate) fn missing(applied: &HashSet<String>) -> impl Iterator<Item = Box<dyn MigrationTrait>> {
    let migrations = Migrator::migrations().into_iter();
    migrations.filter(|migration| !applied.contains(migration.name()))
}

/// The statement that notes that a migration was applied.
pub(crate) fn note(backend: DbBackend, name: &str) -> String {
    let now = match backend {
        DbBackend::Sqlite => "unixepoch()",
        _ => "UNIX_TIMESTAMP()",
    };
    format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{name}', {now})")
}
