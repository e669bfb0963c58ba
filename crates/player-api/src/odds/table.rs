//! `GET /api/odds/{feature}`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_games::{
    Fairness, FairnessError,
    fairness::{InForceOdds, Limits, OddsNow, PlannedOdds, PublishedOdds},
    odds::{Entry, Odds},
};
use xmas_http::{
    answer::tagged_json,
    endpoint::Operation,
    error::ApiResult,
    extract::{Now, Params, PathPart, is_id},
    operation,
};
use xmas_kernel::{Feature, OddsId};
use xmas_texts::{Language, odds as texts};
use xmas_time::{EventDay, Kst};

use super::{NO_ODDS, feature, percents};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct OddsParams {
    /// Any table, as receipts, the history and announcements name it; the one in force now if it is left out.
    #[validate(custom(function = is_id))]
    odds_id: Option<i64>,
}

/// A table of odds, what is left, and what comes next.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "feature_type": "LOTTERY", "odds_id": 3, "total_weight": 1000,
    "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70",
    "content": "{\"v\":1,\"feature\":\"LOTTERY\",\"config_id\":1,\"entries\":[…]}",
    "entries": [
        {"id": 1, "label": "다음 기회에", "weight": 400, "probability": 0.4, "percent": "40%",
            "percent_exact": "40", "full_percent": "40%", "full_percent_exact": "40",
            "reward_type": "NONE", "reward_amount": 0, "stock": null, "stock_total": null},
        {"id": 5, "label": "배민 2만", "weight": 20, "probability": 0.02, "percent": "2%",
            "percent_exact": "2", "full_percent": "2%", "full_percent_exact": "2",
            "reward_type": "COUPON", "reward_amount": 1, "stock": 18, "stock_total": 20}
    ],
    "in_force_since": "2025-12-25T00:00:00.000000+09:00", "is_sold_out": false,
    "max_daily_plays": null, "first_day": "2025-12-25", "last_day": "2025-12-31",
    "notice": {"ko": "수량이 정해진 결과는 소진될 때까지 나오며, 소진되면 남은 결과들이 가중치에 비례하여 그 확률을 나누어 갖습니다.",
        "en": "A result that is limited in number is drawn until it has run out; from then on the others share its probability in proportion to their weights."},
    "next": []
}))]
pub(crate) struct OddsAnswer {
    #[schema(value_type = String)]
    pub(super) feature_type: Feature,
    /// By what receipts name the table; null if none is in force and one is announced.
    pub(super) odds_id: Option<i64>,
    /// The sum of the weights of what is left; 0 if no table is in force.
    pub(super) total_weight: u64,
    /// SHA-256 of `content`, in hexadecimal digits; null where `odds_id` is.
    pub(super) content_hash: Option<String>,
    /// The table byte for byte, which never changes; null where `odds_id` is. If nothing is left, the one of everything
    /// that takes part.
    content: Option<String>,
    /// In the order in which they are drawn, and then those of which nothing is left.
    pub(super) entries: Vec<EntryAnswer>,
    /// Since when plays are drawn from this table; null if nothing is left or in force, or for a table that is asked for
    /// by its id: the history says when that was in force.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) in_force_since: Option<Kst>,
    /// Whether nothing is left that can come up, so that the game cannot be played; false for a table by its id.
    is_sold_out: bool,
    /// How often a player may play on a day; null if there is no limit, or for a table by its id.
    max_daily_plays: Option<i64>,
    /// The first day of the season that is running; null between seasons, or for a table by its id.
    #[schema(value_type = Option<String>, format = Date)]
    first_day: Option<EventDay>,
    /// Its last day.
    #[schema(value_type = Option<String>, format = Date)]
    last_day: Option<EventDay>,
    notice: Notice,
    /// Tables that are announced, by when they take over; empty for a table by its id.
    pub(super) next: Vec<NextAnswer>,
}

/// What holds for all odds, to be shown beside them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"ko": "수량이 정해진 결과는 소진될 때까지 나오며, 소진되면 남은 결과들이 가중치에 비례하여 그 확률을 나누어 갖습니다.",
    "en": "A result that is limited in number is drawn until it has run out; from then on the others share its probability in proportion to their weights."}))]
pub(crate) struct Notice {
    ko: String,
    en: String,
}

impl Notice {
    fn new() -> Self {
        let text = texts::change_when_sold_out();
        Self {
            ko: text.sentence(Language::Korean),
            en: text.sentence(Language::English),
        }
    }
}

