//! Domain errors know nothing of HTTP. Here each of them becomes one [`ErrorCode`], by a `match` that names every
//! variant, so that a new one cannot be forgotten.

use xmas_activity::ActivityError;
use xmas_core_auth::{AuthError, PasswordError, TokenError};
use xmas_event_bridge::BridgeError;
use xmas_event_file::EventError;
use xmas_features::{FeatureDeskError, FeatureError};
use xmas_games::{ConfigError, FairnessError, GameError, RankingDeskError, catalog};
use xmas_kernel::{ErrorCode, Problem, db::DbError, idempotency::IdempotencyError, version::Stale};
use xmas_players::{AccessError, HashError, PlayerDeskError, RecipientError, ResolveError};
use xmas_reporting::{HistoryError, TimelineError};
use xmas_rewards::{BatchError, OrderError, RewardError, WalletError};
use xmas_season_pass::{SeasonDeskError, SeasonError};
use xmas_texts::{field, player, reward, wallet};
use xmas_time::Kst;

use crate::{
    error::{ApiError, Refusal},
    extract::LineProblems,
};

/// Every code that an error can become: its own, and those of the errors within it.
#[derive(Debug)]
pub struct Codes {
    own: &'static [ErrorCode],
    within: &'static [&'static Codes],
    of_games: Option<fn(ErrorCode) -> bool>,
}

impl Codes {
    const fn of(own: &'static [ErrorCode]) -> Self {
        Self {
            own,
            within: &[],
            of_games: None,
        }
    }

    const fn and(self, within: &'static [&'static Codes]) -> Self {
        Self { within, ..self }
    }

    /// Besides, those codes of single games of which this is true.
    const fn and_of_games(self, is_one: fn(ErrorCode) -> bool) -> Self {
        Self {
            of_games: Some(is_one),
            ..self
        }
    }

    /// Whether the error can become this code.
    pub fn contains(&self, code: ErrorCode) -> bool {
        self.own.contains(&code)
            || self.within.iter().any(|codes| codes.contains(code))
            || self.of_games.is_some_and(|is_one| is_one(code))
    }
}

/// An error of a domain crate, as clients see it.
pub trait Coded: Sized {
    /// Every code that it can become; [`crate::endpoint::Operation::fails`] takes no others.
    const CODES: Codes;

    fn into_api(self) -> ApiError;
}

impl<E: Coded> From<E> for ApiError {
    fn from(error: E) -> Self {
        let error = error.into_api();
        // Every test that meets the error checks its list.
        debug_assert!(
            E::CODES.contains(error.code),
            "{} is not in the list of {}",
            error.code,
            std::any::type_name::<E>()
        );
        error
    }
}

impl Coded for DbError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::LockNotAcquired,
        ErrorCode::Overloaded,
        ErrorCode::NotReady,
        ErrorCode::DbSchemaMismatch,
        ErrorCode::DbError,
    ]);

    fn into_api(self) -> ApiError {
        let error = self;
        let code = match &error {
            DbError::Contention(_) | DbError::Overtaken(_) => ErrorCode::LockNotAcquired,
            DbError::PoolExhausted(_) => ErrorCode::Overloaded,
            DbError::Unreachable(_) | DbError::ReadOnly(_) => ErrorCode::NotReady,
            DbError::SchemaMismatch(_) => ErrorCode::DbSchemaMismatch,
            DbError::Violated(..)
            | DbError::CommitOutcomeUnknown(_)
            | DbError::Corrupt(_)
            | DbError::Other(_) => ErrorCode::DbError,
        };
        ApiError::caused_by(code, error)
    }
}

