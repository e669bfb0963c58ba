use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;
use xmas_kernel::{
    CouponKindId, RewardId,
    paging::Page,
    text,
    version::{Seen, Version},
};

/// A kind of coupon to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCouponKind {
    pub name: String,
    /// An admin looks at every coupon of this kind before it is delivered.
    pub manual: bool,
}

/// A coupon code as its issuer gave it: 1 to 100 visible characters.
#[derive(Clone, PartialEq, Eq)]
pub struct CouponCode(String);

/// The code is empty, too long, or has something in it that nobody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a coupon code has 1 to 100 visible characters")]
pub struct MalformedCode;

impl CouponCode {
    pub const MAX_CHARACTERS: usize = 100;

    /// The whole code, for its winner alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for CouponCode {
    type Error = MalformedCode;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let code = text.trim();
        let fits = (1..=Self::MAX_CHARACTERS).contains(&code.chars().count());
        if fits && code.chars().all(text::is_visible) {
            Ok(Self(code.to_owned()))
        } else {
            Err(MalformedCode)
        }
    }
}

impl fmt::Debug for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CouponCode")
    }
}

/// A kind of coupon, and how its stock stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponKind {
    pub id: CouponKindId,
    pub name: String,
    pub manual: bool,
    pub created_at: DateTime<Utc>,
    pub stock: CouponStock,
}

/// How many codes a kind of coupon has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CouponStock {
    /// Nobody has them yet.
    pub free: u64,
    /// Each belongs to a receipt.
    pub taken: u64,
    /// Rewards of this kind that wait for an admin, be it for a code or for a look.
    pub waiting: u64,
}

impl CouponKind {
    /// Follows from everything that an operator can edit.
    pub fn version(&self) -> Version {
        Version::of(&self.editable())
    }

    pub(super) fn editable(&self) -> Editable<'_> {
        Editable {
            name: &self.name,
            is_manual: self.manual,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Editable<'a> {
    name: &'a str,
    is_manual: bool,
}

/// What an operator changes about a kind of coupon; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct CouponKindEdit {
    pub name: Option<String>,
    pub manual: Option<bool>,
    /// What the operator has seen.
    pub seen: Option<Seen>,
}

/// Which codes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    Free,
    Taken,
}

/// A code of the stock as operators see it: never whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockedCode {
    pub id: i64,
    pub masked: String,
    /// The receipt that it belongs to; `None` if it is free.
    pub reward_id: Option<RewardId>,
    pub created_at: DateTime<Utc>,
    pub taken_at: Option<DateTime<Utc>>,
}

/// A page of the codes of a kind.
#[derive(Clone, Debug)]
pub struct CodeStock {
    pub kind: CouponKind,
    pub codes: Page<StockedCode>,
}
