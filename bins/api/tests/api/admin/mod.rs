//! `/admin/api/*`: one module per path.

mod bundles;
mod coupon_codes;
mod coupons;
mod feature_config;
mod game_tokens;
mod rewards;
