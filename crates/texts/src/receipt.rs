//! Why the receipt of a draw does not hold.

use crate::texts;

texts! {
    receipt:
    unreadable() {
        "this is not a receipt: pass on the answer of GET /api/me/plays/{{play_id}}/draw unchanged"
        "영수증이 아닙니다. GET /api/me/plays/{{play_id}}/draw의 응답을 그대로 넣으세요"
    }
    is_error(code) {
        "this is not a receipt but the error {code}: get the receipt first"
        "영수증이 아니라 오류 {code}입니다. 먼저 영수증을 받으세요"
    }
    unknown_format(got, expected) {
        "the format is {got}, and this program reads {expected}"
        "형식이 {got}인데 이 프로그램은 {expected}을(를) 읽습니다"
    }
    other_commitment() {
        "the commitment is not the one that was published"
        "커밋먼트가 공개된 것과 다릅니다"
    }
    other_odds(attempt) {
        "attempt {attempt}: the table is not one that was published"
        "{attempt}번 시도: 공개된 확률표가 아닙니다"
    }
    malformed_seed() {
        "the seed is not 64 lower-case hexadecimal digits"
        "시드가 소문자 16진수 64자리가 아닙니다"
    }
    seed_not_committed() {
        "the SHA-256 of the seed is not the commitment"
        "시드의 SHA-256이 커밋먼트와 다릅니다"
    }
    no_game(feature) {
        "{feature} is not a game of chance"
        "{feature}은(는) 확률 게임이 아닙니다"
    }
    no_draw() {
        "there is no draw in it"
        "추첨이 들어 있지 않습니다"
    }
    table_changed(attempt) {
        "attempt {attempt}: the SHA-256 of the table is not its hash"
        "{attempt}번 시도: 확률표의 SHA-256이 해시와 다릅니다"
    }
    invalid_table(attempt) {
        "attempt {attempt}: the table is not one that can be drawn from"
        "{attempt}번 시도: 추첨할 수 없는 확률표입니다"
    }
    other_game(attempt) {
        "attempt {attempt}: the table belongs to another game"
        "{attempt}번 시도: 다른 게임의 확률표입니다"
    }
    other_table(attempt) {
        "attempt {attempt}: the table is not the one before without the entry that had run out"
        "{attempt}번 시도: 앞의 확률표에서 소진된 항목을 뺀 것이 아닙니다"
    }
    other_number(attempt, drawn, stated) {
        "attempt {attempt}: the seed gives the number {drawn}, and the receipt says {stated}"
        "{attempt}번 시도: 시드로 계산한 수는 {drawn}인데 영수증에는 {stated}입니다"
    }
    other_entry(attempt, drawn, stated) {
        "attempt {attempt}: the number gives entry {drawn}, and the receipt says {stated}"
        "{attempt}번 시도: 수로 뽑히는 항목은 {drawn}인데 영수증에는 {stated}입니다"
    }
    other_outcome() {
        "the outcome is not what the draw brought"
        "결과가 추첨에서 나온 것과 다릅니다"
    }
    changed() {
        "something in it has been changed: the digest is another one"
        "내용이 바뀌었습니다. 다이제스트가 다릅니다"
    }
    verdict(reason) {
        "Rejected: {reason}"
        "인정할 수 없습니다: {reason}"
    }
    file_unreadable(file, cause) {
        "{file} cannot be read ({cause}): correct the path, or pass the receipt on standard input"
        "{file}을(를) 읽을 수 없습니다({cause}). 경로를 고치거나 영수증을 표준 입력으로 넣으세요"
    }
}
