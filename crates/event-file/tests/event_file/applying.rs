//! Files planned and applied.

use serde_json::{Value, json};
use xmas_event_file::{CheckedFile, EventDesk, EventError, Plan, canonical, read};
use xmas_kernel::{UserId, audit::Actor, version::Seen};
use xmas_test_support::TestApp;
use xmas_texts::Language;
use xmas_time::{Clock, EventDay};

/// What the program that wrote the event in Rust left in the database, as it was exported then.
const RECORDED: &str = include_str!("recorded/xmas-2025.toml");
/// The tables that it drew from.
const RECORDED_ODDS: [&str; 3] = [
    "b52647d41582d65aba527c0575bea38f14d5592c1745d40115260e239d2fbc09",
    "de9392ded90a45a1728791bd0dd8703b8c213a8a4f98fc42ea8d3140808f77e9",
    "f6bd55d1ededf681c79722c649b9fa27e95f64f5e1108e4fdad3d9b37058ceeb",
];

struct World {
    app: TestApp,
    desk: EventDesk,
    actor: Actor,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let admin = app.admin("lead").await;
        let actor = Actor {
            user_id: UserId(admin.identity().user_id.0),
            name: "lead".to_owned(),
            reason: Some("새 이벤트".to_owned()),
            request_id: "test".to_owned(),
        };
        Self {
            desk: app.app.event().clone(),
            app,
            actor,
        }
    }

    fn read(&self, text: &str) -> CheckedFile {
        let today = EventDay::of(self.app.clock.now());
        read(text, today).unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    async fn export(&self) -> String {
        self.desk.export(None).await.unwrap().text
    }

    async fn plan(&self, text: &str) -> Plan {
        let file = self.read(text);
        self.desk.plan(&file, self.app.clock.now()).await.unwrap()
    }

    async fn apply(&self, text: &str) -> Result<Plan, EventError> {
        let (file, now) = (self.read(text), self.app.clock.now());
        self.desk.apply(Some(&self.actor), &file, None, now).await
    }

    /// What a file is refused for: the line, and the sentence.
    async fn refused(&self, text: &str) -> Vec<(usize, String)> {
        let plan = self.plan(text).await;
        let Err(EventError::Refused(applied)) = self.apply(text).await else {
            panic!("{plan:?}")
        };
        assert_eq!(applied.refused, plan.refused);
        let told =
            |it: &xmas_event_file::PlacedProblem| (it.line, it.problem.sentence(Language::English));
        plan.refused.iter().map(told).collect()
    }
}

fn changes(plan: &Plan) -> Vec<(String, Option<String>, Option<String>)> {
    let changes = plan.changes.iter();
    let change =
        |it: &xmas_event_file::Change| (it.path.clone(), it.before.clone(), it.after.clone());
    changes.map(change).collect()
}

fn line_of(text: &str, what: &str) -> usize {
    text[..text.find(what).unwrap()].matches('\n').count() + 1
}

#[tokio::test]
async fn the_event_of_2025_is_what_it_was_when_it_was_written_in_rust() {
    let world = World::new().await;
    assert_eq!(world.export().await, RECORDED);
    let client = world.app.anonymous();
    let mut hashes = Vec::new();
    for game in ["dice", "lottery", "roulette"] {
        let odds = client.get(&format!("/api/odds/{game}")).await.body;
        hashes.push(odds["content_hash"].as_str().unwrap().to_owned());
    }
    assert_eq!(hashes, RECORDED_ODDS);
}

#[tokio::test]
async fn what_is_there_already_is_left_alone() {
    let world = World::new().await;
    let plan = world.plan(RECORDED).await;
    assert_eq!(changes(&plan), []);
    assert_eq!(plan.unchanged.len(), 9);
    let audits = "SELECT COUNT(*) FROM admin_audit_log";
    let before = world.app.test.count(audits).await;
    let applied = world.apply(RECORDED).await.unwrap();
    assert_eq!(changes(&applied), []);
    assert_eq!(world.app.test.count(audits).await, before);
    // After plays as well: what was won counts.
    let player = world.app.player("santa", 0).await;
    world
        .app
        .give(player.identity(), xmas_kernel::Asset::LotteryTicket, 200)
        .await;
    for _ in 0..200 {
        player.play("/api/lottery/play").await.expect_status(200);
    }
    let left = "SELECT SUM(stock) FROM lottery_prize";
    let left = world.app.test.count(left).await;
    assert!(left < 520, "{left}");
    assert_eq!(world.export().await, RECORDED);
    assert_eq!(changes(&world.plan(RECORDED).await), []);
    // And stays, whatever a file says; that is told once.
    let won = "SELECT stock_supplied - stock FROM lottery_prize WHERE label = '3,000 포인트'";
    let won = world.app.test.count(won).await;
    let fewer = RECORDED.replace("stock_total = 500", "stock_total = 0");
    let told = format!("stock_total must be at least {won}, since so many were won; got 0.");
    let refused = world.refused(&fewer).await;
    let [(_, only)] = &refused[..] else {
        panic!("{refused:?}")
    };
    assert!(only.ends_with(&told), "{only}");
}