impl Coded for AccessError {
    const CODES: Codes =
        Codes::of(&[ErrorCode::TokenInvalid, ErrorCode::UserBlocked]).and(&[&DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            AccessError::StaleToken => ApiError::new(ErrorCode::TokenInvalid),
            AccessError::Blocked => ApiError::new(ErrorCode::UserBlocked),
            AccessError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for Stale {
    const CODES: Codes = Codes::of(&[ErrorCode::VersionConflict]);

    fn into_api(self) -> ApiError {
        ApiError::new(ErrorCode::VersionConflict)
    }
}

impl Coded for ResolveError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::UserRequired,
        ErrorCode::UserNotFound,
        ErrorCode::ValidationError,
    ])
    .and(&[&DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            ResolveError::Unnamed => ApiError::new(ErrorCode::UserRequired),
            ResolveError::Unknown => ApiError::new(ErrorCode::UserNotFound),
            ResolveError::Contradiction => ApiError::field("external_id", player::names_differ()),
            ResolveError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for RecipientError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::UserNotFound,
        ErrorCode::UserAnonymised,
        ErrorCode::UserInactive,
    ])
    .and(&[&DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            RecipientError::Unknown => ApiError::new(ErrorCode::UserNotFound),
            RecipientError::Anonymised => ApiError::new(ErrorCode::UserAnonymised),
            RecipientError::Inactive => ApiError::new(ErrorCode::UserInactive),
            RecipientError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for IdempotencyError {
    const CODES: Codes = Codes::of(&[ErrorCode::IdempotencyKeyReused]).and(&[&DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            IdempotencyError::KeyReused => ApiError::new(ErrorCode::IdempotencyKeyReused),
            IdempotencyError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for FeatureError {
    const CODES: Codes =
        Codes::of(&[ErrorCode::NoFeatureToday, ErrorCode::FeatureDisabled]).and(&[&DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            FeatureError::NotToday => ApiError::new(ErrorCode::NoFeatureToday),
            FeatureError::Disabled => ApiError::new(ErrorCode::FeatureDisabled),
            FeatureError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for FeatureDeskError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::FeatureConfigNotFound,
        ErrorCode::ScheduleNotFound,
        ErrorCode::ValidationError,
        ErrorCode::InvalidFeatureSchedule,
    ])
    .and(&[&Stale::CODES, &DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            FeatureDeskError::UnknownFeature => ApiError::new(ErrorCode::FeatureConfigNotFound),
            FeatureDeskError::NotScheduled => ApiError::new(ErrorCode::ScheduleNotFound),
            FeatureDeskError::Invalid(problems) => ApiError::problems(problems),
            FeatureDeskError::Stale(error) => error.into_api(),
            FeatureDeskError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for TokenError {
    const CODES: Codes = Codes::of(&[ErrorCode::TokenInvalid, ErrorCode::TokenExpired]);

    fn into_api(self) -> ApiError {
        match self {
            TokenError::Invalid => ApiError::new(ErrorCode::TokenInvalid),
            TokenError::Expired => ApiError::new(ErrorCode::TokenExpired),
        }
    }
}

impl Coded for AuthError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::InvalidCredentials,
        ErrorCode::Overloaded,
        ErrorCode::Internal,
        ErrorCode::ValidationError,
        ErrorCode::TooManyRequests,
    ])
    .and(&[&TokenError::CODES, &AccessError::CODES, &DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            AuthError::InvalidCredentials => ApiError::new(ErrorCode::InvalidCredentials),
            // Not a 401, which would log the player out.
            AuthError::WrongCurrentPassword => {
                ApiError::field("current_password", player::wrong_current_password())
            }
            AuthError::Token(error) => error.into_api(),
            AuthError::Access(error) => error.into_api(),
            AuthError::Throttled { retry_after } => {
                ApiError::too_many(retry_after).by(Refusal::LoginThrottle)
            }
            AuthError::Password(PasswordError::Overloaded) => {
                ApiError::new(ErrorCode::Overloaded).by(Refusal::Logins)
            }
            AuthError::Password(error @ PasswordError::Failed) => {
                ApiError::caused_by(ErrorCode::Internal, error)
            }
            AuthError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for PlayerDeskError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::UserNotFound,
        ErrorCode::ExternalIdExists,
        ErrorCode::UserAnonymised,
        ErrorCode::NoActiveSeason,
        ErrorCode::Overloaded,
        ErrorCode::Internal,
        ErrorCode::ValidationError,
    ])
    .and(&[
        &Stale::CODES,
        &AccessError::CODES,
        &IdempotencyError::CODES,
        &DbError::CODES,
    ]);

    fn into_api(self) -> ApiError {
        match self {
            PlayerDeskError::UnknownPlayer => ApiError::new(ErrorCode::UserNotFound),
            PlayerDeskError::ExternalIdExists => ApiError::new(ErrorCode::ExternalIdExists),
            PlayerDeskError::ExternalIdDeleted(owner) => {
                let text = player::external_id_of_deleted(owner.to_string());
                let problem = Problem::coded(ErrorCode::ExternalIdExists, "external_id", text);
                ApiError::problems(vec![problem])
            }
            PlayerDeskError::Anonymised => ApiError::new(ErrorCode::UserAnonymised),
            PlayerDeskError::NoActiveSeason => ApiError::new(ErrorCode::NoActiveSeason),
            PlayerDeskError::Invalid(problems) => ApiError::problems(problems),
            PlayerDeskError::Stale(error) => error.into_api(),
            PlayerDeskError::Idempotency(error) => error.into_api(),
            PlayerDeskError::Access(error) => error.into_api(),
            PlayerDeskError::Hash(HashError::Overloaded) => ApiError::new(ErrorCode::Overloaded),
            PlayerDeskError::Hash(error @ HashError::Failed) => {
                ApiError::caused_by(ErrorCode::Internal, error)
            }
            PlayerDeskError::RefusedLines(lines) => {
                let problems = lines.into_iter().flat_map(|(line, problems)| {
                    let problems = problems.into_iter();
                    problems.map(move |problem| (line, problem.field, problem.text))
                });
                LineProblems::of(problems)
            }
            PlayerDeskError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for ActivityError {
    const CODES: Codes = Codes::of(&[]).and(&[
        &AccessError::CODES,
        &IdempotencyError::CODES,
        &DbError::CODES,
    ]);

    fn into_api(self) -> ApiError {
        match self {
            ActivityError::Access(error) => error.into_api(),
            ActivityError::Idempotency(error) => error.into_api(),
            ActivityError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for SeasonError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::NoActiveSeason,
        ErrorCode::NoActiveSeasonConflict,
        ErrorCode::InvalidConfig,
        ErrorCode::AlreadyStampedToday,
        ErrorCode::LevelNotFound,
        ErrorCode::LevelNotReached,
        ErrorCode::AutoClaimLevel,
        ErrorCode::RewardAlreadyClaimed,
        ErrorCode::ValidationError,
    ])
    .and(&[
        &FeatureError::CODES,
        &AccessError::CODES,
        &IdempotencyError::CODES,
        &DbError::CODES,
    ]);

    fn into_api(self) -> ApiError {
        match self {
            SeasonError::Feature(error) => error.into_api(),
            SeasonError::Access(error) => error.into_api(),
            SeasonError::Idempotency(error) => error.into_api(),
            SeasonError::NoActiveSeason => ApiError::new(ErrorCode::NoActiveSeason),
            SeasonError::Conflict => ApiError::new(ErrorCode::NoActiveSeasonConflict),
            SeasonError::InvalidConfig => ApiError::new(ErrorCode::InvalidConfig),
            SeasonError::AlreadyStamped => ApiError::new(ErrorCode::AlreadyStampedToday),
            SeasonError::XpBonusOutOfRange { max, got } => {
                ApiError::field("xp_bonus", field::between(0, max, got))
            }
            SeasonError::LevelNotFound => ApiError::new(ErrorCode::LevelNotFound),
            SeasonError::LevelNotReached => ApiError::new(ErrorCode::LevelNotReached),
            SeasonError::AutoClaimLevel => ApiError::new(ErrorCode::AutoClaimLevel),
            SeasonError::AlreadyClaimed => ApiError::new(ErrorCode::RewardAlreadyClaimed),
            SeasonError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for EventError {
    const CODES: Codes = Codes::of(&[ErrorCode::SeasonNotFound, ErrorCode::ValidationError])
        .and(&[&Stale::CODES, &DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            EventError::UnknownSeason => ApiError::new(ErrorCode::SeasonNotFound),
            EventError::Refused(plan) => {
                let refused = plan.refused.into_iter();
                ApiError::problems(refused.map(|it| it.of_field("file")).collect())
            }
            EventError::Stale(error) => error.into_api(),
            EventError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for SeasonDeskError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::SeasonNotFound,
        ErrorCode::ActiveSeasonConflict,
        ErrorCode::ValidationError,
        ErrorCode::InvalidSeasonDates,
    ])
    .and(&[&Stale::CODES, &DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            SeasonDeskError::NotFound => ApiError::new(ErrorCode::SeasonNotFound),
            SeasonDeskError::Invalid(problems) => ApiError::problems(problems),
            SeasonDeskError::Overlap => ApiError::new(ErrorCode::ActiveSeasonConflict),
            SeasonDeskError::Stale(error) => error.into_api(),
            SeasonDeskError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for GameError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::InvalidConfig,
        ErrorCode::Internal,
        ErrorCode::DailyLimitReached,
        ErrorCode::NotEnoughTokens,
    ])
    .and(&[
        &FeatureError::CODES,
        &AccessError::CODES,
        &IdempotencyError::CODES,
        &SeasonError::CODES,
        &DbError::CODES,
    ])
    .and_of_games(catalog::is_of_play);

    fn into_api(self) -> ApiError {
        match self {
            GameError::Feature(error) => error.into_api(),
            GameError::Access(error) => error.into_api(),
            GameError::Idempotency(error) => error.into_api(),
            GameError::InvalidConfig(feature) => ApiError::new(
                catalog::find(feature).map_or(ErrorCode::InvalidConfig, |game| game.invalid_config),
            ),
            GameError::Sealed(error) => ApiError::caused_by(ErrorCode::Internal, error),
            GameError::DailyLimitReached => ApiError::new(ErrorCode::DailyLimitReached),
            GameError::NotEnoughTokens => ApiError::new(ErrorCode::NotEnoughTokens),
            GameError::Season(error) => error.into_api(),
            GameError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for ConfigError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::NotFound,
        ErrorCode::ConfigVersionNotFound,
        ErrorCode::ConfigInUse,
        ErrorCode::PlanNotFound,
        ErrorCode::PlanEnded,
        ErrorCode::ValidationError,
    ])
    .and(&[&Stale::CODES, &DbError::CODES])
    .and_of_games(catalog::is_of_config);

    fn into_api(self) -> ApiError {
        match self {
            ConfigError::NotFound(feature) => ApiError::new(
                catalog::find(feature).map_or(ErrorCode::NotFound, |game| game.config_not_found),
            ),
            ConfigError::UnknownVersion => ApiError::new(ErrorCode::ConfigVersionNotFound),
            ConfigError::InUse => ApiError::new(ErrorCode::ConfigInUse),
            ConfigError::UnknownPlan => ApiError::new(ErrorCode::PlanNotFound),
            ConfigError::PlanEnded => ApiError::new(ErrorCode::PlanEnded),
            ConfigError::Invalid(problems) => ApiError::problems(problems),
            ConfigError::Stale(error) => error.into_api(),
            ConfigError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for RankingDeskError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::RankingNotFound,
        ErrorCode::ExternalRankingNotFound,
        ErrorCode::ValidationError,
        ErrorCode::RankingConflict,
        ErrorCode::UserNotFound,
        ErrorCode::UserRequired,
    ])
    .and(&[&Stale::CODES, &DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            RankingDeskError::UnknownDay => ApiError::new(ErrorCode::RankingNotFound),
            RankingDeskError::NotOnBoard => ApiError::new(ErrorCode::ExternalRankingNotFound),
            RankingDeskError::Invalid(problems) => ApiError::problems(problems),
            RankingDeskError::Stale(error) => error.into_api(),
            RankingDeskError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for FairnessError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::OddsNotFound,
        ErrorCode::DayNotFound,
        ErrorCode::PlayNotFound,
        ErrorCode::SeedNotRevealed,
    ])
    .and(&[&GameError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            FairnessError::UnknownOdds => ApiError::new(ErrorCode::OddsNotFound),
            FairnessError::UnknownDay => ApiError::new(ErrorCode::DayNotFound),
            FairnessError::UnknownPlay => ApiError::new(ErrorCode::PlayNotFound),
            FairnessError::NotRevealed => ApiError::new(ErrorCode::SeedNotRevealed),
            FairnessError::Game(error) => error.into_api(),
        }
    }
}

impl Coded for WalletError {
    const CODES: Codes = Codes::of(&[]).and(&[&AccessError::CODES, &DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            WalletError::Access(error) => error.into_api(),
            WalletError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for RewardError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::CouponKindNotFound,
        ErrorCode::BundleNotFound,
        ErrorCode::WithheldCodeNotFound,
        ErrorCode::CouponCodeInUse,
        ErrorCode::RewardNotFound,
        ErrorCode::RewardNotPending,
        ErrorCode::NoCouponLeft,
        ErrorCode::Internal,
        ErrorCode::ValidationError,
    ])
    .and(&[
        &RecipientError::CODES,
        &Stale::CODES,
        &IdempotencyError::CODES,
        &DbError::CODES,
    ]);

    fn into_api(self) -> ApiError {
        match self {
            RewardError::Invalid(problems) => ApiError::problems(problems),
            RewardError::NameTaken => ApiError::field("name", reward::name_taken()),
            RewardError::UnknownCouponKind => ApiError::new(ErrorCode::CouponKindNotFound),
            RewardError::UnknownBundle => ApiError::new(ErrorCode::BundleNotFound),
            RewardError::CodesClash(_) => ApiError::field("csv", reward::codes_clash()),
            RewardError::UnknownWithheldCode => ApiError::new(ErrorCode::WithheldCodeNotFound),
            RewardError::CodeInUse => ApiError::new(ErrorCode::CouponCodeInUse),
            RewardError::NotFound => ApiError::new(ErrorCode::RewardNotFound),
            RewardError::NotPending => ApiError::new(ErrorCode::RewardNotPending),
            RewardError::Recipient(error) => error.into_api(),
            RewardError::NoCouponLeft => ApiError::new(ErrorCode::NoCouponLeft),
            RewardError::Sealed(error) => ApiError::caused_by(ErrorCode::Internal, error),
            RewardError::Stale(error) => error.into_api(),
            RewardError::Idempotency(error) => error.into_api(),
            RewardError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for OrderError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::UserRequired,
        ErrorCode::UserNotFound,
        ErrorCode::NotEnoughTokens,
        ErrorCode::ValidationError,
    ])
    .and(&[
        &RecipientError::CODES,
        &IdempotencyError::CODES,
        &DbError::CODES,
    ]);

    fn into_api(self) -> ApiError {
        match self {
            OrderError::NobodyNamed => ApiError::new(ErrorCode::UserRequired),
            OrderError::UnknownPlayer => ApiError::new(ErrorCode::UserNotFound),
            OrderError::Recipient(error) => error.into_api(),
            OrderError::Invalid(problems) => ApiError::problems(problems),
            OrderError::NotEnough => ApiError::new(ErrorCode::NotEnoughTokens),
            OrderError::Idempotency(error) => error.into_api(),
            OrderError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for BatchError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::BatchNotFound,
        ErrorCode::BatchAmbiguous,
        ErrorCode::BatchIsRevert,
        ErrorCode::ValidationError,
    ])
    .and(&[&IdempotencyError::CODES, &DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            BatchError::Unnamed => ApiError::field("batch_id", wallet::batch_unnamed()),
            BatchError::KeyReused(batch) => {
                let (id, at) = (batch.id.to_string(), Kst(batch.created_at).to_string());
                let text = wallet::batch_name_taken(id, at, batch.actor);
                let code = ErrorCode::IdempotencyKeyReused;
                ApiError::problems(vec![Problem::coded(code, "batch_id", text)])
            }
            BatchError::Invalid(problems) => ApiError::problems(problems),
            BatchError::Refused(lines) => {
                let lines = lines.into_iter();
                LineProblems::of(lines.map(|refusal| (refusal.line, refusal.field, refusal.text)))
            }
            BatchError::NotFound => ApiError::new(ErrorCode::BatchNotFound),
            BatchError::Ambiguous { by_id, by_name } => {
                let text = wallet::batch_ambiguous(by_id.to_string(), by_name.to_string());
                let code = ErrorCode::BatchAmbiguous;
                ApiError::problems(vec![Problem::coded(code, "batch", text)])
            }
            BatchError::IsRevert { of } => {
                let text = wallet::batch_is_revert(of.to_string());
                let code = ErrorCode::BatchIsRevert;
                ApiError::problems(vec![Problem::coded(code, "batch", text)])
            }
            BatchError::Idempotency(error) => error.into_api(),
            BatchError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for HistoryError {
    const CODES: Codes = Codes::of(&[]).and(&[&AccessError::CODES, &DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            HistoryError::Access(error) => error.into_api(),
            HistoryError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for TimelineError {
    const CODES: Codes = Codes::of(&[ErrorCode::UserNotFound]).and(&[&DbError::CODES]);

    fn into_api(self) -> ApiError {
        match self {
            TimelineError::UnknownPlayer => ApiError::new(ErrorCode::UserNotFound),
            TimelineError::Db(error) => error.into_api(),
        }
    }
}

impl Coded for BridgeError {
    const CODES: Codes = Codes::of(&[
        ErrorCode::BridgeNotFound,
        ErrorCode::BridgeNotDue,
        ErrorCode::BridgeConflict,
        ErrorCode::GiftNotFound,
        ErrorCode::GiftReverted,
        ErrorCode::SeasonNotFound,
        ErrorCode::ValidationError,
    ])
    .and(&[
        &RecipientError::CODES,
        &ResolveError::CODES,
        &Stale::CODES,
        &IdempotencyError::CODES,
        &DbError::CODES,
    ]);

    fn into_api(self) -> ApiError {
        match self {
            BridgeError::NotFound => ApiError::new(ErrorCode::BridgeNotFound),
            BridgeError::NotDue => ApiError::new(ErrorCode::BridgeNotDue),
            BridgeError::Conflict | BridgeError::Closed => ApiError::new(ErrorCode::BridgeConflict),
            BridgeError::Invalid(problems) => ApiError::problems(problems),
            BridgeError::Recipient(error) => error.into_api(),
            BridgeError::Player(error) => error.into_api(),
            BridgeError::UnknownGift => ApiError::new(ErrorCode::GiftNotFound),
            BridgeError::GiftReverted => ApiError::new(ErrorCode::GiftReverted),
            BridgeError::UnknownSeason => ApiError::new(ErrorCode::SeasonNotFound),
            BridgeError::Stale(error) => error.into_api(),
            BridgeError::Idempotency(error) => error.into_api(),
            BridgeError::Db(error) => error.into_api(),
        }
    }
}
