//! What may be shown by clients: texts are plain, links lead to pages, and the keys that clients know
//! have a schema each. Nothing is cleaned up silently: what cannot be shown safely is refused by name.

use chrono::DateTime;
use serde_json::{Map, Value, json};
use url::Url;
use xmas_kernel::{Problem, Problems, is_within, text::is_visible, unknown_name};
use xmas_texts::{body, feature as texts, field, quoted};

/// What players see when a wallet is empty.
pub const TICKET_ZERO: &str = "ticket_zero";
/// What players see before and during an interruption.
pub const DOWNTIME_BANNER: &str = "downtime_banner";
/// What is said beside games and in advertisements for them: that there are items of chance, and where their odds are.
pub const ODDS_NOTICE: &str = "odds_notice";
/// Every key that clients know. Others are free, but for those that are nearly one of these.
const KNOWN_KEYS: [&str; 4] = ["coin_zero", DOWNTIME_BANNER, ODDS_NOTICE, TICKET_ZERO];

/// How deep a value may be nested.
const MAX_DEPTH: usize = 16;
/// How long a text may be that no schema bounds, in characters.
const MAX_TEXT: usize = 10_000;
/// How long the name of a field may be, in bytes.
const MAX_NAME: usize = 100;

/// What a value is like.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Up to so many characters, or null.
    Text(usize),
    /// True or false.
    Flag,
    /// One of these, or null.
    OneOf(&'static [&'static str]),
    /// RFC 3339, or null.
    Instant,
    /// These fields and no other, or null.
    Fields(&'static [Field]),
}

#[derive(Clone, Copy, Debug)]
struct Field {
    name: &'static str,
    shape: Shape,
    is_required: bool,
}

const fn known(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        is_required: false,
    }
}

const ACTION: Shape = Shape::Fields(&[
    known("label", Shape::Text(50)),
    known("href", Shape::Text(500)),
    known("url", Shape::Text(500)),
]);

/// Of a key whose value has a shape.
fn fields_of(key: &str) -> Option<&'static [Field]> {
    const TICKET_ZERO_FIELDS: &[Field] = &[
        known("title", Shape::Text(100)),
        known("body", Shape::Text(1_000)),
        known("note", Shape::Text(1_000)),
        known("primaryCta", ACTION),
        known("secondaryCta", ACTION),
        known("primary_cta_label", Shape::Text(50)),
        known("secondary_cta_label", Shape::Text(50)),
        known("primary_cta_url", Shape::Text(500)),
        known("secondary_cta_url", Shape::Text(500)),
    ];
    const DOWNTIME_BANNER_FIELDS: &[Field] = &[
        Field {
            is_required: true,
            ..known("enabled", Shape::Flag)
        },
        known("title", Shape::Text(100)),
        known("message", Shape::Text(1_000)),
        known("severity", Shape::OneOf(&["info", "warning", "critical"])),
        known("starts_at", Shape::Instant),
        known("ends_at", Shape::Instant),
        known("link_label", Shape::Text(50)),
        known("link_url", Shape::Text(500)),
    ];
    const ODDS_NOTICE_FIELDS: &[Field] = &[
        known("label", Shape::Text(50)),
        known("body", Shape::Text(1_000)),
        known("link_label", Shape::Text(50)),
        known("link_url", Shape::Text(500)),
    ];
    match key {
        ODDS_NOTICE => Some(ODDS_NOTICE_FIELDS),
        TICKET_ZERO => Some(TICKET_ZERO_FIELDS),
        DOWNTIME_BANNER => Some(DOWNTIME_BANNER_FIELDS),
        _ => None,
    }
}

/// The JSON schema of a key that has one.
pub fn schema(key: &str) -> Option<Value> {
    let mut schema = object_schema(fields_of(key)?);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["type"] = json!("object");
    Some(schema)
}

