//! Which known name somebody may have meant with one that is not known.

use strsim::osa_distance;
use xmas_texts::{Text, field};

/// How many known names are listed if none is near.
const LISTED: usize = 20;

/// Whether a name is at most so many edits away from another: letters that are missing, too many, wrong or
/// in the wrong order.
pub fn is_within(edits: usize, name: &str, known: &str) -> bool {
    // The distance costs the product of both lengths, and one of them is a stranger's.
    name.len().abs_diff(known.len()) <= edits * 4 && osa_distance(name, known) <= edits
}

/// The nearest of the known names, if one is near: a third of the longer one may differ, as `enabled` does
/// from `is_enabled`.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().filter_map(|known| {
        let longer = name.chars().count().max(known.chars().count());
        let edits = (longer / 3).max(1);
        is_within(edits, name, known).then(|| (osa_distance(name, known), known))
    });
    near.min().map(|(_, known)| known)
}

/// What a name is told that is not known where it was sent: the nearest known one, or else which there are. `what` it
/// should have named is a text such as [`field::a_field`].
pub fn unknown_name(what: Text, name: &str, known: &[&str]) -> Text {
    if let Some(meant) = nearest(name, known.iter().copied()) {
        return field::unknown_but_near(what, meant.to_owned());
    }
    if known.is_empty() {
        return field::unknown_of_none(what);
    }
    let listed = known.iter().take(LISTED).map(|known| (*known).to_owned());
    let more = (known.len() > LISTED).then(|| "…".to_owned());
    field::unknown_among(what, listed.chain(more).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_recognised() {
        for (name, meant) in [
            ("staus", "status"),
            ("statsu", "status"),
            ("enabled", "is_enabled"),
            ("isEnabled", "is_enabled"),
            ("ammount", "amount"),
            ("상태", "상태값"),
        ] {
            let known = ["amount", "is_enabled", "status", "version", "상태값"];
            assert_eq!(nearest(name, known), Some(meant), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_like_none_is_not() {
        let known = ["amount", "is_enabled", "status"];
        for name in ["", "nickname", "a", &"status".repeat(1_000)] {
            assert_eq!(nearest(name, known), None, "{name}");
        }
        assert_eq!(nearest("status", []), None);
    }

    #[test]
    fn edits_are_counted_in_letters() {
        assert!(is_within(2, "downtime_baner", "downtime_banner"));
        assert!(is_within(2, "ticket-zro", "ticket_zero"));
        assert!(!is_within(2, "ticket", "ticket_zero"));
        assert!(is_within(1, "값", "갑"));
        // However many bytes a letter has.
        assert!(is_within(2, "x🎄🎄", "x"));
        assert!(!is_within(1, "x🎄🎄", "x"));
    }

    #[test]
    fn the_nearest_name_is_proposed_or_some_are_listed() {
        let told = |known: &[&str]| unknown_name(field::a_field(), "staus", known).to_string();
        let near = "is not a field here; did you mean \"status\"?";
        assert_eq!(told(&["amount", "status"]), near);
        assert_eq!(told(&["a", "b"]), "is not a field here; known are a, b");
        assert_eq!(told(&[]), "is not a field here; there is none");
        let just = ["amount"; LISTED];
        assert!(told(&just).ends_with(", amount"));
        let many = ["amount"; 99];
        assert_eq!(told(&many).matches("amount").count(), LISTED);
        assert!(told(&many).ends_with(", …"));
    }
}
