//! What draws are made with: the seeds of the days, and the odds that were published.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use moka::{future::Cache as Moka, sync::Cache as Shelf};
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use xmas_kernel::{
    OddsId,
    db::{Db, DbError, retry},
    entropy::Entropy,
    seal::{DataKey, ProbeError, Sealed, SealedTable},
};
use xmas_time::EventDay;

use super::store;
use crate::{GameError, draw::Seed, odds::Odds};

/// How many days ahead there are seeds, so that their commitments are known in time.
pub const DAYS_AHEAD: u32 = 7;
/// How long after its end a day's seed is revealed: no play of the day is still under way then.
const REVEAL_AFTER: TimeDelta = TimeDelta::minutes(10);

/// When the seed of a day becomes public: 00:10 KST of the next day.
pub fn reveals_at(day: EventDay) -> DateTime<Utc> {
    day.end() + REVEAL_AFTER
}

/// The seeds of the days and the odds that were published, kept in the database and, since neither ever changes, in memory.
pub struct DrawRegistry {
    db: Db,
    key: DataKey,
    entropy: Arc<dyn Entropy>,
    days: Moka<EventDay, Arc<SeedOfDay>>,
    tables: Shelf<String, OddsId>,
}

/// A day's seed and what was published of it beforehand.
pub(crate) struct SeedOfDay {
    pub(crate) seed: Seed,
    pub(crate) commitment: String,
    /// Since when the commitment has been public.
    pub(crate) committed_at: DateTime<Utc>,
}

/// What a seed is sealed for: one copied to another day does not open.
fn place(day: EventDay) -> String {
    format!("draw_seed:{day}")
}

/// `draw_seed`, for comparing keys and rotating them.
#[derive(Clone, Copy, Debug)]
pub struct SealedSeeds;

#[async_trait]
impl SealedTable for SealedSeeds {
    fn name(&self) -> &'static str {
        "draw_seed"
    }

    async fn any_in_tx(&self, tx: &DatabaseTransaction) -> Result<Option<Sealed>, DbError> {
        let seed = store::seeds(tx, 0, 1).await?.pop();
        Ok(seed.map(|seed| seed.sealed()))
    }

    async fn count(&self, conn: &DatabaseConnection) -> Result<u64, DbError> {
        store::count_seeds(conn).await
    }

    async fn page(
        &self,
        conn: &DatabaseConnection,
        after: i64,
        most: u64,
    ) -> Result<Vec<(i64, Sealed)>, DbError> {
        let seeds = store::seeds(conn, after, most).await?.into_iter();
        Ok(seeds.map(|seed| (seed.id, seed.sealed())).collect())
    }

    async fn reseal_in_tx(
        &self,
        tx: &DatabaseTransaction,
        key: &DataKey,
        rows: &[i64],
        entropy: &dyn Entropy,
    ) -> Result<u64, ProbeError> {
        let claimed = key.claim_in_tx(tx, entropy).await?;
        let mut resealed = 0;
        for seed in store::lock_seeds(tx, rows).await? {
            let Sealed { place, value } = seed.sealed();
            if claimed.has_sealed(&place, &value) {
                continue;
            }
            let Ok(plain) = key.open(&place, &value) else {
                continue;
            };
            let sealed = claimed.seal(&place, &plain, entropy);
            store::reseal(tx, &claimed, seed.id, sealed).await?;
            resealed += 1;
        }
        Ok(resealed)
    }
}

impl store::SeedRow {
    fn sealed(&self) -> Sealed {
        Sealed {
            place: place(self.day),
            value: self.sealed.clone(),
        }
    }
}

impl DrawRegistry {
    const DAYS_KEPT: u64 = 64;
    const TABLES_KEPT: u64 = 10_000;

