//! What operators configure, as far as all games share it: what a configuration is (`model.rs`), how it is
//! checked (`check.rs`), saved (`store.rs`, `table.rs`) and edited (`edits.rs`), and what it was like before
//! (`version.rs`, `history.rs`).

mod bounds;
mod check;
mod edits;
mod history;
mod model;
mod reward;
pub(crate) mod store;
mod table;
mod version;

#[cfg(test)]
pub(crate) use bounds::MAX_DAILY;
pub(crate) use bounds::expect_daily;
pub(crate) use check::insert_in_tx;
pub use model::{Actions, Config, ConfigEdit, ConfigEditor, Saved};
pub use reward::{RewardConfig, RewardEdit};
pub use table::{ConfigColumns, ConfigHead, ConfigTable};
pub use version::{ConfigVersion, Past, Restored, SavedBy, StockKept};
