//! What a batch would do, before anything of it is registered.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::ConnectionTrait;
use xmas_kernel::{Asset, Problem, UserId, db::DbError};
use xmas_players::{Inactive, PlayerRef, RecipientError, anonymised_among};
use xmas_texts::{Param, Text, player, quoted, wallet};

use super::{
    model::{BatchLine, BatchOrders, BatchTally, NewBatch, Refusal, ShortWallet, Tally},
    store::Item,
};
use crate::{
    BatchError, OrderKind, Recipients,
    order::{self, Directory, Nobody},
    store,
};

/// How many players one statement asks about.
const AT_ONCE: usize = 1_000;

/// The wallets that a batch would change.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) items: Vec<Item>,
    /// The lines that the items stand on, if they are listed.
    lines: Vec<u64>,
    pub(super) refused: Vec<Refusal>,
    /// The items that are not done whole, by their places.
    short: Vec<Short>,
}

/// An item that is not done whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Short {
    /// Its place among the items.
    place: usize,
    /// What its wallet holds.
    balance: i64,
    /// How much of it is moved all the same.
    moved: i64,
}

impl Plan {
    pub(super) async fn of(
        conn: &impl ConnectionTrait,
        recipients: &dyn Recipients,
        batch: &NewBatch,
    ) -> Result<Self, BatchError> {
        let mut plan = match &batch.orders {
            BatchOrders::Listed { lines, unreadable } => {
                let directory = Directory::of(conn, lines.iter().map(|line| &line.who)).await?;
                let mut plan = listed((batch.kind, batch.inactive()), lines, &directory);
                plan.refused.extend(unreadable.iter().cloned());
                plan.refused.sort_by_key(|refusal| refusal.line);
                plan
            }
            BatchOrders::Everybody {
                filter,
                asset,
                amount,
            } => {
                let problems = order::check(batch.kind, *asset, *amount);
                if !problems.is_empty() {
                    return Err(BatchError::Invalid(problems));
                }
                let mut plan = Self::default();
                let mut after = UserId(0);
                loop {
                    let page = recipients.page(filter, after, AT_ONCE as u64).await?;
                    let Some(last) = page.last() else {
                        break;
                    };
                    after = *last;
                    let item = |user_id| Item {
                        user_id,
                        asset: *asset,
                        amount: *amount,
                    };
                    plan.items.extend(page.into_iter().map(item));
                }
                plan
            }
        };
        if batch.kind.takes() {
            plan.find_short(conn, |_| true, all_or_nothing).await?;
        }
        Ok(plan)
    }

    /// Gives back, or takes back from whoever still has it, what another batch has done. Nothing reaches
    /// players who were anonymised.
    pub(super) async fn back(
        conn: &impl ConnectionTrait,
        kind: OrderKind,
        items: Vec<Item>,
    ) -> Result<Self, DbError> {
        let players: Vec<UserId> = items.iter().map(|item| item.user_id).collect();
        let anonymised = anonymised_among(conn, &players).await?;
        let mut plan = Self {
            items,
            ..Self::default()
        };
        let is_gone = |item: Item| anonymised.contains(&item.user_id);
        let short = |item: Item, balance| match is_gone(item) {
            true => Some(0),
            false => what_is_there(item, balance),
        };
        let may_be_short = |item| kind.takes() || is_gone(item);
        plan.find_short(conn, may_be_short, short).await?;
        Ok(plan)
    }

    /// Finds the items that are not done whole as of now: `moved` says how much is, with this balance, and
    /// `None` of one that is. Only the wallets are looked at of which it `may_be`.
    async fn find_short(
        &mut self,
        conn: &impl ConnectionTrait,
        may_be: impl Fn(Item) -> bool,
        moved: impl Fn(Item, i64) -> Option<i64>,
    ) -> Result<(), DbError> {
        let mut places: BTreeMap<Asset, Vec<usize>> = BTreeMap::new();
        let items = self.items.iter().enumerate();
        for (place, item) in items.filter(|(_, item)| may_be(**item)) {
            places.entry(item.asset).or_default().push(place);
        }
        for (asset, places) in places {
            for places in places.chunks(AT_ONCE) {
                let players = places.iter().map(|place| self.items[*place].user_id);
                let balances = store::balances_of(conn, asset, players).await?;
                let short = places.iter().filter_map(|place| {
                    let item = self.items[*place];
                    let balance = balances.get(&item.user_id).copied().unwrap_or(0);
                    Some(Short {
                        place: *place,
                        balance,
                        moved: moved(item, balance)?,
                    })
                });
                self.short.extend(short);
            }
        }
        self.short.sort_unstable();
        Ok(())
    }

