//! What may lie in a bundle.

use xmas_kernel::{
    Problem, Problems,
    text::{self, Kept},
};
use xmas_texts::{field, reward as texts};

use super::model::{BundleDraft, NewBundle};
use crate::{Reward, RewardType};

/// How many things one bundle may hold.
pub const MAX_ITEMS: usize = 20;

/// What is wrong with a bundle that is to be saved.
pub(super) fn check_new(bundle: &NewBundle) -> Vec<Problem> {
    let mut problems = Problems::default();
    for (index, item) in bundle.items.iter().enumerate() {
        if let Err(problem) = content(index, Some(item.kind()), item.amount()) {
            problems.push(problem);
        }
    }
    check_label_and_size(&bundle.name, bundle.items.len(), &mut problems);
    problems.into_vec()
}

/// What is wrong with a bundle that an operator has written down.
pub fn check_bundle(draft: &BundleDraft) -> Vec<Problem> {
    bundle(draft).err().unwrap_or_default()
}

/// The bundle that an operator has written down, or everything that is wrong with it.
pub(crate) fn bundle(draft: &BundleDraft) -> Result<NewBundle, Vec<Problem>> {
    let mut problems = Problems::default();
    let mut items = Vec::with_capacity(draft.items.len());
    for (index, item) in draft.items.iter().enumerate() {
        match content(index, item.reward_type.parse().ok(), item.amount) {
            Ok(reward) => items.push(reward),
            Err(problem) => problems.push(problem),
        }
    }
    let name = text::nfc(&draft.name).into_owned();
    check_label_and_size(&name, draft.items.len(), &mut problems);
    let problems = problems.into_vec();
    if problems.is_empty() {
        Ok(NewBundle { name, items })
    } else {
        Err(problems)
    }
}

fn check_label_and_size(name: &str, size: usize, problems: &mut Problems) {
    let fits = (1..=MAX_ITEMS).contains(&size);
    problems.expect(fits, "items", texts::bundle_size(MAX_ITEMS, size));
    Kept::default().expect_label(name, "name", problems);
}

/// The thing at `index` of a bundle, or what is wrong with it.
fn content(index: usize, kind: Option<RewardType>, amount: i64) -> Result<Reward, Problem> {
    // Nor another bundle, nor itself.
    let Some(kind) = kind.filter(|kind| kind.asset().is_some()) else {
        let field = format!("items.{index}.reward_type");
        let contents = RewardType::ALL
            .into_iter()
            .filter(|kind| kind.asset().is_some());
        let contents: Vec<&str> = contents.map(RewardType::as_str).collect();
        return Err(Problem::new(field, texts::bundle_content(contents)));
    };
    let reward = Reward::new(kind, amount).ok().filter(is_content);
    reward.ok_or_else(|| {
        let path = format!("items.{index}.reward_amount");
        Problem::new(path, field::between(1, Reward::MAX_AMOUNT, amount))
    })
}

/// Whether these can lie in a bundle.
pub(crate) fn are_contents(items: &[Reward]) -> bool {
    items.iter().all(is_content)
}

/// Whether this can lie in a bundle: it goes into a wallet, and there is at least one of it. A bundle
/// of nothing would have an admin deliver nothing under its name.
fn is_content(item: &Reward) -> bool {
    item.kind().asset().is_some() && !item.is_nothing()
}

#[cfg(test)]
mod tests {
    use xmas_kernel::{BundleId, CouponKindId};

    use super::*;
    use crate::BundleItem;

    #[test]
    fn a_bundle_holds_points_and_tokens_and_no_bundle() {
        let bundle = |items: &[Reward]| NewBundle {
            name: "룰렛 1장 + 주사위 1장".to_owned(),
            items: items.to_vec(),
        };
        let fields = |bundle: &NewBundle| -> Vec<String> {
            let problems = check_new(bundle).into_iter();
            problems.map(|problem| problem.field).collect()
        };
        let ticket = Reward::new(RewardType::TicketDice, 1).unwrap();
        assert_eq!(fields(&bundle(&[ticket, ticket])), Vec::<String>::new());
        assert_eq!(fields(&bundle(&[])), ["items"]);
        assert_eq!(fields(&bundle(&[ticket; 21])), ["items"]);
        for bad in [
            Reward::bundle(BundleId(1)),
            Reward::coupon(CouponKindId(1)),
            Reward::new(RewardType::Xp, 5).unwrap(),
            Reward::NONE,
        ] {
            assert_eq!(fields(&bundle(&[ticket, bad])), ["items.1.reward_type"]);
        }
        let nothing = Reward::new(RewardType::Point, 0).unwrap();
        assert_eq!(
            fields(&bundle(&[ticket, nothing])),
            ["items.1.reward_amount"]
        );
        assert!(are_contents(&[ticket]) && !are_contents(&[ticket, nothing]));
        let unnamed = NewBundle {
            name: " ".to_owned(),
            ..bundle(&[ticket])
        };
        assert_eq!(fields(&unnamed), ["name"]);
    }

    #[test]
    fn everything_that_is_wrong_with_a_written_bundle_is_named() {
        let draft = |name: &str, items: &[(&str, i64)]| BundleDraft {
            name: name.to_owned(),
            items: items
                .iter()
                .map(|(reward_type, amount)| BundleItem {
                    reward_type: (*reward_type).to_owned(),
                    amount: *amount,
                })
                .collect(),
        };
        let good = draft("상자", &[("POINT", 500), ("TICKET_DICE", 1)]);
        assert!(check_bundle(&good).is_empty());
        let fields = |draft: &BundleDraft| -> Vec<String> {
            let problems = bundle(draft).unwrap_err().into_iter();
            problems.map(|problem| problem.field).collect()
        };
        let bad = draft(
            " x",
            &[
                ("BUNDLE", 1),
                ("GOLD", 1),
                ("POINT", 0),
                ("POINT", i64::MAX),
            ],
        );
        let all = [
            "items.0.reward_type",
            "items.1.reward_type",
            "items.2.reward_amount",
            "items.3.reward_amount",
            "name",
        ];
        assert_eq!(fields(&bad), all);
        assert_eq!(fields(&draft("상자", &[])), ["items"]);
        assert_eq!(fields(&draft("상자", &[("POINT", 1); 21])), ["items"]);
    }
}
