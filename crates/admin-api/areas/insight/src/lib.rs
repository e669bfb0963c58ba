//! What is read only: the dashboard and the logs.

pub mod dashboard;
pub mod logs;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use xmas_reporting::{Dashboard, Records};

/// What the dashboard and the lists of records work with.
#[derive(Clone)]
pub struct Services {
    pub dashboard: Arc<Dashboard>,
    pub records: Arc<Records>,
}

impl Services {
    pub fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self { dashboard, records } = self;
        cfg.app_data(Data::from(dashboard.clone()))
            .app_data(Data::from(records.clone()));
    }
}
