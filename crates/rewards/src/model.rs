use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{Asset, BundleId, CouponKindId, RewardId, SeasonId, UnknownName, UserId};
use xmas_players::Account;

/// What a level or a prize can promise (docs/rules.md, "Wallet and rewards").
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", parse_err_ty = UnknownName, parse_err_fn = unknown_reward_type)]
pub enum RewardType {
    Point,
    TicketRoulette,
    TicketDice,
    TicketLottery,
    CcCoin,
    /// A named bundle of the former.
    Bundle,
    /// A code from an uploaded stock.
    Coupon,
    /// Season XP; a game's prize only.
    Xp,
    None,
}

impl RewardType {
    pub const ALL: [RewardType; 9] = [
        RewardType::Point,
        RewardType::TicketRoulette,
        RewardType::TicketDice,
        RewardType::TicketLottery,
        RewardType::CcCoin,
        RewardType::Bundle,
        RewardType::Coupon,
        RewardType::Xp,
        RewardType::None,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Where it lands in a wallet, if it lands in one.
    pub fn asset(self) -> Option<Asset> {
        match self {
            RewardType::Point => Some(Asset::Point),
            RewardType::TicketRoulette => Some(Asset::RouletteCoin),
            RewardType::TicketDice => Some(Asset::DiceToken),
            RewardType::TicketLottery => Some(Asset::LotteryTicket),
            RewardType::CcCoin => Some(Asset::CcCoin),
            RewardType::Bundle | RewardType::Coupon | RewardType::Xp | RewardType::None => None,
        }
    }

    /// Whether a reward of this type names a bundle or a kind of coupon.
    fn names_an_item(self) -> bool {
        matches!(self, RewardType::Bundle | RewardType::Coupon)
    }
}

fn unknown_reward_type(name: &str) -> UnknownName {
    UnknownName::new("reward type", name, RewardType::ALL.map(RewardType::as_str))
}

/// A promise: so many of what. `NONE` promises 0, a bundle or a coupon 1 and which, everything else any
/// number from 0 on. Of 0 only a receipt is written: see [`Reward::is_nothing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Reward {
    kind: RewardType,
    amount: i64,
    item: Option<i64>,
}

/// Less than nothing, a `NONE` of something, a bundle that is not named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} cannot be given {amount} times{}", if .item.is_some() { " of an item" } else { "" })]
pub struct MalformedReward {
    kind: RewardType,
    amount: i64,
    item: Option<i64>,
}

impl Reward {
    pub const NONE: Reward = Reward {
        kind: RewardType::None,
        amount: 0,
        item: None,
    };
    /// Far above any prize, and far from overflowing a balance.
    pub const MAX_AMOUNT: i64 = 1_000_000_000;

    /// A reward that is not a bundle or a coupon.
    pub fn new(kind: RewardType, amount: i64) -> Result<Self, MalformedReward> {
        Self::from_parts(kind, amount, None)
    }

    /// What an operator's correction of season XP gives, or takes if it is negative. No configuration
    /// can promise it.
    pub fn xp_correction(delta: i64) -> Self {
        Self {
            kind: RewardType::Xp,
            amount: delta,
            item: None,
        }
    }

    pub fn bundle(bundle: BundleId) -> Self {
        Self {
            kind: RewardType::Bundle,
            amount: 1,
            item: Some(bundle.0),
        }
    }

    pub fn coupon(kind: CouponKindId) -> Self {
        Self {
            kind: RewardType::Coupon,
            amount: 1,
            item: Some(kind.0),
        }
    }

    /// A reward as configurations store it; `item` is the id of the bundle or kind of coupon.
    /// Whether there is such an item is for [`crate::RewardService::are_deliverable`] to say.
    pub fn from_parts(
        kind: RewardType,
        amount: i64,
        item: Option<i64>,
    ) -> Result<Self, MalformedReward> {
        let amount_fits = match kind {
            RewardType::None => amount == 0,
            RewardType::Bundle | RewardType::Coupon => amount == 1,
            _ => (0..=Self::MAX_AMOUNT).contains(&amount),
        };
        if amount_fits && item.is_some() == kind.names_an_item() {
            Ok(Self { kind, amount, item })
        } else {
            Err(MalformedReward { kind, amount, item })
        }
    }

    pub fn kind(self) -> RewardType {
        self.kind
    }

    pub fn amount(self) -> i64 {
        self.amount
    }

    /// The id of the bundle or kind of coupon, as configurations store it.
    pub fn item(self) -> Option<i64> {
        self.item
    }

    pub fn bundle_id(self) -> Option<BundleId> {
        let item = self.item.filter(|_| self.kind == RewardType::Bundle);
        item.map(BundleId)
    }

    pub fn coupon_kind(self) -> Option<CouponKindId> {
        let item = self.item.filter(|_| self.kind == RewardType::Coupon);
        item.map(CouponKindId)
    }

