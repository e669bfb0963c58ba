//! What rewards, bundles and coupons are told.

use crate::texts;

texts! {
    reward:
    fixed_amount(amount, kind, got) {
        "must be {amount} for {kind}; got {got}"
        "{kind}의 값은 {amount}만 됩니다(받은 값: {got})"
    }
    amount(high, kind, got) {
        "must be from 0 to {high} for {kind}; got {got}"
        "{kind}에서는 0~{high} 범위여야 합니다(받은 값: {got})"
    }
    item_not_taken(kind) {
        "must be null for {kind}"
        "{kind}에서는 null이어야 합니다"
    }
    item_missing(kind) {
        "must name which {kind} it is, by its id"
        "어떤 {kind}인지 id로 지정해야 합니다"
    }
    unknown_item(id) {
        "names a bundle or kind of coupon that does not exist: {id}; make it first or choose another"
        "없는 묶음 보상 또는 쿠폰 종류입니다: {id}. 먼저 만들거나 다른 것을 고르세요"
    }
    bundle_size(most, got) {
        "must be 1 to {most} rewards; got {got}"
        "보상 1~{most}개여야 합니다(받은 수: {got})"
    }
    bundle_content(allowed) {
        "must be one of {allowed}: a bundle holds points and tokens only"
        "{allowed} 중 하나여야 합니다. 묶음 보상에는 포인트와 토큰만 담습니다"
    }
    bundle_is_fixed() {
        "is another one than that of this name, which is not changed once it is there; give it a name of its own"
        "같은 이름의 묶음과 내용이 다릅니다. 이미 있는 묶음은 바꿀 수 없으니 다른 이름을 쓰세요"
    }
    name_taken() {
        "belongs to another one already; choose another name"
        "이미 쓰고 있는 이름입니다. 다른 이름을 고르세요"
    }
    codes_clash() {
        "must have only codes that are not there yet"
        "아직 없는 코드만 있어야 합니다"
    }
    code_malformed(most) {
        "must have 1 to {most} visible characters"
        "눈에 보이는 글자 1~{most}자여야 합니다"
    }
    code_twice_in_table() {
        "must be in this table only once"
        "이 표에 한 번만 있어야 합니다"
    }
    code_in_stock() {
        "is in this stock already; remove the line"
        "이 재고에 이미 있습니다. 이 줄을 지우세요"
    }
    code_in_other_stock(kind) {
        "is in the stock of \"{kind}\" already; remove the line"
        "\"{kind}\"의 재고에 이미 있습니다. 이 줄을 지우세요"
    }
    code_withheld(kind) {
        "is withheld from \"{kind}\"; release it there first or remove the line"
        "\"{kind}\"에서 보류된 코드입니다. 먼저 그곳에서 보류를 해제하거나 이 줄을 지우세요"
    }
    case_during_rotation() {
        "must be false until the rotation of DATA_KEY has ended"
        "DATA_KEY 교체가 끝날 때까지 false여야 합니다"
    }
    case_of_codes(count) {
        "must be false: {count} codes differ from others in upper and lower case only"
        "false여야 합니다. 코드 {count}개가 다른 코드와 대소문자만 다릅니다"
    }
}
