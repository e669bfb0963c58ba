//! How a game is played, whatever its rules.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DbErr, sea_query::SelectStatement};
use serde_json::json;
use xmas_cache::Snapshot;
use xmas_kernel::{
    Feature, OddsId,
    db::{DbError, retry},
    idempotency::{self, Replayable, retry_keyed},
};
use xmas_players::{Entry as Entered, Identity, check_beside, enter_beside_in_tx};
use xmas_rewards::{Books, RewardState, RewardType, join_balance, joined_balance};
use xmas_season_pass::reveal_coupons;
use xmas_time::EventDay;

use crate::{
    ActiveConfig, Game, GameError, GameService, Play, PlayCommand, PlayContext, Status,
    config::store,
    context::{Drawn, Ready},
    daily_limit::{next_nonce, remaining},
    draw::DrawId,
    fairness::{OddsSource, PublishedOdds},
    odds::{Entry, MAX_ENTRIES, Odds},
    play_log::{self, Draw},
};

/// [`GameService`] of any game, on the database. What operators do with it is in `config/edits.rs`.
pub struct Engine<G: Game> {
    pub(crate) context: PlayContext,
    pub(crate) configs: Snapshot<(), Option<Arc<PublishedConfig<G>>>>,
}

/// The active configuration, and the id under which its odds are published.
pub(crate) struct PublishedConfig<G: Game> {
    active: ActiveConfig<G>,
    odds_id: OddsId,
}

/// The draws of one play so far, whose prizes had all run out, and what is drawn from next. The
/// number of a draw follows from the nonce and the attempt: a chain is carried on only by the play
/// with its nonce.
struct Chain<G: Game> {
    published: Arc<PublishedConfig<G>>,
    nonce: i64,
    redraws: Vec<Draw>,
    odds: Odds,
    odds_id: OddsId,
}

/// Why a play did not end.
#[derive(thiserror::Error)]
enum Stop<G: Game> {
    #[error(transparent)]
    Refused(#[from] GameError),
    /// The prize had run out since the configuration was looked up. Nothing is left of this attempt; the
    /// play goes on along the chain, once what it draws from is published.
    #[error("the prize has run out")]
    SoldOut {
        published: Arc<PublishedConfig<G>>,
        nonce: i64,
        redraws: Vec<Draw>,
        rest: Odds,
    },
}

impl<G: Game> fmt::Debug for Stop<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Refused(error) => error.fmt(f),
            Stop::SoldOut { nonce, redraws, .. } => write!(f, "SoldOut({nonce}, {redraws:?})"),
        }
    }
}

impl<G: Game> From<DbError> for Stop<G> {
    fn from(error: DbError) -> Self {
        Stop::Refused(error.into())
    }
}

/// Each round leaves an entry out, or begins again since another play took the nonce.
const ROUNDS: usize = 2 * MAX_ENTRIES;

impl<G: Game> Engine<G> {
    pub fn new(context: PlayContext) -> Self {
        Self {
            context,
            configs: Snapshot::new(),
        }
    }

    /// The configuration in force.
    async fn published(&self, now: DateTime<Utc>) -> Result<Arc<PublishedConfig<G>>, GameError> {
        let published = self.configs.get_or_load((), self.load(now)).await?;
        published.ok_or(GameError::InvalidConfig(G::FEATURE))
    }

    async fn load(&self, now: DateTime<Utc>) -> Result<Option<Arc<PublishedConfig<G>>>, DbError> {
        let context = &self.context;
        let saved = store::active::<G>(context.db.read()).await?;
        let Some(active) = saved.and_then(G::playable) else {
            return Ok(None);
        };
        let rewards = active.odds.entries().iter().map(Entry::reward);
        let Ok(rewards) = rewards.collect::<Result<Vec<_>, _>>() else {
            return Ok(None);
        };
        if !context.rewards.are_deliverable(&rewards).await? {
            return Ok(None);
        }
        let odds_id = context.draws.publish(&active.odds, now).await?;
        Ok(Some(Arc::new(PublishedConfig { active, odds_id })))
    }

