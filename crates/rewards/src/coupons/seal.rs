//! Coupon codes are sealed in the database: who reads a row reads no code.

use async_trait::async_trait;
use sea_orm::DatabaseTransaction;
use xmas_kernel::{
    CouponKindId,
    db::DbError,
    seal::{Sealed, SealedTable},
};

use crate::{
    CouponCode, RewardDesk,
    store::{self, SealedCode},
};

/// What a code is sealed for: a code copied to another kind does not open.
pub(crate) fn place(kind: CouponKindId) -> String {
    format!("coupon_code:{kind}")
}

/// `coupon_code`, for comparing keys.
#[derive(Clone, Copy, Debug)]
pub struct SealedCoupons;

#[async_trait]
impl SealedTable for SealedCoupons {
    async fn any_in_tx(&self, tx: &DatabaseTransaction) -> Result<Option<Sealed>, DbError> {
        let code = store::any_code(tx).await?;
        Ok(code.map(|(kind, value)| Sealed {
            place: place(kind),
            value,
        }))
    }
}

impl RewardDesk {
    pub(super) fn seal(&self, kind: CouponKindId, codes: &[CouponCode]) -> Vec<SealedCode> {
        let place = place(kind);
        let seal = |code: &CouponCode| {
            let plain = code.expose().as_bytes();
            self.fingerprinted(code, self.key.seal(&place, plain, &*self.entropy))
        };
        codes.iter().map(seal).collect()
    }

    /// A code that was sealed, with what finds its like.
    pub(super) fn fingerprinted(&self, code: &CouponCode, sealed: String) -> SealedCode {
        let folded = format!("without case:{}", code.folded());
        SealedCode {
            fingerprint: self.key.fingerprint(code.expose().as_bytes()),
            folded: self.key.fingerprint(folded.as_bytes()),
            sealed,
        }
    }
}
