//! What the page at `/` says.

use crate::texts;

texts! {
    page:
    about() {
        "The backend of a one-week event: a season pass, a roulette, dice and a lottery, a ranking and rewards"
        "1주일 이벤트의 백엔드입니다. 시즌 패스, 룰렛, 주사위, 복권, 랭킹, 보상을 제공합니다"
    }
    runs() {
        "It runs and takes requests"
        "정상 동작 중이며 요청을 받고 있습니다"
    }
    is_not_ready() {
        "It runs, but is not ready for requests"
        "동작 중이지만 아직 요청을 받을 준비가 되지 않았습니다"
    }
    api_documentation() {
        "API documentation"
        "API 문서"
    }
    health() {
        "Is it ready?"
        "준비 상태"
    }
    commitment() {
        "Commitment of today's draws"
        "오늘 추첨의 커밋먼트"
    }
    odds_of_today(day) {
        "Odds today, {day}"
        "오늘({day})의 확률"
    }
    result() {
        "Result"
        "결과"
    }
    probability() {
        "Probability"
        "확률"
    }
    left() {
        "Left"
        "남은 수량"
    }
    unlimited() {
        "no limit"
        "제한 없음"
    }
    roulette() {
        "Roulette"
        "룰렛"
    }
    dice() {
        "Dice"
        "주사위"
    }
    lottery() {
        "Lottery"
        "복권"
    }
    won() {
        "You win"
        "승리"
    }
    drawn() {
        "A draw"
        "무승부"
    }
    lost() {
        "You lose"
        "패배"
    }
    in_force_since(at) {
        "In force since {at}"
        "{at}부터 적용 중입니다"
    }
    takes_over(at) {
        "Another table takes over at {at}"
        "{at}부터 다른 확률표가 적용됩니다"
    }
    odds_away() {
        "The odds cannot be shown now"
        "지금은 확률을 표시할 수 없습니다"
    }
    no_odds() {
        "This game is not played now"
        "지금은 진행하지 않는 게임입니다"
    }
}
