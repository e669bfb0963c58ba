use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::lottery::Prize;

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 4, "label": "3,000 포인트", "reward_type": "POINT",
    "reward_amount": 3_000, "stock": 497, "is_active": true}))]
pub(crate) struct PrizeAnswer {
    id: i64,
    label: String,
    reward_type: &'static str,
    reward_amount: i64,
    /// How many were left a moment ago, before this play; null means no limit.
    stock: Option<i64>,
    is_active: bool,
}

impl From<Prize> for PrizeAnswer {
    fn from(prize: Prize) -> Self {
        Self {
            id: prize.id,
            label: prize.label,
            reward_type: prize.reward_type.as_str(),
            reward_amount: prize.reward_amount,
            stock: prize.stock,
            is_active: prize.is_active,
        }
    }
}
