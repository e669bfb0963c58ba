//! `GET /admin/api/users/{id}/timeline`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

mod item;

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{AccountPart, Params, given},
    operation,
};
use xmas_kernel::{Asset, ErrorCode, paging::Limit};
use xmas_reporting::{
    Kind, PlayerStanding, Timeline, TimelineError, TimelineKind, TimelineQuery, Timelines,
};

use xmas_admin_common::params::AccountPath;

use item::TimelineItem;

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![operation!(timeline).fails::<TimelineError>(&[ErrorCode::UserNotFound])]
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimelineParams {
    /// `next_cursor` of the page before; the timeline begins with the newest.
    #[serde(default)]
    cursor: String,
    /// `play`, `stamp`, `reward`, `level`, `ledger`, `event` or `audit`, in upper or lower case; all of
    /// them if it is left out.
    #[serde(default)]
    kind: String,
    /// How many entries to send.
    #[serde(default = "usual_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u64,
}

fn usual_limit() -> u64 {
    50
}

/// Where a player stands, and what has happened, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "player": {"id": 42, "external_id": "santa", "nickname": "산타", "status": "ACTIVE",
        "account_level": 2, "balances": {"POINT": 1000, "ROULETTE_COIN": 2, "DICE_TOKEN": 0,
            "LOTTERY_TICKET": 0, "CC_COIN": 0},
        "event_key_count": 1, "event_pending_points": 5000},
    "items": [
        {"kind": "PLAY", "id": 17, "at": "2025-12-26T09:00:00.000000+09:00", "day": "2025-12-26",
            "feature": "ROULETTE", "outcome": {"id": 5, "label": "1,000 포인트"}, "is_win": true,
            "reward_type": "POINT", "reward_amount": 1000, "reward_state": "DELIVERED", "odds_id": 1,
            "nonce": 0, "attempt": 0},
        {"kind": "LEDGER", "id": 90, "at": "2025-12-26T09:00:00.000000+09:00",
            "token_type": "ROULETTE_COIN", "delta": -1, "balance_after": 2, "reason": "PLAY",
            "reference": "play:17", "label": null, "actor": "player"}
    ],
    "next_cursor": "1766707200000000-ledger-90"
}))]
pub(crate) struct TimelineAnswer {
    player: TimelinePlayer,
    items: Vec<TimelineItem>,
    /// What the next page is asked for with; null on the last one.
    next_cursor: Option<String>,
}

/// Where a player stands now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TimelinePlayer {
    id: i64,
    external_id: String,
    nickname: Option<String>,
    /// `ACTIVE`, `INACTIVE` or `BLOCKED`.
    status: String,
    account_level: i64,
    balances: Balances,
    /// Keys that are not settled yet, and the points that they promise.
    event_key_count: i64,
    event_pending_points: i64,
}

/// What is in a player's wallet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = TimelineBalances)]
struct Balances {
    point: i64,
    roulette_coin: i64,
    dice_token: i64,
    lottery_ticket: i64,
    cc_coin: i64,
}

impl From<PlayerStanding> for TimelinePlayer {
    fn from(player: PlayerStanding) -> Self {
        let balance = |asset| player.balances.get(&asset).copied().unwrap_or(0);
        Self {
            balances: Balances {
                point: balance(Asset::Point),
                roulette_coin: balance(Asset::RouletteCoin),
                dice_token: balance(Asset::DiceToken),
                lottery_ticket: balance(Asset::LotteryTicket),
                cc_coin: balance(Asset::CcCoin),
            },
            id: player.id,
            external_id: player.external_id,
            nickname: player.nickname,
            status: player.status,
            account_level: player.account_level,
            event_key_count: player.event_key_count,
            event_pending_points: player.event_pending_points,
        }
    }
}

impl From<Timeline> for TimelineAnswer {
    fn from(timeline: Timeline) -> Self {
        Self {
            player: timeline.player.into(),
            items: timeline.items.into_iter().map(Into::into).collect(),
            next_cursor: timeline.next.map(|cursor| cursor.to_string()),
        }
    }
}

/// Everything about one player in one piece: plays, stamps, rewards, levels, changes of balances,
/// activity, and what operators did to them.
#[utoipa::path(get, path = "/admin/api/users/{id}/timeline", tag = "admin: reports",
    params(AccountPath, TimelineParams),
    responses((status = 200, body = TimelineAnswer)), security(("bearer" = [])))]
pub(crate) async fn timeline(
    id: AccountPart,
    params: Params<TimelineParams>,
    timelines: Data<Timelines>,
) -> ApiResult<Json<TimelineAnswer>> {
    let params = params.0;
    let query = TimelineQuery {
        kind: given(
            "kind",
            &params.kind.to_ascii_lowercase(),
            TimelineKind::named,
        )?,
        limit: Limit::clamped(params.limit),
        before: given("cursor", &params.cursor, str::parse)?,
    };
    let id = id.id(ErrorCode::UserNotFound)?;
    let timeline = timelines.timeline(id, &query).await?;
    Ok(Json(timeline.into()))
}
