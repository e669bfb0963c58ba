use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    BridgeId, SeasonId, UnknownName,
    version::{Seen, Version},
};
use xmas_players::Status;
use xmas_time::EventDay;

/// What a player does for a day's key.
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
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", parse_err_ty = UnknownName, parse_err_fn = unknown_mission)]
pub enum Mission {
    PlayRoulette,
    PlayDice,
    PlayLottery,
    /// Open the ranking.
    ViewRanking,
    /// Collect the day's stamp.
    Stamp,
    /// Play each game once that day.
    PlayAllGames,
    /// Be there: log in, refresh a session, play, collect the stamp, or open a page.
    Login,
}

impl Mission {
    pub const ALL: [Mission; 7] = [
        Mission::PlayRoulette,
        Mission::PlayDice,
        Mission::PlayLottery,
        Mission::ViewRanking,
        Mission::Stamp,
        Mission::PlayAllGames,
        Mission::Login,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_mission(name: &str) -> UnknownName {
    UnknownName::new("mission", name, Mission::ALL.map(Mission::as_str))
}

/// One day of a bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BridgeDay {
    /// 1 to 7.
    pub number: i64,
    pub day: EventDay,
    /// The key's name, such as `KEY_DAY_1_ROULETTE`; 1 to 32 characters.
    pub event_type: String,
    pub mission: Mission,
    /// What the key promises.
    pub points: i64,
}

/// A bridge to be saved. [`crate::rules::check`] says whether it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewBridge {
    pub season_id: SeasonId,
    /// In the order of their dates.
    pub days: Vec<BridgeDay>,
    /// How many keys a player needs to be paid.
    pub keys_required: i64,
    /// The day on which the settlement is due.
    pub settle_on: EventDay,
    /// Whether it runs by itself.
    pub auto_settle: bool,
}

/// How far a bridge has come.
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
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE", parse_err_ty = UnknownName, parse_err_fn = unknown_bridge_state)]
pub enum BridgeState {
    Open,
    /// A settlement has begun. Whoever may be paid later is paid by the next one.
    Settling,
    Closed,
}

impl BridgeState {
    pub const ALL: [BridgeState; 3] = [
        BridgeState::Open,
        BridgeState::Settling,
        BridgeState::Closed,
    ];

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_bridge_state(name: &str) -> UnknownName {
    UnknownName::new(
        "state of a bridge",
        name,
        BridgeState::ALL.map(BridgeState::as_str),
    )
}

/// A bridge as it was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridge {
    pub id: BridgeId,
    pub rules: NewBridge,
    pub state: BridgeState,
    pub prechecked_at: Option<DateTime<Utc>>,
    /// When a settlement last came to its end.
    pub settled_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
}

impl Bridge {
    /// Follows from everything that an operator can edit.
    pub fn version(&self) -> Version {
        Version::of(&self.rules)
    }
}

/// What an operator says about a bridge; what is `None` stays as it is, or is usual for a new one.
#[derive(Clone, Debug, Default)]
pub struct BridgeEdit {
    /// Needed for a new one.
    pub season_id: Option<SeasonId>,
    /// All days, in their order.
    pub days: Option<Vec<DayEdit>>,
    pub keys_required: Option<i64>,
    pub settle_on: Option<EventDay>,
    pub auto_settle: Option<bool>,
    /// What the operator has seen.
    pub seen: Option<Seen>,
}

/// What an operator says about a day; what is `None` stays as it was on the day of this number.
#[derive(Clone, Debug)]
pub struct DayEdit {
    pub number: i64,
    pub day: Option<EventDay>,
    pub event_type: Option<String>,
    pub mission: Option<Mission>,
    pub points: Option<i64>,
}

/// Players of one status who hold the same number of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCount {
    pub keys: i64,
    pub status: Status,
    pub players: u64,
    pub pending_points: i64,
}

/// What a player sees of their bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeStatus {
    /// Collected and open days alike, in their order.
    pub slots: Vec<Slot>,
    pub keys_required: i64,
    pub pending_points: i64,
    pub settles_on: EventDay,
    /// Whether the player has been paid.
    pub settled: bool,
}

/// One day as a player sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub day: BridgeDay,
    pub state: SlotState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum SlotState {
    Collected,
    /// Today, and not collected.
    Open,
    Missed,
    Upcoming,
}

impl SlotState {
    pub const ALL: [SlotState; 4] = [
        SlotState::Collected,
        SlotState::Open,
        SlotState::Missed,
        SlotState::Upcoming,
    ];

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What one run of a settlement did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub paid: u64,
    pub points: i64,
    pub chunks: u64,
}
