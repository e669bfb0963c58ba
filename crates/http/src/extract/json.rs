use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use xmas_kernel::{Problem, unknown_name};
use xmas_texts::{Param, Text, body as texts, field, quoted};
use xmas_time::{Kst, MalformedDay};

use crate::error::{ApiError, ApiResult};

/// How much of a name that nobody knows is sent back.
const LONGEST_NAME: usize = 100;

/// Reads JSON that begins with `opening`. Every type that is read so refuses fields that it does not know
/// (`#[serde(deny_unknown_fields)]`); a test goes through the OpenAPI document for one that does not.
///
/// # Errors
///
/// A `VALIDATION_ERROR` that names the field by its path, such as `prizes.0.weight`.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8], opening: u8, expected: Text) -> ApiResult<T> {
    // The parser would also take an array for a struct, and has its own words for nothing at all.
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&opening) {
        return Err(ApiError::field("body", expected));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let body: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().iter().filter_map(|part| match part {
            // As problems of whole rows name them.
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(shortened(key)),
            Segment::Enum { variant } => Some(variant.clone()),
            Segment::Unknown => None,
        });
        refused(path.collect(), error.inner())
    })?;
    json.end()
        .map_err(|error| ApiError::field("body", unreadable(&error)))?;
    Ok(body)
}

/// What the parser says, in our words.
fn refused(mut path: Vec<String>, error: &serde_json::Error) -> ApiError {
    let parser = error.to_string();
    let text = if !error.is_data() {
        // Wherever it was noticed, all of the body is meant.
        path.clear();
        unreadable(error)
    } else if parser.starts_with("unknown field `") {
        let name = path.pop().unwrap_or_default();
        let text = unknown_name(field::a_field(), &name, &known_names(&parser));
        let problem = Problem::of_stranger(&path.join("."), &name, text);
        return ApiError::problems(vec![problem]);
    } else if let Some(missing) = parser.strip_prefix("missing field `") {
        path.extend(missing.split('`').next().map(str::to_owned));
        field::required()
    } else {
        said_by_parser(&parser)
    };
    let path = path.join(".");
    let field = if path.is_empty() { "body" } else { &path };
    ApiError::field(field, text)
}

/// Where the text stops being JSON.
fn unreadable(error: &serde_json::Error) -> Text {
    match error.is_eof() {
        true => texts::json_cut_off(),
        false => {
            let parser = error.to_string();
            if parser.starts_with("recursion limit exceeded") {
                texts::too_deep(128)
            } else if parser.starts_with("number out of range") {
                texts::number_too_large(error.line().to_string(), error.column().to_string())
            } else {
                texts::not_json(error.line().to_string(), error.column().to_string())
            }
        }
    }
}

/// What a value must be, of which a parser says that it is something else. The parser also says what was sent, which is
/// only repeated where it stands for one of a few names, a day or an instant: elsewhere it may be a secret in the wrong
/// place.
pub(super) fn said_by_parser(parser: &str) -> Text {
    if let Some(rest) = parser.strip_prefix("unknown variant `") {
        let name = rest
            .rsplit_once("`, expected ")
            .map_or("", |(name, _)| name);
        let known = known_names(parser).into_iter().map(str::to_owned);
        return field::one_of(known.collect::<Vec<_>>(), quoted(name));
    }
    let whole_number = [
        "invalid digit",
        "number too large",
        "number too small",
        "cannot parse integer",
    ];
    if whole_number.iter().any(|start| parser.starts_with(start)) {
        return field::kind_whole_number();
    }
    for (says, text) in [
        (MalformedDay::SAYS, field::day as fn(Param) -> Text),
        (Kst::SAYS, field::instant),
    ] {
        if let Some((written, _)) = parser.split_once(says) {
            return text(quoted(written.trim()));
        }
    }
    if parser.starts_with("UUID parsing failed") {
        return field::kind_id();
    }
    if parser.starts_with("provided string was not `true` or `false`") {
        return field::kind_boolean();
    }
    if let Some(text) = wrong_number(parser) {
        return text;
    }
    let expected = parser
        .rsplit_once(", expected ")
        .map_or("", |(_, expected)| expected);
    let expected = expected
        .rsplit_once(" at line ")
        .map_or(expected, |(expected, _)| expected);
    match expected {
        "i64" | "u64" | "i32" | "u32" | "u8" | "usize" => field::kind_whole_number(),
        "f64" => field::kind_number(),
        "a boolean" => field::kind_boolean(),
        "a string" | "string or map" | "a borrowed string" => field::kind_text(),
        "a sequence" => field::kind_list(),
        "a UUID string" | "a formatted UUID string" => field::kind_id(),
        "a map" => field::kind_object(),
        other if other.starts_with("struct ") || other.starts_with("internally tagged") => {
            field::kind_object()
        }
        _ => field::kind_other(),
    }
}

/// What a number is told that is not of the kind that was wanted.
fn wrong_number(parser: &str) -> Option<Text> {
    let (_, written) = parser
        .split_once("integer `")
        .or_else(|| parser.split_once("floating point `"))?;
    let (number, wanted) = written.split_once("`, expected ")?;
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    let wants_number = ["i64", "u64", "i32", "u32", "u8", "usize"]
        .iter()
        .any(|kind| wanted.starts_with(kind));
    if !wants_number || !number.chars().all(is_number) {
        return None;
    }
    let is_below_zero = wanted.starts_with('u') && number.parse::<i128>().is_ok_and(|it| it < 0);
    Some(match is_below_zero {
        true => field::at_least(0, number.to_owned()),
        false => field::whole_number(number.to_owned()),
    })
}

