use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use xmas_kernel::{
    BundleId, CouponKindId, Problem, RewardId, UserId,
    db::{Constraint, Db, DbError, retry},
    entropy::Entropy,
    paging::{Cursor, Limit, Page},
    seal::DataKey,
};
use xmas_players::lock_by_id_in_tx;

use crate::{
    CouponCode, NewBundle, NewCouponKind, Reviewer, Reward, RewardError, RewardReceipt,
    RewardService, RewardState, Rewards,
    participant::REASON_CHARACTERS,
    rules,
    store::{self, SealedCode},
};

/// [`RewardService`] on the database.
#[derive(Clone)]
pub struct RewardDesk {
    db: Db,
    key: DataKey,
    entropy: Arc<dyn Entropy>,
    rewards: Rewards,
}

/// What a code is sealed for: a code copied to another kind does not open.
fn place(kind: CouponKindId) -> String {
    format!("coupon_code:{kind}")
}

/// A duplicate name is told as such.
fn named(error: DbError) -> RewardError {
    match error.constraint() {
        Some(Constraint::BundleName | Constraint::CouponKindName) => RewardError::NameTaken,
        _ => error.into(),
    }
}

impl RewardDesk {
    /// `key` is `DATA_KEY`.
    pub fn new(db: Db, key: DataKey, entropy: Arc<dyn Entropy>, rewards: Rewards) -> Self {
        Self {
            db,
            key,
            entropy,
            rewards,
        }
    }

    /// [`RewardService::add_bundle`] in a transaction of the caller's.
    pub async fn add_bundle_in_tx(
        tx: &DatabaseTransaction,
        bundle: &NewBundle,
        now: DateTime<Utc>,
    ) -> Result<BundleId, RewardError> {
        let problems = rules::check_bundle(bundle);
        if !problems.is_empty() {
            return Err(RewardError::Invalid(problems));
        }
        store::insert_bundle(tx, bundle, now).await.map_err(named)
    }

    /// [`RewardService::add_coupon_kind`] in a transaction of the caller's.
    pub async fn add_coupon_kind_in_tx(
        tx: &DatabaseTransaction,
        kind: &NewCouponKind,
        now: DateTime<Utc>,
    ) -> Result<CouponKindId, RewardError> {
        let problems = rules::check_coupon_kind(kind);
        if !problems.is_empty() {
            return Err(RewardError::Invalid(problems));
        }
        let inserted = store::insert_coupon_kind(tx, kind, now).await;
        inserted.map_err(named)
    }

    /// [`RewardService::add_codes`] in a transaction of the caller's.
    pub async fn add_codes_in_tx(
        &self,
        tx: &DatabaseTransaction,
        kind: CouponKindId,
        codes: &[CouponCode],
        now: DateTime<Utc>,
    ) -> Result<(), RewardError> {
        if store::coupon_kinds(tx, [kind]).await?.is_empty() {
            return Err(RewardError::UnknownCouponKind);
        }
        let place = place(kind);
        let seal = |code: &CouponCode| {
            let plain = code.expose().as_bytes();
            SealedCode {
                fingerprint: self.key.fingerprint(plain),
                sealed: self.key.seal(&place, plain, &*self.entropy),
            }
        };
        let codes: Vec<SealedCode> = codes.iter().map(seal).collect();
        let known = store::known_codes(tx, kind, &codes).await?;
        let mut seen = HashSet::new();
        let duplicates = codes.iter().enumerate().filter(|(_, code)| {
            known.contains(&code.fingerprint) || !seen.insert(code.fingerprint.as_str())
        });
        let duplicates: Vec<usize> = duplicates.map(|(line, _)| line).collect();
        if !duplicates.is_empty() {
            return Err(RewardError::DuplicateCodes(duplicates));
        }
        let inserted = store::insert_codes(tx, kind, codes, now).await;
        inserted.map_err(|error| match error.constraint() {
            // Another upload was faster; asked again, its codes are found and named.
            Some(Constraint::CouponCode) => RewardError::DuplicateCodes(Vec::new()),
            _ => error.into(),
        })
    }

    async fn add_codes_once(
        &self,
        kind: CouponKindId,
        codes: &[CouponCode],
        now: DateTime<Utc>,
    ) -> Result<(), RewardError> {
        let tx = self.db.begin().await?;
        self.add_codes_in_tx(&tx, kind, codes, now).await?;
        Ok(tx.commit().await?)
    }

