use sea_orm_migration::prelude::*;

use crate::ddl::{create_table, drop_tables, forget_support, supported_since};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SEASON_PASS_CONFIG: &str = "
    CREATE TABLE IF NOT EXISTS season_pass_config (
        id {id},
        season_name VARCHAR(100) NOT NULL,
        start_date DATE NOT NULL,
        end_date DATE NOT NULL,
        max_level BIGINT NOT NULL,
        base_xp_per_stamp BIGINT NOT NULL,
        max_xp_bonus BIGINT NOT NULL,
        grace_days BIGINT NOT NULL,
        internal_win_threshold BIGINT NOT NULL,
        is_active BOOLEAN NOT NULL,
        created_at {instant} NOT NULL,
        updated_at {instant} NOT NULL,
        CONSTRAINT uq_season_name UNIQUE (season_name),
        CONSTRAINT ck_season_dates CHECK (start_date <= end_date),
        CONSTRAINT ck_season_max_level CHECK (max_level >= 1),
        CONSTRAINT ck_season_base_xp CHECK (base_xp_per_stamp >= 0),
        CONSTRAINT ck_season_max_bonus CHECK (max_xp_bonus >= 0),
        CONSTRAINT ck_season_grace CHECK (grace_days >= 0),
        CONSTRAINT ck_season_win_threshold CHECK (internal_win_threshold >= 1)
    ) {options}
";

const SEASON_PASS_LEVEL: &str = "
    CREATE TABLE IF NOT EXISTS season_pass_level (
        season_id BIGINT NOT NULL,
        level BIGINT NOT NULL,
        required_xp BIGINT NOT NULL,
        reward_type VARCHAR(32) NOT NULL,
        reward_amount BIGINT NOT NULL,
        reward_label VARCHAR(191) NOT NULL,
        auto_claim BOOLEAN NOT NULL,
        is_manual BOOLEAN NOT NULL,
        PRIMARY KEY (season_id, level),
        CONSTRAINT uq_season_level_xp UNIQUE (season_id, required_xp),
        CONSTRAINT fk_season_level_season FOREIGN KEY (season_id) REFERENCES season_pass_config (id),
        CONSTRAINT ck_season_level_level CHECK (level >= 1),
        CONSTRAINT ck_season_level_xp CHECK (required_xp >= 0),
        CONSTRAINT ck_season_level_type CHECK (reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN', 'BUNDLE', 'COUPON', 'XP', 'NONE')),
        CONSTRAINT ck_season_level_amount CHECK (reward_amount >= 0)
    ) {options}
";

const SEASON_PASS_PROGRESS: &str = "
    CREATE TABLE IF NOT EXISTS season_pass_progress (
        user_id BIGINT NOT NULL,
        season_id BIGINT NOT NULL,
        current_xp BIGINT NOT NULL,
        current_level BIGINT NOT NULL,
        level_high_water BIGINT NOT NULL,
        total_stamps BIGINT NOT NULL,
        last_stamp_date DATE NULL,
        internal_wins BIGINT NOT NULL,
        updated_at {instant} NOT NULL,
        PRIMARY KEY (user_id, season_id),
        CONSTRAINT fk_season_progress_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_season_progress_xp CHECK (current_xp >= 0),
        CONSTRAINT ck_season_progress_level CHECK (current_level >= 0 AND level_high_water >= current_level),
        CONSTRAINT ck_season_progress_counts CHECK (total_stamps >= 0 AND internal_wins >= 0)
    ) {options}
";

const SEASON_PASS_STAMP_LOG: &str = "
    CREATE TABLE IF NOT EXISTS season_pass_stamp_log (
        id {id},
        user_id BIGINT NOT NULL,
        season_id BIGINT NOT NULL,
        period_key VARCHAR(64) NOT NULL,
        event_type VARCHAR(32) NULL,
        source_feature_type VARCHAR(32) NOT NULL,
        xp_earned BIGINT NOT NULL,
        event_day DATE NOT NULL,
        created_at {instant} NOT NULL,
        CONSTRAINT uq_season_stamp_period UNIQUE (user_id, season_id, period_key),
        CONSTRAINT fk_season_stamp_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_season_stamp_xp CHECK (xp_earned >= 0)
    ) {options}
";

const SEASON_PASS_REWARD_LOG: &str = "
    CREATE TABLE IF NOT EXISTS season_pass_reward_log (
        id {id},
        user_id BIGINT NOT NULL,
        season_id BIGINT NOT NULL,
        level BIGINT NOT NULL,
        reward_type VARCHAR(32) NOT NULL,
        reward_amount BIGINT NOT NULL,
        reward_label VARCHAR(191) NOT NULL,
        auto_claim BOOLEAN NOT NULL,
        grant_key VARCHAR(191) NOT NULL,
        claimed_at {instant} NOT NULL,
        CONSTRAINT uq_season_level_reward UNIQUE (user_id, season_id, level),
        CONSTRAINT fk_season_reward_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_season_reward_type CHECK (reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN', 'BUNDLE', 'COUPON', 'XP', 'NONE')),
        CONSTRAINT ck_season_reward_amount CHECK (reward_amount >= 0)
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_table(manager, SEASON_PASS_CONFIG).await?;
        create_table(manager, SEASON_PASS_LEVEL).await?;
        create_table(manager, SEASON_PASS_PROGRESS).await?;
        create_table(manager, SEASON_PASS_STAMP_LOG).await?;
        create_table(manager, SEASON_PASS_REWARD_LOG).await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_tables(
            manager,
            &[
                "season_pass_reward_log",
                "season_pass_stamp_log",
                "season_pass_progress",
                "season_pass_level",
                "season_pass_config",
            ],
        )
        .await
    }
}
