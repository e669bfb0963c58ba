//! Switches of features, their schedule, and the texts that clients show.

pub mod feature_config;
pub mod feature_schedule;
pub mod ui_config;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use xmas_features::{Features, UiConfigs};

/// What the paths of features and texts work with.
#[derive(Clone)]
pub struct Services {
    pub features: Arc<Features>,
    pub texts: Arc<UiConfigs>,
}

impl Services {
    pub fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self { features, texts } = self;
        cfg.app_data(Data::from(features.clone()))
            .app_data(Data::from(texts.clone()));
    }
}
