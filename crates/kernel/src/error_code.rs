use serde::Serialize;
use xmas_texts::Language;

/// Declares the closed list of codes once: variant, HTTP status, message in English and Korean.
macro_rules! error_codes {
    ($($variant:ident $status:literal $english:literal $korean:literal;)*) => {
        /// Every error that a client can see, with its HTTP status (docs/contract.md, "Codes").
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

            /// One sentence for whoever reads the answer; clients may have texts of their own.
            pub fn message(self, language: Language) -> &'static str {
                match (self, language) {
                    $(
                        (ErrorCode::$variant, Language::English) => $english,
                        (ErrorCode::$variant, Language::Korean) => $korean,
                    )*
                }
            }
        }
    };
}

error_codes! {
    FeatureDisabled 400 "This feature is switched off."
        "이 기능은 꺼져 있습니다.";
    DailyLimitReached 400 "No plays are left today."
        "오늘은 더 플레이할 수 없습니다.";
    NotEnoughTokens 400 "The wallet does not hold enough of this token."
        "지갑에 이 토큰이 부족합니다.";
    AlreadyStampedToday 400 "Today's stamp has been collected already."
        "오늘의 도장을 이미 찍었습니다.";
    LevelNotReached 400 "This level has not been reached."
        "아직 도달하지 못한 레벨입니다.";
    AutoClaimLevel 400 "This level pays by itself and cannot be claimed."
        "자동으로 지급되는 레벨이라 수령할 수 없습니다.";
    RewardAlreadyClaimed 400 "This reward has been claimed already."
        "이미 수령한 보상입니다.";
    InvalidRouletteConfig 400 "The roulette is not configured correctly."
        "룰렛 설정이 올바르지 않습니다.";
    InvalidDiceConfig 400 "The dice game is not configured correctly."
        "주사위 게임 설정이 올바르지 않습니다.";
    InvalidLotteryConfig 400 "The lottery is not configured correctly."
        "복권 설정이 올바르지 않습니다.";
    InvalidConfig 400 "The season is not configured correctly."
        "시즌 설정이 올바르지 않습니다.";
    InvalidFeatureSchedule 400 "The schedule is not correct."
        "기능 일정이 올바르지 않습니다.";
    InvalidMaxDailyPlays 400 "The daily limit is not correct."
        "하루 플레이 제한이 올바르지 않습니다.";
    InvalidLotteryWeight 400 "The weight of a prize is not correct."
        "경품의 가중치가 올바르지 않습니다.";
    InvalidLotteryStock 400 "The stock of a prize is not correct."
        "경품의 재고가 올바르지 않습니다.";
    DuplicatePrizeLabel 400 "Two prizes have the same label."
        "label이 같은 경품이 둘 있습니다.";
    NoActivePrize 400 "No prize takes part."
        "참여하는 경품이 없습니다.";
    ZeroTotalWeight 400 "No prize can come up."
        "나올 수 있는 경품이 없습니다.";
    InvalidSeasonDates 400 "The season's days are not correct."
        "시즌의 날짜가 올바르지 않습니다.";
    UserRequired 400 "The request names no player."
        "요청에 플레이어가 지정되지 않았습니다.";
    NoCouponLeft 400 "No code is left of this kind of coupon."
        "이 종류의 쿠폰 코드가 남아 있지 않습니다.";
    BridgeNotDue 400 "A bridge is settled from its day on, and closed from 00:10 KST of that day on."
        "브릿지는 정산일부터 정산하고, 그날 00:10(KST)부터 마감할 수 있습니다.";
    SeedNotRevealed 400 "The seed of this day is revealed at 00:10 of the next one."
        "이날의 시드는 다음 날 00:10에 공개됩니다.";
    AuthRequired 401 "A bearer token is required."
        "인증 토큰(Bearer)이 필요합니다.";
    TokenInvalid 401 "The token is not valid."
        "유효하지 않은 인증 토큰입니다.";
    TokenExpired 401 "The token has expired."
        "인증 토큰이 만료되었습니다.";
    InvalidCredentials 401 "The id or the password is wrong."
        "아이디 또는 비밀번호가 맞지 않습니다.";
    ForbiddenScope 403 "The token does not carry the scope that this path needs."
        "이 경로에 필요한 권한 범위가 인증 토큰에 없습니다.";
    UserBlocked 403 "This player is blocked."
        "차단된 플레이어입니다.";
    NotFound 404 "There is nothing at this path."
        "이 경로에는 아무것도 없습니다.";
    NoFeatureToday 404 "This feature does not run today."
        "오늘은 진행하지 않는 기능입니다.";
    NoActiveSeason 404 "No season is running."
        "진행 중인 시즌이 없습니다.";
    UserNotFound 404 "There is no such player."
        "플레이어를 찾을 수 없습니다.";
    SeasonNotFound 404 "There is no such season."
        "시즌을 찾을 수 없습니다.";
    RouletteConfigNotFound 404 "There is no such roulette."
        "룰렛을 찾을 수 없습니다.";
    DiceConfigNotFound 404 "There is no such dice game."
        "주사위 게임을 찾을 수 없습니다.";
    LotteryConfigNotFound 404 "There is no such lottery."
        "복권을 찾을 수 없습니다.";
    FeatureConfigNotFound 404 "There is no such feature."
        "기능을 찾을 수 없습니다.";
    ScheduleNotFound 404 "Nothing is scheduled on this day."
        "이날은 예정된 것이 없습니다.";
    RankingNotFound 404 "There is no ranking of this day."
        "이날의 랭킹이 없습니다.";
    ExternalRankingNotFound 404 "The player is not on the external board."
        "외부 순위표에 이 플레이어가 없습니다.";
    RewardNotFound 404 "There is no such reward."
        "보상을 찾을 수 없습니다.";
    CouponKindNotFound 404 "There is no such kind of coupon."
        "쿠폰 종류를 찾을 수 없습니다.";
    WithheldCodeNotFound 404 "There is no such withheld coupon code."
        "보류된 쿠폰 코드를 찾을 수 없습니다.";
    BundleNotFound 404 "There is no such bundle."
        "묶음 보상을 찾을 수 없습니다.";
    BatchNotFound 404 "There is no such batch."
        "배치를 찾을 수 없습니다.";
    LevelNotFound 404 "The season has no such level."
        "시즌에 없는 레벨입니다.";
    BridgeNotFound 404 "There is no such bridge."
        "브릿지를 찾을 수 없습니다.";
    GiftNotFound 404 "There is no such gift of keys."
        "열쇠 지급을 찾을 수 없습니다.";
    OddsNotFound 404 "There are no such odds."
        "확률표를 찾을 수 없습니다.";
    PlayNotFound 404 "The player has no such play."
        "이 플레이어의 플레이를 찾을 수 없습니다.";
    DayNotFound 404 "Nothing has been published for this day."
        "이날에 대해 공개된 것이 없습니다.";
    ConfigVersionNotFound 404 "The configuration has no such version."
        "설정에 없는 버전입니다.";
    PlanNotFound 404 "The configuration has no such plan."
        "설정에 없는 예고입니다.";
    MethodNotAllowed 405 "This path does not answer this method."
        "이 경로에서 쓸 수 없는 메서드입니다.";
    NoActiveSeasonConflict 409 "More than one season is active."
        "활성 시즌이 둘 이상입니다.";
    BridgeConflict 409 "Another bridge stands in the way, or this one is closed."
        "다른 브릿지와 겹치거나 이미 마감된 브릿지입니다.";
    GiftReverted 409 "This gift of keys is taken back."
        "회수된 열쇠 지급입니다.";
    ActiveSeasonConflict 409 "Another active season runs on some of these days."
        "다른 활성 시즌과 날짜가 겹칩니다.";
    CouponCodeInUse 409 "A copy of this coupon code was given to a winner or is in a stock."
        "같은 쿠폰 코드가 당첨자에게 지급되었거나 재고에 있습니다.";
    RewardNotPending 409 "The reward does not wait for a decision any more."
        "이미 처리되어 승인을 기다리지 않는 보상입니다.";
    ExternalIdExists 409 "Another player has this external id."
        "다른 플레이어가 쓰는 external_id입니다.";
    UserAnonymised 409 "The player was anonymised, which is final; nothing reaches them any more."
        "익명화된 플레이어입니다. 되돌릴 수 없으며 더 이상 아무것도 지급되지 않습니다.";
    UserInactive 409 "The player is INACTIVE; set the status to ACTIVE first, or say force."
        "비활성(INACTIVE) 플레이어입니다. 먼저 status를 ACTIVE로 바꾸거나 force로 보내세요.";
    RankingConflict 409 "A place or a player is on the board twice."
        "순위표에 같은 순위나 플레이어가 두 번 있습니다.";
    BatchAmbiguous 409 "This is one batch's id and another one's batch_id."
        "한 배치의 id이면서 다른 배치의 batch_id입니다.";
    BatchIsRevert 409 "The batch takes back another one, and cannot be taken back itself."
        "다른 배치를 되돌린 배치라서 다시 되돌릴 수 없습니다.";
    ConfigInUse 409 "It has been played or announced, and is kept; switch it off or withdraw its plans instead."
        "플레이되었거나 예고되어 보존되는 설정입니다. 대신 끄거나 예고를 철회하세요.";
    PlanEnded 409 "The plan has taken over, was withdrawn, or could not take over."
        "이미 적용되었거나 철회되었거나 적용하지 못한 예고입니다.";
    VersionConflict 409 "Somebody has changed it since it was loaded; load it again."
        "다른 사람이 먼저 수정했습니다. 다시 불러온 뒤 수정하세요.";
    FeatureRetired 410 "This feature has been retired."
        "종료된 기능입니다.";
    BodyTooSlow 408 "The request's body did not arrive in time."
        "요청 본문이 제시간에 도착하지 않았습니다.";
    BodyTooLarge 413 "The request body is too large."
        "요청 본문이 너무 큽니다.";
    UnsupportedMediaType 415 "The body is of a type that this path does not read."
        "이 경로가 읽지 않는 형식의 본문입니다.";
    ValidationError 422 "The request does not fit the contract."
        "요청이 규약에 맞지 않습니다.";
    IdempotencyKeyReused 422 "The Idempotency-Key belongs to another request."
        "다른 요청에 쓰인 Idempotency-Key입니다.";
    TooManyRequests 429 "Too many requests; try again later."
        "요청이 너무 많습니다. 잠시 뒤 다시 시도하세요.";
    HeadersTooLarge 431 "The request's headers are too large."
        "요청 헤더가 너무 큽니다.";
    Internal 500 "Something went wrong; the request id finds it in the log."
        "문제가 생겼습니다. 요청 ID로 로그에서 찾을 수 있습니다.";
    DbError 500 "The database failed; the request id finds it in the log."
        "데이터베이스 오류입니다. 요청 ID로 로그에서 찾을 수 있습니다.";
    DbSchemaMismatch 500 "The database schema does not fit this version."
        "데이터베이스 스키마가 이 버전과 맞지 않습니다.";
    LockNotAcquired 503 "The player's data is busy; try again."
        "플레이어의 데이터를 다른 요청이 쓰고 있습니다. 다시 시도하세요.";
    Overloaded 503 "The service is overloaded; try again."
        "서비스가 붐빕니다. 다시 시도하세요.";
    NotReady 503 "The service is not ready; try again."
        "서비스가 준비되지 않았습니다. 다시 시도하세요.";
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