    /// What is wrong with a batch that is to be registered, whole.
    pub(super) fn check(&self) -> Result<(), BatchError> {
        let mut refused = self.refused.clone();
        let short = self.short.iter().filter_map(|short| {
            Some(Refusal {
                line: *self.lines.get(short.place)?,
                field: "amount",
                text: wallet::more_than_balance(short.balance),
            })
        });
        refused.extend(short);
        if !refused.is_empty() {
            refused.sort_by_key(|refusal| refusal.line);
            return Err(BatchError::Refused(refused));
        }
        let problem = match self.short.first() {
            Some(Short { place, balance, .. }) => {
                let (many, player) = (self.short.len(), self.items[*place].user_id);
                let text = wallet::more_than_balances(many, player.to_string(), *balance);
                Problem::new("amount", text)
            }
            None if self.items.is_empty() => Problem::new("filter", wallet::filter_fits_nobody()),
            None => return Ok(()),
        };
        Err(BatchError::Invalid(vec![problem]))
    }

    pub(super) fn tally(&self) -> BatchTally {
        let all = tally(self.items.iter().copied());
        let missing = self.short.iter().map(|short| {
            let item = self.items[short.place];
            let amount = item.amount - short.moved;
            Item { amount, ..item }
        });
        BatchTally {
            short: tally(missing),
            left: all.clone(),
            all,
            done: Tally::default(),
        }
    }

    /// The first items that are not done whole; their players' names are yet to be looked up.
    pub(super) fn short(&self, limit: usize) -> Vec<ShortWallet> {
        let some = self.short.iter().take(limit);
        let wallet = |short: &Short| {
            let item = self.items[short.place];
            ShortWallet {
                user_id: item.user_id,
                external_id: String::new(),
                asset: item.asset,
                amount: item.amount,
                moved: short.moved,
                balance: short.balance,
            }
        };
        some.map(wallet).collect()
    }
}

/// What is moved of an item that its wallet holds too little of: nothing.
fn all_or_nothing(item: Item, balance: i64) -> Option<i64> {
    what_is_there(item, balance).map(|_| 0)
}

/// What is moved of an item that its wallet holds too little of: all that is there.
fn what_is_there(item: Item, balance: i64) -> Option<i64> {
    (balance < item.amount).then_some(balance)
}

/// The items of a list, and what is wrong with its lines.
fn listed(
    (kind, inactive): (OrderKind, Inactive),
    lines: &[BatchLine],
    directory: &Directory,
) -> Plan {
    let mut plan = Plan::default();
    let mut seen: HashMap<(UserId, Asset), u64> = HashMap::with_capacity(lines.len());
    for line in lines {
        let mut refuse = |field, text| {
            plan.refused.push(Refusal {
                line: line.line,
                field,
                text,
            });
        };
        if kind == OrderKind::Payout && line.asset != Asset::Point {
            refuse("token_type", wallet::payout_is_points());
            continue;
        }
        if let Some(problem) = order::amount_problem(kind, line.amount) {
            refuse("amount", problem);
            continue;
        }
        let named = if line.who.external_id.is_some() {
            "external_id"
        } else {
            "user_id"
        };
        let player = match directory.find(&line.who) {
            Ok(player) => player,
            Err(Nobody::Unnamed) => {
                refuse("external_id", player::unnamed());
                continue;
            }
            Err(Nobody::Unknown) => {
                refuse(named, player::unknown(said(&line.who)));
                continue;
            }
            Err(Nobody::Ambiguous) => {
                refuse("external_id", player::names_differ());
                continue;
            }
        };
        if let Err(error) = player.reach.admit(inactive) {
            refuse(named, out_of_reach(&error));
            continue;
        }
        let user_id = player.user_id;
        if let Some(first) = seen.insert((user_id, line.asset), line.line) {
            refuse(named, wallet::on_earlier_line(first.to_string()));
            continue;
        }
        plan.items.push(Item {
            user_id,
            asset: line.asset,
            amount: line.amount,
        });
        plan.lines.push(line.line);
    }
    plan
}

