//! Configurations that are announced: each takes over by itself at its instant (docs/rules.md, "Fair and disclosed
//! odds").
//!
//! Invariants:
//! - The instant decides, not who notices it: a play of before is drawn from what was in force before, whenever and on
//!   whichever replica it is drawn, and a play of the instant or later from what was announced.
//! - What was announced is fixed: entries, weights and prizes, down to their ids. Only what has run out is left out of
//!   it. It can be withdrawn until its instant, and every change is a row of `odds_change` with its time.
//! - What stays keeps its stock.
//! - It is checked when it is announced and when it takes over; an edit after which it could not is refused. What cannot
//!   take over then is refused as a whole, and what is in force stays so.

mod desk;
mod entity;
mod log;
mod model;
pub(crate) mod store;
mod take_over;

pub(super) use desk::expect_intact_in_tx;
pub(crate) use model::{Brief, MOST_LATE};
pub use model::{LEAD, MAX_PLANS};
pub use model::{NewPlan, Plan, PlanSource, PlanState};
pub(super) use store::is_planned;
pub use store::{announced, refused_since};
pub(crate) use take_over::{foreseen, take_over};
