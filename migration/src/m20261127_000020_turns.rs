use sea_orm_migration::prelude::*;

use crate::ddl::{
    add_column, create_unique_index, drop_column, drop_index, forget_support, supported_since,
};

/// What decides between two nodes of a cluster, where a lock holds on one node only: rows that are written in their
/// holder's turn, and a number that only one part of a mission has.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const IN_TURN: [&str; 3] = ["config_lock", "event_bridge", "wallet_batch"];

const PROGRESS: &str = "event_bridge_progress";
const ONE_PER_NUMBER: &str = "uq_event_bridge_progress_number";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in IN_TURN {
            add_column(manager, table, "turn", "BIGINT NOT NULL DEFAULT 0").await?;
        }
        // Null in rows of an older binary, which any number of rows may have.
        add_column(manager, PROGRESS, "part_number", "BIGINT NULL").await?;
        create_unique_index(
            manager,
            ONE_PER_NUMBER,
            PROGRESS,
            "user_id, bridge_id, day_number, part_number",
        )
        .await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_index(manager, PROGRESS, ONE_PER_NUMBER).await?;
        drop_column(manager, PROGRESS, "part_number").await?;
        for table in IN_TURN {
            drop_column(manager, table, "turn").await?;
        }
        Ok(())
    }
}
