//! What happens to every request, from the outside in: a request id and a log line
//! ([`trace`]), the shape of errors ([`error_shape`]), security headers ([`headers`]), CORS, and
//! the limits ([`limits`]). The admin API has a guard of its own ([`admin_guard`]), and last every endpoint
//! refuses what it does not know ([`contract`]).

pub(crate) mod admin_guard;
pub(crate) mod contract;
pub(crate) mod cors;
pub(crate) mod error_shape;
pub(crate) mod headers;
pub(crate) mod limits;
pub(crate) mod trace;
