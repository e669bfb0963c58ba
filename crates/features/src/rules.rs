use xmas_kernel::Feature;

use crate::{FeatureError, FeatureRow, FeatureSettings};

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
