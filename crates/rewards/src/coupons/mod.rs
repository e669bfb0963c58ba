mod clash;
mod model;
mod rules;
mod seal;
mod withheld;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value, json};
use xmas_kernel::{
    CouponKindId, Problem,
    audit::{self, Actor, Change},
    db::{DbError, retry},
    idempotency::{Replayable, RequestKey, find_in_tx, retry_keyed, store_in_tx},
    paging::{Cursor, Limit, Page},
    text::{self, Kept},
    version,
};
use xmas_texts::reward as texts;

pub use model::{
    ClashWith, CodeClash, CodeState, CodeStock, CouponCode, CouponKind, CouponKindEdit,
    CouponStock, MalformedCode, NewCouponKind, StockedCode, WithheldCode,
};
pub use rules::check_coupon_kind;
pub(crate) use seal::place;
pub use seal::{SealedCoupons, StockedCodes, WithheldCodes};

use crate::{
    RewardDesk, RewardError, constraints,
    desk::{REWARDS, name_conflict},
    store::{self, CodePrints, SealedCode},
};

impl RewardDesk {
    /// Adds codes in a transaction of the caller's, who may be nobody in particular.
    pub async fn add_codes_in_tx(
        &self,
        tx: &DatabaseTransaction,
        kind: CouponKindId,
        codes: &[CouponCode],
        now: DateTime<Utc>,
    ) -> Result<(), RewardError> {
        self.insert_codes_in_tx(tx, kind, codes, now).await
    }

    /// Whether codes may be added to the stock of a kind.
    async fn check_codes_on(
        conn: &impl ConnectionTrait,
        kind: CouponKindId,
        codes: &[CodePrints],
    ) -> Result<(), RewardError> {
        let kinds = store::kinds_of_codes(conn).await?;
        if !kinds.contains_key(&kind) {
            return Err(RewardError::UnknownCouponKind);
        }
        let by_case = kinds.values().any(|kind| kind.ignores_case);
        let known = store::known_codes(conn, codes, by_case).await?;
        let clashes = clash::clashes(kind, codes, &known, &kinds);
        if clashes.is_empty() {
            Ok(())
        } else {
            Err(RewardError::CodesClash(clashes))
        }
    }

    async fn insert_codes_in_tx(
        &self,
        tx: &DatabaseTransaction,
        kind: CouponKindId,
        codes: &[CouponCode],
        now: DateTime<Utc>,
    ) -> Result<(), RewardError> {
        // First: what others seal with an older key is there by now, and nobody adds to it.
        let claimed = self.key.claim_in_tx(tx, &*self.entropy).await?;
        let prints: Vec<CodePrints> = codes.iter().map(|code| self.prints(code)).collect();
        Self::check_codes_on(tx, kind, &prints).await?;
        let seal = |code: &CouponCode| {
            let plain = code.expose().as_bytes();
            self.sealed(&claimed, kind, (code, plain))
        };
        let sealed: Vec<SealedCode> = codes.iter().map(seal).collect();
        let inserted = store::insert_codes(tx, &claimed, kind, &sealed, now).await;
        inserted.map_err(|error| {
            let is_there = error.violates(&constraints::COUPON_CODE)
                || error.violates(&constraints::COUPON_CODE_ONCE);
            match is_there {
                // Another upload was faster; asked again, its codes are found and named.
                true => RewardError::CodesClash(Vec::new()),
                false => error.into(),
            }
        })
    }

    async fn add_codes_once(
        &self,
        actor: &Actor,
        kind: CouponKindId,
        codes: &[CouponCode],
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<CouponKind>, RewardError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, REWARDS).await?;
        let earlier: Option<CouponStock> = find_in_tx(&tx, actor.user_id, request).await?;
        if let Some(stock) = earlier {
            let stocked = store::coupon_kind(&*tx, kind).await?;
            let stocked = stocked.ok_or(RewardError::UnknownCouponKind)?;
            return Ok(Replayable::replayed(CouponKind { stock, ..stocked }));
        }
        self.insert_codes_in_tx(&tx, kind, codes, now).await?;
        let change = Change {
            action: "COUPON_CODES_ADD",
            resource: &format!("coupon:{kind}"),
            before: Value::Null,
            after: json!({ "added": codes.len() }),
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        let stocked = store::coupon_kind(&*tx, kind).await?;
        let stocked = stocked.ok_or(RewardError::UnknownCouponKind)?;
        store_in_tx(&tx, actor.user_id, request, &stocked.stock, now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(stocked))
    }

