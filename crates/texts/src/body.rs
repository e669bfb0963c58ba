//! What bodies, headers and paths of requests are told.

use crate::texts;

texts! {
    body:
    json_object() {
        "must be a JSON object: {{…}}"
        "JSON 객체({{…}})여야 합니다"
    }
    json_array() {
        "must be a JSON array: […]"
        "JSON 배열([…])이어야 합니다"
    }
    not_json(line, column) {
        "must be valid JSON; it cannot be read from line {line}, column {column} on"
        "올바른 JSON이어야 합니다. {line}번째 줄 {column}번째 칸부터 읽을 수 없습니다"
    }
    too_deep(most) {
        "must be nested at most {most} deep"
        "{most}단계 이하로 중첩되어야 합니다"
    }
    number_too_large(line, column) {
        "has a number that is too large on line {line}, before column {column}"
        "{line}번째 줄 {column}번째 칸 앞에 너무 큰 숫자가 있습니다"
    }
    json_cut_off() {
        "must be complete JSON; it ends too early"
        "온전한 JSON이어야 합니다. 중간에 끝났습니다"
    }
    no_body() {
        "must be empty: this path takes none"
        "비어 있어야 합니다. 이 경로는 본문을 받지 않습니다"
    }
    cut_off() {
        "could not be read to its end; send it again"
        "끝까지 읽지 못했습니다. 다시 보내세요"
    }
    utf_16() {
        "must be UTF-8, not UTF-16; save the file again as UTF-8"
        "UTF-16이 아니라 UTF-8이어야 합니다. 파일을 UTF-8로 다시 저장하세요"
    }
    utf_8() {
        "must be UTF-8; save the file again as UTF-8"
        "UTF-8이어야 합니다. 파일을 UTF-8로 다시 저장하세요"
    }
    content_type_json() {
        "must be application/json"
        "application/json이어야 합니다"
    }
    content_type_json_utf_8() {
        "must be application/json in UTF-8; JSON has no other charset"
        "UTF-8로 된 application/json이어야 합니다. JSON은 다른 문자 집합을 쓰지 않습니다"
    }
    content_type_csv() {
        "must be text/csv: send the table itself, not a form"
        "text/csv여야 합니다. 양식(form)이 아니라 표 자체를 보내세요"
    }
    content_type_csv_or_json() {
        "must be text/csv, for the table itself, or application/json"
        "표 자체를 보낼 때는 text/csv, 아니면 application/json이어야 합니다"
    }
    charset(known) {
        "must name a charset that is known here: {known}"
        "여기서 읽을 수 있는 문자 집합이어야 합니다: {known}"
    }
    packed() {
        "must be left out: send the body uncompressed"
        "빼야 합니다. 본문을 압축하지 말고 보내세요"
    }
    percent_encoded() {
        "must be percent-encoded UTF-8"
        "퍼센트 인코딩한 UTF-8이어야 합니다"
    }
    if_match() {
        "must be * or a list of versions in quotes"
        "*이거나 따옴표로 묶은 버전의 목록이어야 합니다"
    }
    not_a_query() {
        "must be name=value pairs in percent-encoding"
        "퍼센트 인코딩한 이름=값의 나열이어야 합니다"
    }
    account_in_path(got) {
        "must be the number of an account, or external_id: and what it logs in with; got {got}"
        "계정 번호이거나 external_id: 뒤에 로그인 아이디를 붙인 것이어야 합니다(받은 값: {got})"
    }
}
