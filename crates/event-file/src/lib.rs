//! The event as one file: what operators would otherwise enter one by one, to be read, reviewed and kept in version
//! control (docs/event-file.md).
//!
//! [`read()`] takes a file apart and says everything that is wrong with it, each with its place; [`canonical`] writes one.
//! [`EventDesk`] says what a file would make of the event in the database, and does it: all of it, or nothing. What is saved
//! is saved by the crates that it belongs to, by their rules and with their rows in the audit log.

mod check;
mod convert;
mod date;
mod desk;
mod diff;
mod effects;
pub mod file;
mod names;
mod plan;
mod put;
mod read;
mod reference;
mod state;
mod tree;
mod write;

pub use date::Date;
pub use desk::{EventDesk, EventError, Exported};
pub use diff::{Change, ChangeKind};
pub use effects::{EntryEffect, NewlyReached, OddsEffect, PayoutEffect};
pub use file::EventFile;
pub use plan::{Announced, Basis, Plan};
pub use read::{CheckedFile, PlacedProblem, read, schema};
pub use reference::reference;
pub use write::canonical;
