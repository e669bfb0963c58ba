pub(crate) mod reward_log;
pub(crate) mod user_game_wallet;
pub(crate) mod wallet_ledger;
