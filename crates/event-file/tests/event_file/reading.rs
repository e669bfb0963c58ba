//! Files read, refused and written.

use xmas_event_file::{EventFile, PlacedProblem, canonical, read, reference, schema};
use xmas_texts::Language;
use xmas_time::EventDay;

const XMAS: &str = include_str!("../../../../events/xmas-2025.toml");

fn today() -> EventDay {
    EventDay::from_ymd(2025, 12, 26).unwrap()
}

fn event(text: &str) -> EventFile {
    let checked = read(text, today());
    checked
        .unwrap_or_else(|problems| panic!("{problems:#?}"))
        .event
}

/// Where each problem is, and which field it is about.
fn places(text: &str) -> Vec<(usize, usize, String)> {
    let Err(problems) = read(text, today()) else {
        return Vec::new();
    };
    let place = |it: PlacedProblem| (it.line, it.column, it.problem.field);
    problems.into_iter().map(place).collect()
}

#[test]
fn the_event_of_2025_is_read_and_its_canonical_form_is_the_same_event() {
    let xmas = event(XMAS);
    let text = canonical(&xmas);
    let again = event(&text);
    assert_eq!(canonical(&again), text);
    // Bundles and coupons are in the order of their names already.
    assert_eq!(again, xmas);
    assert!(text.contains("\nsettle_on = 2026-01-01\n"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn forty_mistakes_are_told_at_once_each_at_its_place() {
    let broken = [
        // Names that nobody knows.
        ("season_name = ", "seson_name = "),
        ("settle_on = ", "setle_on = "),
        ("auto_settle = true", "automatic = true"),
        ("[features.dice]", "[features.dise]"),
        ("max_xp_bonus = 20", "max_bonus_xp = 20"),
        (
            "page_path = \"/roulette\"\nxp_per_play",
            "page_path = \"/roulette\"\nxp_per_plays",
        ),
        // Values of another kind.
        ("start_date = 2025-12-25", "start_date = \"2025-12-25\""),
        ("grace_days = 7", "grace_days = \"7\""),
        ("is_active = true", "is_active = \"yes\""),
        (
            "level = 1, required_xp = 20",
            "level = 1, required_xp = 20.5",
        ),
        (
            "level = 2, required_xp = 50",
            "level = \"2\", required_xp = 50",
        ),
        ("keys_required = 7", "keys_required = [7]"),
        ("lose = { reward_type = \"NONE\" }", "lose = \"NONE\""),
        ("enabled = false", "enabled = \"no\""),
        // What is not one of those that there are.
        ("reward_type = \"CC_COIN\"", "reward_type = \"CC_COINS\""),
        ("mission = \"STAMP\"", "mission = \"STAMPS\""),
        ("mission = \"LOGIN\"", "mission = \"SLEEP\""),
        ("reward_item = \"배민 1만\"", "reward_item = \"배민 3만\""),
        ("severity = \"info\"", "severity = \"loud\""),
        // What breaks a rule.
        ("internal_win_threshold = 50", "internal_win_threshold = 0"),
        ("required_xp = 180", "required_xp = 90"),
        ("reward_amount = 50_000", "reward_amount = -1"),
        ("reward_label = \"CC 코인 2개\"", "reward_label = \"\""),
        ("date = 2025-12-28", "date = 2026-02-28"),
        ("\"KEY_DAY_6_ALL_GAMES\"", "\"KEY_DAY_1_ROULETTE\""),
        (
            "PLAY_LOTTERY\", points = 5_000",
            "PLAY_LOTTERY\", points = -5",
        ),
        ("name = \"크리스마스 룰렛\"", "name = \" \""),
        ("weight = 120", "weight = -120"),
        ("label = \"잭팟 10,000 포인트\"", "label = \"\\u200b\""),
        (
            "win = { reward_type = \"POINT\", reward_amount = 500 }",
            "win = { reward_type = \"POINT\" }",
        ),
        (
            "label = \"룰렛 티켓 3장\", weight = 240",
            "label = \"다음 기회에\", weight = 240",
        ),
        ("stock_total = 500", "stock_total = -500"),
        ("weight = 20,", "weight = 2_000_000_000_000,"),
        ("page_path = \"/ranking\"", "page_path = \"ranking\""),
        ("title = \"복권\"", "title = \"\""),
        (
            "page_path = \"/lottery\"\nxp_per_play = 5",
            "page_path = \"/lottery\"\nxp_per_play = 5_000_000",
        ),
        ("href = \"/season-pass\"", "href = \"javascript:alert(1)\""),
        ("[texts.odds_notice]", "[texts.odds_notise]"),
        (
            "reward_type = \"TICKET_DICE\", reward_amount = 2 }",
            "reward_type = \"TICKET_DICE\", reward_amount = 0 }",
        ),
        (
            "title = \"티켓이 부족해요\"",
            "tittle = \"티켓이 부족해요\"",
        ),
    ];
    let mut text = XMAS.to_owned();
    for (right, wrong) in broken {
        assert_eq!(text.matches(right).count().min(1), 1, "{right}");
        text = text.replacen(right, wrong, 1);
    }
    let problems = read(&text, today()).unwrap_err();
    let told: Vec<String> = problems
        .iter()
        .map(|it| it.sentence(Language::English))
        .collect();
    // Each mistake has a message in its line.
    for (number, line) in text.lines().enumerate() {
        let wrong = XMAS.lines().nth(number) != Some(line);
        let is_told = problems.iter().any(|it| it.line == number + 1);
        assert!(is_told || !wrong, "{line}\n{told:#?}");
    }
    insta::assert_snapshot!(told.join("\n"));
    assert!(problems.len() >= broken.len(), "{}", problems.len());
}

/// Of one mistake one message.
#[test]
fn what_follows_from_a_mistake_is_not_told_again() {
    for (right, wrong, field) in [
        (
            "reward_type = \"COUPON\", reward_item = \"배민 2만\"",
            "reward_type = \"COUPN\", reward_item = \"배민 2만\"",
            "lottery.prizes.4.reward_type",
        ),
        (
            "[[coupons]]\nname = \"배민 2만\"",
            "[[coupons]]\nnmae = \"배민 2만\"",
            "coupons.1.nmae",
        ),
        ("levels = [", "levls = [", "season.levls"),
        ("[lottery]", "[lotery]", "lotery"),
        (
            "grace_days = 7",
            "grace_days = 5_000_000_000",
            "season.grace_days",
        ),
        (
            "{ reward_type = \"NONE\" }",
            "{ reward_type = \"NONE\", reward_amount = 0 }",
            "dice.lose.reward_amount",
        ),
        (
            "reward_type = \"COUPON\", reward_item = \"배민 2만\"",
            "reward_type = \"COUPON\", reward_amount = 1, reward_item = \"배민 2만\"",
            "lottery.prizes.4.reward_amount",
        ),
        (
            "[features.ranking]",
            "[features.roulette.client]\nxp_per_play = 9\n\n[features.ranking]",
            "features.roulette.client.xp_per_play",
        ),
    ] {
        assert!(XMAS.contains(right), "{right}");
        let text = XMAS.replacen(right, wrong, 1);
        let fields: Vec<String> = places(&text).into_iter().map(|(.., field)| field).collect();
        assert_eq!(fields, [field], "{wrong}");
    }
}

#[test]
fn every_mistake_of_syntax_has_its_place() {
    let text = "[season\nseason_name = \"x\n[bridge]\nkeys_required = 7\nkeys_required = 8\nsettle_on = 2025-02-30\n";
    let lines: Vec<usize> = places(text).into_iter().map(|(line, ..)| line).collect();
    assert_eq!(lines, [1, 5, 6]);
}

#[test]
fn a_file_may_be_a_part_of_the_event_and_says_only_what_it_may() {
    for nothing in ["", "# 아직 아무것도 없음\n"] {
        assert_eq!(places(nothing), [(1, 1, String::new())]);
    }
    let text = "[texts.ticket_zero]\ntitle = \"표\"\n";
    assert_eq!(canonical(&event(text)), text);
    let alone = "[bridge]\nkeys_required = 1\nsettle_on = 2026-01-01\n\
        days = [{ day = 1, date = 2025-12-25, event_type = \"K\", mission = \"LOGIN\", points = 1 }]\n";
    assert_eq!(places(alone), [(1, 2, "bridge".to_owned())]);
    let unpromised = "[[coupons]]\nname = \"배민\"\n";
    assert_eq!(places(unpromised), [(2, 8, "coupons.0.name".to_owned())]);
    let long = format!("# {}", "가".repeat(100_000));
    assert_eq!(places(&long).len(), 1);
    let deep = format!("[texts.x]\na = {}1{}\n", "[".repeat(60), "]".repeat(60));
    assert!(!places(&deep).is_empty());
}

#[test]
fn the_schema_for_editors_knows_every_field_in_both_languages() {
    let schema = schema();
    let mut unsaid = Vec::new();
    let mut look = |path: String, part: &serde_json::Value| {
        for name in ["description", "x-ko"] {
            if part[name].as_str().is_none_or(str::is_empty) {
                unsaid.push(format!("{path}.{name}"));
            }
        }
    };
    look("event".to_owned(), schema);
    let parts = schema["$defs"].as_object().unwrap().iter();
    let all = parts.map(|(name, part)| (name.as_str(), part));
    for (name, part) in all.chain([("event", schema)]) {
        look(name.to_owned(), part);
        for (field, part) in part["properties"].as_object().unwrap() {
            look(format!("{name}.{field}"), part);
        }
    }
    assert_eq!(unsaid, Vec::<String>::new());
}

#[test]
fn the_description_of_a_file_is_that_of_its_types() {
    for (language, path) in [
        (Language::English, "docs/event-file.md"),
        (Language::Korean, "docs/event-file.ko.md"),
    ] {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let there = std::fs::read_to_string(format!("{root}/{path}")).unwrap_or_default();
        assert!(
            there == reference(language),
            "{path} is old: run `just docs`"
        );
    }
}
