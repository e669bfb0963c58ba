//! Kinds of coupons, their codes, and codes that are withheld.

pub mod codes;
pub mod kinds;
pub mod withheld;
