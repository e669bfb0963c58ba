//! What is published so that anybody can check the odds and every draw (docs/rules.md, "Fair and
//! disclosed odds").

mod entity;
mod model;
pub mod receipt;
mod registry;
pub mod report;
mod service;
mod store;

pub use model::{DayFairness, OddsSource, PublishedOdds, ReportQuery};
pub use receipt::{DrawReceipt, Published};
pub(crate) use registry::SeedOfDay;
pub use registry::{DAYS_AHEAD, DrawRegistry, SealedSeeds, reveals_at};
pub use report::OddsReport;
pub use service::Fairness;
pub(crate) use store::odds_of_config;
pub use store::{ODDS_CONTENT, SEED_OF_DAY};
