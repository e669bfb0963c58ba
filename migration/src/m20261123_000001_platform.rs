use sea_orm_migration::prelude::*;

use crate::ddl::{create_table, drop_tables, supported_since};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SCHEMA_COMPATIBILITY: &str = "
    CREATE TABLE IF NOT EXISTS schema_compatibility (
        migration VARCHAR(191) NOT NULL PRIMARY KEY,
        oldest_binary VARCHAR(32) NOT NULL
    ) {options}
";

const DEMO_STATE: &str = "
    CREATE TABLE IF NOT EXISTS demo_state (
        id BIGINT NOT NULL PRIMARY KEY,
        clock_offset_us BIGINT NOT NULL,
        seeded_at {instant} NOT NULL,
        CONSTRAINT ck_demo_state_one_row CHECK (id = 1)
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_table(manager, SCHEMA_COMPATIBILITY).await?;
        create_table(manager, DEMO_STATE).await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["demo_state", "schema_compatibility"]).await
    }
}
