//! How each section of a file is saved, by the rules of its area.

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_event_bridge::{BridgeError, Bridges};
use xmas_features::{FeatureDeskError, Features, UiConfigs};
use xmas_games::{
    ConfigError, Game,
    config::named::{self, NamedEditor},
    dice::Dice,
    lottery::Lottery,
    roulette::Roulette,
};
use xmas_kernel::{Problem, audit::Actor, db::DbError};
use xmas_rewards::{RewardDesk, RewardError};
use xmas_season_pass::{SeasonDeskError, SeasonPass};
use xmas_texts::{event_file as texts, reward};

use crate::{
    EventFile,
    convert::{self, placed},
    file::feature_key,
    names::Names,
};

/// A file that is being saved.
pub(crate) struct Put<'a> {
    pub(crate) seasons: &'a SeasonPass,
    pub(crate) rewards: &'a RewardDesk,
    pub(crate) tx: &'a DatabaseTransaction,
    pub(crate) actor: Option<&'a Actor>,
    pub(crate) now: DateTime<Utc>,
}

/// What stands in the way of a section.
type Refused = Vec<Problem>;

impl Put<'_> {
    /// Saves what is not as it was `before`, and says what cannot be: nothing of the transaction is to be committed then.
    pub(crate) async fn all(
        &self,
        wanted: &EventFile,
        before: &EventFile,
    ) -> Result<Refused, DbError> {
        let mut refused = self.items(wanted, before).await?;
        let names = Names::load(self.tx, wanted).await?;
        refused.extend(self.season(wanted, before, &names).await?);
        refused.extend(self.games(wanted, before, &names).await?);
        refused.extend(self.features(wanted, before).await?);
        refused.extend(self.texts(wanted, before).await?);
        Ok(refused)
    }

    async fn items(&self, wanted: &EventFile, before: &EventFile) -> Result<Refused, DbError> {
        let (tx, actor, now) = (self.tx, self.actor, self.now);
        let mut refused = Vec::new();
        for (index, bundle) in wanted.bundles.iter().enumerate() {
            if before.bundles.contains(bundle) {
                continue;
            }
            let draft = convert::bundle(bundle);
            let put = RewardDesk::put_bundle_in_tx(tx, actor, &draft, now).await;
            let section = format!("bundles.{index}");
            refused.extend(reward_problems(&section, put.map(|_| ()))?);
        }
        for (index, coupon) in wanted.coupons.iter().enumerate() {
            if before.coupons.contains(coupon) {
                continue;
            }
            let kind = convert::coupon(coupon);
            let put = self
                .rewards
                .put_coupon_kind_in_tx(tx, actor, &kind, now)
                .await;
            let section = format!("coupons.{index}");
            refused.extend(reward_problems(&section, put.map(|_| ()))?);
        }
        Ok(refused)
    }

    async fn season(
        &self,
        wanted: &EventFile,
        before: &EventFile,
        names: &Names,
    ) -> Result<Refused, DbError> {
        let (tx, actor, now) = (self.tx, self.actor, self.now);
        let Some(section) = &wanted.season else {
            return Ok(Vec::new());
        };
        if wanted.season != before.season {
            let (season, mut problems) = convert::season(section, names);
            if problems.is_empty() {
                // Its days and those of the bridge are looked at together, further down.
                let has_wardens = wanted.bridge.is_none();
                let put = self.seasons.put_in_tx(tx, actor, &season, has_wardens, now);
                problems = match put.await {
                    Ok(_) => Vec::new(),
                    Err(SeasonDeskError::Invalid(problems)) => problems,
                    Err(SeasonDeskError::Overlap) => {
                        vec![Problem::new("start_date", texts::season_overlaps())]
                    }
                    Err(SeasonDeskError::Db(error)) => return Err(error),
                    Err(error) => return Err(unforeseen(&error)),
                };
            }
            if !problems.is_empty() {
                return Ok(placed("season", problems));
            }
        }
        if wanted.bridge == before.bridge {
            return Ok(Vec::new());
        }
        let season = SeasonPass::named(tx, &section.season_name).await?;
        let (Some(section), Some(season)) = (&wanted.bridge, season) else {
            return Ok(Vec::new());
        };
        let bridge = convert::bridge(section, season.season.id);
        Ok(match Bridges::put_in_tx(tx, actor, &bridge, now).await {
            Ok(_) => Vec::new(),
            Err(BridgeError::Invalid(problems)) => placed("bridge", problems),
            Err(BridgeError::Db(error)) => return Err(error),
            Err(error) => return Err(unforeseen(&error)),
        })
    }

    async fn games(
        &self,
        wanted: &EventFile,
        before: &EventFile,
        names: &Names,
    ) -> Result<Refused, DbError> {
        let mut refused = Vec::new();
        if let Some(section) = wanted.roulette.as_ref()
            && wanted.roulette != before.roulette
        {
            let edit = |_: Option<&_>| convert::roulette(section, names);
            refused.extend(
                self.game::<Roulette>("roulette", &section.name, &edit)
                    .await?,
            );
        }
        if let Some(section) = wanted.dice.as_ref()
            && wanted.dice != before.dice
        {
            let edit = |_: Option<&_>| convert::dice(section, names);
            refused.extend(self.game::<Dice>("dice", &section.name, &edit).await?);
        }
        if let Some(section) = wanted.lottery.as_ref()
            && wanted.lottery != before.lottery
        {
            let edit = |before: Option<&_>| convert::lottery(section, names, before);
            refused.extend(
                self.game::<Lottery>("lottery", &section.name, &edit)
                    .await?,
            );
        }
        Ok(refused)
    }

    async fn game<G: Game>(
        &self,
        section: &str,
        name: &str,
        edit: &NamedEditor<'_, G::Body, G::BodyEdit>,
    ) -> Result<Refused, DbError> {
        let put = named::put_in_tx::<G>(self.tx, self.actor, name, edit, self.now);
        match put.await {
            Ok(()) => Ok(Vec::new()),
            Err(ConfigError::Invalid(problems)) => Ok(placed(section, problems)),
            Err(ConfigError::Db(error)) => Err(error),
            Err(error) => Err(unforeseen(&error)),
        }
    }

    async fn features(&self, wanted: &EventFile, before: &EventFile) -> Result<Refused, DbError> {
        let mut refused = Vec::new();
        let was: Vec<_> = before.features.all().collect();
        for (feature, section) in wanted.features.all() {
            if was.contains(&(feature, section)) {
                continue;
            }
            let config = convert::feature(feature, section);
            let put = Features::put_in_tx(self.tx, self.actor, &config, self.now).await;
            let section = format!("features.{}", feature_key(feature));
            refused.extend(feature_problems(&section, put)?);
        }
        Ok(refused)
    }

    async fn texts(&self, wanted: &EventFile, before: &EventFile) -> Result<Refused, DbError> {
        let mut refused = Vec::new();
        for (key, value) in &wanted.texts {
            if before.texts.get(key) == Some(value) {
                continue;
            }
            let value = convert::text(value);
            let put = UiConfigs::put_in_tx(self.tx, self.actor, key, &value, self.now).await;
            refused.extend(feature_problems(&format!("texts.{key}"), put)?);
        }
        Ok(refused)
    }
}

fn reward_problems(section: &str, put: Result<(), RewardError>) -> Result<Refused, DbError> {
    match put {
        Ok(()) => Ok(Vec::new()),
        Err(RewardError::Invalid(problems)) => Ok(placed(section, problems)),
        Err(RewardError::NameTaken) => {
            let problem = Problem::new("name", reward::name_taken());
            Ok(placed(section, vec![problem]))
        }
        Err(RewardError::Db(error)) => Err(error),
        Err(error) => Err(unforeseen(&error)),
    }
}

fn feature_problems(section: &str, put: Result<(), FeatureDeskError>) -> Result<Refused, DbError> {
    match put {
        Ok(()) => Ok(Vec::new()),
        Err(FeatureDeskError::Invalid(problems)) => Ok(placed(section, problems)),
        Err(FeatureDeskError::Db(error)) => Err(error),
        Err(error) => Err(unforeseen(&error)),
    }
}

/// What only somebody could meet who has looked something up before.
fn unforeseen(error: &dyn std::error::Error) -> DbError {
    DbError::Corrupt(format!("the event's file met: {error}"))
}