    async fn play_once(
        &self,
        command: &PlayCommand,
        chain: Option<&Chain<G>>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Play<G::Outcome>>, Stop<G>> {
        let (identity, request) = (&command.identity, command.request.as_ref());
        let context = &self.context;
        let today = EventDay::of(now);
        let ready = context.ready(G::FEATURE, today).await;
        // Without a key there is nothing to replay, and a refusal costs no transaction.
        let ready = if request.is_none() { Ok(ready?) } else { ready };
        // Both are looked at once the player is known not to be blocked, and nothing to be replayed.
        let published = self.published(now).await;
        let seed = context.draws.seed(today, now).await;

        let tx = context.db.begin().await?;
        let join = |select: &mut SelectStatement, ready: &Ready| {
            PlayContext::join(select, G::FEATURE, ready, today);
        };
        let entered =
            enter_beside_in_tx::<_, _, GameError>(&tx, identity, request, ready, join).await?;
        let (player, ready, rows) = match entered {
            Entered::Replay(result) => return Ok(Replayable::replayed(result)),
            Entered::Run(player, (ready, rows)) => (player, ready, rows),
        };
        let (published, seed) = (published?, seed?);
        let nonce = next_nonce(play_log::joined_plays(&rows)?, published.active.max_daily)?;
        let place = ready.place(&rows)?;
        let (published, odds, odds_id, redraws) = match chain.filter(|chain| chain.nonce == nonce) {
            Some(chain) => (
                chain.published.clone(),
                &chain.odds,
                chain.odds_id,
                chain.redraws.clone(),
            ),
            None => (
                published.clone(),
                &published.active.odds,
                published.odds_id,
                Vec::new(),
            ),
        };
        let active = &published.active;
        let id = DrawId {
            feature: G::FEATURE,
            user_id: identity.user_id,
            nonce,
            attempt: i64::try_from(redraws.len()).unwrap_or(i64::MAX),
        };
        let number = seed.seed.number(&id, odds.total());
        let entry = G::entry_at(odds, number);
        let reward = entry.reward();
        let reward = reward.map_err(|_| GameError::InvalidConfig(G::FEATURE))?;
        let outcome = G::outcome(&active.menu, entry, number);
        let took_stock = active.stock.contains_key(&entry.id);
        let draw = Draw {
            odds_id,
            entry_id: entry.id,
        };
        let drawn = Drawn {
            feature: G::FEATURE,
            config_id: active.config_id,
            token: G::TOKEN,
            nonce,
            draw,
            redraws,
            took_stock,
            outcome: json!(outcome),
            is_win: G::is_win(entry, reward),
            reward,
            label: entry.label.clone(),
        };
        let books = Books::open(&tx, &player, &rows, now)?;
        let settled = context
            .settle_in_tx(books, (&ready, &place), &drawn)
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
        if took_stock && !G::take_in_tx(&tx, entry.id).await? {
            let rest = odds.without(entry.id);
            let mut redraws = drawn.redraws;
            redraws.push(draw);
            return Err(Stop::SoldOut {
                // A game of which nothing is left is not configured correctly.
                rest: rest.map_err(|_| GameError::InvalidConfig(G::FEATURE))?,
                published: published.clone(),
                nonce,
                redraws,
            });
        }
        tx.commit().await?;
        if took_stock {
            // What is left has changed.
            self.configs.drop_all();
        }
        Ok(Replayable::fresh(play))
    }

    async fn status_once(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<Status<G::Menu>, GameError> {
        let context = &self.context;
        let today = EventDay::of(now);
        context.features.require(G::FEATURE, today).await?;
        let (_, rows) = check_beside(context.db.read(), identity, |select| {
            join_balance(select, G::TOKEN);
            play_log::join_plays(select, G::FEATURE, today);
        })
        .await?;
        let published = self.published(now).await?;
        let active = &published.active;
        let today_plays = play_log::joined_plays(&rows)?;
        context.pages.enter_page(identity, G::FEATURE, now).await;
        Ok(Status {
            config_id: active.config_id,
            name: active.name.clone(),
            max_daily: active.max_daily,
            today_plays,
            remaining: remaining(active.max_daily, today_plays),
            token_balance: joined_balance(&rows)?,
            menu: active.menu.clone(),
        })
    }

    /// Adds the codes of coupons that the play has won, which are stored with no answer.
    async fn reveal(&self, player: &Identity, play: &mut Play<G::Outcome>) {
        let receipt = &mut play.receipt;
        if receipt.reward_type == RewardType::Coupon
            && receipt.reward_state == RewardState::Delivered
        {
            self.context.reveal_coupon(player, receipt).await;
        }
        if let Some(stamp) = &mut play.season_pass {
            let rewards = &*self.context.rewards;
            reveal_coupons(rewards, player.user_id, &mut stamp.rewards).await;
        }
    }
}

#[async_trait]
impl<G: Game> GameService<G> for Engine<G> {
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
        let mut chain = None;
        for _ in 0..ROUNDS {
            match retry_keyed(&self.context.db, command.request.as_ref(), || {
                self.play_once(command, chain.as_ref(), now)
            })
            .await
            {
                Ok(mut play) => {
                    self.reveal(&command.identity, &mut play.result).await;
                    return Ok(play);
                }
                Err(Stop::Refused(error)) => return Err(error),
                Err(Stop::SoldOut {
                    published,
                    nonce,
                    redraws,
                    rest,
                }) => {
                    chain = Some(Chain {
                        published,
                        nonce,
                        redraws,
                        odds_id: self.context.draws.publish(&rest, now).await?,
                        odds: rest,
                    });
                    // Others need not find out the same way.
                    self.configs.drop_all();
                }
            }
        }
        let busy = DbErr::Custom("the configuration kept changing under a play".to_owned());
        Err(DbError::Contention(busy).into())
    }
}

#[async_trait]
impl<G: Game> OddsSource for Engine<G> {
    fn feature(&self) -> Feature {
        G::FEATURE
    }

    async fn odds_now(&self, now: DateTime<Utc>) -> Result<PublishedOdds, GameError> {
        let published = self.published(now).await?;
        Ok(PublishedOdds {
            odds_id: published.odds_id,
            odds: published.active.odds.clone(),
            stock: Some(published.active.stock.clone()),
            sold_out: published.active.sold_out.clone(),
        })
    }
}
