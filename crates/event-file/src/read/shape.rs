//! Whether what stands in a file belongs there, by the schema of its types. What does not fit is noted, and replaced by
//! something that does, so that everything else can be looked at as well.

use serde_json::Value as Json;
use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};
use xmas_kernel::{Problem, Problems, nearest, text::nfc, unknown_name};
use xmas_texts::{Text, body, event_file as texts, field, quoted};

use super::places::Places;
use crate::Date;

/// How deep values of one's own may be nested.
const MAX_DEPTH: usize = 32;

pub(super) struct Reading<'a> {
    schema: &'static Json,
    places: &'a mut Places,
    problems: &'a mut Problems,
    /// The paths of what was wrong, under which nothing else is told.
    wrong: Vec<String>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        schema: &'static Json,
        places: &'a mut Places,
        problems: &'a mut Problems,
    ) -> Self {
        Self {
            schema,
            places,
            problems,
            wrong: Vec::new(),
        }
    }

    /// Everything of a file that fits.
    pub(super) fn document(&mut self, table: &DeTable<'_>) -> Table {
        self.table(self.schema, table, "")
    }

    /// The paths of what was replaced.
    pub(super) fn wrong(self) -> Vec<String> {
        self.wrong
    }

    pub(super) fn refuse(&mut self, path: &str, text: Text) {
        self.wrong.push(path.to_owned());
        self.problems.push(Problem::new(path, text));
    }

    fn table(&mut self, schema: &'static Json, table: &DeTable<'_>, path: &str) -> Table {
        let known = schema["properties"].as_object();
        let others = &schema["additionalProperties"];
        let mut read = Table::new();
        let mut meant = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let inner = below(path, name);
            // A value in a section of its own stands behind its key, and one in a list has none.
            let span = match value.get_ref() {
                DeValue::Table(_) | DeValue::Array(_) => key.span(),
                _ => value.span(),
            };
            self.places.insert(&inner, span);
            let schema = known.and_then(|known| known.get(name));
            match schema.or(others.is_object().then_some(others)) {
                Some(schema) => {
                    let value = self.value(schema, value, &inner);
                    read.insert(name.to_owned(), value);
                }
                None if others.as_bool() == Some(false) => {
                    self.places.insert(&inner, key.span());
                    let known = known.into_iter().flatten().map(|(name, _)| name.as_str());
                    let known: Vec<&str> = known.collect();
                    let text = unknown_name(field::a_field(), name, &known);
                    meant.extend(nearest(name, known));
                    self.wrong.push(inner);
                    self.problems.push(Problem::of_stranger(path, name, text));
                }
                None => {
                    let value = self.free(value, &inner, MAX_DEPTH);
                    read.insert(name.to_owned(), value);
                }
            }
        }
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Json::as_str) {
            if !read.contains_key(name) {
                let inner = below(path, name);
                match meant.contains(&name) {
                    // It is there under a name that was mistyped, of which was told.
                    true => self.wrong.push(inner),
                    false => self.refuse(&inner, field::required()),
                }
                let schema = &schema["properties"][name];
                read.insert(name.to_owned(), self.fitting(schema));
            }
        }
        read
    }

    fn value(&mut self, schema: &'static Json, value: &Spanned<DeValue<'_>>, path: &str) -> Value {
        let schema = self.resolved(schema);
        let read = match (kind(schema), value.get_ref()) {
            ("date", DeValue::Datetime(read)) if Date::of(read).is_some() => {
                Ok(Value::Datetime(*read))
            }
            ("date", _) => Err(texts::date()),
            ("string", DeValue::String(text)) => self.text(schema, text),
            ("string", _) => Err(field::kind_text()),
            ("boolean", DeValue::Boolean(flag)) => Ok(Value::Boolean(*flag)),
            ("boolean", _) => Err(field::kind_boolean()),
            ("integer", DeValue::Integer(number)) => {
                let number = i64::from_str_radix(number.as_str(), number.radix());
                number
                    .map(Value::Integer)
                    .map_err(|_| field::kind_whole_number())
            }
            ("integer", _) => Err(field::kind_whole_number()),
            ("array", DeValue::Array(items)) => {
                let items = items.iter().enumerate().map(|(index, item)| {
                    let path = below(path, &index.to_string());
                    self.places.insert(&path, item.span());
                    self.value(&schema["items"], item, &path)
                });
                Ok(Value::Array(items.collect()))
            }
            ("array", _) => Err(field::kind_list()),
            ("object", DeValue::Table(table)) => Ok(Value::Table(self.table(schema, table, path))),
            ("object", _) => Err(texts::table()),
            _ => Ok(self.free(value, path, MAX_DEPTH)),
        };
        read.unwrap_or_else(|text| {
            self.refuse(path, text);
            self.fitting(schema)
        })
    }

    fn text(&self, schema: &Json, text: &str) -> Result<Value, Text> {
        let allowed = schema["enum"].as_array().into_iter().flatten();
        let allowed: Vec<&str> = allowed.filter_map(Json::as_str).collect();
        if allowed.is_empty() || allowed.contains(&text) {
            // Texts are the same for every rule, however they were entered.
            return Ok(Value::String(nfc(text).into_owned()));
        }
        Err(match nearest(text, allowed.iter().copied()) {
            Some(meant) => texts::unknown_value(quoted(text), meant.to_owned()),
            None => {
                let allowed: Vec<String> = allowed.into_iter().map(str::to_owned).collect();
                field::one_of(allowed, quoted(text))
            }
        })
    }

    /// A value of which any is welcome. Instants become texts, as JSON has them.
    fn free(&mut self, value: &Spanned<DeValue<'_>>, path: &str, depth: usize) -> Value {
        self.places.insert(path, value.span());
        if depth == 0 {
            self.refuse(path, body::too_deep(MAX_DEPTH));
            return Value::Boolean(false);
        }
        match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(flag) => Value::Boolean(*flag),
            DeValue::Datetime(instant) => Value::String(instant.to_string()),
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => Value::Integer(number),
                    Err(_) => {
                        self.refuse(path, field::kind_whole_number());
                        Value::Integer(0)
                    }
                }
            }
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Float(number),
                _ => {
                    self.refuse(path, field::kind_number());
                    Value::Float(0.0)
                }
            },
            DeValue::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| {
                    self.free(item, &below(path, &index.to_string()), depth - 1)
                });
                Value::Array(items.collect())
            }
            DeValue::Table(table) => {
                let fields = table.iter().map(|(key, value)| {
                    let name = key.get_ref().to_string();
                    let value = self.free(value, &below(path, &name), depth - 1);
                    (name, value)
                });
                Value::Table(fields.collect())
            }
        }
    }

    /// Something that fits a schema, in the place of what does not.
    fn fitting(&self, schema: &'static Json) -> Value {
        let schema = self.resolved(schema);
        match kind(schema) {
            "date" => "2000-01-01"
                .parse()
                .map_or(Value::Boolean(false), Value::Datetime),
            "boolean" => Value::Boolean(false),
            "integer" => Value::Integer(1),
            "array" => Value::Array(Vec::new()),
            "object" => {
                let required = schema["required"].as_array().into_iter().flatten();
                let required = required.filter_map(Json::as_str);
                let field = |name: &str| {
                    let schema = &schema["properties"][name];
                    (name.to_owned(), self.fitting(schema))
                };
                Value::Table(required.map(field).collect())
            }
            _ => Value::String(match schema["enum"][0].as_str() {
                Some(first) => first.to_owned(),
                None => "?".to_owned(),
            }),
        }
    }

    /// The schema that one refers to, without the "or nothing" of what may be left out.
    fn resolved(&self, schema: &'static Json) -> &'static Json {
        let mut schema = schema;
        loop {
            let named = schema["$ref"].as_str();
            let named = named.and_then(|name| name.strip_prefix("#/$defs/"));
            let either = schema["anyOf"].as_array().into_iter().flatten();
            let mut either = either.filter(|schema| kind(schema) != "null");
            match (named, either.next()) {
                (Some(name), _) => schema = &self.schema["$defs"][name],
                (None, Some(inner)) => schema = inner,
                (None, None) => return schema,
            }
        }
    }
}

/// What a schema wants: its type, or `date`, or nothing in particular.
fn kind(schema: &Json) -> &str {
    if schema["format"] == "date" {
        return "date";
    }
    match &schema["type"] {
        Json::String(kind) => kind,
        Json::Array(kinds) => {
            let mut kinds = kinds.iter().filter_map(Json::as_str);
            kinds.find(|kind| *kind != "null").unwrap_or_default()
        }
        _ => "",
    }
}

fn below(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}
