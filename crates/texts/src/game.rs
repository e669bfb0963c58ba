//! What the configurations of games and the boards of the ranking are told.

use crate::texts;

texts! {
    game:
    segments(count, got) {
        "must be exactly {count}, one for each place of the wheel; got {got}"
        "룰렛의 자리마다 하나씩 정확히 {count}개여야 합니다(받은 수: {got})"
    }
    weights_all_zero() {
        "must not all have the weight 0: nothing could come up; give at least one a weight"
        "가중치가 모두 0일 수 없습니다. 나올 것이 없습니다. 하나라도 가중치를 주세요"
    }
    segment_index(got) {
        "must be from 0 to 5, and each of them once; got {got}"
        "0~5 중 하나이고 서로 달라야 합니다(받은 값: {got})"
    }
    segment_id(got) {
        "must be left out or be the id of the segment in this place; got {got}; segments are found by index"
        "빼거나 이 자리에 있는 칸의 id여야 합니다(받은 값: {got}). 칸은 index로 찾습니다"
    }
    prizes(most, got) {
        "must be at most {most}; got {got}"
        "{most}개 이하여야 합니다(받은 수: {got})"
    }
    active_prizes(most, got) {
        "must be at most {most} that take part; got {got}; switch some off"
        "참여하는 경품은 {most}개 이하여야 합니다(받은 수: {got}). 일부를 끄세요"
    }
    label_twice() {
        "is that of another prize in this list; give each prize one of its own"
        "목록의 다른 경품과 label이 같습니다. 경품마다 다른 label을 쓰세요"
    }
    label_alike() {
        "looks like the label of another prize in this list; choose one that players can tell apart"
        "목록의 다른 경품과 label이 같아 보입니다. 구별되는 label을 고르세요"
    }
    label_of_kept() {
        "is that of a prize that is kept, since it was drawn or may be until then; choose another one"
        "추첨되었거나 그때까지 추첨될 수 있어 보존되는 경품의 label입니다. 다른 label을 고르세요"
    }
    stock(high, got) {
        "must be from 0 to {high}, or null for no limit; got {got}"
        "0~{high} 범위이거나, 제한이 없으면 null이어야 합니다(받은 값: {got})"
    }
    no_active_prize() {
        "must have at least one that is switched on (is_active)"
        "켜져 있는(is_active) 경품이 하나는 있어야 합니다"
    }
    prize_id(got) {
        "must be left out for a new prize or be the id of a prize of this lottery; got {got}"
        "새 경품이면 빼고, 아니면 이 복권의 경품 id여야 합니다(받은 값: {got})"
    }
    prize_id_twice(got) {
        "must be in the list only once; got {got} again"
        "목록에 한 번만 있어야 합니다({got}이(가) 또 있습니다)"
    }
    unreadable_version() {
        "must be one that this release can read; choose a later version"
        "이 릴리스가 읽을 수 있는 버전이어야 합니다. 더 나중 버전을 고르세요"
    }
    board_rows(most, got) {
        "must be from 1 to {most} rows; got {got}"
        "행이 1~{most}개여야 합니다(받은 행: {got})"
    }
    place_twice(got) {
        "is on the board already, further up: {got}"
        "위쪽 행에 이미 있습니다: {got}"
    }
    score(most, got) {
        "must be from -{most} to {most}; got {got}"
        "-{most}~{most} 범위여야 합니다(받은 값: {got})"
    }
    memo_of_anonymised() {
        "must be empty: the player was anonymised"
        "비어 있어야 합니다. 익명화된 플레이어입니다"
    }
}
