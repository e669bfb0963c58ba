//! Which codes clash: each is there once, whatever its kind.

use std::collections::{HashMap, HashSet};

use xmas_kernel::CouponKindId;

use super::{ClashWith, CodeClash};
use crate::store::{CodePrints, KindOfCodes, KnownCode};

/// Why these codes cannot all be added to the stock of `own`. Two codes are the same if they are equal,
/// or if they differ in case only and one of their kinds ignores it.
pub(super) fn clashes(
    own: CouponKindId,
    codes: &[CodePrints],
    known: &[KnownCode],
    kinds: &HashMap<CouponKindId, KindOfCodes>,
) -> Vec<CodeClash> {
    let ignores = |kind: CouponKindId| kinds.get(&kind).is_some_and(|kind| kind.ignores_case);
    let own_ignores = ignores(own);
    let mut exact: HashMap<&str, &KnownCode> = HashMap::new();
    let mut folded: HashMap<&str, &KnownCode> = HashMap::new();
    for code in known {
        exact.insert(&code.fingerprint, code);
        let by_case = code.folded.as_deref();
        if let Some(by_case) = by_case.filter(|_| own_ignores || ignores(code.kind)) {
            folded.insert(by_case, code);
        }
    }
    let mut seen = HashSet::new();
    let mut clashes = Vec::new();
    for (place, code) in codes.iter().enumerate() {
        let forms = if own_ignores {
            &code.folded
        } else {
            &code.exact
        };
        // Under one key is enough to compare those of one upload.
        let is_first = seen.insert(forms.first());
        let there = code.exact.iter().find_map(|print| exact.get(&**print));
        let alike = || code.folded.iter().find_map(|print| folded.get(&**print));
        let with = match there.or_else(alike) {
            Some(known) => with(own, known, kinds),
            None if is_first => continue,
            None => ClashWith::Upload,
        };
        clashes.push(CodeClash { place, with });
    }
    clashes
}

fn with(
    own: CouponKindId,
    known: &KnownCode,
    kinds: &HashMap<CouponKindId, KindOfCodes>,
) -> ClashWith {
    let name = || {
        let kind = kinds.get(&known.kind);
        kind.map(|kind| kind.name.clone()).unwrap_or_default()
    };
    if known.is_withheld {
        ClashWith::Withheld(name())
    } else if known.kind == own {
        ClashWith::OwnStock
    } else {
        ClashWith::Stock(name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: CouponKindId = CouponKindId(1);
    const OTHER: CouponKindId = CouponKindId(2);
    const FOLDED: CouponKindId = CouponKindId(3);

    fn kinds() -> HashMap<CouponKindId, KindOfCodes> {
        let kind = |name: &str, ignores_case| KindOfCodes {
            name: name.to_owned(),
            ignores_case,
        };
        HashMap::from([
            (PLAIN, kind("plain", false)),
            (OTHER, kind("other", false)),
            (FOLDED, kind("folded", true)),
        ])
    }

    /// Under two keys; that of the other one is written backwards.
    fn code(text: &str) -> CodePrints {
        let under_both = |text: &str| vec![text.chars().rev().collect(), text.to_owned()];
        CodePrints {
            exact: under_both(text),
            folded: under_both(&text.to_lowercase()),
        }
    }

    fn known(kind: CouponKindId, text: &str, is_withheld: bool) -> KnownCode {
        KnownCode {
            kind,
            fingerprint: text.to_owned(),
            folded: Some(text.to_lowercase()),
            is_withheld,
        }
    }

    fn found(own: CouponKindId, codes: &[&str], known: &[KnownCode]) -> Vec<(usize, ClashWith)> {
        let codes: Vec<CodePrints> = codes.iter().map(|text| code(text)).collect();
        let found = clashes(own, &codes, known, &kinds()).into_iter();
        found.map(|clash| (clash.place, clash.with)).collect()
    }

    #[test]
    fn a_code_is_there_once_whatever_its_kind() {
        let there = [
            known(PLAIN, "A", false),
            known(OTHER, "B", false),
            known(OTHER, "C", true),
        ];
        let expected = [
            (0, ClashWith::OwnStock),
            (1, ClashWith::Stock("other".to_owned())),
            (2, ClashWith::Withheld("other".to_owned())),
            (4, ClashWith::Upload),
        ];
        assert_eq!(
            found(PLAIN, &["A", "B", "C", "D", "D", "a"], &there),
            expected
        );
    }

    #[test]
    fn a_code_is_found_under_either_key() {
        let there = [known(OTHER, "A1", false), known(OTHER, "2B", true)];
        let expected = [
            (0, ClashWith::Stock("other".to_owned())),
            (1, ClashWith::Withheld("other".to_owned())),
        ];
        assert_eq!(found(PLAIN, &["A1", "B2", "C3"], &there), expected);
        // So are those that differ in case only.
        assert_eq!(found(FOLDED, &["a1", "b2", "c3"], &there), expected);
    }

    #[test]
    fn case_is_ignored_if_either_kind_ignores_it() {
        let there = [known(OTHER, "Ab", false), known(FOLDED, "Cd", false)];
        assert_eq!(found(PLAIN, &["aB", "AB"], &there), []);
        let expected = [(1, ClashWith::Stock("folded".to_owned()))];
        assert_eq!(found(PLAIN, &["aB", "cD"], &there), expected);
        let expected = [
            (0, ClashWith::Stock("other".to_owned())),
            (1, ClashWith::OwnStock),
            (3, ClashWith::Upload),
        ];
        assert_eq!(found(FOLDED, &["aB", "cD", "Ef", "eF"], &there), expected);
    }
}
