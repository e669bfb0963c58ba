//! Which build this is.

/// As in `Cargo.toml`.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit that it was built from, or `unknown`; `build.rs` finds it.
pub(crate) const COMMIT: &str = env!("XMAS_COMMIT");
/// Both.
pub(crate) const FULL: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("XMAS_COMMIT"), ")");
