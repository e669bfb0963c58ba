use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::store::PendingReviews;

/// What there is to see of the event at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    pub flows: Flows,
    /// Prizes of the lottery that is played, as far as they are limited.
    pub prizes: Vec<PrizeStock>,
    pub free_codes: Vec<FreeCodes>,
    pub reviews: PendingReviews,
    /// When the last stamp was collected, in whichever season.
    pub last_stamp: Option<DateTime<Utc>>,
}

/// What has happened since the first look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flows {
    /// By feature, and whether it was won.
    pub plays: BTreeMap<(String, bool), u64>,
    pub stamps: u64,
    pub claims: u64,
    /// Rewards by type, and by their state when they were counted.
    pub rewards: BTreeMap<(String, String), u64>,
    /// What wallets gained and lost, by asset and reason.
    pub amounts: BTreeMap<(String, String, Direction), u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    In,
    Out,
}

/// What is left of a prize.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrizeStock {
    pub id: i64,
    pub label: String,
    pub left: i64,
    /// What was ever put in.
    pub supplied: i64,
}

/// Coupon codes of a kind that belong to nobody yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeCodes {
    pub kind: String,
    pub codes: u64,
}

impl Flows {
    pub(super) fn add(&mut self, new: Self) {
        for (key, number) in new.plays {
            *self.plays.entry(key).or_default() += number;
        }
        self.stamps += new.stamps;
        self.claims += new.claims;
        for (key, number) in new.rewards {
            *self.rewards.entry(key).or_default() += number;
        }
        for (key, amount) in new.amounts {
            *self.amounts.entry(key).or_default() += amount;
        }
    }
}
