use sea_orm_migration::prelude::*;

use crate::ddl::{create_index, create_table, drop_tables, forget_support, supported_since};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const ROULETTE_CONFIG: &str = "
    CREATE TABLE IF NOT EXISTS roulette_config (
        id {id},
        name VARCHAR(100) NOT NULL,
        is_active BOOLEAN NOT NULL,
        active_slot BIGINT NULL,
        max_daily_spins BIGINT NOT NULL,
        created_at {instant} NOT NULL,
        updated_at {instant} NOT NULL,
        CONSTRAINT uq_roulette_active UNIQUE (active_slot),
        CONSTRAINT ck_roulette_active CHECK ((is_active = 1) = (active_slot IS NOT NULL)),
        CONSTRAINT ck_roulette_active_slot CHECK (active_slot = 1),
        CONSTRAINT ck_roulette_max_daily CHECK (max_daily_spins >= 0)
    ) {options}
";

const ROULETTE_SEGMENT: &str = "
    CREATE TABLE IF NOT EXISTS roulette_segment (
        id {id},
        config_id BIGINT NOT NULL,
        slot_index BIGINT NOT NULL,
        label VARCHAR(100) NOT NULL,
        weight BIGINT NOT NULL,
        reward_type VARCHAR(32) NOT NULL,
        reward_amount BIGINT NOT NULL,
        is_jackpot BOOLEAN NOT NULL,
        CONSTRAINT uq_roulette_segment_slot UNIQUE (config_id, slot_index),
        CONSTRAINT fk_roulette_segment_config FOREIGN KEY (config_id) REFERENCES roulette_config (id),
        CONSTRAINT ck_roulette_segment_slot CHECK (slot_index BETWEEN 0 AND 5),
        CONSTRAINT ck_roulette_segment_weight CHECK (weight >= 0),
        CONSTRAINT ck_roulette_segment_type CHECK (reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN', 'BUNDLE', 'COUPON', 'XP', 'NONE')),
        CONSTRAINT ck_roulette_segment_amount CHECK (reward_amount >= 0)
    ) {options}
";

const FEATURE_LOG: &str = "
    CREATE TABLE IF NOT EXISTS feature_log (
        id {id},
        user_id BIGINT NOT NULL,
        feature_type VARCHAR(32) NOT NULL,
        config_id BIGINT NOT NULL,
        odds_id BIGINT NULL,
        nonce BIGINT NOT NULL,
        outcome TEXT NOT NULL,
        is_win BOOLEAN NOT NULL,
        reward_type VARCHAR(32) NOT NULL,
        reward_amount BIGINT NOT NULL,
        event_day DATE NOT NULL,
        created_at {instant} NOT NULL,
        CONSTRAINT uq_feature_log_nonce UNIQUE (user_id, feature_type, event_day, nonce),
        CONSTRAINT fk_feature_log_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_feature_log_nonce CHECK (nonce >= 0),
        CONSTRAINT ck_feature_log_outcome CHECK (json_valid(outcome)),
        CONSTRAINT ck_feature_log_type CHECK (reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN', 'BUNDLE', 'COUPON', 'XP', 'NONE')),
        CONSTRAINT ck_feature_log_amount CHECK (reward_amount >= 0)
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_table(manager, ROULETTE_CONFIG).await?;
        create_table(manager, ROULETTE_SEGMENT).await?;
        create_table(manager, FEATURE_LOG).await?;
        create_index(manager, "ix_feature_log_user", "feature_log", "user_id, id").await?;
        create_index(
            manager,
            "ix_feature_log_created",
            "feature_log",
            "feature_type, created_at",
        )
        .await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_tables(
            manager,
            &["feature_log", "roulette_segment", "roulette_config"],
        )
        .await
    }
}
