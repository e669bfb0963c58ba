//! Values of TOML and of JSON as each other.

use serde_json::{Map, Value as Json};
use toml::Value;

/// The same in JSON.
pub(crate) fn json(value: &Value) -> Json {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(flag) => (*flag).into(),
        Value::Datetime(instant) => instant.to_string().into(),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Table(table) => {
            let fields = table
                .iter()
                .map(|(name, value)| (name.clone(), json(value)));
            Json::Object(fields.collect::<Map<_, _>>())
        }
    }
}

/// The same in TOML, which has no null: a field that is null is left out. `None` for what cannot be said in TOML, which is
/// null in a list, and numbers beyond those of TOML.
pub(crate) fn toml(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Integer(number),
            None if number.is_u64() => return None,
            None => Value::Float(number.as_f64()?),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(toml).collect::<Option<_>>()?),
        Json::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let fields = fields.map(|(name, value)| Some((name.clone(), toml(value)?)));
            Value::Table(fields.collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;

    #[test]
    fn what_both_can_say_is_the_same_in_both() {
        let value = value!({"a": [1, 2.5, true, "가"], "b": {"c": null, "d": {}}});
        let there = toml(&value).unwrap();
        assert_eq!(
            json(&there),
            value!({"a": [1, 2.5, true, "가"], "b": {"d": {}}})
        );
        assert_eq!(toml(&json(&there)), Some(there));
        assert_eq!(toml(&value!([null])), None);
        assert_eq!(toml(&value!(u64::MAX)), None);
    }
}
