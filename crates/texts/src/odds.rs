//! What is said of odds.

use crate::texts;

texts! {
    odds:
    contains_chance() {
        "Contains items of chance"
        "확률형 아이템 포함"
    }
    change_when_sold_out() {
        "A result that is limited in number is drawn until it has run out; from then on the others share its probability in proportion to their weights"
        "수량이 정해진 결과는 소진될 때까지 나오며, 소진되면 남은 결과들이 가중치에 비례하여 그 확률을 나누어 갖습니다"
    }
}
