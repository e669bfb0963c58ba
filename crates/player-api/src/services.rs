//! What the paths of players work with.

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use xmas_activity::ActivityService;
use xmas_core_auth::AuthService;
use xmas_event_bridge::BridgeService;
use xmas_features::UiConfigs;
use xmas_games::{Fairness, RankingService, catalog::GameServices};
use xmas_reporting::History;
use xmas_rewards::WalletService;
use xmas_season_pass::SeasonPassService;

use crate::games;

/// What the paths of players work with.
#[derive(Clone)]
pub struct Services {
    pub auth: Arc<dyn AuthService>,
    pub season_pass: Arc<dyn SeasonPassService>,
    pub bridge: Arc<dyn BridgeService>,
    pub games: GameServices,
    pub ranking: Arc<dyn RankingService>,
    pub fairness: Arc<Fairness>,
    pub wallets: Arc<dyn WalletService>,
    pub history: Arc<History>,
    pub activity: Arc<dyn ActivityService>,
    pub texts: Arc<UiConfigs>,
}

impl Services {
    pub(crate) fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self {
            auth,
            season_pass,
            bridge,
            games,
            ranking,
            fairness,
            wallets,
            history,
            activity,
            texts,
        } = self;
        cfg.app_data(Data::from(auth.clone()))
            .app_data(Data::from(season_pass.clone()))
            .app_data(Data::from(bridge.clone()))
            .app_data(Data::from(ranking.clone()))
            .app_data(Data::from(fairness.clone()))
            .app_data(Data::from(wallets.clone()))
            .app_data(Data::from(history.clone()))
            .app_data(Data::from(activity.clone()))
            .app_data(Data::from(texts.clone()));
        games::register(games, cfg);
    }
}
