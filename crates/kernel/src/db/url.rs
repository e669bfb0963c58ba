use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use percent_encoding::percent_decode_str;
use sea_orm::sqlx::mysql::MySqlConnectOptions;
use url::{Url, form_urlencoded};
use xmas_texts::{Text, setting, shown_as_text};

/// Where a database is: `mysql://user:password@host:port/database?…` (also MariaDB) or
/// `sqlite://file?…`.
///
/// It is taken apart here, and the drivers are handed the password by itself: their own parsers
/// quote the whole text in their errors. What is shown of it has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct DbUrl(pub(super) Place);

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    MySql {
        /// Without user and password.
        server: Url,
        user: Option<String>,
        password: Option<String>,
    },
    Sqlite {
        file: PathBuf,
        /// As they are written after the `?`.
        parameters: Option<String>,
    },
}

/// Why a text is no [`DbUrl`]. None of these quotes the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbUrlError {
    Postgres,
    Scheme,
    Form,
    Spaces,
    Unencoded,
    Host,
    Database,
    File,
    MySqlParameter,
    SslMode,
    CacheCapacity,
    SqliteParameter,
}

impl From<DbUrlError> for Text {
    fn from(error: DbUrlError) -> Self {
        match error {
            DbUrlError::Postgres => setting::url_postgres(),
            DbUrlError::Scheme => setting::url_scheme(),
            DbUrlError::Form => setting::url_form(setting::percent_encode()),
            DbUrlError::Spaces => setting::url_spaces(),
            DbUrlError::Unencoded => setting::url_unencoded(setting::percent_encode()),
            DbUrlError::Host => setting::url_host(),
            DbUrlError::Database => setting::url_database(),
            DbUrlError::File => setting::url_file(),
            DbUrlError::MySqlParameter => setting::url_mysql_parameter(setting::percent_encode()),
            DbUrlError::SslMode => setting::url_ssl_mode(),
            DbUrlError::CacheCapacity => setting::url_cache_capacity(),
            DbUrlError::SqliteParameter => setting::url_sqlite_parameter(),
        }
    }
}

shown_as_text!(DbUrlError);

impl DbUrl {
    /// An SQLite file, which is made if it is not there.
    pub fn sqlite_file(file: &Path) -> Self {
        Self(Place::Sqlite {
            file: file.to_owned(),
            parameters: Some("mode=rwc".to_owned()),
        })
    }

    /// Whether it asks for a file that nothing is written to.
    pub(super) fn is_read_only(&self) -> bool {
        let Place::Sqlite { parameters, .. } = &self.0 else {
            return false;
        };
        let parameters = parameters.as_deref().unwrap_or_default();
        form_urlencoded::parse(parameters.as_bytes())
            .any(|pair| pair == ("mode".into(), "ro".into()))
    }

    /// Whether it asks for a file to be made that is not there.
    pub(super) fn makes_file(&self) -> bool {
        let Place::Sqlite { parameters, .. } = &self.0 else {
            return false;
        };
        let parameters = parameters.as_deref().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(parameters.as_bytes());
        // The writer makes it unless it is told not to.
        pairs.all(|(name, mode)| name != "mode" || mode == "rwc")
    }

    /// How a server is reached; `None` of a file.
    pub(super) fn mysql_options(&self) -> Option<MySqlConnectOptions> {
        let Place::MySql {
            server,
            user,
            password,
        } = &self.0
        else {
            return None;
        };
        let options = server.as_str().parse().ok()?;
        Some(with_login(options, user.as_deref(), password.as_deref()))
    }

    /// The file of an SQLite database.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Place::Sqlite { file, .. } => Some(file),
            Place::MySql { .. } => None,
        }
    }
}

impl FromStr for DbUrl {
    type Err = DbUrlError;

