use std::{
    collections::BTreeMap,
    error::Error,
    ffi::{OsStr, OsString},
    fs::File,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use clap::{ArgMatches, CommandFactory, error::ContextKind};
use xmas_kernel::Problem;
use xmas_texts::{Param, Text, field, quoted, setting};

use crate::{
    Config,
    arguments::value_name,
    dot_env::{self, Line, Malformed},
};

/// The environment, as far as it has been read.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// Name to value.
    values: BTreeMap<String, String>,
    files: Vec<SecretFile>,
}

/// The file that a secret was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile {
    /// The secret's variable, without `_FILE`.
    pub name: String,
    /// Its permission bits.
    pub mode: u32,
}

/// Why the configuration cannot be read: which variable or file, and what is wrong with it. Nothing quotes a secret, nor a
/// parser that was given one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub Problem);

impl ConfigError {
    fn new(place: impl Into<String>, text: Text) -> Self {
        Self(Problem::new(place, text))
    }
}

impl From<clap::Error> for ConfigError {
    /// A parser's error in terms of variables, which it only knows as flags.
    fn from(error: clap::Error) -> Self {
        let text = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
        let flag = text(ContextKind::InvalidArg);
        let name = flag
            .trim_start_matches("--")
            .split([' ', '='])
            .next()
            .unwrap_or_default();
        let value = text(ContextKind::InvalidValue);
        let got = if is_secret(name) {
            Param::from("…")
        } else {
            quoted(&value)
        };
        let said = match error.source() {
            // One of ours, by a parser of ours.
            Some(cause) if cause.is::<Text>() => cause.downcast_ref::<Text>().cloned(),
            Some(cause) => Some(of_number(name, &cause.to_string(), got)),
            None => {
                let allowed = text(ContextKind::ValidValue);
                let allowed: Vec<String> = allowed.split(", ").map(str::to_owned).collect();
                Some(field::one_of(allowed, got))
            }
        };
        Self::new(name, said.unwrap_or_else(field::kind_other))
    }
}

/// What the parser of numbers says, in our words.
fn of_number(name: &str, parser: &str, got: Param) -> Text {
    if let Some((_, bounds)) = parser.split_once(" is not in ") {
        let (low, high) = bounds.split_once("..").unwrap_or((bounds, ""));
        let low = low.to_owned();
        return match high.trim_start_matches('=') {
            // As good as none.
            "" | "18446744073709551615" | "9223372036854775807" => field::at_least(low, got),
            high => field::between(low, high.to_owned(), got),
        };
    }
    let command = Config::command();
    let mut settings = command.get_arguments();
    let setting = settings.find(|arg| arg.get_long() == Some(name));
    let usual = setting.and_then(|arg| arg.get_default_values().first());
    let usual = usual.map_or("1".to_owned(), |usual| usual.to_string_lossy().into_owned());
    setting::number(usual, got)
}

/// Whether a setting's value may not be shown. What is not known is taken for a secret.
fn is_secret(name: &str) -> bool {
    let command = Config::command();
    let arg = command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name));
    arg.is_none_or(|arg| matches!(value_name(arg).as_deref(), Some("SECRET" | "URL")))
}

/// Secrets that may also come from a file named by `…_FILE`.
pub(super) const FROM_FILES: [&str; 7] = [
    "DATABASE_URL",
    "REDIS_URL",
    "DATA_KEY",
    "DATA_KEY_PREVIOUS",
    "JWT_SECRET",
    "JWT_PREVIOUS_SECRET",
    "SENTRY_DSN",
];