    /// `key` is `DATA_KEY`.
    pub fn new(db: Db, key: DataKey, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            db,
            key,
            entropy,
            days: Moka::new(Self::DAYS_KEPT),
            tables: Shelf::new(Self::TABLES_KEPT),
        }
    }

    /// Makes the seeds of today and the days ahead that have none, so that their commitments are
    /// public before the day. Any number of replicas may do so at once, and again.
    pub async fn prepare(&self, now: DateTime<Utc>) -> Result<(), GameError> {
        let today = EventDay::of(now);
        for ahead in 0..=DAYS_AHEAD {
            self.seed(today.plus_days(ahead), now).await?;
        }
        Ok(())
    }

    /// The seed of a day, made now if there is none yet.
    pub(crate) async fn seed(
        &self,
        day: EventDay,
        now: DateTime<Utc>,
    ) -> Result<Arc<SeedOfDay>, GameError> {
        if let Some(known) = self.known_seed(day).await? {
            return Ok(known);
        }
        let mut bytes = [0; Seed::BYTES];
        self.entropy.fill(&mut bytes);
        let kept = async || match self.keep_once(day, &bytes, now).await {
            // Another replica was faster, and its seed is the day's.
            Err(GameError::Db(error)) if error.violates(&store::SEED_OF_DAY) => Ok(()),
            kept => kept,
        };
        retry(kept).await?;
        let seed = self.known_seed(day).await?;
        seed.ok_or_else(|| {
            DbError::Corrupt(format!("the seed of {day} is there and is not")).into()
        })
    }

    async fn keep_once(
        &self,
        day: EventDay,
        bytes: &[u8; Seed::BYTES],
        now: DateTime<Utc>,
    ) -> Result<(), GameError> {
        let tx = self.db.begin().await?;
        let claimed = self.key.claim_in_tx(&tx, &*self.entropy).await?;
        let seed = store::NewSeed {
            day,
            commitment: Seed::new(*bytes).commitment(),
            sealed: claimed.seal(&place(day), bytes, &*self.entropy),
        };
        store::insert_seed(&tx, &claimed, &seed, now).await?;
        Ok(tx.commit().await?)
    }

    /// The seed of a day, if it has one.
    pub(crate) async fn known_seed(
        &self,
        day: EventDay,
    ) -> Result<Option<Arc<SeedOfDay>>, GameError> {
        if let Some(known) = self.days.get(&day).await {
            return Ok(Some(known));
        }
        let Some(row) = store::find_seed(self.db.read(), day).await? else {
            return Ok(None);
        };
        let bytes = self.key.open(&place(day), &row.sealed)?;
        let corrupt = |problem: &str| DbError::Corrupt(format!("the seed of {day} {problem}"));
        let bytes = bytes
            .try_into()
            .map_err(|_| corrupt("has another length"))?;
        let seed = Seed::new(bytes);
        // A seed that nobody committed to must not decide anything.
        if seed.commitment() != row.commitment {
            return Err(corrupt("is not the one that was committed to").into());
        }
        let known = Arc::new(SeedOfDay {
            seed,
            commitment: row.commitment,
            committed_at: row.created_at,
        });
        self.days.insert(day, known.clone()).await;
        Ok(Some(known))
    }

    /// The id of a table, if it is known here to be in the database.
    pub(crate) fn id_of(&self, odds: &Odds) -> Option<OddsId> {
        self.tables.get(odds.hash())
    }

    /// The id of a table, which is written if its content is new.
    pub(crate) async fn publish(&self, odds: &Odds, now: DateTime<Utc>) -> Result<OddsId, DbError> {
        if let Some(id) = self.id_of(odds) {
            return Ok(id);
        }
        let found = store::find_odds_by_hash(self.db.read(), odds.hash()).await?;
        let id = match found {
            Some(id) => id,
            None => retry(|| store::insert_odds(&self.db, odds, now)).await?,
        };
        self.tables.insert(odds.hash().to_owned(), id);
        Ok(id)
    }

    /// Tables by their ids.
    pub(crate) async fn tables(&self, ids: &[OddsId]) -> Result<HashMap<OddsId, Odds>, DbError> {
        store::find_odds(self.db.read(), ids).await
    }
}
