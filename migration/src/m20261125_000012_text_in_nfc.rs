use sea_orm_migration::prelude::*;

use crate::{
    composed,
    ddl::{forget_support, supported_since},
};

/// Ids, names and labels become what they are compared as: composed (NFC) and trimmed. What would then be
/// the same as another one stays, and is listed by [`crate::attention`].
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for texts in composed::TEXTS {
            composed::rewrite(manager, texts).await?;
        }
        supported_since(manager, self.name(), "0.2.0").await
    }

    /// The same texts as before, for whoever reads them.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await
    }
}
