//! Fields of an answer that come back with an edit, because clients send what they have loaded, with one
//! field changed. An edit cannot change them; saying something else than what is stored would be ignored,
//! so it is refused. What changes by itself ([`Volatile`]) says nothing and is passed over.

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;
use xmas_kernel::Problem;
use xmas_texts::{Text, field};

use crate::error::{ApiError, ApiResult};

/// A field that only the server writes. Null is as good as left out.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Echo(Value);

impl Echo {
    pub fn says(&self, value: impl Into<Value>) -> bool {
        self.0 == value.into()
    }
}

/// A field that changes by itself, such as a count or `updated_at`: what was loaded once means nothing.
pub type Volatile = IgnoredAny;

/// The read-only fields that came with an edit.
#[derive(Debug, Default)]
pub struct Echoes(Vec<Sent>);

#[derive(Debug)]
struct Sent {
    field: &'static str,
    value: Value,
    instead: Text,
    /// Whether what is stored only ever rises, so that less than that was loaded earlier.
    rises: bool,
}

impl Sent {
    fn is(&self, stored: &Value) -> bool {
        let is_earlier = || Some(self.value.as_i64()? <= stored.as_i64()?);
        self.value == *stored || self.rises && is_earlier().unwrap_or(false)
    }
}

impl Echoes {
    /// One field of the answer; `instead` says how it is changed, or why it is not.
    pub fn and(self, field: &'static str, sent: Option<Echo>, instead: Text) -> Self {
        self.with(field, sent, instead, false)
    }

    /// A number that only ever rises: what was loaded earlier may be less than what is stored.
    pub fn and_rising(self, field: &'static str, sent: Option<Echo>, instead: Text) -> Self {
        self.with(field, sent, instead, true)
    }

    fn with(mut self, field: &'static str, sent: Option<Echo>, instead: Text, rises: bool) -> Self {
        self.0.extend(sent.map(|Echo(value)| Sent {
            field,
            value,
            instead,
            rises,
        }));
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses whatever is not as the resource's answer has it now. The answer is only asked for if there
    /// is something to compare. A change in between does no harm, since an echo changes nothing.
    pub async fn compare<A: Serialize>(
        self,
        stored: impl AsyncFnOnce() -> ApiResult<A>,
    ) -> ApiResult<()> {
        if self.is_empty() {
            return Ok(());
        }
        let stored = serde_json::to_value(stored().await?).map_err(ApiError::internal)?;
        refuse(self.problems("", Some(&stored)))
    }

    /// Refuses all of them: a new thing has none of them yet.
    pub fn expect_none(self) -> ApiResult<()> {
        refuse(self.problems("", None))
    }

    /// What is wrong with them; `prefix` goes before their names.
    pub fn problems(self, prefix: &str, stored: Option<&Value>) -> Vec<Problem> {
        let is_stored = |sent: &Sent| {
            let stored = stored.and_then(|all| all.get(sent.field));
            stored.is_some_and(|stored| sent.is(stored))
        };
        let others = self.0.into_iter().filter(|sent| !is_stored(sent));
        let problem = |sent: Sent| {
            let text = field::read_only(sent.instead);
            Problem::new(format!("{prefix}{}", sent.field), text)
        };
        others.map(problem).collect()
    }
}

/// Refuses a request that has problems.
pub fn refuse(problems: Vec<Problem>) -> ApiResult<()> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(ApiError::problems(problems))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use xmas_texts::Language;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Edit {
        id: Option<Echo>,
        is_blocked: Option<Echo>,
        #[serde(rename = "updated_at")]
        _updated_at: Option<Volatile>,
    }

    async fn refused(sent: Value) -> Value {
        let edit: Edit = serde_json::from_value(sent).unwrap();
        let echoes = Echoes::default()
            .and("id", edit.id, field::never_changes())
            .and("is_blocked", edit.is_blocked, field::set_status_instead());
        let stored = async || Ok(json!({ "id": 6, "is_blocked": false, "updated_at": "now" }));
        match echoes.compare(stored).await {
            Ok(()) => Value::Null,
            Err(error) => serde_json::to_value(error.body("", Language::English)).unwrap()["error"]
                ["details"]
                .clone(),
        }
    }

    #[test]
    fn what_only_rises_may_have_been_loaded_earlier() {
        let stored = json!({ "account_level": 3 });
        for (sent, is_fine) in [
            (json!(3), true),
            (json!(1), true),
            (json!(4), false),
            (json!("1"), false),
            (json!(2.5), false),
        ] {
            let echo = serde_json::from_value(sent.clone()).unwrap();
            let echoes =
                Echoes::default().and_rising("account_level", echo, field::raised_by_stamps());
            assert_eq!(
                echoes.problems("", Some(&stored)).is_empty(),
                is_fine,
                "{sent}"
            );
        }
    }

    #[tokio::test]
    async fn an_echo_says_what_is_stored_or_is_refused() {
        let nothing = Value::Null;
        assert_eq!(refused(json!({})).await, nothing);
        let whole = json!({ "id": 6, "is_blocked": false, "updated_at": "long ago" });
        assert_eq!(refused(whole).await, nothing);
        assert_eq!(refused(json!({ "id": null })).await, nothing);
        let told = |name: &str, instead: &str| {
            json!([format!(
                "{name} must be left out or sent back as it was loaded: {instead}."
            )])
        };
        assert_eq!(
            refused(json!({ "id": "6", "is_blocked": true })).await,
            json!({
                "id": told("id", "it never changes"),
                "is_blocked": told("is_blocked", "to change it, set status"),
            })
        );
    }
}
