//! What operators configure, as far as all games share it: what a configuration is (`model.rs`), how it is
//! checked (`check.rs`), saved (`store.rs`, `table.rs`) and edited (`edits.rs`, `audited.rs`), what it was like before
//! (`version.rs`, `history.rs`), what it will be (`plan/`), and since when what is drawn from it (`noted.rs`).

mod audited;
mod bounds;
mod check;
mod edits;
mod history;
mod model;
pub mod named;
mod noted;
pub mod plan;
mod reward;
pub(crate) mod store;
mod table;
mod version;

#[cfg(test)]
pub(crate) use bounds::MAX_DAILY;
pub(crate) use bounds::expect_daily;
pub use check::check_new;
pub(crate) use check::insert_in_tx;
pub use model::{Actions, Config, ConfigEdit, ConfigEditor, Saved};
pub(crate) use noted::note_in_tx;
pub use reward::{RewardConfig, RewardEdit};
pub use table::{ConfigColumns, ConfigHead, ConfigTable};
pub use version::{ConfigVersion, Past, Restored, SavedBy, StockKept};
