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
use xmas_games::{ConfigError, FairnessError, GameError, RankingDeskError};
use xmas_kernel::{
    ErrorCode, Feature, Problem, UserId, db::DbError, idempotency::IdempotencyError, version::Stale,
};
use xmas_players::{AccessError, HashError, PlayerDeskError, RecipientError, ResolveError};
use xmas_reporting::{HistoryError, TimelineError};
use xmas_rewards::{BatchError, OrderError, RewardError, WalletError};
use xmas_season_pass::{SeasonDeskError, SeasonError};
use xmas_time::Kst;

use crate::extract::LineProblems;

pub type ApiResult<T> = Result<T, ApiError>;

/// Field to problems.
pub type Details = BTreeMap<String, Vec<String>>;

/// An error on its way to a client.
#[derive(Debug)]
pub struct ApiError {
    code: ErrorCode,
    details: Option<Details>,
    retry_after: Option<Duration>,
    /// What the log should know and the client should not.
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// When a client should come back if nobody knows better.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl ApiError {
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            details: None,
            retry_after: (code.http_status() == 503).then_some(RETRY_AFTER),
            source: None,
        }
    }

    /// A `VALIDATION_ERROR` about fields.
    pub fn validation(details: Details) -> Self {
        Self {
            details: Some(details),
            ..Self::new(ErrorCode::ValidationError)
        }
    }

    /// A `VALIDATION_ERROR` about one field.
    pub fn field(field: &str, problem: impl Into<String>) -> Self {
        Self::validation(Details::from([(field.to_owned(), vec![problem.into()])]))
    }

    /// What is wrong with something that was to be saved: the code of the first problem that has one
    /// of its own, and all of them by field.
    pub fn problems(problems: Vec<Problem>) -> Self {
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

    /// `UNSUPPORTED_MEDIA_TYPE`, with what the header must be instead.
    pub fn unsupported(header: &str, problem: impl Into<String>) -> Self {
        Self {
            details: Some(Details::from([(header.to_owned(), vec![problem.into()])])),
            ..Self::new(ErrorCode::UnsupportedMediaType)
        }
    }

    pub fn not_ready(details: Details) -> Self {
        Self {
            details: Some(details),
            ..Self::new(ErrorCode::NotReady)
        }
    }

    pub fn too_many(retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(ErrorCode::TooManyRequests)
        }
    }

    /// Something that should not have gone wrong, whatever the request was.
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::caused_by(ErrorCode::Internal, source)
    }

    fn caused_by(code: ErrorCode, source: impl Error + Send + Sync + 'static) -> Self {
        Self {
            source: Some(Box::new(source)),
            ..Self::new(code)
        }
    }

    pub fn code(&self) -> ErrorCode {
        self.code
    }

    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// The answer's body; the request id is known to the middleware that asks for it.
    pub fn body(&self, request_id: &str) -> ErrorBody {
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

    pub fn retry_after_seconds(&self) -> Option<u64> {
        // Never 0: the client would be back before the window is over.
        self.retry_after
            .map(|after| after.as_secs() + u64::from(after.subsec_nanos() > 0))
    }
}

/// What every error looks like.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
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
            DbError::Unreachable(_) | DbError::ReadOnly(_) => ErrorCode::NotReady,
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

impl From<ResolveError> for ApiError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Unnamed => Self::new(ErrorCode::UserRequired),
            ResolveError::Unknown => Self::new(ErrorCode::UserNotFound),
            ResolveError::Contradiction => {
                Self::field("external_id", "is another player's than user_id")
            }
            ResolveError::Db(error) => error.into(),
        }
    }
}

