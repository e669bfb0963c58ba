use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xmas_rewards::RewardType;

use super::usual::is_no;

/// A promise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RewardFields {
    /// What is promised.
    #[schemars(extend("x-ko" = "약속하는 것의 종류입니다.", "enum" = RewardType::ALL.map(RewardType::as_str)))]
    pub reward_type: String,
    /// How much of it; left out of `NONE`, `BUNDLE` and `COUPON`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "수량입니다. `NONE`, `BUNDLE`, `COUPON`에는 적지 않습니다."))]
    pub reward_amount: Option<i64>,
    /// The name of the bundle or the kind of coupon; of `BUNDLE` and `COUPON` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "묶음이나 쿠폰 종류의 이름입니다. `BUNDLE`과 `COUPON`에만 적습니다."))]
    pub reward_item: Option<String>,
}

/// Points and tokens under one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "포인트와 토큰을 하나로 묶은 것입니다."))]
pub struct BundleSection {
    /// What levels and prizes name it by.
    #[schemars(extend("x-ko" = "레벨과 경품이 가리키는 이름입니다."))]
    pub name: String,
    /// What lies in it.
    #[schemars(extend("x-ko" = "묶음에 든 것입니다."))]
    pub items: Vec<ItemSection>,
}

/// One thing in a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "묶음에 든 항목입니다."))]
pub struct ItemSection {
    /// Points or a token.
    #[schemars(extend("x-ko" = "포인트나 토큰의 종류입니다.", "enum" = contents()))]
    pub reward_type: String,
    /// How many, at least 1.
    #[schemars(extend("x-ko" = "1 이상의 수량입니다."))]
    pub reward_amount: i64,
}

/// A kind of coupon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "쿠폰 종류입니다."))]
pub struct CouponSection {
    /// What levels and prizes name it by.
    #[schemars(extend("x-ko" = "레벨과 경품이 가리키는 이름입니다."))]
    pub name: String,
    /// Whether an admin looks at every coupon of this kind before it is delivered.
    #[serde(default, skip_serializing_if = "is_no")]
    #[schemars(extend("default" = false, "x-ko" = "이 종류의 쿠폰을 모두 운영자가 확인한 뒤에 지급할지입니다."))]
    pub is_manual: bool,
    /// Whether codes that differ in case only are the same code.
    #[serde(default, skip_serializing_if = "is_no")]
    #[schemars(extend("default" = false, "x-ko" = "대소문자만 다른 코드를 같은 코드로 볼지입니다."))]
    pub ignores_case: bool,
}

fn contents() -> Vec<&'static str> {
    let contents = RewardType::ALL.into_iter();
    let contents = contents.filter(|kind| kind.asset().is_some());
    contents.map(RewardType::as_str).collect()
}
