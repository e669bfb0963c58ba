//! Who plays: accounts, profiles, and the lock that every use case takes first.
//!
//! Invariants:
//! - [`lock_in_tx`] is the first statement of every use case that writes for a player. It returns a
//!   [`LockedPlayer`], which every participant asks for, so that the lock order is a type.
//! - `user_profiles.is_blocked` is a copy of `user.status = BLOCKED`; both change together.
//! - A token is good for as long as the epoch it was minted in: blocking, a new password and
//!   logging out everywhere raise `token_epoch`, and every use case compares it.
//! - Nothing here commits a transaction.
//!
//! Owns the tables `user` and `user_profiles`.

mod access;
mod account;
mod entity;
mod keys;
mod many;
mod names;

pub use access::{
    AccessError, Entry, Identity, LockedPlayer, Profile, check, enter_in_tx, lock_by_id_in_tx,
    lock_in_tx, raise_epoch_in_tx, raise_level_in_tx,
};
pub use account::{
    Account, CreateError, ExternalId, MalformedExternalId, MalformedNickname, NewAccount, Nickname,
    Role, Status, create_in_tx, find_by_external_id, find_by_id, has_accounts, record_login_in_tx,
    set_blocked_in_tx, set_password_in_tx,
};
pub use keys::{
    Completion, KeyHolder, KeyHolders, KeyStanding, add_key_in_tx, complete_keys_many_in_tx,
    expire_keys_many_in_tx, key_histogram, key_standing, lock_key_holders_in_tx, next_players,
};
pub use many::{PlayerName, lock_many_in_tx, players_by_external_id, players_by_id};
pub use names::public_names;
