//! What the API does not know it refuses by name. All operations come from the document, so that a new
//! one cannot be forgotten.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use xmas_test_support::{Answer, Client, TestApp, document};

use crate::openapi::filled;

/// An operation of the document.
struct Operation {
    method: String,
    /// As the document writes it.
    path: String,
    is: Value,
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, is) in item.as_object().unwrap() {
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                is: is.clone(),
            });
        }
    }
    operations
}

/// A schema, wherever it stands, without the possibility that it is null.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return resolved(document, &document["components"]["schemas"][name]);
    }
    let either = schema["oneOf"].as_array().into_iter().flatten();
    let mut not_null = either.filter(|schema| schema["type"] != "null");
    match not_null.next() {
        Some(one) => {
            assert!(not_null.next().is_none(), "more than one: {schema}");
            resolved(document, one)
        }
        None => schema,
    }
}

/// How to send something of an object that lies somewhere in a body.
#[derive(Clone)]
enum Step {
    Field(String),
    Item,
}

fn wrapped(steps: &[Step], inside: Value) -> Value {
    let wrap = |inside, step: &Step| match step {
        Step::Field(name) => json!({ name: inside }),
        Step::Item => json!([inside]),
    };
    steps.iter().rev().fold(inside, wrap)
}

/// The objects of a schema, each with its place, and what it is made of.
fn objects(document: &Value, schema: &Value, at: &[Step], found: &mut Vec<(Vec<Step>, Value)>) {
    let schema = resolved(document, schema);
    let step = |step: Step| [at, &[step]].concat();
    if let Some(items) = schema.get("items") {
        return objects(document, items, &step(Step::Item), found);
    }
    let is_object = match &schema["type"] {
        Value::Array(types) => types.contains(&json!("object")),
        one => one == "object",
    };
    if !is_object {
        return;
    }
    found.push((at.to_vec(), schema.clone()));
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        objects(document, field, &step(Step::Field(name.clone())), found);
    }
}

/// Contents that clients make up.
const FREE: [&str; 3] = ["config_json", "meta_json", "value"];

/// Every object in the JSON that an operation takes.
fn objects_of(document: &Value, operation: &Operation) -> Vec<(Vec<Step>, Value)> {
    let mut found = Vec::new();
    if let Some(json) = operation.is["requestBody"]["content"].get("application/json") {
        objects(document, &json["schema"], &[], &mut found);
    }
    let is_free = |steps: &[Step]| {
        let mut names = steps.iter().filter_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::Item => None,
        });
        names.any(|name| FREE.contains(&name))
    };
    found.retain(|(steps, _)| !is_free(steps));
    found
}

#[test]
fn every_object_of_a_request_says_that_it_takes_nothing_else() {
    let document = document();
    let mut checked = BTreeSet::new();
    for operation in operations(&document) {
        for (steps, object) in objects_of(&document, &operation) {
            assert_eq!(
                object["additionalProperties"],
                json!(false),
                "{} {}",
                operation.name(),
                wrapped(&steps, json!("this"))
            );
            checked.insert(operation.name());
        }
    }
    assert!(checked.len() > 25, "{checked:?}");
}

struct World {
    app: TestApp,
    admin: Client,
    player: Client,
}

impl World {
    async fn start() -> Self {
        let app = TestApp::start().await;
        Self {
            admin: app.admin("operator").await,
            player: app.player("santa", 5).await,
            app,
        }
    }

    fn client(&self, operation: &Operation) -> &Client {
        match operation.path.starts_with("/admin/") {
            true => &self.admin,
            false => &self.player,
        }
    }

    /// What a request that is refused must leave as it is.
    async fn state(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for table in [
            "admin_audit_log",
            "wallet_ledger",
            "feature_log",
            "reward_log",
            "user_event_log",
            "user",
            "refresh_token",
            "reward_bundle",
            "coupon_kind",
            "wallet_batch",
        ] {
            let table = if table == "user" { "`user`" } else { table };
            let count = format!("SELECT COUNT(*) FROM {table}");
            counts.push(self.app.test.count(&count).await);
        }
        counts
    }
}