impl Variables {
    /// The process's environment. Where it does not say `APP_ENV=production`, the file `.env` adds
    /// what is not set.
    pub fn of_process() -> Result<Self, ConfigError> {
        let mut variables = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => drop(variables.insert(name, value)),
                // Of what others set for other programs, nothing need be understood.
                Err(_) if is_known(&name) => {
                    return Err(ConfigError::new(name, setting::not_text()));
                }
                Err(_) => {}
            }
        }
        let is_production = variables
            .get("APP_ENV")
            .is_some_and(|env| env == "production");
        if !is_production && Path::new(".env").exists() {
            let file = std::fs::read(".env");
            let file = file.map_err(|error| {
                ConfigError::new(".env", setting::dot_env_unreadable(error.to_string()))
            })?;
            let lines = dot_env::parse(&file).map_err(|Malformed { number, problem }| {
                ConfigError::new(".env", setting::dot_env_line(number.to_string(), problem))
            })?;
            for line in lines {
                let Line { name, value } = line;
                variables.entry(name).or_insert(value);
            }
        }
        Self::of_values(variables)
    }

    /// Just these, for tests.
    pub fn from_pairs(pairs: &[(&str, &str)]) -> Result<Self, ConfigError> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self::of_values(pairs.iter().map(own).collect())
    }

    /// The files that secrets were read from.
    pub(super) fn secret_files(&self) -> &[SecretFile] {
        &self.files
    }

    /// Reads the secrets that are given as files. An empty variable counts as unset.
    fn of_values(mut values: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut files = Vec::new();
        values.retain(|_, value| !value.is_empty());
        for name in FROM_FILES {
            let Some(path) = values.remove(&format!("{name}_FILE")) else {
                continue;
            };
            let name = name.to_owned();
            if values.contains_key(&name) {
                return Err(ConfigError::new(name.clone(), setting::twice(name)));
            }
            let (text, mode) = match read_secret(path.as_ref()) {
                Ok(read) => read,
                Err(text) => return Err(ConfigError::new(format!("{name}_FILE"), text)),
            };
            values.insert(name.clone(), text);
            files.push(SecretFile { name, mode });
        }
        Ok(Self { values, files })
    }

    /// The variables that the configuration knows, through its parser.
    pub(super) fn parsed(&self) -> Result<ArgMatches, ConfigError> {
        let command = Config::command();
        let known = command.get_arguments().filter_map(clap::Arg::get_long);
        let set = known.filter_map(|name| Some((name, self.values.get(name)?)));
        let arguments: Vec<OsString> = set
            .map(|(name, value)| format!("--{name}={value}").into())
            .collect();
        Ok(command.clone().try_get_matches_from(arguments)?)
    }
}

/// Whether a variable is a setting's, or names the file of one.
fn is_known(name: &str) -> bool {
    let command = Config::command();
    let mut known = command.get_arguments().filter_map(clap::Arg::get_long);
    let secret = name.strip_suffix("_FILE");
    known.any(|known| known == name) || secret.is_some_and(|secret| FROM_FILES.contains(&secret))
}

/// The text of a secret's file, without a byte order mark and the line break at its end, and the
/// file's permission bits.
fn read_secret(path: &OsStr) -> Result<(String, u32), Text> {
    let mut bytes = Vec::new();
    let read = |bytes: &mut Vec<u8>| {
        let mut file = File::open(path)?;
        file.read_to_end(bytes)?;
        Ok(file.metadata()?.permissions().mode())
    };
    let mode = read(&mut bytes)
        .map_err(|error: std::io::Error| setting::file_unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| setting::file_not_text())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        return Err(setting::file_blank());
    }
    Ok((text.to_owned(), mode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn a_secret_may_come_from_a_file_but_not_from_two_places() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("secret");
        let path = file.to_str().unwrap();
        let read = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            let variables = Variables::from_pairs(&[("JWT_SECRET_FILE", path)])?;
            let secret = Config::from_variables(&variables)?.auth.jwt_secret;
            Ok::<_, ConfigError>(secret.unwrap().expose().to_owned())
        };
        for (bytes, secret) in [
            ("from a file\n", "from a file"),
            ("\u{feff}from a file\r\n", "from a file"),
            (" kept \n\n", " kept "),
        ] {
            assert_eq!(read(bytes.as_bytes()).unwrap(), secret);
        }
        for blank in ["", "\n", " \r\n", "\u{feff}", "\u{feff} \n"] {
            let error = read(blank.as_bytes()).unwrap_err().to_string();
            let told = "JWT_SECRET_FILE names a file that is empty; write the secret into it.";
            assert_eq!(error, told, "{blank:?}");
        }
        let utf_16: Vec<u8> = "\u{feff}S3cret"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let error = read(&utf_16).unwrap_err().to_string();
        let told = "JWT_SECRET_FILE names a file that is not UTF-8; write the secret as text.";
        assert_eq!(error, told);

        let both = [("JWT_SECRET_FILE", path), ("JWT_SECRET", "here")];
        let twice = Variables::from_pairs(&both).unwrap_err();
        assert_eq!(twice.0.text, setting::twice("JWT_SECRET"));
        // Somebody put the secret where its path belongs.
        let missing = Variables::from_pairs(&[("JWT_SECRET_FILE", "S3cret")]).unwrap_err();
        assert_eq!(missing.0.text.key(), "setting.file_unreadable");
        assert!(!missing.to_string().contains("S3cret"), "{missing}");
    }

    #[test]
    fn a_blank_secret_is_refused_by_its_name() {
        for name in [
            "JWT_SECRET",
            "JWT_PREVIOUS_SECRET",
            "DATA_KEY",
            "DATA_KEY_PREVIOUS",
        ] {
            let variables = Variables::from_pairs(&[(name, " \t")]).unwrap();
            let error = Config::from_variables(&variables).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("{name} must be more than spaces; set a secret or unset it.")
            );
        }
    }
}
