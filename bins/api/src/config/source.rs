use std::{collections::BTreeMap, error::Error, ffi::OsString, path::Path};

use clap::{Command, error::ContextKind};

/// The environment, as far as it has been read: name to value.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, String>);

/// Why the configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{}", explain(.0))]
    Value(#[from] clap::Error),
    #[error("{name}_FILE: {path}: {source}")]
    File {
        name: String,
        path: String,
        source: std::io::Error,
    },
    #[error("{0} and {0}_FILE are both set; keep one")]
    Twice(String),
    #[error(".env: {0}")]
    DotEnv(String),
}

/// A parser's error in terms of variables, which it only knows as flags.
fn explain(error: &clap::Error) -> String {
    let text = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let flag = text(ContextKind::InvalidArg);
    let name = flag
        .trim_start_matches("--")
        .split([' ', '='])
        .next()
        .unwrap_or_default();
    let value = text(ContextKind::InvalidValue);
    let allowed = text(ContextKind::ValidValue);
    match error.source() {
        Some(cause) => format!("{name}: {value:?} cannot be used: {cause}"),
        None => format!("{name}: {value:?} cannot be used; it is one of {allowed}"),
    }
}

/// Secrets that may also come from a file named by `…_FILE`.
pub(super) const FROM_FILES: [&str; 4] = [
    "DATABASE_URL",
    "DATA_KEY",
    "JWT_SECRET",
    "JWT_PREVIOUS_SECRET",
];

impl Variables {
    /// The process's environment. Where it does not say `APP_ENV=production`, the file `.env` adds
    /// what is not set.
    pub fn of_process() -> Result<Self, ConfigError> {
        let process = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut variables: BTreeMap<String, String> = process.collect();
        let is_production = variables
            .get("APP_ENV")
            .is_some_and(|env| env == "production");
        if !is_production && Path::new(".env").exists() {
            let broken = |error: dotenvy::Error| ConfigError::DotEnv(error.to_string());
            for variable in dotenvy::from_path_iter(".env").map_err(broken)? {
                let (name, value) = variable.map_err(broken)?;
                variables.entry(name).or_insert(value);
            }
        }
        Self(variables).with_files()
    }

    /// Just these, for tests.
    pub fn from_pairs(pairs: &[(&str, &str)]) -> Result<Self, ConfigError> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(pairs.iter().map(own).collect()).with_files()
    }

    /// Reads the secrets that are given as files. An empty variable counts as unset.
    fn with_files(mut self) -> Result<Self, ConfigError> {
        self.0.retain(|_, value| !value.is_empty());
        for name in FROM_FILES {
            let Some(path) = self.0.remove(&format!("{name}_FILE")) else {
                continue;
            };
            if self.0.contains_key(name) {
                return Err(ConfigError::Twice(name.to_owned()));
            }
            let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::File {
                name: name.to_owned(),
                path,
                source,
            })?;
            self.0.insert(
                name.to_owned(),
                text.trim_end_matches(['\r', '\n']).to_owned(),
            );
        }
        Ok(self)
    }

    /// The variables that the configuration knows, as its parser wants them.
    pub(super) fn arguments(&self, command: &Command) -> Vec<OsString> {
        let known = command.get_arguments().filter_map(clap::Arg::get_long);
        let set = known.filter_map(|name| Some((name, self.0.get(name)?)));
        set.map(|(name, value)| format!("--{name}={value}").into())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_secret_may_come_from_a_file_but_not_from_two_places() {
        let file = std::env::temp_dir().join(format!("xmas-secret-{}", std::process::id()));
        std::fs::write(&file, "from a file\n").unwrap();
        let path = file.to_str().unwrap();
        let variables = Variables::from_pairs(&[("JWT_SECRET_FILE", path)]).unwrap();
        let config = Config::from_variables(&variables).unwrap();
        assert_eq!(config.auth.jwt_secret.unwrap().expose(), "from a file");

        let both = [("JWT_SECRET_FILE", path), ("JWT_SECRET", "here")];
        assert!(matches!(
            Variables::from_pairs(&both),
            Err(ConfigError::Twice(_))
        ));
        std::fs::remove_file(&file).unwrap();
        let missing = Variables::from_pairs(&[("JWT_SECRET_FILE", path)]);
        assert!(matches!(missing, Err(ConfigError::File { .. })));
    }
}
