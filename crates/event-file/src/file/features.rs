use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xmas_kernel::Feature;

use super::usual::{is_no, is_zero, yes};

/// The features, by their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "이름으로 구분한 기능입니다."))]
pub struct FeatureSections {
    /// The season pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "시즌 패스입니다."))]
    pub season_pass: Option<FeatureSection>,
    /// The wheel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "룰렛입니다."))]
    pub roulette: Option<FeatureSection>,
    /// The dice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "주사위입니다."))]
    pub dice: Option<FeatureSection>,
    /// The lottery.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "복권입니다."))]
    pub lottery: Option<FeatureSection>,
    /// The ranking.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "랭킹입니다."))]
    pub ranking: Option<FeatureSection>,
}

/// A feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "기능입니다."))]
pub struct FeatureSection {
    /// What clients call it.
    #[schemars(extend("x-ko" = "클라이언트에 보이는 이름입니다."))]
    pub title: String,
    /// Where clients have it, such as `/roulette`.
    #[schemars(extend("x-ko" = "`/roulette` 같은 클라이언트 경로입니다."))]
    pub page_path: String,
    /// The kill switch: whether it runs.
    #[serde(default = "yes")]
    #[schemars(extend("x-ko" = "킬 스위치입니다. 기능을 켤지입니다."))]
    pub is_enabled: bool,
    /// Season XP that each play gives besides its prize.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0, "x-ko" = "플레이마다 경품과 별도로 주는 시즌 XP입니다."))]
    pub xp_per_play: i64,
    /// Whether the day's first play also collects the daily stamp.
    #[serde(default, skip_serializing_if = "is_no")]
    #[schemars(extend("default" = false, "x-ko" = "그날의 첫 플레이가 도장도 찍을지입니다."))]
    pub stamp_on_play: bool,
    /// Whatever clients keep beside the settings.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    #[schemars(extend("x-ko" = "클라이언트가 설정과 함께 두는 값입니다."))]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub client: toml::Table,
}

impl FeatureSections {
    pub(crate) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Those that are there.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Feature, &FeatureSection)> {
        let all = Feature::ALL.into_iter();
        all.filter_map(|feature| Some((feature, self.get(feature)?)))
    }

    fn get(&self, feature: Feature) -> Option<&FeatureSection> {
        match feature {
            Feature::SeasonPass => self.season_pass.as_ref(),
            Feature::Roulette => self.roulette.as_ref(),
            Feature::Dice => self.dice.as_ref(),
            Feature::Lottery => self.lottery.as_ref(),
            Feature::Ranking => self.ranking.as_ref(),
        }
    }

    /// Leaves out all others.
    pub(crate) fn keep(&mut self, features: &[Feature]) {
        for feature in Feature::ALL {
            if !features.contains(&feature) {
                *self.place(feature) = None;
            }
        }
    }

    fn place(&mut self, feature: Feature) -> &mut Option<FeatureSection> {
        match feature {
            Feature::SeasonPass => &mut self.season_pass,
            Feature::Roulette => &mut self.roulette,
            Feature::Dice => &mut self.dice,
            Feature::Lottery => &mut self.lottery,
            Feature::Ranking => &mut self.ranking,
        }
    }

    pub(crate) fn put(&mut self, feature: Feature, section: FeatureSection) {
        *self.place(feature) = Some(section);
    }
}

/// Where a feature stands in a file.
pub(crate) fn key(feature: Feature) -> String {
    feature.as_str().to_ascii_lowercase()
}