fn object_schema(fields: &[Field]) -> Value {
    let properties = fields.iter().map(|field| {
        let schema = match field.shape {
            Shape::Text(longest) => json!({ "type": ["string", "null"], "maxLength": longest }),
            Shape::Flag => json!({ "type": "boolean" }),
            Shape::OneOf(allowed) => {
                let allowed = allowed.iter().map(|text| json!(text));
                json!({ "enum": allowed.chain([Value::Null]).collect::<Vec<_>>() })
            }
            Shape::Instant => json!({ "type": ["string", "null"], "format": "date-time" }),
            Shape::Fields(fields) => object_schema(fields),
        };
        (field.name.to_owned(), schema)
    });
    let properties: Map<String, Value> = properties.collect();
    let mut schema = json!({
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": properties,
    });
    let required = fields.iter().filter(|field| field.is_required);
    let required: Vec<&str> = required.map(|field| field.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// Says what of an object does not fit.
fn check_fields(
    place: &str,
    fields: &[Field],
    object: &Map<String, Value>,
    problems: &mut Problems,
) {
    for (name, value) in object {
        match fields.iter().find(|field| field.name == name) {
            Some(field) => check_shape(&format!("{place}.{name}"), field.shape, value, problems),
            None => {
                let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
                let text = unknown_name(field::a_field(), name, &known);
                problems.push(Problem::of_stranger(place, name, text));
            }
        }
    }
    let is_missing = |field: &&Field| field.is_required && !object.contains_key(field.name);
    for field in fields.iter().filter(is_missing) {
        problems.push(Problem::new(place, texts::missing_field(field.name)));
    }
}

fn check_shape(place: &str, shape: Shape, value: &Value, problems: &mut Problems) {
    if value.is_null() && !matches!(shape, Shape::Flag) {
        return;
    }
    let text = value.as_str();
    let (fits, what) = match shape {
        Shape::Text(longest) => (
            text.is_some_and(|text| text.chars().count() <= longest),
            texts::text_or_null(longest),
        ),
        Shape::Flag => (value.is_boolean(), field::kind_boolean()),
        Shape::OneOf(allowed) => (
            text.is_some_and(|text| allowed.contains(&text)),
            texts::one_of_or_null(allowed),
        ),
        Shape::Instant => (text.is_some_and(is_instant), texts::instant_or_null()),
        Shape::Fields(fields) => {
            if let Some(object) = value.as_object() {
                return check_fields(place, fields, object, problems);
            }
            (false, texts::object_or_null())
        }
    };
    problems.expect(fits, place, what);
}

/// Whether clients in any language understand a text as an instant: RFC 3339 without what few of them know, which are a
/// space in the place of the `T` and leap seconds.
fn is_instant(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.is_ascii()
        && matches!(bytes.get(10), Some(b'T' | b't'))
        && bytes.get(17..19) != Some(b"60")
        && DateTime::parse_from_rfc3339(text).is_ok()
}

/// How many characters a key may have.
pub const MAX_KEY: usize = 100;

/// Whether a text can be a key: 1 to 100 characters of a-z, 0-9, `_` and `-`.
pub(crate) fn is_key(key: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(is_plain)
}

/// What is wrong with a value that is to be shown under a key.
pub fn check_ui(key: &str, value: &Value) -> Vec<Problem> {
    let mut problems = Problems::default();
    problems.expect(is_key(key), "key", texts::ui_key(MAX_KEY));
    let is_near = |known: &&&str| is_within(2, key, known);
    if !KNOWN_KEYS.contains(&key)
        && let Some(meant) = KNOWN_KEYS.iter().find(is_near)
    {
        problems.push(Problem::new("key", texts::ui_key_near(quoted(key), *meant)));
    }
    problems.expect(value.is_object(), "value", field::kind_object());
    if let (Some(fields), Some(object)) = (fields_of(key), value.as_object()) {
        check_fields("value", fields, object, &mut problems);
    }
    check_value("value", "", value, MAX_DEPTH, &mut problems);
    problems.into_vec()
}

fn check_value(place: &str, name: &str, value: &Value, depth: usize, problems: &mut Problems) {
    if depth == 0 {
        return problems.expect(false, place, body::too_deep(MAX_DEPTH));
    }
    match value {
        Value::String(text) => check_text(place, name, text, problems),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_value(&format!("{place}.{index}"), name, item, depth - 1, problems);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                let is_plain = name.len() <= MAX_NAME && !has_markup(name) && !has_control(name);
                problems.expect(is_plain, place, texts::plain_names(MAX_NAME));
                if !is_plain {
                    // It would be repeated with all that is below it.
                    continue;
                }
                check_value(&format!("{place}.{name}"), name, item, depth - 1, problems);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_text(place: &str, name: &str, text: &str, problems: &mut Problems) {
    let count = text.chars().count();
    let too_long = field::characters_up_to(MAX_TEXT, count);
    problems.expect(count <= MAX_TEXT, place, too_long);
    if is_link(name) {
        problems.expect(text.is_empty() || is_safe_link(text), place, texts::link());
        return;
    }
    let is_plain = !has_markup(text) && !has_control(text) && !is_script(text);
    problems.expect(is_plain, place, texts::plain_text());
}

/// Whether clients follow what stands under this name.
fn is_link(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name =
        name.trim_end_matches(|last: char| last == 's' || last == '_' || last.is_ascii_digit());
    ["url", "href", "link", "src", "uri"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Whether a link leads to a page and runs nothing. Browsers skip control characters, so none is let
/// through.
fn is_safe_link(text: &str) -> bool {
    if !text.chars().all(is_visible) || text.contains('\\') {
        return false;
    }
    if text.starts_with('/') {
        return !text.starts_with("//");
    }
    let start = text.to_ascii_lowercase();
    if !start.starts_with("https://") && !start.starts_with("http://") {
        return false;
    }
    let address = Url::parse(text).ok();
    address.is_some_and(|address| {
        address.has_host() && address.username().is_empty() && address.password().is_none()
    })
}

/// A tag, a comment or a declaration, as a browser would read it.
fn has_markup(text: &str) -> bool {
    let after = text.split('<').skip(1);
    let mut begins = after.filter_map(|rest| rest.chars().next());
    begins.any(|first| first.is_ascii_alphabetic() || "/!?".contains(first))
}

fn has_control(text: &str) -> bool {
    text.chars()
        .any(|character| character.is_control() && !matches!(character, '\n' | '\t' | '\r'))
}

/// Whether a browser that took the text for an address would run it.
fn is_script(text: &str) -> bool {
    let visible = text
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control());
    let start: String = visible.take(16).collect::<String>().to_ascii_lowercase();
    ["javascript:", "vbscript:", "data:text/html"]
        .iter()
        .any(|scheme| start.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(key: &str, value: &Value) -> Vec<String> {
        let problems = check_ui(key, value).into_iter();
        problems.map(|problem| problem.field).collect()
    }

    #[test]
    fn texts_and_links_that_are_safe_to_render_pass() {
        let value = json!({
            "title": "티켓이 없어요 <3 & 1 < 2",
            "body": "첫 줄\n둘째 줄",
            "primaryCta": { "label": "상점", "href": "/shop?from=zero#top" },
            "secondaryCta": { "label": "도움말", "href": "https://example.com/도움말" },
        });
        assert_eq!(fields(TICKET_ZERO, &value), Vec::<String>::new());
        let mut value = value;
        value["extra"] = json!([1, true, null, { "image_url": "https://example.com/a.png" }]);
        assert_eq!(fields("my-key_1", &value), Vec::<String>::new());
    }

    #[test]
    fn links_that_run_something_are_refused_by_name() {
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "//evil.example",
            "/\\evil.example",
            "https://user@evil.example",
            "https:evil",
            "ftp://example.com",
            "shop",
            "https://exa mple.com",
            "https://exam\u{200b}ple.com",
        ] {
            let value = json!({ "primaryCta": { "href": bad } });
            assert_eq!(fields("any", &value), ["value.primaryCta.href"], "{bad:?}");
            let value = json!({ "links": [bad], "imageUrl2": bad });
            let named = ["value.imageUrl2", "value.links.0"];
            assert_eq!(fields("any", &value), named, "{bad:?}");
        }
    }

    #[test]
    fn markup_and_scripts_in_texts_are_refused_by_name() {
        for bad in [
            "<b>x</b>",
            "</p",
            "<!-- x",
            "<?php",
            "a<script>",
            "\u{0}",
            "\u{1b}[31m",
            "javascript:alert(1)",
            "java\tscript:x",
            " javascript:x",
            "java script:x",
        ] {
            let value = json!({ "a": [{ "text": bad }] });
            assert_eq!(fields("any", &value), ["value.a.0.text"], "{bad:?}");
        }
        assert_eq!(fields("any", &json!({ "<img>": 1 })), ["value"]);
    }

    #[test]
    fn known_keys_have_a_schema() {
        let long = "가".repeat(101);
        assert_eq!(
            fields(TICKET_ZERO, &json!({ "title": long })),
            ["value.title"]
        );
        assert_eq!(fields(TICKET_ZERO, &json!({ "title": 1 })), ["value.title"]);
        let nested = json!({ "primaryCta": { "label": [] } });
        assert_eq!(fields(TICKET_ZERO, &nested), ["value.primaryCta.label"]);
        assert_eq!(fields(DOWNTIME_BANNER, &json!({})), ["value"]);
        let banner = |field: &str, value: Value| json!({ "enabled": true, field: value });
        assert_eq!(
            fields(DOWNTIME_BANNER, &banner("severity", json!("loud"))),
            ["value.severity"]
        );
        assert_eq!(
            fields(DOWNTIME_BANNER, &banner("starts_at", json!("tomorrow"))),
            ["value.starts_at"]
        );
        let at = json!("2025-12-27T03:00:00+09:00");
        assert!(fields(DOWNTIME_BANNER, &banner("starts_at", at)).is_empty());
    }

    #[test]
    fn a_value_may_be_as_long_as_its_bound_and_most_may_be_null() {
        for text in [json!("가".repeat(100)), json!(""), Value::Null] {
            let value = json!({ "title": text, "primaryCta": null });
            assert_eq!(fields(TICKET_ZERO, &value), [""; 0]);
        }
        let value = json!({ "enabled": false, "severity": null, "ends_at": null });
        assert_eq!(fields(DOWNTIME_BANNER, &value), [""; 0]);
        let value = json!({ "enabled": null, "severity": 1, "ends_at": "2025-12-27" });
        let bad = ["value.enabled", "value.ends_at", "value.severity"];
        let mut found = fields(DOWNTIME_BANNER, &value);
        found.sort_unstable();
        assert_eq!(found, bad);
        let value = json!({ "primaryCta": [] });
        assert_eq!(fields(TICKET_ZERO, &value), ["value.primaryCta"]);
        let missing = check_ui(DOWNTIME_BANNER, &json!({}));
        let expected = Problem::new("value", texts::missing_field("enabled"));
        assert_eq!(missing, [expected]);
        for bad in [
            "2025-12-27 03:00:00+09:00",
            "2025-12-27T03:00:60+09:00",
            "2025-12-27T03:00:00\u{2212}09:00",
            "2025-12-27T03:00:00",
        ] {
            let value = json!({ "enabled": true, "starts_at": bad });
            let expected = Problem::new("value.starts_at", texts::instant_or_null());
            assert_eq!(check_ui(DOWNTIME_BANNER, &value), [expected], "{bad}");
        }
    }

    #[test]
    fn the_schema_says_what_is_checked() {
        let banner = schema(DOWNTIME_BANNER).unwrap();
        let draft = "https://json-schema.org/draft/2020-12/schema";
        assert_eq!(banner["$schema"], draft);
        assert_eq!(banner["type"], "object");
        assert_eq!(banner["required"], json!(["enabled"]));
        assert_eq!(banner["additionalProperties"], false);
        let properties = &banner["properties"];
        assert_eq!(properties["enabled"], json!({ "type": "boolean" }));
        let title = json!({ "type": ["string", "null"], "maxLength": 100 });
        assert_eq!(properties["title"], title);
        let severity = json!({ "enum": ["info", "warning", "critical", null] });
        assert_eq!(properties["severity"], severity);
        let instant = json!({ "type": ["string", "null"], "format": "date-time" });
        assert_eq!(properties["starts_at"], instant);
        let ticket_zero = schema(TICKET_ZERO).unwrap();
        assert_eq!(ticket_zero.get("required"), None);
        let action = &ticket_zero["properties"]["primaryCta"];
        assert_eq!(action["type"], json!(["object", "null"]));
        assert_eq!(action["properties"]["url"]["maxLength"], 500);
        assert_eq!(schema("coin_zero"), None);
    }

    #[test]
    fn what_a_schema_does_not_know_is_refused_by_name() {
        let told = |key: &str, value: Value| {
            let problems = check_ui(key, &value).into_iter();
            let told = problems.map(|problem| (problem.field, problem.text));
            told.collect::<Vec<_>>()
        };
        let meant = |path: &str, name: &'static str| {
            let text = field::unknown_but_near(field::a_field(), name);
            vec![(path.to_owned(), text)]
        };
        let banner = json!({ "enabled": true, "mesage": "점검" });
        assert_eq!(
            told(DOWNTIME_BANNER, banner),
            meant("value.mesage", "message")
        );
        let nested = json!({ "primaryCta": { "labe": "상점" } });
        let expected = meant("value.primaryCta.labe", "label");
        assert_eq!(told(TICKET_ZERO, nested), expected);
        // What the existing client sends.
        let old = json!({ "note": "x", "primaryCta": { "label": "a", "url": "/shop" },
            "secondaryCta": { "label": "b", "url": "https://example.com" },
            "primary_cta_url": "/shop", "secondary_cta_url": "/x" });
        assert_eq!(told(TICKET_ZERO, old), []);
        assert_eq!(told("coin_zero", json!({ "anything": 1 })), []);
    }

    #[test]
    fn a_key_that_is_nearly_a_known_one_is_refused() {
        for (key, meant) in [
            ("downtime_baner", DOWNTIME_BANNER),
            ("downtime-banner", DOWNTIME_BANNER),
            ("ticketzero", TICKET_ZERO),
            ("odds-notice", ODDS_NOTICE),
            ("coin_zeros", "coin_zero"),
        ] {
            let problems = check_ui(key, &json!({}));
            let text = texts::ui_key_near(quoted(key), meant);
            assert_eq!(problems, [Problem::new("key", text)], "{key}");
        }
        for free in ["banner", "ticket", "zero", "my-key_1", "downtime"] {
            assert_eq!(fields(free, &json!({})), Vec::<String>::new(), "{free}");
        }
    }

    #[test]
    fn what_is_no_object_or_too_deep_is_refused() {
        assert_eq!(fields("any", &json!([])), ["value"]);
        assert_eq!(fields("UPPER", &json!({})), ["key"]);
        let mut deep = json!(1);
        for _ in 0..17 {
            deep = json!({ "a": deep });
        }
        assert_eq!(fields("any", &deep).len(), 1);
        let nested = |levels: usize| {
            let mut value = json!([]);
            for _ in 1..levels {
                value = json!([value]);
            }
            fields("any", &json!({ "a": value }))
        };
        assert_eq!(nested(15), [""; 0]);
        assert_eq!(nested(16).len(), 1);
    }
}