/// The names that the parser would have taken. What was sent stands before them, and may look like them.
fn known_names(parser: &str) -> Vec<&str> {
    let listed = parser.rsplit_once("`, expected ");
    let listed = listed.map_or("", |(_, listed)| listed);
    listed.split('`').skip(1).step_by(2).collect()
}

/// A stranger's name, as much of it as an answer carries.
pub fn shortened(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use xmas_texts::Language;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading is tested")]
    struct Order {
        amount: i64,
        note: Option<String>,
        #[serde(default)]
        prizes: Vec<Prize>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading is tested")]
    struct Prize {
        weight: i64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    fn problems<T: DeserializeOwned + std::fmt::Debug>(body: &str) -> Value {
        let refused = read_json::<T>(body.as_bytes(), b'{', texts::json_object()).unwrap_err();
        let body = serde_json::to_value(refused.body("", Language::English)).unwrap();
        body["error"]["details"].clone()
    }

    #[test]
    fn an_unknown_field_is_named_by_its_path_with_the_nearest_known_name() {
        assert_eq!(
            problems::<Order>(r#"{"ammount": 1}"#),
            json!({ "ammount": [r#""ammount" is not a field here; did you mean "amount"?"#] })
        );
        assert_eq!(
            problems::<Order>(r#"{"amount": 1, "prizes": [{"weight": 1}, {"wieght": 1}]}"#),
            json!({ "prizes.1.wieght": [r#"prize 2: "wieght" is not a field here; did you mean "weight"?"#] })
        );
    }

    #[test]
    fn what_was_sent_of_a_wrong_type_is_not_sent_back() {
        for (body, expected) in [
            (
                r#"{"amount": 1, "note": 918273645}"#,
                "note must be text in quotes.",
            ),
            (
                r#"{"amount": 1, "note": ["S3cret, expected x"]}"#,
                "note must be text in quotes.",
            ),
        ] {
            assert_eq!(problems::<Order>(body), json!({ "note": [expected] }));
        }
        let whole =
            json!({ "amount": ["amount must be a whole number within the bounds of the field."] });
        for amount in [r#""S3cret, expected x""#, "[]", "true"] {
            let body = format!(r#"{{"amount": {amount}}}"#);
            assert_eq!(problems::<Order>(&body), whole, "{amount}");
        }
        // What is a number where one belongs is no secret.
        let told = json!({ "amount": ["amount must be a whole number; got 1.5."] });
        assert_eq!(problems::<Order>(r#"{"amount": 1.5}"#), told);
        let told = problems::<Order>(r#"{"amount": 1e400}"#);
        let told = told["body"][0].as_str().unwrap();
        assert!(told.contains("a number that is too large"), "{told}");
    }

    #[test]
    fn no_body_is_no_object() {
        let text = "the body must be a JSON object: {…}.";
        for body in ["", " \n", "[]", "1", "null"] {
            assert_eq!(
                problems::<Order>(body),
                json!({ "body": [text] }),
                "{body:?}"
            );
        }
    }

    #[test]
    fn without_a_near_name_the_known_ones_are_listed() {
        let listed = |name: &str| {
            let text = format!("{name:?} is not a field here; known are amount, note, prizes.");
            json!({ name: [text] })
        };
        for name in ["is_enabled", "x`, expected `evil`", "a.b"] {
            let body = json!({ name: 1 }).to_string();
            assert_eq!(problems::<Order>(&body), listed(name));
        }
        let none = "\"is_enabled\" is not a field here; there is none.";
        assert_eq!(
            problems::<Nothing>(r#"{"is_enabled": 1}"#),
            json!({ "is_enabled": [none] })
        );
        let long = json!({ "가".repeat(30_000): 1 }).to_string();
        let told = problems::<Order>(&long);
        let told = told["가".repeat(100)][0].as_str().unwrap();
        assert!(
            told.starts_with(&format!("\"{}…\" is", "가".repeat(60))),
            "{told}"
        );
    }

    #[test]
    fn a_field_that_is_missing_is_named() {
        assert_eq!(
            problems::<Order>(r#"{"amount": 1, "prizes": [{}]}"#),
            json!({ "prizes.0.weight": ["prize 1: weight must be given."] })
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-z\"\\\\,` ]{0,6}|S3cret".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let names = prop_oneof![
                Just("amount".to_owned()),
                Just("prizes".to_owned()),
                Just("weight".to_owned()),
                any::<String>()
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(names, inner, 0..4).prop_map(|fields| fields
                    .into_iter()
                    .collect::<serde_json::Map<_, _>>()
                    .into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_read_or_refused_by_its_field(body in any_json()) {
            let read = read_json::<Order>(body.to_string().as_bytes(), b'{', texts::json_object());
            match read {
                Ok(order) => prop_assert_eq!(body["amount"].as_i64(), Some(order.amount)),
                Err(refused) => {
                    prop_assert_eq!(refused.code(), xmas_kernel::ErrorCode::ValidationError);
                    let told = serde_json::to_value(refused.body("", Language::English)).unwrap();
                    let details = told["error"]["details"].as_object().unwrap();
                    prop_assert_eq!(details.len(), 1);
                    for problem in details.values() {
                        prop_assert!(!problem.to_string().contains("S3cret"), "{}", problem);
                    }
                }
            }
        }

        #[test]
        fn no_bytes_are_too_odd_to_be_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let read = read_json::<Order>(&bytes, b'{', texts::json_object());
            prop_assert_eq!(read.unwrap_err().code(), xmas_kernel::ErrorCode::ValidationError);
        }
    }
}
