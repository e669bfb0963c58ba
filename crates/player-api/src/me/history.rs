//! `GET /api/me/history`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Params, Player, given},
    operation,
    receipts::{PlayItem, StampItem},
};
use xmas_kernel::paging::Limit;
use xmas_reporting::{
    GrantReceipt, History, HistoryKind, HistoryPage, HistoryQuery, Kind, Receipt,
};
use xmas_time::{EventDay, Kst};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParams {
    /// `next_cursor` of the page before; the history begins with the newest.
    #[serde(default)]
    cursor: String,
    /// `play`, `stamp` or `reward`, in upper or lower case; all of them if it is left out.
    #[serde(default)]
    kind: String,
    /// How many receipts to send.
    #[serde(default = "usual_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u64,
}

fn usual_limit() -> u64 {
    50
}

/// A page of receipts, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "items": [
        {"kind": "PLAY", "id": 17, "at": "2025-12-26T09:00:00.000000+09:00", "day": "2025-12-26",
            "feature": "ROULETTE", "outcome": {"id": 2, "label": "룰렛 티켓 3장",
                "reward_type": "TICKET_ROULETTE", "reward_amount": 3, "slot_index": 1,
                "is_jackpot": false},
            "is_win": true, "reward_type": "TICKET_ROULETTE", "reward_amount": 3,
            "reward_state": "DELIVERED", "odds_id": 1,
            "nonce": 0, "attempt": 0},
        {"kind": "STAMP", "id": 4, "at": "2025-12-26T08:59:00.000000+09:00", "day": "2025-12-26",
            "source_feature_type": "ROULETTE", "event_type": null, "xp": 20},
        {"kind": "REWARD", "id": 31, "at": "2025-12-26T08:59:00.000000+09:00", "day": "2025-12-26",
            "source": "SEASON_LEVEL", "play_id": null, "label": "룰렛 티켓 1장", "reward_type": "TICKET_ROULETTE",
            "reward_amount": 1, "state": "DELIVERED", "reason": null,
            "delivered_at": "2025-12-26T08:59:00.000000+09:00", "coupon_code": null}
    ],
    "next_cursor": "1766707140000000-reward-31"
}))]
pub(crate) struct HistoryAnswer {
    items: Vec<HistoryItem>,
    /// What the next page is asked for with; null on the last one.
    next_cursor: Option<String>,
}

/// One thing that happened to the player.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum HistoryItem {
    Play(PlayItem),
    Stamp(StampItem),
    Reward(RewardItem),
}

/// Something that was given.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 31, "at": "2025-12-28T20:15:03.123456+09:00", "day": "2025-12-28",
    "source": "SEASON_LEVEL", "play_id": null, "label": "배민 1만", "reward_type": "COUPON", "reward_amount": 1,
    "state": "DELIVERED", "reason": null, "delivered_at": "2025-12-28T21:00:00.000000+09:00",
    "coupon_code": "BM10-4F7E-9D55"}))]
pub(crate) struct RewardItem {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Kst,
    #[schema(value_type = String, format = Date)]
    day: EventDay,
    /// What it was given for.
    source: String,
    /// The play that brought it, if one did.
    play_id: Option<i64>,
    label: Option<String>,
    reward_type: String,
    reward_amount: i64,
    /// `DELIVERED`, `PENDING_REVIEW` or `REJECTED`.
    state: String,
    /// Why it waits, or why it was rejected.
    reason: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Kst>,
    /// The whole code of a delivered coupon.
    coupon_code: Option<String>,
}

impl From<HistoryPage> for HistoryAnswer {
    fn from(page: HistoryPage) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(|cursor| cursor.to_string()),
        }
    }
}

impl From<Receipt> for HistoryItem {
    fn from(receipt: Receipt) -> Self {
        match receipt {
            Receipt::Play(play) => Self::Play(play.into()),
            Receipt::Stamp(stamp) => Self::Stamp(stamp.into()),
            Receipt::Grant(grant) => Self::Reward(grant.into()),
        }
    }
}

impl From<GrantReceipt> for RewardItem {
    fn from(grant: GrantReceipt) -> Self {
        Self {
            id: grant.id,
            at: grant.at,
            day: grant.day,
            source: grant.source,
            play_id: grant.play_id,
            label: grant.label,
            reward_type: grant.reward_type,
            reward_amount: grant.reward_amount,
            state: grant.state,
            reason: grant.reason,
            delivered_at: grant.delivered_at,
            coupon_code: grant.coupon_code,
        }
    }
}

pub(crate) fn operation() -> Operation {
    operation!(history)
}

/// The player's plays, stamps and rewards as receipts, newest first.
#[utoipa::path(get, path = "/api/me/history", tag = "me", params(HistoryParams),
    responses((status = 200, body = HistoryAnswer)), security(("bearer" = [])))]
pub(crate) async fn history(
    player: Player,
    params: Params<HistoryParams>,
    history: Data<History>,
) -> ApiResult<Json<HistoryAnswer>> {
    let params = params.0;
    let query = HistoryQuery {
        kind: given(
            "kind",
            &params.kind.to_ascii_lowercase(),
            HistoryKind::named,
        )?,
        limit: Limit::clamped(params.limit),
        before: given("cursor", &params.cursor, str::parse)?,
    };
    let page = history.history(&player.0, &query).await?;
    Ok(Json(page.into()))
}
