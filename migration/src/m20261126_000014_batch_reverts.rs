use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::ddl::{
    add_column, create_table, create_unique_index, drop_column, drop_index, drop_tables,
    forget_support, has_column, has_table, run, supported_since,
};

/// A batch can be stopped before its end, and taken back by another one.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What a batch's state may be, and which of them are ends, before and after this migration.
const STATES: [[&str; 2]; 2] = [
    [
        "CHECK (state IN ('OPEN', 'DONE'))",
        "CHECK ((state = 'DONE') = (finished_at IS NOT NULL))",
    ],
    [
        "CHECK (state IN ('OPEN', 'DONE', 'STOPPED'))",
        "CHECK ((state = 'OPEN') = (finished_at IS NULL))",
    ],
];

const COLUMNS: &str =
    "id, batch_key, kind, fingerprint, state, reason, actor, created_at, finished_at";

/// As it was, but for the two checks.
fn table([states, ends]: [&str; 2]) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS wallet_batch_new (
            id {{id}},
            batch_key VARCHAR(300) NOT NULL,
            kind VARCHAR(16) NOT NULL,
            fingerprint CHAR(64) NOT NULL,
            state VARCHAR(16) NOT NULL,
            reason VARCHAR(500) NULL,
            actor VARCHAR(100) NOT NULL,
            created_at {{instant}} NOT NULL,
            finished_at {{instant}} NULL,
            CONSTRAINT uq_wallet_batch_key UNIQUE (batch_key),
            CONSTRAINT ck_wallet_batch_kind CHECK (kind IN ('GRANT', 'REVOKE', 'PAYOUT')),
            CONSTRAINT ck_wallet_batch_state {states},
            CONSTRAINT ck_wallet_batch_done {ends}
        ) {{options}}"
    )
}

/// Changes the two checks. A table that has the column `reverts` is left alone on SQLite, which has to make it anew.
async fn restate(manager: &SchemaManager<'_>, checks: [&str; 2]) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Sqlite {
        let [states, ends] = checks;
        let sql = format!(
            "ALTER TABLE wallet_batch DROP CONSTRAINT ck_wallet_batch_state, \
             DROP CONSTRAINT ck_wallet_batch_done, \
             ADD CONSTRAINT ck_wallet_batch_state {states}, \
             ADD CONSTRAINT ck_wallet_batch_done {ends}"
        );
        return run(manager, &sql).await;
    }
    if has_column(manager, "wallet_batch", "reverts").await? {
        return Ok(());
    }
    if has_table(manager, "wallet_batch").await? {
        drop_tables(manager, &["wallet_batch_new"]).await?;
        create_table(manager, &table(checks)).await?;
        let copy =
            format!("INSERT INTO wallet_batch_new ({COLUMNS}) SELECT {COLUMNS} FROM wallet_batch");
        run(manager, &copy).await?;
        drop_tables(manager, &["wallet_batch"]).await?;
    }
    run(
        manager,
        "ALTER TABLE wallet_batch_new RENAME TO wallet_batch",
    )
    .await?;
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let [_, new] = STATES;
        restate(manager, new).await?;
        // The batch that it takes back; one is taken back once.
        add_column(manager, "wallet_batch", "reverts", "BIGINT NULL").await?;
        create_unique_index(
            manager,
            "uq_wallet_batch_reverts",
            "wallet_batch",
            "reverts",
        )
        .await?;
        // What was moved of an item that is SHORT: only a revert takes what is there.
        add_column(
            manager,
            "wallet_batch_item",
            "part_moved",
            "BIGINT NOT NULL DEFAULT 0 CHECK (part_moved >= 0)",
        )
        .await?;
        // An older binary would go on with a batch that was stopped.
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        let [old, _] = STATES;
        drop_column(manager, "wallet_batch_item", "part_moved").await?;
        drop_index(manager, "wallet_batch", "uq_wallet_batch_reverts").await?;
        drop_column(manager, "wallet_batch", "reverts").await?;
        if has_table(manager, "wallet_batch").await? {
            let ended = "UPDATE wallet_batch SET state = 'DONE' WHERE state = 'STOPPED'";
            run(manager, ended).await?;
        }
        restate(manager, old).await
    }
}
