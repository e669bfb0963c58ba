use chrono::{DateTime, Utc};
use serde_json::json;
use xmas_kernel::{
    Problem,
    audit::{self, Actor},
    idempotency::{Replayable, RequestKey, find_in_tx, retry_keyed, store_in_tx},
};
use xmas_players::{Inactive, RecipientError, lock_recipient_in_tx};
use xmas_texts::{player, wallet};

use crate::{
    Order, OrderDone, OrderError, OrderKind, Wallets,
    order::{self, Directory, Nobody},
    purse::{Change, Purse},
};

impl From<Nobody> for OrderError {
    fn from(nobody: Nobody) -> Self {
        match nobody {
            Nobody::Unnamed => OrderError::NobodyNamed,
            Nobody::Unknown => OrderError::UnknownPlayer,
            Nobody::Ambiguous => {
                let problem = Problem::new("external_id", player::names_differ());
                OrderError::Invalid(vec![problem])
            }
        }
    }
}

impl Wallets {
    async fn carry_out_once(
        &self,
        actor: &Actor,
        order: &Order,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<OrderDone>, OrderError> {
        let tx = self.db.begin().await?;
        let directory = Directory::of(&*tx, std::iter::once(&order.who)).await?;
        let player = directory.find(&order.who)?;
        let user_id = player.user_id;
        // What is taken is taken from whoever has it.
        let inactive = Inactive::forced(order.force || order.kind.takes());
        let locked = match lock_recipient_in_tx(&tx, user_id, inactive).await {
            Err(RecipientError::Db(error)) => return Err(error.into()),
            locked => locked,
        };
        // The key is the operator's. Two equal requests are about one player, so the second one has
        // waited for the first one's lock. An answer is given again whatever has become of the player.
        if let Some(earlier) = find_in_tx::<OrderDone>(&tx, actor.user_id, request).await? {
            return Ok(Replayable::replayed(OrderDone {
                external_id: player.external_id.clone(),
                ..earlier
            }));
        }
        let locked = locked?;
        let delta = order.kind.delta(order.amount);
        let change = Change {
            asset: order.asset,
            delta,
            reason: order.kind.ledger_reason(),
            // Leads to the audit log.
            reference: &format!("request:{}", actor.request_id),
            actor: &actor.name,
        };
        let mut purse = Purse::lock_in_tx(&tx, &locked).await?;
        let balance = purse.change(&change, now);
        let balance = balance.ok_or_else(|| impossible(order))?;
        Purse::write_all_in_tx(&tx, vec![purse], now).await?;
        let nameless = OrderDone {
            user_id,
            external_id: String::new(),
            asset: order.asset,
            balance,
        };
        let audit_row = audit::Change {
            action: match order.kind {
                OrderKind::Grant => "TOKEN_GRANT",
                OrderKind::Revoke => "TOKEN_REVOKE",
                OrderKind::Payout => "TOKEN_PAYOUT",
            },
            resource: &format!("user:{user_id}"),
            before: json!({ "token_type": order.asset, "balance": balance - delta }),
            after: json!({
                "token_type": order.asset,
                "balance": balance,
                "delta": delta,
                "reason": order.reason,
            }),
        };
        let reason = actor.reason.clone().or_else(|| order.reason.clone());
        let because = Actor {
            reason,
            ..actor.clone()
        };
        audit::write_in_tx(&tx, &because, audit_row, now).await?;
        // A stored answer outlives a name.
        store_in_tx(&tx, actor.user_id, request, &nameless, now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(OrderDone {
            external_id: player.external_id.clone(),
            ..nameless
        }))
    }
}

/// Why a balance cannot be changed.
fn impossible(order: &Order) -> OrderError {
    if order.kind.takes() {
        return OrderError::NotEnough;
    }
    let problem = Problem::new("amount", wallet::wallet_is_full());
    OrderError::Invalid(vec![problem])
}

/// What operators give to a player, and take. Each is a row in the ledger and one in the audit log.
impl Wallets {
    /// Carries an order out, once per request.
    pub async fn carry_out(
        &self,
        actor: &Actor,
        order: &Order,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<OrderDone>, OrderError> {
        let problems = order::check(order.kind, order.asset, order.amount);
        if !problems.is_empty() {
            return Err(OrderError::Invalid(problems));
        }
        retry_keyed(&self.db, request, || {
            self.carry_out_once(actor, order, request, now)
        })
        .await
    }
}
