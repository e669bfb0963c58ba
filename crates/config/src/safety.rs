use ipnet::{IpNet, Ipv6Net};
use xmas_kernel::Problem;
use xmas_texts::{Text, setting};

use crate::{Config, Origin, Secret};

/// The shortest secret that is accepted in production, in bytes: as long as the hash it keys.
const SHORTEST_SECRET: usize = 32;

/// Words by which secrets in examples, tutorials and templates give themselves away.
const KNOWN_DEFAULTS: [&str; 9] = [
    "change",
    "replace",
    "example",
    "default",
    "your-",
    "your_",
    "placeholder",
    "dev-secret",
    "supersecret",
];

/// What must not be in production, each with what to do about it. Empty outside production.
pub fn problems(config: &Config) -> Vec<Problem> {
    if !config.is_production() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let mut note = |name: &str, text| problems.push(Problem::new(name, text));
    for (name, secret) in [
        ("JWT_SECRET", &config.auth.jwt_secret),
        ("DATA_KEY", &config.database.data_key),
    ] {
        match secret {
            None => note(name, setting::secret_unset(name)),
            Some(secret) => weakness(secret)
                .into_iter()
                .for_each(|text| note(name, text)),
        }
    }
    for (name, secret) in [
        ("JWT_PREVIOUS_SECRET", &config.auth.jwt_previous_secret),
        ("DATA_KEY_PREVIOUS", &config.database.data_key_previous),
    ] {
        let weakness = secret.as_ref().and_then(weakness);
        weakness.into_iter().for_each(|text| note(name, text));
    }
    if config.database.data_key_previous.is_some()
        && config.database.data_key_previous == config.database.data_key
    {
        note("DATA_KEY_PREVIOUS", setting::same_previous_key());
    }
    if let (Some(jwt), Some(data)) = (&config.auth.jwt_secret, &config.database.data_key)
        && jwt == data
    {
        note("DATA_KEY", setting::same_as_jwt());
    }
    if config.is_embedded() {
        note("DATABASE_URL", setting::embedded_in_production());
    }
    if config.event.feature_gate_enabled {
        note("FEATURE_GATE_ENABLED", setting::gate_in_production());
    }
    if config.event.clock.is_some() {
        note("XMAS_CLOCK", setting::clock_in_production());
    }
    if config.server.cors_origins.iter().any(Origin::is_wildcard) {
        note("CORS_ORIGINS", setting::every_origin());
    }
    if let Some(network) = too_wide(&config.server.trusted_proxies) {
        note(
            "TRUSTED_PROXIES",
            setting::proxies_too_wide(network.to_string()),
        );
    }
    // Others may read or write it.
    let exposed = config
        .secret_files
        .iter()
        .filter(|file| file.mode & 0o006 != 0);
    for file in exposed {
        note(
            &format!("{}_FILE", file.name),
            setting::file_for_everybody(),
        );
    }
    problems
}

/// A network that these make up together and that no proxies stand in: wider than the widest
/// private one (`10.0.0.0/8`, `fc00::/7`), or than what a provider is given (`/16` of IPv6).
fn too_wide(networks: &[IpNet]) -> Option<IpNet> {
    /// IPv4 addresses as IPv6 writes them.
    const MAPPED: &str = "::ffff:0.0.0.0/96";
    let mapped: Ipv6Net = MAPPED.parse().ok()?;
    let private: Ipv6Net = "fc00::/7".parse().ok()?;
    IpNet::aggregate(&networks.to_vec())
        .into_iter()
        .find(|network| match network {
            IpNet::V4(network) => network.prefix_len() < 8,
            IpNet::V6(network) => {
                network.contains(&mapped) || network.prefix_len() < 16 && !private.contains(network)
            }
        })
}

