use sea_orm_migration::prelude::*;

use crate::ddl::{create_index, create_table, drop_tables, forget_support, supported_since};

/// What is announced of odds, what was in force when, and how often each result came up.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// A configuration that takes over at an instant. Its row is never deleted, so that what was announced is known.
const ODDS_PLAN: &str = "
    CREATE TABLE IF NOT EXISTS odds_plan (
        id {id},
        feature_type VARCHAR(32) NOT NULL,
        config_id BIGINT NOT NULL,
        state VARCHAR(16) NOT NULL,
        takes_over_at {instant} NOT NULL,
        open_slot BIGINT NULL,
        odds_id BIGINT NOT NULL,
        config MEDIUMTEXT NOT NULL,
        replaced MEDIUMTEXT NULL,
        announced_at {instant} NOT NULL,
        ended_at {instant} NULL,
        CONSTRAINT uq_odds_plan_instant UNIQUE (feature_type, takes_over_at, open_slot),
        CONSTRAINT fk_odds_plan_odds FOREIGN KEY (odds_id) REFERENCES odds_table (id),
        CONSTRAINT ck_odds_plan_state CHECK (state IN ('PLANNED', 'TAKEN_OVER', 'WITHDRAWN', 'REFUSED')),
        CONSTRAINT ck_odds_plan_open CHECK ((state = 'PLANNED') = (open_slot IS NOT NULL)),
        CONSTRAINT ck_odds_plan_open_slot CHECK (open_slot = 1),
        CONSTRAINT ck_odds_plan_ended CHECK ((state = 'PLANNED') = (ended_at IS NULL)),
        CONSTRAINT ck_odds_plan_config CHECK (json_valid(config)),
        CONSTRAINT ck_odds_plan_replaced CHECK (replaced IS NULL OR json_valid(replaced))
    ) {options}
";

/// Never changed once written.
const ODDS_CHANGE: &str = "
    CREATE TABLE IF NOT EXISTS odds_change (
        id {id},
        feature_type VARCHAR(32) NOT NULL,
        kind VARCHAR(16) NOT NULL,
        odds_id BIGINT NULL,
        plan_id BIGINT NULL,
        takes_over_at {instant} NULL,
        changed_at {instant} NOT NULL,
        CONSTRAINT fk_odds_change_odds FOREIGN KEY (odds_id) REFERENCES odds_table (id),
        CONSTRAINT fk_odds_change_plan FOREIGN KEY (plan_id) REFERENCES odds_plan (id),
        CONSTRAINT ck_odds_change_kind CHECK (kind IN ('IN_FORCE', 'NONE', 'ANNOUNCED', 'TAKEN_OVER', 'WITHDRAWN', 'REFUSED')),
        CONSTRAINT ck_odds_change_odds CHECK ((kind = 'NONE') = (odds_id IS NULL)),
        CONSTRAINT ck_odds_change_plan CHECK (kind IN ('IN_FORCE', 'NONE') OR (plan_id IS NOT NULL AND takes_over_at IS NOT NULL))
    ) {options}
";

/// How often each entry of a table has come up, as it is published.
const ODDS_OBSERVED: &str = "
    CREATE TABLE IF NOT EXISTS odds_observed (
        odds_id BIGINT NOT NULL PRIMARY KEY,
        draws TEXT NOT NULL,
        first_play_at {instant} NULL,
        last_play_at {instant} NULL,
        CONSTRAINT fk_odds_observed_odds FOREIGN KEY (odds_id) REFERENCES odds_table (id),
        CONSTRAINT ck_odds_observed_draws CHECK (json_valid(draws))
    ) {options}
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [ODDS_PLAN, ODDS_CHANGE, ODDS_OBSERVED] {
            create_table(manager, table).await?;
        }
        create_index(
            manager,
            "ix_odds_change_feature",
            "odds_change",
            "feature_type, changed_at, id",
        )
        .await?;
        create_index(
            manager,
            "ix_odds_plan_config",
            "odds_plan",
            "feature_type, config_id, id",
        )
        .await?;
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_tables(manager, &["odds_observed", "odds_change", "odds_plan"]).await
    }
}
