//! Writes what names mean ([`super::vocabulary`]) into the document: into every parameter, and every field of
//! every schema, unless its DTO says more about it (`#[schema(maximum = …)]`).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use utoipa::{
    Number,
    openapi::{
        KnownFormat, ObjectBuilder, OpenApi as Document, RefOr, Schema, SchemaFormat, Type,
        path::{Operation, Parameter, ParameterIn},
        schema::{AnyOfBuilder, ArrayItems, Object, SchemaType},
    },
};
use xmas_kernel::MAX_NUMBER;

use crate::openapi::vocabulary::{InPlace, Meaning, Place, meaning, of_header, of_path, of_query};

/// Writes what names mean into a document.
pub(super) fn apply(document: &mut Document) {
    let asked = asked_schemas(document);
    if let Some(components) = &mut document.components {
        for (owner, schema) in &mut components.schemas {
            // An answer that comes back in a form is compared with what is stored, and not bounded.
            let is_asked = asked.contains(owner) && !owner.ends_with("Answer");
            let place = Place { owner, is_asked };
            if let RefOr::T(schema) = schema {
                refine_fields(place, schema);
            }
        }
    }
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [
            ("GET", item.get.as_mut()),
            ("POST", item.post.as_mut()),
            ("PUT", item.put.as_mut()),
            ("DELETE", item.delete.as_mut()),
        ] {
            let owner = format!("{method} {path}");
            let parameters = operation.and_then(|of: &mut Operation| of.parameters.as_mut());
            for parameter in parameters.into_iter().flatten() {
                if let RefOr::T(parameter) = parameter {
                    refine_parameter(&owner, parameter);
                }
            }
        }
    }
}

/// The names of the schemas that bodies are read as, and of what lies in them.
fn asked_schemas(document: &Document) -> BTreeSet<String> {
    fn collect(from: &Value, document: &Value, found: &mut BTreeSet<String>) {
        match from {
            Value::Object(fields) => {
                let name = fields.get("$ref").and_then(Value::as_str);
                let name = name.and_then(|name| name.rsplit('/').next());
                if let Some(name) = name.filter(|name| found.insert((*name).to_owned())) {
                    collect(&document["components"]["schemas"][name], document, found);
                }
                fields
                    .values()
                    .for_each(|value| collect(value, document, found));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, document, found)),
            _ => (),
        }
    }
    let document = json!(document);
    let mut found = BTreeSet::new();
    let items = document["paths"].as_object().into_iter().flatten();
    for (_, item) in items {
        for operation in item.as_object().into_iter().flatten() {
            collect(&operation.1["requestBody"], &document, &mut found);
        }
    }
    found
}

