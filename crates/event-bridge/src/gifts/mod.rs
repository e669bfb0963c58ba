//! Keys that an operator gives, and takes back if that was a mistake.
//!
//! A gift to everybody is registered first and then given in chunks, each in a transaction of its own
//! that locks the chunk's players first and the bridge after them. Whoever finds it open, because a
//! process was killed or because somebody else is at it, goes on with it: who has the key gets no second
//! one. Each key that was given is noted with its gift, so that it is these that are taken back, and none
//! that a player has earned.

pub(crate) mod earned;
mod model;
mod store;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value, json};
use xmas_activity::{EventKind, EventWriter, active_players};
use xmas_kernel::{
    BridgeId, Feature, GiftId, Problem, UserId,
    audit::{self, Actor, Change},
    db::{DbError, retry, retry_repeatable},
    idempotency::{Replayable, RequestKey, find, find_in_tx, once, retry_keyed, store_in_tx},
    paging::{Cursor, Limit, Page},
    text::Lines,
};
use xmas_players::{
    Inactive, RecipientError, add_key_many_in_tx, lock_many_in_tx, lock_recipient_in_tx,
    lock_recipients_in_tx, next_players, players_by_id, resolve, take_key_many_in_tx,
};
use xmas_rewards::known_grants;
use xmas_season_pass::{key_owners, stamp_key_many_in_tx, unstamp_key_many_in_tx};
use xmas_texts::{Text, bridge as texts};
use xmas_time::EventDay;

pub use model::{Gift, GiftState, GiftSummary, GiftTally, KeyOrder, KeysGiven, KeysTaken};

use self::store::{KeyState, NewGift};
use crate::{
    Bridge, BridgeDay, BridgeError, BridgeState,
    events::{given_key_meta, taken_key_meta},
    rules,
    settlement::Settlement,
    store::{bridges, stage, take_turn},
};

/// How many players one transaction usually gives a key, or takes one from; also the most.
pub const USUAL_CHUNK: u64 = 1_000;

/// How work on many players is done.
#[derive(Clone, Copy)]
pub struct Pace<'a> {
    /// Players in one transaction.
    pub chunk: u64,
    /// Hears how many players have been looked at.
    pub progress: &'a (dyn Fn(u64) + Send + Sync),
}

impl Pace<'_> {
    /// As fast as it goes, and nobody watches.
    pub fn usual() -> Self {
        Self {
            chunk: USUAL_CHUNK,
            progress: &|_| (),
        }
    }

    fn chunk(&self) -> u64 {
        self.chunk.clamp(1, USUAL_CHUNK)
    }
}

/// What a gift would be, after everything was looked at that could refuse it.
struct Plan {
    bridge: Bridge,
    day: BridgeDay,
    player: Option<UserId>,
    inactive: Inactive,
    reason: String,
}

/// Whether an operator's work is done, or only looked at.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// Changes nothing, and says what would be.
    DryRun,
    /// Is done: once per request, if there is a key.
    Do(Option<&'a RequestKey>),
}

impl Settlement {
    async fn plan(
        &self,
        actor: &Actor,
        order: &KeyOrder,
        now: DateTime<Utc>,
    ) -> Result<Plan, BridgeError> {
        let bridge = match order.bridge {
            Some(bridge) => self.find_by_id(bridge).await?,
            None => self.open().await?,
        };
        if bridge.state == BridgeState::Closed {
            return Err(BridgeError::Closed);
        }
        let reason = checked_reason(actor)?;
        let day = giveable(&bridge, order.day_number, now)?;
        let db = self.options.db.read();
        let player = match &order.player {
            Some(named) => {
                let player = resolve(db, named).await?;
                let found = players_by_id(db, &[player]).await?.remove(&player);
                let found = found.ok_or(RecipientError::Unknown)?;
                found.reach.admit(order.inactive)?;
                Some(player)
            }
            None => None,
        };
        Ok(Plan {
            bridge,
            day,
            player,
            inactive: order.inactive,
            reason,
        })
    }

