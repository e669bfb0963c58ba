//! How a game is played, whatever its rules.

use std::{mem, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DbErr, sea_query::SelectStatement};
use xmas_kernel::{
    Feature, UserId,
    db::{BatchedRead, Db, DbError, Found, Gathered, retry},
    idempotency::{Replayable, retry_keyed},
};
use xmas_players::{Identity, UncheckedProfile, read_beside_many};
use xmas_rewards::{RewardState, RewardType, join_balance, joined_balance};
use xmas_season_pass::{SeasonError, reveal_coupons};
use xmas_time::EventDay;

use crate::{
    Game, GameError, GameService, Play, PlayCommand, PlayContext, Status,
    daily_limit::remaining,
    fairness::{InForceOdds, Limits, OddsNow, OddsSource, PublishedOdds},
    in_force::{InForce, PublishedConfig},
    odds::MAX_ENTRIES,
    play_log,
    plays::{Answer, Asked, Chained, Plays, Stop},
};

/// [`GameService`] of any game, on the database. What operators do with it is in `config/edits.rs`.
pub struct Engine<G: Game> {
    pub(crate) plays: Arc<Plays<G>>,
    /// Those who play just now.
    together: Arc<Gathered<EventDay, Asked, Answer<G>>>,
    /// Where players stand who are looking at the game just now.
    standings: BatchedRead<EventDay, UserId, (UncheckedProfile, Standing)>,
}

/// How a player's day has been so far.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    today_plays: i64,
    token_balance: i64,
}

/// How the day of each of the players has been.
async fn standings<G: Game>(
    db: Db,
    today: EventDay,
    players: Vec<UserId>,
) -> Result<Found<UserId, (UncheckedProfile, Standing)>, DbError> {
    let join = |select: &mut SelectStatement| {
        join_balance(select, G::TOKEN);
        play_log::join_plays(select, G::FEATURE, today);
    };
    read_beside_many(db.read(), &players, join, |profile, row| {
        let row = std::slice::from_ref(row);
        let standing = Standing {
            today_plays: play_log::joined_plays(row)?,
            token_balance: joined_balance(row)?,
        };
        Ok((profile, standing))
    })
    .await
}

/// Each round leaves an entry out, or begins again since another play took the nonce.
const ROUNDS: usize = 2 * MAX_ENTRIES;
/// How many plays one transaction has at most.
const MOST_TOGETHER: usize = 16;

impl<G: Game> Engine<G> {
    pub fn new(context: PlayContext) -> Self {
        let db = context.db.clone();
        let read = move |today, players| standings::<G>(db.clone(), today, players);
        let plays = Arc::new(Plays {
            in_force: InForce::new(context.clone()),
            context,
        });
        let serving = plays.clone();
        let serve = move |today, asks| {
            let plays = serving.clone();
            async move { plays.serve(today, asks).await }
        };
        Self {
            plays,
            together: Gathered::new(MOST_TOGETHER, serve),
            standings: BatchedRead::new(read),
        }
    }

    /// Plays together with those who play just now, or alone.
    async fn play_once(
        &self,
        asked: &Asked,
        chain: Option<&Chained<G>>,
        may_join: bool,
    ) -> Result<Replayable<Play<G::Outcome>>, Stop<G>> {
        if may_join {
            let today = EventDay::of(asked.now);
            let answer = self.together.ask(today, asked.clone()).await;
            let lost = || DbErr::Custom("plays that never ended".to_owned());
            let answer = answer.ok_or_else(|| DbError::CommitOutcomeUnknown(lost()))?;
            if let Some(play) = answer? {
                return Ok(play);
            }
        }
        self.plays.play(asked, chain).await
    }

    async fn status_once(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<Status<G::Menu>, GameError> {
        let context = &self.plays.context;
        let today = EventDay::of(now);
        context.features.require(G::FEATURE, today).await?;
        let found = self.standings.get(today, identity.user_id).await?;
        let (profile, standing) = found.unzip();
        UncheckedProfile::check(profile, identity)?;
        let Standing {
            today_plays,
            token_balance,
        } = standing.unwrap_or_default();
        let published = self.plays.in_force.playable(now).await?;
        let active = &published.active;
        context.pages.enter_page(identity, G::FEATURE, now).await;
        Ok(Status {
            config_id: active.config_id,
            name: active.name.clone(),
            max_daily: active.max_daily,
            today_plays,
            remaining: remaining(active.max_daily, today_plays),
            token_balance,
            menu: active.menu.clone(),
        })
    }

    /// Adds the codes of coupons that the play has won, which are stored with no answer.
    async fn reveal(&self, player: &Identity, play: &mut Play<G::Outcome>) {
        let receipt = &mut play.receipt;
        if receipt.reward_type == RewardType::Coupon
            && receipt.reward_state == RewardState::Delivered
        {
            self.plays.context.reveal_coupon(player, receipt).await;
        }
        if let Some(stamp) = &mut play.season_pass {
            let rewards = &*self.plays.context.rewards;
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
        let asked = Asked {
            command: command.clone(),
            now,
        };
        let (mut chain, mut may_join) = (None, true);
        for _ in 0..ROUNDS {
            let request = command.request.as_ref();
            let play = || self.play_once(&asked, chain.as_ref(), mem::take(&mut may_join));
            match retry_keyed(&self.plays.context.db, request, play).await {
                Ok(mut play) => {
                    self.reveal(&command.identity, &mut play.result).await;
                    return Ok(play);
                }
                Err(Stop::Refused(error)) => return Err(error),
                Err(Stop::SoldOut(rest)) => {
                    let odds_id = self.plays.context.draws.publish(&rest.odds, now).await?;
                    chain = Some((rest, odds_id));
                    // Others need not find out the same way.
                    self.plays.in_force.forget();
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

    async fn odds_now(&self, now: DateTime<Utc>) -> Result<OddsNow, GameError> {
        let timeline = self.plays.in_force.timeline(now).await?;
        let in_force = timeline.at(now).as_ref();
        if in_force.is_none() && timeline.next.is_empty() {
            return Err(GameError::InvalidConfig(G::FEATURE));
        }
        let season = match self.plays.context.seasons.running(EventDay::of(now)).await {
            Ok(season) => season.map(|season| (season.rules.start, season.rules.end)),
            Err(SeasonError::Db(error)) => return Err(error.into()),
            // Odds are there without a season.
            Err(_) => None,
        };
        Ok(OddsNow {
            in_force: in_force.map(|published| in_force_odds(published)),
            next: timeline.next.clone(),
            season,
        })
    }
}

fn in_force_odds<G: Game>(published: &PublishedConfig<G>) -> InForceOdds {
    let active = &published.active;
    InForceOdds {
        published: PublishedOdds {
            odds_id: published.odds_id,
            odds: published.odds.clone(),
        },
        is_playable: published.is_playable,
        since: published.since,
        table: active.table.clone(),
        limits: Limits {
            stock: active.stock.clone(),
            supplied: active.supplied.clone(),
            max_daily: active.max_daily,
        },
    }
}
