use xmas_kernel::db::DbError;
use xmas_players::AccessError;
use xmas_rewards::RewardError;

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("the player may not act")]
    Access(#[from] AccessError),
    #[error("the coupon codes cannot be read")]
    Coupons(#[from] RewardError),
    #[error("the database failed")]
    Db(#[from] DbError),
}
