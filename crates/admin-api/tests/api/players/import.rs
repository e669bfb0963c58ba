use std::fmt::Write;

use futures_util::future::join;
use serde_json::{Value, json};
use xmas_test_support::TestApp;

use super::{USERS, assert_sound, audits, get, log_in, path_of};

const IMPORT: &str = "/admin/api/users/import?dry_run=false";
const PREVIEW: &str = "/admin/api/users/import?dry_run=true";
/// Of "old password".
const OLD_HASH: &str = "A0F1490A20D0211C997B44BC357E1972DEAB8AE3";

/// What the old system kept of a password, in upper case.
fn old_hash(password: &str) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(password);
    digest.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02X}").unwrap();
        digits
    })
}

async fn players(app: &TestApp) -> i64 {
    let players = "SELECT COUNT(*) FROM `user` WHERE role = 'PLAYER'";
    app.test.count(players).await
}

fn counts(report: &Value) -> [i64; 5] {
    let fields = [
        "created",
        "changed",
        "unchanged",
        "refused",
        "without_password",
    ];
    fields.map(|field| report[field].as_i64().unwrap())
}

#[tokio::test]
async fn a_preview_tells_line_by_line_and_the_import_does_it() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 0).await;
    app.player("rudolf", 0).await;
    // As a spreadsheet in Korea writes it.
    let table = format!(
        "\u{feff}External_ID,nickname,PASSWORD,password_sha256,status\r\n\
         santa,\"산타, \"\"대장\"\"\",,,BLOCKED\r\n\
         rudolf,산타,,,ACTIVE\r\n\
         \r\n\
         눈사람,엘사,let it go!,,\r\n\
         old-01,,,{},\r\n\
         '=1+1,+82,,,INACTIVE\r\n",
        old_hash("old password")
    );
    let preview = admin
        .post_csv(PREVIEW, &table)
        .await
        .expect_status(200)
        .body;
    assert_eq!(counts(&preview), [3, 1, 1, 0, 1]);
    assert_eq!(preview["dry_run"], true);
    assert_eq!(preview["more_lines"], 0);
    let expected = json!([
        { "line": 2, "external_id": "santa", "action": "CHANGE", "changes": ["nickname", "status"], "problems": [], "hint": null },
        { "line": 3, "external_id": "rudolf", "action": "UNCHANGED", "changes": [], "problems": [], "hint": null },
        { "line": 5, "external_id": "눈사람", "action": "CREATE", "changes": ["nickname", "password"], "problems": [], "hint": null },
        { "line": 6, "external_id": "old-01", "action": "CREATE", "changes": ["password"], "problems": [], "hint": null },
        { "line": 7, "external_id": "=1+1", "action": "CREATE", "changes": ["nickname", "status"], "problems": [], "hint": null },
    ]);
    assert_eq!(preview["lines"], expected);
    assert_eq!((players(&app).await, audits(&app).await), (2, 0));
    log_in(&app, "santa", "test-password")
        .await
        .expect_status(200);

    let done = admin.post_csv(IMPORT, &table).await.expect_status(200).body;
    assert_eq!(done["dry_run"], false);
    assert_eq!(
        (counts(&done), &done["lines"]),
        (counts(&preview), &preview["lines"])
    );
    assert_eq!(players(&app).await, 5);
    let shown = get(&admin, &path_of(&santa)).await;
    assert_eq!(shown["nickname"], "산타, \"대장\"");
    santa
        .get("/api/wallet")
        .await
        .expect_error(403, "USER_BLOCKED");
    log_in(&app, "눈사람", "let it go!")
        .await
        .expect_status(200);
    log_in(&app, "old-01", "old password")
        .await
        .expect_status(200);
    let formula = get(&admin, &format!("{USERS}?search=%3D1%2B1")).await;
    assert_eq!(
        (&formula[0]["nickname"], &formula[0]["status"]),
        (&json!("+82"), &json!("INACTIVE"))
    );
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'USER_IMPORT' \
                AND after_json LIKE '%\"created\":3%' AND after_json NOT LIKE '%santa%' \
                AND after_json NOT LIKE '%let it go%'";
    assert_eq!((audits(&app).await, app.test.count(told).await), (1, 1));
    assert_sound(&app).await;
    // Once more: a clear password cannot be told from a new one, and the old system's hash takes nobody's
    // own password away.
    let again = admin
        .post_csv(PREVIEW, &table)
        .await
        .expect_status(200)
        .body;
    assert_eq!(counts(&again), [0, 1, 4, 0, 0]);
}

