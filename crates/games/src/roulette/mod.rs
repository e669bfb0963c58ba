//! The roulette: six segments, one coin a spin.

mod entity;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{NewSegment, NewWheel, RoulettePlay, RouletteStatus, Segment};
pub use service::Roulette;
