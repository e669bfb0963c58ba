//! What all games share: who may play, how often, and everything that follows from a draw.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{QueryResult, sea_query::SelectStatement};
use serde_json::{Value, json};
use xmas_activity::{ActivityLog, ActivityService, Event, EventKind};
use xmas_features::{FeatureError, FeatureService, FeatureSettings};
use xmas_kernel::{
    Asset, ConfigId, Feature, PlayId, UserId,
    db::{Db, DbError},
};
use xmas_players::Identity;
use xmas_rewards::{
    Books, Grant, GrantSource, Reward, RewardLedger, RewardService, RewardState, RewardType, Spend,
    codes_to_show,
};
use xmas_season_pass::{Place, PlayEffect, Season, SeasonPassService, SeasonProgress, StampResult};
use xmas_time::EventDay;

use crate::{
    GameError, Receipt,
    fairness::DrawRegistry,
    play_log::{self, Draw},
};

/// What every play costs, in tokens of its game.
const PRICE: i64 = 1;

/// The services that every play works with.
#[derive(Clone)]
pub struct PlayContext {
    pub db: Db,
    pub features: Arc<dyn FeatureService>,
    pub ledger: Arc<dyn RewardLedger>,
    pub rewards: Arc<dyn RewardService>,
    pub seasons: Arc<dyn SeasonPassService>,
    pub progress: Arc<dyn SeasonProgress>,
    pub pages: Arc<dyn ActivityService>,
    pub activity: ActivityLog,
    pub draws: Arc<DrawRegistry>,
}

/// What is known before the transaction of a play begins.
#[derive(Debug)]
pub(crate) struct Ready {
    settings: FeatureSettings,
    season: Option<Arc<Season>>,
}

impl Ready {
    /// Where the player stands in the season in which the play counts.
    pub(crate) fn place(&self, rows: &[QueryResult]) -> Result<Place, DbError> {
        match self.season {
            Some(_) => Place::joined(rows),
            None => Ok(Place::default()),
        }
    }
}

/// What a game has drawn for a player.
pub(crate) struct Drawn {
    pub(crate) feature: Feature,
    pub(crate) config_id: ConfigId,
    pub(crate) token: Asset,
    pub(crate) nonce: i64,
    pub(crate) draw: Draw,
    /// Draws of this play before it, whose prizes had run out.
    pub(crate) redraws: Vec<Draw>,
    pub(crate) took_stock: bool,
    pub(crate) outcome: Value,
    pub(crate) is_win: bool,
    pub(crate) reward: Reward,
    pub(crate) label: String,
}

impl Drawn {
    /// Whether there are so many of the prize: things of a kind, or codes of a coupon.
    pub(crate) fn is_of_a_stock(&self) -> bool {
        self.took_stock || self.reward.coupon_kind().is_some()
    }

    /// What the log keeps of it.
    pub(crate) fn logged(&self, user_id: UserId, at: DateTime<Utc>) -> play_log::Row<'_> {
        play_log::Row {
            user_id,
            feature: self.feature,
            config_id: self.config_id,
            nonce: self.nonce,
            draw: self.draw,
            attempt: attempt(&self.redraws),
            redraws: &self.redraws,
            took_stock: self.took_stock,
            outcome: &self.outcome,
            is_win: self.is_win,
            reward: self.reward,
            at,
        }
    }
}

/// What became of a play.
pub(crate) struct Settled {
    pub(crate) receipt: Receipt,
    pub(crate) token_balance: i64,
    pub(crate) stamp: Option<StampResult>,
}

impl PlayContext {
    /// Whether the game runs, and the season in which a play counts.
    pub(crate) async fn ready(
        &self,
        feature: Feature,
        today: EventDay,
    ) -> Result<Ready, GameError> {
        let mut settings = self.features.require(feature, today).await?;
        if settings.stamp_on_play {
            // XP goes on counting while the season pass is switched off; stamps do not.
            let stamps = self.features.require(Feature::SeasonPass, today).await;
            settings.stamp_on_play = match stamps {
                Ok(_) => true,
                Err(FeatureError::Disabled | FeatureError::NotToday) => false,
                Err(error @ FeatureError::Db(_)) => return Err(error.into()),
            };
        }
        Ok(Ready {
            settings,
            season: self.seasons.running(today).await?,
        })
    }

