//! What is held back for an admin to review, and what is delivered at once.

use crate::{Grant, Reward, RewardState, RewardType};

/// The reason of a reward that waits because no code was left.
pub(crate) const NO_COUPON_LEFT: &str = "NO_COUPON_LEFT";

/// Whether a grant is delivered at once, and if not, why. `contents` are what lies in the bundle
/// that is given, or else the reward itself. `review_points` is the smallest number of points that
/// an admin looks at first (`REWARD_REVIEW_POINTS`).
pub fn decide(
    grant: &Grant,
    contents: &[Reward],
    review_points: i64,
) -> (RewardState, Option<&'static str>) {
    let points = contents
        .iter()
        .filter(|item| item.kind() == RewardType::Point)
        .fold(0, |sum: i64, item| sum.saturating_add(item.amount()));
    match grant.reward.kind() {
        // There is nothing that an admin could look at, or that lacks a season.
        _ if grant.reward.is_nothing() => (RewardState::Delivered, None),
        RewardType::Xp if grant.season_id.is_none() => {
            (RewardState::Rejected, Some("NO_ACTIVE_SEASON"))
        }
        _ if grant.manual => (RewardState::PendingReview, Some("MANUAL")),
        _ if points >= review_points => (RewardState::PendingReview, Some("REVIEW_POINTS")),
        _ => (RewardState::Delivered, None),
    }
}

#[cfg(test)]
mod tests {
    use xmas_kernel::{BundleId, CouponKindId, SeasonId};

    use super::*;
    use crate::GrantSource;

    fn grant(kind: RewardType, amount: i64) -> Grant {
        give(Reward::new(kind, amount).unwrap())
    }

    fn give(reward: Reward) -> Grant {
        Grant {
            grant_key: "k".to_owned(),
            source: GrantSource::Play,
            reward,
            label: None,
            manual: false,
            season_id: Some(SeasonId(1)),
        }
    }

    fn state(grant: &Grant) -> (RewardState, Option<&'static str>) {
        decide(grant, &[grant.reward], 10_000)
    }

    #[test]
    fn points_wait_for_an_admin_from_the_limit_on() {
        let delivered = (RewardState::Delivered, None);
        let waits = (RewardState::PendingReview, Some("REVIEW_POINTS"));
        assert_eq!(state(&grant(RewardType::Point, 9_999)), delivered);
        assert_eq!(state(&grant(RewardType::Point, 10_000)), waits);
        assert_eq!(state(&grant(RewardType::CcCoin, 10_000)), delivered);
    }

    #[test]
    fn the_points_of_a_bundle_count_together() {
        let bundle = give(Reward::bundle(BundleId(1)));
        let holds = |points: &[i64]| -> RewardState {
            let tickets = Reward::new(RewardType::TicketDice, 20_000).unwrap();
            let mut contents = vec![tickets];
            let point = |points: &i64| Reward::new(RewardType::Point, *points).unwrap();
            contents.extend(points.iter().map(point));
            decide(&bundle, &contents, 10_000).0
        };
        assert_eq!(holds(&[9_999]), RewardState::Delivered);
        assert_eq!(holds(&[5_000, 5_000]), RewardState::PendingReview);
    }

    #[test]
    fn a_manual_grant_always_waits_unless_there_is_nothing_to_give() {
        let manual = |kind, amount| Grant {
            manual: true,
            ..grant(kind, amount)
        };
        assert_eq!(
            state(&manual(RewardType::CcCoin, 2)).0,
            RewardState::PendingReview
        );
        assert_eq!(
            state(&manual(RewardType::None, 0)).0,
            RewardState::Delivered
        );
    }

    #[test]
    fn nothing_waits_for_nobody() {
        for kind in RewardType::ALL {
            let Ok(reward) = Reward::new(kind, 0) else {
                continue;
            };
            let grant = Grant {
                manual: true,
                season_id: None,
                ..give(reward)
            };
            let delivered = (RewardState::Delivered, None);
            assert_eq!(decide(&grant, &[reward], 0), delivered, "{kind}");
            assert!(reward.is_nothing() && !reward.is_win(), "{kind}");
        }
    }

    #[test]
    fn xp_without_a_season_has_nowhere_to_go() {
        let homeless = Grant {
            season_id: None,
            ..grant(RewardType::Xp, 5)
        };
        assert_eq!(
            state(&homeless),
            (RewardState::Rejected, Some("NO_ACTIVE_SEASON"))
        );
        assert_eq!(state(&grant(RewardType::Xp, 5)).0, RewardState::Delivered);
    }

    #[test]
    fn a_bundle_and_a_coupon_are_one_and_everything_else_is_0_or_more() {
        for kind in RewardType::ALL {
            let item = kind.asset().is_none() && !matches!(kind, RewardType::Xp | RewardType::None);
            let item = item.then_some(7);
            let ok = |amount, item| Reward::from_parts(kind, amount, item).is_ok();
            assert_eq!(ok(1, item), kind != RewardType::None, "{kind}");
            assert_eq!(ok(0, item), item.is_none(), "{kind}");
            assert!(!ok(-1, item) && !ok(Reward::MAX_AMOUNT + 1, item), "{kind}");
            // A bundle says which, and nothing else does.
            let other = if item.is_some() { None } else { Some(7) };
            assert!(!ok(1, other) && !ok(0, other), "{kind}");
            assert_eq!(
                ok(2, item),
                kind.asset().is_some() || kind == RewardType::Xp
            );
        }
        let coupon = Reward::coupon(CouponKindId(3));
        assert_eq!(coupon.coupon_kind(), Some(CouponKindId(3)));
        assert_eq!(coupon.bundle_id(), None);
    }
}
