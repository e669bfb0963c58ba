//! What fields are that a file leaves out.

pub(super) const fn yes() -> bool {
    true
}

pub(super) fn is_yes(flag: &bool) -> bool {
    *flag
}

pub(super) fn is_no(flag: &bool) -> bool {
    !flag
}

pub(super) fn is_zero(number: &i64) -> bool {
    *number == 0
}
