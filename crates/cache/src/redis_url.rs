use std::{fmt, str::FromStr};

use percent_encoding::percent_decode_str;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult};
use url::{Host, Url};
use xmas_texts::{Text, setting, shown_as_text};

/// Where a Redis server is: `redis://user:password@host:port/number`, or `rediss://…` for TLS.
///
/// It is taken apart here, since parsers of others quote the text in their errors. What is shown of
/// it has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    is_tls: bool,
    /// As a socket wants it: no brackets around an IPv6 address.
    host: String,
    port: u16,
    user: Option<String>,
    password: Option<String>,
    database: i64,
}

/// Why a text is no [`RedisUrl`]. None of these quotes the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisUrlError {
    Scheme,
    Form,
    Spaces,
    Unencoded,
    Host,
    Database,
    Parameter,
}

impl From<RedisUrlError> for Text {
    fn from(error: RedisUrlError) -> Self {
        match error {
            RedisUrlError::Scheme => setting::redis_scheme(),
            RedisUrlError::Form => setting::redis_form(setting::percent_encode()),
            RedisUrlError::Spaces => setting::url_spaces(),
            RedisUrlError::Unencoded => setting::url_unencoded(setting::percent_encode()),
            RedisUrlError::Host => setting::redis_host(),
            RedisUrlError::Database => setting::redis_database(),
            RedisUrlError::Parameter => setting::redis_parameter(setting::percent_encode()),
        }
    }
}

shown_as_text!(RedisUrlError);

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        use RedisUrlError::{Database, Form, Host, Parameter, Scheme, Spaces, Unencoded};
        let is_tls = text.starts_with("rediss://");
        if !is_tls && !text.starts_with("redis://") {
            return Err(Scheme);
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(Spaces);
        }
        // A password with one of these would be cut, and its rest taken for a host or a database,
        // which are shown.
        let (_, rest) = text.split_once("://").ok_or(Scheme)?;
        let authority = rest.find(['/', '?', '#']).map_or(rest, |end| &rest[..end]);
        let is_cut = rest[authority.len()..].contains('@') || authority.matches('@').count() > 1;
        if is_cut || !is_percent_encoded(text) {
            return Err(Unencoded);
        }
        if rest.contains(['?', '#']) {
            return Err(Parameter);
        }
        let url = Url::parse(text).map_err(|_| Form)?;
        let host = match url.host().ok_or(Host)? {
            url::Host::Domain("") => return Err(Host),
            url::Host::Domain(name) => name.to_owned(),
            url::Host::Ipv4(address) => address.to_string(),
            url::Host::Ipv6(address) => address.to_string(),
        };
        let decoded = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded.map(String::from).map_err(|_| Unencoded)
        };
        let user = Some(url.username()).filter(|user| !user.is_empty());
        let user = user.map(decoded).transpose()?;
        let password = url.password().map(decoded).transpose()?;
        // A name alone is no login that Redis knows.
        if user.is_some() && password.is_none() {
            return Err(Form);
        }
        let database = match url.path().trim_start_matches('/') {
            "" => 0,
            number => number.parse::<u16>().map_err(|_| Database)?.into(),
        };
        Ok(Self {
            is_tls,
            host,
            port: url.port().unwrap_or(6379),
            user,
            password,
            database,
        })
    }
}

/// Whether every `%` begins an encoded byte.
fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