#[tokio::test]
async fn one_line_that_is_refused_refuses_the_file() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    app.player("santa", 0).await;
    let table = format!(
        "external_id,nickname,password,password_sha256,status\n\
         new-1,산타,,,\n\
         twice,,,,\n\
         santa,,,,active\n\
         twice,,,,\n\
         operator,boss,,,\n\
         both,,long enough,{},\n\
         ,이름만,,,\n\
         short,,1234567,,\n\
         hex,,,{OLD_HASH},\n\
         =1+1,,,,\n\
         '=1+1,,,,\n",
        old_hash("x")
    );
    let preview = admin
        .post_csv(PREVIEW, &table)
        .await
        .expect_status(200)
        .body;
    assert_eq!(counts(&preview), [1, 0, 0, 10, 1]);
    let problems = |line: usize| preview["lines"][line - 2]["problems"][0].as_str().unwrap();
    assert_eq!(
        problems(3),
        "external_id must be in the table only once; it is on lines 3 and 5."
    );
    assert_eq!(
        problems(4),
        "status must be one of ACTIVE, INACTIVE, BLOCKED; got \"active\"."
    );
    assert_eq!(problems(5), problems(3));
    assert!(problems(6).starts_with("external_id belongs to an admin"));
    assert!(problems(7).starts_with("password_sha256 "));
    assert!(problems(8).starts_with("external_id "));
    assert!(problems(9).starts_with("password "));
    assert!(problems(10).starts_with("password_sha256 "));
    assert!(problems(11).ends_with("it is on lines 11 and 12."));
    let refused = admin.post_csv(IMPORT, &table).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    let details = &refused.body["error"]["details"];
    assert_eq!(
        details["line 3.external_id"][0],
        "line 3: external_id must be in the table only once; it is on lines 3 and 5."
    );
    assert_eq!(
        details["line 4.status"][0],
        "line 4: status must be one of ACTIVE, INACTIVE, BLOCKED; got \"active\"."
    );
    assert_eq!(details.as_object().unwrap().len(), 10);
    assert_eq!((players(&app).await, audits(&app).await), (1, 0));
}

#[tokio::test]
async fn what_is_no_such_table_is_refused_in_both_modes() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for path in [IMPORT, PREVIEW] {
        for (table, place) in [
            ("", "csv"),
            ("external_id\n", "csv"),
            ("nickname\nsanta\n", "csv"),
            ("external_id,vault\nsanta,1\n", "csv"),
            ("external_id,external_id\na,b\n", "csv"),
            ("external_id,nickname\nsanta\n", "line 2"),
        ] {
            let refused = admin.post_csv(path, table).await;
            let refused = refused.expect_error(422, "VALIDATION_ERROR");
            assert!(
                refused.body["error"]["details"][place].is_array(),
                "{table:?}: {}",
                refused.text
            );
        }
        let mut many = "external_id,password\n".to_owned();
        for number in 0..1_001 {
            writeln!(many, "p{number},password-{number}").unwrap();
        }
        let refused = admin.post_csv(path, &many).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        let problem = refused.body["error"]["details"]["csv"][0].as_str().unwrap();
        assert!(problem.contains("1,001"), "{problem}");
        let json = admin.post(path, &json!([{ "external_id": "santa" }])).await;
        json.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    // A preview that is misspelt imports nobody.
    let misspelt = format!("{IMPORT}&dryrun=true");
    let refused = admin.post_csv(&misspelt, "external_id\nnobody\n").await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    assert!(refused.text.contains("dryrun"), "{}", refused.text);
    let large = "x".repeat(10 * 1024 * 1024 + 1);
    let large = admin.post_csv(IMPORT, &large).await;
    large.expect_error(413, "BODY_TOO_LARGE");
    let unsaid = IMPORT.trim_end_matches("?dry_run=false");
    for (query, said) in [
        (
            "",
            "dry_run must be given: true only looks, false does the work.",
        ),
        (
            "?dry_run=maybe",
            "dry_run must be true (only looks) or false (does the work); got \"maybe\".",
        ),
    ] {
        let path = format!("{unsaid}{query}");
        let refused = admin.post_csv(&path, "external_id\nsanta\n").await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["error"]["details"]["dry_run"][0], said);
    }
    assert_eq!((players(&app).await, audits(&app).await), (0, 0));
}

