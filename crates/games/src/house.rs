//! How a game is played, whatever its rules.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde_json::json;
use xmas_cache::Snapshot;
use xmas_kernel::{
    Feature, OddsId,
    db::{DbError, retry},
    idempotency::{self, Replayable},
};
use xmas_players::{Entry as Entered, Identity, check, enter_in_tx};
use xmas_rewards::{RewardState, RewardType};
use xmas_season_pass::reveal_coupons;
use xmas_time::EventDay;

use crate::{
    Floor, Game, GameError, GameService, Play, PlayCommand, Status, Table,
    draw::{DrawId, Seed},
    fairness::{OddsSource, PublishedOdds},
    floor::Drawn,
    game::remaining,
    odds::{Entry, MAX_ENTRIES, Odds},
    play_log::{self, Draw},
};

/// [`GameService`] of any game, on the database.
pub struct House<G: Game> {
    floor: Floor,
    tables: Snapshot<(), Option<Arc<Listed<G>>>>,
}

/// A table, and under which id it is published.
struct Listed<G: Game> {
    table: Table<G>,
    odds_id: OddsId,
}

/// What a player's draw came to.
struct Hand {
    /// What the last draw was made from.
    odds: Odds,
    entry: Entry,
    number: u64,
    draw: Draw,
    redraws: Vec<Draw>,
}

/// Why a play did not end.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Refused(#[from] GameError),
    /// A prize had run out, or had before and is drawn around: the play is made again, once the
    /// table without it is published. Nothing of this attempt is left.
    #[error("the play has to be made again")]
    Again { sold_out: Option<i64>, rest: Odds },
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Stop::Refused(error.into())
    }
}

/// Each round finds another entry sold out or publishes another table; more are not needed.
const ROUNDS: usize = 2 * MAX_ENTRIES;

impl<G: Game> House<G> {
    pub fn new(floor: Floor) -> Self {
        Self {
            floor,
            tables: Snapshot::new(),
        }
    }

    /// The table in force.
    async fn listed(&self, now: DateTime<Utc>) -> Result<Arc<Listed<G>>, GameError> {
        let listed = self.tables.get_or_load((), self.load(now)).await?;
        listed.ok_or(GameError::InvalidConfig(G::FEATURE))
    }

    async fn load(&self, now: DateTime<Utc>) -> Result<Option<Arc<Listed<G>>>, DbError> {
        let floor = &self.floor;
        let Some(table) = G::active_table(floor.db.read()).await? else {
            return Ok(None);
        };
        let rewards = table.odds.entries().iter().map(Entry::reward);
        let Ok(rewards) = rewards.collect::<Result<Vec<_>, _>>() else {
            return Ok(None);
        };
        if !floor.rewards.are_deliverable(&rewards).await? {
            return Ok(None);
        }
        let odds_id = floor.book.list(&table.odds, now).await?;
        Ok(Some(Arc::new(Listed { table, odds_id })))
    }

    /// Draws until an entry comes up that is not known to have run out.
    fn deal(
        &self,
        listed: &Listed<G>,
        seed: &Seed,
        (player, nonce): (&Identity, i64),
        sold_out: &BTreeSet<i64>,
    ) -> Result<Hand, Stop> {
        let mut odds = listed.table.odds.clone();
        let mut odds_id = listed.odds_id;
        let mut redraws = Vec::new();
        for attempt in 0.. {
            let id = DrawId {
                feature: G::FEATURE,
                user_id: player.user_id,
                nonce,
                attempt,
            };
            let number = seed.number(&id, odds.total());
            let entry = G::entry_at(&odds, number).clone();
            let draw = Draw {
                odds_id,
                entry_id: entry.id,
            };
            if !sold_out.contains(&entry.id) {
                return Ok(Hand {
                    odds,
                    entry,
                    number,
                    draw,
                    redraws,
                });
            }
            redraws.push(draw);
            odds = without::<G>(&odds, entry.id)?;
            odds_id = match self.floor.book.id_of(&odds) {
                Some(id) => id,
                None => {
                    return Err(Stop::Again {
                        sold_out: None,
                        rest: odds,
                    });
                }
            };
        }
        unreachable!("a table runs out of entries before the attempts do")
    }

