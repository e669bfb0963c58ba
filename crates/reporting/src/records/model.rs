use chrono::{DateTime, Utc};
use serde_json::Value;
use xmas_kernel::{Asset, Feature, UserId};
use xmas_players::GivenId;
use xmas_time::{EventDay, Kst};

/// How many rows an export reads at once: a few megabytes.
pub const EXPORT_ROWS: u64 = 5_000;
/// The same of the audit log, whose rows may be large.
pub const EXPORT_AUDIT_ROWS: u64 = 500;

/// Whose rows are asked for; everybody's if nobody is named.
#[derive(Clone, Debug, Default)]
pub struct Whose {
    pub user_id: Option<UserId>,
    /// Nobody's rows, if there is no such player.
    pub external_id: Option<GivenId>,
}

/// From when to when: `from` lies within, `to` does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

/// Which of the rows that fit a filter are asked for; `P` is a row's place.
#[derive(Clone, Copy, Debug)]
pub enum Slice<P> {
    /// A page for somebody to look at, the newest first.
    Page {
        rows: u64,
        /// How many rows to pass over.
        offset: u64,
        /// The row behind which the page begins: unlike an offset it stays where it is while rows are
        /// added.
        behind: Option<P>,
    },
    /// The next rows of everything, the oldest first.
    Export { after: Option<P> },
}

/// A wallet's place among all wallets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletPlace {
    pub user_id: UserId,
    pub asset: Asset,
}

#[derive(Clone, Debug, Default)]
pub struct WalletFilter {
    pub whose: Whose,
    pub asset: Option<Asset>,
    /// Only wallets with something in them, or only those with nothing.
    pub has_balance: Option<bool>,
    /// When the balance changed last.
    pub changed: Span,
}

#[derive(Clone, Debug, Default)]
pub struct PlayFilter {
    pub whose: Whose,
    pub game: Option<Feature>,
    pub span: Span,
}

#[derive(Clone, Debug, Default)]
pub struct LedgerFilter {
    pub whose: Whose,
    pub asset: Option<Asset>,
    pub reason: Option<String>,
    pub span: Span,
}

#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    pub whose: Whose,
    pub event_type: Option<String>,
    pub feature: Option<Feature>,
    pub span: Span,
}

#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// The name that the operator logs in with.
    pub actor: Option<String>,
    pub action: Option<String>,
    pub resource: Option<Resource>,
    pub request_id: Option<String>,
    pub span: Span,
}

/// What something was done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    Exactly(String),
    /// Everything that begins so.
    Under(String),
}

impl From<String> for Resource {
    /// `user:42` is that player, `user:` any player, and `user:4*` whatever begins with `user:4`.
    fn from(text: String) -> Self {
        match text.strip_suffix('*') {
            Some(beginning) => Resource::Under(beginning.to_owned()),
            None if text.ends_with(':') => Resource::Under(text),
            None => Resource::Exactly(text),
        }
    }
}

/// A row of `user_game_wallet`.
#[derive(Clone, Debug, PartialEq)]
pub struct WalletRecord {
    pub user_id: i64,
    pub external_id: Option<String>,
    pub asset: Asset,
    pub balance: i64,
    pub updated_at: Kst,
}

/// A row of `feature_log`.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayRecord {
    pub id: i64,
    pub user_id: i64,
    pub external_id: Option<String>,
    pub game: String,
    pub reward_type: String,
    pub reward_amount: i64,
    /// What came up, as players see it; for dice who has won.
    pub reward_label: Option<String>,
    pub created_at: Kst,
}

/// A row of `wallet_ledger`.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerRecord {
    pub id: i64,
    pub user_id: i64,
    pub external_id: Option<String>,
    pub asset: String,
    pub delta: i64,
    pub balance_after: i64,
    pub reason: String,
    /// What the change belongs to, such as `play:17`.
    pub reference: String,
    pub actor: String,
    /// The label of the reward that was delivered, if the change delivered one that has one.
    pub label: Option<String>,
    pub created_at: Kst,
}

/// A row of `user_event_log`.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRecord {
    pub id: i64,
    pub user_id: i64,
    pub external_id: Option<String>,
    pub feature_type: Option<String>,
    pub event_type: String,
    pub event_day: EventDay,
    pub meta: Value,
    pub created_at: Kst,
}

/// A row of `admin_audit_log`.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    pub id: i64,
    pub actor_id: i64,
    pub actor: String,
    pub action: String,
    pub resource: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub reason: Option<String>,
    pub request_id: String,
    pub created_at: Kst,
}

/// What a play's outcome is called: the label of what came up, or who has won the dice.
pub(crate) fn reward_label(outcome: &Value) -> Option<String> {
    let text = outcome.get("label").or_else(|| outcome.get("outcome"));
    text.and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_is_one_thing_or_everything_that_begins_so() {
        let of = |text: &str| Resource::from(text.to_owned());
        assert_eq!(of("user:42"), Resource::Exactly("user:42".to_owned()));
        assert_eq!(of("user:"), Resource::Under("user:".to_owned()));
        assert_eq!(of("user:4*"), Resource::Under("user:4".to_owned()));
        assert_eq!(of("*"), Resource::Under(String::new()));
    }

    #[test]
    fn every_game_s_outcome_has_a_name() {
        let dice = json!({ "user_dice": [1, 2], "outcome": "LOSE", "reward_amount": 0 });
        assert_eq!(reward_label(&dice).unwrap(), "LOSE");
        let roulette = json!({ "id": 2, "label": "룰렛 티켓 3장" });
        assert_eq!(reward_label(&roulette).unwrap(), "룰렛 티켓 3장");
        assert_eq!(reward_label(&json!({ "label": 7 })), None);
        assert_eq!(reward_label(&json!([])), None);
    }
}
