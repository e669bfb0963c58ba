use sea_orm_migration::prelude::*;

use crate::{
    composed,
    ddl::{change_rows, forget_support, supported_since},
};

/// Ids, names and labels become what they are compared as: composed (NFC) and trimmed. What would then be
/// the same as another one stays, and is listed by [`crate::attention`].
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        change_rows("names and labels are composed (NFC)", async || {
            for texts in composed::TEXTS {
                composed::rewrite(manager, texts).await?;
            }
            Ok(())
        })
        .await?;
        supported_since(manager, self.name()).await
    }

    /// The same texts as before, for whoever reads them.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await
    }
}
