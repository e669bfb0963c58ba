use std::{collections::BTreeMap, convert::Infallible, str::FromStr};

use chrono::{DateTime, Utc};
use serde::Serialize;
use xmas_kernel::{Asset, BatchId, UnknownName, UserId, idempotency::RequestKey};
use xmas_players::{Inactive, PlayerRef};
use xmas_texts::Text;

use super::recipients::RecipientFilter;
use crate::OrderKind;

/// Wallets to be changed under one name.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Its name, and what follows from everything that was asked for. A preview needs none.
    pub request: Option<RequestKey>,
    pub kind: OrderKind,
    pub orders: BatchOrders,
    /// Whether players who are INACTIVE are given something all the same; it belongs to what was asked for.
    /// What is taken is taken from them anyhow. It goes with a list only: a filter finds none of them.
    pub force: bool,
}

impl NewBatch {
    /// What becomes of players who are INACTIVE.
    pub(crate) fn inactive(&self) -> Inactive {
        Inactive::forced(self.force || self.kind.takes())
    }
}

/// Whose wallets, and by how much.
#[derive(Clone, Debug)]
pub enum BatchOrders {
    /// Line by line.
    Listed {
        lines: Vec<BatchLine>,
        /// What could not be read as a line.
        unreadable: Vec<Refusal>,
    },
    /// The same for everybody who fits.
    Everybody {
        filter: RecipientFilter,
        asset: Asset,
        amount: i64,
    },
}

/// One line of a list.
#[derive(Clone, Debug)]
pub struct BatchLine {
    /// Its number in the operator's list.
    pub line: u64,
    pub who: PlayerRef,
    pub asset: Asset,
    pub amount: i64,
}

/// What is wrong with a line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub line: u64,
    pub field: &'static str,
    pub text: Text,
}

/// How far a batch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE", parse_err_ty = UnknownName, parse_err_fn = unknown_batch_state)]
pub enum BatchState {
    /// Some of it may be left to do: the same request again goes on with it.
    Open,
    Done,
    /// It was stopped before its end. What it had not done by then is never done.
    Stopped,
}

impl BatchState {
    pub const ALL: [BatchState; 3] = [BatchState::Open, BatchState::Done, BatchState::Stopped];

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_batch_state(name: &str) -> UnknownName {
    UnknownName::new(
        "state of a batch",
        name,
        BatchState::ALL.map(BatchState::as_str),
    )
}

/// A batch that has been registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub id: BatchId,
    pub key: String,
    pub kind: OrderKind,
    pub state: BatchState,
    pub reason: Option<String>,
    /// Who registered it.
    pub actor: String,
    pub created_at: DateTime<Utc>,
    /// When it was done or stopped.
    pub finished_at: Option<DateTime<Utc>>,
    /// The batch that it takes back.
    pub reverts: Option<BatchId>,
    /// The batch that takes it back.
    pub reverted_by: Option<BatchId>,
}

impl Batch {
    /// Whether a wallet that holds less than an item's amount gives what it has. Other batches take all of
    /// an amount or nothing.
    pub(super) fn takes_what_is_there(&self) -> bool {
        self.reverts.is_some() && self.kind.takes()
    }

    /// As the ledger refers to it.
    pub(crate) fn reference(&self) -> String {
        format!("batch:{}", self.key)
    }
}

/// What an operator calls a batch by: its id, its name, or either with `id:` or `batch_id:` before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchRef {
    Id(BatchId),
    Key(String),
    /// A number, which may be somebody's name for a batch too.
    Either(BatchId, String),
}

impl FromStr for BatchRef {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // `007` and `+7` are names.
        let id = |text: &str| {
            let id = text.parse().ok().map(BatchId);
            id.filter(|id| id.0.to_string() == text)
        };
        if let Some(key) = text.strip_prefix("batch_id:") {
            return Ok(BatchRef::Key(key.to_owned()));
        }
        if let Some(id) = text.strip_prefix("id:").and_then(id) {
            return Ok(BatchRef::Id(id));
        }
        let key = text.to_owned();
        Ok(match id(text) {
            Some(id) => BatchRef::Either(id, key),
            None => BatchRef::Key(key),
        })
    }
}

/// So many players, and so much altogether.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub players: u64,
    pub totals: BTreeMap<Asset, i64>,
}

/// What a batch is about, and what has become of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchTally {
    pub all: Tally,
    pub done: Tally,
    /// What was not done, because the wallet held too little.
    pub short: Tally,
    /// What nobody has come to yet; nobody will if the batch was stopped.
    pub left: Tally,
}

/// A wallet that holds too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortWallet {
    pub user_id: UserId,
    pub external_id: String,
    pub asset: Asset,
    pub amount: i64,
    /// How much of the amount was moved all the same: 0, but for reverts.
    pub moved: i64,
    /// What it holds now.
    pub balance: i64,
}

/// A batch in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSummary {
    pub batch: Batch,
    pub tally: BatchTally,
}

/// Everything about a batch, or about one that would be registered.
#[derive(Clone, Debug)]
pub struct BatchReport {
    /// `None` if it is not registered.
    pub batch: Option<Batch>,
    pub kind: OrderKind,
    pub tally: BatchTally,
    /// The first of the wallets that hold too little.
    pub short: Vec<ShortWallet>,
    /// What would be refused. Of a registered batch nothing was.
    pub refused: Vec<Refusal>,
    /// What it takes back, if it is a revert.
    pub reverts: Option<Reverted>,
}

/// The batch that a revert takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reverted {
    pub id: BatchId,
    /// What it had not done when it was stopped, and never does.
    pub left: Tally,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_batch_is_called_by_its_id_or_its_name() {
        let key = |key: &str| BatchRef::Key(key.to_owned());
        for (text, expected) in [
            ("12", BatchRef::Either(BatchId(12), "12".to_owned())),
            ("daily-1", key("daily-1")),
            ("id:12", BatchRef::Id(BatchId(12))),
            ("batch_id:12", key("12")),
            ("batch_id:id:12", key("id:12")),
            ("key:7:k", key("key:7:k")),
            // Names that only look like numbers.
            ("012", key("012")),
            ("+12", key("+12")),
            ("9223372036854775808", key("9223372036854775808")),
            ("id:x", key("id:x")),
            ("id:", key("id:")),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_calls_a_batch_by_what_it_says(text in prop_oneof!["(id:|batch_id:)?[+-]?[0-9]{1,25}", any::<String>()]) {
            let Ok(called) = text.parse::<BatchRef>();
            match called {
                BatchRef::Id(id) => prop_assert_eq!(format!("id:{id}"), text),
                BatchRef::Either(id, key) => {
                    prop_assert_eq!(id.to_string(), text.clone());
                    prop_assert_eq!(key, text);
                }
                BatchRef::Key(key) => {
                    let named = format!("batch_id:{key}");
                    prop_assert!(key == text || named == text);
                }
            }
        }
    }
}
