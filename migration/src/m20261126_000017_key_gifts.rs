use sea_orm_migration::prelude::*;

use crate::ddl::{create_index, create_table, drop_tables, forget_support, supported_since};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Keys of one day that an operator gave at once: to one player (`user_id`), or to all who were active.
const EVENT_BRIDGE_GIFT: &str = "
    CREATE TABLE IF NOT EXISTS event_bridge_gift (
        id {id},
        bridge_id BIGINT NOT NULL,
        day_number BIGINT NOT NULL,
        event_type VARCHAR(32) NOT NULL,
        points BIGINT NOT NULL,
        user_id BIGINT NULL,
        state VARCHAR(16) NOT NULL,
        reason VARCHAR(191) NOT NULL,
        actor VARCHAR(100) NOT NULL,
        created_at {instant} NOT NULL,
        finished_at {instant} NULL,
        reverted_at {instant} NULL,
        CONSTRAINT fk_event_bridge_gift_bridge FOREIGN KEY (bridge_id) REFERENCES event_bridge (id),
        CONSTRAINT ck_event_bridge_gift_day CHECK (day_number BETWEEN 1 AND 7),
        CONSTRAINT ck_event_bridge_gift_points CHECK (points >= 0),
        CONSTRAINT ck_event_bridge_gift_state CHECK (state IN ('OPEN', 'DONE', 'REVERTING', 'REVERTED')),
        CONSTRAINT ck_event_bridge_gift_reverted CHECK ((state = 'REVERTED') = (reverted_at IS NOT NULL))
    ) {options}
";

/// Whom a gift gave a key, and what has become of it. No foreign key to the gift: its row changes while
/// chunks are done.
const EVENT_BRIDGE_GIFT_KEY: &str = "
    CREATE TABLE IF NOT EXISTS event_bridge_gift_key (
        gift_id BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        state VARCHAR(16) NOT NULL,
        PRIMARY KEY (gift_id, user_id),
        CONSTRAINT ck_event_bridge_gift_key_state CHECK (state IN ('GIVEN', 'EARNED', 'TAKEN', 'KEPT'))
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_table(manager, EVENT_BRIDGE_GIFT).await?;
        create_table(manager, EVENT_BRIDGE_GIFT_KEY).await?;
        create_index(
            manager,
            "ix_event_bridge_gift_key_user",
            "event_bridge_gift_key",
            "user_id",
        )
        .await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_tables(manager, &["event_bridge_gift_key", "event_bridge_gift"]).await
    }
}
