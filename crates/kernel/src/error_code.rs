use std::fmt;

use serde::Serialize;

/// Declares the closed list of codes once: variant, wire name, HTTP status, message.
macro_rules! error_codes {
    ($($variant:ident $name:literal $status:literal $message:literal;)*) => {
        /// Every error that a client can see, with its HTTP status (api.md §2).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorCode {
            $($variant,)*
        }

        impl ErrorCode {
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// The code on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => $name,)*
                }
            }

            pub fn http_status(self) -> u16 {
                match self {
                    $(ErrorCode::$variant => $status,)*
                }
            }

            /// One sentence for a developer who reads the answer; clients show their own texts.
            pub fn message(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => $message,)*
                }
            }
        }
    };
}

error_codes! {
    FeatureDisabled "FEATURE_DISABLED" 400 "This feature is switched off.";
    DailyLimitReached "DAILY_LIMIT_REACHED" 400 "No plays are left today.";
    NotEnoughTokens "NOT_ENOUGH_TOKENS" 400 "The wallet does not hold enough of this token.";
    AlreadyStampedToday "ALREADY_STAMPED_TODAY" 400 "Today's stamp has been collected already.";
    LevelNotReached "LEVEL_NOT_REACHED" 400 "This level has not been reached.";
    AutoClaimLevel "AUTO_CLAIM_LEVEL" 400 "This level pays by itself and cannot be claimed.";
    RewardAlreadyClaimed "REWARD_ALREADY_CLAIMED" 400 "This reward has been claimed already.";
    InvalidRouletteConfig "INVALID_ROULETTE_CONFIG" 400 "The roulette is not configured correctly.";
    InvalidDiceConfig "INVALID_DICE_CONFIG" 400 "The dice game is not configured correctly.";
    InvalidLotteryConfig "INVALID_LOTTERY_CONFIG" 400 "The lottery is not configured correctly.";
    InvalidConfig "INVALID_CONFIG" 400 "The season is not configured correctly.";
    InvalidFeatureSchedule "INVALID_FEATURE_SCHEDULE" 400 "The schedule is not correct.";
    InvalidMaxDailyPlays "INVALID_MAX_DAILY_PLAYS" 400 "The daily limit is not correct.";
    InvalidLotteryWeight "INVALID_LOTTERY_WEIGHT" 400 "The weight of a prize is not correct.";
    InvalidLotteryStock "INVALID_LOTTERY_STOCK" 400 "The stock of a prize is not correct.";
    DuplicatePrizeLabel "DUPLICATE_PRIZE_LABEL" 400 "Two prizes have the same label.";
    NoActivePrize "NO_ACTIVE_PRIZE" 400 "No prize takes part.";
    ZeroTotalWeight "ZERO_TOTAL_WEIGHT" 400 "No prize can come up.";
    InvalidSeasonDates "INVALID_SEASON_DATES" 400 "The season's days are not correct.";
    UserRequired "USER_REQUIRED" 400 "The request names no player.";
    NoCouponLeft "NO_COUPON_LEFT" 400 "No code is left of this kind of coupon.";
    BridgeNotDue "BRIDGE_NOT_DUE" 400 "A bridge is settled from its day on, and closed from 00:10 KST of that day on.";
    SeedNotRevealed "SEED_NOT_REVEALED" 400 "The seed of this day is revealed at 00:10 of the next one.";
    AuthRequired "AUTH_REQUIRED" 401 "A bearer token is required.";
    TokenInvalid "TOKEN_INVALID" 401 "The token is not valid.";
    TokenExpired "TOKEN_EXPIRED" 401 "The token has expired.";
    InvalidCredentials "INVALID_CREDENTIALS" 401 "The id or the password is wrong.";
    ForbiddenScope "FORBIDDEN_SCOPE" 403 "The token does not carry the scope that this path needs.";
    UserBlocked "USER_BLOCKED" 403 "This player is blocked.";
    NotFound "NOT_FOUND" 404 "There is nothing at this path.";
    NoFeatureToday "NO_FEATURE_TODAY" 404 "This feature does not run today.";
    NoActiveSeason "NO_ACTIVE_SEASON" 404 "No season is running.";
    UserNotFound "USER_NOT_FOUND" 404 "There is no such player.";
    SeasonNotFound "SEASON_NOT_FOUND" 404 "There is no such season.";
    RouletteConfigNotFound "ROULETTE_CONFIG_NOT_FOUND" 404 "There is no such roulette.";
    DiceConfigNotFound "DICE_CONFIG_NOT_FOUND" 404 "There is no such dice game.";
    LotteryConfigNotFound "LOTTERY_CONFIG_NOT_FOUND" 404 "There is no such lottery.";
    FeatureConfigNotFound "FEATURE_CONFIG_NOT_FOUND" 404 "There is no such feature.";
    ScheduleNotFound "SCHEDULE_NOT_FOUND" 404 "Nothing is scheduled on this day.";
    RankingNotFound "RANKING_NOT_FOUND" 404 "There is no ranking of this day.";
    ExternalRankingNotFound "EXTERNAL_RANKING_NOT_FOUND" 404 "The player is not on the external board.";
    RewardNotFound "REWARD_NOT_FOUND" 404 "There is no such reward.";
    CouponKindNotFound "COUPON_KIND_NOT_FOUND" 404 "There is no such kind of coupon.";
    WithheldCodeNotFound "WITHHELD_CODE_NOT_FOUND" 404 "There is no such withheld coupon code.";
    BundleNotFound "BUNDLE_NOT_FOUND" 404 "There is no such bundle.";
    BatchNotFound "BATCH_NOT_FOUND" 404 "There is no such batch.";
    LevelNotFound "LEVEL_NOT_FOUND" 404 "The season has no such level.";
    BridgeNotFound "BRIDGE_NOT_FOUND" 404 "There is no such bridge.";
    GiftNotFound "GIFT_NOT_FOUND" 404 "There is no such gift of keys.";
    OddsNotFound "ODDS_NOT_FOUND" 404 "There are no such odds.";
    PlayNotFound "PLAY_NOT_FOUND" 404 "The player has no such play.";
    DayNotFound "DAY_NOT_FOUND" 404 "Nothing has been published for this day.";
    ConfigVersionNotFound "CONFIG_VERSION_NOT_FOUND" 404 "The configuration has no such version.";
    MethodNotAllowed "METHOD_NOT_ALLOWED" 405 "This path does not answer this method.";
    NoActiveSeasonConflict "NO_ACTIVE_SEASON_CONFLICT" 409 "More than one season is active.";
    BridgeConflict "BRIDGE_CONFLICT" 409 "Another bridge stands in the way, or this one is closed.";
    GiftReverted "GIFT_REVERTED" 409 "This gift of keys is taken back.";
    ActiveSeasonConflict "ACTIVE_SEASON_CONFLICT" 409 "Another active season runs on some of these days.";
    CouponCodeInUse "COUPON_CODE_IN_USE" 409 "A copy of this coupon code was given to a winner or is in a stock.";
    RewardNotPending "REWARD_NOT_PENDING" 409 "The reward does not wait for a decision any more.";
    ExternalIdExists "EXTERNAL_ID_EXISTS" 409 "Another player has this external id.";
    UserAnonymised "USER_ANONYMISED" 409 "The player was anonymised, which is final; nothing reaches them any more.";
    UserInactive "USER_INACTIVE" 409 "The player is INACTIVE; set the status to ACTIVE first, or say force.";
    RankingConflict "RANKING_CONFLICT" 409 "A place or a player is on the board twice.";
    BatchAmbiguous "BATCH_AMBIGUOUS" 409 "This is one batch's id and another one's batch_id.";
    BatchIsRevert "BATCH_IS_REVERT" 409 "The batch takes back another one, and cannot be taken back itself.";
    ConfigInUse "CONFIG_IN_USE" 409 "It has been played and is kept; switch it off instead.";
    VersionConflict "VERSION_CONFLICT" 409 "Somebody has changed it since it was loaded; load it again.";
    FeatureRetired "FEATURE_RETIRED" 410 "This feature has been retired.";
    BodyTooLarge "BODY_TOO_LARGE" 413 "The request body is too large.";
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" 415 "The body is of a type that this path does not read.";
    ValidationError "VALIDATION_ERROR" 422 "The request does not fit the contract.";
    IdempotencyKeyReused "IDEMPOTENCY_KEY_REUSED" 422 "The Idempotency-Key belongs to another request.";
    TooManyRequests "TOO_MANY_REQUESTS" 429 "Too many requests; try again later.";
    HeadersTooLarge "HEADERS_TOO_LARGE" 431 "The request's headers are too large.";
    Internal "INTERNAL" 500 "Something went wrong; the request id finds it in the log.";
    DbError "DB_ERROR" 500 "The database failed; the request id finds it in the log.";
    DbSchemaMismatch "DB_SCHEMA_MISMATCH" 500 "The database schema does not fit this version.";
    LockNotAcquired "LOCK_NOT_ACQUIRED" 503 "The player's data is busy; try again.";
    Overloaded "OVERLOADED" 503 "The service is overloaded; try again.";
    NotReady "NOT_READY" 503 "The service is not ready; try again.";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_codes_share_a_name_and_only_scope_and_block_are_403() {
        let names: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        let forbidden: Vec<_> = ErrorCode::ALL
            .iter()
            .filter(|code| code.http_status() == 403)
            .collect();
        assert_eq!(
            forbidden,
            [&ErrorCode::ForbiddenScope, &ErrorCode::UserBlocked]
        );
    }
}
