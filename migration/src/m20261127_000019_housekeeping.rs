use sea_orm_migration::prelude::*;

use crate::ddl::{create_index, drop_index, forget_support, supported_since};

/// Refresh tokens that have ended are found by their end, to be removed.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEX: &str = "ix_refresh_token_expires";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_index(manager, INDEX, "refresh_token", "expires_at").await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_index(manager, "refresh_token", INDEX).await
    }
}
