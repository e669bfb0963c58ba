use sea_orm_migration::{prelude::*, sea_orm::DatabaseConnection};

use crate::{
    Migrator, MigratorTrait,
    journal::{applied, missing, note},
    steps,
};

/// The oldest binary (its package version) that can run beside a migration of this name, if there is one.
pub fn oldest_binary(migration: &str) -> Option<&'static str> {
    let mut steps = steps().into_iter();
    let found = steps.find(|(step, _)| step.name() == migration);
    found.map(|(_, oldest_binary)| oldest_binary)
}

/// Applies the first migration that is missing, and returns its name; `None` if none is. Those of newer
/// binaries do not matter.
pub async fn apply_next(db: &DatabaseConnection) -> Result<Option<String>, DbErr> {
    Migrator::install(db).await?;
    let Some(migration) = missing(&applied(db).await?).next() else {
        return Ok(None);
    };
    migration.up(&SchemaManager::new(db)).await?;
    let name = migration.name();
    let note = note(db.get_database_backend(), name);
    db.execute_unprepared(&note).await?;
    Ok(Some(name.to_owned()))
}
