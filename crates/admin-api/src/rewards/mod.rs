//! Wallets and rewards: tokens, bundles, coupons, and the review queue.

pub(crate) mod bundles;
pub(crate) mod coupons;
pub(crate) mod game_tokens;
pub(crate) mod review;
