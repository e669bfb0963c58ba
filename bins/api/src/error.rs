//! What goes wrong, as clients see it (api.md §1 and §2).
//!
//! Domain errors know nothing of HTTP. Here each of them becomes one [`ErrorCode`], by a `match`
//! that names every variant, so that a new one cannot be forgotten.

use std::{collections::BTreeMap, error::Error, fmt, time::Duration};

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_activity::ActivityError;
use xmas_core_auth::{AuthError, PasswordError, TokenError};
use xmas_event_bridge::BridgeError;
use xmas_features::{FeatureDeskError, FeatureError};
use xmas_games::{FairnessError, GameError};
use xmas_kernel::{
    ErrorCode, Feature, Problem, db::DbError, idempotency::IdempotencyError, version::Stale,
};
use xmas_players::AccessError;
use xmas_reporting::{HistoryError, TimelineError};
use xmas_rewards::WalletError;
use xmas_season_pass::SeasonError;

pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// Field to problems.
pub(crate) type Details = BTreeMap<String, Vec<String>>;

/// An error on its way to a client.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: ErrorCode,
    details: Option<Details>,
    retry_after: Option<Duration>,
    /// What the log should know and the client should not.
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// When a client should come back if nobody knows better.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl ApiError {
    pub(crate) fn new(code: ErrorCode) -> Self {
        Self {
            code,
            details: None,
            retry_after: (code.http_status() == 503).then_some(RETRY_AFTER),
            source: None,
        }
    }

    /// A `VALIDATION_ERROR` about fields.
    pub(crate) fn validation(details: Details) -> Self {
        Self {
            details: Some(details),
            ..Self::new(ErrorCode::ValidationError)
        }
    }

    /// A `VALIDATION_ERROR` about one field.
    pub(crate) fn field(field: &str, problem: impl Into<String>) -> Self {
        Self::validation(Details::from([(field.to_owned(), vec![problem.into()])]))
    }

    /// What is wrong with something that was to be saved: the code of the first problem that has one
    /// of its own, and all of them by field.
    pub(crate) fn problems(problems: Vec<Problem>) -> Self {
        let mut codes = problems.iter().map(|problem| problem.code);
        let own = codes.find(|code| *code != ErrorCode::ValidationError);
        let mut details = Details::new();
        for problem in problems {
            let of_field = details.entry(problem.field).or_default();
            of_field.push(problem.text);
        }
        Self {
            details: Some(details),
            ..Self::new(own.unwrap_or(ErrorCode::ValidationError))
        }
    }

    pub(crate) fn not_ready(details: Details) -> Self {
        Self {
            details: Some(details),
            ..Self::new(ErrorCode::NotReady)
        }
    }

    pub(crate) fn too_many(retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(ErrorCode::TooManyRequests)
        }
    }

    /// Something that should not have gone wrong, whatever the request was.
    pub(crate) fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::caused_by(ErrorCode::Internal, source)
    }

    fn caused_by(code: ErrorCode, source: impl Error + Send + Sync + 'static) -> Self {
        Self {
            source: Some(Box::new(source)),
            ..Self::new(code)
        }
    }

    pub(crate) fn code(&self) -> ErrorCode {
        self.code
    }

    pub(crate) fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// The answer's body; the request id is known to the middleware that asks for it.
    pub(crate) fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody {
            error: ErrorInfo {
                code: self.code.as_str(),
                message: self.code.message(),
                request_id: request_id.to_owned(),
                details: self.details.clone(),
            },
            detail: self.code.as_str(),
        }
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        // Never 0: the client would be back before the window is over.
        self.retry_after
            .map(|after| after.as_secs() + u64::from(after.subsec_nanos() > 0))
    }
}

/// What every error looks like.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorInfo,
    /// The code once more, where the admin client reads it.
    detail: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct ErrorInfo {
    code: &'static str,
    /// For developers; clients show their own texts.
    message: &'static str,
    /// Finds the request in the log.
    request_id: String,
    /// Field to problems, for `VALIDATION_ERROR` and the codes of configurations.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
}

impl Error for ApiError {}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Status and headers only: [`crate::middleware::error_shape`] writes the body.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after_seconds() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        response.finish()
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        let code = match &error {
            DbError::Contention(_) => ErrorCode::LockNotAcquired,
            DbError::PoolExhausted(_) => ErrorCode::Overloaded,
            DbError::Unreachable(_) => ErrorCode::NotReady,
            DbError::SchemaMismatch(_) => ErrorCode::DbSchemaMismatch,
            DbError::Violated(..)
            | DbError::CommitOutcomeUnknown(_)
            | DbError::Corrupt(_)
            | DbError::Other(_) => ErrorCode::DbError,
        };
        Self::caused_by(code, error)
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::StaleToken => Self::new(ErrorCode::TokenInvalid),
            AccessError::Blocked => Self::new(ErrorCode::UserBlocked),
            AccessError::Db(error) => error.into(),
        }
    }
}

impl From<Stale> for ApiError {
    fn from(_: Stale) -> Self {
        Self::new(ErrorCode::VersionConflict)
    }
}

impl From<IdempotencyError> for ApiError {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::KeyReused => Self::new(ErrorCode::IdempotencyKeyReused),
            IdempotencyError::Db(error) => error.into(),
        }
    }
}

impl From<FeatureError> for ApiError {
    fn from(error: FeatureError) -> Self {
        match error {
            FeatureError::NotToday => Self::new(ErrorCode::NoFeatureToday),
            FeatureError::Disabled => Self::new(ErrorCode::FeatureDisabled),
            FeatureError::Db(error) => error.into(),
        }
    }
}