/// One way a draw can end.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 5, "label": "배민 2만", "weight": 20, "probability": 0.02, "percent": "2%",
    "percent_exact": "2", "full_percent": "2%", "full_percent_exact": "2", "reward_type": "COUPON",
    "reward_amount": 1, "stock": 18, "stock_total": 20}))]
pub(crate) struct EntryAnswer {
    pub(super) id: i64,
    pub(super) label: String,
    pub(super) weight: u64,
    /// `weight` divided by `total_weight`; 0 for what has run out.
    probability: f64,
    /// The same as a percentage to be shown: rounded to four decimals, or to more where it would say 0% of what is
    /// possible or 100% of what is not sure.
    pub(super) percent: String,
    /// The same, exactly: a decimal number, or a fraction such as `14375/324`. Those of a table add up to 100, unless
    /// nothing is left.
    pub(super) percent_exact: String,
    /// What it is while nothing has run out.
    pub(super) full_percent: String,
    /// The same, exactly. Those of a table add up to 100.
    pub(super) full_percent_exact: String,
    pub(super) reward_type: &'static str,
    pub(super) reward_amount: i64,
    /// How many are left; null if there is no limit, or for a table by its id.
    pub(super) stock: Option<i64>,
    /// How many there have been in all; null where `stock` is.
    pub(super) stock_total: Option<i64>,
}

/// A table that is announced.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"plan_id": 1, "effective_from": "2025-12-28T00:00:00.000000+09:00",
    "announced_at": "2025-12-26T09:00:00.000000+09:00", "odds_id": 4, "total_weight": 1000,
    "content_hash": "9b1e7a5c3d80f46212ab90cd77e5f3046a8c1d2e9f0b4a6758c3e2d1f0a9b8c7",
    "content": "{\"v\":1,\"feature\":\"LOTTERY\",\"config_id\":1,\"entries\":[…]}",
    "max_daily_plays": null, "entries": [{"id": 1, "label": "다음 기회에", "weight": 1000, "probability": 1.0,
        "percent": "100%", "percent_exact": "100", "full_percent": "100%", "full_percent_exact": "100",
        "reward_type": "NONE", "reward_amount": 0, "stock": null, "stock_total": null}]}))]
pub(crate) struct NextAnswer {
    /// By what the history names it.
    pub(super) plan_id: i64,
    /// From this instant on every play is drawn from it, without what has run out by then.
    #[schema(value_type = String, format = DateTime)]
    pub(super) effective_from: Kst,
    #[schema(value_type = String, format = DateTime)]
    announced_at: Kst,
    pub(super) odds_id: i64,
    pub(super) total_weight: u64,
    pub(super) content_hash: String,
    content: String,
    /// How often a player may play on a day then; null if there is no limit.
    max_daily_plays: Option<i64>,
    /// While everything is there; `stock` is what would be left if it took over now.
    pub(super) entries: Vec<EntryAnswer>,
}

/// What entries are shown with.
struct Shown<'a> {
    /// What is drawn from.
    odds: &'a Odds,
    /// Whether anything can be drawn.
    is_playable: bool,
    /// Everything that takes part.
    table: &'a Odds,
    limits: &'a Limits,
}

impl Shown<'_> {
    /// In the order in which they are drawn, and then those of which nothing is left.
    fn entries(&self) -> Vec<EntryAnswer> {
        let is_left = |entry: &&Entry| self.odds.entry(entry.id).is_some();
        let (left, gone): (Vec<_>, Vec<_>) = self.table.entries().iter().partition(is_left);
        let entries = left.into_iter().chain(gone);
        entries.map(|entry| self.entry(entry)).collect()
    }

    fn entry(&self, entry: &Entry) -> EntryAnswer {
        let id = entry.id;
        let is_possible = self.is_playable && self.odds.entry(id).is_some();
        let nothing = || ("0%".to_owned(), "0".to_owned());
        let (percent, percent_exact) = match is_possible {
            true => percents(self.odds, id),
            false => nothing(),
        };
        let (full_percent, full_percent_exact) = percents(self.table, id);
        EntryAnswer {
            id,
            label: entry.label.clone(),
            weight: entry.weight,
            // Weights are far below 2^53, so both numbers are exact.
            probability: match is_possible {
                true => entry.weight as f64 / self.odds.total() as f64,
                false => 0.0,
            },
            percent,
            percent_exact,
            full_percent,
            full_percent_exact,
            reward_type: entry.reward_type.as_str(),
            reward_amount: entry.reward_amount,
            stock: self.limits.stock.get(&id).copied(),
            stock_total: self.limits.supplied.get(&id).copied(),
        }
    }
}

