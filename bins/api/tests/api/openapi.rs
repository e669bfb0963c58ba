//! The document, and that it tells the truth.

use std::{collections::BTreeMap, io::Read};

use flate2::read::GzDecoder;
use serde_json::Value;
use xmas_kernel::MAX_NUMBER;
use xmas_test_support::{TestApp, document};

#[test]
fn the_document_in_the_repository_is_up_to_date() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(page).unwrap()).unwrap();
    assert_eq!(committed, document(), "run `just docs`");
}

#[test]
fn every_operation_has_an_example_and_its_errors() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            assert!(!responses.is_empty(), "{method} {path}");
            let done = ["200", "201"].into_iter();
            for ok in done.filter_map(|status| responses.get(status)) {
                assert!(has_example(&document, ok), "{method} {path}: {ok}");
            }
            if let Some(body) = operation.get("requestBody") {
                assert!(has_example(&document, body), "{method} {path}: {body}");
            }
            if operation.get("security").is_some() {
                assert!(responses.contains_key("401"), "{method} {path}");
            }
        }
    }
}

/// The schemas that a part of the document leads to, by their names.
fn led_to<'a>(document: &'a Value, from: &'a Value, found: &mut BTreeMap<&'a str, &'a Value>) {
    match from {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str);
            if let Some(name) = name.and_then(|name| name.rsplit('/').next()) {
                let schema = &document["components"]["schemas"][name];
                if found.insert(name, schema).is_none() {
                    led_to(document, schema, found);
                }
            }
            fields
                .values()
                .for_each(|value| led_to(document, value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| led_to(document, item, found)),
        _ => (),
    }
}

/// Calls back with every schema of a text or a number that stands in this one, but not behind a
/// reference.
fn each_value(schema: &Value, path: &str, look: &mut dyn FnMut(&str, &Value)) {
    if let Some(fields) = schema["properties"].as_object() {
        for (name, field) in fields {
            each_value(field, &format!("{path}.{name}"), look);
        }
    }
    for part in ["oneOf", "anyOf", "allOf"] {
        for one in schema[part].as_array().into_iter().flatten() {
            each_value(one, path, look);
        }
    }
    if schema["items"].is_object() {
        each_value(&schema["items"], path, look);
    }
    look(path, schema);
}

fn is_of(schema: &Value, name: &str) -> bool {
    let of = &schema["type"];
    of == name
        || of
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one == name))
}

/// What clients may send is said whole, so that they need not try it out: the names or the form or the
/// length of every text, and the bounds of every number.
#[test]
fn whatever_is_asked_is_bounded() {
    let document = document();
    let mut asked = BTreeMap::new();
    let mut unbounded = Vec::new();
    let mut look = |path: &str, schema: &Value| {
        let says = |key: &str| !schema[key].is_null();
        let text = ["enum", "pattern", "maxLength", "format", "const"];
        if is_of(schema, "string") && !text.into_iter().any(says)
            || is_of(schema, "integer") && !(says("minimum") && says("maximum"))
        {
            unbounded.push(format!("{path}: {schema}"));
        }
    };
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                let path = format!("{method} {path} {name}");
                each_value(&parameter["schema"], &path, &mut look);
                led_to(&document, &parameter["schema"], &mut asked);
            }
            led_to(&document, &operation["requestBody"], &mut asked);
        }
    }
    assert!(asked.len() > 20, "{asked:?}");
    for (name, schema) in asked {
        // An answer that comes back in a form is compared with what is stored.
        if name.ends_with("Answer") {
            continue;
        }
        each_value(schema, name, &mut look);
    }
    assert_eq!(unbounded, [] as [String; 0]);
}

/// JavaScript reads whole numbers exactly up to 2^53.
#[test]
fn no_number_is_larger_than_every_client_can_hold() {
    let document = document();
    let mut too_large = Vec::new();
    let mut look = |path: &str, schema: &Value| {
        let most = schema["maximum"].as_i64();
        if is_of(schema, "integer") && most.is_none_or(|most| most > MAX_NUMBER) {
            too_large.push(path.to_owned());
        }
    };
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        each_value(schema, name, &mut look);
    }
    assert_eq!(too_large, [] as [String; 0]);
}

/// Without a body, a request is refused for that exactly where the document says that one is needed.
#[tokio::test]
async fn a_body_may_be_left_out_where_the_document_says_so() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 1).await;
    let mut optional = Vec::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method == "get" {
                continue;
            }
            let is_needed = operation["requestBody"]["required"].as_bool();
            let client = if path.starts_with("/admin/") {
                &admin
            } else {
                &player
            };
            let request = client.request(method.to_uppercase().parse().unwrap(), &filled(path));
            let answer = client.send(request).await;
            // It has no content type either.
            let is_missed = answer.status == 415;
            assert_eq!(
                is_missed,
                is_needed.unwrap_or(false),
                "{method} {path}: {} {}",
                answer.status,
                answer.text
            );
            if !operation["requestBody"].is_null() && !is_missed {
                optional.push(format!("{method} {path}"));
            }
        }
    }
    let expected = [
        "post /admin/api/dice-config/{id}/versions/{version}/restore",
        "post /admin/api/event-bridge/close",
        "post /admin/api/lottery-config/{id}/versions/{version}/restore",
        "post /admin/api/rewards/{id}/approve",
        "post /admin/api/roulette-config/{id}/versions/{version}/restore",
        "post /admin/api/users/{id}/anonymise",
        "post /api/auth/logout",
    ];
    optional.sort();
    assert_eq!(optional, expected);
}

