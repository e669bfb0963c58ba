//! What every body of JSON must be, before it is looked into.

use std::{collections::HashSet, fmt};

use actix_web::HttpRequest;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use xmas_kernel::Problem;
use xmas_texts::{body, field};

use crate::{
    error::{ApiError, ApiResult},
    extract::{
        json::shortened,
        media::{MediaType, refuse_packed},
    },
};

/// Whether a request says that it brings JSON.
pub(super) fn is_json(media: &MediaType) -> bool {
    media.essence == "application/json"
}

/// The text of a body of JSON: UTF-8, as its standard has it, without the byte order mark that editors put
/// before it. No object in it has a name twice, since readers disagree about which of the two counts.
pub(super) fn json_text<'a>(request: &HttpRequest, bytes: &'a [u8]) -> ApiResult<&'a str> {
    let media = MediaType::of(request);
    let unsupported = |problem| Err(ApiError::unsupported("Content-Type", problem));
    if !is_json(&media) {
        return unsupported(body::content_type_json());
    }
    let charset = media.charset.as_deref().unwrap_or("utf-8");
    if !["utf-8", "utf8"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(charset))
    {
        return unsupported(body::content_type_json_utf_8());
    }
    refuse_packed(request)?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    // No JSON begins with a mark of UTF-16, or has a NUL near its beginning.
    let is_utf_16 = bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.iter().take(4).any(|byte| *byte == 0);
    if is_utf_16 {
        return Err(ApiError::field("body", body::utf_16()));
    }
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_| ApiError::field("body", body::utf_8()))?;
    match twice(text) {
        Some(path) => {
            // Nobody has looked yet whether it is known.
            let problem = Problem::of_stranger("", &shortened(&path), field::given_twice());
            Err(ApiError::problems(vec![problem]))
        }
        None => Ok(text),
    }
}

/// The path of the first name that an object has twice. What is no JSON is left to whoever reads it.
fn twice(text: &str) -> Option<String> {
    let (mut path, mut twice) = (Vec::new(), None);
    let names = Names {
        path: &mut path,
        twice: &mut twice,
    };
    let mut json = serde_json::Deserializer::from_str(text);
    // An error ends the search and is told by the parser that follows.
    let _ = names.deserialize(&mut json);
    twice
}

/// Walks through a value and looks at the names in it.
struct Names<'a> {
    path: &'a mut Vec<String>,
    twice: &'a mut Option<String>,
}

impl Names<'_> {
    fn below(&mut self) -> Names<'_> {
        Names {
            path: self.path,
            twice: self.twice,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        for index in 0.. {
            self.path.push(index.to_string());
            if items.next_element_seed(self.below())?.is_none() {
                self.path.pop();
                break;
            }
            self.path.pop();
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            let is_new = names.insert(name.clone());
            self.path.push(name);
            if !is_new {
                *self.twice = Some(self.path.join("."));
                return Err(A::Error::custom("a name is there twice"));
            }
            fields.next_value_seed(self.below())?;
            self.path.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_that_is_there_twice_is_found_wherever_it_is() {
        for (json, path) in [
            (r#"{"a":1,"b":{"a":2}}"#, None),
            (r#"[{"a":1},{"a":1}]"#, None),
            (r#"{"a":1,"a":1}"#, Some("a")),
            (
                r#"{"a":[{},{"b":{"c":1,"d":null,"c":2}}]}"#,
                Some("a.1.b.c"),
            ),
            (r#"{"a":1,"\u0061":1}"#, Some("a")),
            (r#"{"a":true,"b":-1.5,"c":"x","c":"x"}"#, Some("c")),
            (r#"{"a":1,"#, None),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(twice(json).as_deref(), path, "{json}");
        }
        // Deeper than any parser follows.
        assert_eq!(twice(&"[".repeat(30_000)), None);
    }

    #[test]
    fn json_is_utf_8_with_or_without_a_mark() {
        let read = |content_type: &str, bytes: &[u8]| {
            let request = TestRequest::default().insert_header(("content-type", content_type));
            json_text(&request.to_http_request(), bytes).map(str::to_owned)
        };
        for content_type in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf8\"",
        ] {
            for json in [" {\"a\":\"산타\"}\r\n ", "\u{feff}{\"a\":\"산타\"}"] {
                let expected = json.trim_start_matches('\u{feff}');
                assert_eq!(read(content_type, json.as_bytes()).unwrap(), expected);
            }
        }
        for content_type in ["application/json; charset=euc-kr", "text/json", ""] {
            let refused = read(content_type, b"{}").unwrap_err();
            assert_eq!(refused.code(), xmas_kernel::ErrorCode::UnsupportedMediaType);
        }
        let utf_16 = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>()
        };
        for bytes in [
            &utf_16("\u{feff}{}")[..],
            &utf_16("{}"),
            b"\0{\0}",
            b"{\"a\":\"\xbb\xea\"}",
        ] {
            let refused = read("application/json", bytes).unwrap_err();
            assert_eq!(refused.code(), xmas_kernel::ErrorCode::ValidationError);
        }
    }

    proptest! {
        /// What was written from a value has no name twice; with one name more than once it has.
        #[test]
        fn a_name_is_found_twice_where_it_is(
            names in prop::collection::btree_set(any::<String>(), 1..6),
            depth in 0usize..5,
            which in any::<prop::sample::Index>(),
        ) {
            let names: Vec<String> = names.into_iter().collect();
            let wrapped = |inside: String| (0..depth).fold(inside, |inside, _| format!("[{{\"a\":{inside}}}]"));
            let object = |names: &[&String]| {
                let fields = names.iter().map(|name| format!("{}:1", serde_json::to_string(name).unwrap()));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            };
            let mut all: Vec<&String> = names.iter().collect();
            prop_assert_eq!(twice(&wrapped(object(&all))), None);
            let again = which.get(&names);
            all.push(again);
            let path = "0.a.".repeat(depth) + again;
            prop_assert_eq!(twice(&wrapped(object(&all))), Some(path));
        }

        #[test]
        fn any_body_is_text_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            content_type in prop_oneof!["[ -~]{0,40}", Just("application/json".to_owned())],
        ) {
            let request = TestRequest::default().insert_header(("content-type", content_type));
            match json_text(&request.to_http_request(), &bytes) {
                Ok(text) => prop_assert!(bytes.ends_with(text.as_bytes())),
                Err(refused) => prop_assert!(matches!(
                    refused.code(),
                    xmas_kernel::ErrorCode::UnsupportedMediaType | xmas_kernel::ErrorCode::ValidationError
                )),
            }
        }
    }
}
