//! What every other crate stands on: typed ids, assets, paging, error codes, randomness, the
//! database, idempotent requests, sealed secrets, and the log of what operators did.
//!
//! Invariants:
//! - Nothing here knows a business rule, HTTP or the current time; `now` and randomness arrive as
//!   parameters.
//! - [`db::Db::begin`] is the only way to open a transaction, and only its owner can commit it: a
//!   participant borrows `&DatabaseTransaction` and so cannot.
//! - No error quotes a text that may hold a secret: [`db::DbUrl`] is parsed here, not by a driver.
//! - A sealed value is written only by who has claimed the database for its key
//!   ([`seal::DataKey::claim_in_tx`]).
//! - An error of COMMIT is never retried, because nobody knows whether it happened.
//!
//! To add a constraint whose violation means something to a caller: name it in the migration, give
//! the crate that owns the table a constant of it ([`db::Constraint`]), and ask
//! [`db::DbError::violates`] beside the query that can violate it. `migration/tests` compares all
//! constants with the schema.
//!
//! Owns the tables `idempotency_key`, `data_key_probe`, `job_lease`, `admin_audit_log` and `config_lock`.

mod asset;
pub mod audit;
mod causes;
pub mod db;
pub mod entropy;
mod error_code;
mod feature;
pub mod idempotency;
mod ids;
pub mod lease;
mod nearest;
pub mod paging;
mod problem;
pub mod seal;
pub mod text;
mod unknown;
pub mod version;

pub use asset::Asset;
pub use causes::with_causes;
pub use error_code::ErrorCode;
pub use feature::Feature;
pub use ids::{
    BatchId, BridgeId, BundleId, ConfigId, CouponKindId, GiftId, OddsId, PlanId, PlayId, RewardId,
    SeasonId, UserId,
};
pub use nearest::{is_within, nearest, unknown_name};
pub use problem::{MAX_NUMBER, Problem, Problems};
pub use unknown::UnknownName;
