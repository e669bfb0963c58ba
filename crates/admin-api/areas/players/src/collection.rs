//! `/admin/api/users/`: all accounts, and a new one.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::{HttpResponse, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_http::{
    answer::Answer,
    error::ApiResult,
    extract::{Admin, Command, IdempotencyKey, Now, Params},
};
use xmas_players::{Players, Role, Status};
use xmas_reporting::{UserFilter, UserWindow, Users};

use crate::{AdminUser, SavedAdminUser, edit::NewUserRequest};
use xmas_admin_common::{
    paging::{LAST_PAGE, PageParams},
    params::Reason,
};

/// How many accounts the bare array lists.
const NEWEST: u64 = 10_000;

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsersParams {
    /// From 1. Without it the newest 10,000 come as a bare array.
    #[validate(range(min = 1, max = LAST_PAGE))]
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<u64>,
    /// How many accounts a page holds, 1 to 200.
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    size: Option<u64>,
    /// Part of the external id or the nickname.
    #[validate(length(max = 100))]
    search: Option<String>,
    /// `ACTIVE`, `INACTIVE` or `BLOCKED`.
    #[param(value_type = Option<String>)]
    status: Option<Status>,
    /// `PLAYER` (if left out) or `ADMIN`.
    #[param(value_type = Option<String>)]
    role: Option<Role>,
}

/// One page of accounts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 42, "external_id": "santa-01", "nickname": "산타", "level": 2,
    "season_level": 2, "account_level": 3, "xp": 60, "status": "ACTIVE", "is_blocked": false,
    "role": "PLAYER", "created_at": "2025-12-20T09:00:00.000000+09:00",
    "updated_at": "2025-12-25T12:30:00.000000+09:00",
    "last_login_at": "2025-12-26T08:59:12.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}],
    "total": 311, "page": 1, "size": 50}))]
pub(crate) struct UserPage {
    items: Vec<AdminUser>,
    /// How many accounts there are on all pages.
    total: u64,
    page: u64,
    size: u64,
}

/// Accounts, newest first: a bare array, or with `?page=` a page of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum UserListAnswer {
    All(Vec<AdminUser>),
    Page(UserPage),
}

/// Accounts, newest first.
#[utoipa::path(get, path = "/admin/api/users/", tag = "admin: players", params(UsersParams),
    responses((status = 200, body = UserListAnswer, headers(
        ("x-total-count" = u64, description = "How many accounts there are, listed or not.")),
        example = json!([{"id": 42, "external_id": "santa-01", "nickname": "산타", "level": 2,
    "season_level": 2, "account_level": 3, "xp": 60, "status": "ACTIVE", "is_blocked": false,
    "role": "PLAYER", "created_at": "2025-12-20T09:00:00.000000+09:00",
    "updated_at": "2025-12-25T12:30:00.000000+09:00",
    "last_login_at": "2025-12-26T08:59:12.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}]))),
    security(("bearer" = [])))]
pub(crate) async fn list(
    params: Params<UsersParams>,
    now: Now,
    users: Data<Users>,
) -> ApiResult<HttpResponse> {
    let Params(params) = params;
    let page = params.page.map(|page| PageParams {
        page: Some(page),
        size: params.size,
    });
    let window = match &page {
        Some(page) => UserWindow {
            offset: page.offset(),
            limit: page.size(),
        },
        None => UserWindow {
            offset: 0,
            limit: NEWEST,
        },
    };
    let search = params.search.filter(|text| !text.is_empty());
    let filter = UserFilter {
        search,
        status: params.status,
        role: params.role.unwrap_or(Role::Player),
    };
    let list = users.list(&filter, window, now.0).await?;
    let items = list.items.into_iter().map(AdminUser::from).collect();
    let answer = match page {
        Some(page) => UserListAnswer::Page(UserPage {
            items,
            total: list.total,
            page: page.page(),
            size: page.size(),
        }),
        None => UserListAnswer::All(items),
    };
    let mut ok = HttpResponse::Ok();
    ok.insert_header(("x-total-count", list.total));
    Ok(ok.json(answer))
}

/// Creates a player.
#[utoipa::path(post, path = "/admin/api/users/", tag = "admin: players", params(IdempotencyKey, Reason),
    request_body = NewUserRequest, responses((status = 201, body = SavedAdminUser)),
    security(("bearer" = [])))]
pub(crate) async fn post(
    admin: Admin,
    command: Command<NewUserRequest>,
    now: Now,
    desk: Data<Players>,
) -> ApiResult<Answer<SavedAdminUser>> {
    let Command { body, request } = command;
    let new = body.into_player()?;
    let created = desk.create(&admin.actor, &new, request.as_ref(), now.0);
    Ok(Answer::of(created.await?).created())
}
