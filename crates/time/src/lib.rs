//! Time as the event knows it: an injected clock, Korean business days and the countdown.
//!
//! Invariants:
//! - [`SystemClock`] is the only place that reads the system's time. Everything else is given
//!   `now`, once per request.
//! - Instants are UTC and cut to microseconds, which is what the databases keep, so that an
//!   instant that was stored and read back is equal to itself.
//! - A business day is an [`EventDay`]: the date in Asia/Seoul.

mod clock;
mod countdown;
mod event_day;
mod kst;

pub use chrono::{DateTime, Utc};
pub use clock::{Clock, ManualClock, ShiftedClock, SystemClock};
pub use countdown::countdown;
pub use event_day::{EventDay, MalformedDay};
pub use kst::Kst;
