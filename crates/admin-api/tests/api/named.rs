//! Wherever an operator names an account, its external id will do.

use reqwest::Method;
use serde_json::{Value, json};
use xmas_test_support::{Answer, Client, TestApp, document};

const FORMS: &str =
    "must be the number of an account, or external_id: and what it logs in with; got ";
/// An external id as long and as odd as they may be: two code points that are one in NFC, and whatever
/// means something in a path.
const ODD: &str = "e\u{301}lf/루돌프%2F?#:+ &;";

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Every operation whose path names an account: its method, its path, and the name of that part.
fn operations() -> Vec<(Method, String, String)> {
    let mut found = Vec::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        let is_account = path.starts_with("/admin/api/users/{") || path.contains("{user_id}");
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let of_path: Vec<&Value> = parameters.filter(|it| it["in"] == "path").collect();
            let says_so = |it: &&&Value| it["description"].to_string().contains("external_id:");
            let named = of_path.iter().find(says_so);
            assert_eq!(named.is_some(), is_account, "{method} {path}");
            if let Some(named) = named {
                let form = named["schema"]["pattern"].as_str().unwrap();
                assert!(form.contains("external_id:"), "{form}");
                let method = method.to_ascii_uppercase().parse().unwrap();
                let name = named["name"].as_str().unwrap().to_owned();
                found.push((method, path.clone(), name));
            }
        }
    }
    found
}

/// A player on the external board.
async fn player(app: &TestApp, admin: &Client, external_id: &str) -> i64 {
    let player = app.player(external_id, 1).await;
    let id = player.identity().user_id.0;
    let row = json!([{ "user_id": id, "deposit_amount": 5, "play_count": 1 }]);
    let board = admin.post("/admin/api/external-ranking/", &row).await;
    board.expect_status(200);
    id
}

async fn send(admin: &Client, method: &Method, path: &str) -> Answer {
    match *method {
        Method::GET => admin.get(path).await,
        Method::DELETE => admin.delete(path).await,
        Method::POST => admin.post(path, &json!({})).await,
        _ if path.contains("external-ranking") => admin.put(path, &json!({ "memo": "x" })).await,
        _ => admin.put(path, &json!({ "nickname": "산타" })).await,
    }
}

/// What an answer says that does not differ from player to player.
fn common(answer: &Answer, id: i64, external_id: &str) -> String {
    let mut body = answer.body.clone();
    if let Some(fields) = body.as_object_mut() {
        // Follow from the player's own id and name, which tells who is meant.
        let own = ["id", "user_id", "version", "items"];
        fields.retain(|name, _| !own.contains(&name.as_str()));
        if let Some(player) = fields.get_mut("player").and_then(Value::as_object_mut) {
            player.remove("id");
        }
    }
    let text = body.to_string();
    let text = text.replace(&format!("anon-{id}"), "anon-#");
    text.replace(&json!(external_id).to_string(), "\"#\"")
}

