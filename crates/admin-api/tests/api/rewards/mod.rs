mod bundles;
mod coupons;
mod game_tokens;
mod review;
