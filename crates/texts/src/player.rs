//! What is said about players, by operators and in imports.

use crate::texts;

texts! {
    player:
    unknown(got) {
        "must be a player's; there is none with {got}"
        "등록된 플레이어여야 합니다. {got}인 플레이어가 없습니다"
    }
    names_differ() {
        "must be the same player's as user_id; they are two players"
        "user_id와 같은 플레이어여야 합니다. 서로 다른 두 플레이어입니다"
    }
    unnamed() {
        "is missing: name the player by user_id or by external_id"
        "비어 있습니다. user_id나 external_id로 플레이어를 지정하세요"
    }
    wrong_current_password() {
        "is wrong; enter the password you log in with now"
        "맞지 않습니다. 지금 로그인하는 비밀번호를 입력하세요"
    }
    external_id_of_deleted(owner) {
        "belongs to player {owner}, who is INACTIVE; PUT /admin/api/users/{owner} with {{\"status\": \"ACTIVE\"}} brings them back"
        "비활성(INACTIVE) 플레이어 {owner}의 것입니다. PUT /admin/api/users/{owner}에 {{\"status\": \"ACTIVE\"}}를 보내면 되살아납니다"
    }
    /// The advice beside a line of an import.
    stays_inactive(owner) {
        "Player {owner} stays INACTIVE; PUT /admin/api/users/{owner} with {{\"status\": \"ACTIVE\"}} brings them back"
        "플레이어 {owner}은(는) 비활성(INACTIVE)으로 남습니다. PUT /admin/api/users/{owner}에 {{\"status\": \"ACTIVE\"}}를 보내면 되살아납니다"
    }
    xp_while_inactive() {
        "must stay as it is while the player is INACTIVE; set status to ACTIVE first"
        "플레이어가 INACTIVE인 동안에는 그대로 두어야 합니다. 먼저 status를 ACTIVE로 바꾸세요"
    }
    operator_is_kept() {
        "must be a player's: an operator's name signs what they did and is kept"
        "플레이어의 것이어야 합니다. 운영자의 이름은 한 일의 서명이라 보존됩니다"
    }
    own_status() {
        "cannot be changed for your own account; ask another admin"
        "본인 계정은 바꿀 수 없습니다. 다른 관리자에게 부탁하세요"
    }
    operators_have_no_xp() {
        "must be left as it is: this is an admin's account, and only players have XP"
        "그대로 두어야 합니다. 관리자 계정이고, XP는 플레이어에게만 있습니다"
    }
    no_such_level(got) {
        "must be a level of the season that runs; got {got}"
        "진행 중인 시즌의 레벨이어야 합니다(받은 값: {got})"
    }
    levels_differ() {
        "must be the same as level, or be left out"
        "level과 같거나 빼야 합니다"
    }
    xp_of_another_level() {
        "must be within the level that was sent; load the player again"
        "함께 보낸 레벨의 범위 안이어야 합니다. 플레이어를 다시 불러오세요"
    }
    xp_bounds(high, got) {
        "must amount to 0 to {high} XP; got {got}"
        "XP가 0~{high} 범위여야 합니다(받은 값: {got})"
    }
    on_two_lines(first, second) {
        "must be in the table only once; it is on lines {first} and {second}"
        "표에 한 번만 있어야 합니다. {first}번째 줄과 {second}번째 줄에 있습니다"
    }
    on_many_lines(first, second, more) {
        "must be in the table only once; it is on lines {first}, {second} and {more} more"
        "표에 한 번만 있어야 합니다. {first}번째 줄, {second}번째 줄과 다른 {more}줄에 있습니다"
    }
    sha256() {
        "must be 64 hexadecimal digits (SHA-256)"
        "16진수 64자리(SHA-256)여야 합니다"
    }
    clear_passwords(most, got) {
        "must bring at most {most} clear passwords; got {got}; import it in parts"
        "평문 비밀번호는 {most}개까지입니다(받은 수: {got}). 나누어 가져오세요"
    }
    admin_is_not_imported() {
        "belongs to an admin, who is not imported; remove the line"
        "관리자의 것이라 가져올 수 없습니다. 이 줄을 지우세요"
    }
    anonymised() {
        "belongs to a player who was anonymised, which is final; remove the line"
        "익명화된 플레이어의 것이고, 익명화는 되돌릴 수 없습니다. 이 줄을 지우세요"
    }
    inactive() {
        "belongs to a player who is INACTIVE; set the status to ACTIVE first, or say force=true"
        "비활성(INACTIVE) 플레이어의 것입니다. 먼저 status를 ACTIVE로 바꾸거나 force=true로 보내세요"
    }
    meta_json(most_bytes, most_deep) {
        "must have at most {most_bytes} bytes as JSON text and be nested at most {most_deep} deep"
        "JSON 텍스트로 {most_bytes}바이트 이하이고 {most_deep}단계 이하로 중첩되어야 합니다"
    }
}