#[tokio::test]
async fn every_path_that_names_an_account_takes_its_external_id() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let operations = operations();
    assert_eq!(operations.len(), 7, "{operations:?}");
    for (index, (method, path, name)) in operations.iter().enumerate() {
        let at = |part: &str| path.replace(&format!("{{{name}}}"), part);
        let (by_number, by_name) = (format!("number-{index}"), format!("name-{index} {ODD}"));
        let one = player(&app, &admin, &by_number).await;
        let other = player(&app, &admin, &by_name).await;
        let composed: String = by_name.replace("e\u{301}", "é");
        let number = send(&admin, method, &at(&one.to_string())).await;
        let named = format!("external_id:{}", encoded(&by_name));
        let named = send(&admin, method, &at(&named)).await;
        assert!(number.status < 300, "{method} {path}: {}", number.text);
        assert_eq!(
            named.status, number.status,
            "{method} {path}: {}",
            named.text
        );
        assert_eq!(
            common(&named, other, &composed),
            common(&number, one, &by_number),
            "{method} {path}"
        );
        // To the very same account, the answers are the same to the byte. The board's row is gone.
        if *method == Method::GET {
            let by_id = send(&admin, method, &at(&other.to_string())).await;
            for spelling in [&by_name, &composed] {
                let again = format!("external_id:{}", encoded(spelling));
                let again = send(&admin, method, &at(&again)).await;
                assert_eq!(again.text, by_id.text, "{spelling}");
            }
        }
        let missing = |answer: Answer| (answer.status, answer.code().to_owned());
        assert_eq!(
            missing(send(&admin, method, &at("external_id:nobody")).await),
            missing(send(&admin, method, &at("999999")).await),
            "{method} {path}"
        );
        for wrong in [
            "nobody",
            "External_id:x",
            "external_id=x",
            "-1",
            "%EF%BC%91",
        ] {
            let refused = send(&admin, method, &at(wrong)).await;
            let refused = refused.expect_error(422, "VALIDATION_ERROR").body;
            let said = refused["error"]["details"][name][0].as_str().unwrap();
            assert!(said.contains(FORMS), "{method} {path} {wrong}: {said}");
        }
    }
}

#[tokio::test]
async fn digits_are_a_number_and_an_exact_external_id_goes_first() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 0).await.identity().user_id.0;
    // A player whose external id is another one's number.
    let digits = app.player(&santa.to_string(), 0).await.identity().user_id.0;
    let composed = app.player("é", 0).await.identity().user_id.0;
    let old = app.player("old", 0).await.identity().user_id.0;
    // Saved before there was a policy for text.
    let rename = format!("UPDATE user SET external_id = 'e\u{301}' WHERE id = {old}");
    app.test.execute(&rename).await;
    let id = async |part: &str| {
        let answer = admin.get(&format!("/admin/api/users/{part}")).await;
        answer.expect_status(200).body["id"].as_i64().unwrap()
    };
    assert_eq!(id(&santa.to_string()).await, santa);
    assert_eq!(id(&format!("external_id:{santa}")).await, digits);
    assert_eq!(id(&format!("external_id:{}", encoded("é"))).await, composed);
    assert_eq!(
        id(&format!("external_id:{}", encoded("e\u{301}"))).await,
        old
    );
    // Accounts of admins are accounts.
    let operator = id("external_id:operator").await;
    assert_eq!(id(&operator.to_string()).await, operator);
}

#[tokio::test]
async fn every_list_of_one_player_takes_both_names_and_they_must_agree() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 3).await.identity().user_id.0;
    let rudolf = app.player("rudolf", 3).await.identity().user_id.0;
    let mut lists = Vec::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let of_query = parameters.filter(|it| it["in"] == "query");
        let names: Vec<&str> = of_query.filter_map(|it| it["name"].as_str()).collect();
        let (by_id, by_name) = (names.contains(&"user_id"), names.contains(&"external_id"));
        assert_eq!(by_id, by_name, "{path}");
        if by_id {
            lists.push(path.clone());
        }
    }
    assert_eq!(lists.len(), 9, "{lists:?}");
    for path in lists {
        let get = async |query: &str| admin.get(&format!("{path}?{query}")).await;
        let by_id = get(&format!("user_id={santa}")).await.expect_status(200);
        let by_name = get("external_id=santa").await.expect_status(200);
        let by_both = get(&format!("user_id={santa}&external_id=santa")).await;
        assert_eq!(by_id.text, by_name.text, "{path}");
        assert_eq!(by_id.text, by_both.expect_status(200).text, "{path}");
        let refused = get(&format!("user_id={rudolf}&external_id=santa")).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR").body;
        let said =
            json!(["external_id must be the same player's as user_id; they are two players."]);
        assert_eq!(refused["error"]["details"]["external_id"], said, "{path}");
    }
}
