//! Who plays: accounts, profiles, and the lock that every use case takes first.
//!
//! Invariants:
//! - [`lock_in_tx`] is the first statement of every use case that writes for a player. It returns a
//!   [`LockedPlayer`], which every participant asks for, so that the lock order is a type.
//! - `user_profiles.is_blocked` is a copy of `user.status = BLOCKED`; both change together.
//! - A token is good for as long as the epoch it was minted in: blocking, a new password and
//!   logging out everywhere raise `token_epoch`, and every use case compares it.
//! - A status or a password that an operator changes acts at once. Nobody shuts themself out.
//! - Whoever was anonymised is out of reach for good ([`Reach`]): no token speaks for them, no edit changes
//!   them, and nothing is given to them. It is decided under the player's lock.
//! - Only [`Players`], which does operators' work, commits transactions. Whoever else keeps what tells
//!   who a player is stands below this crate, and is asked to forget it as a [`Forgetful`].
//!
//! Owns the tables `user` and `user_profiles`.

mod access;
mod account;
pub mod beside;
pub mod constraints;
mod desk;
mod entity;
mod error;
mod import;
mod keys;
mod many;
mod model;
mod names;
mod password;
mod ports;
mod reach;
mod recipient;
mod reference;
mod rules;
mod store;

pub use access::{
    AccessError, Entry, Identity, LockedPlayer, Profile, UncheckedProfile, check,
    enter_beside_in_tx, enter_free_in_tx, enter_in_tx, lock_beside_in_tx, lock_by_id_in_tx,
    lock_in_tx, raise_epoch_in_tx, raise_level_in_tx, read_beside_many,
};
pub use account::{
    Account, CreateError, ExternalId, GivenId, MalformedExternalId, MalformedNickname, NewAccount,
    Nickname, Role, Status, caretaker, create_in_tx, find_by_external_id, find_by_id, has_accounts,
    record_login_in_tx, set_status_in_tx,
};
pub use desk::{Players, PlayersOptions};
pub use error::PlayerDeskError;
pub use import::{ImportAction, ImportLine, ImportReport, ImportRow};
pub use keys::{
    Held, KeyHolder, KeyStanding, add_key_in_tx, add_key_many_in_tx, complete_keys_many_in_tx,
    expire_keys_many_in_tx, key_histogram, key_standing, lock_key_holders_in_tx, next_players,
    note_key_in_tx, take_key_many_in_tx,
};
pub use many::{
    PlayerName, anonymised_among, lock_many_in_tx, players_by_external_id, players_by_id,
};
pub use model::{
    Anonymised, GivenUp, NewPlayer, PasswordWish, PlayerEdit, PlayerRecord, SavedPlayer,
    SeasonWish, Standing,
};
pub use names::{PlayerNames, names_of, public_names, signature};
pub use password::{
    NO_PASSWORD, OLD_HASH_PREFIX, PASSWORD_CHARACTERS, Password, replace_hash_in_tx,
    set_password_in_tx,
};
pub use ports::{Forgetful, HashError, Leaving, PasswordMaker, Seasons, ServedSeason};
pub use reach::{Inactive, Reach, RecipientError};
pub use recipient::{lock_recipient_in_tx, lock_recipients_in_tx};
pub use reference::{PlayerRef, ResolveError, account_id, resolve};
