//! All DDL of the product, portable to MySQL 8.4 and 9, MariaDB 10.11 and later, and SQLite.
//!
//! Invariants:
//! - History is frozen: a migration that has been released is never edited, only followed.
//! - Nothing here knows the entities of the crates; the SQL stands on its own.
//! - Every statement may be run again after a crash half-way, since MySQL commits each one.
//!
//! To change the schema: add a file `mYYYYMMDD_NNNNNN_what.rs`, list it in [`Migrator`], and say in
//! its `ddl::supported_since` call which binary is the oldest that can still run beside it.

mod attention;
mod composed;
mod ddl;
mod m20261123_000001_platform;
mod m20261123_000002_players;
mod m20261123_000003_features;
mod m20261123_000004_rewards;
mod m20261123_000005_season_pass;
mod m20261123_000006_games;
mod m20261124_000007_rewards_catalog;
mod m20261124_000008_all_games;
mod m20261124_000009_event_bridge;
mod m20261124_000010_admin;
mod m20261125_000011_coupon_codes_once;
mod m20261125_000012_text_in_nfc;
mod m20261125_000013_zero_amounts;
mod m20261126_000014_batch_reverts;
mod m20261126_000016_anonymised;
mod m20261126_000017_key_gifts;
mod m20261127_000018_job_results;
mod state;

pub use attention::attention;
pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;
pub use state::{SchemaState, Versions, schema_state, versions};

#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_platform::Migration),
            Box::new(m20261123_000002_players::Migration),
            Box::new(m20261123_000003_features::Migration),
            Box::new(m20261123_000004_rewards::Migration),
            Box::new(m20261123_000005_season_pass::Migration),
            Box::new(m20261123_000006_games::Migration),
            Box::new(m20261124_000007_rewards_catalog::Migration),
            Box::new(m20261124_000008_all_games::Migration),
            Box::new(m20261124_000009_event_bridge::Migration),
            Box::new(m20261124_000010_admin::Migration),
            Box::new(m20261125_000011_coupon_codes_once::Migration),
            Box::new(m20261125_000012_text_in_nfc::Migration),
            Box::new(m20261125_000013_zero_amounts::Migration),
            Box::new(m20261126_000014_batch_reverts::Migration),
            Box::new(m20261126_000016_anonymised::Migration),
            Box::new(m20261126_000017_key_gifts::Migration),
            Box::new(m20261127_000018_job_results::Migration),
        ]
    }
}
