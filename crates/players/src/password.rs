//! What stands in `user.password_hash`. It is made and checked in `core-auth`; here it is kept.

use std::{fmt, ops::RangeInclusive};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::Expr};
use xmas_kernel::{
    db::{DbError, Timestamp},
    text::{self, Lines, Unfit},
};

use crate::{
    access::{Identity, LockedPlayer, raise_epoch_in_tx},
    entity::user::{Column, Entity},
};

/// How many characters a password has.
pub const PASSWORD_CHARACTERS: RangeInclusive<usize> = 8..=256;

/// A password that is to be set: in NFC, 8 to 256 characters, of which one is visible and none hidden.
/// Spaces around it belong to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Password {
    type Error = Unfit;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let text = text::nfc(text);
        match text::check(&text, PASSWORD_CHARACTERS, Lines::One) {
            Ok(()) => Ok(Self(text.into_owned())),
            // What stands in a password is told to nobody.
            Err(Unfit::Hidden(_)) => Err(Unfit::SomeHidden),
            Err(unfit) => Err(unfit),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// Stands in the place of a hash if no password fits.
pub const NO_PASSWORD: &str = "!";
/// What goes before the hash of an imported player: the old system's SHA-256, in 64 lower-case
/// hexadecimal digits. The first login replaces it.
pub const OLD_HASH_PREFIX: &str = "sha256$";

/// Replaces the password and, with it, every token minted so far.
pub async fn set_password_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<Identity, DbError> {
    Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(password_hash))
        .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(Column::Id.eq(player.user_id().0))
        .exec(tx)
        .await?;
    raise_epoch_in_tx(tx, player, now).await
}

/// Replaces a hash by a better one of the same password. Tokens stay good. Nothing happens if the
/// hash is not `old` any more: another login was faster.
pub async fn replace_hash_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    old: &str,
    new: &str,
) -> Result<(), DbError> {
    Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(new))
        .filter(Column::Id.eq(player.user_id().0))
        .filter(Column::PasswordHash.eq(old))
        .exec(tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_is_composed_and_plain() {
        let composed = Password::try_from("  비밀번호 🎄 ").unwrap();
        assert_eq!(composed.expose(), "  비밀번호 🎄 ");
        let decomposed = Password::try_from("cafe\u{301} creme").unwrap();
        assert_eq!(decomposed.expose(), "café creme");
        // Composed it has seven characters.
        let short = Password::try_from("e\u{301}234567");
        assert_eq!(short, Err(Unfit::Length(8..=256, 7)));
        for bad in ["12345678\u{200b}", "1234\t5678", "12345678\u{202e}"] {
            assert_eq!(Password::try_from(bad), Err(Unfit::SomeHidden), "{bad:?}");
        }
        assert_eq!(Password::try_from(&*" ".repeat(8)), Err(Unfit::Blank));
        assert_eq!(format!("{composed:?}"), "Password");
    }

    proptest! {
        #[test]
        fn a_password_is_kept_composed_and_refused_without_a_word_of_it(text in prop_oneof![".{0,300}", any::<String>()]) {
            match Password::try_from(text.as_str()) {
                Ok(password) => {
                    prop_assert!(PASSWORD_CHARACTERS.contains(&password.expose().chars().count()));
                    prop_assert_eq!(password.expose(), text::nfc(&text));
                    prop_assert_eq!(Password::try_from(password.expose()), Ok(password.clone()));
                }
                Err(unfit) => {
                    let told = unfit.to_string();
                    prop_assert!(told.starts_with("must ") && !told.contains("U+"), "{}", told);
                }
            }
        }
    }
}
