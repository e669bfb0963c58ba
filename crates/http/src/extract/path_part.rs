use std::{
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{FromRequest, HttpRequest, dev};
use percent_encoding::percent_decode_str;
use xmas_kernel::ErrorCode;

use crate::error::ApiError;

/// The one variable part of a path. What cannot be read as a `T` names nothing that is there.
#[derive(Clone, Copy, Debug)]
pub struct PathPart<T>(pub T);

impl<T: FromStr> FromRequest for PathPart<T> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let part = request.match_info().iter().next().map(|(_, part)| part);
        // What the router has left encoded: a slash, a plus, a percent sign.
        let part = part.and_then(|part| percent_decode_str(part).decode_utf8().ok());
        let parsed = part.and_then(|part| part.parse().ok()).map(Self);
        ready(parsed.ok_or_else(|| ApiError::new(ErrorCode::NotFound).into()))
    }
}

/// The two variable parts of a path, as they were sent: what each of them names is for the handler to find.
#[derive(Clone, Debug)]
pub struct PathParts(pub String, pub String);

impl FromRequest for PathParts {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let mut parts = request.match_info().iter().map(|(_, part)| part.to_owned());
        let mut next = || parts.next().unwrap_or_default();
        ready(Ok(Self(next(), next())))
    }
}
