//! What names mean in the whole contract. `token_type`, `version` or `cursor` are the same kind of thing
//! wherever they stand, so what may be in them is said here once, from the types that read them, and written into every
//! parameter and field of that name. A DTO that says more about a field of its own (`#[schema(maximum = …)]`)
//! goes before this.
//!
//! What is asked (parameters, bodies) is bounded whole: a text by its names, its form or its length, a
//! number on both sides. What is answered names its closed sets, and no number is larger than every client can hold.
//! `tests/api/openapi.rs` finds whatever has been left out.

use std::{collections::BTreeSet, ops::RangeInclusive};

use serde_json::{Value, json};
use utoipa::{
    Number,
    openapi::{
        KnownFormat, ObjectBuilder, OpenApi as Document, RefOr, Schema, SchemaFormat, Type,
        path::{Operation, Parameter, ParameterIn},
        schema::{AnyOfBuilder, ArrayItems, Object, SchemaType},
    },
};
use xmas_event_bridge::{BridgeState, Mission, SlotState, rules::ALL_GAMES};
use xmas_features::ui_rules::MAX_KEY;
use xmas_games::odds::{MAX_ENTRIES, MAX_WEIGHT};
use xmas_kernel::{Asset, ErrorCode, Feature, MAX_NUMBER, audit::Actor, idempotency::RequestKey};
use xmas_players::{ExternalId, PASSWORD_CHARACTERS, Role, Status};
use xmas_reporting::{HistoryKind, Kind, TimelineKind};
use xmas_rewards::{GrantSource, OrderKind, Reward, RewardState, RewardType};
use xmas_season_pass::rules::MAX_LEVELS;

use crate::extract::ENTITY_TAG;

/// What may be in a field or a parameter.
enum Meaning {
    /// One of these names.
    OneOf(Vec<&'static str>),
    /// A text of so many characters.
    Text(RangeInclusive<usize>),
    /// A text of this form (ECMA 262).
    Like(String),
    /// A whole number.
    Whole(RangeInclusive<i64>),
    /// A day in Korea.
    Day,
    /// An instant or a day in Korea, or this in its place.
    Moment(InPlace),
    /// So many of something.
    List(RangeInclusive<usize>),
}

/// What may stand in the place of an instant.
#[derive(Clone, Copy)]
enum InPlace {
    /// Nothing, as in a form.
    Empty,
    Null,
}

/// Where a name stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The schema that has the field; `GET /path` for a parameter.
    owner: &'a str,
    /// Whether clients send it.
    is_asked: bool,
}

