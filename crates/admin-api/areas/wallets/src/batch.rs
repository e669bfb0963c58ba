//! `/admin/api/game-tokens/grant-bulk`, `/revoke-bulk`, `/debit-bulk`, `/batches/` and
//! `/batches/{batch}/revert`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_http::{
    answer::Answer,
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{
        Admin, Command, Content, DryRun, IdempotencyKey, Now, Params, PathPart, PreferredLanguage,
        Upload, key_of, said,
    },
    operation,
};
use xmas_kernel::{Asset, ErrorCode, audit::Actor, idempotency::RequestKey};
use xmas_rewards::{BatchError, BatchRef, Batches, NewBatch, OrderKind};
use xmas_texts::{Text, field, wallet as texts};

use crate::{
    asset,
    batch_answer::{BatchAnswer, BatchPage},
    batch_orders::{BatchRequest, everybody, listed},
    reason,
};
use xmas_admin_common::{
    paging::{parts, place, usual_limit},
    params::Reason,
};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(grant_bulk).bulk(),
        operation!(revoke_bulk).bulk(),
        operation!(debit_bulk).bulk(),
        operation!(list),
        operation!(item)
            .fails::<BatchError>(&[ErrorCode::BatchNotFound, ErrorCode::BatchAmbiguous])
            .refuses(&[ErrorCode::NotFound]),
        operation!(revert)
            .fails::<BatchError>(&[
                ErrorCode::BatchNotFound,
                ErrorCode::BatchAmbiguous,
                ErrorCode::BatchIsRevert,
            ])
            .refuses(&[ErrorCode::NotFound])
            .bulk(),
    ]
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct BatchParams {
    /// Names the batch: 1 to 100 visible ASCII characters. The same request again with the same name
    /// goes on with the batch, and does nothing twice. Without one the `Idempotency-Key` names it.
    batch_id: Option<String>,
    /// Of the lines that name none themselves.
    token_type: Option<String>,
    /// True gives also to listed players who are INACTIVE; a filter finds none of them and goes without it. What
    /// is taken is taken from them anyhow, and nothing reaches players who were anonymised.
    #[serde(default)]
    #[param(default = false)]
    force: bool,
}

/// Gives to many players: a table with `external_id` or `user_id`, `amount` and, unless the query
/// says it, `token_type`; or JSON for everybody who fits a filter. Listed players may be blocked, and with
/// `force` INACTIVE. Whoever is out of reach by the time it is their turn is passed over and told of as `short`. A
/// dry run says whom it is about, how much it is altogether, which wallets hold too little, and
/// which lines are wrong.
#[utoipa::path(post, path = "/admin/api/game-tokens/grant-bulk", tag = "admin: wallets",
    params(DryRun, BatchParams, IdempotencyKey, Reason),
    request_body(content((BatchRequest = "application/json"), (String = "text/csv", example = json!("external_id,amount,token_type\nvip-001,3,ROULETTE_COIN\n")))),
    responses((status = 200, body = BatchAnswer)), security(("bearer" = [])))]
pub(crate) async fn grant_bulk(
    request: HttpRequest,
    admin: Admin,
    dry_run: Params<DryRun>,
    params: Params<BatchParams>,
    body: Upload<BatchRequest>,
    now: Now,
    desk: Data<Batches>,
) -> ApiResult<Answer<BatchAnswer>> {
    let asked = (dry_run.0.said()?, params.0);
    bulk(OrderKind::Grant, request, admin, asked, body, now, desk).await
}

/// Takes from many players, as `grant-bulk` gives. Nothing is registered if any of them holds too
/// little; whoever holds too little by the time it is their turn is passed over and told of.
#[utoipa::path(post, path = "/admin/api/game-tokens/revoke-bulk", tag = "admin: wallets",
    params(DryRun, BatchParams, IdempotencyKey, Reason),
    request_body(content((BatchRequest = "application/json"), (String = "text/csv", example = json!("external_id,amount,token_type\nvip-001,3,ROULETTE_COIN\n")))),
    responses((status = 200, body = BatchAnswer)), security(("bearer" = [])))]