    /// Adds what a play needs beside its player to the statement that locks them.
    pub(crate) fn join(
        select: &mut SelectStatement,
        feature: Feature,
        ready: &Ready,
        today: EventDay,
    ) {
        play_log::join_plays(select, feature, today);
        Books::join(select);
        if let Some(season) = &ready.season {
            Place::join(select, season.id);
        }
    }

    /// Whether the player can pay for a play.
    pub(crate) fn check_price(books: &Books<'_>, token: Asset) -> Result<(), GameError> {
        match books.balance(token) {
            ..PRICE => Err(GameError::NotEnoughTokens),
            _ => Ok(()),
        }
    }

    /// Takes the token for a play that was logged, delivers the prize, moves the season and, last, notes the
    /// activity: in the player's books, which the caller writes.
    pub(crate) async fn settle(
        &self,
        books: &mut Books<'_>,
        (ready, place): (&Ready, &Place),
        drawn: &Drawn,
        play_id: PlayId,
    ) -> Result<Settled, GameError> {
        let spend = Spend {
            asset: drawn.token,
            amount: PRICE,
            reason: "PLAY",
            reference: format!("play:{play_id}"),
        };
        books.spend(&spend)?;

        let season_id = ready.season.as_ref().map(|season| season.id);
        let prize = Grant {
            grant_key: grant_key(play_id),
            source: GrantSource::Play,
            reward: drawn.reward,
            label: Some(drawn.label.clone()),
            manual: false,
            season_id,
        };
        let prize = self.ledger.grant(books, &prize).await?;
        let mut xp = prize.xp_due;
        let per_play = i64::from(ready.settings.xp_per_play);
        if let Ok(reward) = Reward::new(RewardType::Xp, per_play)
            && !reward.is_nothing()
            && season_id.is_some()
        {
            let play_xp = Grant {
                grant_key: format!("play:{play_id}:xp"),
                source: GrantSource::Play,
                reward,
                label: None,
                manual: false,
                season_id,
            };
            xp += self.ledger.grant(books, &play_xp).await?.xp_due;
        }
        let stamp = match &ready.season {
            Some(season) => {
                let effect = PlayEffect {
                    feature: drawn.feature,
                    xp,
                    is_win: drawn.is_win,
                    stamp: ready.settings.stamp_on_play,
                };
                self.progress
                    .after_play(books, (season, place), &effect)
                    .await?
            }
            None => None,
        };
        // Prize and levels may have given tokens of the same game.
        let token_balance = books.balance(drawn.token);
        let events = events(drawn, play_id, (prize.state, token_balance));
        books.record(&self.activity, events).await?;
        Ok(Settled {
            receipt: Receipt {
                play_id,
                reward_type: drawn.reward.kind(),
                reward_state: prize.state,
                odds_id: drawn.draw.odds_id,
                day: EventDay::of(books.now),
                nonce: drawn.nonce,
                attempt: attempt(&drawn.redraws),
                coupon_code: None,
            },
            token_balance,
            stamp,
        })
    }

    /// Adds the code of a coupon that was just won, for its winner's eyes. A code that cannot be had
    /// now is left out: the prize is theirs, and their history shows it.
    pub(crate) async fn reveal_coupon(&self, player: &Identity, receipt: &mut Receipt) {
        let key = grant_key(receipt.play_id);
        let keys = std::slice::from_ref(&key);
        let mut codes = codes_to_show(&*self.rewards, player.user_id, keys).await;
        receipt.coupon_code = codes.remove(&key);
    }
}

/// What the log says of a play.
fn events(
    drawn: &Drawn,
    play_id: PlayId,
    (state, token_balance): (RewardState, i64),
) -> [Event; 2] {
    let event = |kind, meta| Event {
        kind,
        feature: Some(drawn.feature),
        meta,
    };
    let play = json!({
        "play_id": play_id,
        "token": drawn.token,
        "nonce": drawn.nonce,
        "attempt": attempt(&drawn.redraws),
        "odds_id": drawn.draw.odds_id,
        "balance": token_balance,
    });
    let result = json!({
        "play_id": play_id,
        "outcome": drawn.outcome,
        "reward_type": drawn.reward.kind(),
        "reward_amount": drawn.reward.amount(),
        "state": state,
    });
    [
        event(EventKind::Play, play),
        event(EventKind::Result, result),
    ]
}

/// Names the grant of a play's prize.
fn grant_key(play: PlayId) -> String {
    format!("play:{play}")
}

/// Which attempt counts after so many that did not.
fn attempt(redraws: &[Draw]) -> i64 {
    i64::try_from(redraws.len()).unwrap_or(i64::MAX)
}