#[tokio::test]
async fn a_plan_says_what_changes_and_what_that_means_and_changes_nothing() {
    let world = World::new().await;
    let player = world.app.player("santa", 0).await;
    player
        .post(
            "/api/season-pass/stamp",
            &json!({ "source_feature_type": "SEASON_PASS" }),
        )
        .await
        .expect_status(200);
    let text = RECORDED
        .replace("level = 2, required_xp = 50", "level = 2, required_xp = 20")
        .replace("level = 1, required_xp = 20", "level = 1, required_xp = 10")
        .replace("weight = 120", "weight = 240")
        .replace("stock_total = 20,", "stock_total = 30,")
        .replace("title = \"랭킹\"", "title = \"순위\"");
    let plan = world.plan(&text).await;
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        changes(&plan),
        [
            (
                "season.levels[1].required_xp".to_owned(),
                some("20"),
                some("10")
            ),
            (
                "season.levels[2].required_xp".to_owned(),
                some("50"),
                some("20")
            ),
            (
                "roulette.segments[1].weight".to_owned(),
                some("120"),
                some("240")
            ),
            (
                "lottery.prizes[배민 2만].stock_total".to_owned(),
                some("20"),
                some("30")
            ),
            (
                "features.ranking.title".to_owned(),
                some("\"랭킹\""),
                some("\"순위\"")
            ),
        ]
    );
    assert!(plan.is_running);
    let promises: Vec<&str> = plan.broken_promises().map(|it| it.path.as_str()).collect();
    assert_eq!(
        promises,
        [
            "season.levels[1].required_xp",
            "season.levels[2].required_xp",
            "roulette.segments[1].weight",
            "lottery.prizes[배민 2만].stock_total"
        ]
    );
    let reached: Vec<(i64, u64)> = plan
        .levels
        .iter()
        .map(|it| (it.level, it.players))
        .collect();
    assert_eq!(reached, [(2, 1)]);
    let [wheel] = &plan.odds[..] else {
        panic!("{:?}", plan.odds)
    };
    let first = &wheel.entries[0];
    assert_eq!(
        (&first.before, &first.after),
        (&some("12%"), &some("21.4286%"))
    );
    let points = wheel
        .payout
        .iter()
        .find(|it| it.reward_type == "POINT")
        .unwrap();
    // 180 × 1,000 and 60 × 10,000 of 1,000, and of 1,120.
    assert_eq!(points.before, 780.0);
    assert!((points.after - 780_000.0 / 1_120.0).abs() < 1e-9);
    assert_eq!(plan.refused, []);
    assert_eq!(world.export().await, RECORDED);
}

#[tokio::test]
async fn a_file_is_applied_whole_with_a_row_for_each_area() {
    let world = World::new().await;
    let text = RECORDED
        .replace("weight = 120", "weight = 240")
        .replace(
            "win = { reward_type = \"POINT\", reward_amount = 500 }",
            "win = { reward_type = \"CC_COIN\", reward_amount = 1 }",
        )
        .replace("stock_total = 20,", "stock_total = 30,")
        .replace("points = 5000 },\n]", "points = 7000 },\n]")
        .replace("title = \"랭킹\"", "title = \"순위\"")
        .replace("severity = \"info\"", "severity = \"warning\"");
    let plan = world.apply(&text).await.unwrap();
    assert_eq!(world.export().await, text);
    let rows = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'EVENT_APPLY'";
    assert_eq!(world.app.test.count(rows).await, 6);
    let admin = world.app.admin("reader").await;
    let log = admin.get("/admin/api/logs/audit?limit=100").await;
    let log = log.expect_status(200).body;
    let rows = log["items"].as_array().unwrap().iter();
    let applied: Vec<&Value> = rows.filter(|row| row["action"] == "EVENT_APPLY").collect();
    for row in &applied {
        assert_eq!(row["after"]["file_sha256"], json!(plan.file_sha256));
        assert_eq!(row["reason"], "새 이벤트");
    }
    // Each thing has a row of its own, as if it had been edited alone, so that its versions are there.
    let versions = admin.get("/admin/api/roulette-config/1/versions").await;
    let versions = versions.expect_status(200).body;
    assert_eq!(versions["items"].as_array().unwrap().len(), 2);
    // Players see it at once.
    let odds = world.app.anonymous().get("/api/odds/roulette").await.body;
    assert_eq!(odds["entries"][0]["weight"], 240);
    assert_eq!(changes(&world.plan(&text).await), []);
}