impl From<FeatureDeskError> for ApiError {
    fn from(error: FeatureDeskError) -> Self {
        match error {
            FeatureDeskError::UnknownFeature => Self::new(ErrorCode::FeatureConfigNotFound),
            FeatureDeskError::Invalid(problems) => Self::problems(problems),
            FeatureDeskError::Stale(error) => error.into(),
            FeatureDeskError::Db(error) => error.into(),
        }
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::new(ErrorCode::TokenInvalid),
            TokenError::Expired => Self::new(ErrorCode::TokenExpired),
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::InvalidCredentials => Self::new(ErrorCode::InvalidCredentials),
            // Not a 401, which would log the player out.
            AuthError::WrongCurrentPassword => Self::field("current_password", "is wrong"),
            AuthError::Token(error) => error.into(),
            AuthError::Access(error) => error.into(),
            AuthError::Throttled { retry_after } => Self::too_many(retry_after),
            AuthError::Password(PasswordError::Overloaded) => Self::new(ErrorCode::Overloaded),
            AuthError::Password(error @ PasswordError::Failed) => {
                Self::caused_by(ErrorCode::Internal, error)
            }
            AuthError::Db(error) => error.into(),
        }
    }
}

impl From<ActivityError> for ApiError {
    fn from(error: ActivityError) -> Self {
        match error {
            ActivityError::Access(error) => error.into(),
            ActivityError::Idempotency(error) => error.into(),
            ActivityError::Db(error) => error.into(),
        }
    }
}

impl From<SeasonError> for ApiError {
    fn from(error: SeasonError) -> Self {
        match error {
            SeasonError::Feature(error) => error.into(),
            SeasonError::Access(error) => error.into(),
            SeasonError::Idempotency(error) => error.into(),
            SeasonError::NoActiveSeason => Self::new(ErrorCode::NoActiveSeason),
            SeasonError::Conflict => Self::new(ErrorCode::NoActiveSeasonConflict),
            SeasonError::InvalidConfig => Self::new(ErrorCode::InvalidConfig),
            SeasonError::AlreadyStamped => Self::new(ErrorCode::AlreadyStampedToday),
            SeasonError::XpBonusOutOfRange { max } => {
                Self::field("xp_bonus", format!("is 0 to {max}"))
            }
            SeasonError::LevelNotFound => Self::new(ErrorCode::LevelNotFound),
            SeasonError::LevelNotReached => Self::new(ErrorCode::LevelNotReached),
            SeasonError::AutoClaimLevel => Self::new(ErrorCode::AutoClaimLevel),
            SeasonError::AlreadyClaimed => Self::new(ErrorCode::RewardAlreadyClaimed),
            SeasonError::Db(error) => error.into(),
        }
    }
}

impl From<GameError> for ApiError {
    fn from(error: GameError) -> Self {
        match error {
            GameError::Feature(error) => error.into(),
            GameError::Access(error) => error.into(),
            GameError::Idempotency(error) => error.into(),
            GameError::InvalidConfig(feature) => Self::new(match feature {
                Feature::Roulette => ErrorCode::InvalidRouletteConfig,
                Feature::Dice => ErrorCode::InvalidDiceConfig,
                Feature::Lottery => ErrorCode::InvalidLotteryConfig,
                Feature::SeasonPass | Feature::Ranking => ErrorCode::InvalidConfig,
            }),
            GameError::Sealed(error) => Self::caused_by(ErrorCode::Internal, error),
            GameError::DailyLimitReached => Self::new(ErrorCode::DailyLimitReached),
            GameError::NotEnoughTokens => Self::new(ErrorCode::NotEnoughTokens),
            GameError::Season(error) => error.into(),
            GameError::Db(error) => error.into(),
        }
    }
}

impl From<FairnessError> for ApiError {
    fn from(error: FairnessError) -> Self {
        match error {
            FairnessError::UnknownOdds => Self::new(ErrorCode::OddsNotFound),
            FairnessError::UnknownDay => Self::new(ErrorCode::DayNotFound),
            FairnessError::UnknownPlay => Self::new(ErrorCode::PlayNotFound),
            FairnessError::NotRevealed => Self::new(ErrorCode::SeedNotRevealed),
            FairnessError::Game(error) => error.into(),
        }
    }
}

impl From<WalletError> for ApiError {
    fn from(error: WalletError) -> Self {
        match error {
            WalletError::Access(error) => error.into(),
            WalletError::Db(error) => error.into(),
        }
    }
}

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Access(error) => error.into(),
            HistoryError::Db(error) => error.into(),
        }
    }
}

impl From<TimelineError> for ApiError {
    fn from(error: TimelineError) -> Self {
        match error {
            TimelineError::UnknownPlayer => Self::new(ErrorCode::UserNotFound),
            TimelineError::Db(error) => error.into(),
        }
    }
}

impl From<BridgeError> for ApiError {
    fn from(error: BridgeError) -> Self {
        match error {
            BridgeError::NotFound => Self::new(ErrorCode::BridgeNotFound),
            BridgeError::NotDue => Self::new(ErrorCode::BridgeNotDue),
            BridgeError::Conflict | BridgeError::Closed => Self::new(ErrorCode::BridgeConflict),
            BridgeError::Invalid(problems) => Self::problems(problems),
            BridgeError::UnknownPlayer => Self::new(ErrorCode::UserNotFound),
            BridgeError::Db(error) => error.into(),
        }
    }
}
