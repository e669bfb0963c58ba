//! The unique constraints whose violation means something in this crate.

use xmas_kernel::db::Constraint;

/// One receipt per grant.
pub const GRANT: Constraint = Constraint::new("uq_reward_grant", "reward_log", &["grant_key"]);
/// Bundle names are unique.
pub const BUNDLE_NAME: Constraint =
    Constraint::new("uq_reward_bundle_name", "reward_bundle", &["name"]);
/// Names of kinds of coupons are unique.
pub const COUPON_KIND_NAME: Constraint =
    Constraint::new("uq_coupon_kind_name", "coupon_kind", &["name"]);
/// One row per code of a kind of coupon.
pub const COUPON_CODE: Constraint = Constraint::new(
    "uq_coupon_code_fingerprint",
    "coupon_code",
    &["kind_id", "fingerprint"],
);
/// One row per code of all kinds of coupons.
pub const COUPON_CODE_ONCE: Constraint = Constraint::new(
    "uq_coupon_code_once",
    "coupon_code",
    &["fingerprint", "copy_number"],
);
/// One batch per key.
pub const BATCH_KEY: Constraint =
    Constraint::new("uq_wallet_batch_key", "wallet_batch", &["batch_key"]);
/// One revert per batch.
pub const BATCH_REVERTS: Constraint =
    Constraint::new("uq_wallet_batch_reverts", "wallet_batch", &["reverts"]);
