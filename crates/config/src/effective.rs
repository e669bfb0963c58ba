use clap::{Arg, CommandFactory, parser::ValueSource};
use xmas_cache::RedisUrl;
use xmas_kernel::db::DbUrl;

use crate::{Config, ConfigError, OtlpEndpoint, Variables, arguments::value_name};

/// One setting as it is in force.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Setting {
    pub name: String,
    /// Secrets are redacted; `None` is unset.
    pub value: Option<String>,
    pub is_default: bool,
}

/// All settings in force, in the order of the reference.
pub fn effective(variables: &Variables) -> Result<Vec<Setting>, ConfigError> {
    let command = Config::command();
    let matches = variables.parsed()?;
    let setting = |arg: &Arg| {
        let id = arg.get_id().as_str();
        let raw = matches.get_raw(id).map(|values| {
            let values = values.map(|value| value.to_string_lossy().into_owned());
            values.collect::<Vec<_>>().join(",")
        });
        Setting {
            name: arg.get_long().unwrap_or(id).to_owned(),
            value: raw.map(|raw| redact(arg, raw)),
            is_default: matches.value_source(id) != Some(ValueSource::CommandLine),
        }
    };
    Ok(command.get_arguments().map(setting).collect())
}

fn redact(arg: &Arg, value: String) -> String {
    match value_name(arg).as_deref() {
        Some("SECRET") => format!("[redacted, {} bytes]", value.len()),
        // It is valid by now, and shows itself without its password.
        Some("URL") => shown_url(&value).unwrap_or_else(|| "[redacted]".to_owned()),
        _ => value,
    }
}

fn shown_url(value: &str) -> Option<String> {
    let database = value.parse::<DbUrl>().map(|url| url.to_string());
    let redis = || value.parse::<RedisUrl>().map(|url| url.to_string());
    let otlp = || value.parse::<OtlpEndpoint>().map(|url| url.to_string());
    let others = || redis().ok().or_else(|| otlp().ok());
    database.ok().or_else(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_redacted_and_the_rest_is_told() {
        let variables = Variables::from_pairs(&[
            ("JWT_SECRET", "do-not-print-me"),
            (
                "DATABASE_URL",
                "mysql://user:do-not-print-me@db.example:3306/xmas",
            ),
            ("REDIS_URL", "rediss://:do-not-print-me@redis.example"),
            ("CORS_ORIGINS", "https://a.example,https://b.example"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otlp.example/x"),
            ("SENTRY_DSN", "https://do-not-print-me@sentry.example/42"),
        ])
        .unwrap();
        let settings = effective(&variables).unwrap();
        let value = |name: &str| {
            let setting = settings
                .iter()
                .find(|setting| setting.name == name)
                .unwrap();
            (setting.value.as_deref(), setting.is_default)
        };
        assert_eq!(value("JWT_SECRET"), (Some("[redacted, 15 bytes]"), false));
        let url = "mysql://user:redacted@db.example:3306/xmas";
        assert_eq!(value("DATABASE_URL"), (Some(url), false));
        let url = "rediss://:redacted@redis.example:6379/0";
        assert_eq!(value("REDIS_URL"), (Some(url), false));
        assert_eq!(
            value("CORS_ORIGINS").0,
            Some("https://a.example,https://b.example")
        );
        let url = "https://otlp.example/x";
        assert_eq!(value("OTEL_EXPORTER_OTLP_ENDPOINT").0, Some(url));
        assert_eq!(value("SENTRY_DSN").0, Some("[redacted, 41 bytes]"));
        assert_eq!(value("BIND_ADDR"), (Some("127.0.0.1:8000"), true));
        assert_eq!(value("XMAS_CLOCK"), (None, true));
    }
}
