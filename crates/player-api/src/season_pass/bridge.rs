use serde::Serialize;
use utoipa::ToSchema;
use xmas_event_bridge::{BridgeStatus, Slot, SlotState};
use xmas_time::{DateTime, EventDay, Kst, Utc, countdown};

/// The season bridge as its player sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "active_keys": [1, 2], "total_key_count": 2, "keys_required": 7, "pending_reward_points": 10_000,
    "is_all_keys_collected": false, "countdown_to_new_season": "135:00:00",
    "settles_at": "2026-01-01T00:00:00.000000+09:00", "settled": false,
    "slots": [{"day": 1, "date": "2025-12-25", "event_type": "KEY_DAY_1_ROULETTE",
        "mission": "PLAY_ROULETTE", "points": 5_000, "state": "COLLECTED"}]
}))]
pub(crate) struct BridgeAnswer {
    /// The days whose key the player has.
    active_keys: Vec<i64>,
    total_key_count: usize,
    keys_required: i64,
    /// What a settlement would pay; 0 once it has.
    pending_reward_points: i64,
    is_all_keys_collected: bool,
    /// `H:MM:SS` until `settles_at`, then `0:00:00`. Hours are not padded and may exceed 99.
    countdown_to_new_season: String,
    #[schema(value_type = String, format = DateTime)]
    settles_at: Kst,
    /// Whether the player has been paid.
    settled: bool,
    slots: Vec<SlotAnswer>,
}

/// One day of the bridge.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"day": 1, "date": "2025-12-25", "event_type": "KEY_DAY_1_ROULETTE",
    "mission": "PLAY_ROULETTE", "points": 5_000, "state": "COLLECTED"}))]
pub(crate) struct SlotAnswer {
    /// From 1.
    day: i64,
    #[schema(value_type = String, format = Date)]
    date: EventDay,
    event_type: String,
    /// `PLAY_ROULETTE`, `PLAY_DICE`, `PLAY_LOTTERY`, `VIEW_RANKING`, `STAMP`, `PLAY_ALL_GAMES` or
    /// `LOGIN`.
    mission: &'static str,
    points: i64,
    /// `COLLECTED`, `OPEN` (today), `MISSED` or `UPCOMING`.
    state: &'static str,
}

impl BridgeAnswer {
    pub(super) fn of(status: BridgeStatus, now: DateTime<Utc>) -> Self {
        let collected = status
            .slots
            .iter()
            .filter(|slot| slot.state == SlotState::Collected);
        let active_keys: Vec<i64> = collected.map(|slot| slot.day.number).collect();
        let keys = i64::try_from(active_keys.len()).unwrap_or(i64::MAX);
        let settles_at = status.settles_on.start();
        Self {
            total_key_count: active_keys.len(),
            active_keys,
            keys_required: status.keys_required,
            pending_reward_points: status.pending_points,
            is_all_keys_collected: keys >= status.keys_required,
            countdown_to_new_season: countdown(now, settles_at),
            settles_at: Kst(settles_at),
            settled: status.settled,
            slots: status.slots.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Slot> for SlotAnswer {
    fn from(slot: Slot) -> Self {
        Self {
            day: slot.day.number,
            date: slot.day.day,
            event_type: slot.day.event_type,
            mission: slot.day.mission.as_str(),
            points: slot.day.points,
            state: slot.state.as_str(),
        }
    }
}
