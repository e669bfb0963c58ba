//! What went wrong with the database since the process started, for whoever watches it.
//!
//! One for the whole process, which has one database: where an error is sorted or a use case is tried again, nobody
//! knows which handle it came from.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the database does not do for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passing {
    Lock,
    Connection,
    Server,
}

/// What goes wrong with a statement, as it is counted. A unique key that decides a race is nothing wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Lock,
    Connection,
    ReadOnly,
    Pool,
    Schema,
    Commit,
    Other,
}

/// Errors of statements, by what a caller can do about them.
static ERRORS: Tally<7> = Tally::of([
    "lock",
    "connection",
    "read_only",
    "pool",
    "schema",
    "commit",
    "other",
]);
/// Use cases that were tried again.
static RETRIES: Tally<3> = Tally::of(["lock", "connection", "read_only"]);
/// Use cases that were not tried again any more.
static GIVEN_UP: Tally<3> = Tally::of(["lock", "connection", "read_only"]);

/// What the process has counted, by name.
pub type Counted = Vec<(&'static str, u64)>;

/// Errors of statements: `lock`, `connection`, `read_only`, `pool` (no connection came free), `schema`, `commit`
/// (whose outcome nobody knows), `other`.
pub fn errors() -> Counted {
    ERRORS.read()
}

/// Use cases that were tried again, by what they lacked: `lock`, `connection`, `read_only`.
pub fn retries() -> Counted {
    RETRIES.read()
}

/// Use cases that were tried too often, by what they lacked: `lock`, `connection`, `read_only`.
pub fn given_up() -> Counted {
    GIVEN_UP.read()
}

pub(super) fn note_error(trouble: Trouble) {
    ERRORS.add(trouble as usize);
}

pub(super) fn note_retry(passing: Passing) {
    RETRIES.add(passing as usize);
}

pub(super) fn note_given_up(passing: Passing) {
    GIVEN_UP.add(passing as usize);
}

struct Tally<const N: usize> {
    names: [&'static str; N],
    numbers: [AtomicU64; N],
}

impl<const N: usize> Tally<N> {
    const fn of(names: [&'static str; N]) -> Self {
        Self {
            names,
            numbers: [const { AtomicU64::new(0) }; N],
        }
    }

    fn add(&self, which: usize) {
        self.numbers[which].fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> Counted {
        let numbers = self
            .numbers
            .iter()
            .map(|number| number.load(Ordering::Relaxed));
        self.names.into_iter().zip(numbers).collect()
    }
}
