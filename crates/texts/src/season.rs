//! What seasons and their levels are told.

use crate::texts;

texts! {
    season:
    levels_with_gaps(last) {
        "must be the levels 1 to {last}, ascending and without gaps"
        "레벨 1부터 {last}까지 빠짐없이 오름차순으로 있어야 합니다"
    }
    required_xp(below, high, got) {
        "must be above that of the level before, {below}, and at most {high}; got {got}"
        "앞 레벨의 값 {below}보다 크고 {high} 이하여야 합니다(받은 값: {got})"
    }
    first_required_xp(high, got) {
        "must be from 0 to {high} for the first level; got {got}"
        "첫 레벨에서는 0~{high} 범위여야 합니다(받은 값: {got})"
    }
    no_xp_as_reward() {
        "must not be XP, which only games give; choose points, tokens, a bundle or a coupon"
        "XP일 수 없습니다. XP는 게임에서만 나옵니다. 포인트, 토큰, 묶음 보상, 쿠폰 중에서 고르세요"
    }
    max_level_is_count(count, got) {
        "must be {count}, the number of levels; got {got}; send the levels to change both"
        "레벨의 수({count})와 같아야 합니다(받은 값: {got}). 둘 다 바꾸려면 levels를 보내세요"
    }
    level_reward() {
        "must be 0 for NONE, 1 for a BUNDLE or COUPON that reward_item names, and otherwise 0 to 1,000,000,000"
        "NONE이면 0, reward_item으로 지정한 BUNDLE이나 COUPON이면 1, 그 밖에는 0~1,000,000,000이어야 합니다"
    }
    name_taken() {
        "belongs to another season; choose another name"
        "다른 시즌이 쓰고 있습니다. 다른 이름을 고르세요"
    }
    new_has_no_bridge() {
        "must be left out of a new season, which has no bridge yet"
        "새 시즌에서는 빼야 합니다. 아직 브릿지가 없습니다"
    }
    holds_bridge(first, last) {
        "must leave every day of the season's bridge within the season: {first} to {last}; move the bridge first"
        "시즌 브릿지의 모든 날({first}~{last})이 시즌 안에 있어야 합니다. 먼저 브릿지를 옮기세요"
    }
    settlement_has_begun() {
        "must be left out: the settlement has begun"
        "빼야 합니다. 정산이 이미 시작되었습니다"
    }
}
