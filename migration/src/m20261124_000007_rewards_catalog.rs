use sea_orm_migration::prelude::*;

use crate::ddl::{
    add_column, create_index, create_table, drop_column, drop_index, drop_tables, forget_support,
    supported_since,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const REWARD_BUNDLE: &str = "
    CREATE TABLE IF NOT EXISTS reward_bundle (
        id {id},
        name VARCHAR(100) NOT NULL,
        created_at {instant} NOT NULL,
        CONSTRAINT uq_reward_bundle_name UNIQUE (name)
    ) {options}
";

/// What a bundle holds can go into a wallet; so no bundle holds a bundle.
const REWARD_BUNDLE_ITEM: &str = "
    CREATE TABLE IF NOT EXISTS reward_bundle_item (
        bundle_id BIGINT NOT NULL,
        position BIGINT NOT NULL,
        reward_type VARCHAR(32) NOT NULL,
        amount BIGINT NOT NULL,
        PRIMARY KEY (bundle_id, position),
        CONSTRAINT fk_reward_bundle_item_bundle FOREIGN KEY (bundle_id) REFERENCES reward_bundle (id),
        CONSTRAINT ck_reward_bundle_item_type CHECK (reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN')),
        CONSTRAINT ck_reward_bundle_item_amount CHECK (amount >= 1)
    ) {options}
";

const COUPON_KIND: &str = "
    CREATE TABLE IF NOT EXISTS coupon_kind (
        id {id},
        name VARCHAR(100) NOT NULL,
        is_manual BOOLEAN NOT NULL,
        created_at {instant} NOT NULL,
        CONSTRAINT uq_coupon_kind_name UNIQUE (name)
    ) {options}
";

/// A code is free as long as it belongs to no receipt.
const COUPON_CODE: &str = "
    CREATE TABLE IF NOT EXISTS coupon_code (
        id {id},
        kind_id BIGINT NOT NULL,
        fingerprint CHAR(64) NOT NULL,
        sealed_code VARCHAR(512) NOT NULL,
        reward_id BIGINT NULL,
        created_at {instant} NOT NULL,
        taken_at {instant} NULL,
        CONSTRAINT uq_coupon_code_fingerprint UNIQUE (kind_id, fingerprint),
        CONSTRAINT uq_coupon_code_reward UNIQUE (reward_id),
        CONSTRAINT fk_coupon_code_kind FOREIGN KEY (kind_id) REFERENCES coupon_kind (id),
        CONSTRAINT ck_coupon_code_taken CHECK ((reward_id IS NULL) = (taken_at IS NULL))
    ) {options}
";

/// A value that only the right `DATA_KEY` opens, sealed when the first one is used.
const DATA_KEY_PROBE: &str = "
    CREATE TABLE IF NOT EXISTS data_key_probe (
        id BIGINT NOT NULL PRIMARY KEY,
        sealed VARCHAR(255) NOT NULL,
        CONSTRAINT ck_data_key_probe_one_row CHECK (id = 1)
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_table(manager, DATA_KEY_PROBE).await?;
        create_table(manager, REWARD_BUNDLE).await?;
        create_table(manager, REWARD_BUNDLE_ITEM).await?;
        create_table(manager, COUPON_KIND).await?;
        create_table(manager, COUPON_CODE).await?;
        create_index(
            manager,
            "ix_coupon_code_free",
            "coupon_code",
            "kind_id, reward_id",
        )
        .await?;
        // Which bundle or kind of coupon is promised.
        for table in ["reward_log", "season_pass_level", "roulette_segment"] {
            add_column(manager, table, "reward_item", "BIGINT NULL").await?;
        }
        add_column(manager, "reward_log", "reviewed_at", "{instant} NULL").await?;
        add_column(manager, "reward_log", "reviewed_by", "VARCHAR(100) NULL").await?;
        // A player's history is read by time across three tables.
        create_index(
            manager,
            "ix_reward_log_history",
            "reward_log",
            "user_id, created_at",
        )
        .await?;
        drop_index(manager, "reward_log", "ix_reward_log_user").await?;
        create_index(
            manager,
            "ix_season_stamp_history",
            "season_pass_stamp_log",
            "user_id, created_at",
        )
        .await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_index(manager, "season_pass_stamp_log", "ix_season_stamp_history").await?;
        create_index(manager, "ix_reward_log_user", "reward_log", "user_id, id").await?;
        drop_index(manager, "reward_log", "ix_reward_log_history").await?;
        drop_column(manager, "reward_log", "reviewed_by").await?;
        drop_column(manager, "reward_log", "reviewed_at").await?;
        for table in ["roulette_segment", "season_pass_level", "reward_log"] {
            drop_column(manager, table, "reward_item").await?;
        }
        drop_tables(
            manager,
            &[
                "coupon_code",
                "coupon_kind",
                "reward_bundle_item",
                "reward_bundle",
                "data_key_probe",
            ],
        )
        .await
    }
}
