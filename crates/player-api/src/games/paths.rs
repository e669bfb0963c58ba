//! The two paths of a game.

use actix_web::web::{self, Data, Json};
use serde::Serialize;
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{HttpMethod, ParameterIn},
};
use xmas_games::{Game, GameError, GameService, Play, PlayCommand, Status};
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Command, IdempotencyKey, Nothing, Now, Player},
    finished::{Finished, FinishedAnswer, FinishedAnswers},
    openapi::by_hand::{json, operation, reference, schemas},
};
use xmas_kernel::ErrorCode;

/// A game as players see it over HTTP.
pub(crate) trait GamePaths: Game {
    /// In paths, and its tag in the OpenAPI document: `roulette`.
    const NAME: &'static str;
    /// What the document says of its status.
    const STATUS: &'static str;
    /// What the document says of a play.
    const PLAY: &'static str;
    type StatusAnswer: From<Status<Self::Menu>> + Serialize + ToSchema + 'static;
    type PlayAnswer: From<Play<Self::Outcome>> + Finished + ToSchema + 'static;
}

pub(crate) fn of_game<G: GamePaths>() -> [Operation; 2] {
    let status = Operation::new(
        format!("/api/{}/status", G::NAME),
        HttpMethod::Get,
        || web::to(status::<G>),
        operation(G::NAME, "status", G::STATUS)
            .response("200", json(reference::<G::StatusAnswer>()))
            .build(),
        schemas::<G::StatusAnswer>(),
    );
    let play = Operation::new(
        format!("/api/{}/play", G::NAME),
        HttpMethod::Post,
        || web::to(play::<G>),
        operation(G::NAME, "play", G::PLAY)
            .parameters(Some(IdempotencyKey::into_params(|| {
                Some(ParameterIn::Header)
            })))
            .response("200", json(reference::<G::PlayAnswer>()))
            .build(),
        schemas::<G::PlayAnswer>(),
    );
    [
        status.fails::<GameError>(&[
            ErrorCode::FeatureDisabled,
            ErrorCode::NoFeatureToday,
            G::INVALID_CONFIG,
        ]),
        play.fails::<GameError>(&[
            ErrorCode::FeatureDisabled,
            ErrorCode::NoFeatureToday,
            ErrorCode::InvalidConfig,
            ErrorCode::DailyLimitReached,
            ErrorCode::NotEnoughTokens,
            ErrorCode::NoActiveSeasonConflict,
            G::INVALID_CONFIG,
        ]),
    ]
}

async fn status<G: GamePaths>(
    player: Player,
    now: Now,
    game: Data<dyn GameService<G>>,
) -> ApiResult<Json<G::StatusAnswer>> {
    let status = game.status(&player.0, now.0).await?;
    Ok(Json(status.into()))
}

async fn play<G: GamePaths>(
    player: Player,
    command: Command<Nothing>,
    now: Now,
    game: Data<dyn GameService<G>>,
    finished: Data<FinishedAnswers>,
) -> ApiResult<FinishedAnswer> {
    let command = PlayCommand {
        identity: player.0,
        request: command.request,
    };
    let run = game.play(&command, now.0);
    let request = command.request.as_ref();
    finished
        .answer::<G::PlayAnswer, _, _>(&player.0, request, run)
        .await
}
