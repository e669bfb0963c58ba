use std::sync::Arc;

use chrono::{DateTime, Utc};
use xmas_kernel::{
    Feature, OddsId, PlayId,
    db::{Db, DbError},
    paging::{Cursor, Limit, Page},
};
use xmas_players::{Identity, check};
use xmas_time::EventDay;

use super::{
    changes::{self, OddsChange},
    model::{DayFairness, OddsHistory, OddsNow, OddsSource, PublishedOdds, ReportQuery},
    observed,
    receipt::{Draw, DrawReceipt, Facts},
    registry::{DrawRegistry, reveals_at},
    report::{self, OddsReport},
    store,
};
use crate::{FairnessError, GameError, draw::DrawId, draw_counts, odds::Odds, play_log};

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
    /// The odds of a game now, and what is announced.
    pub async fn odds(
        &self,
        feature: Feature,
        now: DateTime<Utc>,
    ) -> Result<OddsNow, FairnessError> {
        Ok(self.source(feature)?.odds_now(now).await?)
    }

    fn source(&self, feature: Feature) -> Result<&dyn OddsSource, FairnessError> {
        let source = self.sources.iter().find(|game| game.feature() == feature);
        source.map(AsRef::as_ref).ok_or(FairnessError::UnknownOdds)
    }

    /// The games whose odds are published.
    pub fn games(&self) -> impl Iterator<Item = Feature> {
        self.sources.iter().map(|game| game.feature())
    }

    /// What has changed of a game's odds on a day: what came into force, and what was announced or withdrawn.
    pub async fn history(
        &self,
        feature: Feature,
        day: EventDay,
        (after, limit): (Option<Cursor>, Limit),
        now: DateTime<Utc>,
    ) -> Result<OddsHistory, FairnessError> {
        self.source(feature)?;
        let db = self.db.read();
        let changes = changes::of_day(db, feature, day, after, limit).await?;
        let page = Page::from_overfetched(changes, limit, |(id, _)| *id);
        let changes: Vec<OddsChange> = page.items.into_iter().map(|(_, change)| change).collect();
        // Of a day that has not begun nothing is known.
        let at_start = match day.start() <= now {
            true => changes::before(db, feature, day.start()).await?,
            false => None,
        };
        let named = changes.iter().chain(&at_start);
        let named: Vec<OddsId> = named.filter_map(|change| change.odds_id).collect();
        Ok(OddsHistory {
            day,
            at_start,
            changes,
            hashes: store::hashes(db, &named).await?,
            next: page.next,
        })
    }

    /// Any table that was published, by its id.
    pub async fn odds_by_id(
        &self,
        feature: Feature,
        odds_id: OddsId,
    ) -> Result<PublishedOdds, FairnessError> {
        let odds = self.draws.tables(&[odds_id]).await?.remove(&odds_id);
        let odds = odds.filter(|odds| odds.feature() == feature);
        Ok(PublishedOdds {
            odds_id,
            odds: odds.ok_or(FairnessError::UnknownOdds)?,
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
        let (in_force, tables) = self.reported(feature, query, now).await?;
        let ids: Vec<OddsId> = tables.items.iter().map(|(id, _)| *id).collect();
        let observed = draw_counts::observed(self.db.read(), &ids).await?;
        Ok(report::page(tables, observed, in_force))
    }

    /// As [`Fairness::report`], for everybody: as it was counted last, and when that was.
    pub async fn observed(
        &self,
        feature: Feature,
        query: ReportQuery,
        now: DateTime<Utc>,
    ) -> Result<(Page<OddsReport>, Option<DateTime<Utc>>), FairnessError> {
        let (in_force, tables) = self.reported(feature, query, now).await?;
        let ids: Vec<OddsId> = tables.items.iter().map(|(id, _)| *id).collect();
        let (observed, counted_at) = observed::find(&self.db, &ids).await?;
        Ok((report::page(tables, observed, in_force), counted_at))
    }

    /// A page of a game's tables, and which of them a play now would be drawn from.
    async fn reported(
        &self,
        feature: Feature,
        query: ReportQuery,
        now: DateTime<Utc>,
    ) -> Result<(Option<OddsId>, Page<(OddsId, Odds)>), FairnessError> {
        let in_force = match self.odds(feature, now).await {
            Ok(odds) => {
                let drawn = odds.in_force.filter(|it| it.is_playable);
                drawn.map(|it| it.published.odds_id)
            }
            // Nothing can be played now; what was played is told all the same.
            Err(FairnessError::Game(GameError::InvalidConfig(_))) => None,
            Err(error) => return Err(error),
        };
        let tables = store::odds_of(self.db.read(), feature, query).await?;
        let tables = Page::from_overfetched(tables, query.limit, |(id, _)| id.0);
        if query.only.is_some() && tables.items.is_empty() {
            return Err(FairnessError::UnknownOdds);
        }
        Ok((in_force, tables))
    }

    /// Counts once an hour how often each entry has come up, for everybody to see. Any number of replicas may ask;
    /// `process` names this one among all that work on the database.
    pub async fn observe_if_due(&self, process: &str, now: DateTime<Utc>) -> Result<(), DbError> {
        let games: Vec<Feature> = self.games().collect();
        observed::count_if_due(&self.db, &games, process, now).await
    }

    /// Lets plans take over whose instant has come, and notes what has run out, should nobody play. One game that fails
    /// keeps no other one.
    pub async fn catch_up(&self, now: DateTime<Utc>) -> Result<(), GameError> {
        let mut failed = Ok(());
        for source in &self.sources {
            match source.odds_now(now).await {
                Ok(_) | Err(GameError::InvalidConfig(_)) => {}
                Err(error) => {
                    let game = source.feature();
                    tracing::warn!(%game, ?error, "what is in force of {game} cannot be told");
                    failed = Err(error);
                }
            }
        }
        failed
    }
}
