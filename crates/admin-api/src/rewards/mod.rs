//! Wallets and rewards: tokens, bundles, coupons, and the review queue.

pub(crate) mod bundles;
pub(crate) mod coupons;
pub(crate) mod game_tokens;
pub(crate) mod review;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use xmas_reporting::{Payouts, RewardQueue};
use xmas_rewards::{Batches, RewardDesk, Wallets};

/// What the paths of wallets and rewards work with.
#[derive(Clone)]
pub struct Services {
    pub wallets: Arc<Wallets>,
    pub batches: Arc<Batches>,
    pub rewards: Arc<RewardDesk>,
    pub queue: Arc<RewardQueue>,
    pub payouts: Arc<Payouts>,
}

impl Services {
    pub(crate) fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self {
            wallets,
            batches,
            rewards,
            queue,
            payouts,
        } = self;
        cfg.app_data(Data::from(wallets.clone()))
            .app_data(Data::from(batches.clone()))
            .app_data(Data::from(rewards.clone()))
            .app_data(Data::from(queue.clone()))
            .app_data(Data::from(payouts.clone()));
    }
}
