//! What people read when something is wrong, side by side in both languages: `problems.md` holds what each provoked
//! problem says. After a change, `UPDATE_PROBLEMS=1 cargo test -p xmas-api problems` writes it anew, to be read.

use std::{fmt::Write, path::Path, process::Command};

use reqwest::{Method, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use xmas_kernel::ErrorCode;
use xmas_test_support::{Answer, Client, TestApp};

use super::command_line::{Serving, run, text, xmas_api};

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/problems.md");

/// A request that is refused.
struct Provoked {
    what: &'static str,
    method: Method,
    path: &'static str,
    body: Sent,
    headers: &'static [(&'static str, &'static str)],
}

enum Sent {
    Nothing,
    Json(Value),
    Raw(&'static str, &'static str),
}

fn get(what: &'static str, path: &'static str) -> Provoked {
    asked(what, Method::GET, path, Sent::Nothing)
}

fn put(what: &'static str, path: &'static str, body: Value) -> Provoked {
    asked(what, Method::PUT, path, Sent::Json(body))
}

fn post(what: &'static str, path: &'static str, body: Value) -> Provoked {
    asked(what, Method::POST, path, Sent::Json(body))
}

fn raw(what: &'static str, path: &'static str, kind: &'static str, body: &'static str) -> Provoked {
    asked(what, Method::POST, path, Sent::Raw(kind, body))
}

fn asked(what: &'static str, method: Method, path: &'static str, body: Sent) -> Provoked {
    Provoked {
        what,
        method,
        path,
        body,
        headers: &[],
    }
}

impl Provoked {
    fn with(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }

    async fn answer(&self, client: &Client, language: &str) -> Answer {
        let request = client.request(self.method.clone(), self.path);
        let request = request.header(header::ACCEPT_LANGUAGE, language);
        let headers = self.headers.iter();
        let request = headers.fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        client
            .send(match &self.body {
                Sent::Nothing => request,
                Sent::Json(body) => request.json(body),
                Sent::Raw(kind, body) => request.header(header::CONTENT_TYPE, *kind).body(*body),
            })
            .await
    }
}

fn of_players() -> Vec<Provoked> {
    let claim = "/api/season-pass/claim";
    vec![
        post(
            "no password",
            "/api/auth/token",
            json!({ "external_id": "santa" }),
        ),
        post(
            "an empty password",
            "/api/auth/token",
            json!({ "external_id": "santa", "password": "" }),
        ),
        post(
            "a hidden character",
            "/api/auth/token",
            json!({ "external_id": "a\u{7}", "password": "x" }),
        ),
        post(
            "a short new password",
            "/api/auth/password",
            json!({ "current_password": "password", "new_password": "short" }),
        ),
        post(
            "a wrong password",
            "/api/auth/password",
            json!({ "current_password": "nonsense", "new_password": "long enough" }),
        ),
        post("a misspelt field", claim, json!({ "levle": 1 })),
        post("text for a number", claim, json!({ "level": "one" })),
        post("a level above", claim, json!({ "level": 7 })),
        raw("no JSON", claim, "application/json", "{\"level\": }"),
        raw(
            "JSON that ends early",
            claim,
            "application/json",
            "{\"level\": 1",
        ),
        raw("a list", claim, "application/json", "[1]"),
        raw(
            "a name twice",
            claim,
            "application/json",
            "{\"level\": 1, \"level\": 2}",
        ),
        raw(
            "a form",
            claim,
            "application/x-www-form-urlencoded",
            "level=1",
        ),
        post("an odd key", claim, json!({ "level": 1 })).with(&[("idempotency-key", "with space")]),
        post(
            "an unknown feature",
            "/api/season-pass/stamp",
            json!({ "source_feature_type": "SLEIGH" }),
        ),
        post(
            "too much bonus",
            "/api/season-pass/stamp",
            json!({ "source_feature_type": "ROULETTE", "xp_bonus": 999 }),
        ),
        post(
            "no id",
            "/api/activity/record",
            json!({ "event_id": "x", "event_type": "PAGE_VIEW" }),
        ),
        get(
            "a parameter that is a number",
            "/api/wallet?18446744073709551615=1",
        ),
        get("a parameter named as the whole is", "/api/wallet?body=1"),
        get("a misspelt parameter", "/api/me/history?limt=5"),
        get("a large page", "/api/me/history?limit=500"),
        get("a limit that is no number", "/api/me/history?limit=many"),
        get("an odd cursor", "/api/me/history?cursor=x"),
        get("an unknown kind", "/api/me/history?kind=gift"),
        get("an unknown table", "/api/odds/lottery?odds_id=0"),
    ]
}

fn of_operators() -> Vec<Provoked> {
    let lottery = "/admin/api/lottery-config/1";
    let seasons = "/admin/api/seasons/1";
    let levels = "/admin/api/seasons/1/levels";
    let bridge = "/admin/api/event-bridge/";
    let prize = |changed: Value| {
        let mut prize = json!({ "label": "핫팩", "weight": 5, "stock": 3,
            "reward_type": "POINT", "reward_value": 1_000 });
        for (name, value) in changed.as_object().expect("fields") {
            prize[name] = value.clone();
        }
        json!({ "prizes": [
            { "label": "꽝", "weight": 1, "reward_type": "NONE", "reward_value": 0 }, prize,
        ] })
    };
    vec![
        put("a negative weight", lottery, prize(json!({ "weight": -5 }))),
        put("a negative stock", lottery, prize(json!({ "stock": -1 }))),
        put("a label twice", lottery, prize(json!({ "label": "꽝" }))),
        put(
            "an unknown reward",
            lottery,
            prize(json!({ "reward_type": "SLEIGH" })),
        ),
        put(
            "a coupon without a kind",
            lottery,
            prize(json!({ "reward_type": "COUPON", "reward_value": 1 })),
        ),
        put(
            "a bundle that is not there",
            lottery,
            prize(json!({ "reward_type": "BUNDLE", "reward_value": 1, "reward_item": 999 })),
        ),
        put("an id of another", lottery, prize(json!({ "id": 999 }))),
        put(
            "nothing to win",
            lottery,
            json!({ "prizes": [{ "label": "a", "weight": 0, "reward_type": "NONE", "reward_value": 0 }] }),
        ),
        put(
            "a daily limit below nothing",
            lottery,
            json!({ "max_daily_tickets": -1 }),
        ),
        put(
            "two mistakes",
            lottery,
            json!({ "name": "", "max_daily_plays": -1 }),
        ),
        put(
            "five segments",
            "/admin/api/roulette-config/1",
            json!({ "segments": [] }),
        ),
        put(
            "a long name",
            "/admin/api/dice-config/1",
            json!({ "name": "가".repeat(101) }),
        ),
        put("another id", "/admin/api/dice-config/1", json!({ "id": 2 })),
        put(
            "days the wrong way round",
            seasons,
            json!({ "start_date": "2025-12-31", "end_date": "2025-12-25" }),
        ),
        put("no day", seasons, json!({ "end_date": "2025-13-01" })),
        put("too many grace days", seasons, json!({ "grace_days": 400 })),
        put(
            "two names",
            seasons,
            json!({ "name": "하나", "season_name": "둘" }),
        ),
        put(
            "levels with a gap",
            levels,
            json!({ "levels": [{ "level": 1, "required_xp": 0, "reward_type": "NONE", "reward_label": "시작" }, { "level": 3, "required_xp": 0, "reward_type": "XP", "reward_label": "선물" }] }),
        ),
        put(
            "a bridge that settles early",
            bridge,
            json!({ "settle_on": "2025-12-20" }),
        ),
        put("too many keys", bridge, json!({ "keys_required": 9 })),
        put(
            "days of a bridge",
            bridge,
            json!({ "days": [{ "day": 1, "date": "2025-12-01", "event_type": "key one", "mission": "PLAY_ROULETTE", "points": -1 }, { "day": 3, "date": "2025-11-30", "event_type": "KEY_2", "mission": "STAMP", "points": 1 }] }),
        ),
        post(
            "keys, unsaid whether to look",
            "/admin/api/event-bridge/keys",
            json!({ "day": 1, "all_active": true }),
        ),
        put(
            "a path that is none",
            "/admin/api/feature-config/dice",
            json!({ "page_path": "dice" }),
        ),
        put(
            "settings of a feature",
            "/admin/api/feature-config/dice",
            json!({ "config_json": { "xp_per_play": "five", "stamp_on_plays": true } }),
        ),
        put(
            "a banner with a script",
            "/admin/api/ui-config/downtime_banner",
            json!({ "value": { "message": "<b>x</b>", "link_url": "javascript:1", "severity": "red" } }),
        ),
        put(
            "a key that is nearly known",
            "/admin/api/ui-config/downtime_baner",
            json!({ "value": {} }),
        ),
        get(
            "a span of the schedule",
            "/admin/api/feature-schedule/?start_date=2025-12-31&end_date=2025-12-25",
        ),
        post(
            "a player without a name",
            "/admin/api/users/",
            json!({ "external_id": "", "password": "short" }),
        ),
        put(
            "XP below nothing",
            "/admin/api/users/external_id:santa",
            json!({ "xp": -1 }),
        ),
        put(
            "an unknown status",
            "/admin/api/users/external_id:santa",
            json!({ "status": "ASLEEP" }),
        ),
        get("an account that is named oddly", "/admin/api/users/santa"),
        post(
            "no amount",
            "/admin/api/game-tokens/grant",
            json!({ "external_id": "santa", "token_type": "POINT" }),
        ),
        post(
            "an unknown token",
            "/admin/api/game-tokens/grant",
            json!({ "external_id": "santa", "token_type": "GOLD", "amount": 1 }),
        ),
        post(
            "an amount of nothing",
            "/admin/api/game-tokens/grant",
            json!({ "external_id": "santa", "token_type": "POINT", "amount": 0 }),
        ),
        post(
            "a batch for everybody",
            "/admin/api/game-tokens/grant-bulk?dry_run=true",
            json!({ "token_type": "POINT", "amount": 1, "filter": {} }),
        ),
        get("an odd day", "/admin/api/game-tokens/ledger?from=yesterday"),
        get(
            "a day before another",
            "/admin/api/game-tokens/ledger?from=2025-12-27&to=2025-12-24",
        ),
        get("the wrong page", "/admin/api/users/?page=0"),
        get("an unknown state", "/admin/api/rewards/?state=LOST"),
        get(
            "an unknown game",
            "/admin/api/game-tokens/play-logs?game=chess",
        ),
        post(
            "a bundle in a bundle",
            "/admin/api/bundles/",
            json!({ "name": "상자", "items": [{ "reward_type": "BUNDLE", "reward_amount": 1 }] }),
        ),
        post(
            "an empty bundle",
            "/admin/api/bundles/",
            json!({ "name": "상자", "items": [] }),
        ),
        put(
            "places that are there twice",
            "/admin/api/ranking/2025-12-26",
            json!({ "items": [{ "rank": 1, "display_name": "a", "score": 1 }, { "rank": 1, "external_id": "nobody", "score": 1 }] }),
        ),
        put(
            "a reason that is none",
            "/admin/api/dice-config/1",
            json!({ "name": "x" }),
        )
        .with(&[("x-reason", "%FF")]),
        put(
            "a version that is none",
            "/admin/api/dice-config/1",
            json!({ "name": "x" }),
        )
        .with(&[("if-match", "\"a")]),
        get(
            "a range of hours",
            "/admin/api/dashboard/metrics?range_hours=999",
        ),
    ]
}

fn of_tables() -> Vec<Provoked> {
    let import = "/admin/api/users/import?dry_run=false";
    let grant = "/admin/api/game-tokens/grant-bulk?dry_run=false&token_type=POINT&batch_id=a";
    let codes = "/admin/api/coupons/1/codes";
    vec![
        raw(
            "a column that nobody knows",
            grant,
            "text/csv",
            "who,amount\nsanta,1\n",
        ),
        raw(
            "a column that is missing",
            import,
            "text/csv",
            "nickname\n산타\n",
        ),
        raw(
            "a column twice",
            grant,
            "text/csv",
            "external_id,amount,amount\nsanta,1,2\n",
        ),
        raw("no rows", grant, "text/csv", "external_id,amount\n"),
        raw(
            "an open quotation mark",
            grant,
            "text/csv",
            "external_id,amount\n\"santa,1\n",
        ),
        raw(
            "too few cells",
            grant,
            "text/csv",
            "external_id,amount\nsanta\n",
        ),
        raw(
            "a number with a comma",
            grant,
            "text/csv",
            "external_id,amount\nsanta,\"1,000\"\n",
        ),
        raw(
            "a number that a spreadsheet has spoilt",
            grant,
            "text/csv",
            "external_id,amount\nsanta,1E+05\n",
        ),
        raw(
            "an id that a spreadsheet has spoilt",
            grant,
            "text/csv",
            "external_id,amount\n1.23E+11,1\n",
        ),
        raw(
            "a formula that failed",
            grant,
            "text/csv",
            "external_id,amount\n#REF!,1\n",
        ),
        raw(
            "a player whom nobody knows, and one twice",
            grant,
            "text/csv",
            "external_id,amount\nnobody,1\nsanta,1\nsanta,2\n",
        ),
        raw(
            "a player twice",
            import,
            "text/csv",
            "external_id,status\nelf,ASLEEP\nelf,\n",
        ),
        raw(
            "an operator",
            import,
            "text/csv",
            "external_id,nickname\noperator,두목\n",
        ),
        raw(
            "a short password",
            import,
            "text/csv",
            "external_id,password\nelf,short\n",
        ),
        raw("a code twice", codes, "text/csv", "code\nA-1\nA-1\n"),
        raw(
            "an unknown charset",
            codes,
            "text/csv; charset=latin1",
            "code\nA-1\n",
        ),
        raw("a form", codes, "multipart/form-data; boundary=x", "--x--"),
    ]
}

/// What is started, with which variables and arguments.
type Started<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

/// The file as it is to be: every problem with its sentences in both languages.
struct Page(String);

impl Page {
    fn chapter(&mut self, title: &str) {
        let _ = write!(self.0, "\n## {title}\n");
    }

    fn entry(&mut self, what: &str, code: &str, said: &[String]) {
        let _ = write!(self.0, "\n{what} · {code}\n\n");
        for sentence in said {
            let _ = writeln!(self.0, "- {sentence}");
        }
    }

    async fn provoke(&mut self, client: &Client, all: Vec<Provoked>) -> usize {
        let count = all.len();
        for provoked in all {
            let [english, korean] = ["en-US,en;q=0.9", "ko-KR,ko;q=0.9"];
            let english = provoked.answer(client, english).await;
            let korean = provoked.answer(client, korean).await;
            let what = provoked.what;
            assert!(english.status >= 400, "{what}: {}", english.text);
            assert_eq!(english.code(), korean.code(), "{what}");
            let mut said = Vec::new();
            for answer in [&english, &korean] {
                let vary = answer.headers.get_all(header::VARY).iter();
                let vary: Vec<&str> = vary.map(|it| it.to_str().expect("text")).collect();
                assert!(
                    vary.concat().contains("Accept-Language"),
                    "{what}: {vary:?}"
                );
                said.extend(answer.body["error"]["message"].as_str().map(str::to_owned));
                said.extend(answer.problems().map(str::to_owned));
                let detail = answer.body["detail"].as_str().expect("text");
                let is_alone = answer.problems().count() == 1;
                if detail != answer.code() && !is_alone {
                    said.push(format!("detail: {detail}"));
                }
            }
            assert_eq!(said.len() % 2, 0, "{what}: {said:?}");
            self.entry(what, english.code(), &said);
        }
        count
    }

    /// What the program prints in both languages, without what differs from machine to machine.
    fn print(&mut self, what: &str, folder: &Path, ask: &dyn Fn(&mut Command)) {
        let mut said = Vec::new();
        let mut codes = Vec::new();
        for locale in ["en_US.UTF-8", "ko_KR.UTF-8"] {
            let mut command = xmas_api(folder);
            command.env("LANG", locale).env("RUST_LOG", "off");
            ask(&mut command);
            let output = run(&mut command);
            codes.push(output.status.code());
            let told = text(&output.stderr).replace(folder.to_str().expect("text"), "FOLDER");
            said.extend(told.lines().map(str::to_owned));
        }
        assert!(
            codes[0] != Some(0) && codes[0] == codes[1],
            "{what}: {codes:?}"
        );
        assert_eq!(said.len() % 2, 0, "{what}: {said:?}");
        let code = codes[0].map_or_else(String::new, |code| format!("exit code {code}"));
        self.entry(what, &code, &said);
    }
}

#[tokio::test]
async fn every_problem_reads_well_in_both_languages() {
    let app = TestApp::start().await;
    let (player, admin) = (app.player("santa", 0).await, app.admin("operator").await);
    let mut page = Page(String::from(
        "# What people read when something is wrong\n\n\
         Written by `problems.rs`, which says how to write it anew. English first, then Korean.\n",
    ));
    page.chapter("Players");
    let mut count = page.provoke(&player, of_players()).await;
    page.chapter("Operators");
    count += page.provoke(&admin, of_operators()).await;
    page.chapter("Tables");
    count += page.provoke(&admin, of_tables()).await;
    page.chapter("Settings and the command line");
    let folder = TempDir::new().expect("a folder");
    let settings: [Started<'_>; 21] = [
        ("a number", &[("MAX_REQUESTS", "lots")], &["check"]),
        (
            "a number out of its bounds",
            &[("DRAIN_SECONDS", "6000")],
            &["check"],
        ),
        ("one of two", &[("APP_ENV", "prod")], &["check"]),
        (
            "true or false",
            &[("FEATURE_GATE_ENABLED", "yes")],
            &["check"],
        ),
        ("an address", &[("BIND_ADDR", "8000")], &["check"]),
        (
            "an origin",
            &[("CORS_ORIGINS", "https://a.example, example.com/x")],
            &["check"],
        ),
        ("a network", &[("TRUSTED_PROXIES", "proxy")], &["check"]),
        ("an instant", &[("XMAS_CLOCK", "tomorrow")], &["check"]),
        (
            "a URL",
            &[("DATABASE_URL", "postgres://u:p@h/x")],
            &["check"],
        ),
        (
            "a password in a URL",
            &[("DATABASE_URL", "mysql://u:p@ss@h/x")],
            &["check"],
        ),
        ("a URL of Redis", &[("REDIS_URL", "http://h")], &["check"]),
        ("a blank secret", &[("JWT_SECRET", " ")], &["check"]),
        ("a log filter", &[("RUST_LOG", "xmas=loud")], &["check"]),
        (
            "a file of a secret",
            &[("JWT_SECRET_FILE", "nowhere")],
            &["check"],
        ),
        (
            "a secret twice",
            &[("JWT_SECRET_FILE", "nowhere"), ("JWT_SECRET", "x")],
            &["check"],
        ),
        (
            "nobody listens",
            &[("DATABASE_URL", "mysql://u:p@127.0.0.1:1/x")],
            &["migrate", "status"],
        ),
        (
            "no such folder",
            &[("DATABASE_URL", "sqlite://nowhere/x.db")],
            &["migrate", "status"],
        ),
        (
            "no such file",
            &[("DATABASE_URL", "sqlite://x.db?mode=rw")],
            &["migrate", "status"],
        ),
        (
            "a schema that is missing",
            &[("DATABASE_URL", "sqlite://new.db")],
            &["audit"],
        ),
        (
            "production without anything",
            &[("APP_ENV", "production")],
            &["serve"],
        ),
        (
            "no admin",
            &[],
            &[
                "keys",
                "give",
                "--day",
                "1",
                "--all-active",
                "--reason",
                "x",
            ],
        ),
    ];
    for (what, variables, args) in settings {
        page.print(what, folder.path(), &|command| {
            command.envs(variables.iter().copied()).args(args);
        });
        count += 1;
    }
    assert!(count >= 70, "{count} problems");
    if std::env::var_os("UPDATE_PROBLEMS").is_some() {
        std::fs::write(KEPT, &page.0).expect("the file is written");
    }
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    for (number, (kept, now)) in kept.lines().zip(page.0.lines()).enumerate() {
        assert_eq!(kept, now, "problems.md, line {}", number + 1);
    }
    assert_eq!(kept.len(), page.0.len(), "problems.md ends elsewhere");
}

#[test]
fn every_code_has_a_message_in_both_languages() {
    use xmas_texts::Language;
    for code in ErrorCode::ALL {
        let english = code.message(Language::English);
        let korean = code.message(Language::Korean);
        let is_hangul = |sign: char| ('가'..='힣').contains(&sign);
        assert!(
            !english.contains(is_hangul) && korean.contains(is_hangul),
            "{code}"
        );
        assert!(english.ends_with('.') && korean.ends_with('.'), "{code}");
    }
}

#[tokio::test]
async fn the_log_says_which_fields_were_wrong_and_no_values() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("log");
    let log = std::fs::File::create(&path).expect("a file");
    let server = Serving::start_logging(folder.path(), &[("LOG_FORMAT", "json")], log.into());
    let login = |body: String| {
        let request = reqwest::Client::new().post(format!("{}/api/auth/token", server.base()));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        request.body(body).send()
    };
    for body in [
        json!({ "external_id": "", "password": "S3cret" }),
        json!({ "external_id": "demo-01", "S3cret": "x" }),
    ] {
        let answer = login(body.to_string()).await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 422);
    }
    let twice = login(r#"{"S3cret": 1, "S3cret": 2}"#.to_owned())
        .await
        .expect("an answer");
    assert_eq!(twice.status().as_u16(), 422);
    drop(server);
    let log = std::fs::read_to_string(&path).expect("the log");
    assert!(!log.contains("S3cret"), "{log}");
    let refused = log
        .lines()
        .filter(|line| line.contains("a request was refused"));
    let told: Vec<Value> = refused
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let of = |name: &str| {
        told.iter()
            .map(|line| line[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("code"), ["VALIDATION_ERROR"; 3]);
    assert_eq!(
        of("fields"),
        [
            "external_id (field.characters)",
            "? (field.unknown_among)",
            "? (field.given_twice)",
        ]
    );
}
