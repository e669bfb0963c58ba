use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::ddl::{
    create_index, create_table, drop_index, drop_tables, forget_support, has_table, run,
    supported_since,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What operators did. Only ever added to.
const ADMIN_AUDIT_LOG: &str = "
    CREATE TABLE IF NOT EXISTS admin_audit_log (
        id {id},
        actor_id BIGINT NOT NULL,
        actor VARCHAR(100) NOT NULL,
        action VARCHAR(64) NOT NULL,
        resource VARCHAR(191) NOT NULL,
        before_json MEDIUMTEXT NULL,
        after_json MEDIUMTEXT NULL,
        reason VARCHAR(500) NULL,
        request_id VARCHAR(64) NOT NULL,
        created_at {instant} NOT NULL,
        CONSTRAINT fk_admin_audit_log_actor FOREIGN KEY (actor_id) REFERENCES `user` (id),
        CONSTRAINT ck_admin_audit_log_before CHECK (before_json IS NULL OR json_valid(before_json)),
        CONSTRAINT ck_admin_audit_log_after CHECK (after_json IS NULL OR json_valid(after_json))
    ) {options}
";

/// A row for each part of the configuration, which whoever edits it locks.
const CONFIG_LOCK: &str = "
    CREATE TABLE IF NOT EXISTS config_lock (
        area VARCHAR(32) NOT NULL PRIMARY KEY
    ) {options}
";

const AREAS: [&str; 10] = [
    "SEASONS",
    "ROULETTE",
    "DICE",
    "LOTTERY",
    "FEATURES",
    "UI_CONFIG",
    "RANKING",
    "EXTERNAL_RANKING",
    "BRIDGE",
    "REWARDS",
];

const APP_UI_CONFIG: &str = "
    CREATE TABLE IF NOT EXISTS app_ui_config (
        config_key VARCHAR(100) NOT NULL PRIMARY KEY,
        value_json MEDIUMTEXT NOT NULL,
        updated_at {instant} NOT NULL,
        CONSTRAINT ck_app_ui_config_key CHECK (config_key <> ''),
        CONSTRAINT ck_app_ui_config_value CHECK (json_valid(value_json))
    ) {options}
";

/// Tokens or points that are given to, or taken from, many players under one name.
const WALLET_BATCH: &str = "
    CREATE TABLE IF NOT EXISTS wallet_batch (
        id {id},
        batch_key VARCHAR(300) NOT NULL,
        kind VARCHAR(16) NOT NULL,
        fingerprint CHAR(64) NOT NULL,
        state VARCHAR(16) NOT NULL,
        reason VARCHAR(500) NULL,
        actor VARCHAR(100) NOT NULL,
        created_at {instant} NOT NULL,
        finished_at {instant} NULL,
        CONSTRAINT uq_wallet_batch_key UNIQUE (batch_key),
        CONSTRAINT ck_wallet_batch_kind CHECK (kind IN ('GRANT', 'REVOKE', 'PAYOUT')),
        CONSTRAINT ck_wallet_batch_state CHECK (state IN ('OPEN', 'DONE')),
        CONSTRAINT ck_wallet_batch_done CHECK ((state = 'DONE') = (finished_at IS NOT NULL))
    ) {options}
";

/// What a batch does to one wallet: planned with the batch, done once. No foreign key to the batch:
/// its row is locked while chunks are done.
const WALLET_BATCH_ITEM: &str = "
    CREATE TABLE IF NOT EXISTS wallet_batch_item (
        batch_id BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        asset VARCHAR(32) NOT NULL,
        amount BIGINT NOT NULL,
        state VARCHAR(16) NOT NULL,
        PRIMARY KEY (batch_id, user_id, asset),
        CONSTRAINT ck_wallet_batch_item_asset CHECK (asset IN ('POINT', 'ROULETTE_COIN', 'DICE_TOKEN', 'LOTTERY_TICKET', 'CC_COIN')),
        CONSTRAINT ck_wallet_batch_item_amount CHECK (amount >= 1),
        CONSTRAINT ck_wallet_batch_item_state CHECK (state IN ('PLANNED', 'DONE', 'SHORT'))
    ) {options}
";

/// As it was, but for the amount of XP that an operator takes back.
const REWARD_LOG: &str = "
    CREATE TABLE IF NOT EXISTS reward_log_new (
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
        reward_item BIGINT NULL,
        reviewed_at {instant} NULL,
        reviewed_by VARCHAR(100) NULL,
        CONSTRAINT uq_reward_grant UNIQUE (grant_key),
        CONSTRAINT fk_reward_log_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_reward_log_type CHECK (reward_type IN ('POINT', 'TICKET_ROULETTE', 'TICKET_DICE', 'TICKET_LOTTERY', 'CC_COIN', 'BUNDLE', 'COUPON', 'XP', 'NONE')),
        CONSTRAINT ck_reward_log_amount CHECK (amount >= 0 OR reward_type = 'XP'),
        CONSTRAINT ck_reward_log_state CHECK (state IN ('DELIVERED', 'PENDING_REVIEW', 'REJECTED')),
        CONSTRAINT ck_reward_log_delivered CHECK ((state = 'DELIVERED') = (delivered_at IS NOT NULL))
    ) {options}
";

/// Lets the receipt of a correction have a negative amount of XP, or not any more.
async fn allow_negative_xp(manager: &SchemaManager<'_>, allow: bool) -> Result<(), DbErr> {
    let check = if allow {
        "CHECK (amount >= 0 OR reward_type = 'XP')"
    } else {
        "CHECK (amount >= 0)"
    };
    if manager.get_database_backend() != DbBackend::Sqlite {
        let sql = format!(
            "ALTER TABLE reward_log DROP CONSTRAINT ck_reward_log_amount, \
             ADD CONSTRAINT ck_reward_log_amount {check}"
        );
        return run(manager, &sql).await;
    }
    // SQLite cannot change a check; the table is made anew. No other table refers to it.
    if has_table(manager, "reward_log").await? {
        drop_tables(manager, &["reward_log_new"]).await?;
        let table = REWARD_LOG.replace("CHECK (amount >= 0 OR reward_type = 'XP')", check);
        create_table(manager, &table).await?;
        let columns = "id, user_id, grant_key, source, reward_type, amount, label, state, reason, \
                       season_id, event_day, created_at, delivered_at, reward_item, reviewed_at, \
                       reviewed_by";
        let copy =
            format!("INSERT INTO reward_log_new ({columns}) SELECT {columns} FROM reward_log");
        run(manager, &copy).await?;
        drop_tables(manager, &["reward_log"]).await?;
    }
    run(manager, "ALTER TABLE reward_log_new RENAME TO reward_log").await?;
    create_index(manager, "ix_reward_log_state", "reward_log", "state, id").await?;
    create_index(
        manager,
        "ix_reward_log_history",
        "reward_log",
        "user_id, created_at",
    )
    .await
}

/// Lists of operators, newest first, and the dashboard. Those of logs go on with the time, which has
/// the id behind it on every server, so that a page is read from the index in its order.
const INDEXES: [(&str, &str, &str); 15] = [
    (
        "ix_admin_audit_log_resource",
        "admin_audit_log",
        "resource, id",
    ),
    ("ix_admin_audit_log_actor", "admin_audit_log", "actor, id"),
    ("ix_admin_audit_log_action", "admin_audit_log", "action, id"),
    (
        "ix_admin_audit_log_request",
        "admin_audit_log",
        "request_id",
    ),
    ("ix_user_status", "user", "role, status, id"),
    ("ix_user_created", "user", "role, created_at"),
    (
        "ix_wallet_batch_item_state",
        "wallet_batch_item",
        "batch_id, state, user_id",
    ),
    (
        "ix_user_game_wallet_asset",
        "user_game_wallet",
        "asset, balance",
    ),
    (
        "ix_wallet_ledger_asset",
        "wallet_ledger",
        "asset, created_at",
    ),
    (
        "ix_wallet_ledger_reason",
        "wallet_ledger",
        "reason, created_at",
    ),
    ("ix_wallet_ledger_time", "wallet_ledger", "created_at"),
    (
        "ix_wallet_ledger_history",
        "wallet_ledger",
        "user_id, created_at",
    ),
    ("ix_feature_log_time", "feature_log", "created_at"),
    ("ix_user_event_log_time", "user_event_log", "created_at"),
    (
        "ix_user_event_log_history",
        "user_event_log",
        "user_id, created_at",
    ),
];

/// Whose place those of the history take.
const REPLACED: [(&str, &str, &str); 2] = [
    ("ix_wallet_ledger_user", "wallet_ledger", "user_id, id"),
    ("ix_user_event_log_user", "user_event_log", "user_id, id"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            ADMIN_AUDIT_LOG,
            CONFIG_LOCK,
            APP_UI_CONFIG,
            WALLET_BATCH,
            WALLET_BATCH_ITEM,
        ] {
            create_table(manager, table).await?;
        }
        for area in AREAS {
            // Portable to every server, and harmless when it runs again.
            let sql = format!(
                "INSERT INTO config_lock (area) SELECT '{area}' FROM (SELECT 1 AS one) AS t \
                 WHERE NOT EXISTS (SELECT 1 FROM config_lock WHERE area = '{area}')"
            );
            run(manager, &sql).await?;
        }
        allow_negative_xp(manager, true).await?;
        for (name, table, columns) in INDEXES {
            create_index(manager, name, table, columns).await?;
        }
        for (name, table, _) in REPLACED {
            drop_index(manager, table, name).await?;
        }
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        allow_negative_xp(manager, false).await?;
        let own = [
            "wallet_batch_item",
            "wallet_batch",
            "app_ui_config",
            "config_lock",
            "admin_audit_log",
        ];
        drop_tables(manager, &own).await?;
        // First, because a foreign key needs one of the two.
        for (name, table, columns) in REPLACED {
            create_index(manager, name, table, columns).await?;
        }
        let others = INDEXES.iter().filter(|(_, table, _)| !own.contains(table));
        for (name, table, _) in others {
            drop_index(manager, table, name).await?;
        }
        Ok(())
    }
}