#[track_caller]
fn names(answer: Answer, operation: &Operation, field: &str, kind: &str) {
    assert_eq!(answer.status, 422, "{}: {}", operation.name(), answer.text);
    assert_eq!(answer.code(), "VALIDATION_ERROR", "{}", operation.name());
    let problem = answer.body["error"]["details"][field][0].as_str();
    let problem =
        problem.unwrap_or_else(|| panic!("{} {field}: {}", operation.name(), answer.text));
    assert!(
        problem.contains(&format!(" is not a {kind} here; ")),
        "{problem}"
    );
}

#[tokio::test]
async fn an_unknown_field_of_any_body_is_refused_by_its_path() {
    let world = World::start().await;
    let document = document();
    let before = world.state().await;
    let mut sent = 0;
    for operation in operations(&document) {
        for (steps, _) in objects_of(&document, &operation) {
            let body = wrapped(&steps, json!({ "nobody_knows": 1 }));
            let client = world.client(&operation);
            let path = filled(&operation.path);
            let request = client.request(operation.method.parse().unwrap(), &path);
            let answer = client.send(request.json(&body)).await;
            let mut field: Vec<&str> = Vec::new();
            for step in &steps {
                field.push(match step {
                    Step::Field(name) => name,
                    Step::Item => "0",
                });
            }
            field.push("nobody_knows");
            names(answer, &operation, &field.join("."), "field");
            sent += 1;
        }
    }
    assert!(sent > 35, "{sent}");
    assert_eq!(world.state().await, before);
}