    /// Whether there is anything to be had: what makes a play a win.
    pub fn is_win(self) -> bool {
        self.amount > 0
    }

    /// Whether nothing is promised: a `NONE`, or 0 of something. Its receipt is delivered at once, moves no
    /// wallet and is not worth an activity row.
    pub fn is_nothing(self) -> bool {
        self.amount == 0
    }
}

/// Tokens to be taken for something.
#[derive(Clone, Debug)]
pub struct Spend {
    pub asset: Asset,
    /// At least 1.
    pub amount: i64,
    pub reason: &'static str,
    /// What it is spent on, such as `play:17`.
    pub reference: String,
}

/// Tokens or points given by somebody, rather than won.
#[derive(Clone, Debug)]
pub struct Credit {
    pub asset: Asset,
    pub amount: i64,
    pub reason: &'static str,
    pub reference: String,
    pub actor: String,
}

/// What a reward was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", parse_err_ty = UnknownName, parse_err_fn = unknown_grant_source)]
pub enum GrantSource {
    Play,
    SeasonLevel,
    Bridge,
    /// An operator has set a player's XP right.
    Correction,
}

impl GrantSource {
    pub const ALL: [GrantSource; 4] = [
        GrantSource::Play,
        GrantSource::SeasonLevel,
        GrantSource::Bridge,
        GrantSource::Correction,
    ];

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Why it goes into a wallet, as the ledger says. A play's prize is told from the token that the
    /// play cost.
    pub fn ledger_reason(self) -> &'static str {
        match self {
            GrantSource::Play => "PRIZE",
            GrantSource::SeasonLevel => "SEASON_LEVEL",
            GrantSource::Bridge => "BRIDGE",
            GrantSource::Correction => "CORRECTION",
        }
    }
}

fn unknown_grant_source(name: &str) -> UnknownName {
    UnknownName::new(
        "source of a grant",
        name,
        GrantSource::ALL.map(GrantSource::as_str),
    )
}

/// A reward to be delivered.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Names the one occasion, such as `season:3:level:5:user:42`. At most 191 characters.
    pub grant_key: String,
    pub source: GrantSource,
    pub reward: Reward,
    /// As players see it.
    pub label: Option<String>,
    /// Waits for an admin whatever its size.
    pub manual: bool,
    /// The season that an `XP` reward counts in. Without one the XP has nowhere to go, and the
    /// receipt says so.
    pub season_id: Option<SeasonId>,
}

/// Season XP that an operator gives or takes.
#[derive(Clone, Debug)]
pub struct XpCorrection {
    /// As [`Grant::grant_key`].
    pub grant_key: String,
    /// Not 0.
    pub delta: i64,
    pub season_id: SeasonId,
    /// Why, if the operator says so. The receipt keeps the first 191 characters.
    pub reason: Option<String>,
}

/// Points to be delivered to one of many players.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointGrant {
    pub user_id: UserId,
    /// As [`Grant::grant_key`].
    pub grant_key: String,
    /// 0 or more; of 0 only a receipt is written.
    pub points: i64,
}

/// What the points of many players are given for.
#[derive(Clone, Debug)]
pub struct PointOccasion {
    pub source: GrantSource,
    pub label: String,
    pub season_id: SeasonId,
}

/// How far a reward has come.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", parse_err_ty = UnknownName, parse_err_fn = unknown_reward_state)]
pub enum RewardState {
    Delivered,
    /// Waits for an admin ("관리자 확인 후 지급").
    PendingReview,
    Rejected,
}

impl RewardState {
    pub const ALL: [RewardState; 3] = [
        RewardState::Delivered,
        RewardState::PendingReview,
        RewardState::Rejected,
    ];

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_reward_state(name: &str) -> UnknownName {
    UnknownName::new(
        "reward state",
        name,
        RewardState::ALL.map(RewardState::as_str),
    )
}

/// A receipt as admins see it in the review queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewardReceipt {
    pub id: RewardId,
    pub user_id: UserId,
    pub grant_key: String,
    pub source: GrantSource,
    pub reward: Reward,
    pub label: Option<String>,
    pub state: RewardState,
    /// Why it waits, or why it was rejected.
    pub reason: Option<String>,
    pub created_at: DateTime<Utc>,
    pub reviewed_at: Option<DateTime<Utc>>,
    pub reviewed_by: Option<String>,
}

/// What an admin has decided about a reward.
#[derive(Clone, Debug)]
pub struct Decision {
    pub receipt: RewardReceipt,
    /// The player's account, blocked and inactive ones included.
    pub player: Account,
}

/// What became of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    pub state: RewardState,
    /// Season XP that the caller now owes the player.
    pub xp_due: i64,
}

/// One change of one balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    pub id: i64,
    pub asset: Asset,
    pub delta: i64,
    pub balance_after: i64,
    pub reason: String,
    pub reference: String,
    pub actor: String,
    pub created_at: DateTime<Utc>,
}
