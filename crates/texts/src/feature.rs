//! What features, their schedule and what clients show are told.

use crate::texts;

texts! {
    feature:
    page_path(most, got) {
        "must be a path of the client such as /roulette, of at most {most} characters; got {got}"
        "/roulette 같은 클라이언트 경로여야 하고 {most}자 이하여야 합니다(받은 값: {got})"
    }
    config_json(kib) {
        "must be an object of at most {kib} KiB"
        "{kib}KiB 이하의 객체여야 합니다"
    }
    none_scheduled() {
        "must name at least one feature; DELETE clears a day"
        "기능이 하나는 있어야 합니다. 하루를 비우려면 DELETE를 쓰세요"
    }
    scheduled_twice() {
        "must name each feature only once"
        "기능마다 한 번만 있어야 합니다"
    }
    ui_key(most) {
        "must be 1 to {most} characters of a-z, 0-9, _ and -"
        "a-z, 0-9, _, -로 된 1~{most}자여야 합니다"
    }
    ui_key_near(got, meant) {
        "must be one that clients know, or clearly another: {got} is nearly \"{meant}\"; did you mean that?"
        "클라이언트가 아는 키이거나 그와 뚜렷이 다른 키여야 합니다. {got}은(는) \"{meant}\"와(과) 너무 비슷합니다. 그것을 쓰려던 것인가요?"
    }
    missing_field(name) {
        "must have a field {name}"
        "{name} 필드가 있어야 합니다"
    }
    text_or_null(most) {
        "must be text of at most {most} characters, or null"
        "{most}자 이하의 문자열이거나 null이어야 합니다"
    }
    one_of_or_null(allowed) {
        "must be one of {allowed}, or null"
        "{allowed} 중 하나이거나 null이어야 합니다"
    }
    instant_or_null() {
        "must be an instant such as 2025-12-27T03:00:00+09:00, or null"
        "2025-12-27T03:00:00+09:00 같은 시각이거나 null이어야 합니다"
    }
    object_or_null() {
        "must be an object, or null"
        "객체이거나 null이어야 합니다"
    }
    plain_names(most) {
        "must have field names of plain text, of at most {most} bytes"
        "필드 이름이 {most}바이트 이하의 일반 텍스트여야 합니다"
    }
    link() {
        "must be an https:// or http:// address, or a path of the client such as /shop"
        "https:// 또는 http:// 주소이거나 /shop 같은 클라이언트 경로여야 합니다"
    }
    plain_text() {
        "must be plain text: no markup, no script, no control characters except line breaks and tabs"
        "일반 텍스트여야 합니다. 마크업, 스크립트, (줄바꿈과 탭을 뺀) 제어 문자를 넣을 수 없습니다"
    }
}
