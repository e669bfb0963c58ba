//! What any field may be told.

use crate::texts;

texts! {
    field:
    required() {
        "must be given"
        "꼭 있어야 합니다"
    }
    between(low, high, got) {
        "must be from {low} to {high}; got {got}"
        "{low}~{high} 범위여야 합니다(받은 값: {got})"
    }
    at_least(low, got) {
        "must be at least {low}; got {got}"
        "{low} 이상이어야 합니다(받은 값: {got})"
    }
    at_most(high, got) {
        "must be at most {high}; got {got}"
        "{high} 이하여야 합니다(받은 값: {got})"
    }
    /// Of a number that is read from text.
    whole_number(got) {
        "must be a whole number; got {got}"
        "정수여야 합니다(받은 값: {got})"
    }
    /// Where what was sent instead is not repeated, since it may be a secret in the wrong place.
    kind_whole_number() {
        "must be a whole number within the bounds of the field"
        "필드의 범위 안에 있는 정수여야 합니다"
    }
    kind_number() {
        "must be a number"
        "숫자여야 합니다"
    }
    kind_text() {
        "must be text in quotes"
        "따옴표로 묶은 문자열이어야 합니다"
    }
    kind_boolean() {
        "must be true or false"
        "true 또는 false여야 합니다"
    }
    kind_list() {
        "must be a list: […]"
        "목록([…])이어야 합니다"
    }
    kind_object() {
        "must be an object: {{…}}"
        "객체({{…}})여야 합니다"
    }
    kind_id() {
        "must be an id such as 67e55044-10b1-426f-9247-bb680e5fe0c8 (UUID)"
        "67e55044-10b1-426f-9247-bb680e5fe0c8 같은 ID(UUID)여야 합니다"
    }
    /// What no other text of this kind fits.
    kind_other() {
        "must be what the API documentation (/api/docs/) says of this field"
        "API 문서(/api/docs/)에 적힌 이 필드의 형식이어야 합니다"
    }
    one_of(allowed, got) {
        "must be one of {allowed}; got {got}"
        "{allowed} 중 하나여야 합니다(받은 값: {got})"
    }
    characters(low, high, got) {
        "must have {low} to {high} characters; got {got}"
        "{low}~{high}자여야 합니다(받은 글자 수: {got})"
    }
    characters_up_to(high, got) {
        "must have at most {high} characters; got {got}"
        "{high}자 이하여야 합니다(받은 글자 수: {got})"
    }
    visible_ascii(low, high) {
        "must be {low} to {high} visible ASCII characters"
        "눈에 보이는 ASCII 문자 {low}~{high}자여야 합니다"
    }
    hidden_character(character) {
        "must have no hidden or control character such as {character}; type it again instead of pasting it"
        "{character} 같은 보이지 않는 문자나 제어 문자가 없어야 합니다. 붙여 넣지 말고 다시 입력하세요"
    }
    /// Of a text that is told to nobody.
    hidden_characters() {
        "must have no hidden or control characters; type it again instead of pasting it"
        "보이지 않는 문자나 제어 문자가 없어야 합니다. 붙여 넣지 말고 다시 입력하세요"
    }
    nothing_visible() {
        "must have at least one character that can be seen"
        "눈에 보이는 글자가 하나는 있어야 합니다"
    }
    marks(most) {
        "must have at most {most} marks on one character"
        "한 글자에 붙는 부호는 {most}개 이하여야 합니다"
    }
    outer_space() {
        "must not begin or end with a space"
        "앞뒤에 공백이 없어야 합니다"
    }
    decomposed() {
        "must be in composed form (Unicode NFC)"
        "조합된 형태(유니코드 NFC)여야 합니다"
    }
    reserved_start(start) {
        "must not begin with {start}, in upper or lower case: that is kept for names the service makes"
        "{start}(대소문자 무관)로 시작할 수 없습니다. 서비스가 만드는 이름에만 쓰입니다"
    }
    unknown_but_near(what, meant) {
        "is not a {what} here; did you mean \"{meant}\"?"
        "여기에 없는 {what}입니다. \"{meant}\"(을)를 쓰려던 것인가요?"
    }
    unknown_among(what, known) {
        "is not a {what} here; known are {known}"
        "여기에 없는 {what}입니다. 쓸 수 있는 것: {known}"
    }
    unknown_of_none(what) {
        "is not a {what} here; there is none"
        "여기에 없는 {what}입니다. 여기서는 아무것도 쓸 수 없습니다"
    }
    nameless_parameter(known) {
        "must give every parameter a name; known are {known}"
        "모든 쿼리 파라미터에 이름이 있어야 합니다. 쓸 수 있는 것: {known}"
    }
    /// What [`unknown_among`] and its like are about.
    a_field() {
        "field"
        "필드"
    }
    a_parameter() {
        "parameter"
        "쿼리 파라미터"
    }
    given_twice() {
        "must be given only once"
        "한 번만 있어야 합니다"
    }
    /// Of a field that clients know by two names.
    two_names_differ() {
        "was sent under two names with different values; send one of them"
        "두 이름에 서로 다른 값이 왔습니다. 하나만 보내세요"
    }
    not_together_with(other) {
        "must not come together with {other}; leave one of them out"
        "{other}와(과) 함께 보낼 수 없습니다. 하나는 빼세요"
    }
    only_together_with(other) {
        "must come together with {other}"
        "{other}와(과) 함께 보내야 합니다"
    }
    day(got) {
        "must be a day of the form YYYY-MM-DD, from 1970 to 9999; got {got}"
        "1970~9999년의 YYYY-MM-DD 형식 날짜여야 합니다(받은 값: {got})"
    }
    instant(got) {
        "must be an instant with its offset, such as 2025-12-26T09:00:00+09:00 (RFC 3339); got {got}"
        "2025-12-26T09:00:00+09:00 같은, 시차가 붙은 시각(RFC 3339)이어야 합니다(받은 값: {got})"
    }
    instant_or_day(first, last, got) {
        "must be an instant such as 2025-12-26T09:00:00+09:00 or a day such as 2025-12-26, from {first} to {last}; got {got}"
        "{first}~{last}년의 시각(2025-12-26T09:00:00+09:00) 또는 날짜(2025-12-26)여야 합니다(받은 값: {got})"
    }
    not_before(other, got, of_other) {
        "must not be before {other}, {of_other}; got {got}"
        "{other}({of_other})보다 앞설 수 없습니다(받은 값: {got})"
    }
    after(other, got, of_other) {
        "must be after {other}, {of_other}; got {got}"
        "{other}({of_other})보다 뒤여야 합니다(받은 값: {got})"
    }
    not_in_the_future(now) {
        "must not be in the future; it is {now} now"
        "미래일 수 없습니다(현재: {now})"
    }
    days_apart(most, other) {
        "must be less than {most} days after {other}; ask for a shorter span"
        "{other}보다 {most}일 이상 뒤일 수 없습니다. 기간을 줄이세요"
    }
    control_characters() {
        "must have no control characters"
        "제어 문자가 없어야 합니다"
    }
    cursor(got) {
        "must be the next_cursor of an earlier page; got {got}"
        "이전 페이지의 next_cursor여야 합니다(받은 값: {got})"
    }
    cursor_of_row(got) {
        "must name the last row of an earlier page; got {got}"
        "이전 페이지의 마지막 행이어야 합니다(받은 값: {got})"
    }
    wallet_cursor(got) {
        "must be the user_id:token_type of the last row of an earlier page; got {got}"
        "이전 페이지 마지막 행의 user_id:token_type이어야 합니다(받은 값: {got})"
    }
    dry_run_unsaid() {
        "must be given: true only looks, false does the work"
        "꼭 있어야 합니다. true는 미리보기, false는 실제 실행입니다"
    }
    dry_run_unreadable(got) {
        "must be true (only looks) or false (does the work); got {got}"
        "true(미리보기) 또는 false(실제 실행)여야 합니다(받은 값: {got})"
    }
    dry_run_said_twice() {
        "must be the same in the query and in the body"
        "쿼리와 본문의 값이 같아야 합니다"
    }
    /// A field that only the server writes came back with an edit, and is not as it is stored.
    read_only(instead) {
        "must be left out or sent back as it was loaded: {instead}"
        "빼거나 불러온 값 그대로 보내야 합니다. {instead}"
    }
    never_changes() {
        "it never changes"
        "이 값은 바뀌지 않습니다"
    }
    named_by_path() {
        "the path names it"
        "이 값은 경로가 정합니다"
    }
    belongs_to_key() {
        "it belongs to the key"
        "이 값은 키에 딸려 있습니다"
    }
    follows_from_the_rest() {
        "it follows from the rest"
        "이 값은 나머지에서 정해집니다"
    }
    set_status_instead() {
        "to change it, set status"
        "바꾸려면 status를 설정하세요"
    }
    change_account_instead() {
        "to change it, edit the account"
        "바꾸려면 계정을 수정하세요"
    }
    change_levels_instead() {
        "to change it, send the levels"
        "바꾸려면 levels를 보내세요"
    }
    raised_by_stamps() {
        "stamps raise it"
        "도장을 찍으면 오릅니다"
    }
    settle_or_close_instead() {
        "to change it, settle or close the bridge"
        "바꾸려면 브릿지를 정산하거나 마감하세요"
    }
    settle_instead() {
        "to change it, settle the bridge"
        "바꾸려면 브릿지를 정산하세요"
    }
    close_instead() {
        "to change it, close the bridge"
        "바꾸려면 브릿지를 마감하세요"
    }
    written_by_precheck() {
        "the check before the settlement writes it"
        "정산 전 점검이 기록합니다"
    }
    more_problems(count) {
        "has {count} more problems that are not listed"
        "이 밖에도 문제가 {count}개 더 있습니다"
    }
    /// The same where not all of them are listed.
    and_many_more(first) {
        "{first} (and more, see error.details)"
        "{first} (나머지는 error.details를 보세요)"
    }
    /// Behind the first problem of several, where only one is shown.
    and_more(first, count) {
        "{first} ({count} more in error.details)"
        "{first} (외 {count}건은 error.details에 있습니다)"
    }
}
