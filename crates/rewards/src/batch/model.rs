use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use xmas_kernel::{Asset, BatchId, UserId, idempotency::RequestKey};
use xmas_players::PlayerRef;

use crate::OrderKind;

/// Wallets to be changed under one name.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Its name, and what follows from everything that was asked for. A preview needs none.
    pub request: Option<RequestKey>,
    pub kind: OrderKind,
    pub orders: BatchOrders,
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
    /// Reads as a sentence after the field's name.
    pub text: String,
}

/// Which players a batch is for: those who are ACTIVE, and
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecipientFilter {
    /// only those who have played since; everybody if `None`.
    pub played_since: Option<DateTime<Utc>>,
}

/// How far a batch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchState {
    /// Some of it may be left to do: the same request again goes on with it.
    Open,
    Done,
}

impl BatchState {
    pub fn as_str(self) -> &'static str {
        match self {
            BatchState::Open => "OPEN",
            BatchState::Done => "DONE",
        }
    }
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
    pub finished_at: Option<DateTime<Utc>>,
}

impl Batch {
    /// As the ledger refers to it.
    pub(crate) fn reference(&self) -> String {
        format!("batch:{}", self.key)
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
}

/// A wallet that holds too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortWallet {
    pub user_id: UserId,
    pub external_id: String,
    pub asset: Asset,
    pub amount: i64,
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
}
