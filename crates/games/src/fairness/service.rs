use std::sync::Arc;

use chrono::{DateTime, Utc};
use xmas_kernel::{
    Feature, OddsId, PlayId,
    db::{Db, DbError},
    paging::Page,
};
use xmas_players::{Identity, check};
use xmas_time::EventDay;

use super::{
    model::{DayFairness, OddsSource, PublishedOdds, ReportQuery},
    receipt::{Draw, DrawReceipt, Facts},
    registry::{DrawRegistry, reveals_at},
    report::OddsReport,
    store,
};
use crate::{FairnessError, GameError, draw::DrawId, draw_counts, play_log};

/// Odds and draws, for players who check them and for operators.
pub struct Fairness {
    db: Db,
    draws: Arc<DrawRegistry>,
    sources: Vec<Arc<dyn OddsSource>>,
}

impl Fairness {
    /// `sources` are the games.
    pub fn new(db: Db, draws: Arc<DrawRegistry>, sources: Vec<Arc<dyn OddsSource>>) -> Self {
        Self { db, draws, sources }
    }
}

impl Fairness {
    /// The odds of a game now.
    pub async fn odds(
        &self,
        feature: Feature,
        now: DateTime<Utc>,
    ) -> Result<PublishedOdds, FairnessError> {
        let source = self.sources.iter().find(|game| game.feature() == feature);
        let source = source.ok_or(FairnessError::UnknownOdds)?;
        Ok(source.odds_now(now).await?)
    }

    /// A table that was once in force, by its id.
    pub async fn past_odds(
        &self,
        feature: Feature,
        odds_id: OddsId,
    ) -> Result<PublishedOdds, FairnessError> {
        let odds = self.draws.tables(&[odds_id]).await?.remove(&odds_id);
        let odds = odds.filter(|odds| odds.feature() == feature);
        Ok(PublishedOdds {
            odds_id,
            odds: odds.ok_or(FairnessError::UnknownOdds)?,
            stock: None,
            sold_out: Vec::new(),
        })
    }

    /// A day's commitment and, once the day is over, its seed.
    pub async fn day(
        &self,
        day: EventDay,
        now: DateTime<Utc>,
    ) -> Result<DayFairness, FairnessError> {
        let known = self.draws.known_seed(day).await?;
        let known = known.ok_or(FairnessError::UnknownDay)?;
        let reveals_at = reveals_at(day);
        Ok(DayFairness {
            day,
            commitment: known.commitment.clone(),
            committed_at: known.committed_at,
            reveals_at,
            seed: (now >= reveals_at).then(|| known.seed.clone()),
        })
    }

    /// Everything that is needed to check one play of one's own, once its day's seed is revealed.
    pub async fn receipt(
        &self,
        identity: &Identity,
        play: PlayId,
        now: DateTime<Utc>,
    ) -> Result<DrawReceipt, FairnessError> {
        check(self.db.read(), identity).await?;
        let logged = play_log::find(self.db.read(), identity.user_id, play).await?;
        let logged = logged.ok_or(FairnessError::UnknownPlay)?;
        let day = self.day(logged.day, now).await?;
        let seed = day.seed.ok_or(FairnessError::NotRevealed)?;
        let ids: Vec<OddsId> = logged.draws.iter().map(|draw| draw.odds_id).collect();
        let tables = self.draws.tables(&ids).await?;
        let mut draws = Vec::with_capacity(ids.len());
        for (attempt, draw) in (0..).zip(&logged.draws) {
            let odds = tables.get(&draw.odds_id);
            let odds = odds
                .ok_or_else(|| DbError::Corrupt(format!("play {play} was drawn from no table")))?;
            let id = DrawId {
                feature: logged.feature,
                user_id: identity.user_id,
                nonce: logged.nonce,
                attempt,
            };
            draws.push(Draw {
                odds_id: draw.odds_id,
                table: odds.content().to_owned(),
                table_hash: odds.hash().to_owned(),
                number: seed.number(&id, odds.total()),
                entry_id: draw.entry_id,
            });
        }
        let facts = Facts {
            day: logged.day,
            commitment: day.commitment,
            seed: hex::encode(seed.expose()),
            feature: logged.feature,
            user_id: identity.user_id,
            play_id: play,
            nonce: logged.nonce,
            draws,
            outcome: logged.outcome,
        };
        Ok(DrawReceipt::of(facts))
    }

    /// Declared against observed frequencies of a game's tables, newest table first. A page is a fixed
    /// number of statements.
    pub async fn report(
        &self,
        feature: Feature,
        query: ReportQuery,
        now: DateTime<Utc>,
    ) -> Result<Page<OddsReport>, FairnessError> {
        let in_force = match self.odds(feature, now).await {
            Ok(published) => Some(published.odds_id),
            // Nothing can be played now; what was played is told all the same.
            Err(FairnessError::Game(GameError::InvalidConfig(_))) => None,
            Err(error) => return Err(error),
        };
        let db = self.db.read();
        let tables = store::odds_of(db, feature, query).await?;
        let tables = Page::from_overfetched(tables, query.limit, |(id, _)| id.0);
        if query.only.is_some() && tables.items.is_empty() {
            return Err(FairnessError::UnknownOdds);
        }
        let ids: Vec<OddsId> = tables.items.iter().map(|(id, _)| *id).collect();
        let mut observed = draw_counts::observed(db, &ids).await?;
        let report = |(id, odds)| {
            let observed = observed.remove(&id).unwrap_or_default();
            OddsReport::new(id, odds, &observed, in_force == Some(id))
        };
        Ok(Page {
            items: tables.items.into_iter().map(report).collect(),
            next: tables.next,
        })
    }
}