    /// Gives the key of one day to one player, or to all who were active on any day of the bridge; the
    /// actor says why. Sent again after it was interrupted it goes on where it stopped.
    pub async fn give(
        &self,
        actor: &Actor,
        order: &KeyOrder,
        mode: Mode<'_>,
        pace: Pace<'_>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<KeysGiven>, BridgeError> {
        let request = match mode {
            Mode::DryRun => {
                let plan = self.plan(actor, order, now).await?;
                return Ok(Replayable::fresh(self.preview(&plan).await?));
            }
            Mode::Do(request) => request,
        };
        if order.player.is_none() {
            let work = async {
                let plan = self.plan(actor, order, now).await?;
                self.give_to_all(actor, &plan, pace, now).await
            };
            return once(&self.options.db, (actor.user_id, request), now, work).await;
        }
        // An answer is given again, whatever has become of the bridge and the player since.
        let earlier = find(self.options.db.read(), actor.user_id, request).await?;
        if let Some(earlier) = earlier {
            return Ok(Replayable::replayed(earlier));
        }
        let plan = self.plan(actor, order, now).await?;
        retry_keyed(&self.options.db, request, || {
            self.give_to_one_once(actor, &plan, request, now)
        })
        .await
    }

    async fn preview(&self, plan: &Plan) -> Result<KeysGiven, DbError> {
        let db = self.options.db.read();
        let (mut lacking, mut all) = (0, 0);
        if let Some(player) = plan.player {
            lacking = lack(db, &plan.bridge, &plan.day.event_type, &[player])
                .await?
                .len();
            all = 1;
        } else {
            let mut pages = Recipients::of(&plan.bridge, USUAL_CHUNK);
            while let Some(players) = pages.next(db).await? {
                all += players.len();
                lacking += lack(db, &plan.bridge, &plan.day.event_type, &players)
                    .await?
                    .len();
            }
        }
        let tally = (lacking as u64, lacking as u64);
        Ok(given(None, tally, all as u64, plan.day.points))
    }