#[tokio::test]
async fn many_lines_take_a_few_statements_for_each_five_hundred() {
    const PLAYERS: u64 = 3_000;
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let table = |nickname: &str, status: &str| {
        let mut table = "external_id,nickname,password_sha256,status\n".to_owned();
        for number in 0..PLAYERS {
            let hash = format!("{number:064x}");
            writeln!(table, "p{number},{nickname} {number},{hash},{status}").unwrap();
        }
        table
    };
    let import = async |table: &str| {
        let before = app.statements();
        let done = admin.post_csv(IMPORT, table).await.expect_status(200).body;
        assert_eq!(done["more_lines"], PLAYERS - 1_000);
        (counts(&done), app.statements() - before)
    };
    let all = i64::try_from(PLAYERS).unwrap();
    let chunks = PLAYERS / 500;
    let (created, statements) = import(&table("산타", "ACTIVE")).await;
    assert_eq!(created, [all, 0, 0, 0, 0]);
    assert!(statements <= 5 * chunks + 5, "{statements}");
    let (unchanged, statements) = import(&table("산타", "ACTIVE")).await;
    assert_eq!(unchanged, [0, 0, all, 0, 0]);
    assert!(statements <= 2 * chunks + 5, "{statements}");
    let (changed, statements) = import(&table("루돌프", "BLOCKED")).await;
    assert_eq!(changed, [0, all, 0, 0, 0]);
    assert!(statements <= 8 * chunks + 5, "{statements}");
    let right = "SELECT COUNT(*) FROM `user` u JOIN user_profiles p ON p.user_id = u.id \
                 WHERE u.status = 'BLOCKED' AND p.is_blocked = 1 AND p.token_epoch = 1 \
                 AND u.nickname LIKE '루돌프 %' AND SUBSTR(u.nickname, 5) = SUBSTR(u.external_id, 2)";
    assert_eq!(app.test.count(right).await, all);
    assert_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_file_twice_at_once_creates_everybody_once() {
    let app = TestApp::start().await;
    let (one, two) = (app.admin("one").await, app.admin("two").await);
    let mut table = "external_id,nickname\n".to_owned();
    for number in 0..600 {
        writeln!(table, "p{number},산타").unwrap();
    }
    let both = join(one.post_csv(IMPORT, &table), two.post_csv(IMPORT, &table)).await;
    let mut created = 0;
    for answer in [both.0, both.1] {
        if answer.status == 200 {
            created += answer.body["created"].as_i64().unwrap();
        } else {
            answer.expect_error(409, "EXTERNAL_ID_EXISTS");
        }
    }
    assert_eq!((created, players(&app).await), (600, 600));
    assert_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn players_go_on_while_they_are_imported() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let mut table = "external_id,nickname,status\n".to_owned();
    let mut clients = Vec::new();
    for number in 0..8 {
        clients.push(app.player(&format!("p{number}"), 5).await);
        writeln!(table, "p{number},루돌프 {number},ACTIVE").unwrap();
    }
    let plays = async {
        for client in &clients {
            for _ in 0..5 {
                client.play("/api/roulette/play").await.expect_status(200);
            }
        }
    };
    let import = async {
        for _ in 0..5 {
            admin.post_csv(IMPORT, &table).await.expect_status(200);
        }
    };
    join(plays, import).await;
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 40);
    assert_sound(&app).await;
}
