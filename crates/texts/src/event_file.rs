//! What is said of an event that is one file.

use crate::texts;

texts! {
    event_file:
    too_long(kib) {
        "must be at most {kib} KiB long"
        "{kib}KiB 이하여야 합니다"
    }
    unusable(file, cause) {
        "{file} cannot be read or written: {cause}"
        "{file}을(를) 읽거나 쓸 수 없습니다: {cause}"
    }
    syntax(cause) {
        "is no TOML: {cause}"
        "TOML 문법에 맞지 않습니다: {cause}"
    }
    at(line, column, path, what) {
        "has a mistake in line {line}, column {column}: {path} {what}"
        "{line}행 {column}열에 잘못이 있습니다. {path}: {what}"
    }
    change_running() {
        "must be true, since the event runs: look at what changes first"
        "이벤트가 진행 중이므로 true여야 합니다. 먼저 바뀌는 것을 확인하세요"
    }
    unreadable(cause) {
        "cannot be read as an event: {cause}"
        "이벤트로 읽을 수 없습니다: {cause}"
    }
    date() {
        "must be a date without quotes, such as 2025-12-25"
        "2025-12-25처럼 따옴표 없는 날짜여야 합니다"
    }
    table() {
        "must be a table"
        "테이블이어야 합니다"
    }
    unknown_value(got, meant) {
        "must be one that there is; got {got}; did you mean \"{meant}\"?"
        "있는 것이어야 합니다(받은 값: {got}). \"{meant}\"을(를) 쓰려던 것인가요?"
    }
    unknown_item(got) {
        "must name a bundle or kind of coupon of this file; got {got}"
        "이 파일에 있는 묶음이나 쿠폰 종류의 이름이어야 합니다(받은 값: {got})"
    }
    no_amount(kind) {
        "must be left out of {kind}"
        "{kind}에는 적지 않습니다"
    }
    no_setting_of_clients(section) {
        "must stand in {section} itself"
        "{section}에 직접 적어야 합니다"
    }
    says_nothing() {
        "must say something; it has no section"
        "내용이 있어야 합니다. 섹션이 하나도 없습니다"
    }
    same_file(file) {
        "{file} is the event's file: keep the plan elsewhere"
        "{file}은(는) 이벤트 파일입니다. 계획은 다른 곳에 두세요"
    }
    named_twice() {
        "must stand in the file once only"
        "파일에 한 번만 적어야 합니다"
    }
    promised_by_nobody() {
        "is promised by no level and no prize of this file; promise it or leave it out"
        "이 파일의 어떤 레벨이나 경품도 약속하지 않습니다. 약속에 쓰거나 빼세요"
    }
    fewer_than_won(won, got) {
        "must be at least {won}, since so many were won; got {got}"
        "이미 {won}개가 당첨되었으므로 그보다 적을 수 없습니다(받은 값: {got})"
    }
    unsayable() {
        "cannot be written in a file: it has null in a list, or a number or settings that a file does not have"
        "파일에 적을 수 없습니다. 목록 안의 null이나 파일에 없는 숫자 또는 설정이 있습니다"
    }
    drawn_stays(label) {
        "must keep {label}, which was drawn: leave it in with is_active = false"
        "당첨된 적이 있는 {label}은(는) 지울 수 없습니다. is_active = false로 남겨 두세요"
    }
    order_stays(order) {
        "must keep the order in which they were added, and have new ones behind them: {order}"
        "추가한 순서를 지키고 새 항목은 뒤에 두어야 합니다: {order}"
    }
    becomes_another(path, is) {
        "cannot become so: {path} would be {is}"
        "그렇게 될 수 없습니다. {path}이(가) {is}이(가) 됩니다"
    }
    season_overlaps() {
        "must not share a day with another active season"
        "진행 중인 다른 시즌과 날짜가 겹치지 않아야 합니다"
    }
    nothing_changes() {
        "nothing changes"
        "바뀌는 것이 없습니다"
    }
    changes(count) {
        "what changes ({count})"
        "바뀌는 것 ({count})"
    }
    promised() {
        "promised to players while the event runs"
        "진행 중인 이벤트에서 플레이어에게 약속한 것"
    }
    stays(sections) {
        "is there already: {sections}"
        "이미 그대로인 것: {sections}"
    }
    not_in_file(sections) {
        "is not in the file and stays: {sections}"
        "파일에 없어 그대로 두는 것: {sections}"
    }
    odds_of(game) {
        "odds of {game}, while everything is there"
        "{game} 확률(모두 남아 있을 때)"
    }
    payout() {
        "what a play brings on the average"
        "플레이 한 번의 평균 지급"
    }
    newly_reached(level, players) {
        "level {level} is reached at once by players who have the XP already: {players}"
        "XP가 이미 충분하여 레벨 {level}에 바로 도달하는 플레이어: {players}명"
    }
    announced(plan, game, at) {
        "announcement {plan} of {game} takes over at {at}, whatever the file says"
        "{game}의 예고 {plan}은(는) 파일과 상관없이 {at}에 적용됩니다"
    }
    refused() {
        "the database refuses this file"
        "데이터베이스가 이 파일을 받아들이지 않습니다"
    }
    applied() {
        "the event is what the file says"
        "이벤트가 파일과 같아졌습니다"
    }
    runs_already() {
        "the event runs: look at what changes, and apply it with --yes"
        "이벤트가 진행 중입니다. 바뀌는 것을 확인하고 --yes를 붙여 적용하세요"
    }
    ask_running() {
        "the event runs. Type \"yes\" to change it now"
        "이벤트가 진행 중입니다. 지금 바꾸려면 \"yes\"를 입력하세요"
    }
    moved() {
        "the database has changed since the plan was made: plan again"
        "계획을 만든 뒤 데이터베이스가 바뀌었습니다. 계획을 다시 만드세요"
    }
    other_file() {
        "the plan was made of another file: plan again"
        "다른 파일로 만든 계획입니다. 계획을 다시 만드세요"
    }
    no_plan(file, cause) {
        "{file} is no plan: {cause}"
        "{file}은(는) 계획 파일이 아닙니다: {cause}"
    }
    without_season() {
        "must stand beside a season"
        "시즌과 함께 있어야 합니다"
    }
}
