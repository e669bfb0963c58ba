//! `/admin/api/users/{id}`: one account.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json},
};
use xmas_http::{
    error::{ApiError, ApiResult},
    extract::{AccountPart, Admin, Body, Now, seen_version},
};
use xmas_kernel::{ErrorCode, UserId};
use xmas_players::Players;
use xmas_reporting::Users;
use xmas_time::{DateTime, Utc};

use crate::{AdminUser, SavedAdminUser, edit::UserEditRequest};
use xmas_admin_common::params::{AccountPath, IfMatch, Reason};

/// One account.
#[utoipa::path(get, path = "/admin/api/users/{id}", tag = "admin: players",
    params(AccountPath), responses((status = 200, body = AdminUser)),
    security(("bearer" = [])))]
pub(crate) async fn get(
    id: AccountPart,
    now: Now,
    users: Data<Users>,
) -> ApiResult<Json<AdminUser>> {
    let id = id.id(ErrorCode::UserNotFound)?;
    Ok(Json(account(&users, id, now.0).await?))
}

async fn account(users: &Users, id: UserId, now: DateTime<Utc>) -> ApiResult<AdminUser> {
    let found = users.one(id, now).await?;
    let found = found.ok_or_else(|| ApiError::new(ErrorCode::UserNotFound))?;
    Ok(found.into())
}

/// Changes an account. Clients may send back everything that they loaded, with one field changed.
#[utoipa::path(put, path = "/admin/api/users/{id}", tag = "admin: players",
    params(AccountPath, Reason, IfMatch), request_body = UserEditRequest,
    responses((status = 200, body = SavedAdminUser)), security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    id: AccountPart,
    body: Body<UserEditRequest>,
    now: Now,
    request: HttpRequest,
    users: Data<Users>,
    desk: Data<Players>,
) -> ApiResult<Json<SavedAdminUser>> {
    let id = id.id(ErrorCode::UserNotFound)?;
    let Body(mut body) = body;
    let stored = async || account(&users, id, now.0).await;
    body.echoes().compare(stored).await?;
    let seen = seen_version(&request, body.version.take())?;
    let edit = body.into_edit(seen)?;
    let edited = desk.edit(&admin.actor, id, &edit, now.0);
    Ok(Json(edited.await?.into()))
}

/// Makes an account INACTIVE: as if it did not exist. Everything is kept, and a `PUT` brings it back.
#[utoipa::path(delete, path = "/admin/api/users/{id}", tag = "admin: players",
    params(AccountPath, Reason),
    responses((status = 204, description = "The account is inactive.")),
    security(("bearer" = [])))]
pub(crate) async fn delete(
    admin: Admin,
    id: AccountPart,
    now: Now,
    desk: Data<Players>,
) -> ApiResult<HttpResponse> {
    let id = id.id(ErrorCode::UserNotFound)?;
    desk.deactivate(&admin.actor, id, now.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
