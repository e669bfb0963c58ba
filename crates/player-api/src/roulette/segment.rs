use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::roulette::Segment;

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 2, "label": "룰렛 티켓 3장", "reward_type": "TICKET_ROULETTE",
    "reward_amount": 3, "slot_index": 1, "is_jackpot": false}))]
pub(crate) struct SegmentAnswer {
    id: i64,
    label: String,
    reward_type: &'static str,
    reward_amount: i64,
    /// 0 to 5, the place on the wheel.
    slot_index: i64,
    is_jackpot: bool,
}

impl From<Segment> for SegmentAnswer {
    fn from(segment: Segment) -> Self {
        Self {
            id: segment.id,
            label: segment.label,
            reward_type: segment.reward_type.as_str(),
            reward_amount: segment.reward_amount,
            slot_index: segment.slot_index,
            is_jackpot: segment.is_jackpot,
        }
    }
}
