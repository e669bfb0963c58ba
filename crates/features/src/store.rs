use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder,
};
use xmas_kernel::{
    Feature,
    db::{DbError, Timestamp},
};
use xmas_time::EventDay;

use crate::{
    FeatureConfig, FeatureRow, Scheduled, ScheduledFeature, UiConfig,
    entity::{app_ui_config, feature_config, feature_schedule},
};

/// Every configured feature. Rows of features that this binary does not know are left out, and so
/// are rows whose settings cannot be read: one slip must not stop the others.
pub(crate) async fn features(conn: &impl ConnectionTrait) -> Result<Vec<FeatureRow>, DbError> {
    let rows = feature_config::Entity::find().all(conn).await?;
    let features = rows.into_iter().filter_map(|row| {
        let feature = row.feature_type.parse().ok()?;
        feature_row(feature, row)
    });
    Ok(features.collect())
}

/// Every configured feature that this binary knows, in the order of their names.
pub(crate) async fn configs(conn: &impl ConnectionTrait) -> Result<Vec<FeatureConfig>, DbError> {
    let rows = feature_config::Entity::find()
        .order_by_asc(feature_config::Column::FeatureType)
        .all(conn)
        .await?;
    Ok(rows.into_iter().filter_map(config_of).collect())
}

pub(crate) async fn config(
    conn: &impl ConnectionTrait,
    feature: Feature,
) -> Result<Option<FeatureConfig>, DbError> {
    let row = feature_config::Entity::find_by_id(feature.as_str().to_owned())
        .one(conn)
        .await?;
    Ok(row.and_then(config_of))
}

fn config_of(row: feature_config::Model) -> Option<FeatureConfig> {
    Some(FeatureConfig {
        feature: row.feature_type.parse().ok()?,
        title: row.title,
        page_path: row.page_path,
        is_enabled: row.is_enabled,
        // Shown as text, so that an operator can mend it.
        config_json: serde_json::from_str(&row.config_json)
            .unwrap_or(serde_json::Value::String(row.config_json)),
    })
}

pub(crate) async fn update(
    tx: &DatabaseTransaction,
    config: &FeatureConfig,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    feature_config::Entity::update_many()
        .set(feature_config::ActiveModel {
            title: Set(config.title.clone()),
            page_path: Set(config.page_path.clone()),
            is_enabled: Set(config.is_enabled),
            config_json: Set(config.config_json.to_string()),
            updated_at: Set(Timestamp(now)),
            ..Default::default()
        })
        .filter(feature_config::Column::FeatureType.eq(config.feature.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

fn feature_row(feature: Feature, row: feature_config::Model) -> Option<FeatureRow> {
    let settings = match serde_json::from_str(&row.config_json) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!(%feature, %error, "the config_json of {feature} is broken, so it does not run");
            return None;
        }
    };
    Some(FeatureRow {
        feature,
        title: row.title,
        page_path: row.page_path,
        is_enabled: row.is_enabled,
        settings,
    })
}

/// The features that the QA gate lets in on `day`.
pub(crate) async fn scheduled(
    conn: &impl ConnectionTrait,
    day: EventDay,
) -> Result<Vec<Feature>, DbError> {
    let rows = feature_schedule::Entity::find()
        .filter(feature_schedule::Column::EventDay.eq(day.date()))
        .filter(feature_schedule::Column::IsActive.eq(true))
        .all(conn)
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| row.feature_type.parse().ok())
        .collect())
}

/// What is scheduled from `first` to `last`, in the order of days and names. Features that this binary
/// does not know are left out.
pub(crate) async fn schedule(
    conn: &impl ConnectionTrait,
    first: EventDay,
    last: EventDay,
) -> Result<Vec<Scheduled>, DbError> {
    use feature_schedule::{Column, Entity};
    let rows = Entity::find()
        .filter(Column::EventDay.between(first.date(), last.date()))
        .order_by_asc(Column::EventDay)
        .order_by_asc(Column::FeatureType)
        .all(conn)
        .await?;
    let mut days: Vec<Scheduled> = Vec::new();
    for row in rows {
        let Ok(feature) = row.feature_type.parse() else {
            continue;
        };
        let day = EventDay::from(row.event_day);
        if days.last().is_none_or(|last| last.day != day) {
            let features = Vec::new();
            days.push(Scheduled { day, features });
        }
        if let Some(last) = days.last_mut() {
            let is_active = row.is_active;
            last.features.push(ScheduledFeature { feature, is_active });
        }
    }
    Ok(days)
}