/// Whether each form in which something is sent is shown, or its items are.
fn has_example(document: &Value, of: &Value) -> bool {
    let shown = |media: &Value| {
        let schema = &media["schema"];
        let schema = schema["$ref"].as_str().or(schema["items"]["$ref"].as_str());
        let name = schema.and_then(|name| name.rsplit('/').next());
        let shown = name.map(|name| &document["components"]["schemas"][name]["example"]);
        !media["example"].is_null() || shown.is_some_and(|example| !example.is_null())
    };
    let forms = of["content"].as_object().unwrap();
    !forms.is_empty() && forms.values().all(shown)
}

/// A path of the document with something in the place of its parts.
pub(crate) fn filled(path: &str) -> String {
    let part = |(text, inside): (&str, bool)| match (text, inside) {
        ("feature", true) => "roulette".to_owned(),
        ("day" | "date", true) => "2025-12-26".to_owned(),
        (_, true) => "1".to_owned(),
        (text, false) => text.to_owned(),
    };
    path.split(['{', '}'])
        .zip([false, true].into_iter().cycle())
        .map(part)
        .collect()
}

/// Everything under the admin API, from the document, so that a new path cannot be forgotten.
#[tokio::test]
async fn every_admin_path_lets_admins_in_and_nobody_else() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let admin = app.admin("operator").await;
    let old = app.admin("yesterday").await;
    let blocked = app.admin("former").await;
    app.test.block(&blocked.identity()).await;
    let mut operations = Vec::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        let is_admin = path.starts_with("/admin/");
        for (method, operation) in item.as_object().unwrap().iter().filter(|_| is_admin) {
            assert!(operation.get("security").is_some(), "{method} {path}");
            operations.push((method.to_uppercase(), filled(path)));
        }
    }
    assert!(operations.len() >= 2, "{operations:?}");
    for (method, path) in &operations {
        let send = async |client: &xmas_test_support::Client| {
            client
                .send(client.request(method.parse().unwrap(), path))
                .await
        };
        send(&app.anonymous())
            .await
            .expect_error(401, "AUTH_REQUIRED");
        send(&app.with_token(Some("nonsense")))
            .await
            .expect_error(401, "TOKEN_INVALID");
        send(&player).await.expect_error(403, "FORBIDDEN_SCOPE");
        send(&blocked).await.expect_error(403, "USER_BLOCKED");
        // Whatever it says, it is not about who asks, with or without a slash at its end.
        for path in [
            path.trim_end_matches('/').to_owned(),
            format!("{}/", path.trim_end_matches('/')),
        ] {
            let answer = admin
                .send(admin.request("PATCH".parse().unwrap(), &path))
                .await;
            answer.expect_error(405, "METHOD_NOT_ALLOWED");
        }
    }
    app.clock.advance(chrono::TimeDelta::hours(9));
    for (method, path) in &operations {
        let request = old.request(method.parse().unwrap(), path);
        old.send(request).await.expect_error(401, "TOKEN_EXPIRED");
    }
}

#[tokio::test]
async fn pages_that_are_not_part_of_this_product_are_not_found_for_anybody() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for path in [
        "segments/",
        "segment-rules",
        "vault/1",
        "surveys/",
        "team-battle",
        "",
        "users/1/x/y",
    ] {
        for client in [&app.anonymous(), &admin] {
            let answer = client.get(&format!("/admin/api/{path}")).await;
            answer.expect_error(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn every_documented_path_answers_and_asks_for_a_token_if_it_says_so() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path = filled(path);
            let request = client.request(method.to_uppercase().parse().unwrap(), &path);
            let answer = client.send(request).await;
            assert!(
                !matches!(answer.status, 404 | 405),
                "{method} {path}: {}",
                answer.text
            );
            assert_eq!(
                answer.status == 401,
                operation.get("security").is_some(),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn the_documentation_is_served_from_the_binary() {
    let app = TestApp::start().await;
    // It lies in the binary packed, and is sent so to everybody.
    let unpacked = async |path: &str| {
        let answer = reqwest::get(app.url(path)).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        let packed = answer.bytes().await.unwrap();
        let mut text = String::new();
        GzDecoder::new(&packed[..])
            .read_to_string(&mut text)
            .unwrap();
        text
    };
    let page = unpacked("/api/docs/").await;
    assert!(page.contains("swagger-ui"));
    assert!(
        !page.contains("https://"),
        "nothing is loaded from elsewhere"
    );
    let script = unpacked("/api/docs/swagger-ui-bundle.js").await;
    assert!(script.len() > 100_000);
    assert_eq!(
        app.anonymous()
            .get("/api/docs/openapi.json")
            .await
            .expect_status(200)
            .body,
        document()
    );
}
