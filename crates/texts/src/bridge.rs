//! What bridges and gifts of keys are told.

use crate::texts;

texts! {
    bridge:
    days(most, got) {
        "must be 1 to {most}; got {got}"
        "1~{most}개여야 합니다(받은 수: {got})"
    }
    number(expected, got) {
        "must be {expected}: days are numbered 1, 2, 3 and so on; got {got}"
        "값이 {expected}이어야 합니다. 날은 1, 2, 3 순으로 번호를 붙입니다(받은 값: {got})"
    }
    date_order(before, got) {
        "must be later than that of the day before, {before}; got {got}"
        "앞날의 날짜 {before}보다 뒤여야 합니다(받은 값: {got})"
    }
    date_outside(first, last, got) {
        "must lie in the season, {first} to {last}; got {got}"
        "시즌({first}~{last}) 안이어야 합니다(받은 값: {got})"
    }
    event_type(own, got) {
        "must be 1 to 32 characters of A-Z, 0-9 and _, and not {own}, which is the season's own; got {got}"
        "A-Z, 0-9, _로 된 1~32자여야 하고, 시즌이 쓰는 {own}일 수 없습니다(받은 값: {got})"
    }
    event_type_twice(got) {
        "must be another one than that of an earlier day; got {got} again"
        "앞의 날과 달라야 합니다({got}이(가) 또 있습니다)"
    }
    keys_required(days, got) {
        "must be from 1 to the number of days, {days}; got {got}"
        "1에서 날의 수 {days}까지여야 합니다(받은 값: {got})"
    }
    settles_after(last, got) {
        "must be after the last day of the bridge, {last}; got {got}"
        "브릿지의 마지막 날 {last}보다 뒤여야 합니다(받은 값: {got})"
    }
    another_is_open() {
        "must wait until the bridge of the season before is settled and closed"
        "이전 시즌의 브릿지를 정산하고 닫은 뒤에 열 수 있습니다"
    }
    closed() {
        "is closed and cannot be changed any more"
        "닫혀서 더 바꿀 수 없습니다"
    }
    being_settled() {
        "does not allow this edit: while the bridge is settled, only auto_settle can be changed"
        "지금 상태에서는 고칠 수 없습니다. 정산 중에는 auto_settle만 바꿀 수 있습니다"
    }
    day_is_fixed() {
        "must stay as it is: it is today, or somebody has its key already"
        "그대로 두어야 합니다. 오늘이거나 이미 열쇠를 받은 사람이 있습니다"
    }
    no_such_day(days, got) {
        "must be a day of the bridge, from 1 to {days}; got {got}"
        "브릿지의 날 1~{days} 중 하나여야 합니다(받은 값: {got})"
    }
    day_to_come(day) {
        "must not be still to come: it is {day}"
        "아직 오지 않은 날({day})일 수 없습니다"
    }
    edited_meanwhile() {
        "was edited meanwhile; send the request again"
        "그사이 수정되었습니다. 요청을 다시 보내세요"
    }
    force_for_one() {
        "must be left out unless a player is named"
        "플레이어를 지정하지 않으면 빼야 합니다"
    }
}
