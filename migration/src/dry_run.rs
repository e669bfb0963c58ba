use sea_orm_migration::{prelude::*, sea_orm::DatabaseConnection};

use crate::{
    journal::{applied, missing, note},
    oldest_binary,
    script::Script,
};

/// The SQL of every migration that is missing, for this server and this database, as a script; nothing if none
/// is. Changes nothing.
///
/// Where a migration changes rows one by one, a comment says so: which rows they are is only known then.
pub async fn dry_run(db: &DatabaseConnection) -> Result<String, DbErr> {
    let applied = applied(db).await?;
    let manager = SchemaManager::new(db);
    let backend = db.get_database_backend();
    Script::of(async || {
        if applied.is_empty() {
            Script::take_down(JOURNAL);
        }
        for migration in missing(&applied) {
            let name = migration.name();
            let oldest = oldest_binary(name).unwrap_or_default();
            Script::remark(&format!(
                "{name}: binaries from {oldest} on can run beside it"
            ));
            migration.up(&manager).await?;
            Script::take_down(&note(backend, name));
        }
        Ok(())
    })
    .await
}

/// The library's own table, as it makes it.
const JOURNAL: &str = "CREATE TABLE IF NOT EXISTS seaql_migrations (version VARCHAR(255) NOT NULL PRIMARY KEY, \
                       applied_at BIGINT NOT NULL)";
