//! Queries, a file for each group of tables.

mod bundle;
mod coupon;
mod coupon_codes;
mod receipt;
mod sealed_codes;
mod wallet;

pub(crate) use bundle::{bundle, bundle_page, bundles, bundles_named, bundles_of, insert_bundle};
pub(crate) use coupon::{
    CodeRow, ReservedCode, code_page, codes_of_grants, coupon_kind, coupon_kind_page, coupon_kinds,
    coupon_kinds_named, coupon_kinds_of, insert_coupon_kind, reserve_code, take_code_for,
    update_coupon_kind,
};
pub(crate) use coupon_codes::{
    CodePrints, KindOfCodes, KnownCode, SealedCode, alike_but_for_case, copies_in_stock,
    count_withheld, delete_withheld, find_withheld, insert_codes, kinds_of_codes, known_codes,
    set_fingerprint, set_folded, unfolded, withheld_page, withhold,
};
pub(crate) use receipt::{
    NewReceipt, end_wait, find_receipt, insert_receipts, pending, pending_of, receipt_of,
};
pub(crate) use sealed_codes::{
    CodeInTable, CodeTable, any_code, codes_after, count_codes, lock_codes, reseal,
};
pub(crate) use wallet::{asset, balances, balances_of, ledger, lock_balances_of};
pub use wallet::{join_balance, joined_balance};
