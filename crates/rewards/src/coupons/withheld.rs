//! Codes that an older version took into the stocks of several kinds. They are withheld until an
//! operator says what they are.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DatabaseTransaction};
use serde_json::{Value, json};
use xmas_kernel::{
    CouponKindId,
    audit::{self, Actor, Change},
    db::{DbError, retry},
    idempotency::{Replayable, RequestKey, find_in_tx, retry_keyed, store_in_tx},
    paging::{Cursor, Limit, Page},
    seal::SealKey,
};

use super::{
    CouponCode, WithheldCode, clash,
    seal::{place, prints_under},
};
use crate::{RewardDesk, RewardError, desk::REWARDS, entity::coupon_code::Column, store};

impl RewardDesk {
    /// Notes the fingerprints that a migration could not make, because it does not have the key; returns
    /// how many codes are withheld. Codes that turn out to be the same are withheld now. Asked again, or
    /// by several processes at once, it does the rest.
    pub async fn complete_codes(&self) -> Result<u64, DbError> {
        while !store::unfolded(self.db.read()).await?.is_empty() {
            retry(|| self.complete_once()).await?;
        }
        store::count_withheld(self.db.read()).await
    }

    /// The next codes. They are read behind the lock, because another process may just have done the same
    /// ones, and a code that has its new fingerprint must not be taken for its own twin.
    async fn complete_once(&self) -> Result<(), DbError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, REWARDS).await?;
        let codes = store::unfolded(&*tx).await?;
        let mut folded = Vec::with_capacity(codes.len());
        for code in &codes {
            let Some((key, known, _)) = self.stored(code.kind, &code.sealed) else {
                // Nobody can be given it, and so it is no other one's twin.
                folded.push((code.id, code.fingerprint.clone()));
                continue;
            };
            // Under the key that it has: whoever seals it again makes these again too.
            let [composed, by_case] = prints_under(key, &known);
            if !code.is_withheld && composed != code.fingerprint {
                self.compose_in_tx(&tx, code.id, &known, &composed).await?;
            }
            folded.push((code.id, by_case));
        }
        let are_withheld = codes.first().is_some_and(|code| code.is_withheld);
        store::set_folded(&tx, are_withheld, &folded).await?;
        tx.commit().await
    }

    /// Gives a code of the stock the fingerprint of its composed form. If that is another one's too, the
    /// free ones of them are withheld; one that was given away takes it, so that no copy is given again.
    async fn compose_in_tx(
        &self,
        tx: &DatabaseTransaction,
        id: i64,
        code: &CouponCode,
        composed: &str,
    ) -> Result<(), DbError> {
        let prints = self.prints(code);
        let copies = async || store::known_codes(tx, std::slice::from_ref(&prints), false).await;
        if !copies().await?.is_empty() {
            store::withhold(tx, Column::Id.eq(id)).await?;
            store::withhold(tx, Column::Fingerprint.is_in(&prints.exact)).await?;
        }
        if copies().await?.iter().all(|copy| copy.is_withheld) {
            store::set_fingerprint(tx, id, composed).await?;
        }
        Ok(())
    }

    /// A code that was sealed before: its key, what it is by the rules for codes of today, and as its winner sees
    /// it. `None` if it cannot be opened.
    fn stored(&self, kind: CouponKindId, sealed: &str) -> Option<(&SealKey, CouponCode, String)> {
        let opened = self.key.opened(&place(kind), sealed);
        if let Err(error) = &opened {
            tracing::error!(%kind, %error, "a coupon code cannot be opened");
        }
        let (key, plain) = opened.ok()?;
        let plain = String::from_utf8(plain).ok()?;
        Some((key, CouponCode::stored(&plain), plain))
    }

    async fn release_withheld_once(
        &self,
        actor: &Actor,
        id: i64,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<()>, RewardError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, REWARDS).await?;
        if let Some(()) = find_in_tx(&tx, actor.user_id, request).await? {
            return Ok(Replayable::replayed(()));
        }
        let claimed = self.key.claim_in_tx(&tx, &*self.entropy).await?;
        let row = store::find_withheld(&*tx, id).await?;
        let row = row.ok_or(RewardError::UnknownWithheldCode)?;
        let kind = CouponKindId(row.kind_id);
        let stored = self.stored(kind, &row.sealed_code);
        let (_, code, plain) = stored.ok_or(RewardError::CodeInUse)?;
        let kinds = store::kinds_of_codes(&*tx).await?;
        let prints = [self.prints(&code)];
        let mut known = store::known_codes(&*tx, &prints, true).await?;
        // The other withheld copies stay where they are.
        known.retain(|code| !code.is_withheld);
        if !clash::clashes(kind, &prints, &known, &kinds).is_empty() {
            return Err(RewardError::CodeInUse);
        }
        store::delete_withheld(&tx, id).await?;
        let sealed = [self.sealed(&claimed, kind, (&code, plain.as_bytes()))];
        store::insert_codes(&tx, &claimed, kind, &sealed, row.created_at.0).await?;
        audit_in_tx(&tx, actor, ("COUPON_CODE_RELEASE", kind), id, now).await?;
        store_in_tx(&tx, actor.user_id, request, &(), now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(()))
    }

    async fn remove_withheld_once(
        &self,
        actor: &Actor,
        id: i64,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<()>, RewardError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, REWARDS).await?;
        if let Some(()) = find_in_tx(&tx, actor.user_id, request).await? {
            return Ok(Replayable::replayed(()));
        }
        let row = store::find_withheld(&*tx, id).await?;
        let row = row.ok_or(RewardError::UnknownWithheldCode)?;
        store::delete_withheld(&tx, id).await?;
        let kind = CouponKindId(row.kind_id);
        audit_in_tx(&tx, actor, ("COUPON_CODE_REMOVE", kind), id, now).await?;
        store_in_tx(&tx, actor.user_id, request, &(), now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(()))
    }
}

