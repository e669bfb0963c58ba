//! How rewards are delivered, without a database.

use crate::{Grant, RewardState, RewardType};

/// Whether a grant is delivered at once, and if not, why. `review_points` is the smallest number
/// of points that an admin looks at first (`REWARD_REVIEW_POINTS`).
pub fn decide(grant: &Grant, review_points: i64) -> (RewardState, Option<&'static str>) {
    match grant.reward.kind() {
        RewardType::None => (RewardState::Delivered, None),
        RewardType::Xp if grant.season_id.is_none() => {
            (RewardState::Rejected, Some("NO_ACTIVE_SEASON"))
        }
        _ if grant.manual => (RewardState::PendingReview, Some("MANUAL")),
        RewardType::Point if grant.reward.amount() >= review_points => {
            (RewardState::PendingReview, Some("REVIEW_POINTS"))
        }
        _ => (RewardState::Delivered, None),
    }
}

#[cfg(test)]
mod tests {
    use xmas_kernel::SeasonId;

    use super::*;
    use crate::{GrantSource, Reward};

    fn grant(kind: RewardType, amount: i64) -> Grant {
        Grant {
            grant_key: "k".to_owned(),
            source: GrantSource::Play,
            reward: Reward::new(kind, amount).unwrap(),
            label: None,
            manual: false,
            season_id: Some(SeasonId(1)),
        }
    }

    #[test]
    fn points_wait_for_an_admin_from_the_limit_on() {
        assert_eq!(
            decide(&grant(RewardType::Point, 9_999), 10_000).0,
            RewardState::Delivered
        );
        assert_eq!(
            decide(&grant(RewardType::Point, 10_000), 10_000).0,
            RewardState::PendingReview
        );
        assert_eq!(
            decide(&grant(RewardType::CcCoin, 10_000), 10_000).0,
            RewardState::Delivered
        );
    }

    #[test]
    fn a_manual_grant_always_waits_unless_there_is_nothing_to_give() {
        let manual = |kind, amount| Grant {
            manual: true,
            ..grant(kind, amount)
        };
        assert_eq!(
            decide(&manual(RewardType::CcCoin, 2), 10_000).0,
            RewardState::PendingReview
        );
        assert_eq!(
            decide(&manual(RewardType::None, 0), 10_000).0,
            RewardState::Delivered
        );
    }

    #[test]
    fn xp_without_a_season_has_nowhere_to_go() {
        let homeless = Grant {
            season_id: None,
            ..grant(RewardType::Xp, 5)
        };
        assert_eq!(
            decide(&homeless, 10_000),
            (RewardState::Rejected, Some("NO_ACTIVE_SEASON"))
        );
        assert_eq!(
            decide(&grant(RewardType::Xp, 5), 10_000).0,
            RewardState::Delivered
        );
    }

    #[test]
    fn a_reward_promises_something_or_is_none() {
        for kind in RewardType::ALL {
            assert_eq!(
                Reward::new(kind, 1).is_ok(),
                kind != RewardType::None,
                "{kind}"
            );
            assert_eq!(
                Reward::new(kind, 0).is_ok(),
                kind == RewardType::None,
                "{kind}"
            );
            assert!(Reward::new(kind, -1).is_err());
            assert!(Reward::new(kind, Reward::MAX_AMOUNT + 1).is_err());
        }
    }
}
