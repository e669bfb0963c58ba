pub(crate) mod coupon_code;
pub(crate) mod coupon_kind;
pub(crate) mod reward_bundle;
pub(crate) mod reward_bundle_item;
pub(crate) mod reward_log;
pub(crate) mod user_game_wallet;
pub(crate) mod wallet_ledger;