    /// The gift to one player in one transaction: whoever has the key already may have it from an earlier
    /// one, and that is named.
    async fn give_to_one_once(
        &self,
        actor: &Actor,
        plan: &Plan,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<KeysGiven>, BridgeError> {
        let player = plan.player.ok_or(RecipientError::Unknown)?;
        let tx = self.options.db.begin().await?;
        let locked = lock_recipient_in_tx(&tx, player, plan.inactive).await;
        if let Err(RecipientError::Db(error)) = locked {
            return Err(error.into());
        }
        // The same request may have waited for this lock, or have had it.
        if let Some(earlier) = find_in_tx(&tx, actor.user_id, request).await? {
            return Ok(Replayable::replayed(earlier));
        }
        locked?;
        if !take_turn(&tx, plan.bridge.id).await?.takes_keys() {
            return Err(BridgeError::Closed);
        }
        // The key is worth what its day says now.
        let (bridge, day) = current(&tx, plan, now).await?;
        if lack(&*tx, &bridge, &day.event_type, &[player])
            .await?
            .is_empty()
        {
            let earlier = store::given_to(&*tx, player, (bridge.id, day.number)).await?;
            let points = earlier.as_ref().map_or(0, |gift| gift.points);
            let result = given(earlier.map(|gift| gift.id), (0, 0), 1, points);
            store_in_tx(&tx, actor.user_id, request, &result, now).await?;
            tx.commit().await?;
            return Ok(Replayable::fresh(result));
        }
        let new = NewGift {
            bridge: bridge.id,
            day: &day,
            player: Some(player),
            state: GiftState::Done,
            reason: &plan.reason,
            actor: &actor.name,
        };
        let gift = store::insert(&tx, &new, now).await?;
        give_in_tx(&tx, (&bridge, &day), &gift, &[player], now).await?;
        let change = Change {
            action: "BRIDGE_KEY",
            resource: &format!("user:{player}"),
            before: Value::Null,
            after: audit_state(&gift),
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        let result = given(Some(gift.id), (1, 1), 1, gift.points);
        store_in_tx(&tx, actor.user_id, request, &result, now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(result))
    }

    async fn give_to_all(
        &self,
        actor: &Actor,
        plan: &Plan,
        pace: Pace<'_>,
        now: DateTime<Utc>,
    ) -> Result<KeysGiven, BridgeError> {
        let gift = retry_repeatable(|| self.register_once(actor, plan, now)).await?;
        let db = self.options.db.read();
        let (mut all, mut now_given) = (0, 0);
        let mut pages = Recipients::of(&plan.bridge, pace.chunk());
        while let Some(players) = pages.next(db).await? {
            all += players.len() as u64;
            // What an earlier run has done costs no transaction.
            let lacking = lack(db, &plan.bridge, &gift.event_type, &players).await?;
            if !lacking.is_empty() {
                let chunk = retry_repeatable(|| self.give_chunk(&gift, &lacking, now)).await;
                if let Err(BridgeError::Closed) = chunk {
                    // Nobody can go on with it: what was given was all of it.
                    retry(|| self.finish_once(actor, &gift, (now_given, all), now)).await?;
                }
                now_given += chunk?;
            }
            (pace.progress)(all);
        }
        retry(|| self.finish_once(actor, &gift, (now_given, all), now)).await?;
        let tally = store::tally(self.options.db.read(), gift.id).await?;
        let tally = (tally.given, now_given);
        Ok(given(Some(gift.id), tally, all, gift.points))
    }

    /// The gift of this order that an earlier run has made, or a new one. An answer that was lost leaves
    /// no second gift, of which nothing could be taken back.
    async fn register_once(
        &self,
        actor: &Actor,
        plan: &Plan,
        now: DateTime<Utc>,
    ) -> Result<Gift, BridgeError> {
        let tx = self.options.db.begin().await?;
        if !take_turn(&tx, plan.bridge.id).await?.takes_keys() {
            return Err(BridgeError::Closed);
        }
        let (bridge, day) = current(&tx, plan, now).await?;
        let made = store::made_to_all(&tx, bridge.id, day.number).await?;
        let is_same = |gift: &Gift| {
            let goes_on = gift.state == GiftState::Open || gift.reason == plan.reason;
            goes_on && gift.is_of(&day)
        };
        if let Some(gift) = made.into_iter().find(is_same) {
            return Ok(gift);
        }
        let new = NewGift {
            bridge: bridge.id,
            day: &day,
            player: None,
            state: GiftState::Open,
            reason: &plan.reason,
            actor: &actor.name,
        };
        let gift = store::insert(&tx, &new, now).await?;
        let after = audit_state(&gift);
        audit_in_tx(&tx, actor, "BRIDGE_KEYS_BEGIN", &gift, after, now).await?;
        tx.commit().await?;
        Ok(gift)
    }

    /// Gives the key to those of the players who still lack it, all in one transaction, and says how many
    /// they were.
    async fn give_chunk(
        &self,
        gift: &Gift,
        players: &[UserId],
        now: DateTime<Utc>,
    ) -> Result<u64, BridgeError> {
        let tx = self.options.db.begin().await?;
        let refused = lock_recipients_in_tx(&tx, players, Inactive::Refused).await?;
        if !take_turn(&tx, gift.bridge).await?.takes_keys() {
            return Err(BridgeError::Closed);
        }
        // Somebody may be taking it back already.
        let state = store::find(&*tx, gift.id).await?.map(|gift| gift.state);
        if state != Some(GiftState::Open) && state != Some(GiftState::Done) {
            return Err(BridgeError::GiftReverted);
        }
        let (bridge, day) = current_of(&tx, gift.bridge, gift.day_number, now).await?;
        if !gift.is_of(&day) {
            return Err(refused_day(texts::edited_meanwhile()));
        }
        let mut lacking = lack(&*tx, &bridge, &gift.event_type, players).await?;
        lacking.retain(|player| !refused.contains(player));
        if lacking.is_empty() {
            return Ok(0);
        }
        give_in_tx(&tx, (&bridge, &day), gift, &lacking, now).await?;
        tx.commit().await?;
        Ok(lacking.len() as u64)
    }

    /// Notes that nobody is left, and says in the audit log what this run has given.
    async fn finish_once(
        &self,
        actor: &Actor,
        gift: &Gift,
        (now_given, all): (u64, u64),
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let tx = self.options.db.begin().await?;
        let is_open = store::change(&tx, gift.id, &[GiftState::Open], GiftState::Done, now).await?;
        if !is_open && now_given == 0 {
            return Ok(());
        }
        let tally = (store::tally(&*tx, gift.id).await?.given, now_given);
        let after = json!({
            "gift": audit_state(gift),
            "given": given(Some(gift.id), tally, all, gift.points),
        });
        audit_in_tx(&tx, actor, "BRIDGE_KEYS", gift, after, now).await?;
        tx.commit().await
    }

    /// The gifts of keys, newest first.
    pub async fn gifts(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<GiftSummary>, DbError> {
        let db = self.options.db.read();
        let page = store::page(db, limit, before).await?;
        let ids: Vec<GiftId> = page.items.iter().map(|gift| gift.id).collect();
        let tallies: HashMap<GiftId, GiftTally> = store::tallies(db, &ids).await?;
        let summary = |gift: Gift| GiftSummary {
            tally: tallies.get(&gift.id).copied().unwrap_or_default(),
            gift,
        };
        Ok(Page {
            items: page.items.into_iter().map(summary).collect(),
            next: page.next,
        })
    }

    /// Takes the keys of a gift back from those who got them by it and have not been paid for them; the
    /// actor says why. Sent again it goes on where it stopped, and takes nothing twice.
    pub async fn revert_gift(
        &self,
        actor: &Actor,
        gift: GiftId,
        mode: Mode<'_>,
        pace: Pace<'_>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<KeysTaken>, BridgeError> {
        let db = self.options.db.read();
        let found = store::find(db, gift).await?;
        let gift = found.ok_or(BridgeError::UnknownGift)?;
        checked_reason(actor)?;
        let bridge = self.find_by_id(gift.bridge).await?;
        let request = match mode {
            Mode::DryRun => {
                let taken = self.preview_revert(&bridge, &gift).await?;
                return Ok(Replayable::fresh(taken));
            }
            Mode::Do(request) => request,
        };
        let work = self.take_back(actor, (&bridge, &gift), pace, now);
        once(&self.options.db, (actor.user_id, request), now, work).await
    }

    async fn take_back(
        &self,
        actor: &Actor,
        (bridge, gift): (&Bridge, &Gift),
        pace: Pace<'_>,
        now: DateTime<Utc>,
    ) -> Result<KeysTaken, BridgeError> {
        let db = self.options.db.read();
        retry_repeatable(|| self.begin_revert_once(actor, gift, now)).await?;
        let mut after = UserId(0);
        let mut seen = 0;
        loop {
            let players = store::next_holders(db, gift.id, after, pace.chunk()).await?;
            let Some(last) = players.last().copied() else {
                break;
            };
            retry_repeatable(|| self.take_chunk(bridge, gift, &players, now)).await?;
            after = last;
            seen += players.len() as u64;
            (pace.progress)(seen);
        }
        retry_repeatable(|| self.end_revert_once(actor, gift, now)).await?;
        Ok(taken(
            gift,
            store::tally(self.options.db.read(), gift.id).await?,
        ))
    }

    async fn preview_revert(&self, bridge: &Bridge, gift: &Gift) -> Result<KeysTaken, DbError> {
        let db = self.options.db.read();
        let takes_keys = stage(db, bridge.id).await?.takes_keys();
        let mut tally = store::tally(self.options.db.read(), gift.id).await?;
        let mut after = UserId(0);
        loop {
            let players = store::next_holders(db, gift.id, after, USUAL_CHUNK).await?;
            let Some(last) = players.last().copied() else {
                return Ok(taken(gift, tally));
            };
            let takeable = match takes_keys {
                false => 0,
                true => hold(db, bridge, &gift.event_type, &players).await?.len() as u64,
            };
            tally.taken += takeable;
            tally.kept += players.len() as u64 - takeable;
            after = last;
        }
    }

    async fn begin_revert_once(
        &self,
        actor: &Actor,
        gift: &Gift,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let tx = self.options.db.begin().await?;
        // Whoever is still giving it away ends before, or finds it so.
        take_turn(&tx, gift.bridge).await?;
        let from = [GiftState::Open, GiftState::Done];
        if store::change(&tx, gift.id, &from, GiftState::Reverting, now).await? {
            let after = audit_state(gift);
            audit_in_tx(&tx, actor, "BRIDGE_KEYS_REVERT_BEGIN", gift, after, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Takes the key from those of the players who still hold it, all in one transaction.
    async fn take_chunk(
        &self,
        bridge: &Bridge,
        gift: &Gift,
        players: &[UserId],
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let tx = self.options.db.begin().await?;
        lock_many_in_tx(&tx, players).await?;
        let takes_keys = take_turn(&tx, bridge.id).await?.takes_keys();
        let holders = store::holders(&*tx, gift.id, players).await?;
        // Once the closing has begun every key is about to be paid for or to expire.
        let held = match takes_keys {
            true => hold(&*tx, bridge, &gift.event_type, &holders).await?,
            false => HashSet::new(),
        };
        let (taken, kept): (Vec<UserId>, Vec<UserId>) = holders
            .into_iter()
            .partition(|player| held.contains(player));
        if !taken.is_empty() {
            let season = bridge.rules.season_id;
            unstamp_key_many_in_tx(&tx, &taken, season, &gift.event_type).await?;
            take_key_many_in_tx(&tx, &taken, gift.points, now).await?;
            let meta = taken_key_meta(gift);
            let events = taken.iter().map(|player| (*player, meta.clone()));
            EventWriter
                .write_many_in_tx(&tx, EventKind::BridgeKeyTaken, events.collect(), now)
                .await?;
        }
        store::end_keys(&tx, gift.id, &taken, KeyState::Taken).await?;
        store::end_keys(&tx, gift.id, &kept, KeyState::Kept).await?;
        tx.commit().await
    }

    async fn end_revert_once(
        &self,
        actor: &Actor,
        gift: &Gift,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let tx = self.options.db.begin().await?;
        let from = [GiftState::Reverting];
        if store::change(&tx, gift.id, &from, GiftState::Reverted, now).await? {
            let after = json!(taken(gift, store::tally(&*tx, gift.id).await?));
            audit_in_tx(&tx, actor, "BRIDGE_KEYS_REVERT", gift, after, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

impl Gift {
    /// Whether its day still says what it said.
    fn is_of(&self, day: &BridgeDay) -> bool {
        self.event_type == day.event_type && self.points == day.points
    }
}

/// Everybody who was active on any day of a bridge, a page at a time.
struct Recipients {
    /// Its first and its last day.
    week: Option<(EventDay, EventDay)>,
    after: UserId,
    chunk: u64,
}

impl Recipients {
    fn of(bridge: &Bridge, chunk: u64) -> Self {
        let days = &bridge.rules.days;
        let week = days.first().zip(days.last());
        Self {
            week: week.map(|(first, last)| (first.day, last.day)),
            after: UserId(0),
            chunk,
        }
    }

    /// The next of them in ascending id, maybe none of this page; `None` once nobody is left.
    async fn next(&mut self, conn: &impl ConnectionTrait) -> Result<Option<Vec<UserId>>, DbError> {
        let Some(week) = self.week else {
            return Ok(None);
        };
        let players = next_players(conn, self.after, self.chunk).await?;
        let Some(until) = players.last().copied() else {
            return Ok(None);
        };
        let mut active = active_players(conn, (self.after, until), week).await?;
        // An admin who logged in was active too, and is not a player.
        active.retain(|player| players.binary_search(player).is_ok());
        self.after = until;
        Ok(Some(active))
    }
}

/// Those of the players who have neither the key nor been paid: whoever has been paid would wait for a
/// second payment in vain.
async fn lack(
    conn: &impl ConnectionTrait,
    bridge: &Bridge,
    key: &str,
    players: &[UserId],
) -> Result<Vec<UserId>, DbError> {
    let owners = key_owners(conn, bridge.rules.season_id, key, players).await?;
    let paid = paid(conn, bridge, players).await?;
    let lacks = |player: &UserId| !owners.contains(player) && !paid.contains(player);
    Ok(players.iter().copied().filter(lacks).collect())
}

/// Those of the players who have the key and have not been paid for it.
async fn hold(
    conn: &impl ConnectionTrait,
    bridge: &Bridge,
    key: &str,
    players: &[UserId],
) -> Result<HashSet<UserId>, DbError> {
    let mut owners = key_owners(conn, bridge.rules.season_id, key, players).await?;
    let paid = paid(conn, bridge, players).await?;
    owners.retain(|player| !paid.contains(player));
    Ok(owners)
}

async fn paid(
    conn: &impl ConnectionTrait,
    bridge: &Bridge,
    players: &[UserId],
) -> Result<HashSet<UserId>, DbError> {
    let keys = players
        .iter()
        .map(|player| rules::grant_key(bridge.id, *player));
    let keys: Vec<String> = keys.collect();
    let given = known_grants(conn, keys.iter().map(String::as_str)).await?;
    let players = players.iter().zip(&keys);
    let paid = players.filter(|(_, key)| given.contains(*key));
    Ok(paid.map(|(player, _)| *player).collect())
}

/// Gives the key to players who lack it. The caller has locked them, and the bridge after them.
async fn give_in_tx(
    tx: &DatabaseTransaction,
    (bridge, day): (&Bridge, &BridgeDay),
    gift: &Gift,
    players: &[UserId],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let (season, key) = (bridge.rules.season_id, &gift.event_type);
    stamp_key_many_in_tx(tx, players, season, key, Feature::SeasonPass, now).await?;
    add_key_many_in_tx(tx, players, gift.points, now).await?;
    let meta = given_key_meta(bridge.id, day, gift);
    let events = players.iter().map(|player| (*player, meta.clone()));
    EventWriter
        .write_many_in_tx(tx, EventKind::BridgeKey, events.collect(), now)
        .await?;
    store::insert_keys(tx, gift.id, players).await
}

/// The bridge and the day of a plan as they are under the bridge's lock.
async fn current(
    tx: &DatabaseTransaction,
    plan: &Plan,
    now: DateTime<Utc>,
) -> Result<(Bridge, BridgeDay), BridgeError> {
    current_of(tx, plan.bridge.id, plan.day.number, now).await
}

async fn current_of(
    tx: &DatabaseTransaction,
    bridge: BridgeId,
    day_number: i64,
    now: DateTime<Utc>,
) -> Result<(Bridge, BridgeDay), BridgeError> {
    let bridge = bridges(tx)
        .await?
        .into_iter()
        .find(|other| other.id == bridge);
    let bridge = bridge.ok_or(BridgeError::NotFound)?;
    let day = giveable(&bridge, day_number, now)?;
    Ok((bridge, day))
}

/// The day whose key is given: one that has begun.
fn giveable(
    bridge: &Bridge,
    day_number: i64,
    now: DateTime<Utc>,
) -> Result<BridgeDay, BridgeError> {
    let mut days = bridge.rules.days.iter();
    let day = days.find(|day| day.number == day_number).cloned();
    let count = bridge.rules.days.len();
    let day = day.ok_or_else(|| refused_day(texts::no_such_day(count, day_number)))?;
    if day.day > EventDay::of(now) {
        // The players could not earn it any more, and nobody could edit the day.
        return Err(refused_day(texts::day_to_come(day.day.to_string())));
    }
    Ok(day)
}

fn refused_day(problem: Text) -> BridgeError {
    BridgeError::Invalid(vec![Problem::new("day", problem)])
}

/// The reason of a gift, or of taking one back.
fn checked_reason(actor: &Actor) -> Result<String, BridgeError> {
    let reason = actor.reason.as_deref().unwrap_or_default();
    audit::required_reason(reason, Lines::Several).map_err(BridgeError::Invalid)
}

fn given(gift: Option<GiftId>, (given, given_now): (u64, u64), all: u64, points: i64) -> KeysGiven {
    KeysGiven {
        gift,
        given,
        given_now,
        had: all.saturating_sub(given),
        points: points.saturating_mul(i64::try_from(given).unwrap_or(i64::MAX)),
    }
}

fn taken(gift: &Gift, tally: GiftTally) -> KeysTaken {
    let keys = i64::try_from(tally.taken).unwrap_or(i64::MAX);
    KeysTaken {
        gift: gift.id,
        taken: tally.taken,
        earned: tally.earned,
        kept: tally.kept,
        points: gift.points.saturating_mul(keys),
    }
}

/// What the audit log says about a gift.
fn audit_state(gift: &Gift) -> Value {
    json!({
        "gift": gift.id, "bridge": gift.bridge, "day": gift.day_number, "event_type": gift.event_type,
        "points": gift.points, "user_id": gift.player, "reason": gift.reason,
    })
}

async fn audit_in_tx(
    tx: &DatabaseTransaction,
    actor: &Actor,
    action: &'static str,
    gift: &Gift,
    after: Value,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let change = Change {
        action,
        resource: &format!("event-bridge:{}", gift.bridge),
        before: Value::Null,
        after,
    };
    audit::write_in_tx(tx, actor, change, now).await
}