pub(crate) async fn replace_schedule(
    tx: &DatabaseTransaction,
    day: EventDay,
    features: &[ScheduledFeature],
) -> Result<(), DbError> {
    use feature_schedule::{ActiveModel, Column, Entity};
    Entity::delete_many()
        .filter(Column::EventDay.eq(day.date()))
        .exec(tx)
        .await?;
    if features.is_empty() {
        return Ok(());
    }
    let rows = features.iter().map(|scheduled| ActiveModel {
        event_day: Set(day.date()),
        feature_type: Set(scheduled.feature.as_str().to_owned()),
        is_active: Set(scheduled.is_active),
    });
    Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

/// Everything that clients are told to show, by its key.
pub(crate) async fn all_ui(
    conn: &impl ConnectionTrait,
) -> Result<BTreeMap<String, serde_json::Value>, DbError> {
    let rows = app_ui_config::Entity::find().all(conn).await?;
    let rows = rows.into_iter().map(|row| {
        let value = serde_json::from_str(&row.value_json);
        let corrupt = |error| DbError::Corrupt(format!("ui-config {}: {error}", row.config_key));
        Ok((row.config_key.clone(), value.map_err(corrupt)?))
    });
    rows.collect()
}

/// What clients are told to show under a key.
pub(crate) async fn ui(
    conn: &impl ConnectionTrait,
    key: &str,
) -> Result<Option<UiConfig>, DbError> {
    let row = app_ui_config::Entity::find_by_id(key.to_owned())
        .one(conn)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let value = serde_json::from_str(&row.value_json);
    Ok(Some(UiConfig {
        value: value.map_err(|error| DbError::Corrupt(format!("ui-config {key}: {error}")))?,
        updated_at: row.updated_at.0,
    }))
}

pub(crate) async fn save_ui(
    tx: &DatabaseTransaction,
    key: &str,
    value: &serde_json::Value,
    is_new: bool,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    use app_ui_config::{ActiveModel, Column, Entity};
    let row = ActiveModel {
        config_key: Set(key.to_owned()),
        value_json: Set(value.to_string()),
        updated_at: Set(Timestamp(now)),
    };
    if is_new {
        Entity::insert(row).exec_without_returning(tx).await?;
        return Ok(());
    }
    Entity::update_many()
        .set(row)
        .filter(Column::ConfigKey.eq(key))
        .exec(tx)
        .await?;
    Ok(())
}

pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    row: &FeatureRow,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let config_json = serde_json::to_value(row.settings)
        .map_err(|error| DbError::Corrupt(format!("feature settings: {error}")))?;
    let config = FeatureConfig {
        feature: row.feature,
        title: row.title.clone(),
        page_path: row.page_path.clone(),
        is_enabled: row.is_enabled,
        config_json,
    };
    insert_config(tx, &config, now).await
}

pub(crate) async fn insert_config(
    tx: &DatabaseTransaction,
    config: &FeatureConfig,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    feature_config::Entity::insert(feature_config::ActiveModel {
        feature_type: Set(config.feature.as_str().to_owned()),
        title: Set(config.title.clone()),
        page_path: Set(config.page_path.clone()),
        is_enabled: Set(config.is_enabled),
        config_json: Set(config.config_json.to_string()),
        created_at: Set(Timestamp(now)),
        updated_at: Set(Timestamp(now)),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(())
}

/// Throws a switch; says whether the feature has a row at all.
pub(crate) async fn set_enabled(
    tx: &DatabaseTransaction,
    feature: Feature,
    enabled: bool,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    use feature_config::Column;
    let updated = feature_config::Entity::update_many()
        .col_expr(Column::IsEnabled, enabled.into())
        .col_expr(Column::UpdatedAt, Timestamp(now).into())
        .filter(Column::FeatureType.eq(feature.as_str()))
        .exec(tx)
        .await?;
    Ok(updated.rows_affected > 0)
}