/// The problem of one field.
fn problem(answer: &Answer, field: &str) -> String {
    let problem = &answer.body["error"]["details"][field][0];
    problem.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_misspelt_field_is_refused_with_the_one_that_was_meant() {
    let world = World::start().await;
    let before = world.state().await;
    let user = format!("users/{}", world.player.identity().user_id);
    for (method, path, body, field, meant) in [
        (
            "PUT",
            user.as_str(),
            json!({ "staus": "BLOCKED" }),
            "staus",
            "status",
        ),
        (
            "PUT",
            "feature-config/lottery",
            json!({ "enabled": false }),
            "enabled",
            "is_enabled",
        ),
        (
            "PUT",
            "event-bridge",
            json!({ "auto_setle": false }),
            "auto_setle",
            "auto_settle",
        ),
        (
            "POST",
            "game-tokens/grant",
            json!({ "external_id": "santa", "token_type": "POINT", "ammount": 5 }),
            "ammount",
            "amount",
        ),
        (
            "PUT",
            "roulette-config/1",
            json!({ "max_daily_spinz": 1 }),
            "max_daily_spinz",
            "max_daily_spins",
        ),
        (
            "PUT",
            "lottery-config/1",
            json!({ "prizes": [{ "wieght": 1 }] }),
            "prizes.0.wieght",
            "weight",
        ),
    ] {
        let path = format!("/admin/api/{path}");
        let request = world.admin.request(method.parse().unwrap(), &path);
        let answer = world.admin.send(request.json(&body)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "VALIDATION_ERROR"),
            "{}",
            answer.text
        );
        let expected = format!(" is not a field here; did you mean \"{meant}\"?");
        let told = problem(&answer, field);
        assert!(told.ends_with(&expected), "{told}");
    }
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn what_only_the_server_writes_comes_back_as_it_is_or_is_refused() {
    let world = World::start().await;
    let before = world.state().await;
    let user = format!("/admin/api/users/{}", world.player.identity().user_id);
    let shown = |field: &str, instead: &str| {
        let rest = format!("must be left out or sent back as it was loaded: {instead}.");
        let about = match field {
            "features.0.date" => "feature 1: date",
            field => field,
        };
        (field.to_owned(), format!("{about} {rest}"))
    };
    for (path, body, (field, expected)) in [
        (
            user.as_str(),
            json!({ "is_blocked": true }),
            shown("is_blocked", "to change it, set status"),
        ),
        (
            user.as_str(),
            json!({ "role": "ADMIN" }),
            shown("role", "it never changes"),
        ),
        (
            user.as_str(),
            json!({ "id": 1 }),
            shown("id", "it never changes"),
        ),
        (
            "/admin/api/feature-config/dice",
            json!({ "feature_type": "ROULETTE", "is_enabled": false }),
            shown("feature_type", "the path names it"),
        ),
        (
            "/admin/api/ranking/2025-12-26",
            json!({ "date": "2025-12-27", "items": [{ "rank": 1, "display_name": "x", "score": 1 }] }),
            shown("date", "the path names it"),
        ),
        (
            "/admin/api/feature-schedule/2025-12-26",
            json!({ "features": [{ "date": "2025-12-27", "feature_type": "DICE" }] }),
            shown("features.0.date", "the path names it"),
        ),
        (
            "/admin/api/ui-config/x",
            json!({ "key": "y", "value": {} }),
            shown("key", "the path names it"),
        ),
        (
            "/admin/api/seasons/1",
            json!({ "is_sound": false }),
            shown("is_sound", "it follows from the rest"),
        ),
        (
            "/admin/api/dice-config/1",
            json!({ "id": 2 }),
            shown("id", "it never changes"),
        ),
        (
            "/admin/api/event-bridge",
            json!({ "state": "CLOSED" }),
            shown("state", "to change it, settle or close the bridge"),
        ),
        (
            "/admin/api/coupons/1",
            json!({ "id": 2 }),
            shown("id", "it never changes"),
        ),
    ] {
        let answer = world.admin.put(path, &body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "VALIDATION_ERROR"),
            "{path}: {}",
            answer.text
        );
        assert_eq!(problem(&answer, &field), expected, "{path}");
    }
    let new = json!({ "id": 7, "name": "x", "start_date": "2026-12-25", "end_date": "2026-12-31" });
    let answer = world.admin.post("/admin/api/seasons/", &new).await;
    let refused = answer.expect_error(422, "VALIDATION_ERROR");
    assert!(refused.body["error"]["details"]["id"].is_array());
    assert_eq!(world.state().await, before);
}

/// Every admin resource that can be loaded and saved under one path.
#[tokio::test]
async fn what_was_loaded_can_be_sent_back_and_changes_nothing() {
    let world = World::start().await;
    let admin = &world.admin;
    let board = json!({ "items": [{ "rank": 1, "external_id": "santa", "score": 3 }] });
    admin
        .put("/admin/api/ranking/2025-12-26", &board)
        .await
        .expect_status(200);
    let banner = json!({ "value": { "enabled": false } });
    admin
        .put("/admin/api/ui-config/downtime_banner", &banner)
        .await
        .expect_status(200);
    let mut paths = BTreeSet::new();
    for operation in operations(&document()) {
        let is_admin = operation.path.starts_with("/admin/");
        if is_admin && operation.method == "PUT" {
            paths.insert(operation.path);
        }
    }
    let user = format!("/admin/api/users/{}", world.player.identity().user_id);
    let mut loaded = 0;
    for path in &paths {
        let path = match path.as_str() {
            "/admin/api/users/{id}" => user.clone(),
            "/admin/api/ui-config/{key}" => "/admin/api/ui-config/downtime_banner".to_owned(),
            // These are loaded from lists, below.
            "/admin/api/feature-config/{feature}"
            | "/admin/api/feature-schedule/{date}"
            | "/admin/api/external-ranking/{user_id}/" => continue,
            other => filled(other),
        };
        let before = world.state().await;
        let mut form = admin.get(&path).await.expect_status(200).body;
        world.app.clock.advance(chrono::TimeDelta::minutes(1));
        let again = admin.put(&path, &form).await;
        assert_eq!(again.status, 200, "{path}: {}", again.text);
        assert_eq!(again.body, form, "{path}");
        // As a client does that knows no versions.
        form.as_object_mut().unwrap().remove("version");
        let again = admin.put(&path, &form).await;
        assert_eq!(again.status, 200, "{path}: {}", again.text);
        assert_eq!(world.state().await, before, "{path}");
        loaded += 1;
    }
    assert_eq!(loaded + 3, paths.len());
}

