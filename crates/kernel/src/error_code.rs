use serde::Serialize;

/// Declares the closed list of codes once: variant, HTTP status, message.
macro_rules! error_codes {
    ($($variant:ident $status:literal $message:literal;)*) => {
        /// Every error that a client can see, with its HTTP status (api.md §2).
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, strum::Display, strum::IntoStaticStr,
        )]
        #[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
        pub enum ErrorCode {
            $($variant,)*
        }

        impl ErrorCode {
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// The code on the wire.
            pub fn as_str(self) -> &'static str {
                self.into()
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
    FeatureDisabled 400 "This feature is switched off.";
    DailyLimitReached 400 "No plays are left today.";
    NotEnoughTokens 400 "The wallet does not hold enough of this token.";
    AlreadyStampedToday 400 "Today's stamp has been collected already.";
    LevelNotReached 400 "This level has not been reached.";
    AutoClaimLevel 400 "This level pays by itself and cannot be claimed.";
    RewardAlreadyClaimed 400 "This reward has been claimed already.";
    InvalidRouletteConfig 400 "The roulette is not configured correctly.";
    InvalidDiceConfig 400 "The dice game is not configured correctly.";
    InvalidLotteryConfig 400 "The lottery is not configured correctly.";
    InvalidConfig 400 "The season is not configured correctly.";
    InvalidFeatureSchedule 400 "The schedule is not correct.";
    InvalidMaxDailyPlays 400 "The daily limit is not correct.";
    InvalidLotteryWeight 400 "The weight of a prize is not correct.";
    InvalidLotteryStock 400 "The stock of a prize is not correct.";
    DuplicatePrizeLabel 400 "Two prizes have the same label.";
    NoActivePrize 400 "No prize takes part.";
    ZeroTotalWeight 400 "No prize can come up.";
    InvalidSeasonDates 400 "The season's days are not correct.";
    UserRequired 400 "The request names no player.";
    NoCouponLeft 400 "No code is left of this kind of coupon.";
    BridgeNotDue 400 "A bridge is settled from its day on, and closed from 00:10 KST of that day on.";
    SeedNotRevealed 400 "The seed of this day is revealed at 00:10 of the next one.";
    AuthRequired 401 "A bearer token is required.";
    TokenInvalid 401 "The token is not valid.";
    TokenExpired 401 "The token has expired.";
    InvalidCredentials 401 "The id or the password is wrong.";
    ForbiddenScope 403 "The token does not carry the scope that this path needs.";
    UserBlocked 403 "This player is blocked.";
    NotFound 404 "There is nothing at this path.";
    NoFeatureToday 404 "This feature does not run today.";
    NoActiveSeason 404 "No season is running.";
    UserNotFound 404 "There is no such player.";
    SeasonNotFound 404 "There is no such season.";
    RouletteConfigNotFound 404 "There is no such roulette.";
    DiceConfigNotFound 404 "There is no such dice game.";
    LotteryConfigNotFound 404 "There is no such lottery.";
    FeatureConfigNotFound 404 "There is no such feature.";
    ScheduleNotFound 404 "Nothing is scheduled on this day.";
    RankingNotFound 404 "There is no ranking of this day.";
    ExternalRankingNotFound 404 "The player is not on the external board.";
    RewardNotFound 404 "There is no such reward.";
    CouponKindNotFound 404 "There is no such kind of coupon.";
    WithheldCodeNotFound 404 "There is no such withheld coupon code.";
    BundleNotFound 404 "There is no such bundle.";
    BatchNotFound 404 "There is no such batch.";
    LevelNotFound 404 "The season has no such level.";
    BridgeNotFound 404 "There is no such bridge.";
    GiftNotFound 404 "There is no such gift of keys.";
    OddsNotFound 404 "There are no such odds.";
    PlayNotFound 404 "The player has no such play.";
    DayNotFound 404 "Nothing has been published for this day.";
    ConfigVersionNotFound 404 "The configuration has no such version.";
    MethodNotAllowed 405 "This path does not answer this method.";
    NoActiveSeasonConflict 409 "More than one season is active.";
    BridgeConflict 409 "Another bridge stands in the way, or this one is closed.";
    GiftReverted 409 "This gift of keys is taken back.";
    ActiveSeasonConflict 409 "Another active season runs on some of these days.";
    CouponCodeInUse 409 "A copy of this coupon code was given to a winner or is in a stock.";
    RewardNotPending 409 "The reward does not wait for a decision any more.";
    ExternalIdExists 409 "Another player has this external id.";
    UserAnonymised 409 "The player was anonymised, which is final; nothing reaches them any more.";
    UserInactive 409 "The player is INACTIVE; set the status to ACTIVE first, or say force.";
    RankingConflict 409 "A place or a player is on the board twice.";
    BatchAmbiguous 409 "This is one batch's id and another one's batch_id.";
    BatchIsRevert 409 "The batch takes back another one, and cannot be taken back itself.";
    ConfigInUse 409 "It has been played and is kept; switch it off instead.";
    VersionConflict 409 "Somebody has changed it since it was loaded; load it again.";
    FeatureRetired 410 "This feature has been retired.";
    BodyTooSlow 408 "The request's body did not arrive in time.";
    BodyTooLarge 413 "The request body is too large.";
    UnsupportedMediaType 415 "The body is of a type that this path does not read.";
    ValidationError 422 "The request does not fit the contract.";
    IdempotencyKeyReused 422 "The Idempotency-Key belongs to another request.";
    TooManyRequests 429 "Too many requests; try again later.";
    HeadersTooLarge 431 "The request's headers are too large.";
    Internal 500 "Something went wrong; the request id finds it in the log.";
    DbError 500 "The database failed; the request id finds it in the log.";
    DbSchemaMismatch 500 "The database schema does not fit this version.";
    LockNotAcquired 503 "The player's data is busy; try again.";
    Overloaded 503 "The service is overloaded; try again.";
    NotReady 503 "The service is not ready; try again.";
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