    async fn add_coupon_kind_once(
        &self,
        actor: &Actor,
        kind: &NewCouponKind,
        now: DateTime<Utc>,
    ) -> Result<CouponKind, RewardError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, REWARDS).await?;
        let added = Self::create_coupon_kind_in_tx(&tx, Some(actor), kind, now).await?;
        tx.commit().await?;
        Ok(added)
    }

    /// Adds a kind that keeps its rules, or else what is wrong with it, and writes it to the audit log.
    pub(crate) async fn create_coupon_kind_in_tx(
        tx: &DatabaseTransaction,
        actor: Option<&Actor>,
        kind: &NewCouponKind,
        now: DateTime<Utc>,
    ) -> Result<CouponKind, RewardError> {
        let problems = check_coupon_kind(kind, &Kept::default());
        if !problems.is_empty() {
            return Err(RewardError::Invalid(problems));
        }
        let inserted = store::insert_coupon_kind(tx, kind, now).await;
        let added = CouponKind {
            id: inserted.map_err(name_conflict)?,
            name: kind.name.clone(),
            manual: kind.manual,
            ignores_case: kind.ignores_case,
            created_at: now,
            stock: CouponStock::default(),
        };
        let change = Change {
            action: "COUPON_KIND_CREATE",
            resource: &format!("coupon:{}", added.id),
            before: Value::Null,
            after: audit::state(&added.editable()),
        };
        audit::write_in_tx(tx, actor, change, now).await?;
        Ok(added)
    }

    async fn edit_coupon_kind_once(
        &self,
        actor: &Actor,
        id: CouponKindId,
        edit: &CouponKindEdit,
        now: DateTime<Utc>,
    ) -> Result<CouponKind, RewardError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, REWARDS).await?;
        let before = store::coupon_kind(&*tx, id).await?;
        let before = before.ok_or(RewardError::UnknownCouponKind)?;
        version::expect(edit.seen.as_ref(), &before.version())?;
        let saved = NewCouponKind {
            name: text::edited(
                edit.name.as_ref().unwrap_or(&before.name),
                Some(&before.name),
            ),
            manual: edit.manual.unwrap_or(before.manual),
            ignores_case: edit.ignores_case.unwrap_or(before.ignores_case),
        };
        let saved = self.save_coupon_kind_in_tx(&tx, Some(actor), before, saved, now);
        let after = saved.await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Makes a kind what is said, checked as a whole, and writes it to the audit log. Turning `ignores_case` on needs every
    /// code's print ([`RewardDesk::complete_codes`]).
    pub(crate) async fn save_coupon_kind_in_tx(
        &self,
        tx: &DatabaseTransaction,
        actor: Option<&Actor>,
        before: CouponKind,
        saved: NewCouponKind,
        now: DateTime<Utc>,
    ) -> Result<CouponKind, RewardError> {
        let id = before.id;
        // An edit that changes nothing leaves no trace.
        let is_same = (&saved.name, saved.manual) == (&before.name, before.manual);
        if is_same && saved.ignores_case == before.ignores_case {
            return Ok(before);
        }
        let kept = [before.name.as_str()].into_iter().collect();
        let mut problems = check_coupon_kind(&saved, &kept);
        if saved.ignores_case && !before.ignores_case {
            let alike = store::alike_but_for_case(tx, id).await?;
            // Codes under two keys cannot be compared without regard to case. Nothing is sealed again before the
            // end of this transaction.
            if self.key.is_rotating(tx).await? {
                problems.push(Problem::new("ignores_case", texts::case_during_rotation()));
            } else if alike > 0 {
                problems.push(Problem::new("ignores_case", texts::case_of_codes(alike)));
            }
        }
        if !problems.is_empty() {
            return Err(RewardError::Invalid(problems));
        }
        let updated = store::update_coupon_kind(tx, id, &saved).await;
        updated.map_err(name_conflict)?;
        let after = CouponKind {
            name: saved.name,
            manual: saved.manual,
            ignores_case: saved.ignores_case,
            ..before.clone()
        };
        let change = Change {
            action: "COUPON_KIND_UPDATE",
            resource: &format!("coupon:{id}"),
            before: audit::state(&before.editable()),
            after: audit::state(&after.editable()),
        };
        audit::write_in_tx(tx, actor, change, now).await?;
        Ok(after)
    }

    /// The beginning of a code. One that cannot be opened shows nothing.
    fn masked(&self, kind: CouponKindId, sealed: &str) -> String {
        let opened = self.key.open(&place(kind), sealed);
        if let Err(error) = &opened {
            tracing::error!(%kind, %error, "a coupon code in the stock cannot be opened");
        }
        let code = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        rules::masked(&code.unwrap_or_default())
    }
}

