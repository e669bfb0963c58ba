//! What operators configure, as far as all games share it: what a configuration is (`model.rs`), how it is
//! checked (`check.rs`), saved (`store.rs`, `table.rs`) and edited (`edits.rs`), and what it was like before
//! (`version.rs`, `history.rs`).

mod check;
mod edits;
mod history;
mod limits;
mod model;
mod reward;
pub(crate) mod store;
mod table;
mod version;

pub(crate) use check::insert_in_tx;
pub(crate) use limits::{DAILY, MAX_DAILY, REQUIRED};
pub use model::{Actions, Config, ConfigEdit, Saved};
pub use reward::{RewardConfig, RewardEdit, TwoNames};
pub use table::{ConfigColumns, ConfigHead, ConfigTable};
pub use version::{ConfigVersion, Past, Restored, SavedBy, StockKept};
