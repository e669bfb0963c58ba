//! What all games share: who may play, how often, and everything that follows from a draw.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xmas_activity::{ActivityLog, ActivityService, Event, EventKind};
use xmas_features::{FeatureError, FeatureService, FeatureSettings};
use xmas_kernel::{
    Asset, ConfigId, Feature, PlayId,
    db::{Db, DbError},
    entropy::Entropy,
    idempotency::RequestKey,
};
use xmas_players::{Identity, LockedPlayer};
use xmas_rewards::{
    Grant, GrantSource, Reward, RewardLedger, RewardState, RewardType, Spend, WalletService,
};
use xmas_season_pass::{PlayEffect, Season, SeasonPassService, SeasonProgress, StampResult};
use xmas_time::EventDay;

use crate::{GameError, play_log};

/// What every play costs, in tokens of its game.
const PRICE: i64 = 1;

/// Everything that games work with.
#[derive(Clone)]
pub struct Floor {
    pub db: Db,
    pub features: Arc<dyn FeatureService>,
    pub wallets: Arc<dyn WalletService>,
    pub rewards: Arc<dyn RewardLedger>,
    pub seasons: Arc<dyn SeasonPassService>,
    pub progress: Arc<dyn SeasonProgress>,
    pub pages: Arc<dyn ActivityService>,
    pub activity: ActivityLog,
    pub entropy: Arc<dyn Entropy>,
}

#[derive(Clone, Debug)]
pub struct PlayCommand {
    pub identity: Identity,
    pub request: Option<RequestKey>,
}

/// By what a player can name their play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub play_id: PlayId,
    pub reward_state: RewardState,
    /// The table that the play was drawn from. Not recorded yet.
    pub odds_id: Option<i64>,
    pub day: EventDay,
    /// The player's 0-based play number for the game and day.
    pub nonce: i64,
}

/// What is known before the transaction of a play begins.
#[derive(Debug)]
pub(crate) struct Ready {
    settings: FeatureSettings,
    season: Option<Arc<Season>>,
}

/// What a game has drawn.
pub(crate) struct Drawn {
    pub(crate) feature: Feature,
    pub(crate) config_id: ConfigId,
    pub(crate) token: Asset,
    pub(crate) nonce: i64,
    pub(crate) outcome: Value,
    pub(crate) is_win: bool,
    pub(crate) reward: Reward,
    pub(crate) label: String,
}

/// What became of a play.
pub(crate) struct Settled {
    pub(crate) receipt: Receipt,
    pub(crate) token_balance: i64,
    pub(crate) stamp: Option<StampResult>,
}

impl Floor {
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

    /// The nonce of the next play, or that there is none left today. `max_daily` 0 means no limit.
    pub(crate) async fn next_nonce_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        feature: Feature,
        max_daily: i64,
        today: EventDay,
    ) -> Result<i64, GameError> {
        let played = play_log::plays_on(tx, player.user_id(), feature, today).await?;
        match remaining(max_daily, played) {
            -1 => Err(GameError::DailyLimitReached),
            _ => Ok(played),
        }
    }

    /// Logs the play, takes the token, delivers the prize, moves the season and tells the activity
    /// log, which has the last word.
    pub(crate) async fn settle_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        ready: &Ready,
        drawn: &Drawn,
        now: DateTime<Utc>,
    ) -> Result<Settled, GameError> {
        let play = play_log::Row {
            user_id: player.user_id(),
            feature: drawn.feature,
            config_id: drawn.config_id,
            nonce: drawn.nonce,
            outcome: &drawn.outcome,
            is_win: drawn.is_win,
            reward: drawn.reward,
        };
        let play_id = play_log::insert(tx, &play, now).await?;
        let spend = Spend {
            asset: drawn.token,
            amount: PRICE,
            reason: "PLAY",
            reference: format!("play:{play_id}"),
        };
        self.rewards.spend_in_tx(tx, player, &spend, now).await?;

        let season_id = ready.season.as_ref().map(|season| season.id);
        let prize = Grant {
            grant_key: format!("play:{play_id}"),
            source: GrantSource::Play,
            reward: drawn.reward,
            label: Some(drawn.label.clone()),
            manual: false,
            season_id,
        };
        let prize = self.rewards.grant_in_tx(tx, player, &prize, now).await?;
        let mut xp = prize.xp_due;
        let per_play = i64::from(ready.settings.xp_per_play);
        if let Ok(reward) = Reward::new(RewardType::Xp, per_play)
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
            xp += self
                .rewards
                .grant_in_tx(tx, player, &play_xp, now)
                .await?
                .xp_due;
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
                    .after_play_in_tx(tx, player, season, &effect, now)
                    .await?
            }
            None => None,
        };
        // Prize and levels may have given tokens of the same game.
        let token_balance = self.rewards.balance_in_tx(tx, player, drawn.token).await?;
        self.tell_in_tx(
            tx,
            player,
            drawn,
            play_id,
            (prize.state, token_balance),
            now,
        )
        .await?;
        Ok(Settled {
            receipt: Receipt {
                play_id,
                reward_state: prize.state,
                odds_id: None,
                day: EventDay::of(now),
                nonce: drawn.nonce,
            },
            token_balance,
            stamp,
        })
    }

    async fn tell_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        drawn: &Drawn,
        play_id: PlayId,
        (state, token_balance): (RewardState, i64),
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let event = |kind, meta| Event {
            kind,
            feature: Some(drawn.feature),
            meta,
        };
        let play = json!({
            "play_id": play_id,
            "token": drawn.token,
            "nonce": drawn.nonce,
            "balance": token_balance,
        });
        let result = json!({
            "play_id": play_id,
            "outcome": drawn.outcome,
            "reward_type": drawn.reward.kind(),
            "reward_amount": drawn.reward.amount(),
            "state": state,
        });
        let events = [
            event(EventKind::Play, play),
            event(EventKind::Result, result),
        ];
        self.activity.record_in_tx(tx, player, &events, now).await
    }
}

/// Plays left today as clients read it: 0 means no limit, -1 that none is left.
pub fn remaining(max_daily: i64, played: i64) -> i64 {
    match max_daily {
        0 => 0,
        max if played < max => max - played,
        _ => -1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_left_and_no_limit_are_different_numbers() {
        assert_eq!(remaining(0, 1_000), 0);
        assert_eq!(remaining(3, 0), 3);
        assert_eq!(remaining(3, 2), 1);
        assert_eq!(remaining(3, 3), -1);
        // The limit was lowered below what has been played.
        assert_eq!(remaining(3, 10), -1);
    }

    proptest! {
        #[test]
        fn a_limit_is_never_0(max in 1i64..1_000, played in 0i64..2_000) {
            prop_assert!(remaining(max, played) != 0);
            prop_assert_eq!(remaining(max, played) > 0, played < max);
        }
    }
}
