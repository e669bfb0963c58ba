//! What happens to every request, from the outside in: a request id and a log line
//! ([`trace`]), the shape of errors ([`error_shape`]), security headers ([`headers`]), CORS, and
//! the limits ([`limits`]).

pub(crate) mod cors;
pub(crate) mod error_shape;
pub(crate) mod headers;
pub(crate) mod limits;
pub(crate) mod trace;
