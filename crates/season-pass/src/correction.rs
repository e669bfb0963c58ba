use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseTransaction, sea_query::SelectStatement};
use xmas_kernel::{UserId, audit::Actor, db::DbError, entropy::Entropy};
use xmas_players::{LockedPlayer, Seasons, ServedSeason, Standing, lock_beside_in_tx};
use xmas_rewards::{Books, RewardLedger, XpCorrection};
use xmas_time::EventDay;

use crate::{Place, Season, SeasonMover, SeasonPassService, participant::Step, rules, store};

/// Sets players' XP right for operators, inside their transaction. It has no connection of its own.
#[derive(Clone)]
pub struct XpCorrections {
    pub seasons: Arc<dyn SeasonPassService>,
    pub rewards: Arc<dyn RewardLedger>,
    pub mover: SeasonMover,
    pub entropy: Arc<dyn Entropy>,
}

/// One season whose XP can be corrected.
struct Correctable {
    season: Arc<Season>,
    corrections: XpCorrections,
}

impl XpCorrections {
    /// Names one correction among all.
    fn grant_key(&self) -> String {
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        let id = uuid::Builder::from_random_bytes(random).into_uuid();
        format!("correction:{id}")
    }
}

#[async_trait]
impl Seasons for XpCorrections {
    async fn served(&self, today: EventDay) -> Result<Option<Arc<dyn ServedSeason>>, DbError> {
        let season = self.seasons.served(today).await?;
        Ok(season.map(|season| {
            let corrections = self.clone();
            Arc::new(Correctable {
                season,
                corrections,
            }) as Arc<dyn ServedSeason>
        }))
    }
}

#[async_trait]
impl ServedSeason for Correctable {
    fn required_xp(&self, level: i64) -> Option<i64> {
        self.season.level(level).map(|level| level.required_xp)
    }

    async fn standing_in_tx(
        &self,
        tx: &DatabaseTransaction,
        user_id: UserId,
    ) -> Result<Standing, DbError> {
        let progress = store::lock_progress(tx, user_id, self.season.id).await?;
        let xp = progress.map_or(0, |progress| progress.current_xp);
        Ok(Standing {
            xp,
            level: rules::level_for(&self.season.rules, xp),
        })
    }

    async fn correct_xp_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        delta: i64,
        actor: &Actor,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let correction = XpCorrection {
            grant_key: self.corrections.grant_key(),
            delta,
            season_id: self.season.id,
            reason: actor.reason.clone(),
        };
        let rewards = &self.corrections.rewards;
        rewards
            .correct_xp_in_tx(tx, player, &correction, now)
            .await?;
        let join = |select: &mut SelectStatement| {
            Books::join(select);
            Place::join(select, self.season.id);
        };
        let rows = lock_beside_in_tx(tx, player, join).await?;
        let place = Place::joined(&rows)?;
        let mut books = Books::open(tx, player, &rows, now)?;
        let step = Step::of_xp(delta);
        let mover = &self.corrections.mover;
        let season = (&*self.season, &place);
        mover.advance(&mut books, season, &step).await?;
        books.write_in_tx().await
    }
}