    async fn decide_once(
        &self,
        reward: RewardId,
        (state, reason): (RewardState, Option<&str>),
        reviewer: &Reviewer,
        now: DateTime<Utc>,
    ) -> Result<RewardReceipt, RewardError> {
        let tx = self.db.begin().await?;
        // Read for its player, who is locked before anything of theirs is changed.
        let receipt = store::find_receipt(&*tx, reward).await?;
        let mut receipt = receipt.ok_or(RewardError::NotFound)?;
        let player = lock_by_id_in_tx(&tx, receipt.user_id).await?;
        let player = player
            .ok_or_else(|| DbError::Corrupt(format!("reward_log {reward} belongs to nobody")))?;
        let actor = &reviewer.actor;
        if !store::end_wait(&tx, reward, (state, reason), actor, now).await? {
            return Err(RewardError::NotPending);
        }
        let deliver = state == RewardState::Delivered;
        if deliver
            && !self
                .rewards
                .deliver_in_tx(&tx, &player, &receipt, actor, now)
                .await?
        {
            return Err(RewardError::NoCouponLeft);
        }
        let meta = json!({
            "grant_key": receipt.grant_key,
            "reward_type": receipt.reward.kind(),
            "amount": receipt.reward.amount(),
            "item": receipt.reward.item(),
            "state": state,
            "reason": reason,
            "decided_by": actor,
        });
        self.rewards.tell_in_tx(&tx, &player, meta, now).await?;
        tx.commit().await?;
        receipt.state = state;
        receipt.reason = reason.map(str::to_owned);
        Ok(receipt)
    }
}

/// [`RewardService::are_deliverable`] in a transaction of the caller's.
pub async fn are_deliverable(
    conn: &impl ConnectionTrait,
    rewards: &[Reward],
) -> Result<bool, DbError> {
    let bundles = rewards.iter().filter_map(|reward| reward.bundle_id());
    let bundles: HashSet<BundleId> = bundles.collect();
    let kinds = rewards.iter().filter_map(|reward| reward.coupon_kind());
    let kinds: HashSet<CouponKindId> = kinds.collect();
    let known_bundles = store::bundles(conn, bundles.iter().copied()).await?;
    let known_kinds = store::coupon_kinds(conn, kinds.iter().copied()).await?;
    Ok(known_bundles.len() == bundles.len() && known_kinds.len() == kinds.len())
}

#[async_trait]
impl RewardService for RewardDesk {
    async fn are_deliverable(&self, rewards: &[Reward]) -> Result<bool, DbError> {
        are_deliverable(self.db.read(), rewards).await
    }

    async fn coupon_codes(
        &self,
        user_id: UserId,
        grant_keys: &[String],
    ) -> Result<HashMap<String, String>, DbError> {
        if grant_keys.is_empty() {
            return Ok(HashMap::new());
        }
        let sealed = store::codes_of_grants(self.db.read(), user_id, grant_keys).await?;
        let open = |(grant_key, kind, sealed): (String, CouponKindId, String)| {
            let opened = self.key.open(&place(kind), &sealed);
            // One code that cannot be read takes no other one away.
            if let Err(error) = opened {
                tracing::error!(grant_key, %error, "a coupon code cannot be shown to its winner");
            }
            let code = String::from_utf8(opened.ok()?).ok()?;
            Some((grant_key, code))
        };
        Ok(sealed.into_iter().filter_map(open).collect())
    }

    async fn add_bundle(
        &self,
        bundle: &NewBundle,
        now: DateTime<Utc>,
    ) -> Result<BundleId, RewardError> {
        let tx = self.db.begin().await?;
        let id = Self::add_bundle_in_tx(&tx, bundle, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn add_coupon_kind(
        &self,
        kind: &NewCouponKind,
        now: DateTime<Utc>,
    ) -> Result<CouponKindId, RewardError> {
        let tx = self.db.begin().await?;
        let id = Self::add_coupon_kind_in_tx(&tx, kind, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn add_codes(
        &self,
        kind: CouponKindId,
        codes: &[CouponCode],
        now: DateTime<Utc>,
    ) -> Result<(), RewardError> {
        retry(|| self.add_codes_once(kind, codes, now)).await
    }

    async fn free_codes(&self, kind: CouponKindId) -> Result<u64, RewardError> {
        Ok(store::free_codes(self.db.read(), kind).await?)
    }

    async fn pending(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<RewardReceipt>, RewardError> {
        Ok(store::pending(self.db.read(), limit, before).await?)
    }

    async fn approve(
        &self,
        reward: RewardId,
        reviewer: &Reviewer,
        now: DateTime<Utc>,
    ) -> Result<RewardReceipt, RewardError> {
        let decision = (RewardState::Delivered, None);
        retry(|| self.decide_once(reward, decision, reviewer, now)).await
    }

    async fn reject(
        &self,
        reward: RewardId,
        reason: &str,
        reviewer: &Reviewer,
        now: DateTime<Utc>,
    ) -> Result<RewardReceipt, RewardError> {
        let reason = reason.trim();
        if !(1..=REASON_CHARACTERS).contains(&reason.chars().count()) {
            let problem = format!("has 1 to {REASON_CHARACTERS} characters");
            return Err(RewardError::Invalid(vec![Problem::new("reason", problem)]));
        }
        let decision = (RewardState::Rejected, Some(reason));
        retry(|| self.decide_once(reward, decision, reviewer, now)).await
    }
}
