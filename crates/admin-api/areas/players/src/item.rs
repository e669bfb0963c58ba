//! `/admin/api/users/{id}`: one account.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json},
};
use xmas_http::{
    answer::Answer,
    error::{ApiError, ApiResult},
    extract::{AccountPart, Admin, Command, IdempotencyKey, Now, seen_version},
};
use xmas_kernel::{ErrorCode, UserId, idempotency::Replayable};
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
    params(AccountPath, IdempotencyKey, Reason, IfMatch), request_body = UserEditRequest,
    responses((status = 200, body = SavedAdminUser)), security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    id: AccountPart,
    command: Command<UserEditRequest>,
    now: Now,
    http: HttpRequest,
    users: Data<Users>,
    desk: Data<Players>,
) -> ApiResult<Answer<SavedAdminUser>> {
    let Command { mut body, request } = command;
    let request = request.as_ref();
    let fits = async {
        let id = id.id(ErrorCode::UserNotFound)?;
        let stored = async || account(&users, id, now.0).await;
        body.echoes().compare(stored).await?;
        Ok::<UserId, ApiError>(id)
    };
    let id = match fits.await {
        Ok(id) => id,
        // What was loaded, and the name in the path, may be what this very request has changed.
        Err(error) => {
            let before = desk.edited_before(&admin.actor, request, now.0).await?;
            return Ok(Answer::of(Replayable::replayed(before.ok_or(error)?)));
        }
    };
    let seen = seen_version(&http, body.version.take())?;
    let edit = body.into_edit(seen)?;
    let edited = desk.edit(&admin.actor, id, &edit, request, now.0);
    Ok(Answer::of(edited.await?))
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
