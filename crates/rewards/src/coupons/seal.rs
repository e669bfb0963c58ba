//! Coupon codes are sealed in the database: who reads a row reads no code.

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use xmas_kernel::{
    CouponKindId, audit,
    db::DbError,
    entropy::Entropy,
    seal::{Claimed, DataKey, ProbeError, SealKey, Sealed, SealedTable},
};

use crate::{
    CouponCode, RewardDesk,
    desk::REWARDS,
    entity::{coupon_code, coupon_withheld},
    store::{self, CodeInTable, CodePrints, CodeTable, SealedCode},
};

/// What a code is sealed for: a code copied to another kind does not open.
pub(crate) fn place(kind: CouponKindId) -> String {
    format!("coupon_code:{kind}")
}

/// Whatever of a code is fingerprinted: itself, and itself without regard to case.
fn forms(code: &CouponCode) -> [String; 2] {
    let folded = format!("without case:{}", code.folded());
    [code.expose().to_owned(), folded]
}

/// The fingerprints of a code under one key.
pub(super) fn prints_under(key: &SealKey, code: &CouponCode) -> [String; 2] {
    forms(code).map(|form| key.fingerprint(form.as_bytes()))
}

/// A table of codes, for comparing keys and rotating them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SealedCoupons<T>(T);

/// The codes of all stocks, given away or not: `coupon_code`.
pub type StockedCodes = SealedCoupons<coupon_code::Entity>;
/// Those that nobody is given: `coupon_withheld`.
pub type WithheldCodes = SealedCoupons<coupon_withheld::Entity>;

#[async_trait]
impl<T: CodeTable> SealedTable for SealedCoupons<T> {
    fn name(&self) -> &'static str {
        self.0.as_str()
    }

    async fn any_in_tx(&self, tx: &DatabaseTransaction) -> Result<Option<Sealed>, DbError> {
        let code = store::any_code::<T>(tx).await?;
        Ok(code.map(|(kind, value)| Sealed {
            place: place(kind),
            value,
        }))
    }

    async fn count(&self, conn: &DatabaseConnection) -> Result<u64, DbError> {
        store::count_codes::<T>(conn).await
    }

    async fn page(
        &self,
        conn: &DatabaseConnection,
        after: i64,
        most: u64,
    ) -> Result<Vec<(i64, Sealed)>, DbError> {
        let codes = store::codes_after::<T>(conn, after, most).await?;
        let codes = codes.into_iter();
        Ok(codes.map(|code| (code.id, code.sealed())).collect())
    }

    /// As an operator who edits coupons: uploads and releases, which look for the like of a code, come before or
    /// after, and so does whoever makes fingerprints that are missing.
    async fn reseal_in_tx(
        &self,
        tx: &DatabaseTransaction,
        key: &DataKey,
        rows: &[i64],
        entropy: &dyn Entropy,
    ) -> Result<u64, ProbeError> {
        audit::enter_in_tx(tx, REWARDS).await?;
        let claimed = key.claim_in_tx(tx, entropy).await?;
        let mut resealed = 0;
        for row in store::lock_codes::<T>(tx, rows).await? {
            if let Some(code) = row.resealed(key, &claimed, entropy) {
                store::reseal::<T>(tx, &claimed, row.id, code).await?;
                resealed += 1;
            }
        }
        Ok(resealed)
    }
}

impl CodeInTable {
    fn sealed(&self) -> Sealed {
        Sealed {
            place: place(self.kind),
            value: self.sealed.clone(),
        }
    }

    /// The same under the database's key; `None` if it is already, or cannot be opened.
    fn resealed(
        &self,
        key: &DataKey,
        claimed: &Claimed<'_>,
        entropy: &dyn Entropy,
    ) -> Option<SealedCode> {
        let place = place(self.kind);
        if claimed.has_sealed(&place, &self.sealed) {
            return None;
        }
        let (old, plain) = key.opened(&place, &self.sealed).ok()?;
        let code = CouponCode::stored(&String::from_utf8_lossy(&plain));
        let [exact, folded] = forms(&code);
        // One that an older version gave away decomposed, and that has a twin, has kept that fingerprint.
        let is_composed = self.fingerprint != old.fingerprint(&plain);
        let exact = match is_composed {
            true => exact.as_bytes(),
            false => &plain,
        };
        Some(SealedCode {
            fingerprint: claimed.fingerprint(exact),
            folded: (self.is_folded).then(|| claimed.fingerprint(folded.as_bytes())),
            sealed: claimed.seal(&place, &plain, entropy),
        })
    }
}

impl RewardDesk {
    /// What finds the like of a code, whichever key it is under.
    pub(super) fn prints(&self, code: &CouponCode) -> CodePrints {
        let [exact, folded] = forms(code).map(|form| self.key.fingerprints(form.as_bytes()));
        CodePrints { exact, folded }
    }

    /// A code that is new to the stock of a kind; `plain` is how its winner sees it.
    pub(super) fn sealed(
        &self,
        claimed: &Claimed<'_>,
        kind: CouponKindId,
        (code, plain): (&CouponCode, &[u8]),
    ) -> SealedCode {
        let [exact, folded] = forms(code);
        SealedCode {
            fingerprint: claimed.fingerprint(exact.as_bytes()),
            folded: Some(claimed.fingerprint(folded.as_bytes())),
            sealed: claimed.seal(&place(kind), plain, &*self.entropy),
        }
    }
}
