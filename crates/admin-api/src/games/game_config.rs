//! What the configurations of all games have in common, and what both boards have.

use xmas_games::config::{RewardEdit, TwoNames};
use xmas_http::extract::{Echo, Echoes, FIXED};
use xmas_kernel::{Problem, UserId};
use xmas_players::{GivenId, PlayerRef};

/// What no edit of a configuration changes.
pub(crate) fn config_echoes(id: Option<Echo>, created_at: Option<Echo>) -> Echoes {
    Echoes::default()
        .and("id", id, FIXED)
        .and("created_at", created_at, FIXED)
}

/// The fields of a reward: its type, its amount under both names, and what it names.
pub(crate) fn reward(
    reward_type: Option<String>,
    amount: (Option<i64>, Option<i64>),
    reward_item: Option<Option<i64>>,
) -> RewardEdit {
    RewardEdit {
        reward_type,
        reward_amount: two_names(amount),
        reward_item,
    }
}

pub(crate) fn two_names<T>((first, second): (Option<T>, Option<T>)) -> TwoNames<T> {
    TwoNames { first, second }
}

/// Whom row `index` of an upload names, if anybody.
pub(crate) fn row_player(
    index: usize,
    user_id: Option<i64>,
    external_id: Option<&str>,
    problems: &mut Vec<Problem>,
) -> PlayerRef {
    let external_id = external_id.filter(|text| !text.trim().is_empty());
    let external_id = external_id.map(GivenId::try_from).transpose();
    PlayerRef {
        user_id: user_id.map(UserId),
        external_id: external_id.unwrap_or_else(|error| {
            let field = format!("{index}.external_id");
            problems.push(Problem::new(field, error.0.to_string()));
            None
        }),
    }
}
