use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{BridgeId, GiftId, UnknownName, UserId};
use xmas_players::{Inactive, PlayerRef};

/// A key that an operator asks to be given. The reason is the actor's: 1 to 191 characters.
#[derive(Clone, Debug)]
pub struct KeyOrder {
    /// The one that is not closed if it is left out.
    pub bridge: Option<BridgeId>,
    /// 1 to 7, and not a day that is still to come.
    pub day_number: i64,
    /// `None` means all who were active on any day of the bridge.
    pub player: Option<PlayerRef>,
    /// What becomes of the named player if INACTIVE; of all who were active these are left out.
    pub inactive: Inactive,
}

/// How far a gift has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::EnumString, strum::IntoStaticStr)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE", parse_err_ty = UnknownName, parse_err_fn = unknown_gift_state)]
pub enum GiftState {
    /// Some keys may be left to give: the same order again goes on with it.
    Open,
    Done,
    /// Some keys may be left to take back: taking them back again goes on with it.
    Reverting,
    Reverted,
}

impl GiftState {
    pub const ALL: [GiftState; 4] = [
        GiftState::Open,
        GiftState::Done,
        GiftState::Reverting,
        GiftState::Reverted,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_gift_state(name: &str) -> UnknownName {
    UnknownName::new(
        "state of a gift",
        name,
        GiftState::ALL.map(GiftState::as_str),
    )
}

/// Keys of one day that were given at once. It keeps what its day said then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gift {
    pub id: GiftId,
    pub bridge: BridgeId,
    pub day_number: i64,
    /// The key's name.
    pub event_type: String,
    /// What each key promises.
    pub points: i64,
    /// `None` means all who were active on any day of the bridge.
    pub player: Option<UserId>,
    pub state: GiftState,
    pub reason: String,
    pub actor: String,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub reverted_at: Option<DateTime<Utc>>,
}

/// How many keys of a gift there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GiftTally {
    /// Players who got the key, whatever became of it.
    pub given: u64,
    /// Those who have done the day's mission since: it stays theirs.
    pub earned: u64,
    /// Those from whom it was taken back.
    pub taken: u64,
    /// Those who were to give it back, and had been paid for it or lost it with the closing.
    pub kept: u64,
}

/// A gift, and what has become of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiftSummary {
    pub gift: Gift,
    pub tally: GiftTally,
}

/// What became of an order of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysGiven {
    /// Names the gift, to take it back; also the one that the player has the key from already. `None` if there
    /// is none.
    pub gift: Option<GiftId>,
    /// Players who got the key, or would: in all runs of this gift.
    pub given: u64,
    /// Those of them who got it in this run: nobody, if the order was sent again.
    pub given_now: u64,
    /// Players who had it, or have been paid already.
    pub had: u64,
    pub points: i64,
}

/// What became of a gift that is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysTaken {
    pub gift: GiftId,
    /// Players who lost the key, or would: in all runs.
    pub taken: u64,
    /// Players who have done the day's mission since: it stays theirs.
    pub earned: u64,
    /// Players who had been paid for it, or had lost it with the closing.
    pub kept: u64,
    /// What the keys that were taken had promised.
    pub points: i64,
}
