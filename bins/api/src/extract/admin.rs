use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, http::header};
use percent_encoding::percent_decode_str;
use xmas_kernel::{audit::Actor, idempotency::RequestKey};

use super::command::request_key;
use crate::error::{ApiError, ApiResult};

/// The admin who asks, as the guard of the admin API has found them
/// ([`crate::middleware::admin_guard`]).
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    /// Who acts and why, for the audit log.
    pub(crate) actor: Actor,
}

impl FromRequest for Admin {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let admin = request.extensions().get::<Self>().cloned();
        ready(Ok(admin.expect("the guard lets nobody else in")))
    }
}

/// `X-Reason`: percent-encoded UTF-8, since headers carry ASCII only.
pub(crate) fn reason(request: &HttpRequest) -> ApiResult<Option<String>> {
    let Some(header) = request.headers().get("x-reason") else {
        return Ok(None);
    };
    let text = header.to_str().ok();
    let text = text.and_then(|text| percent_decode_str(text).decode_utf8().ok());
    let text = text.ok_or_else(|| ApiError::field("X-Reason", "is percent-encoded UTF-8"))?;
    let text = text.trim();
    if text.chars().count() > Actor::REASON_CHARACTERS || text.chars().any(char::is_control) {
        let problem = format!(
            "has up to {} characters, none of them a control character",
            Actor::REASON_CHARACTERS
        );
        return Err(ApiError::field("X-Reason", problem));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// The version of what the client has loaded: from the body, or else `If-Match`.
pub(crate) fn seen_version(request: &HttpRequest, in_body: Option<String>) -> Option<String> {
    let header = request.headers().get(header::IF_MATCH);
    let header = header.and_then(|value| value.to_str().ok());
    let header = header.map(|value| value.trim().trim_start_matches("W/").trim_matches('"'));
    in_body.or_else(|| header.filter(|value| *value != "*").map(str::to_owned))
}

/// The `Idempotency-Key` of a request whose body is not JSON.
pub(crate) fn key_of(request: &HttpRequest, body: &[u8]) -> ApiResult<Option<RequestKey>> {
    request_key(request, body)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn of(value: &str) -> ApiResult<Option<String>> {
        let request = TestRequest::default().insert_header(("x-reason", value));
        reason(&request.to_http_request())
    }

    #[test]
    fn a_reason_is_percent_encoded_utf_8() {
        assert_eq!(
            of("%EC%9E%A5%EC%95%A0%20%EB%B3%B4%EC%83%81")
                .unwrap()
                .unwrap(),
            "장애 보상"
        );
        assert_eq!(of("outage").unwrap().unwrap(), "outage");
        assert_eq!(of(" ").unwrap(), None);
        assert!(of("%FF").is_err());
        assert!(of("a%0Ab").is_err());
        assert!(of(&"x".repeat(500)).is_ok());
        assert!(of(&"x".repeat(501)).is_err());
    }

    #[test]
    fn a_version_comes_from_the_body_or_a_header() {
        let request = |value| {
            let request = TestRequest::default().insert_header((header::IF_MATCH, value));
            request.to_http_request()
        };
        let seen = |value, body: Option<&str>| {
            seen_version(&request(value), body.map(str::to_owned)).unwrap_or_default()
        };
        assert_eq!(seen("\"abc\"", None), "abc");
        assert_eq!(seen("W/\"abc\"", None), "abc");
        assert_eq!(seen("abc", Some("def")), "def");
        assert_eq!(seen("*", None), "");
    }
}
