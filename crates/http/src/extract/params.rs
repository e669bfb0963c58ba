use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev, web};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use url::form_urlencoded;
use validator::{Validate, ValidationError};
use xmas_kernel::MAX_NUMBER;
use xmas_texts::{Text, body, field, quoted};

use crate::{
    error::{ApiError, ApiResult},
    extract::{command::invalid, json::said_by_parser},
};

/// A query string that has been parsed and validated. Which parameters there are
/// is asked before ([`crate::middleware::contract`]): a handler may read them as several groups.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + Validate> Params<T> {
    fn parse(query: &str) -> Result<Self, ApiError> {
        check_characters(query)?;
        let parsed = web::Query::<Traced<T>>::from_query(query)
            .map_err(|_| ApiError::field("query", body::not_a_query()))?;
        let Traced(parameters) = parsed.into_inner();
        let parameters = parameters.map_err(|(parameter, text)| {
            // The parser does not say what it was given.
            let text = match value_of(query, &parameter) {
                Some(value) if text == field::kind_whole_number() => match value.parse::<i128>() {
                    Ok(number) if number < 0 => field::at_least(0, value),
                    _ => field::whole_number(quoted(&value)),
                },
                _ => text,
            };
            ApiError::field(parameter, text)
        })?;
        parameters
            .validate()
            .map_err(|errors| ApiError::problems(invalid("", &errors)))?;
        Ok(Self(parameters))
    }
}

impl<T: DeserializeOwned + Validate> FromRequest for Params<T> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(Self::parse(request.query_string()).map_err(Into::into))
    }
}

/// A parameter's value; an empty one is as good as none.
pub fn given<T, E: Into<Text>>(
    parameter: &str,
    text: &str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> ApiResult<Option<T>> {
    if text.is_empty() {
        return Ok(None);
    }
    let value = read(text);
    let value = value.map_err(|error| ApiError::field(parameter, error))?;
    Ok(Some(value))
}

/// A validator: whether a number can be the id of a row.
pub fn is_id(id: i64) -> Result<(), ValidationError> {
    if (1..=MAX_NUMBER).contains(&id) {
        return Ok(());
    }
    let mut error = ValidationError::new("range");
    error.add_param("min".into(), &1);
    error.add_param("max".into(), &MAX_NUMBER);
    error.add_param("value".into(), &id);
    Err(error)
}

/// What is wrong with the values of a query as such. No value has control characters: SQLite takes a NUL for
/// the end of a pattern, which then fits everybody.
fn check_characters(query: &str) -> ApiResult<()> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
        .map_err(|_| ApiError::field("query", body::not_a_query()))?;
    let mut pairs = pairs.iter();
    match pairs.find(|(_, value)| value.chars().any(char::is_control)) {
        Some((name, _)) => Err(ApiError::field(name, field::control_characters())),
        None => Ok(()),
    }
}

fn value_of(query: &str, parameter: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(name, _)| name == parameter);
    found.map(|(_, value)| value.into_owned())
}

/// Parameters, or which of them is wrong and why. The parser's own error does not say which.
struct Traced<T>(Result<T, (String, Text)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Traced<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parsed = serde_path_to_error::deserialize(deserializer);
        Ok(Self(parsed.map_err(|error| {
            let path = error.path().to_string();
            let parameter = if path == "." { "query" } else { &path };
            (
                parameter.to_owned(),
                said_by_parser(&error.inner().to_string()),
            )
        })))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use xmas_texts::Language;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    struct Parameters {
        #[serde(default)]
        #[validate(range(max = 9))]
        top: u64,
        kind: Option<String>,
    }

    fn problems(query: &str) -> Value {
        let refused = Params::<Parameters>::parse(query).unwrap_err();
        let body = serde_json::to_value(refused.body("", Language::English)).unwrap();
        body["error"]["details"].clone()
    }

    #[test]
    fn known_parameters_are_read_and_others_are_ignored() {
        let Params(parameters) = Params::<Parameters>::parse("x=1&top=9&kind=%EB%82%98&x").unwrap();
        assert_eq!(parameters.top, 9);
        assert_eq!(parameters.kind.as_deref(), Some("나"));
        let Params(parameters) = Params::<Parameters>::parse("").unwrap();
        assert_eq!((parameters.top, parameters.kind), (0, None));
    }

    #[test]
    fn control_characters_are_refused_wherever_they_stand() {
        for hidden in ["%00", "%0A", "%7F", "%C2%9F", "a%00b", "+%09"] {
            let told = json!({ "kind": ["kind must have no control characters."] });
            assert_eq!(problems(&format!("kind={hidden}")), told, "{hidden}");
        }
        assert!(Params::<Parameters>::parse("kind=%ED%95%9C+%F0%9F%8E%84").is_ok());
    }

    #[test]
    fn the_wrong_parameter_is_named() {
        for query in ["top=ten", "top=", "top=-1", "top=1.5", "kind=a&top=%00"] {
            let problems = problems(query);
            assert!(problems["top"].is_array(), "{query}: {problems}");
        }
        assert_eq!(
            problems("top=10"),
            json!({ "top": ["top must be at most 9; got 10."] })
        );
        assert!(problems("top=1&top=2")["query"].is_array());
    }

    proptest! {
        #[test]
        fn any_query_is_read_in_its_bounds_or_refused_by_its_parameter(
            query in prop_oneof![any::<String>(), "(top|kind|x)=([0-9a-z]|%[0-9A-F]{2}|[+&=%]){0,12}"],
        ) {
            match Params::<Parameters>::parse(&query) {
                Ok(Params(read)) => {
                    prop_assert!(read.top <= 9);
                    prop_assert!(!read.kind.unwrap_or_default().chars().any(char::is_control));
                }
                Err(refused) => {
                    prop_assert_eq!(refused.code(), xmas_kernel::ErrorCode::ValidationError);
                    let body = serde_json::to_value(refused.body("", Language::English)).unwrap();
                    prop_assert!(!body["error"]["details"].as_object().unwrap().is_empty());
                }
            }
        }
    }
}
