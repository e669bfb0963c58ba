//! Queries, a file for each group of tables.

mod bundle;
mod coupon;
mod receipt;
mod wallet;

pub(crate) use bundle::{bundle, bundle_page, bundles, insert_bundle};
pub(crate) use coupon::{
    CodeRow, SealedCode, any_code, code_page, codes_of_grants, coupon_kind, coupon_kind_page,
    coupon_kinds, insert_codes, insert_coupon_kind, known_codes, reserve_code, take_code,
    update_coupon_kind,
};
pub(crate) use receipt::{end_wait, find_receipt, insert_receipt, pending, receipt_state};
pub(crate) use wallet::{Change, asset, balance, balances, balances_of, change, ledger};