#[tokio::test]
async fn a_file_is_applied_only_to_what_its_plan_has_seen() {
    let world = World::new().await;
    let text = RECORDED.replace("weight = 120", "weight = 240");
    let plan = world.plan(&text).await;
    let admin = world.app.admin("other").await;
    let edit = json!({ "title": "돌림판" });
    admin
        .put("/admin/api/feature-config/ROULETTE", &edit)
        .await
        .expect_status(200);
    let seen = Seen::one(plan.version.as_str().to_owned());
    let (file, now) = (world.read(&text), world.app.clock.now());
    let stale = world
        .desk
        .apply(Some(&world.actor), &file, Some(&seen), now)
        .await;
    assert!(matches!(stale, Err(EventError::Stale(_))), "{stale:?}");
    let seen = Seen::one(world.plan(&text).await.version.as_str().to_owned());
    let applied = world
        .desk
        .apply(Some(&world.actor), &file, Some(&seen), now)
        .await;
    applied.unwrap();
    assert_eq!(world.export().await, text);
    // Whoever has not heard the answer may send the same again.
    let again = world
        .desk
        .apply(Some(&world.actor), &file, Some(&seen), now)
        .await;
    assert_eq!(changes(&again.unwrap()), []);
}

#[tokio::test]
async fn a_plan_has_seen_what_is_announced_and_whether_the_event_runs() {
    let world = World::new().await;
    let text = RECORDED.replace("stock_total = 20,", "stock_total = 30,");
    let (file, now) = (world.read(&text), world.app.clock.now());
    let seen = Seen::one(world.plan(&text).await.version.as_str().to_owned());
    let admin = world.app.admin("other").await;
    let lottery = admin.get("/admin/api/lottery-config/1").await.body;
    let announced = json!({
        "effective_from": "2025-12-27T00:00:00+09:00",
        "config": { "version": lottery["version"], "max_daily_plays": 3 },
    });
    let path = "/admin/api/lottery-config/1/plans";
    admin.post(path, &announced).await.expect_status(201);
    let stale = world
        .desk
        .apply(Some(&world.actor), &file, Some(&seen), now)
        .await;
    assert!(matches!(stale, Err(EventError::Stale(_))), "{stale:?}");
    let before = world.plan(&text).await;
    assert!(before.is_running && before.announced.len() == 1);
    // Keys are to be paid and rewards to be claimed after the last day, too.
    let set = |date| {
        world
            .app
            .clock
            .set(EventDay::from_ymd(2026, 1, date).unwrap().start());
    };
    set(8);
    assert!(world.plan(&text).await.is_running, "keys are to be paid");
    let close =
        "UPDATE event_bridge SET state = 'CLOSED', open_slot = NULL, closed_at = created_at";
    world.app.test.execute(close).await;
    set(7);
    let last = world.plan(&text).await;
    assert!(last.is_running, "the last grace day");
    set(8);
    let over = world.plan(&text).await;
    assert!(!over.is_running);
    assert_eq!(over.broken_promises().count(), 0);
    // Nothing else is different.
    assert_ne!(over.version, last.version);
}

#[tokio::test]
async fn whatever_players_have_is_a_promise_while_the_event_runs() {
    let world = World::new().await;
    for (right, other, path) in [
        (
            "label = \"배민 2만\",",
            "label = \"배민 2만\", is_active = false,",
            "lottery.prizes[배민 2만].is_active",
        ),
        (
            "stock_total = 20,",
            "stock_total = 10,",
            "lottery.prizes[배민 2만].stock_total",
        ),
        (
            "[lottery]\n",
            "[lottery]\nmax_daily_plays = 3\n",
            "lottery.max_daily_plays",
        ),
        ("grace_days = 7", "grace_days = 1", "season.grace_days"),
        (
            "keys_required = 7",
            "keys_required = 6",
            "bridge.keys_required",
        ),
        (
            "page_path = \"/lottery\"\nis_enabled = true",
            "page_path = \"/lottery\"\nis_enabled = false",
            "features.lottery.is_enabled",
        ),
    ] {
        assert!(RECORDED.contains(right), "{right}");
        let plan = world.plan(&RECORDED.replacen(right, other, 1)).await;
        let promises: Vec<&str> = plan.broken_promises().map(|it| it.path.as_str()).collect();
        assert_eq!(promises, [path], "{other}");
    }
    let text = RECORDED.replacen("title = \"복권\"", "title = \"뽑기\"", 1);
    assert_eq!(world.plan(&text).await.broken_promises().count(), 0);
}