pub(crate) async fn revoke_bulk(
    request: HttpRequest,
    admin: Admin,
    dry_run: Params<DryRun>,
    params: Params<BatchParams>,
    body: Upload<BatchRequest>,
    now: Now,
    desk: Data<Batches>,
) -> ApiResult<Answer<BatchAnswer>> {
    let asked = (dry_run.0.said()?, params.0);
    bulk(OrderKind::Revoke, request, admin, asked, body, now, desk).await
}

/// Takes points that were paid out elsewhere, as `revoke-bulk` does; `payout.csv` is such a table.
#[utoipa::path(post, path = "/admin/api/game-tokens/debit-bulk", tag = "admin: wallets",
    params(DryRun, BatchParams, IdempotencyKey, Reason),
    request_body(content((BatchRequest = "application/json"), (String = "text/csv", example = json!("external_id,amount,token_type\nvip-001,3,ROULETTE_COIN\n")))),
    responses((status = 200, body = BatchAnswer)), security(("bearer" = [])))]
pub(crate) async fn debit_bulk(
    request: HttpRequest,
    admin: Admin,
    dry_run: Params<DryRun>,
    params: Params<BatchParams>,
    body: Upload<BatchRequest>,
    now: Now,
    desk: Data<Batches>,
) -> ApiResult<Answer<BatchAnswer>> {
    let asked = (dry_run.0.said()?, params.0);
    bulk(OrderKind::Payout, request, admin, asked, body, now, desk).await
}

async fn bulk(
    kind: OrderKind,
    request: HttpRequest,
    admin: Admin,
    (is_dry_run, params): (bool, BatchParams),
    Upload { content, bytes }: Upload<BatchRequest>,
    now: Now,
    desk: Data<Batches>,
) -> ApiResult<Answer<BatchAnswer>> {
    let language = PreferredLanguage::of(&request);
    let key = key_of(&request, &bytes)?;
    let mut actor = admin.actor;
    let usual = match (&params.token_type, kind) {
        (Some(name), _) => Some(asset(name)?),
        (None, OrderKind::Payout) => Some(Asset::Point),
        (None, _) => None,
    };
    let (orders, in_body) = match content {
        Content::Table(table) => (listed(&table, usual)?, None),
        Content::Json(_) if params.force => {
            return Err(ApiError::field("force", texts::force_with_filter()));
        }
        Content::Json(body) => {
            let said = reason(body.reason.as_deref())?;
            actor.reason = actor.reason.or(said);
            (everybody(&body, usual, now.0)?, body.batch_id)
        }
    };
    let name = name(&actor, params.batch_id, in_body, key)?;
    let mut usual = params.token_type.unwrap_or_default();
    if params.force {
        usual.push_str(" force");
    }
    let made = name.map(|name| RequestKey::new(&name, kind.as_str(), &usual, &bytes));
    let request = made.transpose();
    let batch = NewBatch {
        request: request.map_err(|error| ApiError::field("batch_id", error))?,
        kind,
        orders,
        force: params.force,
    };
    let report = match is_dry_run {
        true => desk.preview(&batch).await?,
        false => desk.run(&actor, &batch, now.0).await?,
    };
    Ok(BatchAnswer::to_order(report, is_dry_run, language))
}

/// The batch's name. One that an operator chooses is nobody's key.
fn name(
    actor: &Actor,
    in_query: Option<String>,
    in_body: Option<String>,
    key: Option<RequestKey>,
) -> ApiResult<Option<String>> {
    const LONGEST: usize = 100;
    let refused = |text: Text| Err(ApiError::field("batch_id", text));
    if in_query.is_some() && in_body.is_some() && in_query != in_body {
        return refused(texts::batch_name_differs());
    }
    let Some(chosen) = in_query.or(in_body) else {
        return Ok(key.map(|key| key.name_of_result(actor.user_id)));
    };
    let fits = (1..=LONGEST).contains(&chosen.len());
    if !fits || !chosen.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refused(field::visible_ascii(1, LONGEST));
    }
    if RequestKey::is_reserved(&chosen) {
        return refused(texts::batch_name_reserved());
    }
    Ok(Some(chosen))
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct BatchListParams {
    /// Only the batch of this name, to the letter.
    #[serde(default)]
    batch_id: String,
    /// `next_cursor` of the page before; the list begins with the newest.
    #[serde(default)]
    cursor: String,
    /// How many to send.
    #[serde(default = "usual_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u64,
}

