use std::collections::HashSet;

use sea_orm_migration::{prelude::*, sea_orm::DatabaseConnection};

use crate::Migrator;

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
    let known: Vec<String> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(SchemaState::TooOld { missing: known });
    }
    let applied: HashSet<String> = strings(db, "SELECT version FROM seaql_migrations")
        .await?
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    let missing: Vec<String> = known
        .iter()
        .filter(|name| !applied.contains(*name))
        .cloned()
        .collect();
    if !missing.is_empty() {
        return Ok(SchemaState::TooOld { missing });
    }
    let support = "SELECT migration, oldest_binary FROM schema_compatibility ORDER BY migration";
    let too_new = strings(db, support)
        .await?
        .into_iter()
        .find(|row| number(&row[1]) > number(version));
    Ok(match too_new {
        Some(row) => SchemaState::TooNew {
            migration: row[0].clone(),
            oldest_binary: row[1].clone(),
        },
        None => SchemaState::Current,
    })
}

/// How many migrations this binary knows, and how many of them a database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub expected: usize,
    pub actual: usize,
}

impl Versions {
    /// Of a database without a schema.
    pub fn of_nothing() -> Self {
        Self {
            expected: Migrator::migrations().len(),
            actual: 0,
        }
    }
}

/// Counts migrations; those of newer binaries count as well.
pub async fn versions(db: &DatabaseConnection) -> Result<Versions, DbErr> {
    let applied = strings(db, "SELECT version FROM seaql_migrations").await?;
    Ok(Versions {
        actual: applied.len(),
        ..Versions::of_nothing()
    })
}

/// All rows of a query whose columns are text.
async fn strings(db: &DatabaseConnection, sql: &str) -> Result<Vec<Vec<String>>, DbErr> {
    let statement = sea_orm::Statement::from_string(db.get_database_backend(), sql.to_owned());
    db.query_all_raw(statement)
        .await?
        .iter()
        .map(|row| {
            (0..row.column_names().len())
                .map(|column| row.try_get_by(column))
                .collect()
        })
        .collect()
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