/// Kinds of coupons and their codes for operators. Every change leaves a row in the audit log, without
/// codes.
impl RewardDesk {
    /// Kinds of coupons, newest first.
    pub async fn coupon_kinds(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<CouponKind>, DbError> {
        store::coupon_kind_page(self.db.read(), limit, before).await
    }

    /// A kind of coupon, and how its stock stands.
    pub async fn coupon_kind(&self, id: CouponKindId) -> Result<CouponKind, RewardError> {
        let kind = store::coupon_kind(self.db.read(), id).await?;
        kind.ok_or(RewardError::UnknownCouponKind)
    }

    /// Adds a kind of coupon, without codes.
    pub async fn add_coupon_kind(
        &self,
        actor: &Actor,
        kind: &NewCouponKind,
        now: DateTime<Utc>,
    ) -> Result<CouponKind, RewardError> {
        let kind = NewCouponKind {
            name: text::nfc(&kind.name).into_owned(),
            ..*kind
        };
        retry(|| self.add_coupon_kind_once(actor, &kind, now)).await
    }

    /// Changes a kind. Coupons of it that are won from now on are treated so.
    pub async fn edit_coupon_kind(
        &self,
        actor: &Actor,
        id: CouponKindId,
        edit: &CouponKindEdit,
        now: DateTime<Utc>,
    ) -> Result<CouponKind, RewardError> {
        if edit.ignores_case == Some(true) {
            self.complete_codes().await?;
        }
        retry(|| self.edit_coupon_kind_once(actor, id, edit, now)).await
    }

    /// Adds codes to the stock of a kind, once per request: all of them, or none if any is there already. Says how
    /// the stock stands then.
    pub async fn add_codes(
        &self,
        actor: &Actor,
        kind: CouponKindId,
        codes: &[CouponCode],
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<CouponKind>, RewardError> {
        let key = self.key.as_of(&self.db).await?;
        let request = request.map(|request| request.with_secrets(&key));
        let request = request.as_ref();
        self.complete_codes().await?;
        retry_keyed(&self.db, request, async || {
            match self.add_codes_once(actor, kind, codes, request, now).await {
                Err(RewardError::CodesClash(unnamed)) if unnamed.is_empty() => {
                    let prints: Vec<_> = codes.iter().map(|code| self.prints(code)).collect();
                    Self::check_codes_on(self.db.read(), kind, &prints).await?;
                    // What was faster is gone again.
                    self.add_codes_once(actor, kind, codes, request, now).await
                }
                added => added,
            }
        })
        .await
    }

    /// Whether [`RewardDesk::add_codes`] would add these.
    pub async fn check_codes(
        &self,
        kind: CouponKindId,
        codes: &[CouponCode],
    ) -> Result<CouponKind, RewardError> {
        let prints: Vec<CodePrints> = codes.iter().map(|code| self.prints(code)).collect();
        Self::check_codes_on(self.db.read(), kind, &prints).await?;
        self.coupon_kind(kind).await
    }

    /// The stock of a kind, newest first.
    pub async fn codes(
        &self,
        kind: CouponKindId,
        state: Option<CodeState>,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<CodeStock, RewardError> {
        let of_kind = self.coupon_kind(kind).await?;
        let page = store::code_page(self.db.read(), kind, state, limit, before).await?;
        let code = |row: store::CodeRow| StockedCode {
            masked: self.masked(kind, &row.sealed),
            id: row.id,
            reward_id: row.reward_id,
            created_at: row.created_at,
            taken_at: row.taken_at,
        };
        let codes = Page {
            items: page.items.into_iter().map(code).collect(),
            next: page.next,
        };
        Ok(CodeStock {
            kind: of_kind,
            codes,
        })
    }
}
