//! `/admin/api/bundles/`, `/admin/api/coupons/` and `/admin/api/rewards/`: what players win, and the review queue.

pub mod bundles;
pub mod coupons;
pub mod review;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use xmas_reporting::RewardQueue;
use xmas_rewards::RewardDesk;

/// What the paths of rewards work with.
#[derive(Clone)]
pub struct Services {
    pub rewards: Arc<RewardDesk>,
    pub queue: Arc<RewardQueue>,
}

impl Services {
    pub fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self { rewards, queue } = self;
        cfg.app_data(Data::from(rewards.clone()))
            .app_data(Data::from(queue.clone()));
    }
}
