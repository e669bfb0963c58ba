//! Whom operators may give something.

use xmas_kernel::db::DbError;

use crate::Status;

/// How far an operator's hand reaches to a player.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// ACTIVE or BLOCKED: whoever is blocked may be let in again, and then has what was given meanwhile.
    Open,
    /// As if the player did not exist: only whoever says so reaches them.
    Inactive,
    /// For good: nobody reaches them.
    Anonymised,
}

impl Reach {
    pub(crate) fn of(status: Status, is_anonymised: bool) -> Self {
        match (is_anonymised, status) {
            (true, _) => Reach::Anonymised,
            (false, Status::Inactive) => Reach::Inactive,
            (false, Status::Active | Status::Blocked) => Reach::Open,
        }
    }

    /// Whether something may reach the player.
    ///
    /// # Errors
    /// Why it may not.
    pub fn admit(self, inactive: Inactive) -> Result<(), RecipientError> {
        match (self, inactive) {
            (Reach::Open, _) | (Reach::Inactive, Inactive::Reached) => Ok(()),
            (Reach::Inactive, Inactive::Refused) => Err(RecipientError::Inactive),
            (Reach::Anonymised, _) => Err(RecipientError::Anonymised),
        }
    }
}

/// What becomes of players who are INACTIVE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Inactive {
    /// Nothing is given to them by mistake.
    #[default]
    Refused,
    /// The operator has said so, or something is taken.
    Reached,
}

impl Inactive {
    /// `force`, as an operator has said it.
    pub fn forced(force: bool) -> Self {
        match force {
            true => Inactive::Reached,
            false => Inactive::Refused,
        }
    }
}

/// Why something cannot reach a player.
#[derive(Debug, thiserror::Error)]
pub enum RecipientError {
    #[error("there is no such player")]
    Unknown,
    #[error("the player was anonymised")]
    Anonymised,
    #[error("the player is INACTIVE")]
    Inactive,
    #[error("the database failed")]
    Db(#[from] DbError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn force_reaches_whoever_is_inactive_and_nobody_who_was_anonymised() {
        let admits = |status, is_anonymised, force| {
            let reach = Reach::of(status, is_anonymised);
            reach.admit(Inactive::forced(force)).is_ok()
        };
        for status in Status::ALL {
            for force in [false, true] {
                assert_eq!(
                    admits(status, false, force),
                    force || status != Status::Inactive
                );
                assert!(!admits(status, true, force), "{status:?} {force}");
            }
        }
    }
}
