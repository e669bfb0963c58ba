use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use xmas_kernel::{UserId, db::DbError};

use crate::{
    ExternalId, Role,
    entity::user::{Column, Entity},
};

/// A player as an operator names one: by id, by external id, or by both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlayerRef {
    pub user_id: Option<UserId>,
    pub external_id: Option<ExternalId>,
}

/// Why a name leads to no player.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("nobody is named")]
    Unnamed,
    #[error("there is no such player")]
    Unknown,
    /// The id and the external id are those of two players.
    #[error("the id and the external id name two players")]
    Contradiction,
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// The player whom an operator means; accounts of admins are not players.
pub async fn resolve(
    conn: &impl ConnectionTrait,
    named: &PlayerRef,
) -> Result<UserId, ResolveError> {
    let which = match (&named.external_id, named.user_id) {
        (Some(external_id), _) => Column::ExternalId.eq(external_id.as_str()),
        (None, Some(user_id)) => Column::Id.eq(user_id.0),
        (None, None) => return Err(ResolveError::Unnamed),
    };
    let found: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(which)
        .filter(Column::Role.eq(Role::Player.as_str()))
        .into_tuple()
        .one(conn)
        .await
        .map_err(DbError::from)?;
    let found = found.map(UserId).ok_or(ResolveError::Unknown)?;
    match named.user_id {
        Some(user_id) if user_id != found => Err(ResolveError::Contradiction),
        _ => Ok(found),
    }
}
