use sea_orm_migration::prelude::*;

use crate::ddl::{forget_support, run, supported_since};

/// The turn of whoever applies a whole event, by which copies of its parts are told apart.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Harmless when it runs again.
const ADD: &str = "
    INSERT INTO config_lock (area) SELECT 'EVENT' FROM (SELECT 1 AS one) AS t
    WHERE NOT EXISTS (SELECT 1 FROM config_lock WHERE area = 'EVENT')
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, ADD).await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        run(manager, "DELETE FROM config_lock WHERE area = 'EVENT'").await
    }
}
