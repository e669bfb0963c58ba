//! What orders to wallets and batches of them are told.

use crate::texts;

texts! {
    wallet:
    payout_is_points() {
        "must be POINT: only points are paid out"
        "POINT여야 합니다. 포인트만 지급(payout)합니다"
    }
    wallet_is_full() {
        "must be less: the wallet cannot hold so much"
        "더 적어야 합니다. 지갑에 이만큼 담을 수 없습니다"
    }
    more_than_balance(balance) {
        "is more than the wallet holds, which is {balance}"
        "지갑에 있는 {balance}보다 많습니다"
    }
    more_than_balances(players, player, balance) {
        "is more than {players} of the players hold; player {player} holds {balance}"
        "플레이어 {players}명의 잔액보다 많습니다. 플레이어 {player}의 잔액은 {balance}입니다"
    }
    on_earlier_line(line) {
        "is on line {line} already, with this token_type; put both amounts on one line"
        "{line}번째 줄에 같은 token_type으로 이미 있습니다. 한 줄에 합쳐 적으세요"
    }
    filter_fits_nobody() {
        "fits no player; widen it"
        "해당하는 플레이어가 없습니다. 조건을 넓히세요"
    }
    filter_too_wide() {
        "must have status ACTIVE, played_since or played_until: nobody is meant by mistake"
        "status ACTIVE, played_since, played_until 중 하나는 있어야 합니다"
    }
    force_with_filter() {
        "must be left out here: it goes with a list of players only"
        "여기서는 빼야 합니다. 플레이어 목록과 함께일 때만 쓸 수 있습니다"
    }
    token_type_missing(allowed) {
        "must be given here or in the query: one of {allowed}"
        "여기나 쿼리에 있어야 합니다. {allowed} 중 하나입니다"
    }
    batch_unnamed() {
        "must name the batch; an Idempotency-Key does as well"
        "배치의 이름이 있어야 합니다. Idempotency-Key로도 됩니다"
    }
    batch_name_taken(batch, at, by) {
        "belongs to batch {batch} of {at} by {by}, which was another request; choose a new one"
        "{at}에 {by}이(가) 만든 배치 {batch}의 것이고 다른 요청이었습니다. 새 이름을 고르세요"
    }
    batch_name_differs() {
        "must be the same as the one in the query"
        "쿼리의 값과 같아야 합니다"
    }
    batch_name_reserved() {
        "must not begin as the names do that are made from an Idempotency-Key"
        "Idempotency-Key로 만들어지는 이름처럼 시작할 수 없습니다"
    }
    batch_ambiguous(by_id, by_name) {
        "must be id:{by_id} or batch_id:{by_id}, which is batch {by_name}"
        "id:{by_id}(이)거나 batch_id:{by_id}(배치 {by_name})여야 합니다"
    }
    batch_is_revert(of) {
        "must not be a revert: this one takes back batch {of}; give or take anew instead"
        "되돌리기일 수 없습니다. 이 배치는 배치 {of}을(를) 되돌린 것입니다. 새로 지급하거나 회수하세요"
    }
}
