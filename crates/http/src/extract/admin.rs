use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, http::header};
use percent_encoding::percent_decode_str;
use xmas_kernel::{audit::Actor, idempotency::RequestKey, text::Lines, version::Seen};
use xmas_texts::body;

use crate::{
    error::{ApiError, ApiResult},
    extract::command::request_key,
};

/// The admin who asks, as the guard of the admin API has found them
/// ([`crate::middleware::admin_guard`]).
#[derive(Clone, Debug)]
pub struct Admin {
    /// Who acts and why, for the audit log.
    pub actor: Actor,
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
pub fn reason(request: &HttpRequest) -> ApiResult<Option<String>> {
    let Some(header) = request.headers().get("x-reason") else {
        return Ok(None);
    };
    let text = header.to_str().ok();
    let text = text.and_then(|text| percent_decode_str(text).decode_utf8().ok());
    let text = text.ok_or_else(|| ApiError::field("X-Reason", body::percent_encoded()))?;
    reason_text("X-Reason", &text, Lines::One)
}

/// A reason as the audit log keeps it: nothing if it is empty.
pub fn reason_text(field: &str, text: &str, lines: Lines) -> ApiResult<Option<String>> {
    Actor::reason(text, lines).map_err(|unfit| ApiError::field(field, unfit))
}

/// What the client has loaded: the version in the body, or else those of `If-Match`.
pub fn seen_version(request: &HttpRequest, in_body: Option<String>) -> ApiResult<Option<Seen>> {
    let in_header = if_match(request)?;
    Ok(in_body.map(Seen::one).or(in_header))
}

/// What one element of `If-Match` may be (RFC 9110, 13.1.1). A weak tag is taken for the strong one, since
/// proxies that pack answers weaken it; without its quotes, it is the `version` of an answer.
pub const ENTITY_TAG: &str = r#"(?:(?:W/)?"[!#-~]*"|[!#-+\--~]+)"#;

/// The versions that `If-Match` lists; none if it is left out, or `*`.
fn if_match(request: &HttpRequest) -> ApiResult<Option<Seen>> {
    let mut lines = Vec::new();
    for line in request.headers().get_all(header::IF_MATCH) {
        lines.push(line.to_str().map_err(|_| malformed_if_match())?);
    }
    let list = lines.join(",");
    if lines.is_empty() || list.trim() == "*" {
        return Ok(None);
    }
    let mut versions = Vec::new();
    let mut rest = list.trim();
    while !rest.is_empty() {
        let tag = rest.strip_prefix("W/\"").or(rest.strip_prefix('"'));
        let (version, behind) = match tag {
            Some(tag) => tag.split_once('"').ok_or_else(malformed_if_match)?,
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        let version = version.trim_end();
        if version.is_empty() && tag.is_none() || !version.bytes().all(is_of_a_tag) {
            return Err(malformed_if_match());
        }
        versions.push(version.to_owned());
        let behind = behind.trim_start();
        rest = match behind.strip_prefix(',') {
            Some(next) if !next.trim().is_empty() => next.trim_start(),
            None if behind.is_empty() => behind,
            _ => return Err(malformed_if_match()),
        };
    }
    if versions.is_empty() {
        return Err(malformed_if_match());
    }
    Ok(Some(Seen::any_of(versions)))
}

fn is_of_a_tag(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"'
}

fn malformed_if_match() -> ApiError {
    ApiError::field("If-Match", body::if_match())
}

/// The `Idempotency-Key` of a request whose body is not JSON.
pub fn key_of(request: &HttpRequest, bytes: &[u8]) -> ApiResult<Option<RequestKey>> {
    request_key(request, bytes)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

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

    fn seen(lines: &[&str], in_body: Option<&str>) -> ApiResult<Option<Seen>> {
        let mut request = TestRequest::default();
        for line in lines {
            request = request.append_header((header::IF_MATCH, *line));
        }
        seen_version(&request.to_http_request(), in_body.map(str::to_owned))
    }

    #[test]
    fn a_version_comes_from_the_body_or_a_header() {
        let any_of = |versions: &[&str]| {
            let versions = versions.iter().map(|version| (*version).to_owned());
            Some(Seen::any_of(versions.collect()))
        };
        for (lines, versions) in [
            (&["\"abc\""][..], &["abc"][..]),
            (&["W/\"abc\""], &["abc"]),
            (&["abc"], &["abc"]),
            (&["\"abc\", W/\"d,e\" ,f"], &["abc", "d,e", "f"]),
            (&["\"abc\"", "\"def\""], &["abc", "def"]),
            (&["\"*\""], &["*"]),
            (&["\"\""], &[""]),
        ] {
            assert_eq!(seen(lines, None).unwrap(), any_of(versions), "{lines:?}");
        }
        assert_eq!(seen(&["abc"], Some("def")).unwrap(), any_of(&["def"]));
        assert_eq!(seen(&["*"], None).unwrap(), None);
        assert_eq!(seen(&[], None).unwrap(), None);
    }

    #[test]
    fn what_is_no_list_of_versions_is_refused() {
        for lines in [
            &[""][..],
            &[","],
            &["\"abc"],
            &["\"abc\" \"def\""],
            &["\"abc\","],
            &["a b"],
            &["\"a b\""],
            &["a\"b"],
            &["\u{e9}"],
        ] {
            // Even beside a version in the body.
            assert!(seen(lines, Some("def")).is_err(), "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_a_reason_in_its_bounds_or_refused(value in prop_oneof!["[ -~]{0,60}", "(%[0-9A-F]{2}){0,30}"]) {
            if let Ok(Some(reason)) = of(&value) {
                prop_assert!((1..=Actor::REASON_CHARACTERS).contains(&reason.chars().count()));
                prop_assert!(!reason.chars().any(char::is_control));
                prop_assert_eq!(reason.trim(), reason.as_str());
            }
        }

        #[test]
        fn a_list_of_versions_reads_back(versions in prop::collection::vec("[!#-~]{0,12}", 1..5), weak in any::<bool>()) {
            let mark = if weak { "W/" } else { "" };
            let list: Vec<String> = versions.iter().map(|version| format!("{mark}\"{version}\"")).collect();
            prop_assert_eq!(seen(&[&list.join(" , ")], None).unwrap(), Some(Seen::any_of(versions)));
        }

        #[test]
        fn no_list_of_versions_is_too_odd_to_be_refused(lines in prop::collection::vec("[ -~]{0,30}", 1..3)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            if let Err(refused) = seen(&lines, None) {
                prop_assert_eq!(refused.code(), xmas_kernel::ErrorCode::ValidationError);
            }
        }
    }
}