/// Refines the fields of a schema, wherever they stand in it.
fn refine_fields(place: Place<'_>, schema: &mut Schema) {
    match schema {
        Schema::Object(object) => {
            for (name, field) in &mut object.properties {
                if let RefOr::T(field) = field {
                    refine(place, name, field);
                }
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items
                && let RefOr::T(items) = items.as_mut()
            {
                refine_fields(place, items);
            }
        }
        Schema::OneOf(of) => refine_all(place, &mut of.items),
        Schema::AllOf(of) => refine_all(place, &mut of.items),
        Schema::AnyOf(of) => refine_all(place, &mut of.items),
        _ => (),
    }
}

fn refine_all(place: Place<'_>, schemas: &mut [RefOr<Schema>]) {
    for schema in schemas {
        if let RefOr::T(schema) = schema {
            refine_fields(place, schema);
        }
    }
}

/// Refines what a field of this name may be.
fn refine(place: Place<'_>, name: &str, schema: &mut Schema) {
    match schema {
        Schema::Object(object) if object.properties.is_empty() => match meaning(place, name) {
            Some(Meaning::Moment(in_place)) => *schema = moment(in_place),
            meaning => bound(place, object, meaning),
        },
        Schema::Array(array) => {
            if let Some(Meaning::List(count)) = meaning(place, name) {
                array.min_items = Some(*count.start());
                array.max_items = Some(*count.end());
            }
            if let ArrayItems::RefOrSchema(items) = &mut array.items
                && let RefOr::T(items) = items.as_mut()
            {
                refine(place, name, items);
            }
        }
        other => refine_fields(place, other),
    }
}

fn refine_parameter(owner: &str, parameter: &mut Parameter) {
    let place = Place {
        owner,
        is_asked: true,
    };
    let meaning = match parameter.parameter_in {
        ParameterIn::Header => of_header(&parameter.name),
        ParameterIn::Path => of_path(owner, &parameter.name),
        _ => of_query(owner, &parameter.name),
    };
    let Some(RefOr::T(schema)) = &mut parameter.schema else {
        return;
    };
    if let Some(Meaning::Moment(in_place)) = meaning {
        *schema = moment(in_place);
    } else if let Schema::Object(object) = schema {
        if parameter.parameter_in == ParameterIn::Header {
            // There is no null in a header.
            object.schema_type = SchemaType::Type(Type::String);
        }
        bound(place, object, meaning);
    }
}

/// Writes a meaning into the schema of one value, unless its DTO has said what it is.
fn bound(place: Place<'_>, object: &mut Object, meaning: Option<Meaning>) {
    let types = match &object.schema_type {
        SchemaType::Type(one) => vec![one.clone()],
        SchemaType::Array(several) => several.clone(),
        SchemaType::AnyValue => Vec::new(),
    };
    if types.contains(&Type::Integer) {
        // What is answered may be a sum of what was asked.
        let (least, most) = match &meaning {
            Some(Meaning::Whole(range)) if place.is_asked => (*range.start(), *range.end()),
            _ => (-MAX_NUMBER, MAX_NUMBER),
        };
        object.maximum.get_or_insert(number(most));
        if place.is_asked {
            object.minimum.get_or_insert(number(least));
        }
    }
    let is_date = object.format == Some(SchemaFormat::KnownFormat(KnownFormat::Date));
    let is_bounded = object.enum_values.is_some()
        || object.pattern.is_some()
        || object.max_length.is_some()
        || object.format.is_some() && !is_date;
    if !types.contains(&Type::String) || is_bounded {
        return;
    }
    match meaning {
        _ if is_date => bound_day(place, object),
        Some(Meaning::OneOf(names)) => {
            let mut names: Vec<Value> = names.into_iter().map(Value::from).collect();
            if types.contains(&Type::Null) {
                names.push(Value::Null);
            }
            object.enum_values = Some(names);
        }
        Some(Meaning::Day) => bound_day(place, object),
        Some(Meaning::Like(pattern)) if place.is_asked => object.pattern = Some(pattern),
        Some(Meaning::Text(characters)) if place.is_asked => {
            let (least, most) = characters.into_inner();
            object.min_length = (least > 0).then_some(least);
            object.max_length = Some(most);
        }
        _ => (),
    }
}

fn bound_day(place: Place<'_>, object: &mut Object) {
    object.format = Some(SchemaFormat::KnownFormat(KnownFormat::Date));
    if place.is_asked {
        object.pattern = Some(YEARS_OF_DAYS.to_owned());
    }
}

fn number(number: i64) -> Number {
    Number::Int(isize::try_from(number).unwrap_or(isize::MAX))
}

/// The years of [`xmas_time::EventDay`].
const YEARS_OF_DAYS: &str = "^(19[7-9]|[2-9][0-9])[0-9]";
/// The years of [`crate::extract::SpanParams`].
const YEARS_OF_SPANS: &str = "^(19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-";

fn moment(in_place: InPlace) -> Schema {
    let text = |format| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(format)))
            .pattern(Some(YEARS_OF_SPANS))
    };
    let nothing = ObjectBuilder::new();
    let nothing = match in_place {
        InPlace::Empty => nothing.schema_type(Type::String).enum_values(Some([""])),
        InPlace::Null => nothing.schema_type(Type::Null),
    };
    let either = AnyOfBuilder::new()
        .item(text(KnownFormat::Date))
        .item(text(KnownFormat::DateTime))
        .item(nothing);
    Schema::AnyOf(either.build())
}
