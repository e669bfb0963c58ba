//! What an operator has wallets changed by, one at a time or many.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use xmas_kernel::{Asset, Problem, Problems, UnknownName, UserId, db::DbError};
use xmas_players::{GivenId, PlayerName, PlayerRef, players_by_external_id, players_by_id};
use xmas_texts::{Text, field, wallet};

use crate::Reward;

/// Which way, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::EnumString, strum::IntoStaticStr)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "UPPERCASE", parse_err_ty = UnknownName, parse_err_fn = unknown_order_kind)]
pub enum OrderKind {
    Grant,
    Revoke,
    /// Points that were paid out elsewhere.
    Payout,
}

impl OrderKind {
    pub const ALL: [OrderKind; 3] = [OrderKind::Grant, OrderKind::Revoke, OrderKind::Payout];

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// As the ledger says it.
    pub fn ledger_reason(self) -> &'static str {
        match self {
            OrderKind::Grant => "ADMIN_GRANT",
            OrderKind::Revoke => "ADMIN_REVOKE",
            OrderKind::Payout => "PAYOUT",
        }
    }

    pub fn takes(self) -> bool {
        !matches!(self, OrderKind::Grant)
    }

    /// What an amount does to a balance.
    pub(crate) fn delta(self, amount: i64) -> i64 {
        if self.takes() { -amount } else { amount }
    }
}

fn unknown_order_kind(name: &str) -> UnknownName {
    UnknownName::new("kind of order", name, OrderKind::ALL.map(OrderKind::as_str))
}

/// Something that is given to a player or taken from one. Blocked players count; whoever was anonymised does not.
#[derive(Clone, Debug)]
pub struct Order {
    pub kind: OrderKind,
    pub who: PlayerRef,
    pub asset: Asset,
    /// 1 to [`Reward::MAX_AMOUNT`], and more in a payout.
    pub amount: i64,
    /// What the operator says about it, if the actor's own reason does not.
    pub reason: Option<String>,
    /// Whether a player who is INACTIVE is given it all the same. What is taken is taken from them anyhow.
    pub force: bool,
}

/// What became of an [`Order`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDone {
    pub user_id: UserId,
    pub external_id: String,
    pub asset: Asset,
    /// What the wallet holds now.
    pub balance: i64,
}

/// The most that a payout takes out of one wallet: it takes what is there, and wallets hold more than
/// one reward brings.
const MAX_PAYOUT: i64 = 1_000_000_000_000;

/// What is wrong with an amount, if anything is.
pub(crate) fn amount_problem(kind: OrderKind, amount: i64) -> Option<Text> {
    let most = match kind {
        OrderKind::Payout => MAX_PAYOUT,
        OrderKind::Grant | OrderKind::Revoke => Reward::MAX_AMOUNT,
    };
    (!(1..=most).contains(&amount)).then(|| field::between(1, most, amount))
}

/// What is wrong with so much of something.
pub(crate) fn check(kind: OrderKind, asset: Asset, amount: i64) -> Vec<Problem> {
    let mut problems = Problems::default();
    let is_payable = kind != OrderKind::Payout || asset == Asset::Point;
    problems.expect(is_payable, "token_type", wallet::payout_is_points());
    if let Some(problem) = amount_problem(kind, amount) {
        problems.expect(false, "amount", problem);
    }
    problems.into_vec()
}

/// The players that some orders mean.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    by_id: HashMap<UserId, PlayerName>,
    by_external_id: HashMap<GivenId, PlayerName>,
}

/// Why an order is about nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nobody {
    /// It names nobody.
    Unnamed,
    /// There is no such player.
    Unknown,
    /// Its two names are two players'.
    Ambiguous,
}

impl Directory {
    /// Looks all of them up.
    pub(crate) async fn of(
        conn: &impl ConnectionTrait,
        players: impl Iterator<Item = &PlayerRef> + Clone,
    ) -> Result<Self, DbError> {
        let ids: Vec<UserId> = players.clone().filter_map(|who| who.user_id).collect();
        let names = players.filter_map(|who| who.external_id.as_ref());
        let names: Vec<&GivenId> = names.collect();
        Ok(Self {
            by_id: players_by_id(conn, &ids).await?,
            by_external_id: players_by_external_id(conn, &names).await?,
        })
    }

    /// These players, without a database.
    #[cfg(test)]
    pub(crate) fn knowing(players: impl IntoIterator<Item = PlayerName>) -> Self {
        let mut directory = Self::default();
        for player in players {
            let given = GivenId::any(&player.external_id);
            directory.by_external_id.insert(given, player.clone());
            directory.by_id.insert(player.user_id, player);
        }
        directory
    }

    pub(crate) fn find(&self, who: &PlayerRef) -> Result<&PlayerName, Nobody> {
        let by_id = who.user_id.map(|id| self.by_id.get(&id));
        let name = who.external_id.as_ref();
        let by_name = name.map(|name| self.by_external_id.get(name));
        match (by_id, by_name) {
            (None, None) => Err(Nobody::Unnamed),
            (Some(None), _) | (_, Some(None)) => Err(Nobody::Unknown),
            (Some(Some(one)), Some(Some(other))) if one != other => Err(Nobody::Ambiguous),
            (Some(Some(player)), _) | (None, Some(Some(player))) => Ok(player),
        }
    }
}

#[cfg(test)]
mod tests {
    use xmas_players::Reach;

    use super::*;

    #[test]
    fn a_player_is_found_by_either_name_and_two_names_have_to_agree() {
        let player = |id, name: &str| PlayerName {
            user_id: UserId(id),
            external_id: name.to_owned(),
            reach: Reach::Open,
        };
        let directory = Directory::knowing([player(1, "santa"), player(2, "rudolf")]);
        let find = |id: Option<i64>, name: Option<&str>| {
            let who = PlayerRef {
                user_id: id.map(UserId),
                external_id: name.map(|name| GivenId::try_from(name).unwrap()),
            };
            directory.find(&who).map(|player| player.user_id.0)
        };
        assert_eq!(find(Some(1), None), Ok(1));
        assert_eq!(find(None, Some(" rudolf ")), Ok(2));
        assert_eq!(find(Some(2), Some("rudolf")), Ok(2));
        assert_eq!(find(Some(1), Some("rudolf")), Err(Nobody::Ambiguous));
        assert_eq!(find(Some(3), Some("rudolf")), Err(Nobody::Unknown));
        assert_eq!(find(Some(1), Some("nobody")), Err(Nobody::Unknown));
        assert_eq!(find(None, None), Err(Nobody::Unnamed));
    }

    #[test]
    fn an_amount_is_positive_and_only_points_are_paid_out() {
        let fields = |kind, asset, amount| -> Vec<String> {
            let problems = check(kind, asset, amount).into_iter();
            problems.map(|problem| problem.field).collect()
        };
        let none = Vec::<String>::new();
        assert_eq!(fields(OrderKind::Grant, Asset::DiceToken, 1), none);
        assert_eq!(fields(OrderKind::Payout, Asset::Point, 1_000_000_000), none);
        for bad in [0, -1, i64::MIN, i64::MAX, 1_000_000_001] {
            assert_eq!(fields(OrderKind::Revoke, Asset::Point, bad), ["amount"]);
        }
        let both = fields(OrderKind::Payout, Asset::CcCoin, 0);
        assert_eq!(both, ["token_type", "amount"]);
    }
}
