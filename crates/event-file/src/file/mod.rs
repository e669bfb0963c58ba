//! What stands in a file. The names of fields are those of the admin API, but for two: `reward_item` is a name here, and
//! `stock_total` counts what was won as well, so that a file says the same before and after plays.

mod bridge;
mod features;
mod games;
mod rewards;
mod season;
mod usual;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bridge::{BridgeSection, DaySection};
pub(crate) use features::key as feature_key;
pub use features::{FeatureSection, FeatureSections};
pub use games::{
    DiceSection, LotterySection, OutcomeSection, PrizeSection, RouletteSection, SegmentSection,
};
pub use rewards::{BundleSection, CouponSection, ItemSection, RewardFields};
pub use season::{LevelSection, SeasonSection};

/// The event. A section that a file leaves out stays in the database as it is. A section that is there is meant whole: a field that it
/// leaves out is what that field usually is, and not what it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-ko" = "이벤트입니다. 파일에 없는 섹션은 데이터베이스에 있는 그대로 남습니다. 파일에 있는 섹션은 전체를 뜻하므로, 적지 않은 필드는 이전 값이 아니라 기본값이 됩니다."))]
pub struct EventFile {
    /// The season pass, known by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "시즌 패스입니다. 이름으로 구분합니다."))]
    pub season: Option<SeasonSection>,
    /// The daily keys of the season of this file, and when they are paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "이 파일의 시즌에서 매일 얻는 열쇠와 그 정산일입니다."))]
    pub bridge: Option<BridgeSection>,
    /// The wheel that is played, known by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "플레이되는 룰렛입니다. 이름으로 구분합니다."))]
    pub roulette: Option<RouletteSection>,
    /// The dice that are played, known by their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "플레이되는 주사위입니다. 이름으로 구분합니다."))]
    pub dice: Option<DiceSection>,
    /// The lottery that is played, known by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "플레이되는 복권입니다. 이름으로 구분합니다."))]
    pub lottery: Option<LotterySection>,
    /// The bundles that levels and prizes of this file promise. One that is there is never changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-ko" = "이 파일의 레벨과 경품이 약속하는 묶음입니다. 이미 있는 묶음은 바뀌지 않습니다."))]
    pub bundles: Vec<BundleSection>,
    /// The kinds of coupons that levels and prizes of this file promise. Their codes are never in a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-ko" = "이 파일의 레벨과 경품이 약속하는 쿠폰 종류입니다. 쿠폰 코드는 파일에 두지 않습니다."))]
    pub coupons: Vec<CouponSection>,
    /// The switches of the features, and their settings.
    #[serde(default, skip_serializing_if = "FeatureSections::is_empty")]
    #[schemars(extend("x-ko" = "기능의 스위치와 설정입니다."))]
    pub features: FeatureSections,
    /// What clients show, by its key in `/api/ui-config/{key}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-ko" = "클라이언트가 보여 주는 문구입니다. `/api/ui-config/{key}`의 키로 구분합니다."))]
    #[schemars(with = "BTreeMap<String, serde_json::Map<String, serde_json::Value>>")]
    pub texts: BTreeMap<String, toml::Table>,
}
