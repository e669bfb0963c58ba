//! The binary itself: its verbs, its exit codes, and what it does when it is killed.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use xmas_test_support::TestDb;

/// The binary in an environment of its own: nothing set but what a test sets.
pub(crate) fn xmas_api(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xmas-api"));
    command
        .env_clear()
        .env("DATA_DIR", folder.join("data"))
        .env("BIND_ADDR", "127.0.0.1:0")
        .current_dir(folder);
    command
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.output().expect("the binary runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server that is stopped with its test.
pub(crate) struct Serving {
    child: Child,
    base: String,
    /// The line about the event's clock.
    clock: String,
}

impl Serving {
    pub(crate) fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        Self::start_logging(folder, variables, Stdio::null())
    }

    /// The same, with somewhere for its log.
    pub(crate) fn start_logging(folder: &Path, variables: &[(&str, &str)], log: Stdio) -> Self {
        let mut command = xmas_api(folder);
        command
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = command.spawn().expect("the binary starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut lines = output.lines().map(|line| line.expect("text"));
        let address = "XMAS 1Week answers at ";
        let first = lines
            .find(|line| line.starts_with(address))
            .expect("it prints its address");
        let base = first[address.len()..]
            .split(' ')
            .next()
            .expect("an address")
            .to_owned();
        let clock = lines.next().expect("it prints its clock");
        Self { child, base, clock }
    }

    async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> reqwest::Result<Value> {
        let request = reqwest::Client::new()
            .post(format!("{}{path}", self.base))
            .json(body);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await?.json().await
    }

    pub(crate) async fn login(&self, external_id: &str, password: &str) -> String {
        let credentials = json!({ "external_id": external_id, "password": password });
        let session = self
            .post("/api/auth/token", None, &credentials)
            .await
            .expect("an answer");
        session["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// As an operator, or what looks after the process, stops it.
    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        let killed = run(Command::new("kill").args(["-TERM", &pid]));
        assert!(killed.status.success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it is gone")
    }

    /// As the operating system does when memory runs out.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it is gone");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_first_start_needs_nothing_and_a_restart_forgets_nothing() {
    let folder = TempDir::new().unwrap();
    let mut first = Serving::start(folder.path(), &[]);
    assert!(
        first.clock.contains("shows 2025-12-26T09:00:0"),
        "{}",
        first.clock
    );
    let token = first.login("demo-01", "demo-pass").await;
    let spin = first
        .post("/api/roulette/play", Some(&token), &json!({}))
        .await
        .unwrap();
    assert_eq!(spin["result"], "OK");
    first.kill();

    let second = Serving::start(folder.path(), &[]);
    assert!(
        second.clock.contains("shows 2025-12-26T09:0"),
        "{}",
        second.clock
    );
    // The generated secret and the database are still there, so the old token works.
    let spin = second
        .post("/api/roulette/play", Some(&token), &json!({}))
        .await
        .unwrap();
    assert_eq!(spin["receipt"]["nonce"], 1);
    second.login("demo-admin", "demo-admin-pass").await;
    drop(second);

    let elsewhen = Serving::start(
        folder.path(),
        &[("XMAS_CLOCK", "2025-12-31T23:59:00+09:00")],
    );
    assert!(
        elsewhen.clock.contains("shows 2025-12-31T23:59:0"),
        "{}",
        elsewhen.clock
    );
    drop(elsewhen);

    // Another key would seal new secrets beside old ones that it cannot open, on any day.
    let mut other = xmas_api(folder.path());
    other
        .env("DATA_KEY", "another data key of 32 bytes or more")
        .env("XMAS_CLOCK", "2026-02-01T09:00:00+09:00")
        .env("BIND_ADDR", "127.0.0.1:0");
    let refused = run(&mut other);
    assert_eq!(refused.status.code(), Some(1));
    let reason = text(&refused.stderr);
    assert!(reason.contains("DATA_KEY is not the one"), "{reason}");
}

/// On the embedded database, or on the server under test.
#[tokio::test]
async fn killed_in_the_middle_of_plays_of_every_game_the_books_still_balance() {
    let folder = TempDir::new().unwrap();
    let test = TestDb::new().await;
    let variables = [
        ("DATABASE_URL", test.url()),
        ("LOGINS_PER_MINUTE", "1000"),
        ("PLAYER_WRITES_PER_MINUTE", "100000"),
    ];
    let seeded = run(xmas_api(folder.path())
        .envs(variables)
        .args(["seed", "demo"]));
    assert!(seeded.status.success(), "{}", text(&seeded.stderr));
    // The bonus stamp of many wins would hide behind the sum of XP below.
    test.execute("UPDATE season_pass_config SET internal_win_threshold = 1000000")
        .await;
    // Who has not played yet.
    let player = test
        .count("SELECT id FROM `user` WHERE external_id = 'demo-02'")
        .await;
    let played = format!("SELECT COUNT(*) FROM feature_log WHERE user_id = {player}");
    for _ in 0..3 {
        let mut server = Serving::start(folder.path(), &variables);
        let token = server.login("demo-02", "demo-pass").await;
        let before = test.count(&played).await;
        let plays = tokio::spawn({
            let (base, token) = (server.base.clone(), token.clone());
            async move {
                let http = reqwest::Client::new();
                let play = |game: &str| {
                    let url = format!("{base}/api/{game}/play");
                    http.post(&url).bearer_auth(&token).send()
                };
                while futures_util::future::try_join4(
                    play("roulette"),
                    play("dice"),
                    play("lottery"),
                    play("lottery"),
                )
                .await
                .is_ok()
                {}
            }
        });
        let enough = async {
            while test.count(&played).await < before + 12 {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(60), enough).await;
        waited.expect("the server plays");
        server.kill();
        plays.await.unwrap();
    }
    // What the killed server had in flight is over once the player's row can be had.
    let tx = test.db.begin().await.unwrap();
    let demo_02 = xmas_kernel::UserId(player);
    let locked = xmas_players::lock_by_id_in_tx(&tx, demo_02).await.unwrap();
    drop((locked, tx));
    let plays = test.count(&played).await;
    assert!(plays >= 36, "{plays}");
    let wrong = "SELECT COUNT(*) FROM user_game_wallet w WHERE balance <> (SELECT SUM(delta) \
                 FROM wallet_ledger l WHERE l.user_id = w.user_id AND l.asset = w.asset)";
    assert_eq!(test.count(wrong).await, 0);
    for sql in [
        "SELECT COUNT(*) FROM wallet_ledger WHERE reason = 'PLAY' AND delta = -1 AND user_id = ",
        "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'PLAY' AND user_id = ",
        "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'RESULT' AND user_id = ",
        "SELECT COUNT(*) FROM reward_log WHERE source = 'PLAY' AND grant_key NOT LIKE '%:xp' AND user_id = ",
        "SELECT COUNT(*) FROM reward_log WHERE grant_key LIKE '%:xp' AND user_id = ",
        "SELECT SUM(days.plays) FROM (SELECT user_id, MAX(nonce) + 1 AS plays FROM feature_log \
         GROUP BY user_id, feature_type, event_day) AS days WHERE days.user_id = ",
    ] {
        let sql = format!("{sql}{player}");
        assert_eq!(test.count(&sql).await, plays, "{sql}");
    }
    let xp = format!("SELECT current_xp FROM season_pass_progress WHERE user_id = {player}");
    let earned = format!(
        "SELECT SUM(amount) FROM reward_log WHERE reward_type = 'XP' AND user_id = {player}"
    );
    assert_eq!(test.count(&xp).await, test.count(&earned).await);
    let stock = "SELECT COUNT(*) FROM lottery_prize p WHERE stock_supplied <> stock + \
        (SELECT COUNT(*) FROM feature_log l WHERE l.entry_id = p.id AND l.took_stock = 1)";
    assert_eq!(test.count(stock).await, 0);
    let codes = "SELECT COUNT(*) FROM coupon_code WHERE reward_id IS NOT NULL AND reward_id NOT IN \
        (SELECT id FROM reward_log WHERE reward_type = 'COUPON' AND state = 'DELIVERED')";
    assert_eq!(test.count(codes).await, 0);
}

#[tokio::test]
async fn sigterm_ends_it_in_order() {
    let folder = TempDir::new().unwrap();
    let mut server = Serving::start(folder.path(), &[("DRAIN_SECONDS", "0")]);
    server.terminate();
    assert!(server.wait().success());
}

#[test]
fn check_refuses_every_unsafe_setting_in_production_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    let check = |variables: &[(&str, &str)]| {
        let mut command = xmas_api(folder.path());
        command.arg("check").env("APP_ENV", "production");
        run(command.envs(variables.iter().copied()))
    };
    let output = check(&[
        ("FEATURE_GATE_ENABLED", "true"),
        ("XMAS_CLOCK", "2025-12-26T09:00:00+09:00"),
        ("CORS_ORIGINS", "*"),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let problems = text(&output.stderr);
    for name in [
        "JWT_SECRET",
        "DATABASE_URL",
        "FEATURE_GATE_ENABLED",
        "XMAS_CLOCK",
        "CORS_ORIGINS",
    ] {
        assert!(
            problems.contains(&format!("unsafe: {name} ")),
            "{name}: {problems}"
        );
    }
    let secret = "do-not-print-this-secret-anywhere-at-all";
    let output = check(&[
        ("JWT_SECRET", secret),
        ("DATABASE_URL", "mysql://u:do-not-print@127.0.0.1:1/x"),
    ]);
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert!(!printed.contains("do-not-print"), "{printed}");
    assert_eq!(
        output.status.code(),
        Some(1),
        "the database cannot be reached"
    );

    let serve = run(xmas_api(folder.path()).env("APP_ENV", "production"));
    assert_eq!(serve.status.code(), Some(1));
    assert!(
        text(&serve.stderr).contains("JWT_SECRET"),
        "{}",
        text(&serve.stderr)
    );
}

#[tokio::test]
async fn production_runs_on_a_seeded_event_and_refuses_a_demo() {
    let folder = TempDir::new().unwrap();
    let event = TestDb::new().await;
    let production = |url: &str, args: &[&str]| {
        let mut command = xmas_api(folder.path());
        command
            .env("APP_ENV", "production")
            .env("JWT_SECRET", "Zk3vJb0mQx9TtYw5Lr8uHc2nPd6sGf1aEo4iKy7=")
            .env("DATA_KEY", "q8RZ1nVw0yTj5GkXe3LbHs7CmUd2PaFo9iJt4Qx6=")
            .env("DATABASE_URL", url)
            .args(args);
        run(&mut command)
    };
    // Without a database of its own, production does nothing at all.
    for args in [
        &["create-admin", "x"][..],
        &["seed", "event"],
        &["migrate", "up"],
    ] {
        let refused = production("", args);
        assert_eq!(refused.status.code(), Some(1), "{args:?}");
        assert!(
            text(&refused.stderr).contains("DATABASE_URL"),
            "{}",
            text(&refused.stderr)
        );
    }
    assert!(!folder.path().join("data").exists());
    let demo_refused = production(event.url(), &["seed", "demo"]);
    assert_eq!(
        demo_refused.status.code(),
        Some(1),
        "{}",
        text(&demo_refused.stderr)
    );
    assert_eq!(event.count("SELECT COUNT(*) FROM `user`").await, 0);

    assert!(production(event.url(), &["seed", "event"]).status.success());
    let again = production(event.url(), &["seed", "event"]);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
    assert_eq!(
        event.count("SELECT COUNT(*) FROM season_pass_config").await,
        1
    );
    assert_eq!(event.count("SELECT COUNT(*) FROM `user`").await, 0);

    let admin = production(event.url(), &["create-admin", "boss", "--json"]);
    let admin: Value = serde_json::from_slice(&admin.stdout).unwrap();
    assert_eq!(admin["password"].as_str().unwrap().len(), 24);
    let taken = production(event.url(), &["create-admin", "boss"]);
    assert_eq!(taken.status.code(), Some(1));
    let safe = production(event.url(), &["check"]);
    assert!(safe.status.success(), "{}", text(&safe.stderr));
    {
        let server = Serving::start(
            folder.path(),
            &[
                ("APP_ENV", "production"),
                ("JWT_SECRET", "Zk3vJb0mQx9TtYw5Lr8uHc2nPd6sGf1aEo4iKy7="),
                ("DATA_KEY", "q8RZ1nVw0yTj5GkXe3LbHs7CmUd2PaFo9iJt4Qx6="),
                ("DATABASE_URL", event.url()),
            ],
        );
        server
            .login("boss", admin["password"].as_str().unwrap())
            .await;
    }

    let demo = TestDb::new().await;
    let mut seed = xmas_api(folder.path());
    seed.env("DATABASE_URL", demo.url()).args(["seed", "demo"]);
    assert!(run(&mut seed).status.success());
    for args in [
        &["check"][..],
        &["serve"],
        &["create-admin", "x"],
        &["seed", "event"],
    ] {
        let refused = production(demo.url(), args);
        assert_eq!(refused.status.code(), Some(1));
        assert!(
            text(&refused.stderr).contains("demo seed"),
            "{}",
            text(&refused.stderr)
        );
    }
}

#[tokio::test]
async fn serve_refuses_an_old_schema_and_names_the_command() {
    let folder = TempDir::new().unwrap();
    let test = TestDb::empty().await;
    let verb = |args: &[&str]| {
        run(xmas_api(folder.path())
            .env("DATABASE_URL", test.url())
            .args(args))
    };
    let refused = verb(&["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("xmas-api migrate up"),
        "{}",
        text(&refused.stderr)
    );
    assert_eq!(verb(&["migrate", "status"]).status.code(), Some(1));
    assert!(verb(&["migrate", "up"]).status.success());
    let status = verb(&["migrate", "status", "--json"]);
    assert!(status.status.success());
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert!(
        status["migrations"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["applied"] == true)
    );
    assert!(verb(&["migrate", "down"]).status.success());
    assert!(text(&verb(&["migrate", "status"]).stdout).contains("missing"));
}

#[test]
fn what_cannot_be_understood_is_exit_code_2() {
    let folder = TempDir::new().unwrap();
    let bad_value = run(xmas_api(folder.path()).env("BIND_ADDR", "nonsense"));
    assert_eq!(
        bad_value.status.code(),
        Some(2),
        "{}",
        text(&bad_value.stderr)
    );
    assert!(text(&bad_value.stderr).contains("BIND_ADDR"));
    let bad_verb = run(xmas_api(folder.path()).arg("fly"));
    assert_eq!(bad_verb.status.code(), Some(2));
}

#[test]
fn a_password_may_come_from_standard_input() {
    let folder = TempDir::new().unwrap();
    let create = |password: &str| {
        let mut command = xmas_api(folder.path());
        command.args(["create-admin", "boss", "--password-stdin"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), password.as_bytes()).unwrap();
        let mut printed = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut printed)
            .unwrap();
        (child.wait().unwrap().code(), printed)
    };
    assert_eq!(create("short\n").0, Some(1));
    let (code, printed) = create("long enough\n");
    assert_eq!(code, Some(0));
    assert!(!printed.contains("long enough"), "{printed}");
}

/// Receipts that anybody can check, without a database or a configuration.
#[test]
fn a_receipt_is_verified_offline_and_a_changed_one_is_rejected() {
    let folder = TempDir::new().unwrap();
    let vectors = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/fairness-vectors.json"
    );
    let vectors: Value = serde_json::from_slice(&std::fs::read(vectors).unwrap()).unwrap();
    let receipt = vectors["receipts"][2].to_string();
    let file = folder.path().join("receipt.json");
    let verify = |receipt: &str, args: &[&str]| {
        std::fs::write(&file, receipt).unwrap();
        let mut command = xmas_api(folder.path());
        run(command.arg("verify-draw").arg(&file).args(args))
    };
    let good = verify(&receipt, &[]);
    assert!(good.status.success(), "{}", text(&good.stderr));
    assert!(
        text(&good.stdout).contains("One draw before it"),
        "{}",
        text(&good.stdout)
    );
    let commitment = vectors["receipts"][2]["facts"]["commitment"]
        .as_str()
        .unwrap();
    let known = verify(&receipt, &["--commitment", commitment, "--json"]);
    assert!(known.status.success());
    let answer: Value = serde_json::from_slice(&known.stdout).unwrap();
    assert_eq!(
        (&answer["verified"], &answer["compared"]["commitment"]),
        (&true.into(), &true.into())
    );
    let unpublished = verify(&receipt, &["--odds-hash", &"0".repeat(64)]);
    assert_eq!(unpublished.status.code(), Some(1));
    assert!(text(&unpublished.stdout).contains("not one that was published"));

    let other = verify(&receipt, &["--commitment", &"0".repeat(64)]);
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other.stdout).starts_with("Rejected: the commitment"));
    let changed = receipt.replace("\"nonce\":66", "\"nonce\":67");
    let rejected = verify(&changed, &["--json"]);
    assert_eq!(rejected.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&rejected.stdout).unwrap();
    assert!(
        answer["reason"]
            .as_str()
            .unwrap()
            .contains("the seed gives the number")
    );
    for unreadable in ["", "[]", "{}", "\u{0}"] {
        let rejected = verify(unreadable, &[]);
        assert_eq!(rejected.status.code(), Some(1));
        assert!(text(&rejected.stdout).starts_with("Rejected: this is not a receipt"));
    }
    let mut missing = xmas_api(folder.path());
    let missing = run(missing.args(["verify-draw", "nowhere.json"]));
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("nowhere.json"));
}
