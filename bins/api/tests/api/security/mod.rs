//! Attacks, each over real HTTP against the whole application. What else is protected, from whom, and where that is tested
//! stands in `docs/SECURITY.md`.

mod credentials;
mod injection;
mod origins;
mod ownership;
mod scopes;
mod tokens;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use xmas_test_support::{Client, TestApp, document};

use crate::openapi::filled;

/// An operation of the document.
struct Operation {
    method: Method,
    /// As the document writes it.
    template: String,
    /// The JSON that the document shows as an example, where it takes some.
    example: Option<Value>,
    is: Value,
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    fn is_admin(&self) -> bool {
        self.template.starts_with("/admin/")
    }

    fn needs_token(&self) -> bool {
        !self.is["security"].is_null()
    }

    /// Whether the document says that it can answer so.
    fn answers(&self, status: u16, code: &str) -> bool {
        let described = self.is["responses"][status.to_string()]["description"].as_str();
        described.is_some_and(|codes| codes.contains(&format!("`{code}`")))
    }

    /// As the document shows it, with a path that names something.
    fn request(&self, client: &Client) -> RequestBuilder {
        self.request_to(client, &filled(&self.template))
    }

    fn request_to(&self, client: &Client, path: &str) -> RequestBuilder {
        let request = client.request(self.method.clone(), path);
        match &self.example {
            Some(body) => request.json(body),
            None => request,
        }
    }
}

fn operations() -> Vec<Operation> {
    let document = document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, is) in item.as_object().unwrap() {
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                template: path.clone(),
                example: example(&document, is),
                is: is.clone(),
            });
        }
    }
    operations
}

fn operations_that_need_a_token() -> Vec<Operation> {
    let mut operations = operations();
    operations.retain(Operation::needs_token);
    assert!(operations.len() > 80, "{}", operations.len());
    operations
}

fn example(document: &Value, operation: &Value) -> Option<Value> {
    let media = &operation["requestBody"]["content"]["application/json"];
    if !media["example"].is_null() {
        return Some(media["example"].clone());
    }
    let of = |reference: &Value| {
        let name = reference.as_str()?.rsplit('/').next()?;
        Some(document["components"]["schemas"][name]["example"].clone())
    };
    let schema = &media["schema"];
    let items = || of(&schema["items"]["$ref"]).map(|item| json!([item]));
    of(&schema["$ref"]).or_else(items)
}

/// How many rows there are of what attacks are after: plays, entries of wallets, rewards, sessions, what operators did.
async fn rows(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "feature_log",
        "wallet_ledger",
        "reward_log",
        "season_pass_stamp_log",
        "refresh_token",
        "admin_audit_log",
        "`user`",
    ] {
        let count = format!("SELECT COUNT(*) FROM {table}");
        counts.push(app.test.count(&count).await);
    }
    counts
}
