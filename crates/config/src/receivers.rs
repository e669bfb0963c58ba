//! Where tracing and crash reports are sent.

use std::{fmt, str::FromStr};

use sentry_types::Dsn;
use url::Url;
use xmas_texts::{Text, quoted, setting};

/// The base URL of a receiver of OTLP over HTTP. It has no password in it, so that it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint(Url);

impl OtlpEndpoint {
    /// Where traces are sent.
    pub fn traces(&self) -> String {
        format!("{}/v1/traces", self.0.as_str().trim_end_matches('/'))
    }
}

impl FromStr for OtlpEndpoint {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        };
        let url = Url::parse(text).ok().filter(is_plain);
        url.map(Self).ok_or_else(setting::otlp)
    }
}

impl fmt::Display for OtlpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where Sentry takes reports, and with which key.
#[derive(Clone, PartialEq, Eq)]
pub struct SentryDsn(Dsn);

impl SentryDsn {
    /// The DSN itself, for the one place that needs it.
    pub fn expose(&self) -> &Dsn {
        &self.0
    }
}

impl FromStr for SentryDsn {
    type Err = Text;

    /// The parser's own errors may quote what it was given.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dsn = text.parse().map(Self);
        dsn.map_err(|_| setting::sentry())
    }
}

impl fmt::Debug for SentryDsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What part of all traces is kept, from 0 to 1.
pub(crate) fn ratio(text: &str) -> Result<f64, Text> {
    let ratio = text
        .parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| setting::part(quoted(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn traces_have_a_path_below_the_endpoint() {
        for (endpoint, traces) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://host/", "https://host/v1/traces"),
            ("https://host/otlp/", "https://host/otlp/v1/traces"),
        ] {
            let endpoint: OtlpEndpoint = endpoint.parse().unwrap();
            assert_eq!(endpoint.traces(), traces);
        }
    }

    proptest! {
        #[test]
        fn what_is_no_receiver_is_refused_without_a_word_of_it(
            head in prop::sample::select(vec!["", "http://", "https://S3cret@", "https://u:S3cret@host", "http://host"]),
            tail in prop_oneof![".{0,30}", "[a-z@:/?#%&=.0-9]{0,30}"],
        ) {
            let text = format!("{head}{tail}");
            match text.parse::<OtlpEndpoint>() {
                Ok(endpoint) => {
                    prop_assert!(!endpoint.to_string().contains("S3cret@"));
                    prop_assert!(endpoint.traces().ends_with("/v1/traces"));
                }
                Err(told) => prop_assert!(!told.to_string().contains("S3cret")),
            }
            match text.parse::<SentryDsn>() {
                Ok(dsn) => prop_assert_eq!(format!("{dsn:?}"), "[redacted]"),
                Err(told) => prop_assert!(!told.to_string().contains("S3cret")),
            }
        }

        #[test]
        fn a_ratio_is_from_0_to_1(text in prop_oneof!["-?[0-9]{0,3}(\\.[0-9]{0,3})?(e-?[0-9]{1,3})?", any::<String>(), Just("NaN".to_owned())]) {
            if let Ok(ratio) = ratio(&text) {
                prop_assert!((0.0..=1.0).contains(&ratio), "{}", text);
            }
        }
    }
}
