use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares a 64-bit database id as a type of its own, so that a player is never passed where a
/// season is meant.
macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

typed_id!(
    /// A row of `user`: a player or an admin.
    UserId
);
typed_id!(
    /// A row of `season_pass_config`.
    SeasonId
);
typed_id!(
    /// A row of a game's configuration table, such as `roulette_config`.
    ConfigId
);
typed_id!(
    /// A row of `feature_log`: one play of one game.
    PlayId
);
typed_id!(
    /// A row of `reward_log`: the receipt of one grant.
    RewardId
);
typed_id!(
    /// A row of `reward_bundle`.
    BundleId
);
typed_id!(
    /// A row of `coupon_kind`.
    CouponKindId
);
typed_id!(
    /// A row of `odds_table`.
    OddsId
);
typed_id!(
    /// A row of `odds_plan`.
    PlanId
);
typed_id!(
    /// A row of `event_bridge`.
    BridgeId
);
typed_id!(
    /// A row of `event_bridge_gift`.
    GiftId
);
typed_id!(
    /// A row of `wallet_batch`.
    BatchId
);
