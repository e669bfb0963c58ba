//! What a kind of coupon and what is shown of a code may be.

use xmas_kernel::{Problem, Problems, text::Kept};

use crate::NewCouponKind;

/// The first two characters of a coupon code, and nothing of one that is hardly longer: whoever looks
/// at the stock can tell the codes apart, and use none.
pub(crate) fn masked(code: &str) -> String {
    let shown = if code.chars().count() > 4 { 2 } else { 0 };
    let shown: String = code.chars().take(shown).collect();
    format!("{shown}***")
}

/// What is wrong with a kind of coupon that is to be saved; `kept` is the name that it has.
pub fn check_coupon_kind(kind: &NewCouponKind, kept: &Kept<'_>) -> Vec<Problem> {
    let mut problems = Problems::default();
    kept.expect_label(&kind.name, "name", &mut problems);
    problems.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_code_two_characters_are_shown_unless_it_is_short() {
        for (code, shown) in [
            ("BM20-7F3A", "BM***"),
            ("쿠폰일이삼", "쿠폰***"),
            ("ABCD", "***"),
            ("A", "***"),
            ("", "***"),
        ] {
            assert_eq!(masked(code), shown);
        }
    }

    #[test]
    fn a_kind_of_coupon_has_a_name_that_may_be_shown() {
        let kind = |name: &str| NewCouponKind {
            name: name.to_owned(),
            manual: false,
            ignores_case: false,
        };
        let fields = |name: &str| -> Vec<String> {
            let problems = check_coupon_kind(&kind(name), &Kept::default()).into_iter();
            problems.map(|problem| problem.field).collect()
        };
        assert_eq!(fields("문화상품권"), [""; 0]);
        assert_eq!(fields(&"상".repeat(100)), [""; 0]);
        for bad in ["", " ", "a\u{200b}", " x", &"상".repeat(101)] {
            assert_eq!(fields(bad), ["name"], "{bad:?}");
        }
        // One that stands already is not refused.
        assert_eq!(
            check_coupon_kind(&kind(" x"), &[" x"].into_iter().collect()),
            []
        );
    }
}
