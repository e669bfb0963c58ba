//! What bodies say that they are.

use actix_web::{HttpRequest, http::header};
use xmas_texts::body::packed;

use crate::error::{ApiError, ApiResult};

/// The content type of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MediaType {
    /// Such as `text/csv`, in lower case; nothing if none is named.
    pub(super) essence: String,
    pub(super) charset: Option<String>,
}

impl MediaType {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let value = request.headers().get(header::CONTENT_TYPE);
        let value = value.and_then(|value| value.to_str().ok());
        Self::parse(value.unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let mut parts = text.split(';');
        let essence = parts.next().unwrap_or_default();
        let parameters = parts.filter_map(|part| part.split_once('='));
        let mut charsets =
            parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let charset = charsets.next();
        Self {
            essence: essence.trim().to_ascii_lowercase(),
            charset: charset.map(|(_, label)| label.trim().trim_matches('"').to_owned()),
        }
    }
}

/// Nothing here unpacks, and a packed body must not be taken for a plain one.
pub(super) fn refuse_packed(request: &HttpRequest) -> ApiResult<()> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_none_or(|encoding| encoding == "identity") {
        Ok(())
    } else {
        Err(ApiError::unsupported("Content-Encoding", packed()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_content_type_is_read_however_it_is_written() {
        for (text, essence, charset) in [
            ("text/csv", "text/csv", None),
            ("Text/CSV; Charset=EUC-KR", "text/csv", Some("EUC-KR")),
            ("text/csv;charset=\"utf-8\"", "text/csv", Some("utf-8")),
            (
                "text/csv; header=present; charset= utf-8 ",
                "text/csv",
                Some("utf-8"),
            ),
            ("text/csv;", "text/csv", None),
            ("text/csv; charset", "text/csv", None),
            ("text/csv; charset=", "text/csv", Some("")),
            ("", "", None),
        ] {
            let media = MediaType::parse(text);
            assert_eq!(
                (media.essence.as_str(), media.charset.as_deref()),
                (essence, charset),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_content_type_of_some_kind(text in prop_oneof![any::<String>(), "[a-zA-Z/;=\" -]{0,40}"]) {
            let media = MediaType::parse(&text);
            prop_assert!(!media.essence.contains(';'));
            prop_assert!(!media.essence.chars().any(|it| it.is_ascii_uppercase()));
            let again = MediaType::parse(&media.essence);
            prop_assert_eq!(again, MediaType { charset: None, ..media });
        }
    }
}