    fn from_str(text: &str) -> Result<Self, DbUrlError> {
        if text.starts_with("mysql://") {
            return mysql(text).map(Self);
        }
        if let Some(rest) = text.strip_prefix("sqlite:") {
            return sqlite(rest.strip_prefix("//").unwrap_or(rest)).map(Self);
        }
        Err(if text.starts_with("postgres") {
            DbUrlError::Postgres
        } else {
            DbUrlError::Scheme
        })
    }
}

/// As this user.
pub(super) fn with_login(
    mut options: MySqlConnectOptions,
    user: Option<&str>,
    password: Option<&str>,
) -> MySqlConnectOptions {
    if let Some(user) = user {
        options = options.username(user);
    }
    if let Some(password) = password {
        options = options.password(password);
    }
    options
}

fn mysql(text: &str) -> Result<Place, DbUrlError> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(DbUrlError::Spaces);
    }
    // A password with one of these would be cut, and its rest taken for a host, a database or a
    // parameter, which are shown.
    let (_, rest) = text.split_once("://").ok_or(DbUrlError::Scheme)?;
    let authority = rest.find(['/', '?', '#']).map_or(rest, |end| &rest[..end]);
    let is_cut = rest.contains('#')
        || rest[authority.len()..].contains('@')
        || authority.matches('@').count() > 1;
    if is_cut || !is_percent_encoded(text) {
        return Err(DbUrlError::Unencoded);
    }
    let mut server = Url::parse(text).map_err(|_| DbUrlError::Form)?;
    if server.host_str().is_none_or(str::is_empty) {
        return Err(DbUrlError::Host);
    }
    let database = server.path().trim_start_matches('/');
    if database.is_empty() || database.contains('/') {
        return Err(DbUrlError::Database);
    }
    for (name, value) in server.query_pairs() {
        check_mysql_parameter(&name, &value)?;
    }
    let decoded = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map(String::from).map_err(|_| DbUrlError::Unencoded)
    };
    decoded(database)?;
    let user = Some(server.username()).filter(|user| !user.is_empty());
    let user = user.map(decoded).transpose()?;
    let password = server.password().map(decoded).transpose()?;
    server.set_username("").map_err(|()| DbUrlError::Host)?;
    server.set_password(None).map_err(|()| DbUrlError::Host)?;
    Ok(Place::MySql {
        server,
        user,
        password,
    })
}

/// Whether every `%` begins an encoded byte. One that does not would be taken as it is, until the
/// text after it happens to be two hexadecimal digits.
fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

fn check_mysql_parameter(name: &str, value: &str) -> Result<(), DbUrlError> {
    const MODES: [&str; 5] = [
        "disabled",
        "preferred",
        "required",
        "verify_ca",
        "verify_identity",
    ];
    match name {
        "ssl-mode" | "sslmode" if !MODES.contains(&value.to_ascii_lowercase().as_str()) => {
            Err(DbUrlError::SslMode)
        }
        "statement-cache-capacity" if value.parse::<usize>().is_err() => {
            Err(DbUrlError::CacheCapacity)
        }
        "ssl-mode"
        | "sslmode"
        | "ssl-ca"
        | "sslca"
        | "ssl-cert"
        | "sslcert"
        | "ssl-key"
        | "sslkey"
        | "socket"
        | "charset"
        | "collation"
        | "timezone"
        | "time-zone"
        | "statement-cache-capacity" => Ok(()),
        _ => Err(DbUrlError::MySqlParameter),
    }
}

