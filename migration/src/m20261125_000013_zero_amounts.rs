use sea_orm_migration::prelude::*;

use crate::ddl::{forget_support, supported_since};

/// Configurations may promise 0 of something from now on. Every table has always had room for it; but a
/// binary from before 0.2.0 takes such a wheel for a broken one, and must not run beside one that saves it.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await
    }
}