async fn audit_in_tx(
    tx: &DatabaseTransaction,
    actor: &Actor,
    (action, kind): (&'static str, CouponKindId),
    id: i64,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let change = Change {
        action,
        resource: &format!("coupon:{kind}"),
        before: json!({ "withheld": id }),
        after: Value::Null,
    };
    audit::write_in_tx(tx, actor, change, now).await
}

/// Codes that an older version took into the stocks of several kinds, for operators. Nobody knows to which
/// kind such a code belongs, so it is given to nobody until an operator decides. Every decision leaves a
/// row in the audit log, without codes.
impl RewardDesk {
    /// Withheld codes, newest first.
    pub async fn withheld(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<WithheldCode>, DbError> {
        let db = self.db.read();
        let page = store::withheld_page(db, limit, before).await?;
        let kinds = store::kinds_of_codes(db).await?;
        // By the fingerprints of today, which a code that was not composed has not had.
        let codes: Vec<_> = page
            .items
            .into_iter()
            .map(|row| {
                let stored = self.stored(CouponKindId(row.kind_id), &row.sealed_code);
                let prints = stored.map(|(_, code, _)| self.prints(&code).exact);
                let prints = prints.unwrap_or_else(|| vec![row.fingerprint.clone()]);
                (row, prints)
            })
            .collect();
        let prints = codes.iter().flat_map(|(_, prints)| prints);
        let copies = store::copies_in_stock(db, prints.map(String::as_str)).await?;
        let items = codes.into_iter().map(|(row, prints)| {
            let kind = CouponKindId(row.kind_id);
            let name = kinds.get(&kind).map(|kind| kind.name.clone());
            let copies = || prints.iter().filter_map(|print| copies.get(print));
            WithheldCode {
                id: row.id,
                kind,
                kind_name: name.unwrap_or_default(),
                masked: self.masked(kind, &row.sealed_code),
                is_given: copies().any(|(is_given, _)| *is_given),
                is_stocked: copies().any(|(_, is_stocked)| *is_stocked),
                created_at: row.created_at.0,
            }
        });
        Ok(Page {
            items: items.collect(),
            next: page.next,
        })
    }

    /// Puts a code into the stock of its kind, unless a copy of it is in a stock or was given away. The
    /// other copies stay withheld.
    pub async fn release_withheld(
        &self,
        actor: &Actor,
        id: i64,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<()>, RewardError> {
        retry_keyed(&self.db, request, || {
            self.release_withheld_once(actor, id, request, now)
        })
        .await
    }

    /// Takes a code out of the database.
    pub async fn remove_withheld(
        &self,
        actor: &Actor,
        id: i64,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<()>, RewardError> {
        retry_keyed(&self.db, request, || {
            self.remove_withheld_once(actor, id, request, now)
        })
        .await
    }
}
