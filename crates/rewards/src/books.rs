use chrono::{DateTime, Utc};
use sea_orm::{DatabaseTransaction, QueryResult, sea_query::SelectStatement};
use xmas_activity::{ActivityLog, Event, EventWriter};
use xmas_kernel::{Asset, CouponKindId, db::DbError};
use xmas_players::{LockedPlayer, lock_beside_in_tx};

use crate::{
    Spend, SpendError,
    purse::{Change, Purse},
    store::{self, NewReceipt, ReservedCode},
};

/// Who moved a balance, when it was the player's own doing.
pub(crate) const PLAYER: &str = "player";

/// What a use case does to one player: it is kept here until all of it is known, and then written in one statement a
/// table.
pub struct Books<'a> {
    pub tx: &'a DatabaseTransaction,
    pub player: &'a LockedPlayer,
    pub now: DateTime<Utc>,
    purse: Purse,
    receipts: Vec<NewReceipt>,
    codes: Vec<(ReservedCode, String)>,
    events: Vec<Event>,
}

impl<'a> Books<'a> {
    /// Adds what books begin with to the statement that locks the player.
    pub fn join(select: &mut SelectStatement) {
        Purse::join(select);
    }

    /// Begins with what [`Books::join`] has brought.
    pub fn open(
        tx: &'a DatabaseTransaction,
        player: &'a LockedPlayer,
        rows: &[QueryResult],
        now: DateTime<Utc>,
    ) -> Result<Self, DbError> {
        Ok(Self {
            tx,
            player,
            now,
            purse: Purse::joined(player, rows)?,
            receipts: Vec::new(),
            codes: Vec::new(),
            events: Vec::new(),
        })
    }

    /// The same, for whoever has locked the player in an earlier statement.
    pub async fn lock_in_tx(
        tx: &'a DatabaseTransaction,
        player: &'a LockedPlayer,
        now: DateTime<Utc>,
    ) -> Result<Self, DbError> {
        let rows = lock_beside_in_tx(tx, player, Self::join).await?;
        Self::open(tx, player, &rows, now)
    }

    /// What the player holds of one asset.
    pub fn balance(&self, asset: Asset) -> i64 {
        self.purse.balance(asset)
    }

    /// Takes tokens; returns the new balance. Takes nothing when there are too few.
    pub fn spend(&mut self, spend: &Spend) -> Result<i64, SpendError> {
        let change = Change {
            asset: spend.asset,
            delta: -spend.amount,
            reason: spend.reason,
            reference: &spend.reference,
            actor: PLAYER,
        };
        self.change(&change).ok_or(SpendError::NotEnough)
    }

    /// Tells the observers what the player did, and notes it, and what they made of it, to be written.
    pub async fn record(
        &mut self,
        log: &ActivityLog,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<(), DbError> {
        let mut more = Vec::new();
        for event in events {
            let made = log.tell_in_tx(self.tx, self.player, &event, self.now);
            more.extend(made.await?);
            self.events.push(event);
        }
        self.events.append(&mut more);
        Ok(())
    }

    /// Writes all of it.
    pub async fn write_in_tx(self) -> Result<(), DbError> {
        Self::write_all_in_tx(vec![self]).await
    }

    /// Writes all of it, of several players in one transaction.
    pub async fn write_all_in_tx(all: Vec<Self>) -> Result<(), DbError> {
        let Some((tx, now)) = all.last().map(|books| (books.tx, books.now)) else {
            return Ok(());
        };
        let (mut purses, mut receipts) = (Vec::new(), Vec::new());
        let (mut codes, mut events) = (Vec::new(), Vec::new());
        for books in all {
            purses.push(books.purse);
            receipts.extend(books.receipts);
            codes.extend(books.codes);
            let (player, now) = (books.player, books.now);
            events.extend(books.events.into_iter().map(|event| (player, event, now)));
        }
        Purse::write_all_in_tx(tx, purses, now).await?;
        store::insert_receipts(tx, receipts).await?;
        for (code, grant_key) in codes {
            store::take_code_for(tx, code, &grant_key, now).await?;
        }
        let events = events
            .iter()
            .map(|(player, event, now)| (*player, event, *now));
        EventWriter.write_all_in_tx(tx, events).await
    }

    /// Whether it gives a coupon's code. Others in the same transaction do not see that before it is written.
    pub fn give_codes(&self) -> bool {
        !self.codes.is_empty()
    }

    pub(crate) fn change(&mut self, change: &Change<'_>) -> Option<i64> {
        self.purse.change(change, self.now)
    }

    pub(crate) fn issue(&mut self, receipt: NewReceipt) {
        self.receipts.push(receipt);
    }

    /// Gives a code of a kind to a receipt; `false` if none is left.
    pub(crate) async fn give_code(
        &mut self,
        kind: CouponKindId,
        grant_key: &str,
    ) -> Result<bool, DbError> {
        let reserved = self.codes.iter().map(|(code, _)| *code);
        let code = store::reserve_code(self.tx, kind, reserved).await?;
        self.codes
            .extend(code.map(|code| (code, grant_key.to_owned())));
        Ok(code.is_some())
    }

    /// Notes what nobody observes.
    pub(crate) fn note(&mut self, event: Event) {
        self.events.push(event);
    }
}
