use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use xmas_kernel::{UserId, db::DbError, text};

use crate::entity::user::{Column, Entity};

/// A player's names, of which only [`PlayerNames::public`] may be shown to other players.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerNames {
    pub external_id: String,
    pub nickname: Option<String>,
}

impl PlayerNames {
    /// Stands where the name of an anonymised player stood.
    pub const ANONYMOUS: &'static str = "(anonymised)";

    /// The name by which players may be shown to each other: the nickname, else a masked external id
    /// (docs/rules.md, "Games"). Nicknames from before the rules of [`crate::Nickname`] may have nothing to
    /// see.
    pub fn public(&self) -> String {
        let nickname = self.nickname.clone().filter(|name| text::is_seen(name));
        nickname.unwrap_or_else(|| masked(&self.external_id))
    }
}

/// The name with which an operator has signed, where their account stands beside it. Operators are not
/// anonymised, but older versions did it.
pub fn signature(name: String, operator: UserId, anonymised: &HashSet<UserId>) -> String {
    if anonymised.contains(&operator) {
        PlayerNames::ANONYMOUS.to_owned()
    } else {
        name
    }
}

/// The names of accounts. One statement, so up to 10,000 may be asked for; unknown ids are left out.
pub async fn names_of(
    conn: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = UserId>,
) -> Result<HashMap<UserId, PlayerNames>, DbError> {
    let ids: BTreeSet<i64> = ids.into_iter().map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, Option<String>, String)> = Entity::find()
        .select_only()
        .column(Column::Id)
        .column(Column::Nickname)
        .column(Column::ExternalId)
        .filter(Column::Id.is_in(ids))
        .into_tuple()
        .all(conn)
        .await?;
    let names = rows.into_iter().map(|(id, nickname, external_id)| {
        let names = PlayerNames {
            external_id,
            nickname,
        };
        (UserId(id), names)
    });
    Ok(names.collect())
}

/// The names by which players may be shown to each other. One statement, however many are asked for;
/// unknown ids are left out.
pub async fn public_names(
    conn: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = UserId>,
) -> Result<HashMap<UserId, String>, DbError> {
    let names = names_of(conn, ids).await?.into_iter();
    Ok(names.map(|(id, names)| (id, names.public())).collect())
}

/// The first two characters of an external id: its owner knows it again, and nobody else can log in
/// with it. Of an id that has no more than two, only the first.
fn masked(external_id: &str) -> String {
    let shown = if external_id.chars().count() > 2 {
        2
    } else {
        1
    };
    let shown: String = external_id.chars().take(shown).collect();
    format!("{shown}***")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_nickname_of_which_nothing_is_seen_is_none() {
        let public = |nickname: &str| {
            let names = PlayerNames {
                external_id: "rudolf-77".to_owned(),
                nickname: Some(nickname.to_owned()),
            };
            names.public()
        };
        assert_eq!(public("루돌프"), "루돌프");
        for blank in ["\u{3164}", "\u{200b}", "\u{2800}", " ", "\u{301}"] {
            assert_eq!(public(blank), "ru***", "{blank:?}");
        }
    }

    #[test]
    fn two_characters_are_shown_or_one_of_a_short_id() {
        for (external_id, shown) in [
            ("rudolf-77", "ru***"),
            ("abc", "ab***"),
            ("ab", "a***"),
            ("a", "a***"),
            ("산타클로스", "산타***"),
            ("산타", "산***"),
            ("🎅🦌🎄", "🎅🦌***"),
        ] {
            assert_eq!(masked(external_id), shown, "{external_id}");
        }
    }

    proptest! {
        #[test]
        fn how_long_an_id_is_cannot_be_told(external_id in "\\PC{3,100}") {
            prop_assert_eq!(masked(&external_id).chars().count(), 5);
        }
    }
}