/// Every batch, newest first.
#[utoipa::path(get, path = "/admin/api/game-tokens/batches/", tag = "admin: wallets",
    params(BatchListParams), responses((status = 200, body = BatchPage)), security(("bearer" = [])))]
pub(crate) async fn list(
    Params(params): Params<BatchListParams>,
    desk: Data<Batches>,
) -> ApiResult<Json<BatchPage>> {
    let (limit, before) = place(&params.cursor, params.limit)?;
    let key = Some(params.batch_id.as_str()).filter(|key| !key.is_empty());
    let (items, next_cursor) = parts(desk.batches(key, limit, before).await?);
    Ok(Json(BatchPage { items, next_cursor }))
}

/// A batch, and which wallets held too little.
#[utoipa::path(get, path = "/admin/api/game-tokens/batches/{batch}", tag = "admin: wallets",
    params(("batch" = String, Path, description = "its `id` or `batch_id`; `id:12` and `batch_id:daily-1` say which of them it is")),
    responses((status = 200, body = BatchAnswer)), security(("bearer" = [])))]
pub(crate) async fn item(
    PathPart(batch): PathPart<BatchRef>,
    PreferredLanguage(language): PreferredLanguage,
    desk: Data<Batches>,
) -> ApiResult<Json<BatchAnswer>> {
    let report = desk.batch(&batch).await?;
    Ok(Json(BatchAnswer::of(report, language)))
}

/// Why a batch is taken back, and whether to do it.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"dry_run": true, "reason": "잘못된 수량"}))]
pub(crate) struct RevertRequest {
    /// True to look, false to do it: it must be said.
    #[schema(required = true, value_type = bool)]
    dry_run: Option<bool>,
    /// 1 to 191 characters; `X-Reason` does the same.
    reason: Option<String>,
}

/// Takes a batch back: from everybody to whom it gave something, as much of it as they still have; what they
/// have spent stays spent, and `short` says of whom something is missing. What a batch has taken is given
/// back whole. A batch that is still open is stopped first, and what it had not done is never done. A batch is
/// taken back once: sent again, this goes on where it stopped or shows what became of it, and a revert itself
/// is not taken back.
#[utoipa::path(post, path = "/admin/api/game-tokens/batches/{batch}/revert", tag = "admin: wallets",
    params(("batch" = String, Path, description = "its `id` or `batch_id`; `id:12` and `batch_id:daily-1` say which of them it is"), IdempotencyKey, Reason),
    request_body = RevertRequest,
    responses((status = 200, body = BatchAnswer)), security(("bearer" = [])))]
pub(crate) async fn revert(
    admin: Admin,
    PathPart(batch): PathPart<BatchRef>,
    command: Command<RevertRequest>,
    language: PreferredLanguage,
    now: Now,
    desk: Data<Batches>,
) -> ApiResult<Answer<BatchAnswer>> {
    let Command { body, request } = command;
    let is_dry_run = said(body.dry_run)?;
    let reason = body.reason.or(admin.actor.reason.clone());
    let reason = reason.unwrap_or_default();
    let report = match is_dry_run {
        true => desk.preview_revert(&batch, &reason).await?,
        false => {
            let request = request.as_ref();
            desk.revert(&admin.actor, &batch, &reason, request, now.0)
                .await?
        }
    };
    Ok(BatchAnswer::to_order(report, is_dry_run, language))
}
