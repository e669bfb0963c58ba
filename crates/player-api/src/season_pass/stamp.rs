//! `POST /api/season-pass/stamp`.

use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Command, IdempotencyKey, Now, Player},
    finished::{Finished, FinishedAnswer, FinishedAnswers},
    operation,
};
use xmas_kernel::{ErrorCode, Feature};
use xmas_season_pass::{SeasonError, SeasonPassService, StampCommand, StampResult};

use crate::season_pass::reward::LevelRewardAnswer;

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"source_feature_type": "ROULETTE", "xp_bonus": 0}))]
pub(crate) struct StampRequest {
    /// The feature that the player came from: `SEASON_PASS`, `ROULETTE`, `DICE`, `LOTTERY` or
    /// `RANKING`.
    source_feature_type: String,
    /// 0 up to the season's limit.
    #[serde(default)]
    xp_bonus: i64,
}

/// A stamp and what came with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "added_stamp": 1, "xp_added": 20, "current_xp": 20, "current_level": 1, "leveled_up": true,
    "rewards": [{"level": 1, "reward_type": "TICKET_ROULETTE", "reward_amount": 1,
        "reward_label": "룰렛 티켓 1장", "auto_claim": true,
        "claimed_at": "2025-12-26T09:00:00.000000+09:00", "state": "DELIVERED"}]
}))]
pub(crate) struct StampAnswer {
    added_stamp: i64,
    xp_added: i64,
    current_xp: i64,
    current_level: i64,
    leveled_up: bool,
    /// What levels paid by themselves.
    rewards: Vec<LevelRewardAnswer>,
}

impl Finished for StampAnswer {
    fn may_be_kept(&self) -> bool {
        self.rewards.iter().all(Finished::may_be_kept)
    }
}

impl From<StampResult> for StampAnswer {
    fn from(stamp: StampResult) -> Self {
        Self {
            added_stamp: stamp.added_stamp,
            xp_added: stamp.xp_added,
            current_xp: stamp.current_xp,
            current_level: stamp.current_level,
            leveled_up: stamp.leveled_up,
            rewards: stamp.rewards.into_iter().map(Into::into).collect(),
        }
    }
}

pub(crate) fn operation() -> Operation {
    operation!(stamp).fails::<SeasonError>(&[
        ErrorCode::FeatureDisabled,
        ErrorCode::NoFeatureToday,
        ErrorCode::InvalidConfig,
        ErrorCode::NoActiveSeason,
        ErrorCode::NoActiveSeasonConflict,
        ErrorCode::AlreadyStampedToday,
    ])
}

/// Collects the day's stamp, its XP, and the rewards of every level it reaches.
#[utoipa::path(post, path = "/api/season-pass/stamp", tag = "season-pass",
    request_body = StampRequest, responses((status = 200, body = StampAnswer)),
    params(IdempotencyKey),
    security(("bearer" = [])))]
pub(crate) async fn stamp(
    player: Player,
    command: Command<StampRequest>,
    now: Now,
    season_pass: Data<dyn SeasonPassService>,
    finished: Data<FinishedAnswers>,
) -> ApiResult<FinishedAnswer> {
    let source = command.body.source_feature_type.parse::<Feature>();
    let command = StampCommand {
        identity: player.0,
        request: command.request,
        source: source.map_err(|error| ApiError::field("source_feature_type", error))?,
        xp_bonus: command.body.xp_bonus,
    };
    let run = season_pass.stamp(&command, now.0);
    let request = command.request.as_ref();
    finished
        .answer::<StampAnswer, _, _>(&player.0, request, run)
        .await
}
