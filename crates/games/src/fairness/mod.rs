//! What is published so that anybody can check the odds and every draw (docs/rules.md, "Fair and
//! disclosed odds").

pub(crate) mod changes;
mod entity;
mod model;
mod observed;
pub mod receipt;
mod registry;
pub mod report;
mod service;
mod store;

pub use changes::{ChangeKind, OddsChange};
pub use model::{
    DayFairness, InForceOdds, Limits, OddsHistory, OddsNow, OddsSource, PlannedOdds, PublishedOdds,
    ReportQuery,
};
pub use observed::ObservedRecord;
pub use receipt::{DrawReceipt, Published};
pub(crate) use registry::SeedOfDay;
pub use registry::{DAYS_AHEAD, DrawRegistry, SealedSeeds, reveals_at};
pub use report::OddsReport;
pub use service::Fairness;
pub use store::{ODDS_CONTENT, SEED_OF_DAY};
pub(crate) use store::{find_odds, insert_odds_in_tx, odds_of_config};
