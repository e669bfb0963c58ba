use xmas_kernel::db::DbError;
use xmas_players::AccessError;

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("the player may not act")]
    Access(#[from] AccessError),
    #[error("the database failed")]
    Db(#[from] DbError),
}
