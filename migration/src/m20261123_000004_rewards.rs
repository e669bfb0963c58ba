use sea_orm_migration::prelude::*;

use crate::ddl::{create_index, create_table, drop_tables, forget_support, supported_since};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const USER_GAME_WALLET: &str = "
    CREATE TABLE IF NOT EXISTS user_game_wallet (
        user_id BIGINT NOT NULL,
        asset VARCHAR(32) NOT NULL,
        balance BIGINT NOT NULL,
        updated_at {instant} NOT NULL,
        PRIMARY KEY (user_id, asset),
        CONSTRAINT fk_user_game_wallet_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_user_game_wallet_asset CHECK (asset IN ('POINT', 'ROULETTE_COIN', 'DICE_TOKEN', 'LOTTERY_TICKET', 'CC_COIN')),
        CONSTRAINT ck_user_game_wallet_balance CHECK (balance >= 0)
    ) {options}
";

const WALLET_LEDGER: &str = "
    CREATE TABLE IF NOT EXISTS wallet_ledger (
        id {id},
        user_id BIGINT NOT NULL,
        asset VARCHAR(32) NOT NULL,
        delta BIGINT NOT NULL,
        balance_after BIGINT NOT NULL,
        reason VARCHAR(32) NOT NULL,
        reference VARCHAR(191) NOT NULL,
        actor VARCHAR(100) NOT NULL,
        created_at {instant} NOT NULL,
        CONSTRAINT fk_wallet_ledger_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_wallet_ledger_asset CHECK (asset IN ('POINT', 'ROULETTE_COIN', 'DICE_TOKEN', 'LOTTERY_TICKET', 'CC_COIN')),
        CONSTRAINT ck_wallet_ledger_delta CHECK (delta <> 0),
        CONSTRAINT ck_wallet_ledger_balance CHECK (balance_after >= 0)
    ) {options}
";

const REWARD_LOG: &str = "
    CREATE TABLE IF NOT EXISTS reward_log (
        id {id},
        user_id BIGINT NOT NULL,
        grant_key VARCHAR(191) NOT NULL,
        source VARCHAR(32) NOT NULL,
        reward_type VARCHAR(32) NOT NULL,
        amount BIGINT NOT NULL,
        label VARCHAR(191) NULL,
        state VARCHAR(16) NOT NULL,
        reason VARCHAR(191) NULL,
        season_id BIGINT NULL,
        event_day DATE NOT NULL,
        created_at {instant} NOT NULL,
        delivered_at {instant} NULL,
        CONSTRAINT uq_reward_grant UNIQUE (grant_key),
        CONSTRAINT fk_reward_log_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_reward_log_type CHECK (reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN', 'BUNDLE', 'COUPON', 'XP', 'NONE')),
        CONSTRAINT ck_reward_log_amount CHECK (amount >= 0),
        CONSTRAINT ck_reward_log_state CHECK (state IN ('DELIVERED', 'PENDING_REVIEW', 'REJECTED')),
        CONSTRAINT ck_reward_log_delivered CHECK ((state = 'DELIVERED') = (delivered_at IS NOT NULL))
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_table(manager, USER_GAME_WALLET).await?;
        create_table(manager, WALLET_LEDGER).await?;
        create_table(manager, REWARD_LOG).await?;
        create_index(
            manager,
            "ix_wallet_ledger_user",
            "wallet_ledger",
            "user_id, id",
        )
        .await?;
        create_index(
            manager,
            "ix_wallet_ledger_reference",
            "wallet_ledger",
            "reference",
        )
        .await?;
        create_index(manager, "ix_reward_log_user", "reward_log", "user_id, id").await?;
        create_index(manager, "ix_reward_log_state", "reward_log", "state, id").await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_tables(
            manager,
            &["reward_log", "wallet_ledger", "user_game_wallet"],
        )
        .await
    }
}