/// Probes of load balancers, and the path that is gone for good whatever comes with it.
const LENIENT: [&str; 3] = ["/health", "/readyz", "/api/today-feature"];

#[tokio::test]
async fn an_unknown_parameter_of_any_operation_is_refused() {
    let world = World::start().await;
    let before = world.state().await;
    let send = async |operation: &Operation, query: &str| {
        let path = format!("{}?{query}", filled(&operation.path));
        let client = world.client(operation);
        let request = client.request(operation.method.parse().unwrap(), &path);
        client.send(request).await
    };
    let mut sent = 0;
    for operation in operations(&document()) {
        let answer = send(&operation, "nobody_knows=1").await;
        if LENIENT.contains(&operation.path.as_str()) {
            assert_ne!(answer.status, 422, "{}", operation.name());
            continue;
        }
        names(answer, &operation, "nobody_knows", "parameter");
        let parameters = operation.is["parameters"].as_array();
        for parameter in parameters.into_iter().flatten() {
            if parameter["in"] == "query" {
                let name = parameter["name"].as_str().unwrap();
                let twice = send(&operation, &format!("{name}=1&{name}=1")).await;
                assert_eq!(twice.status, 422, "{} {name}", operation.name());
                assert_eq!(
                    problem(&twice, name),
                    format!("{name} must be given only once.")
                );
            }
        }
        sent += 1;
    }
    assert!(sent > 70, "{sent}");
    assert_eq!(world.state().await, before);
    for probe in ["/health?x=1", "/livez?x=1", "/readyz?x=1&x=2"] {
        world.app.anonymous().get(probe).await.expect_status(200);
    }
    world
        .app
        .anonymous()
        .get("/api/docs/?x=1")
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_misspelt_filter_is_refused_with_the_one_that_was_meant() {
    let world = World::start().await;
    for (path, parameter, meant) in [
        (
            "game-tokens/ledger?exernal_id=santa",
            "exernal_id",
            "external_id",
        ),
        (
            "game-tokens/payout.csv?min_amout=5",
            "min_amout",
            "min_amount",
        ),
    ] {
        let answer = world.admin.get(&format!("/admin/api/{path}")).await;
        let answer = answer.expect_error(422, "VALIDATION_ERROR");
        let expected =
            format!("\"{parameter}\" is not a parameter here; did you mean \"{meant}\"?");
        assert_eq!(problem(&answer, parameter), expected);
    }
    // Who asks comes before what is asked.
    let nobody = world.app.anonymous();
    let unknown = nobody.get("/admin/api/nowhere?x=1").await;
    unknown.expect_error(404, "NOT_FOUND");
    let refused = nobody.get("/admin/api/users/?x=1").await;
    refused.expect_error(401, "AUTH_REQUIRED");
    let refused = world.player.get("/admin/api/users/?x=1").await;
    refused.expect_error(403, "FORBIDDEN_SCOPE");
}

#[tokio::test]
async fn a_body_where_none_is_taken_is_empty() {
    let world = World::start().await;
    let before = world.state().await;
    for operation in operations(&document()) {
        let takes_body = operation.is.get("requestBody").is_some();
        if takes_body || LENIENT.contains(&operation.path.as_str()) {
            continue;
        }
        let client = world.client(&operation);
        let send = async |body: String| {
            let path = filled(&operation.path);
            let request = client.request(operation.method.parse().unwrap(), &path);
            client.send(request.body(body)).await
        };
        let named = send(r#"{"nobody_knows": 1}"#.to_owned()).await;
        names(named, &operation, "nobody_knows", "field");
        for body in ["[]", "x", "null"] {
            let answer = send(body.to_owned()).await;
            assert_eq!(answer.status, 422, "{}: {}", operation.name(), answer.text);
            assert_eq!(
                problem(&answer, "body"),
                "the body must be empty: this path takes none."
            );
        }
        // Where a method of the same path takes a table, this is not too large.
        let large = send("x".repeat(1 << 20)).await;
        assert!(matches!(large.status, 413 | 422), "{}", large.text);
    }
    assert_eq!(world.state().await, before);
    // Some clients send an empty object in the place of nothing, of whatever type.
    for (body, content_type) in [
        ("", "text/plain"),
        ("{}", "application/json"),
        (" {} ", "text/plain"),
    ] {
        let request = world
            .player
            .request("POST".parse().unwrap(), "/api/roulette/play");
        let request = request.header("content-type", content_type).body(body);
        world.player.send(request).await.expect_status(200);
    }
}

/// What is loaded from a list, and saved by itself or all together.
#[tokio::test]
async fn what_a_list_shows_can_be_sent_back_and_changes_nothing() {
    let world = World::start().await;
    let admin = &world.admin;
    let same = async |path: &str, form: &Value, expected: &Value| {
        world.app.clock.advance(chrono::TimeDelta::minutes(1));
        let before = world.state().await;
        let saved = admin.put(path, form).await;
        assert_eq!(saved.status, 200, "{path}: {}", saved.text);
        assert_eq!(&saved.body, expected, "{path}");
        assert_eq!(world.state().await, before, "{path}");
    };
    let features = admin.get("/admin/api/feature-config/").await.body;
    for form in features.as_array().unwrap() {
        let feature = form["feature_type"].as_str().unwrap();
        same(&format!("/admin/api/feature-config/{feature}"), form, form).await;
    }
    let path = "/admin/api/feature-schedule/2025-12-27";
    let day = json!({ "features": [{ "feature_type": "ROULETTE" }, { "feature_type": "DICE" }] });
    let day = admin.put(path, &day).await.expect_status(200).body;
    same(path, &day, &day).await;
    let list = "/admin/api/feature-schedule/?start_date=2025-12-27&end_date=2025-12-27";
    let list = admin.get(list).await.expect_status(200).body;
    same(path, &json!({ "features": list }), &day).await;
    let board = "/admin/api/external-ranking/";
    let rows =
        json!([{ "external_id": "santa", "deposit_amount": 5, "play_count": 1, "memo": "VIP" }]);
    admin.post(board, &rows).await.expect_status(200);
    let row = admin.get(board).await.expect_status(200).body["items"][0].clone();
    same(&format!("{board}{}/", row["user_id"]), &row, &row).await;
    let before = world.state().await;
    let all = admin
        .post(board, &json!([row]))
        .await
        .expect_status(200)
        .body;
    assert_eq!(all["items"], json!([row]));
    assert_eq!(world.state().await, before);
    let with = |field: &str, value: Value| {
        let mut row = row.clone();
        row[field] = value;
        json!([row])
    };
    for (field, value) in [
        ("id", json!(99)),
        ("nickname", json!("x")),
        ("created_at", json!("2025-01-01T00:00:00.000000+09:00")),
    ] {
        let refused = admin.post(board, &with(field, value)).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        let problem = problem(&refused, &format!("0.{field}"));
        assert!(
            problem.contains("must be left out or sent back as it was loaded"),
            "{problem}"
        );
    }
    let stale = admin
        .post(board, &with("version", json!("0123456789abcdef")))
        .await;
    stale.expect_error(409, "VERSION_CONFLICT");
    assert_eq!(world.state().await, before);
}
