use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use xmas_cache::Snapshot;
use xmas_kernel::{
    Asset, ConfigId, Feature,
    db::{DbError, retry},
    idempotency::{self, Replayable},
};
use xmas_players::{Entry, Identity, check, enter_in_tx};
use xmas_time::EventDay;

use super::{NewWheel, RoulettePlay, RouletteStatus, model::Table, rules::InvalidWheel, store};
use crate::{
    Floor, GameError, PlayCommand, RouletteService,
    floor::{Drawn, remaining},
    play_log,
};

const FEATURE: Feature = Feature::Roulette;
const TOKEN: Asset = Asset::RouletteCoin;

/// [`RouletteService`] on the database.
pub struct Roulette {
    floor: Floor,
    tables: Snapshot<(), Arc<Result<Table, InvalidWheel>>>,
}

impl Roulette {
    pub fn new(floor: Floor) -> Self {
        Self {
            floor,
            tables: Snapshot::new(),
        }
    }

    /// Saves a wheel as the active one. The caller has checked it with [`super::rules::check`].
    pub async fn insert_active_in_tx(
        tx: &DatabaseTransaction,
        wheel: &NewWheel,
        now: DateTime<Utc>,
    ) -> Result<ConfigId, DbError> {
        store::insert_active(tx, wheel, now).await
    }

    async fn table(&self) -> Result<Arc<Result<Table, InvalidWheel>>, DbError> {
        let load = async { Ok(Arc::new(store::active_table(self.floor.db.read()).await?)) };
        self.tables.get_or_load((), load).await
    }

    async fn play_once(
        &self,
        command: &PlayCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<RoulettePlay>, GameError> {
        let (identity, request) = (&command.identity, command.request.as_ref());
        let today = EventDay::of(now);
        let ready = self.floor.ready(FEATURE, today).await;
        // Without a key there is nothing to replay, and a refusal costs no transaction.
        let ready = if request.is_none() { Ok(ready?) } else { ready };
        let table = self.table().await?;

        let tx = self.floor.db.begin().await?;
        let (player, ready) = match enter_in_tx(&tx, identity, request, ready).await? {
            Entry::Replay(result) => return Ok(Replayable::replayed(result)),
            Entry::Run(player, ready) => (player, ready),
        };
        let table = table
            .as_ref()
            .as_ref()
            .map_err(|_| GameError::InvalidRoulette)?;
        let limit = table.max_daily_spins;
        let nonce = self
            .floor
            .next_nonce_in_tx(&tx, &player, FEATURE, limit, today)
            .await?;
        let up = table.wheel.spin(|| self.floor.entropy.next_u64());
        let drawn = Drawn {
            feature: FEATURE,
            config_id: table.config_id,
            token: TOKEN,
            nonce,
            outcome: json!({
                "segment_id": up.segment.id,
                "slot_index": up.segment.slot_index,
                "label": up.segment.label,
                "is_jackpot": up.segment.is_jackpot,
            }),
            is_win: up.reward.is_win(),
            reward: up.reward,
            label: up.segment.label.clone(),
        };
        let settled = self
            .floor
            .settle_in_tx(&tx, &player, &ready, &drawn, now)
            .await?;
        let play = RoulettePlay {
            segment: up.segment.clone(),
            season_pass: settled.stamp,
            token_balance: settled.token_balance,
            receipt: settled.receipt,
        };
        idempotency::store_in_tx(&tx, identity.user_id, request, &play, now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(play))
    }

    async fn status_once(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<RouletteStatus, GameError> {
        let today = EventDay::of(now);
        self.floor.features.require(FEATURE, today).await?;
        let db = self.floor.db.read();
        check(db, identity).await?;
        let table = self.table().await?;
        let table = table
            .as_ref()
            .as_ref()
            .map_err(|_| GameError::InvalidRoulette)?;
        let user_id = identity.user_id;
        let today_spins = play_log::plays_on(db, user_id, FEATURE, today).await?;
        let balances = self.floor.wallets.balances(user_id).await?;
        self.floor.pages.enter_page(identity, FEATURE, now).await;
        Ok(RouletteStatus {
            config_id: table.config_id,
            name: table.name.clone(),
            max_daily_spins: table.max_daily_spins,
            today_spins,
            remaining_spins: remaining(table.max_daily_spins, today_spins),
            token_balance: balances.get(&TOKEN).copied().unwrap_or(0),
            segments: table.wheel.segments().cloned().collect(),
        })
    }
}

#[async_trait]
impl RouletteService for Roulette {
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<RouletteStatus, GameError> {
        retry(|| self.status_once(identity, now)).await
    }

    async fn play(
        &self,
        command: &PlayCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<RoulettePlay>, GameError> {
        retry(|| self.play_once(command, now)).await
    }
}