    async fn play_once(
        &self,
        command: &PlayCommand,
        sold_out: &BTreeSet<i64>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Play<G::Outcome>>, Stop> {
        let (identity, request) = (&command.identity, command.request.as_ref());
        let floor = &self.floor;
        let today = EventDay::of(now);
        let ready = floor.ready(G::FEATURE, today).await;
        // Without a key there is nothing to replay, and a refusal costs no transaction.
        let ready = if request.is_none() { Ok(ready?) } else { ready };
        // Looked at once the player is known not to be blocked.
        let listed = self.listed(now).await;
        let seed = floor.book.seed(today, now).await?;

        let tx = floor.db.begin().await?;
        let entered = enter_in_tx::<_, _, GameError>(&tx, identity, request, ready).await?;
        let (player, ready) = match entered {
            Entered::Replay(result) => return Ok(Replayable::replayed(result)),
            Entered::Run(player, ready) => (player, ready),
        };
        let listed = listed?;
        let table = &listed.table;
        let nonce = floor
            .next_nonce_in_tx(&tx, &player, G::FEATURE, table.max_daily, today)
            .await?;
        let hand = self.deal(&listed, &seed.seed, (identity, nonce), sold_out)?;
        let reward = hand.entry.reward();
        let reward = reward.map_err(|_| GameError::InvalidConfig(G::FEATURE))?;
        let outcome = G::outcome(&table.menu, &hand.entry, hand.number);
        let took_stock = table.stock.contains_key(&hand.entry.id);
        let drawn = Drawn {
            feature: G::FEATURE,
            config_id: table.config_id,
            token: G::TOKEN,
            nonce,
            draw: hand.draw,
            redraws: hand.redraws,
            took_stock,
            outcome: json!(outcome),
            is_win: G::is_win(&hand.entry, reward),
            reward,
            label: hand.entry.label.clone(),
        };
        let settled = floor
            .settle_in_tx(&tx, &player, &ready, &drawn, now)
            .await?;
        let play = Play {
            outcome,
            season_pass: settled.stamp,
            token_balance: settled.token_balance,
            receipt: settled.receipt,
        };
        idempotency::store_in_tx(&tx, identity.user_id, request, &play, now)
            .await
            .map_err(GameError::from)?;
        // Last, since everybody who wins this prize waits for its lock.
        if took_stock && !G::take_in_tx(&tx, hand.entry.id).await? {
            return Err(Stop::Again {
                sold_out: Some(hand.entry.id),
                rest: without::<G>(&hand.odds, hand.entry.id)?,
            });
        }
        tx.commit().await?;
        if took_stock {
            // What is left has changed.
            self.tables.drop_all();
        }
        Ok(Replayable::fresh(play))
    }

    async fn status_once(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<Status<G::Menu>, GameError> {
        let floor = &self.floor;
        let today = EventDay::of(now);
        floor.features.require(G::FEATURE, today).await?;
        let db = floor.db.read();
        check(db, identity).await?;
        let listed = self.listed(now).await?;
        let table = &listed.table;
        let user_id = identity.user_id;
        let today_plays = play_log::plays_on(db, user_id, G::FEATURE, today).await?;
        let balances = floor.wallets.balances(user_id).await?;
        floor.pages.enter_page(identity, G::FEATURE, now).await;
        Ok(Status {
            config_id: table.config_id,
            name: table.name.clone(),
            max_daily: table.max_daily,
            today_plays,
            remaining: remaining(table.max_daily, today_plays),
            token_balance: balances.get(&G::TOKEN).copied().unwrap_or(0),
            menu: table.menu.clone(),
        })
    }

    /// Adds the codes of coupons that the play has won, which are stored with no answer.
    async fn reveal(&self, player: &Identity, play: &mut Play<G::Outcome>) {
        let receipt = &mut play.receipt;
        if receipt.reward_type == RewardType::Coupon
            && receipt.reward_state == RewardState::Delivered
        {
            self.floor.reveal_coupon(player, receipt).await;
        }
        if let Some(stamp) = &mut play.season_pass {
            let rewards = &*self.floor.rewards;
            reveal_coupons(rewards, player.user_id, &mut stamp.rewards).await;
        }
    }
}

/// What is drawn from once an entry has run out; a game of which nothing is left is not configured
/// correctly.
fn without<G: Game>(odds: &Odds, entry: i64) -> Result<Odds, GameError> {
    let rest = odds.without(entry);
    rest.map_err(|_| GameError::InvalidConfig(G::FEATURE))
}

#[async_trait]
impl<G: Game> GameService<G> for House<G> {
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<Status<G::Menu>, GameError> {
        retry(|| self.status_once(identity, now)).await
    }

    async fn play(
        &self,
        command: &PlayCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Play<G::Outcome>>, GameError> {
        let mut sold_out = BTreeSet::new();
        for _ in 0..ROUNDS {
            match retry(|| self.play_once(command, &sold_out, now)).await {
                Ok(mut play) => {
                    self.reveal(&command.identity, &mut play.result).await;
                    return Ok(play);
                }
                Err(Stop::Refused(error)) => return Err(error),
                Err(Stop::Again {
                    sold_out: entry,
                    rest,
                }) => {
                    sold_out.extend(entry);
                    self.floor.book.list(&rest, now).await?;
                }
            }
        }
        let busy = DbErr::Custom("the table kept changing under a play".to_owned());
        Err(DbError::Contention(busy).into())
    }
}

#[async_trait]
impl<G: Game> OddsSource for House<G> {
    fn feature(&self) -> Feature {
        G::FEATURE
    }

    async fn odds_now(&self, now: DateTime<Utc>) -> Result<PublishedOdds, GameError> {
        let listed = self.listed(now).await?;
        Ok(PublishedOdds {
            odds_id: listed.odds_id,
            odds: listed.table.odds.clone(),
            stock: Some(listed.table.stock.clone()),
            sold_out: listed.table.sold_out.clone(),
        })
    }
}
