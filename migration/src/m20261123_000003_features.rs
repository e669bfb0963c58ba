use sea_orm_migration::prelude::*;

use crate::ddl::{create_index, create_table, drop_tables, forget_support, supported_since};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const FEATURE_CONFIG: &str = "
    CREATE TABLE IF NOT EXISTS feature_config (
        feature_type VARCHAR(32) NOT NULL PRIMARY KEY,
        title VARCHAR(100) NOT NULL,
        page_path VARCHAR(191) NOT NULL,
        is_enabled BOOLEAN NOT NULL,
        config_json TEXT NOT NULL,
        created_at {instant} NOT NULL,
        updated_at {instant} NOT NULL,
        CONSTRAINT ck_feature_config_json CHECK (json_valid(config_json))
    ) {options}
";

const FEATURE_SCHEDULE: &str = "
    CREATE TABLE IF NOT EXISTS feature_schedule (
        event_day DATE NOT NULL,
        feature_type VARCHAR(32) NOT NULL,
        is_active BOOLEAN NOT NULL,
        PRIMARY KEY (event_day, feature_type)
    ) {options}
";

const USER_EVENT_LOG: &str = "
    CREATE TABLE IF NOT EXISTS user_event_log (
        id {id},
        user_id BIGINT NOT NULL,
        feature_type VARCHAR(32) NULL,
        event_type VARCHAR(32) NOT NULL,
        event_day DATE NOT NULL,
        once_key VARCHAR(96) NULL,
        meta_json TEXT NOT NULL,
        created_at {instant} NOT NULL,
        CONSTRAINT uq_user_event_log_once UNIQUE (user_id, once_key),
        CONSTRAINT fk_user_event_log_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_user_event_log_meta CHECK (json_valid(meta_json))
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_table(manager, FEATURE_CONFIG).await?;
        create_table(manager, FEATURE_SCHEDULE).await?;
        create_table(manager, USER_EVENT_LOG).await?;
        create_index(
            manager,
            "ix_user_event_log_user",
            "user_event_log",
            "user_id, id",
        )
        .await?;
        create_index(
            manager,
            "ix_user_event_log_type",
            "user_event_log",
            "event_type, created_at",
        )
        .await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_tables(
            manager,
            &["user_event_log", "feature_schedule", "feature_config"],
        )
        .await
    }
}
