use serde_json::Value;
use xmas_kernel::{
    Feature, Problem, Problems, is_within,
    text::{self, Kept},
    unknown_name,
};
use xmas_texts::{feature as texts, field, quoted};

use crate::{FeatureConfig, FeatureEdit, FeatureError, FeatureRow, FeatureSettings};

/// Whether a feature lets a request in. `scheduled` lists today's features if the QA gate is on.
pub(crate) fn admit(
    row: Option<&FeatureRow>,
    scheduled: Option<&[Feature]>,
) -> Result<FeatureSettings, FeatureError> {
    let row = row.ok_or(FeatureError::NotToday)?;
    if !row.is_enabled {
        return Err(FeatureError::Disabled);
    }
    match scheduled {
        Some(today) if !today.contains(&row.feature) => Err(FeatureError::NotToday),
        _ => Ok(row.settings),
    }
}

/// A feature after an edit.
pub(crate) fn edited(before: &FeatureConfig, edit: &FeatureEdit) -> FeatureConfig {
    let edit = edit.clone();
    FeatureConfig {
        feature: before.feature,
        title: text::edited(
            edit.title.as_ref().unwrap_or(&before.title),
            Some(&before.title),
        ),
        page_path: edit.page_path.unwrap_or_else(|| before.page_path.clone()),
        is_enabled: edit.is_enabled.unwrap_or(before.is_enabled),
        config_json: edit
            .config_json
            .unwrap_or_else(|| before.config_json.clone()),
    }
}

/// The longest `page_path`, in characters.
const MAX_PATH: usize = 191;
/// The longest `config_json`, as text.
const MAX_CONFIG_BYTES: usize = 16 * 1024;
/// The most XP that a play may bring.
const MAX_XP_PER_PLAY: u32 = 1_000_000;

/// Says which of the settings are of another type than they must be.
fn expect_types(config_json: &Value, problems: &mut Problems) {
    let fits = |name: &str, fits: fn(&Value) -> bool| config_json.get(name).is_none_or(fits);
    let is_count = |value: &Value| {
        value
            .as_u64()
            .is_some_and(|count| u32::try_from(count).is_ok())
    };
    problems.expect(
        fits("xp_per_play", is_count),
        "config_json.xp_per_play",
        field::kind_whole_number(),
    );
    problems.expect(
        fits("stamp_on_play", Value::is_boolean),
        "config_json.stamp_on_play",
        field::kind_boolean(),
    );
}