/// How a line names its player.
fn said(who: &PlayerRef) -> Param {
    match (&who.external_id, who.user_id) {
        (Some(given), _) => quoted(given.as_str()),
        (None, id) => id.map(|id| id.to_string()).unwrap_or_default().into(),
    }
}

/// Why a line reaches nobody.
fn out_of_reach(error: &RecipientError) -> Text {
    match error {
        RecipientError::Inactive => player::inactive(),
        _ => player::anonymised(),
    }
}

fn tally(items: impl Iterator<Item = Item>) -> Tally {
    let mut players = HashSet::new();
    let mut totals: BTreeMap<Asset, i64> = BTreeMap::new();
    for item in items {
        players.insert(item.user_id);
        // No list is long enough for this to overflow.
        *totals.entry(item.asset).or_default() += item.amount;
    }
    Tally {
        players: players.len() as u64,
        totals,
    }
}

#[cfg(test)]
mod tests {
    use xmas_players::{GivenId, PlayerName, PlayerRef, Reach};

    use super::*;

    fn directory() -> Directory {
        let player = |id, name: &str, reach| PlayerName {
            user_id: UserId(id),
            external_id: name.to_owned(),
            reach,
        };
        Directory::knowing([
            player(1, "santa", Reach::Open),
            player(2, "rudolf", Reach::Open),
            player(3, "gone", Reach::Anonymised),
            player(4, "deleted", Reach::Inactive),
        ])
    }

    fn line(line: u64, id: Option<i64>, name: Option<&str>) -> BatchLine {
        BatchLine {
            line,
            who: PlayerRef {
                user_id: id.map(UserId),
                external_id: name.map(|name| GivenId::try_from(name).unwrap()),
            },
            asset: Asset::Point,
            amount: 10,
        }
    }

    fn grant(lines: &[BatchLine]) -> Plan {
        listed((OrderKind::Grant, Inactive::Refused), lines, &directory())
    }

    fn refused(plan: &Plan) -> Vec<(u64, &'static str)> {
        let refused = plan.refused.iter();
        refused
            .map(|refusal| (refusal.line, refusal.field))
            .collect()
    }

    fn item(user_id: i64, asset: Asset, amount: i64) -> Item {
        Item {
            user_id: UserId(user_id),
            asset,
            amount,
        }
    }

    #[test]
    fn each_line_that_names_a_player_is_an_item() {
        let plan = grant(&[
            line(2, Some(1), None),
            line(3, None, Some("rudolf")),
            BatchLine {
                asset: Asset::DiceToken,
                amount: 1,
                ..line(5, Some(1), Some("santa"))
            },
        ]);
        assert_eq!(refused(&plan), []);
        let expected = [
            item(1, Asset::Point, 10),
            item(2, Asset::Point, 10),
            item(1, Asset::DiceToken, 1),
        ];
        assert_eq!(plan.items, expected);
        assert!(plan.check().is_ok());
    }

    #[test]
    fn a_line_that_reaches_nobody_is_refused_by_the_name_that_it_gives() {
        let plan = grant(&[
            line(2, None, None),
            line(3, Some(9), None),
            line(4, None, Some("nobody")),
            line(5, Some(1), Some("rudolf")),
            line(6, Some(3), None),
            line(7, None, Some("deleted")),
            line(8, Some(1), None),
            line(9, None, Some("santa")),
        ]);
        let expected = [
            (2, "external_id"),
            (3, "user_id"),
            (4, "external_id"),
            (5, "external_id"),
            (6, "user_id"),
            (7, "external_id"),
            (9, "external_id"),
        ];
        assert_eq!(refused(&plan), expected);
        let texts: Vec<&Text> = plan.refused.iter().map(|it| &it.text).collect();
        assert_eq!(*texts[4], player::anonymised());
        assert_eq!(*texts[5], player::inactive());
        assert_eq!(*texts[6], wallet::on_earlier_line("8"));
        assert_eq!(plan.items, [item(1, Asset::Point, 10)]);
        assert!(matches!(plan.check(), Err(BatchError::Refused(all)) if all.len() == 7));
    }