fn weakness(secret: &Secret) -> Option<Text> {
    let text = secret.expose();
    let lower = text.to_lowercase();
    if KNOWN_DEFAULTS.iter().any(|word| lower.contains(word)) {
        return Some(setting::secret_from_example());
    }
    if text.len() < SHORTEST_SECRET {
        return Some(setting::secret_short(text.len(), SHORTEST_SECRET));
    }
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    (characters.len() < 8).then(setting::secret_monotonous)
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::Variables;

    const GOOD: [(&str, &str); 4] = [
        ("APP_ENV", "production"),
        ("JWT_SECRET", "Zk3vJb0mQx9TtYw5Lr8uHc2nPd6sGf1aEo4iKy7="),
        ("DATA_KEY", "q8RZ1nVw0yTj5GkXe3LbHs7CmUd2PaFo9iJt4Qx6="),
        ("DATABASE_URL", "mysql://xmas:pw@db/xmas"),
    ];

    fn problems_with(changes: &[(&str, &str)]) -> Vec<String> {
        let pairs: Vec<_> = GOOD.iter().chain(changes).copied().collect();
        let variables = Variables::from_pairs(&pairs).unwrap();
        let problems = problems(&Config::from_variables(&variables).unwrap());
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_proper_production_configuration_is_accepted() {
        assert_eq!(problems_with(&[]), Vec::<String>::new());
    }

    #[test]
    fn each_unsafe_setting_is_refused_by_name() {
        for (name, value) in [
            ("JWT_SECRET", ""),
            ("JWT_SECRET", "short"),
            ("JWT_SECRET", "please-change-me-please-change-me-please"),
            ("JWT_SECRET", "abababababababababababababababababababab"),
            ("JWT_PREVIOUS_SECRET", "short"),
            ("DATA_KEY", ""),
            ("DATA_KEY", "short"),
            ("DATA_KEY", "Zk3vJb0mQx9TtYw5Lr8uHc2nPd6sGf1aEo4iKy7="),
            ("DATA_KEY", "please-change-me-please-change-me-please"),
            ("DATA_KEY_PREVIOUS", "short"),
            (
                "DATA_KEY_PREVIOUS",
                "please-change-me-please-change-me-please",
            ),
            (
                "DATA_KEY_PREVIOUS",
                "q8RZ1nVw0yTj5GkXe3LbHs7CmUd2PaFo9iJt4Qx6=",
            ),
            ("DATABASE_URL", ""),
            ("FEATURE_GATE_ENABLED", "true"),
            ("XMAS_CLOCK", "2025-12-26T09:00:00+09:00"),
            ("CORS_ORIGINS", "https://a.example,*"),
            ("TRUSTED_PROXIES", "10.0.0.1,0.0.0.0/0"),
            ("TRUSTED_PROXIES", "::/0"),
            ("TRUSTED_PROXIES", "128.0.0.0/1,0.0.0.0/1"),
            ("TRUSTED_PROXIES", "8000::/1,0::/2,4000::/2"),
            ("TRUSTED_PROXIES", "::ffff:0:0/96"),
            ("TRUSTED_PROXIES", "::ffff:0:0/97,::ffff:128.0.0.0/97"),
            ("TRUSTED_PROXIES", "::/64"),
            ("TRUSTED_PROXIES", "0.0.0.0/2"),
            ("TRUSTED_PROXIES", "2000::/3"),
        ] {
            let problems = problems_with(&[(name, value)]);
            assert_eq!(problems.len(), 1, "{name}={value}: {problems:?}");
            assert!(
                problems[0].starts_with(name),
                "{name}={value}: {problems:?}"
            );
            assert!(
                problems[0].contains(": "),
                "it says what to do: {problems:?}"
            );
        }
    }

    #[test]
    fn networks_of_proxies_are_accepted() {
        let networks = "10.0.0.0/8,192.0.2.7,172.16.0.0/12,fc00::/7,fd00::/8,2001:db8::/32,::1,\
                        ::ffff:10.0.0.0/104,::ffff:192.0.2.8";
        assert_eq!(
            problems_with(&[("TRUSTED_PROXIES", networks)]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_secret_file_is_for_its_owner_and_maybe_a_group() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("previous");
        std::fs::write(&file, GOOD[1].1).unwrap();
        let set = [("JWT_PREVIOUS_SECRET_FILE", file.to_str().unwrap())];
        for (mode, is_refused) in [
            (0o400, false),
            (0o600, false),
            (0o640, false),
            (0o644, true),
            (0o604, true),
            (0o602, true),
        ] {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let problems = problems_with(&set);
            assert_eq!(problems.len(), usize::from(is_refused), "{mode:o}");
            if is_refused {
                assert!(problems[0].starts_with("JWT_PREVIOUS_SECRET_FILE "));
                assert!(problems[0].contains("chmod 600"));
            }
        }
    }

    #[test]
    fn development_is_left_alone() {
        let variables =
            Variables::from_pairs(&[("CORS_ORIGINS", "*"), ("TRUSTED_PROXIES", "::/0")]).unwrap();
        assert!(problems(&Config::from_variables(&variables).unwrap()).is_empty());
    }
}
