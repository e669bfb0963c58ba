//! Queries, a file for each group of tables.

mod bundle;
mod coupon;
mod receipt;
mod wallet;

pub(crate) use bundle::{bundles, insert_bundle};
pub(crate) use coupon::{
    SealedCode, codes_of_grants, coupon_kinds, free_codes, insert_codes, insert_coupon_kind,
    known_codes, reserve_code, take_code,
};
pub(crate) use receipt::{end_wait, find_receipt, insert_receipt, pending, receipt_state};
pub(crate) use wallet::{Change, balance, balances, change, ledger};
