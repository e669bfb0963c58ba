//! What the configurations of all games have in common, and what both boards have.

use xmas_games::config::{RewardConfig, RewardEdit};
use xmas_http::extract::{Echo, Echoes};
use xmas_kernel::{Problem, UserId};
use xmas_players::{GivenId, PlayerRef};
use xmas_texts::field;

use xmas_admin_common::two_names::{Differ, one_of};

/// What no edit of a configuration changes.
pub(crate) fn config_echoes(id: Option<Echo>, created_at: Option<Echo>) -> Echoes {
    Echoes::default().and("id", id, field::never_changes()).and(
        "created_at",
        created_at,
        field::never_changes(),
    )
}

/// The fields of a reward as they were sent: its type, its amount under both names, and what it names.
pub(crate) struct SentReward<'a> {
    pub(crate) reward_type: Option<&'a str>,
    pub(crate) amount: (Option<i64>, Option<i64>),
    pub(crate) item: Option<Option<i64>>,
}

impl SentReward<'_> {
    /// The edit of the reward that is `stored`. `prefix` goes before the names of its fields.
    pub(crate) fn edit(&self, stored: Option<&RewardConfig>, prefix: &str) -> RewardEdit {
        let mut problems = Vec::new();
        let kept = stored.map(|stored| stored.reward_amount);
        let amount = settled(
            self.amount,
            kept,
            &format!("{prefix}reward_value"),
            &mut problems,
        );
        RewardEdit {
            reward_type: self.reward_type.map(str::to_owned),
            reward_amount: amount,
            reward_item: self.item,
            problems,
        }
    }
}

/// What was sent of a number that clients know by two names, as [`one_of`] says. `name` is the one that is
/// told if the two differ.
pub(crate) fn settled(
    (first, second): (Option<i64>, Option<i64>),
    stored: Option<i64>,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Option<i64> {
    one_of(first, second, stored.as_ref()).unwrap_or_else(|Differ| {
        problems.push(Problem::new(name, field::two_names_differ()));
        first
    })
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
            let path = format!("{index}.external_id");
            problems.push(Problem::new(path, error));
            None
        }),
    }
}
