//! `/admin/api/*`: what operators do. One guard stands before all of it
//! ([`crate::middleware::admin_guard`]); a handler asks for [`crate::extract::Admin`] only to know who
//! acts.
//!
//! To add a path: a file with its handlers and DTOs; a line in its module's `configure`, `Docs` and
//! `ERRORS`.

pub(crate) mod bundles;
mod config_versions;
pub(crate) mod coupon_codes;
pub(crate) mod coupons;
pub(crate) mod coupons_withheld;
pub(crate) mod dashboard;
pub(crate) mod dice_config;
pub(crate) mod event_bridge;
pub(crate) mod external_ranking;
pub(crate) mod feature_config;
pub(crate) mod feature_schedule;
mod game_config;
pub(crate) mod game_tokens;
pub(crate) mod logs;
pub(crate) mod lottery_config;
pub(crate) mod odds;
mod paging;
pub(crate) mod ranking;
mod records;
pub(crate) mod rewards;
pub(crate) mod roulette_config;
pub(crate) mod seasons;
pub(crate) mod ui_config;
pub(crate) mod users;

use actix_web::{
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, OpenApi, openapi::OpenApi as Document};
use xmas_kernel::{ErrorCode, UserId};
use xmas_players::{GivenId, PlayerRef};

use crate::{
    error::{ApiError, ApiResult},
    middleware::admin_guard::admin_guard,
};

pub(crate) fn configure(cfg: &mut ServiceConfig) {
    let scope = web::scope("/admin/api")
        .configure(bundles::configure)
        .configure(coupons::configure)
        .configure(dashboard::configure)
        .configure(dice_config::configure)
        .configure(event_bridge::configure)
        .configure(external_ranking::configure)
        .configure(feature_config::configure)
        .configure(feature_schedule::configure)
        .configure(game_tokens::configure)
        .configure(logs::configure)
        .configure(lottery_config::configure)
        .configure(odds::configure)
        .configure(ranking::configure)
        .configure(rewards::configure)
        .configure(roulette_config::configure)
        .configure(seasons::configure)
        .configure(ui_config::configure)
        .configure(users::configure);
    cfg.service(scope.wrap(from_fn(admin_guard)));
}

/// What each of these paths can answer with of its own, by method and path.
pub(crate) const ERRORS: &[&[(&str, &[ErrorCode])]] = &[
    bundles::ERRORS,
    coupon_codes::ERRORS,
    coupons::ERRORS,
    coupons_withheld::ERRORS,
    dashboard::ERRORS,
    dice_config::ERRORS,
    event_bridge::ERRORS,
    external_ranking::ERRORS,
    feature_config::ERRORS,
    feature_schedule::ERRORS,
    game_tokens::lists::ERRORS,
    game_tokens::batch::ERRORS,
    game_tokens::order::ERRORS,
    game_tokens::payout::ERRORS,
    logs::ERRORS,
    lottery_config::ERRORS,
    odds::ERRORS,
    ranking::ERRORS,
    rewards::ERRORS,
    roulette_config::ERRORS,
    seasons::ERRORS,
    users::timeline::ERRORS,
    ui_config::ERRORS,
    users::ERRORS,
];

/// The paths' part of the OpenAPI document.
pub(crate) fn documents() -> Vec<Document> {
    vec![
        bundles::Docs::openapi(),
        coupon_codes::Docs::openapi(),
        coupons::Docs::openapi(),
        coupons_withheld::Docs::openapi(),
        dashboard::Docs::openapi(),
        dice_config::Docs::openapi(),
        event_bridge::Docs::openapi(),
        external_ranking::Docs::openapi(),
        feature_config::Docs::openapi(),
        feature_schedule::Docs::openapi(),
        game_tokens::lists::Docs::openapi(),
        game_tokens::batch::Docs::openapi(),
        game_tokens::order::Docs::openapi(),
        game_tokens::payout::Docs::openapi(),
        logs::Docs::openapi(),
        lottery_config::Docs::openapi(),
        odds::Docs::openapi(),
        ranking::Docs::openapi(),
        rewards::Docs::openapi(),
        roulette_config::Docs::openapi(),
        seasons::Docs::openapi(),
        users::timeline::Docs::openapi(),
        ui_config::Docs::openapi(),
        users::Docs::openapi(),
    ]
}

/// How the OpenAPI document shows the part of a path that names an account ([`crate::extract::AccountPart`]).
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct AccountPath {
    /// Its number, or `external_id:` and the percent-encoded id that the player logs in with:
    /// `42`, `external_id:santa`.
    id: String,
}

/// The same under the name that the boards have for it.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct UserPath {
    /// The player's number, or `external_id:` and the percent-encoded id that the player logs in with:
    /// `42`, `external_id:santa`.
    user_id: String,
}

/// How the OpenAPI document shows the header that comes with a change.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct Reason {
    /// Why, for the audit log: percent-encoded UTF-8 of up to 500 characters.
    #[param(rename = "x-reason")]
    reason: Option<String>,
}

/// How the OpenAPI document shows the header that keeps two admins from overwriting each other.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct IfMatch {
    /// The `version` that the client has loaded, or a list of versions of which any will do, in quotes; `*` for
    /// any at all. `version` in the body goes before it.
    #[param(rename = "if-match")]
    version: Option<String>,
}

/// The player whom a request names.
pub(crate) fn player_ref(
    user_id: Option<i64>,
    external_id: Option<String>,
) -> ApiResult<PlayerRef> {
    let external_id = external_id.as_deref().map(GivenId::try_from).transpose();
    Ok(PlayerRef {
        user_id: user_id.map(UserId),
        external_id: external_id
            .map_err(|error| ApiError::field("external_id", error.0.to_string()))?,
    })
}

/// Tells a field that was sent as null from one that was left out, which stays `None`.
pub(crate) fn sent<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
