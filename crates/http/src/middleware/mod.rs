//! What happens to every request, from the outside in: a request id and a log line
//! ([`trace`], and [`spans`] for those who trace it), the shape of errors ([`error_shape`]), security headers ([`headers`]), CORS, and
//! whether there is a place for it ([`admission`], [`limits`], [`places`]). The admin API has a guard of its own ([`admin_guard`]), and last every endpoint
//! refuses what it does not know ([`contract`]).

pub mod admin_guard;
pub mod admission;
mod arrival;
pub mod contract;
pub mod cors;
pub mod error_shape;
pub mod headers;
pub mod limits;
pub mod places;
pub mod spans;
pub mod trace;
