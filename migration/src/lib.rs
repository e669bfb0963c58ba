//! All DDL of the product, portable to MySQL 8.4 and 9, MariaDB 10.11 and later, and SQLite.
//!
//! Invariants:
//! - History is frozen: a migration that has been released is never edited, only followed.
//! - Nothing here knows the entities of the crates; the SQL stands on its own.
//! - Every statement may be run again after a crash half-way, since MySQL commits each one.
//!
//! - Expand, then contract: a migration only adds what the binary before it does not need to know. What
//!   that binary still uses is dropped or narrowed by the release after the next one, so that both run on
//!   one schema while replicas are replaced.
//! - No statement copies a table that players write: servers would let nobody write meanwhile.
//!
//! To change the schema: add a file `mYYYYMMDD_NNNNNN_what.rs`, and list it in `steps` with the oldest
//! binary that can still run beside it.

mod apply;
mod attention;
mod composed;
mod ddl;
mod dry_run;
#[cfg(test)]
mod faults;
mod journal;
mod lock;
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
mod m20261127_000019_housekeeping;
mod m20261127_000020_turns;
mod m20261128_000021_odds_history;
mod m20261128_000022_event_turn;
mod script;
mod state;

pub use apply::{apply_next, oldest_binary};
pub use attention::attention;
pub use dry_run::dry_run;
pub use lock::MigrationLock;
pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;
pub use state::{SchemaState, Versions, schema_state, versions};

/// Every migration in its order, with the oldest binary (its package version) that can run beside it.
fn steps() -> Vec<(Box<dyn MigrationTrait>, &'static str)> {
    vec![
        (Box::new(m20261123_000001_platform::Migration), "0.1.0"),
        (Box::new(m20261123_000002_players::Migration), "0.1.0"),
        (Box::new(m20261123_000003_features::Migration), "0.1.0"),
        (Box::new(m20261123_000004_rewards::Migration), "0.1.0"),
        (Box::new(m20261123_000005_season_pass::Migration), "0.1.0"),
        (Box::new(m20261123_000006_games::Migration), "0.1.0"),
        (
            Box::new(m20261124_000007_rewards_catalog::Migration),
            "0.1.0",
        ),
        (Box::new(m20261124_000008_all_games::Migration), "0.1.0"),
        (Box::new(m20261124_000009_event_bridge::Migration), "0.1.0"),
        (Box::new(m20261124_000010_admin::Migration), "0.1.0"),
        (
            Box::new(m20261125_000011_coupon_codes_once::Migration),
            "0.2.0",
        ),
        (Box::new(m20261125_000012_text_in_nfc::Migration), "0.2.0"),
        (Box::new(m20261125_000013_zero_amounts::Migration), "0.2.0"),
        (Box::new(m20261126_000014_batch_reverts::Migration), "0.2.0"),
        (Box::new(m20261126_000016_anonymised::Migration), "0.2.0"),
        (Box::new(m20261126_000017_key_gifts::Migration), "0.2.0"),
        (Box::new(m20261127_000018_job_results::Migration), "0.2.0"),
        (Box::new(m20261127_000019_housekeeping::Migration), "0.1.0"),
        (Box::new(m20261127_000020_turns::Migration), "0.1.0"),
        (Box::new(m20261128_000021_odds_history::Migration), "0.1.0"),
        (Box::new(m20261128_000022_event_turn::Migration), "0.1.0"),
    ]
}

#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        steps()
            .into_iter()
            .map(|(migration, _)| migration)
            .collect()
    }
}
