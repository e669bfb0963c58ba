use sea_orm_migration::prelude::*;

use crate::ddl::{create_table, drop_tables, forget_support, supported_since};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What a job found when it last ran to its end, whichever process ran it.
const JOB_RESULT: &str = "
    CREATE TABLE IF NOT EXISTS job_result (
        name VARCHAR(100) NOT NULL PRIMARY KEY,
        result TEXT NOT NULL,
        finished_at {instant} NOT NULL
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_table(manager, JOB_RESULT).await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_tables(manager, &["job_result"]).await
    }
}
