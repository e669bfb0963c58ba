use std::collections::HashSet;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseConnection, Statement},
};

use crate::{
    Migrator,
    journal::{applied, missing},
};

/// How a database's schema relates to this binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// Everything this binary knows has been applied, and nothing it cannot run beside.
    Current,
    /// These migrations are missing; `xmas-api migrate up` applies them.
    TooOld { missing: Vec<String> },
    /// This migration needs at least the binary named.
    TooNew {
        migration: String,
        oldest_binary: String,
    },
}

/// Compares a schema with the binary of `version` (its package version, `major.minor.patch`).
pub async fn schema_state(db: &DatabaseConnection, version: &str) -> Result<SchemaState, DbErr> {
    let applied = applied(db).await?;
    // Whatever a binary misses there, it keeps its hands off a newer schema.
    if let Some(too_new) = too_new(db, version, &applied).await? {
        return Ok(too_new);
    }
    let missing: Vec<_> = missing(&applied)
        .map(|migration| migration.name().to_owned())
        .collect();
    Ok(if missing.is_empty() {
        SchemaState::Current
    } else {
        SchemaState::TooOld { missing }
    })
}

async fn too_new(
    db: &DatabaseConnection,
    version: &str,
    applied: &HashSet<String>,
) -> Result<Option<SchemaState>, DbErr> {
    // Which its first migration makes.
    if applied.is_empty() {
        return Ok(None);
    }
    let support = "SELECT migration, oldest_binary FROM schema_compatibility ORDER BY migration";
    let support = Statement::from_string(db.get_database_backend(), support);
    for row in db.query_all_raw(support).await? {
        let oldest_binary: String = row.try_get_by("oldest_binary")?;
        if number(&oldest_binary) > number(version) {
            return Ok(Some(SchemaState::TooNew {
                migration: row.try_get_by("migration")?,
                oldest_binary,
            }));
        }
    }
    Ok(None)
}

/// How many migrations this binary knows, and how many of them a database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub expected: usize,
    pub actual: usize,
}

/// Counts migrations; those of newer binaries count as well.
pub async fn versions(db: &DatabaseConnection) -> Result<Versions, DbErr> {
    Ok(Versions {
        expected: Migrator::migrations().len(),
        actual: applied(db).await?.len(),
    })
}

/// `1.12.3` as numbers, so that versions compare as such.
fn number(version: &str) -> Vec<u64> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(number("0.10.0") > number("0.9.9"));
        assert!(number("1.0.0") > number("0.99.99"));
        assert_eq!(number("0.1.0"), number("0.1.0"));
    }
}
