//! What is said of odds that are announced.

use crate::texts;

texts! {
    plan:
    instant(first, last, got) {
        "must be from {first} to {last}, so that players hear of it in time; got {got}"
        "플레이어가 미리 알 수 있도록 {first}부터 {last}까지여야 합니다(받은 값: {got})"
    }
    overlaps(plan, at) {
        "must be at least a minute away from plan {plan}, which takes over at {at}; choose another time, or withdraw that plan first"
        "{at}에 적용되는 예고 {plan}과(와) 1분 이상 떨어져야 합니다. 다른 시각을 고르거나 그 예고를 먼저 철회하세요"
    }
    too_many(most) {
        "must wait: a game has at most {most} plans at a time; withdraw one first"
        "게임마다 예고는 동시에 {most}개까지입니다. 하나를 먼저 철회하세요"
    }
    is_active() {
        "must be left out or true: what is planned is played from its time on"
        "빼거나 true여야 합니다. 예고한 설정은 그 시각부터 플레이됩니다"
    }
    stock_kept() {
        "must be left out or as it is now: what stays keeps its stock; set another number once the plan has taken over"
        "빼거나 지금 값과 같아야 합니다. 남는 경품은 재고를 유지합니다. 예고가 적용된 뒤에 바꾸세요"
    }
    nothing_left() {
        "must have something left that can come up; set the stock of a prize first"
        "나올 수 있는 것이 하나는 남아 있어야 합니다. 경품의 재고를 먼저 채우세요"
    }
    unplayable() {
        "must be complete before it can be planned; save the configuration first"
        "완전한 설정만 예고할 수 있습니다. 설정을 먼저 저장하세요"
    }
    either() {
        "must be left out beside from_version: either the one or the other says what is planned"
        "from_version과 함께 보낼 수 없습니다. 둘 중 하나로만 예고할 내용을 정하세요"
    }
    would_break(plan, at) {
        "would keep plan {plan} from taking over at {at}; withdraw it first, or change something else"
        "이렇게 바꾸면 예고 {plan}이(가) {at}에 적용될 수 없습니다. 먼저 철회하거나 다르게 바꾸세요"
    }
    gone() {
        "must be a configuration that is still there"
        "아직 남아 있는 설정이어야 합니다"
    }
    unsavable() {
        "must be such that the database takes it; the log has the cause"
        "데이터베이스가 받아들이는 내용이어야 합니다. 원인은 로그에 있습니다"
    }
}