    #[test]
    fn what_is_taken_is_taken_from_the_inactive_too_and_never_from_the_anonymised() {
        let lines = [line(2, Some(4), None), line(3, Some(3), None)];
        let plan = listed((OrderKind::Revoke, Inactive::Reached), &lines, &directory());
        assert_eq!(plan.items, [item(4, Asset::Point, 10)]);
        assert_eq!(refused(&plan), [(3, "user_id")]);
    }

    #[test]
    fn only_points_are_paid_out_and_an_amount_is_positive() {
        let tickets = BatchLine {
            asset: Asset::DiceToken,
            ..line(2, Some(1), None)
        };
        let nothing = BatchLine {
            amount: 0,
            ..line(3, Some(1), None)
        };
        let lines = [tickets.clone(), nothing, line(4, Some(1), None)];
        let plan = listed((OrderKind::Payout, Inactive::Reached), &lines, &directory());
        assert_eq!(refused(&plan), [(2, "token_type"), (3, "amount")]);
        assert_eq!(plan.items, [item(1, Asset::Point, 10)]);
        assert_eq!(refused(&grant(&[tickets])), []);
    }

    #[test]
    fn a_wallet_is_short_from_one_below_the_amount() {
        let item = item(1, Asset::Point, 10);
        for (balance, nothing, rest) in [
            (0, Some(0), Some(0)),
            (9, Some(0), Some(9)),
            (10, None, None),
            (11, None, None),
        ] {
            assert_eq!(all_or_nothing(item, balance), nothing, "{balance}");
            assert_eq!(what_is_there(item, balance), rest, "{balance}");
        }
    }

    fn with_short(lines: Vec<u64>) -> Plan {
        Plan {
            items: vec![
                item(1, Asset::Point, 10),
                item(2, Asset::Point, 20),
                item(1, Asset::DiceToken, 3),
            ],
            lines,
            refused: Vec::new(),
            short: vec![Short {
                place: 1,
                balance: 12,
                moved: 12,
            }],
        }
    }

    #[test]
    fn a_wallet_that_holds_too_little_stops_a_list_by_its_line() {
        let mut plan = with_short(vec![2, 4, 6]);
        plan.refused.push(Refusal {
            line: 5,
            field: "amount",
            text: wallet::payout_is_points(),
        });
        let Err(BatchError::Refused(refused)) = plan.check() else {
            panic!("a short wallet is refused");
        };
        let told: Vec<_> = refused.into_iter().map(|it| (it.line, it.text)).collect();
        let expected = [
            (4, wallet::more_than_balance(12)),
            (5, wallet::payout_is_points()),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn without_lines_the_first_short_wallet_is_named_and_nobody_is_a_problem() {
        let problem = |plan: &Plan| match plan.check() {
            Err(BatchError::Invalid(problems)) => {
                (problems[0].field.clone(), problems[0].text.clone())
            }
            other => panic!("{other:?}"),
        };
        let (field, text) = problem(&with_short(Vec::new()));
        assert_eq!(field, "amount");
        assert_eq!(text, wallet::more_than_balances(1, "2", 12));
        assert_eq!(problem(&Plan::default()).0, "filter");
        let whole = Plan {
            short: Vec::new(),
            ..with_short(Vec::new())
        };
        assert!(whole.check().is_ok());
    }

    #[test]
    fn a_tally_counts_each_player_once_and_says_how_much_is_missing() {
        let tally = with_short(Vec::new()).tally();
        let all = Tally {
            players: 2,
            totals: BTreeMap::from([(Asset::Point, 30), (Asset::DiceToken, 3)]),
        };
        let short = Tally {
            players: 1,
            totals: BTreeMap::from([(Asset::Point, 8)]),
        };
        let expected = BatchTally {
            left: all.clone(),
            all,
            short,
            done: Tally::default(),
        };
        assert_eq!(tally, expected);
    }

    #[test]
    fn the_first_short_wallets_are_shown() {
        let plan = with_short(Vec::new());
        let shown = ShortWallet {
            user_id: UserId(2),
            external_id: String::new(),
            asset: Asset::Point,
            amount: 20,
            moved: 12,
            balance: 12,
        };
        assert_eq!(plan.short(1), [shown]);
        assert_eq!(plan.short(0), []);
    }
}