/// Writes what names mean into a document.
pub(super) fn apply(document: &mut Document) {
    let asked = asked_schemas(document);
    if let Some(components) = &mut document.components {
        for (owner, schema) in &mut components.schemas {
            let is_asked = asked.contains(owner);
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
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                if let RefOr::T(items) = items.as_mut() {
                    refine_fields(place, items);
                }
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
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                if let RefOr::T(items) = items.as_mut() {
                    refine(place, name, items);
                }
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
/// No control characters; see [`crate::extract::Params`].
const PLAIN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// The id of a row as text.
const ID: &str = "(0|[1-9][0-9]{0,15})";

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

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Meaning {
    Meaning::OneOf(all.iter().map(|one| name(*one)).collect())
}

/// One of these names in upper or lower case; a filter may also be empty, which is as good as none.
fn in_any_case<'a>(names: impl IntoIterator<Item = &'a str>, may_be_empty: bool) -> Meaning {
    let letter = |letter: char| match (letter.to_ascii_uppercase(), letter.to_ascii_lowercase()) {
        (upper, lower) if upper == lower => letter.to_string(),
        (upper, lower) => format!("[{upper}{lower}]"),
    };
    let names = names
        .into_iter()
        .map(|name| name.chars().map(letter).collect());
    let names: Vec<String> = names.collect();
    let empty = if may_be_empty { "?" } else { "" };
    Meaning::Like(format!("^({}){empty}$", names.join("|")))
}

/// The place behind which a page begins; empty for the first page.
fn cursor(form: &str) -> Meaning {
    Meaning::Like(format!("^({form})?$"))
}

fn history_cursor<K: Kind>() -> Meaning {
    let kinds: Vec<&str> = K::ALL.iter().map(|kind| kind.as_str()).collect();
    cursor(&format!(
        "(0|[1-9][0-9]{{0,16}})-({})-{ID}",
        kinds.join("|")
    ))
}

fn of_header(name: &str) -> Option<Meaning> {
    Some(Meaning::Like(match name {
        "idempotency-key" => format!("^[!-~]{{1,{}}}$", RequestKey::MAX_LENGTH),
        // Four bytes of UTF-8, percent-encoded, are the longest character.
        "x-reason" => format!("^[ -~]{{0,{}}}$", Actor::REASON_CHARACTERS * 12),
        "if-match" => format!(r"^(\*|{ENTITY_TAG}( *, *{ENTITY_TAG})*)$"),
        _ => return None,
    }))
}

fn of_path(operation: &str, name: &str) -> Option<Meaning> {
    let games = ALL_GAMES.map(Feature::as_str);
    Some(match (operation, name) {
        ("PUT /admin/api/feature-config/{feature}", "feature") => {
            in_any_case(Feature::ALL.map(Feature::as_str), false)
        }
        (_, "feature") => in_any_case(games, false),
        (_, "date" | "day") => Meaning::Day,
        ("PUT /admin/api/ui-config/{key}", "key") => {
            Meaning::Like(format!("^[a-z0-9_-]{{1,{MAX_KEY}}}$"))
        }
        // Any other text is a key under which nothing was saved, and is answered with nulls.
        (_, "key") => Meaning::Text(1..=MAX_KEY),
        // Ids; the rest of a path is no number.
        _ => Meaning::Whole(1..=MAX_NUMBER),
    })
}

fn of_query(operation: &str, name: &str) -> Option<Meaning> {
    let assets = || Asset::ALL.map(Asset::as_str).to_vec();
    Some(match (operation, name) {
        (_, "from" | "to") => Meaning::Moment(InPlace::Empty),
        ("GET /api/me/history", "kind") => {
            in_any_case(HistoryKind::ALL.iter().map(|kind| kind.as_str()), true)
        }
        ("GET /api/me/history", "cursor") => history_cursor::<HistoryKind>(),
        ("GET /admin/api/users/{id}/timeline", "kind") => {
            in_any_case(TimelineKind::ALL.iter().map(|kind| kind.as_str()), true)
        }
        ("GET /admin/api/users/{id}/timeline", "cursor") => history_cursor::<TimelineKind>(),
        ("GET /admin/api/game-tokens/wallets", "cursor") => {
            cursor(&format!("{ID}:({})", assets().join("|")))
        }
        (_, "cursor") if operation.starts_with("GET /admin/api/odds/") => {
            Meaning::Whole(1..=MAX_NUMBER)
        }
        (_, "cursor") => cursor(ID),
        ("GET /admin/api/coupons/{kind}/codes", "state") => in_any_case(["FREE", "TAKEN"], true),
        ("GET /admin/api/rewards/", "state") => in_any_case(
            RewardState::ALL
                .map(RewardState::as_str)
                .into_iter()
                .chain(["ALL"]),
            true,
        ),
        ("GET /admin/api/rewards/", "source") => {
            in_any_case(GrantSource::ALL.map(GrantSource::as_str), true)
        }
        ("GET /admin/api/game-tokens/payout.csv", "status") => in_any_case(
            Status::ALL.map(Status::as_str).into_iter().chain(["ALL"]),
            true,
        ),
        (_, "status") => names(&Status::ALL, Status::as_str),
        (_, "role") => names(&Role::ALL, Role::as_str),
        (_, "game") => in_any_case(ALL_GAMES.map(Feature::as_str), true),
        (_, "feature_type") => in_any_case(Feature::ALL.map(Feature::as_str), true),
        (_, "token_type") if operation.starts_with("GET ") => {
            Meaning::OneOf([vec![""], assets()].concat())
        }
        (_, "token_type") => Meaning::OneOf(assets()),
        (_, "batch_id") => Meaning::Like(BATCH_NAME.to_owned()),
        (_, "user_id" | "odds_id" | "bridge_id") => Meaning::Whole(1..=MAX_NUMBER),
        // Texts to look for.
        _ => Meaning::Like(PLAIN.to_owned()),
    })
}

const BATCH_NAME: &str = "^[!-~]{1,100}$";

fn meaning(place: Place<'_>, name: &str) -> Option<Meaning> {
    Some(match (place.owner, name) {
        ("ErrorInfo", "code") => names(ErrorCode::ALL, ErrorCode::as_str),
        ("SessionAnswer", "token_type") => Meaning::OneOf(vec!["bearer"]),
        (_, "token_type") => names(&Asset::ALL, Asset::as_str),
        ("BundleThing", "reward_type") => {
            let all = RewardType::ALL.into_iter();
            Meaning::OneOf(
                all.filter(|kind| kind.asset().is_some())
                    .map(RewardType::as_str)
                    .collect(),
            )
        }
        ("BundleRequest", "items") => Meaning::List(1..=20),
        ("AdminBridgeRequest", "days") => Meaning::List(1..=7),
        ("RouletteConfigRequest", "segments") => Meaning::List(0..=6),
        ("LotteryConfigRequest", "prizes") => Meaning::List(0..=MAX_ENTRIES),
        ("LadderRequest" | "SeasonRequest", "levels") => {
            Meaning::List(1..=usize::try_from(MAX_LEVELS).unwrap_or(usize::MAX))
        }
        ("DayRankingRequest", "items") => Meaning::List(1..=10_000),
        ("BundleThing", "reward_amount") => Meaning::Whole(1..=Reward::MAX_AMOUNT),
        ("LevelRequest", "reward_type") => {
            // XP is a prize of games.
            let all = RewardType::ALL.into_iter();
            Meaning::OneOf(
                all.filter(|kind| *kind != RewardType::Xp)
                    .map(RewardType::as_str)
                    .collect(),
            )
        }
        (_, "reward_type" | "win_reward_type" | "draw_reward_type" | "lose_reward_type") => {
            names(&RewardType::ALL, RewardType::as_str)
        }
        ("ScheduleRequest" | "ScheduledRequest", "feature_type") => {
            in_any_case(Feature::ALL.map(Feature::as_str), false)
        }
        (_, "feature_type" | "source_feature_type" | "feature") => {
            names(&Feature::ALL, Feature::as_str)
        }
        (_, "game") => names(&ALL_GAMES, Feature::as_str),
        (_, "mission") => names(&Mission::ALL, Mission::as_str),
        ("Alive" | "Ready", "status") => return None,
        ("BatchFilter", "status") => Meaning::OneOf(vec![Status::Active.as_str()]),
        (_, "status") => names(&Status::ALL, Status::as_str),
        (_, "role") => names(&Role::ALL, Role::as_str),
        ("AdminBridgeAnswer", "state") => names(&BridgeState::ALL, BridgeState::as_str),
        ("BatchAnswer" | "BatchItem", "state") => Meaning::OneOf(vec!["OPEN", "DONE"]),
        ("BatchAnswer" | "BatchItem", "kind") => names(&OrderKind::ALL, OrderKind::as_str),
        ("CodeItem", "state") => Meaning::OneOf(vec!["FREE", "TAKEN"]),
        ("SlotAnswer", "state") => names(&SlotState::ALL, SlotState::as_str),
        (_, "state" | "reward_state") => names(&RewardState::ALL, RewardState::as_str),
        (_, "source") => names(&GrantSource::ALL, GrantSource::as_str),
        (_, "version") => Meaning::Like("^[0-9a-f]{16}$".to_owned()),
        (_, "batch_id") => Meaning::Like(BATCH_NAME.to_owned()),
        ("BridgeDayRequest", "event_type") => Meaning::Like("^[A-Z0-9_]{1,32}$".to_owned()),
        ("FeatureRequest", "page_path") => Meaning::Like("^/([!-.0-~][!-~]{0,189})?$".to_owned()),
        ("BatchFilter", "played_since") => Meaning::Moment(InPlace::Null),
        // In a row of a board, an empty one is as good as none.
        ("ExternalRankingItem" | "DayRankingItem", "external_id") => {
            Meaning::Text(0..=ExternalId::MAX_CHARS)
        }
        (_, "external_id") => Meaning::Text(1..=ExternalId::MAX_CHARS),
        (_, "nickname") => Meaning::Text(0..=ExternalId::MAX_CHARS),
        ("LoginRequest" | "RefreshRequest", "password" | "refresh_token")
        | (_, "current_password") => Meaning::Text(1..=*PASSWORD_CHARACTERS.end()),
        (_, "new_password") => Meaning::Text(PASSWORD_CHARACTERS),
        // An empty field of a form is as good as none.
        (_, "password") => {
            let (least, most) = PASSWORD_CHARACTERS.into_inner();
            Meaning::Like(format!(r"^([\s\S]{{{least},{most}}})?$"))
        }
        ("KeysRequest" | "RejectRequest", "reason") => Meaning::Text(1..=191),
        (_, "reason") => Meaning::Text(0..=Actor::REASON_CHARACTERS),
        (_, "reward_label") => Meaning::Text(1..=191),
        (_, "memo") => Meaning::Text(0..=255),
        (_, "display_name") => Meaning::Text(0..=100),
        (_, "name" | "season_name" | "label" | "title") => Meaning::Text(1..=100),
        (_, "reward_amount" | "reward_value" | "points" | "stock" | "max_daily_plays")
        | (_, "max_daily_spins" | "max_daily_tickets" | "win_reward_amount" | "win_reward_value")
        | (_, "draw_reward_amount" | "draw_reward_value")
        | (_, "lose_reward_amount" | "lose_reward_value") => Meaning::Whole(0..=Reward::MAX_AMOUNT),
        (_, "weight") => Meaning::Whole(0..=MAX_WEIGHT),
        ("BridgeDayRequest" | "KeysRequest", "day") | (_, "keys_required") => Meaning::Whole(1..=7),
        (_, "index" | "slot_index") => Meaning::Whole(0..=5),
        ("SeasonRequest", "base_xp_per_stamp" | "max_xp_bonus") | ("StampRequest", "xp_bonus") => {
            Meaning::Whole(0..=1_000_000)
        }
        ("SeasonRequest", "grace_days") => Meaning::Whole(0..=366),
        ("ClaimRequest" | "LevelRequest", "level") | (_, "max_level") => {
            Meaning::Whole(1..=MAX_LEVELS)
        }
        (_, "level" | "season_level") if place.is_asked => Meaning::Whole(0..=MAX_LEVELS),
        (_, "required_xp" | "xp" | "deposit_amount" | "play_count") => {
            Meaning::Whole(0..=MAX_NUMBER)
        }
        (_, "score" | "value") => Meaning::Whole(-MAX_NUMBER..=MAX_NUMBER),
        // Ids, places and counts.
        _ => Meaning::Whole(1..=MAX_NUMBER),
    })
}
