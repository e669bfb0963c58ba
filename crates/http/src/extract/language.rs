//! The language of whoever reads the answer.

use std::{
    cmp::Reverse,
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{
    FromRequest, HttpRequest, dev,
    http::header::{AcceptLanguage, Header, Preference, Quality},
};
use xmas_texts::Language;

/// The language in which an answer's texts are written, by `Accept-Language`. An answer that depends on it says so:
/// `Vary: Accept-Language`.
#[derive(Clone, Copy, Debug)]
pub struct PreferredLanguage(pub Language);

impl PreferredLanguage {
    /// The one of ours that is wished for most; English if none is.
    pub fn of(request: &HttpRequest) -> Self {
        let Ok(AcceptLanguage(mut wished)) = AcceptLanguage::parse(request) else {
            return Self(Language::default());
        };
        wished.retain(|wish| wish.quality > Quality::ZERO);
        // Of equals the first one counts: the order stays.
        wished.sort_by_key(|wish| Reverse(wish.quality));
        let ours = wished.iter().find_map(|wish| match &wish.item {
            Preference::Any => Some(Language::default()),
            Preference::Specific(tag) => Language::of_tag(tag.as_str()),
        });
        Self(ours.unwrap_or_default())
    }
}

impl FromRequest for PreferredLanguage {
    type Error = Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_best_of_our_languages_is_taken() {
        for (header, language) in [
            ("ko", Language::Korean),
            ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", Language::Korean),
            ("en-US,en;q=0.9,ko;q=0.8", Language::English),
            ("ja,ko;q=0.5", Language::Korean),
            ("en;q=0.1, ko;q=0.2", Language::Korean),
            ("ko;q=0, en;q=0.1", Language::English),
            ("ja, *;q=0.5", Language::English),
            ("ja", Language::English),
            ("", Language::English),
            (";;q=x,,ko;q=9", Language::English),
        ] {
            let request = TestRequest::get().insert_header(("accept-language", header));
            let PreferredLanguage(read) = PreferredLanguage::of(&request.to_http_request());
            assert_eq!(read, language, "{header:?}");
        }
        let PreferredLanguage(read) = PreferredLanguage::of(&TestRequest::get().to_http_request());
        assert_eq!(read, Language::English);
    }
}
