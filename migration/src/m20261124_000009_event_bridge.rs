use sea_orm_migration::prelude::*;

use crate::ddl::{
    add_column, create_table, drop_column, drop_tables, forget_support, supported_since,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// `open_slot` is 1 until a bridge is closed: no other may open before. From `closing_at` on no key is
/// given any more.
const EVENT_BRIDGE: &str = "
    CREATE TABLE IF NOT EXISTS event_bridge (
        id {id},
        season_id BIGINT NOT NULL,
        keys_required BIGINT NOT NULL,
        settle_on DATE NOT NULL,
        auto_settle BOOLEAN NOT NULL,
        state VARCHAR(16) NOT NULL,
        open_slot BIGINT NULL,
        prechecked_at {instant} NULL,
        settled_at {instant} NULL,
        closing_at {instant} NULL,
        closed_at {instant} NULL,
        created_at {instant} NOT NULL,
        updated_at {instant} NOT NULL,
        CONSTRAINT uq_event_bridge_open UNIQUE (open_slot),
        CONSTRAINT uq_event_bridge_season UNIQUE (season_id),
        CONSTRAINT fk_event_bridge_season FOREIGN KEY (season_id) REFERENCES season_pass_config (id),
        CONSTRAINT ck_event_bridge_keys CHECK (keys_required >= 1),
        CONSTRAINT ck_event_bridge_state CHECK (state IN ('OPEN', 'SETTLING', 'CLOSED')),
        CONSTRAINT ck_event_bridge_open CHECK ((state = 'CLOSED') = (open_slot IS NULL)),
        CONSTRAINT ck_event_bridge_slot CHECK (open_slot = 1),
        CONSTRAINT ck_event_bridge_closed CHECK ((state = 'CLOSED') = (closed_at IS NOT NULL))
    ) {options}
";

const EVENT_BRIDGE_DAY: &str = "
    CREATE TABLE IF NOT EXISTS event_bridge_day (
        bridge_id BIGINT NOT NULL,
        day_number BIGINT NOT NULL,
        event_day DATE NOT NULL,
        event_type VARCHAR(32) NOT NULL,
        mission VARCHAR(32) NOT NULL,
        points BIGINT NOT NULL,
        PRIMARY KEY (bridge_id, day_number),
        CONSTRAINT uq_event_bridge_day_date UNIQUE (bridge_id, event_day),
        CONSTRAINT uq_event_bridge_day_type UNIQUE (bridge_id, event_type),
        CONSTRAINT fk_event_bridge_day_bridge FOREIGN KEY (bridge_id) REFERENCES event_bridge (id),
        CONSTRAINT ck_event_bridge_day_number CHECK (day_number BETWEEN 1 AND 7),
        CONSTRAINT ck_event_bridge_day_mission CHECK (mission IN ('PLAY_ROULETTE', 'PLAY_DICE', 'PLAY_LOTTERY', 'VIEW_RANKING', 'STAMP', 'PLAY_ALL_GAMES', 'LOGIN')),
        CONSTRAINT ck_event_bridge_day_points CHECK (points >= 0)
    ) {options}
";

/// The parts of a mission that a player has done on its day.
const EVENT_BRIDGE_PROGRESS: &str = "
    CREATE TABLE IF NOT EXISTS event_bridge_progress (
        user_id BIGINT NOT NULL,
        bridge_id BIGINT NOT NULL,
        day_number BIGINT NOT NULL,
        part VARCHAR(32) NOT NULL,
        created_at {instant} NOT NULL,
        PRIMARY KEY (user_id, bridge_id, day_number, part),
        CONSTRAINT fk_event_bridge_progress_user FOREIGN KEY (user_id) REFERENCES `user` (id)
    ) {options}
";

/// Who works on a job that must run once, and until when nobody else does.
const JOB_LEASE: &str = "
    CREATE TABLE IF NOT EXISTS job_lease (
        id {id},
        name VARCHAR(100) NOT NULL,
        holder VARCHAR(64) NOT NULL,
        expires_at {instant} NOT NULL,
        CONSTRAINT uq_job_lease_name UNIQUE (name)
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            EVENT_BRIDGE,
            EVENT_BRIDGE_DAY,
            EVENT_BRIDGE_PROGRESS,
            JOB_LEASE,
        ] {
            create_table(manager, table).await?;
        }
        // The last day on which a player collected a key: read with the lock that every use case
        // takes, so that a second one costs no statement.
        add_column(manager, "user_profiles", "last_key_on", "DATE NULL").await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_column(manager, "user_profiles", "last_key_on").await?;
        drop_tables(
            manager,
            &[
                "job_lease",
                "event_bridge_progress",
                "event_bridge_day",
                "event_bridge",
            ],
        )
        .await
    }
}