/// What is wrong with a feature that is to be saved; `kept` is the title that it has.
pub fn check_feature(config: &FeatureConfig, kept: &Kept<'_>) -> Vec<Problem> {
    let mut problems = Problems::default();
    kept.expect_label(&config.title, "title", &mut problems);
    let path = &config.page_path;
    let is_path = path.starts_with('/') && !path.starts_with("//") && path.len() <= MAX_PATH;
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic());
    problems.expect(
        is_path && is_plain,
        "page_path",
        texts::page_path(MAX_PATH, quoted(path)),
    );
    // Clients may keep what they like here, but nothing that was meant to be one of ours.
    let names = config.config_json.as_object().into_iter().flatten();
    for (name, _) in names {
        let mut known = FeatureSettings::NAMES.into_iter();
        let meant = known.find(|known| is_within(2, name, known));
        if let Some(meant) = meant.filter(|meant| meant != name) {
            let text = unknown_name(field::a_field(), name, &[meant]);
            problems.push(Problem::of_stranger("config_json", name, text));
        }
    }
    let settings = serde_json::from_value::<FeatureSettings>(config.config_json.clone());
    match settings {
        Ok(settings) => problems.expect(
            settings.xp_per_play <= MAX_XP_PER_PLAY,
            "config_json.xp_per_play",
            field::between(0, MAX_XP_PER_PLAY, settings.xp_per_play),
        ),
        Err(_) => expect_types(&config.config_json, &mut problems),
    }
    let fits =
        config.config_json.is_object() && config.config_json.to_string().len() <= MAX_CONFIG_BYTES;
    problems.expect(
        fits,
        "config_json",
        texts::config_json(MAX_CONFIG_BYTES / 1024),
    );
    problems.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(is_enabled: bool) -> FeatureRow {
        FeatureRow {
            feature: Feature::Roulette,
            title: "룰렛".to_owned(),
            page_path: "/roulette".to_owned(),
            is_enabled,
            settings: FeatureSettings {
                xp_per_play: 5,
                stamp_on_play: false,
            },
        }
    }

    fn config() -> FeatureConfig {
        FeatureConfig {
            feature: Feature::Dice,
            title: "주사위".to_owned(),
            page_path: "/dice".to_owned(),
            is_enabled: true,
            config_json: serde_json::json!({}),
        }
    }

    fn told(config: &FeatureConfig) -> Vec<String> {
        let problems = check_feature(config, &Kept::default()).into_iter();
        problems.map(|problem| problem.field).collect()
    }

    #[test]
    fn what_an_edit_leaves_out_stays() {
        let before = config();
        assert_eq!(edited(&before, &FeatureEdit::default()), before);
        let edit = FeatureEdit {
            title: Some("Dice".to_owned()),
            page_path: Some("/play/dice".to_owned()),
            is_enabled: Some(false),
            config_json: Some(serde_json::json!({ "xp_per_play": 5 })),
            ..FeatureEdit::default()
        };
        let after = FeatureConfig {
            feature: Feature::Dice,
            title: "Dice".to_owned(),
            page_path: "/play/dice".to_owned(),
            is_enabled: false,
            config_json: serde_json::json!({ "xp_per_play": 5 }),
        };
        assert_eq!(edited(&before, &edit), after);
    }

    #[test]
    fn a_title_is_a_label_unless_it_stands_already() {
        let blank = FeatureConfig {
            title: " ".to_owned(),
            ..config()
        };
        assert_eq!(told(&blank), ["title"]);
        let kept = [" "].into_iter().collect();
        assert_eq!(check_feature(&blank, &kept), []);
    }

    #[test]
    fn a_page_is_a_plain_path_of_the_client() {
        for (path, fits) in [
            ("/", true),
            ("/roulette?from=home#top", true),
            (&format!("/{}", "a".repeat(190)), true),
            (&format!("/{}", "a".repeat(191)), false),
            ("", false),
            ("roulette", false),
            ("//evil.example", false),
            ("https://evil.example", false),
            ("/a b", false),
            ("/룰렛", false),
            ("/a\n", false),
        ] {
            let config = FeatureConfig {
                page_path: path.to_owned(),
                ..config()
            };
            let expected: &[&str] = if fits { &[] } else { &["page_path"] };
            assert_eq!(told(&config), expected, "{path:?}");
        }
    }

    #[test]
    fn the_settings_are_an_object_of_up_to_16_kib_with_bounded_numbers() {
        let with = |config_json| FeatureConfig {
            config_json,
            ..config()
        };
        let xp = |xp: i64| with(serde_json::json!({ "xp_per_play": xp }));
        assert_eq!(told(&xp(0)), [""; 0]);
        assert_eq!(told(&xp(1_000_000)), [""; 0]);
        assert_eq!(told(&xp(1_000_001)), ["config_json.xp_per_play"]);
        assert_eq!(told(&xp(-1)), ["config_json.xp_per_play"]);
        for odd in [
            serde_json::json!([]),
            serde_json::json!("x"),
            serde_json::json!(null),
        ] {
            let told = told(&with(odd.clone()));
            assert!(told.contains(&"config_json".to_owned()), "{odd}: {told:?}");
        }
        // {"k":"…"} has 8 bytes around the text.
        let long = |bytes: usize| with(serde_json::json!({ "k": "x".repeat(bytes - 8) }));
        assert_eq!(told(&long(16_384)), [""; 0]);
        assert_eq!(told(&long(16_385)), ["config_json"]);
    }

    #[test]
    fn a_switched_off_feature_says_so_and_a_missing_one_does_not_run() {
        assert!(admit(Some(&row(true)), None).is_ok());
        assert!(matches!(
            admit(Some(&row(false)), None),
            Err(FeatureError::Disabled)
        ));
        assert!(matches!(admit(None, None), Err(FeatureError::NotToday)));
    }

    #[test]
    fn a_setting_that_is_misspelt_is_no_field_of_the_clients() {
        let told = |config_json| {
            let config = FeatureConfig {
                feature: Feature::Dice,
                title: "주사위".to_owned(),
                page_path: "/dice".to_owned(),
                is_enabled: true,
                config_json,
            };
            let problems = check_feature(&config, &Kept::default()).into_iter();
            problems.map(|problem| problem.field).collect::<Vec<_>>()
        };
        let free = serde_json::json!({ "xp_per_play": 5, "theme": "snow" });
        assert_eq!(told(free), Vec::<String>::new());
        let misspelt = serde_json::json!({ "xp_per_paly": 5, "stamp-on-play": true });
        let expected = ["config_json.stamp-on-play", "config_json.xp_per_paly"];
        assert_eq!(told(misspelt), expected);
    }

    #[test]
    fn behind_the_gate_only_scheduled_features_run() {
        assert!(admit(Some(&row(true)), Some(&[Feature::Dice, Feature::Roulette])).is_ok());
        assert!(matches!(
            admit(Some(&row(true)), Some(&[Feature::Dice])),
            Err(FeatureError::NotToday)
        ));
        assert!(matches!(
            admit(Some(&row(false)), Some(&[])),
            Err(FeatureError::Disabled)
        ));
    }
}