#[tokio::test]
async fn every_difference_is_applied() {
    let world = World::new().await;
    let tail = |text: &str| format!("{RECORDED}{text}");
    let texts = [
        "\n[texts.zz]\n",
        "\n[texts.zz]\nlevels = []\n",
        "\n[texts.zz]\nlevels = \"x\"\n",
        "\n[texts.zz]\nlevels = [\n  { label = \"a\", v = 1 },\n]\n",
        "\n[texts.zz]\nprizes = [{ label = \"a\", v = 1 }, { label = \"a\", v = 2 }]\n",
        "\n[texts.zz]\nprizes = [{ label = \"a\", v = 1 }, { label = \"a\", v = 3 }]\n",
        "\n[texts.zz]\nprizes = [{ label = \"a\", v = 3 }, { label = \"a\", v = 1 }]\n",
        "\n[texts.zz]\ninner = {}\n",
    ];
    for text in texts {
        let text = tail(text);
        let plan = world.apply(&text).await.unwrap();
        assert!(!plan.changes.is_empty(), "{text}");
        let wanted = canonical(&world.read(&text).event);
        assert_eq!(world.export().await, wanted);
        assert_eq!(changes(&world.apply(&text).await.unwrap()), []);
    }
    let client = "[features.lottery.client]\nflags = {}\nitems = []\n\n[features.lottery]";
    let text = tail(texts[7]).replacen("[features.lottery]", client, 1);
    assert!(!world.apply(&text).await.unwrap().changes.is_empty());
    assert_eq!(world.export().await, canonical(&world.read(&text).event));
}

#[tokio::test]
async fn what_cannot_become_so_is_refused_whole_and_at_its_place() {
    let world = World::new().await;
    let player = world.app.player("santa", 0).await;
    world
        .app
        .give(player.identity(), xmas_kernel::Asset::LotteryTicket, 40)
        .await;
    for _ in 0..40 {
        player.play("/api/lottery/play").await.expect_status(200);
    }
    let drawn = "{ label = \"다음 기회에\", weight = 400, reward_type = \"NONE\" },";
    let vanished = RECORDED.replace(&format!("    {drawn}\n"), "");
    let told = world.refused(&vanished).await;
    let line = line_of(&vanished, "[lottery]");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].0 >= line && told[0].1.contains("is_active = false"),
        "{told:?}"
    );
    // Many at once, each at its own place.
    let other = RECORDED
        .replace("{ reward_type = \"TICKET_DICE\", reward_amount = 2 },\n    { reward_type = \"TICKET_LOTTERY\"", "{ reward_type = \"TICKET_DICE\", reward_amount = 3 },\n    { reward_type = \"TICKET_LOTTERY\"")
        .replace("date = 2025-12-26, event_type = \"KEY_DAY_2_DICE\"", "date = 2025-12-26, event_type = \"KEY_DAY_2_OTHER\"");
    let told = world.refused(&other).await;
    let lines: Vec<usize> = told.iter().map(|(line, _)| *line).collect();
    assert_eq!(
        lines,
        [
            line_of(&other, "KEY_DAY_2_OTHER"),
            line_of(
                &other,
                "reward_amount = 3 },\n    { reward_type = \"TICKET_LOTTERY\""
            ) - 1,
        ],
        "{told:?}"
    );
    // The next year's season cannot open its bridge beside this one's.
    let next = RECORDED
        .replace("XMAS_1WEEK_2025", "XMAS_1WEEK_2026")
        .replace("2026-01-01", "2027-01-01")
        .replace("2025-12", "2026-12");
    let told = world.refused(&next).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, line_of(&next, "[bridge]"));
    // Another season on the same days.
    let twin = RECORDED.replace("XMAS_1WEEK_2025", "XMAS_TWIN");
    let told = world.refused(&twin).await;
    assert_eq!(told[0].0, line_of(&twin, "start_date"), "{told:?}");
    assert_eq!(world.export().await, RECORDED);
    let events = "SELECT COUNT(*) FROM admin_audit_log";
    assert_eq!(world.app.test.count(events).await, 0);
}

#[tokio::test]
async fn a_part_of_the_event_is_changed_without_the_rest() {
    let world = World::new().await;
    let text = "[texts.coin_zero]\ntitle = \"코인이 없어요\"\n";
    let plan = world.apply(text).await.unwrap();
    assert_eq!(plan.left.len(), 8);
    let exported = world.export().await;
    assert!(exported.contains(text), "{exported}");
    assert_eq!(exported.replace(&format!("{text}\n"), ""), RECORDED);
    assert_eq!(canonical(&world.read(&exported).event), exported);
    let unknown = world.desk.export(Some("NOBODY")).await;
    assert!(matches!(unknown, Err(EventError::UnknownSeason)));
}
