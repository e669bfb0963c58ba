use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    CouponKindId, RewardId,
    paging::Page,
    text::{self, Lines},
    version::{Seen, Version},
};
use xmas_texts::{Text, reward};

/// A kind of coupon to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCouponKind {
    pub name: String,
    /// An admin looks at every coupon of this kind before it is delivered.
    pub manual: bool,
    /// Codes of this kind that differ from others in case only are the same code.
    pub ignores_case: bool,
}

/// A coupon code as its issuer gave it, in NFC: 1 to 100 visible characters.
#[derive(Clone, PartialEq, Eq)]
pub struct CouponCode(String);

/// The code is empty, too long, or has something in it that nobody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 100 visible characters")]
pub struct MalformedCode;

impl From<MalformedCode> for Text {
    fn from(_: MalformedCode) -> Self {
        reward::code_malformed(CouponCode::MAX_CHARACTERS)
    }
}

impl CouponCode {
    pub const MAX_CHARACTERS: usize = 100;

    /// The whole code, for its winner alone.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A code that is in the database already, whatever the rules were then.
    pub(super) fn stored(code: &str) -> Self {
        Self(text::tidy(code))
    }

    /// The same for codes that differ in case only.
    pub(super) fn folded(&self) -> String {
        // Some letters have two lower ones, which become one in upper case, and ẞ has an upper case only once it is ß.
        let folded = self.0.to_lowercase().to_uppercase().to_lowercase();
        text::nfc(&folded).into_owned()
    }
}

impl TryFrom<&str> for CouponCode {
    type Error = MalformedCode;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let code = text::tidy(text);
        let fit = text::check(&code, 1..=Self::MAX_CHARACTERS, Lines::One);
        if fit.is_ok() && !code.chars().any(char::is_whitespace) {
            Ok(Self(code))
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
    /// Codes of this kind that differ from others in case only are the same code.
    pub ignores_case: bool,
    pub created_at: DateTime<Utc>,
    pub stock: CouponStock,
}

/// How many codes a kind of coupon has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponStock {
    /// Nobody has them yet.
    pub free: u64,
    /// Each belongs to a receipt.
    pub taken: u64,
    /// Nobody gets them, because another kind has the same codes.
    pub withheld: u64,
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
            ignores_case: self.ignores_case,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Editable<'a> {
    name: &'a str,
    is_manual: bool,
    ignores_case: bool,
}

/// What an operator changes about a kind of coupon; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct CouponKindEdit {
    pub name: Option<String>,
    pub manual: Option<bool>,
    pub ignores_case: Option<bool>,
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

/// A code of an upload that cannot be added, by its place in it from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeClash {
    pub place: usize,
    pub with: ClashWith,
}

/// Where else a code is. Whose it is, is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClashWith {
    /// In the same upload.
    Upload,
    /// In the stock of this kind.
    OwnStock,
    /// In the stock of another kind, by its name.
    Stock(String),
    /// Among the codes that are withheld from the winners of a kind, by its name.
    Withheld(String),
}

impl From<&ClashWith> for Text {
    fn from(clash: &ClashWith) -> Self {
        match clash {
            ClashWith::Upload => reward::code_twice_in_table(),
            ClashWith::OwnStock => reward::code_in_stock(),
            ClashWith::Stock(kind) => reward::code_in_other_stock(kind.clone()),
            ClashWith::Withheld(kind) => reward::code_withheld(kind.clone()),
        }
    }
}

/// A code that is given to nobody, because an older version took it into the stocks of several kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithheldCode {
    pub id: i64,
    pub kind: CouponKindId,
    pub kind_name: String,
    pub masked: String,
    /// A copy of it was given to a winner.
    pub is_given: bool,
    /// A copy of it is in a stock, for a winner to come.
    pub is_stocked: bool,
    pub created_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_letter_folds_as_its_upper_and_its_lower_case_do() {
        let folded = |text: &str| CouponCode::stored(text).folded();
        for letter in '\u{21}'..=char::MAX {
            let once = folded(&letter.to_string());
            for same in [
                once.clone(),
                letter.to_uppercase().collect(),
                letter.to_lowercase().collect(),
            ] {
                assert_eq!(folded(&same), once, "{letter}");
            }
        }
        assert_eq!(folded("STRAẞE"), folded("Strasse"));
    }

    proptest! {
        #[test]
        fn a_code_is_kept_tidy_and_refused_without_a_word_of_it(text in prop_oneof![".{0,120}", any::<String>()]) {
            match CouponCode::try_from(text.as_str()) {
                Ok(code) => {
                    let characters = code.expose().chars().count();
                    prop_assert!((1..=CouponCode::MAX_CHARACTERS).contains(&characters));
                    prop_assert!(!code.expose().chars().any(|it| it.is_whitespace() || it.is_control()));
                    prop_assert_eq!(CouponCode::try_from(code.expose()), Ok(code.clone()));
                    prop_assert_eq!(CouponCode::stored(&text).folded(), code.folded());
                    prop_assert_eq!(format!("{code:?}"), "CouponCode");
                }
                Err(error) => prop_assert_eq!(error, MalformedCode),
            }
        }

        #[test]
        fn codes_that_differ_in_case_only_fold_to_one(text in "\\PC{1,40}") {
            let code = CouponCode::stored(&text);
            let again = CouponCode::stored(&code.folded());
            prop_assert_eq!(again.folded(), code.folded());
            let upper = CouponCode::stored(&text.to_uppercase());
            prop_assert_eq!(upper.folded(), code.folded());
        }
    }
}
