//! Kinds of coupons, their codes, and codes that are withheld.

pub(crate) mod codes;
pub(crate) mod kinds;
pub(crate) mod withheld;