fn sqlite(text: &str) -> Result<Place, DbUrlError> {
    let (file, parameters) = match text.split_once('?') {
        Some((file, parameters)) => (file, Some(parameters)),
        None => (text, None),
    };
    let file = percent_decode_str(file).decode_utf8();
    let file = file.map_err(|_| DbUrlError::File)?;
    // Each pool would have another database in memory.
    if file.is_empty() || file.starts_with(':') || file.contains('\0') {
        return Err(DbUrlError::File);
    }
    for (name, value) in form_urlencoded::parse(parameters.unwrap_or_default().as_bytes()) {
        let is_known = match &*name {
            "mode" => matches!(&*value, "ro" | "rw" | "rwc"),
            "cache" => matches!(&*value, "private" | "shared"),
            "immutable" => matches!(&*value, "true" | "1" | "false" | "0"),
            "vfs" => true,
            _ => false,
        };
        if !is_known {
            return Err(DbUrlError::SqliteParameter);
        }
    }
    Ok(Place::Sqlite {
        file: PathBuf::from(&*file),
        parameters: parameters.map(str::to_owned),
    })
}

/// As it may be shown: `redacted` stands for the password.
impl fmt::Display for DbUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::MySql {
                server,
                user,
                password,
            } => {
                let mut shown = server.clone();
                // Only a URL without a host refuses these, and it has one.
                let _ = shown.set_username(user.as_deref().unwrap_or_default());
                let _ = shown.set_password(password.as_ref().map(|_| "redacted"));
                shown.fmt(f)
            }
            Place::Sqlite { file, parameters } => {
                write!(f, "sqlite://{}", file.display())?;
                match parameters {
                    Some(parameters) => write!(f, "?{parameters}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Debug for DbUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<DbUrl, DbUrlError> {
        text.parse()
    }

    /// User, password and the rest.
    fn parts(text: &str) -> (Option<String>, Option<String>, String) {
        match parsed(text).unwrap().0 {
            Place::MySql {
                server,
                user,
                password,
            } => (user, password, server.to_string()),
            Place::Sqlite { .. } => panic!("{text}"),
        }
    }

    #[test]
    fn a_proper_url_is_taken_apart() {
        let some = |text: &str| Some(text.to_owned());
        for (text, user, password, rest) in [
            (
                "mysql://u:p@db.example:3306/xmas",
                some("u"),
                some("p"),
                "mysql://db.example:3306/xmas",
            ),
            (
                "mysql://u:%2F%23%40%3F%25%20p:w@[::1]:3306/xmas?ssl-mode=REQUIRED",
                some("u"),
                some("/#@?% p:w"),
                "mysql://[::1]:3306/xmas?ssl-mode=REQUIRED",
            ),
            (
                "mysql://%EA%B9%80:비밀@h/x",
                some("김"),
                some("비밀"),
                "mysql://h/x",
            ),
            ("mysql://u:$p!@h/x", some("u"), some("$p!"), "mysql://h/x"),
            ("mysql://root@h/x", some("root"), None, "mysql://h/x"),
            ("mysql://h/x", None, None, "mysql://h/x"),
        ] {
            assert_eq!(parts(text), (user, password, rest.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_shown_has_no_password() {
        for (text, shown) in [
            (
                "mysql://u:S3cret@h:3306/x?ssl-mode=required",
                "mysql://u:redacted@h:3306/x?ssl-mode=required",
            ),
            ("mysql://u@h/x", "mysql://u@h/x"),
            ("sqlite://a%20b.db?mode=rwc", "sqlite://a b.db?mode=rwc"),
            ("sqlite:x.db", "sqlite://x.db"),
        ] {
            let url = parsed(text).unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
    }

    #[test]
    fn anything_else_is_refused_without_a_word_of_it() {
        use DbUrlError::{
            CacheCapacity, Database, File, Form, Host, MySqlParameter, Postgres, Scheme, Spaces,
            SqliteParameter, SslMode, Unencoded,
        };
        for (text, expected) in [
            ("mysq://u:S3cret@h/x", Scheme),
            ("MYSQL://u:S3cret@h/x", Scheme),
            ("u:S3cret@h/x", Scheme),
            ("", Scheme),
            (" mysql://u:S3cret@h/x", Scheme),
            ("postgres://u:S3cret@h/x", Postgres),
            ("postgresql://u:S3cret@h/x", Postgres),
            ("mysql://u:S3cret/x@h/x", Unencoded),
            ("mysql://u:12/S3cret@h/x", Unencoded),
            ("mysql://u:S3cret#x@h/x", Unencoded),
            ("mysql://u:12#S3cret@h/x", Unencoded),
            ("mysql://u:S3cret@x@h/x", Unencoded),
            ("mysql://u:S3cret?x@h/x", Unencoded),
            ("mysql://u:12?S3cret@h/x", Unencoded),
            ("mysql://u:S3cret%x@h/x", Unencoded),
            ("mysql://u:S3cret%ff@h/x", Unencoded),
            ("mysql://u:S3cret%", Unencoded),
            ("mysql://u:S3 cret@h/x", Spaces),
            ("mysql://u:S3\tcret@h/x", Spaces),
            ("mysql://u:S3cret@h/x\n", Spaces),
            ("mysql://u:S3cret", Form),
            ("mysql://u:S3cret@h:S3cret/x", Form),
            ("mysql://u:S3cret@h:99999/x", Form),
            ("mysql://u:S3cret@[::1/x", Form),
            ("mysql://u:S3cret@/x", Form),
            ("mysql:///x", Host),
            ("mysql://u:S3cret@h", Database),
            ("mysql://u:S3cret@h/", Database),
            ("mysql://u:S3cret@h/x/S3cret", Database),
            ("mysql://u@h/x?password=S3cret", MySqlParameter),
            ("mysql://u@h/x?ssl-mode=S3cret", SslMode),
            (
                "mysql://u@h/x?statement-cache-capacity=S3cret",
                CacheCapacity,
            ),
            ("sqlite://", File),
            ("sqlite::memory:", File),
            ("sqlite://:memory:", File),
            ("sqlite://x.db?mode=memory", SqliteParameter),
            ("sqlite://x.db?key=S3cret", SqliteParameter),
            ("sqlite://x.db?mode=S3cret", SqliteParameter),
        ] {
            let error = parsed(text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            let told = format!("{} {error:?}", Text::from(error));
            assert!(told.contains("must "), "{text}: {told}");
            assert!(!told.contains("S3cret"), "{text}: {told}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_no_url_is_refused_without_a_word_of_it(
            head in prop::sample::select(vec!["", "mysql://", "mysql://u:S3cret", "mysql://u:S3cret@h/x", "sqlite:", "postgres://"]),
            tail in prop_oneof![".{0,30}", "[a-z@:/?#%\\[\\]&=.0-9 ]{0,30}"],
        ) {
            match parsed(&format!("{head}{tail}")) {
                Err(error) => {
                    let told = format!("{} {error:?}", Text::from(error));
                    prop_assert!(told.contains("must ") && !told.contains("S3cret"), "{}", told);
                }
                // What is shown is a URL again, to the same place.
                Ok(url) => {
                    let shown = url.to_string();
                    prop_assert!(!shown.contains("S3cret"), "{}", shown);
                    if let Place::MySql { server, .. } = &url.0 {
                        let Place::MySql { server: again, .. } = parsed(&shown).unwrap().0 else {
                            panic!("{shown}");
                        };
                        prop_assert_eq!(&again, server);
                    }
                }
            }
        }

        #[test]
        fn any_user_and_password_come_through_encoded(user in "\\PC{1,12}", password in any::<String>()) {
            let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            let text = format!("mysql://{}:{}@h:3306/x", encoded(&user), encoded(&password));
            let (read_user, read_password, rest) = parts(&text);
            prop_assert_eq!(read_user, Some(user));
            prop_assert_eq!(read_password.unwrap_or_default(), password.clone());
            prop_assert_eq!(rest, "mysql://h:3306/x");
            let shown = parsed(&text).unwrap().to_string();
            prop_assert!(password.len() < 9 || !shown.contains(&encoded(&password)), "{}", shown);
        }
    }
}