impl RedisUrl {
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    pub(crate) fn connection_info(&self) -> RedisResult<ConnectionInfo> {
        let address = if self.is_tls {
            ConnectionAddr::TcpTls {
                host: self.host.clone(),
                port: self.port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(self.host.clone(), self.port)
        };
        let mut login = RedisConnectionInfo::default()
            .set_db(self.database)
            .set_skip_set_lib_name();
        if let Some(user) = &self.user {
            login = login.set_username(user);
        }
        if let Some(password) = &self.password {
            login = login.set_password(password);
        }
        Ok(address.into_connection_info()?.set_redis_settings(login))
    }
}

/// As it may be shown: `redacted` stands for the password.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_tls { "rediss://" } else { "redis://" })?;
        if self.password.is_some() {
            write!(f, "{}:redacted@", self.user.as_deref().unwrap_or_default())?;
        }
        let host: Result<Host, _> = if self.host.contains(':') {
            Host::parse(&format!("[{}]", self.host))
        } else {
            Host::parse(&self.host)
        };
        match host {
            Ok(host) => write!(f, "{host}")?,
            Err(_) => f.write_str(&self.host)?,
        }
        write!(f, ":{}/{}", self.port, self.database)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_proper_url_is_taken_apart_and_shown_without_its_password() {
        for (text, shown, user, password) in [
            ("redis://h", "redis://h:6379/0", None, None),
            ("redis://h:7000/", "redis://h:7000/0", None, None),
            (
                "rediss://:S3cret@h/15",
                "rediss://:redacted@h:6379/15",
                None,
                Some("S3cret"),
            ),
            (
                "redis://xmas:%2F%23%40%3F%25%20S3cret@[::1]:6380/3",
                "redis://xmas:redacted@[::1]:6380/3",
                Some("xmas"),
                Some("/#@?% S3cret"),
            ),
            (
                "redis://:%EB%B9%84%EB%B0%80@10.0.0.1",
                "redis://:redacted@10.0.0.1:6379/0",
                None,
                Some("비밀"),
            ),
        ] {
            let url: RedisUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
            assert_eq!(url.user.as_deref(), user, "{text}");
            assert_eq!(url.password.as_deref(), password, "{text}");
            assert_eq!(url.is_tls(), text.starts_with("rediss"));
        }
    }

    #[test]
    fn anything_else_is_refused_without_a_word_of_it() {
        use RedisUrlError::{Database, Form, Host, Parameter, Scheme, Spaces, Unencoded};
        for (text, expected) in [
            ("", Scheme),
            ("h:6379", Scheme),
            ("REDIS://:S3cret@h", Scheme),
            ("valkey://:S3cret@h", Scheme),
            ("unix:///S3cret", Scheme),
            ("http://:S3cret@h", Scheme),
            (" redis://:S3cret@h", Scheme),
            ("redis://:S3 cret@h", Spaces),
            ("redis://:S3cret@h\n", Spaces),
            ("redis://:S3/cret@h", Unencoded),
            ("redis://:S3#cret@h", Unencoded),
            ("redis://:S3?cret@h", Unencoded),
            ("redis://:S3@cret@h", Unencoded),
            ("redis://:S3%cret@h", Unencoded),
            ("redis://:S3cret%ff@h", Unencoded),
            ("redis://:S3cret@h:S3cret", Form),
            ("redis://:S3cret@h:99999", Form),
            ("redis://S3cret@h", Form),
            ("redis://:S3cret@", Form),
            ("redis://", Host),
            ("redis://:S3cret@h/S3cret", Database),
            ("redis://:S3cret@h/-1", Database),
            ("redis://:S3cret@h/99999", Database),
            ("redis://:S3cret@h?protocol=resp3", Parameter),
            ("rediss://:S3cret@h/#insecure", Parameter),
        ] {
            let error = text.parse::<RedisUrl>().unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("S3"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_no_url_is_refused_without_a_word_of_it(
            head in prop::sample::select(vec!["", "redis://", "redis://:S3cret", "rediss://u:S3cret@h/", "unix://"]),
            tail in prop_oneof![".{0,30}", "[a-z@:/?#%\\[\\]&=.0-9 ]{0,30}"],
        ) {
            match format!("{head}{tail}").parse::<RedisUrl>() {
                Err(error) => {
                    let told = format!("{error} {error:?}");
                    prop_assert!(told.contains("must ") && !told.contains("S3"), "{}", told);
                }
                Ok(url) => {
                    prop_assert!((0..=i64::from(u16::MAX)).contains(&url.database));
                    prop_assert!(!url.host.is_empty());
                    prop_assert!(url.connection_info().is_ok());
                }
            }
        }

        #[test]
        fn any_password_comes_through_encoded(password in any::<String>()) {
            // A name alone is no login.
            prop_assume!(!password.is_empty());
            let encoded: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let url: RedisUrl = format!("redis://u:{encoded}@h/1").parse().unwrap();
            prop_assert_eq!(url.password.clone().unwrap_or_default(), password);
            prop_assert_eq!(url.to_string().replace(":redacted", ""), "redis://u@h:6379/1");
        }
    }
}
