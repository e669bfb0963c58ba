use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{Asset, SeasonId};

/// What a level or a prize can promise (domain.md, "Wallet and rewards").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RewardType {
    Point,
    TicketRoulette,
    TicketDice,
    TicketLottery,
    CcCoin,
    /// Season XP; a game's prize only.
    Xp,
    None,
}

impl RewardType {
    pub const ALL: [RewardType; 7] = [
        RewardType::Point,
        RewardType::TicketRoulette,
        RewardType::TicketDice,
        RewardType::TicketLottery,
        RewardType::CcCoin,
        RewardType::Xp,
        RewardType::None,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            RewardType::Point => "POINT",
            RewardType::TicketRoulette => "TICKET_ROULETTE",
            RewardType::TicketDice => "TICKET_DICE",
            RewardType::TicketLottery => "TICKET_LOTTERY",
            RewardType::CcCoin => "CC_COIN",
            RewardType::Xp => "XP",
            RewardType::None => "NONE",
        }
    }

    /// Where it lands in a wallet, if it lands in one.
    pub fn asset(self) -> Option<Asset> {
        match self {
            RewardType::Point => Some(Asset::Point),
            RewardType::TicketRoulette => Some(Asset::RouletteCoin),
            RewardType::TicketDice => Some(Asset::DiceToken),
            RewardType::TicketLottery => Some(Asset::LotteryTicket),
            RewardType::CcCoin => Some(Asset::CcCoin),
            RewardType::Xp | RewardType::None => None,
        }
    }
}

impl fmt::Display for RewardType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is not one of [`RewardType::ALL`]; such a type cannot be saved in any configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown reward type {0:?}")]
pub struct UnknownRewardType(pub String);

impl FromStr for RewardType {
    type Err = UnknownRewardType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        RewardType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| UnknownRewardType(name.to_owned()))
    }
}

/// A promise: so many of what. `NONE` promises 0, everything else at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reward {
    kind: RewardType,
    amount: i64,
}

/// A reward of nothing, or a `NONE` of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} cannot be given {amount} times")]
pub struct MalformedReward {
    kind: RewardType,
    amount: i64,
}

impl Reward {
    pub const NONE: Reward = Reward {
        kind: RewardType::None,
        amount: 0,
    };
    /// Far above any prize, and far from overflowing a balance.
    pub const MAX_AMOUNT: i64 = 1_000_000_000;

    pub fn new(kind: RewardType, amount: i64) -> Result<Self, MalformedReward> {
        let fits = match kind {
            RewardType::None => amount == 0,
            _ => (1..=Self::MAX_AMOUNT).contains(&amount),
        };
        if fits {
            Ok(Self { kind, amount })
        } else {
            Err(MalformedReward { kind, amount })
        }
    }

    pub fn kind(self) -> RewardType {
        self.kind
    }

    pub fn amount(self) -> i64 {
        self.amount
    }

    /// Whether there is anything to be had: what makes a play a win.
    pub fn is_win(self) -> bool {
        self.amount > 0
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantSource {
    Play,
    SeasonLevel,
}

impl GrantSource {
    pub fn as_str(self) -> &'static str {
        match self {
            GrantSource::Play => "PLAY",
            GrantSource::SeasonLevel => "SEASON_LEVEL",
        }
    }
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

/// How far a reward has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RewardState {
    Delivered,
    /// Waits for an admin ("관리자 확인 후 지급").
    PendingReview,
    Rejected,
}

impl RewardState {
    pub fn as_str(self) -> &'static str {
        match self {
            RewardState::Delivered => "DELIVERED",
            RewardState::PendingReview => "PENDING_REVIEW",
            RewardState::Rejected => "REJECTED",
        }
    }
}

/// What became of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    pub state: RewardState,
    /// Season XP that the caller now owes the player.
    pub xp_due: i64,
    /// Whether an earlier call had given it already; nothing was done then.
    pub repeated: bool,
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
