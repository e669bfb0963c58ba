use sea_orm_migration::prelude::*;

use crate::ddl::{create_index, create_table, drop_tables, forget_support, supported_since};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const USER: &str = "
    CREATE TABLE IF NOT EXISTS `user` (
        id {id},
        external_id VARCHAR(100) NOT NULL,
        nickname VARCHAR(100) NULL,
        password_hash VARCHAR(255) NOT NULL,
        role VARCHAR(16) NOT NULL,
        status VARCHAR(16) NOT NULL,
        created_at {instant} NOT NULL,
        updated_at {instant} NOT NULL,
        last_login_at {instant} NULL,
        CONSTRAINT uq_user_external_id UNIQUE (external_id),
        CONSTRAINT ck_user_external_id CHECK (external_id <> ''),
        CONSTRAINT ck_user_role CHECK (role IN ('PLAYER', 'ADMIN')),
        CONSTRAINT ck_user_status CHECK (status IN ('ACTIVE', 'INACTIVE', 'BLOCKED'))
    ) {options}
";

const USER_PROFILES: &str = "
    CREATE TABLE IF NOT EXISTS user_profiles (
        user_id BIGINT NOT NULL PRIMARY KEY,
        level BIGINT NOT NULL,
        event_key_count BIGINT NOT NULL,
        event_pending_points BIGINT NOT NULL,
        is_blocked BOOLEAN NOT NULL,
        token_epoch BIGINT NOT NULL,
        updated_at {instant} NOT NULL,
        CONSTRAINT fk_user_profiles_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_user_profiles_level CHECK (level >= 1),
        CONSTRAINT ck_user_profiles_keys CHECK (event_key_count >= 0),
        CONSTRAINT ck_user_profiles_points CHECK (event_pending_points >= 0),
        CONSTRAINT ck_user_profiles_epoch CHECK (token_epoch >= 0)
    ) {options}
";

const REFRESH_TOKEN: &str = "
    CREATE TABLE IF NOT EXISTS refresh_token (
        id {id},
        user_id BIGINT NOT NULL,
        family_id CHAR(36) NOT NULL,
        token_hash CHAR(64) NOT NULL,
        token_epoch BIGINT NOT NULL,
        issued_at {instant} NOT NULL,
        expires_at {instant} NOT NULL,
        used_at {instant} NULL,
        revoked_at {instant} NULL,
        CONSTRAINT uq_refresh_token_hash UNIQUE (token_hash),
        CONSTRAINT fk_refresh_token_user FOREIGN KEY (user_id) REFERENCES `user` (id)
    ) {options}
";

const IDEMPOTENCY_KEY: &str = "
    CREATE TABLE IF NOT EXISTS idempotency_key (
        user_id BIGINT NOT NULL,
        idem_key VARCHAR(255) NOT NULL,
        fingerprint CHAR(64) NOT NULL,
        result TEXT NOT NULL,
        created_at {instant} NOT NULL,
        PRIMARY KEY (user_id, idem_key),
        CONSTRAINT fk_idempotency_key_user FOREIGN KEY (user_id) REFERENCES `user` (id),
        CONSTRAINT ck_idempotency_key_result CHECK (json_valid(result))
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_table(manager, USER).await?;
        create_table(manager, USER_PROFILES).await?;
        create_table(manager, REFRESH_TOKEN).await?;
        create_table(manager, IDEMPOTENCY_KEY).await?;
        create_index(
            manager,
            "ix_refresh_token_family",
            "refresh_token",
            "family_id",
        )
        .await?;
        create_index(manager, "ix_refresh_token_user", "refresh_token", "user_id").await?;
        create_index(
            manager,
            "ix_idempotency_key_created",
            "idempotency_key",
            "created_at",
        )
        .await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_tables(
            manager,
            &["idempotency_key", "refresh_token", "user_profiles", "user"],
        )
        .await
    }
}
