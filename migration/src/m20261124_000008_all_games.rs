use sea_orm_migration::prelude::*;

use crate::ddl::{
    add_column, create_index, create_table, drop_column, drop_index, drop_tables, forget_support,
    supported_since,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const DICE_CONFIG: &str = "
    CREATE TABLE IF NOT EXISTS dice_config (
        id {id},
        name VARCHAR(100) NOT NULL,
        is_active BOOLEAN NOT NULL,
        active_slot BIGINT NULL,
        max_daily_plays BIGINT NOT NULL,
        win_reward_type VARCHAR(32) NOT NULL,
        win_reward_amount BIGINT NOT NULL,
        win_reward_item BIGINT NULL,
        draw_reward_type VARCHAR(32) NOT NULL,
        draw_reward_amount BIGINT NOT NULL,
        draw_reward_item BIGINT NULL,
        lose_reward_type VARCHAR(32) NOT NULL,
        lose_reward_amount BIGINT NOT NULL,
        lose_reward_item BIGINT NULL,
        created_at {instant} NOT NULL,
        updated_at {instant} NOT NULL,
        CONSTRAINT uq_dice_active UNIQUE (active_slot),
        CONSTRAINT ck_dice_active CHECK ((is_active = 1) = (active_slot IS NOT NULL)),
        CONSTRAINT ck_dice_active_slot CHECK (active_slot = 1),
        CONSTRAINT ck_dice_max_daily CHECK (max_daily_plays >= 0),
        CONSTRAINT ck_dice_win_type CHECK (win_reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN', 'BUNDLE', 'COUPON', 'XP', 'NONE')),
        CONSTRAINT ck_dice_draw_type CHECK (draw_reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN', 'BUNDLE', 'COUPON', 'XP', 'NONE')),
        CONSTRAINT ck_dice_lose_type CHECK (lose_reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN', 'BUNDLE', 'COUPON', 'XP', 'NONE')),
        CONSTRAINT ck_dice_amounts CHECK (win_reward_amount >= 0 AND draw_reward_amount >= 0 AND lose_reward_amount >= 0)
    ) {options}
";

const LOTTERY_CONFIG: &str = "
    CREATE TABLE IF NOT EXISTS lottery_config (
        id {id},
        name VARCHAR(100) NOT NULL,
        is_active BOOLEAN NOT NULL,
        active_slot BIGINT NULL,
        max_daily_plays BIGINT NOT NULL,
        created_at {instant} NOT NULL,
        updated_at {instant} NOT NULL,
        CONSTRAINT uq_lottery_active UNIQUE (active_slot),
        CONSTRAINT ck_lottery_active CHECK ((is_active = 1) = (active_slot IS NOT NULL)),
        CONSTRAINT ck_lottery_active_slot CHECK (active_slot = 1),
        CONSTRAINT ck_lottery_max_daily CHECK (max_daily_plays >= 0)
    ) {options}
";

/// `stock` and what has been issued add up to `stock_supplied`, the sum of all edits of the stock;
/// `stock_at_edit` is what the last edit left.
const LOTTERY_PRIZE: &str = "
    CREATE TABLE IF NOT EXISTS lottery_prize (
        id {id},
        config_id BIGINT NOT NULL,
        label VARCHAR(100) NOT NULL,
        weight BIGINT NOT NULL,
        stock BIGINT NULL,
        stock_at_edit BIGINT NULL,
        stock_supplied BIGINT NULL,
        reward_type VARCHAR(32) NOT NULL,
        reward_amount BIGINT NOT NULL,
        reward_item BIGINT NULL,
        is_active BOOLEAN NOT NULL,
        CONSTRAINT uq_lottery_prize_label UNIQUE (config_id, label),
        CONSTRAINT fk_lottery_prize_config FOREIGN KEY (config_id) REFERENCES lottery_config (id),
        CONSTRAINT ck_lottery_prize_weight CHECK (weight >= 0),
        CONSTRAINT ck_lottery_prize_stock CHECK (stock >= 0 AND stock_at_edit >= 0 AND stock_supplied >= stock),
        CONSTRAINT ck_lottery_prize_limited CHECK ((stock IS NULL) = (stock_at_edit IS NULL) AND (stock IS NULL) = (stock_supplied IS NULL)),
        CONSTRAINT ck_lottery_prize_type CHECK (reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN', 'BUNDLE', 'COUPON', 'XP', 'NONE')),
        CONSTRAINT ck_lottery_prize_amount CHECK (reward_amount >= 0)
    ) {options}
";

const RANKING_DAILY: &str = "
    CREATE TABLE IF NOT EXISTS ranking_daily (
        id {id},
        event_day DATE NOT NULL,
        place BIGINT NOT NULL,
        user_id BIGINT NULL,
        display_name VARCHAR(100) NOT NULL,
        score BIGINT NOT NULL,
        CONSTRAINT uq_ranking_daily_place UNIQUE (event_day, place),
        CONSTRAINT uq_ranking_daily_user UNIQUE (event_day, user_id),
        CONSTRAINT fk_ranking_daily_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_ranking_daily_place CHECK (place >= 1)
    ) {options}
";

const EXTERNAL_RANKING_DATA: &str = "
    CREATE TABLE IF NOT EXISTS external_ranking_data (
        id {id},
        user_id BIGINT NOT NULL,
        deposit_amount BIGINT NOT NULL,
        play_count BIGINT NOT NULL,
        memo VARCHAR(255) NULL,
        created_at {instant} NOT NULL,
        updated_at {instant} NOT NULL,
        CONSTRAINT uq_external_ranking_user UNIQUE (user_id),
        CONSTRAINT fk_external_ranking_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_external_ranking_amounts CHECK (deposit_amount >= 0 AND play_count >= 0)
    ) {options}
";

/// Never changed once written: the content is what its hash is of, byte for byte.
const ODDS_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS odds_table (
        id {id},
        feature_type VARCHAR(32) NOT NULL,
        content_hash CHAR(64) NOT NULL,
        content TEXT NOT NULL,
        created_at {instant} NOT NULL,
        CONSTRAINT uq_odds_table_content UNIQUE (content_hash),
        CONSTRAINT ck_odds_table_content CHECK (json_valid(content))
    ) {options}
";

const DRAW_SEED: &str = "
    CREATE TABLE IF NOT EXISTS draw_seed (
        id {id},
        event_day DATE NOT NULL,
        commitment CHAR(64) NOT NULL,
        sealed_seed VARCHAR(255) NOT NULL,
        created_at {instant} NOT NULL,
        CONSTRAINT uq_draw_seed_day UNIQUE (event_day)
    ) {options}
";

/// The draws of a play that brought a prize of which nothing was left.
const FEATURE_REDRAW: &str = "
    CREATE TABLE IF NOT EXISTS feature_redraw (
        play_id BIGINT NOT NULL,
        attempt BIGINT NOT NULL,
        odds_id BIGINT NOT NULL,
        entry_id BIGINT NOT NULL,
        PRIMARY KEY (play_id, attempt),
        CONSTRAINT fk_feature_redraw_play FOREIGN KEY (play_id) REFERENCES feature_log (id),
        CONSTRAINT ck_feature_redraw_attempt CHECK (attempt >= 0)
    ) {options}
";

const PLAY_COLUMNS: [(&str, &str); 3] = [
    ("attempt", "BIGINT NOT NULL DEFAULT 0"),
    ("entry_id", "BIGINT NOT NULL DEFAULT 0"),
    ("took_stock", "BOOLEAN NOT NULL DEFAULT 0"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            DICE_CONFIG,
            LOTTERY_CONFIG,
            LOTTERY_PRIZE,
            RANKING_DAILY,
            EXTERNAL_RANKING_DATA,
            ODDS_TABLE,
            DRAW_SEED,
            FEATURE_REDRAW,
        ] {
            create_table(manager, table).await?;
        }
        // Which entry of its odds table a play brought, in which attempt, and whether the prize came
        // out of a stock.
        for (column, definition) in PLAY_COLUMNS {
            add_column(manager, "feature_log", column, definition).await?;
        }
        create_index(
            manager,
            "ix_feature_log_odds",
            "feature_log",
            "odds_id, entry_id",
        )
        .await?;
        create_index(
            manager,
            "ix_feature_redraw_odds",
            "feature_redraw",
            "odds_id, entry_id",
        )
        .await?;
        create_index(
            manager,
            "ix_feature_log_history",
            "feature_log",
            "user_id, created_at",
        )
        .await?;
        drop_index(manager, "feature_log", "ix_feature_log_user").await?;
        create_index(
            manager,
            "ix_external_ranking_order",
            "external_ranking_data",
            "deposit_amount, play_count, id",
        )
        .await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_tables(
            manager,
            &[
                "feature_redraw",
                "draw_seed",
                "odds_table",
                "external_ranking_data",
                "ranking_daily",
                "lottery_prize",
                "lottery_config",
                "dice_config",
            ],
        )
        .await?;
        create_index(manager, "ix_feature_log_user", "feature_log", "user_id, id").await?;
        drop_index(manager, "feature_log", "ix_feature_log_history").await?;
        drop_index(manager, "feature_log", "ix_feature_log_odds").await?;
        for (column, _) in PLAY_COLUMNS.into_iter().rev() {
            drop_column(manager, "feature_log", column).await?;
        }
        Ok(())
    }
}