impl From<RecipientError> for ApiError {
    fn from(error: RecipientError) -> Self {
        match error {
            RecipientError::Unknown => Self::new(ErrorCode::UserNotFound),
            RecipientError::Anonymised => Self::new(ErrorCode::UserAnonymised),
            RecipientError::Inactive => Self::new(ErrorCode::UserInactive),
            RecipientError::Db(error) => error.into(),
        }
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
            FeatureDeskError::NotScheduled => Self::new(ErrorCode::ScheduleNotFound),
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

/// What an operator is told about a player who was deleted and is there all the same.
pub fn reactivate(owner: UserId) -> String {
    format!(
        "it belongs to player {owner}, who is INACTIVE; PUT /admin/api/users/{owner} with \
         {{\"status\": \"ACTIVE\"}} brings them back"
    )
}

impl From<PlayerDeskError> for ApiError {
    fn from(error: PlayerDeskError) -> Self {
        match error {
            PlayerDeskError::UnknownPlayer => Self::new(ErrorCode::UserNotFound),
            PlayerDeskError::ExternalIdExists => Self::new(ErrorCode::ExternalIdExists),
            PlayerDeskError::ExternalIdDeleted(owner) => {
                let text = format!("must be new: {}", reactivate(owner));
                let problem = Problem::coded(ErrorCode::ExternalIdExists, "external_id", text);
                Self::problems(vec![problem])
            }
            PlayerDeskError::Anonymised => Self::new(ErrorCode::UserAnonymised),
            PlayerDeskError::NoActiveSeason => Self::new(ErrorCode::NoActiveSeason),
            PlayerDeskError::Invalid(problems) => Self::problems(problems),
            PlayerDeskError::Stale(error) => error.into(),
            PlayerDeskError::Access(error) => error.into(),
            PlayerDeskError::Hash(HashError::Overloaded) => Self::new(ErrorCode::Overloaded),
            PlayerDeskError::Hash(error @ HashError::Failed) => {
                Self::caused_by(ErrorCode::Internal, error)
            }
            PlayerDeskError::RefusedLines(lines) => {
                let problems = lines.into_iter().flat_map(|(line, problems)| {
                    let problems = problems.into_iter();
                    problems.map(move |problem| (line, problem.field, problem.text))
                });
                LineProblems::of(problems)
            }
            PlayerDeskError::Db(error) => error.into(),
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

impl From<SeasonDeskError> for ApiError {
    fn from(error: SeasonDeskError) -> Self {
        match error {
            SeasonDeskError::NotFound => Self::new(ErrorCode::SeasonNotFound),
            SeasonDeskError::Invalid(problems) => Self::problems(problems),
            SeasonDeskError::Overlap => Self::new(ErrorCode::ActiveSeasonConflict),
            SeasonDeskError::Stale(error) => error.into(),
            SeasonDeskError::Db(error) => error.into(),
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

impl From<ConfigError> for ApiError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::NotFound(feature) => Self::new(match feature {
                Feature::Roulette => ErrorCode::RouletteConfigNotFound,
                Feature::Dice => ErrorCode::DiceConfigNotFound,
                Feature::Lottery => ErrorCode::LotteryConfigNotFound,
                Feature::SeasonPass | Feature::Ranking => ErrorCode::NotFound,
            }),
            ConfigError::UnknownVersion => Self::new(ErrorCode::ConfigVersionNotFound),
            ConfigError::InUse => Self::new(ErrorCode::ConfigInUse),
            ConfigError::Invalid(problems) => Self::problems(problems),
            ConfigError::Stale(error) => error.into(),
            ConfigError::Db(error) => error.into(),
        }
    }
}

impl From<RankingDeskError> for ApiError {
    fn from(error: RankingDeskError) -> Self {
        match error {
            RankingDeskError::UnknownDay => Self::new(ErrorCode::RankingNotFound),
            RankingDeskError::NotOnBoard => Self::new(ErrorCode::ExternalRankingNotFound),
            RankingDeskError::Invalid(problems) => Self::problems(problems),
            RankingDeskError::Stale(error) => error.into(),
            RankingDeskError::Db(error) => error.into(),
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

impl From<RewardError> for ApiError {
    fn from(error: RewardError) -> Self {
        match error {
            RewardError::Invalid(problems) => Self::problems(problems),
            RewardError::NameTaken => Self::field("name", "is another one's"),
            RewardError::UnknownCouponKind => Self::new(ErrorCode::CouponKindNotFound),
            RewardError::UnknownBundle => Self::new(ErrorCode::BundleNotFound),
            RewardError::CodesClash(_) => Self::field("csv", "must have new codes only"),
            RewardError::UnknownWithheldCode => Self::new(ErrorCode::WithheldCodeNotFound),
            RewardError::CodeInUse => Self::new(ErrorCode::CouponCodeInUse),
            RewardError::NotFound => Self::new(ErrorCode::RewardNotFound),
            RewardError::NotPending => Self::new(ErrorCode::RewardNotPending),
            RewardError::Recipient(error) => error.into(),
            RewardError::NoCouponLeft => Self::new(ErrorCode::NoCouponLeft),
            RewardError::Sealed(error) => Self::caused_by(ErrorCode::Internal, error),
            RewardError::Stale(error) => error.into(),
            RewardError::Db(error) => error.into(),
        }
    }
}

impl From<OrderError> for ApiError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::NobodyNamed => Self::new(ErrorCode::UserRequired),
            OrderError::UnknownPlayer => Self::new(ErrorCode::UserNotFound),
            OrderError::Recipient(error) => error.into(),
            OrderError::Invalid(problems) => Self::problems(problems),
            OrderError::NotEnough => Self::new(ErrorCode::NotEnoughTokens),
            OrderError::Idempotency(error) => error.into(),
            OrderError::Db(error) => error.into(),
        }
    }
}

impl From<BatchError> for ApiError {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Unnamed => {
                let problem = "names the batch; an Idempotency-Key does as well";
                Self::field("batch_id", problem)
            }
            BatchError::KeyReused(batch) => {
                let (id, at, by) = (batch.id, Kst(batch.created_at), &batch.actor);
                let problem = format!(
                    "must be new: batch {id} of {at} by {by} has this batch_id, and was another request"
                );
                let code = ErrorCode::IdempotencyKeyReused;
                Self::problems(vec![Problem::coded(code, "batch_id", problem)])
            }
            BatchError::Invalid(problems) => Self::problems(problems),
            BatchError::Refused(lines) => {
                let lines = lines.into_iter();
                LineProblems::of(lines.map(|refusal| (refusal.line, refusal.field, refusal.text)))
            }
            BatchError::NotFound => Self::new(ErrorCode::BatchNotFound),
            BatchError::Ambiguous { by_id, by_name } => {
                let problem =
                    format!("must be id:{by_id} or batch_id:{by_id}, which is batch {by_name}");
                let code = ErrorCode::BatchAmbiguous;
                Self::problems(vec![Problem::coded(code, "batch", problem)])
            }
            BatchError::IsRevert { of } => {
                let problem = format!(
                    "must be no revert: this one takes back batch {of}; give or take anew instead"
                );
                let code = ErrorCode::BatchIsRevert;
                Self::problems(vec![Problem::coded(code, "batch", problem)])
            }
            BatchError::Db(error) => error.into(),
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
            BridgeError::Recipient(error) => error.into(),
            BridgeError::Player(error) => error.into(),
            BridgeError::UnknownGift => Self::new(ErrorCode::GiftNotFound),
            BridgeError::GiftReverted => Self::new(ErrorCode::GiftReverted),
            BridgeError::UnknownSeason => Self::new(ErrorCode::SeasonNotFound),
            BridgeError::Stale(error) => error.into(),
            BridgeError::Db(error) => error.into(),
        }
    }
}
