//! `GET /api/season-pass/status`.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_event_bridge::BridgeService;
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Now, Player},
    operation,
};
use xmas_kernel::ErrorCode;
use xmas_season_pass::{SeasonError, SeasonPassService, SeasonStatus, rules};
use xmas_time::{DateTime, EventDay, Kst, Utc};

use crate::season_pass::bridge::BridgeAnswer;

/// Where the player stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SeasonStatusAnswer, example = json!({
    "season": {"id": 1, "season_name": "XMAS_1WEEK_2025", "start_date": "2025-12-25",
        "end_date": "2025-12-31", "max_level": 10, "base_xp_per_stamp": 20},
    "progress": {"current_level": 1, "current_xp": 25, "total_stamps": 1,
        "last_stamp_date": "2025-12-26", "next_level_xp": 50},
    "levels": [{"level": 1, "required_xp": 20, "reward_type": "TICKET_ROULETTE", "reward_amount": 1,
        "reward_label": "룰렛 티켓 1장", "auto_claim": true, "is_unlocked": true, "is_claimed": true}],
    "today": {"date": "2025-12-26", "stamped": true},
    "account_level": 2,
    "server_time": "2025-12-26T09:00:00.000000+09:00",
    "next_reset_at": "2025-12-27T00:00:00.000000+09:00",
    "event_bridge": {
        "active_keys": [1, 2], "total_key_count": 2, "keys_required": 7,
        "pending_reward_points": 10_000, "is_all_keys_collected": false,
        "countdown_to_new_season": "135:00:00",
        "settles_at": "2026-01-01T00:00:00.000000+09:00", "settled": false,
        "slots": [{"day": 1, "date": "2025-12-25", "event_type": "KEY_DAY_1_ROULETTE",
            "mission": "PLAY_ROULETTE", "points": 5_000, "state": "COLLECTED"}]
    }
}))]
pub(crate) struct StatusAnswer {
    season: SeasonAnswer,
    progress: ProgressAnswer,
    /// Ascending.
    levels: Vec<LevelAnswer>,
    today: TodayAnswer,
    account_level: i64,
    #[schema(value_type = String, format = DateTime)]
    server_time: Kst,
    /// When the next stamp may be collected.
    #[schema(value_type = String, format = DateTime)]
    next_reset_at: Kst,
    /// The season bridge, from its first day until the season's grace ends; else null.
    event_bridge: Option<BridgeAnswer>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SeasonAnswer {
    id: i64,
    season_name: String,
    #[schema(value_type = String, format = Date)]
    start_date: EventDay,
    #[schema(value_type = String, format = Date)]
    end_date: EventDay,
    max_level: i64,
    base_xp_per_stamp: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct ProgressAnswer {
    /// 0 before the first level.
    current_level: i64,
    current_xp: i64,
    total_stamps: i64,
    #[schema(value_type = Option<String>, format = Date)]
    last_stamp_date: Option<EventDay>,
    /// Cumulative XP of the next level, or of the last one when it has been reached.
    next_level_xp: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct LevelAnswer {
    level: i64,
    required_xp: i64,
    reward_type: &'static str,
    reward_amount: i64,
    reward_label: String,
    auto_claim: bool,
    is_unlocked: bool,
    is_claimed: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct TodayAnswer {
    #[schema(value_type = String, format = Date)]
    date: EventDay,
    stamped: bool,
}

pub(crate) const ERRORS: &[ErrorCode] = &[
    ErrorCode::FeatureDisabled,
    ErrorCode::NoFeatureToday,
    ErrorCode::InvalidConfig,
    ErrorCode::NoActiveSeason,
    ErrorCode::NoActiveSeasonConflict,
];

pub(crate) fn operation() -> Operation {
    operation!(status).fails::<SeasonError>(ERRORS)
}

/// The season, the player's progress and every level. During the grace days after a season the
/// ended one is served. Reading pays nothing.
#[utoipa::path(get, path = "/api/season-pass/status", tag = "season-pass",
    responses((status = 200, body = StatusAnswer)), security(("bearer" = [])))]
pub(crate) async fn status(
    player: Player,
    now: Now,
    season_pass: Data<dyn SeasonPassService>,
    bridges: Data<dyn BridgeService>,
) -> ApiResult<Json<StatusAnswer>> {
    let status = season_pass.status(&player.0, now.0).await?;
    let bridge = bridges
        .status(player.0.user_id, status.season.id, now.0)
        .await?;
    let bridge = bridge.map(|bridge| BridgeAnswer::of(bridge, now.0));
    Ok(Json(answer(&status, bridge, now.0)))
}

fn answer(
    status: &SeasonStatus,
    event_bridge: Option<BridgeAnswer>,
    now: DateTime<Utc>,
) -> StatusAnswer {
    let (season, progress) = (&status.season, &status.progress);
    let levels = season.rules.levels.iter().map(|level| LevelAnswer {
        level: level.level,
        required_xp: level.required_xp,
        reward_type: level.reward.kind().as_str(),
        reward_amount: level.reward.amount(),
        reward_label: level.reward_label.clone(),
        auto_claim: level.auto_claim,
        is_unlocked: level.level <= progress.level_high_water,
        is_claimed: status.claimed.contains(&level.level),
    });
    StatusAnswer {
        season: SeasonAnswer {
            id: season.id.0,
            season_name: season.rules.name.clone(),
            start_date: season.rules.start,
            end_date: season.rules.end,
            max_level: season.rules.max_level,
            base_xp_per_stamp: season.rules.base_xp_per_stamp,
        },
        progress: ProgressAnswer {
            current_level: progress.current_level,
            current_xp: progress.current_xp,
            total_stamps: progress.total_stamps,
            last_stamp_date: progress.last_stamp_day,
            next_level_xp: rules::next_level_xp(&season.rules, progress.current_level),
        },
        levels: levels.collect(),
        today: TodayAnswer {
            date: status.today,
            stamped: progress.last_stamp_day == Some(status.today),
        },
        account_level: status.account_level,
        server_time: Kst(now),
        next_reset_at: Kst(status.today.end()),
        event_bridge,
    }
}