impl OddsAnswer {
    fn now(feature: Feature, now: &OddsNow) -> Self {
        let days = now.season;
        Self {
            first_day: days.map(|(first, _)| first),
            last_day: days.map(|(_, last)| last),
            next: now.next.iter().map(Into::into).collect(),
            ..match &now.in_force {
                Some(in_force) => Self::in_force(in_force),
                None => Self::nothing(feature),
            }
        }
    }

    fn in_force(in_force: &InForceOdds) -> Self {
        let shown = Shown {
            odds: &in_force.published.odds,
            is_playable: in_force.is_playable,
            table: &in_force.table,
            limits: &in_force.limits,
        };
        Self {
            in_force_since: in_force.since.map(Kst),
            is_sold_out: !in_force.is_playable,
            max_daily_plays: limit(&in_force.limits),
            ..Self::of(&in_force.published, shown.entries())
        }
    }

    /// A table that is asked for by its id.
    fn by_id(published: &PublishedOdds) -> Self {
        let entries = entries_of(&published.odds, &Limits::default());
        Self::of(published, entries)
    }

    fn of(published: &PublishedOdds, entries: Vec<EntryAnswer>) -> Self {
        let odds = &published.odds;
        Self {
            odds_id: Some(published.odds_id.0),
            total_weight: odds.total(),
            content_hash: Some(odds.hash().to_owned()),
            content: Some(odds.content().to_owned()),
            entries,
            ..Self::nothing(odds.feature())
        }
    }

    fn nothing(feature_type: Feature) -> Self {
        Self {
            feature_type,
            odds_id: None,
            total_weight: 0,
            content_hash: None,
            content: None,
            entries: Vec::new(),
            in_force_since: None,
            is_sold_out: false,
            max_daily_plays: None,
            first_day: None,
            last_day: None,
            notice: Notice::new(),
            next: Vec::new(),
        }
    }
}

impl From<&PlannedOdds> for NextAnswer {
    fn from(planned: &PlannedOdds) -> Self {
        let odds = &planned.published.odds;
        let unknown = Limits::default();
        let limits = planned.limits.as_ref().unwrap_or(&unknown);
        Self {
            plan_id: planned.plan_id.0,
            effective_from: Kst(planned.effective_from),
            announced_at: Kst(planned.announced_at),
            odds_id: planned.published.odds_id.0,
            total_weight: odds.total(),
            content_hash: odds.hash().to_owned(),
            content: odds.content().to_owned(),
            max_daily_plays: limit(limits),
            entries: entries_of(odds, limits),
        }
    }
}

/// The entries of a table of which everything is there.
fn entries_of(odds: &Odds, limits: &Limits) -> Vec<EntryAnswer> {
    let shown = Shown {
        odds,
        is_playable: true,
        table: odds,
        limits,
    };
    shown.entries()
}

fn limit(limits: &Limits) -> Option<i64> {
    (limits.max_daily > 0).then_some(limits.max_daily)
}

pub(super) fn operation() -> Operation {
    operation!(odds).fails::<FairnessError>(NO_ODDS)
}

/// How probable everything is that a game can bring, how much of it is left, and what is announced. Needs no token; ask
/// with `If-None-Match`.
#[utoipa::path(get, path = "/api/odds/{feature}", tag = "fairness",
    params(("feature" = String, Path, description = "`ROULETTE`, `DICE` or `LOTTERY`"), OddsParams),
    responses((status = 200, body = OddsAnswer, headers(("etag" = String, description = "For `If-None-Match`."))),
        (status = 304, description = "As before.", headers(("etag" = String, description = "As it was.")))))]
pub(crate) async fn odds(
    part: PathPart<String>,
    params: Params<OddsParams>,
    now: Now,
    request: HttpRequest,
    fairness: Data<Fairness>,
) -> ApiResult<HttpResponse> {
    let answer = answer(feature(&part)?, &params.0, now, &fairness).await?;
    Ok(tagged_json(&request, &answer))
}

/// The table in force, or the one that is asked for.
pub(super) async fn answer(
    feature: Feature,
    params: &OddsParams,
    now: Now,
    fairness: &Fairness,
) -> ApiResult<OddsAnswer> {
    Ok(match params.odds_id {
        Some(id) => OddsAnswer::by_id(&fairness.odds_by_id(feature, OddsId(id)).await?),
        None => OddsAnswer::now(feature, &fairness.odds(feature, now.0).await?),
    })
}
