//! `POST /admin/api/users/{id}/anonymise`.

use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;
use xmas_kernel::UserId;
use xmas_players::PlayerDesk;

use super::AdminUser;
use crate::{
    error::ApiResult,
    extract::{Admin, Now, OptionalBody, PathPart},
    routes::admin::Reason,
};

/// Nothing; the body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(crate) struct AnonymiseRequest {}

/// Removes whatever tells who a player is: external id, nickname, password, sessions, addresses, notes
/// and names on the boards. The account becomes INACTIVE; ledgers and logs stay. It cannot be undone.
#[utoipa::path(post, path = "/admin/api/users/{id}/anonymise", tag = "admin: players",
    params(("id" = i64, Path), Reason), request_body = Option<AnonymiseRequest>,
    responses((status = 200, body = AdminUser)), security(("bearer" = [])))]
pub(crate) async fn anonymise(
    admin: Admin,
    id: PathPart<i64>,
    _body: OptionalBody<AnonymiseRequest>,
    now: Now,
    desk: Data<dyn PlayerDesk>,
) -> ApiResult<Json<AdminUser>> {
    let left = desk.anonymise(&admin.actor, UserId(id.0), now.0).await?;
    Ok(Json(left.into()))
}
