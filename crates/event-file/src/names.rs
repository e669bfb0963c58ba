//! What rewards of a file name.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use xmas_kernel::{Problem, db::DbError, nearest};
use xmas_rewards::{RewardDesk, RewardType};
use xmas_texts::{event_file as texts, field, quoted};

use crate::{EventFile, file::RewardFields};

/// The ids of bundles and kinds of coupons, by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) bundles: HashMap<String, i64>,
    pub(crate) coupons: HashMap<String, i64>,
}

/// A reward of a file with the id of what it names.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) reward_type: String,
    pub(crate) amount: Option<i64>,
    pub(crate) item: Option<i64>,
}

impl Names {
    /// Those of a file alone, with ids of which nobody else knows: where no database is asked.
    pub(crate) fn of_file(file: &EventFile) -> Self {
        let bundles = file.bundles.iter().map(|bundle| &bundle.name);
        let coupons = file.coupons.iter().map(|coupon| &coupon.name);
        Self {
            bundles: bundles.cloned().zip(1..).collect(),
            coupons: coupons.cloned().zip(1..).collect(),
        }
    }

    /// Those of the database.
    pub(crate) async fn load(
        conn: &impl ConnectionTrait,
        file: &EventFile,
    ) -> Result<Self, DbError> {
        let names: Vec<&str> = file.bundles.iter().map(|it| it.name.as_str()).collect();
        let bundles = RewardDesk::bundles_named(conn, &names).await?.into_iter();
        let names: Vec<&str> = file.coupons.iter().map(|it| it.name.as_str()).collect();
        let coupons = RewardDesk::coupon_kinds_named(conn, &names)
            .await?
            .into_iter();
        Ok(Self {
            bundles: bundles.map(|bundle| (bundle.name, bundle.id.0)).collect(),
            coupons: coupons.map(|coupon| (coupon.name, coupon.id.0)).collect(),
        })
    }

    /// A reward whose fields stand below `prefix`, which ends with a dot or is empty. Says if it names nothing that there
    /// is.
    pub(crate) fn reward(
        &self,
        fields: &RewardFields,
        prefix: &str,
        problems: &mut Vec<Problem>,
    ) -> Named {
        let kind = fields.reward_type.parse().ok();
        let known = match kind {
            Some(RewardType::Bundle) => Some(&self.bundles),
            Some(RewardType::Coupon) => Some(&self.coupons),
            _ => None,
        };
        let item = match (&fields.reward_item, known) {
            (Some(name), Some(known)) => {
                let id = known.get(name).copied();
                if id.is_none() {
                    let near = nearest(name, known.keys().map(String::as_str));
                    let text = match near {
                        Some(near) => texts::unknown_value(quoted(name), near.to_owned()),
                        None => texts::unknown_item(quoted(name)),
                    };
                    problems.push(Problem::new(format!("{prefix}reward_item"), text));
                }
                // One that is not there has been told of.
                Some(id.unwrap_or(1))
            }
            // Refused with the reward.
            (Some(_), None) => Some(1),
            (None, _) => None,
        };
        let usual = match kind {
            Some(RewardType::None) => Some(0),
            Some(RewardType::Bundle | RewardType::Coupon) => Some(1),
            _ => None,
        };
        let amount = usual.or(fields.reward_amount);
        let told = match (usual, fields.reward_amount) {
            (Some(_), Some(_)) => Some(texts::no_amount(fields.reward_type.clone())),
            (None, None) => Some(field::required()),
            _ => None,
        };
        if let Some(text) = told {
            problems.push(Problem::new(format!("{prefix}reward_amount"), text));
        }
        Named {
            reward_type: fields.reward_type.clone(),
            amount,
            item,
        }
    }
}
