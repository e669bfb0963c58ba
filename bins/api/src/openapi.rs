//! The OpenAPI 3.1 document.

mod bounds;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Header, HeaderBuilder, ObjectBuilder, OpenApi as Document, Ref, RefOr,
        Required, ResponseBuilder, Schema, Type,
        path::{Parameter, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use xmas_kernel::ErrorCode;

use crate::{
    error::{ApiError, ErrorBody},
    routes::{
        activity, admin, auth, dice, fairness, health, lottery, me, odds, ranking, roulette,
        season_pass, today_feature, ui_config, wallet,
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "XMAS 1Week",
        description = "A one-week seasonal event: season pass, games of chance and rewards. Days are \
                       dates in Asia/Seoul, timestamps are RFC 3339 with +09:00, amounts are integers \
                       that every client can hold exactly (up to 9,000,000,000,000,000) and are written \
                       without a fraction. Texts that people enter are kept in the composed form of \
                       Unicode (NFC), must have something to see, and must have nothing hidden in them \
                       (invisible or direction-changing characters); spaces around ids do not count. \
                       Every error has the shape of `ErrorBody`, but for what cannot be read as a request \
                       at all (more than 96 headers, none or two of `Host`, a head of more than 64 KiB): \
                       that is 400 or 431 without a body, and the connection is closed."
    ),
    paths(
        auth::token::token,
        auth::refresh::refresh,
        auth::logout::logout,
        auth::password::password,
        season_pass::status::status,
        season_pass::stamp::stamp,
        season_pass::claim::claim,
        season_pass::internal_wins::internal_wins,
        roulette::status::status,
        roulette::play::play,
        dice::status::status,
        dice::play::play,
        lottery::status::status,
        lottery::play::play,
        ranking::today::today,
        wallet::wallet,
        me::history::history,
        me::draw::draw,
        odds::odds,
        fairness::fairness,
        activity::record::record,
        ui_config::ui_config,
        ui_config::ticket_zero,
        today_feature::retired,
        health::alive,
        health::ready,
    ),
    components(schemas(ErrorBody)),
    modifiers(&Bearer)
)]
struct Api;

/// The whole document.
pub fn document() -> Document {
    let mut document = Api::openapi();
    for part in admin::documents() {
        document.merge(part);
    }
    bounds::apply(&mut document);
    settle_optional_bodies(&mut document);
    add_all_errors(&mut document);
    document
}

/// A body that may be left out is not `null` instead.
fn settle_optional_bodies(document: &mut Document) {
    for item in document.paths.paths.values_mut() {
        let operations = [item.post.as_mut(), item.put.as_mut(), item.delete.as_mut()];
        let bodies = operations.into_iter().flatten();
        for body in bodies.filter_map(|operation| operation.request_body.as_mut()) {
            let RefOr::T(body) = body else { continue };
            if body.required.is_some() {
                continue;
            }
            body.required = Some(Required::False);
            for content in body.content.values_mut() {
                let RefOr::T(content) = content else { continue };
                if let Some(RefOr::T(Schema::OneOf(either))) = &content.schema {
                    let mut either = either.items.iter();
                    let body = either.find(|one| matches!(one, RefOr::Ref(_)));
                    content.schema = body.cloned();
                }
            }
        }
    }
}

/// Which errors each path can answer of its own; what follows from its token, its body and its
/// idempotency key is added below.
const ERRORS: [(&str, &[ErrorCode]); 20] = [
    ("/api/auth/token", auth::token::ERRORS),
    ("/api/auth/refresh", auth::refresh::ERRORS),
    ("/api/auth/password", auth::password::ERRORS),
    ("/api/season-pass/status", season_pass::status::ERRORS),
    ("/api/season-pass/stamp", season_pass::stamp::ERRORS),
    ("/api/season-pass/claim", season_pass::claim::ERRORS),
    (
        "/api/season-pass/internal-wins",
        season_pass::internal_wins::ERRORS,
    ),
    ("/api/roulette/status", roulette::status::ERRORS),
    ("/api/roulette/play", roulette::play::ERRORS),
    ("/api/dice/status", dice::status::ERRORS),
    ("/api/dice/play", dice::play::ERRORS),
    ("/api/lottery/status", lottery::status::ERRORS),
    ("/api/lottery/play", lottery::play::ERRORS),
    ("/api/ranking/today", ranking::today::ERRORS),
    ("/api/me/history", me::history::ERRORS),
    ("/api/me/plays/{play_id}/draw", me::draw::ERRORS),
    ("/api/odds/{feature}", odds::ERRORS),
    ("/api/fairness/{day}", fairness::ERRORS),
    ("/api/today-feature", today_feature::ERRORS),
    ("/readyz", health::READY_ERRORS),
];

/// What any request under `/api` may be answered with.
const COMMON: [ErrorCode; 10] = [
    // It may have a parameter or a body that is not known.
    ErrorCode::ValidationError,
    ErrorCode::BodyTooLarge,
    ErrorCode::MethodNotAllowed,
    ErrorCode::HeadersTooLarge,
    ErrorCode::Internal,
    ErrorCode::DbError,
    ErrorCode::DbSchemaMismatch,
    ErrorCode::LockNotAcquired,
    ErrorCode::Overloaded,
    ErrorCode::NotReady,
];

/// What a request with a body may be answered with besides.
const WITH_BODY: [ErrorCode; 1] = [ErrorCode::UnsupportedMediaType];

/// What a request that needs a token may be answered with besides.
const WITH_TOKEN: [ErrorCode; 4] = [
    ErrorCode::AuthRequired,
    ErrorCode::TokenInvalid,
    ErrorCode::TokenExpired,
    ErrorCode::UserBlocked,
];

/// What a request with an idempotency key may be answered with besides.
const WITH_KEY: [ErrorCode; 1] = [ErrorCode::IdempotencyKeyReused];

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    }
}

/// Adds to each path one answer per status, which lists its codes and shows one.
fn add_all_errors(document: &mut Document) {
    for (path, item) in &mut document.paths.paths {
        let own = ERRORS.iter().find(|(with_errors, _)| with_errors == path);
        add_errors(item, path, own.map_or(&[], |(_, codes)| codes));
    }
}

/// A header of an answer.
fn header(kind: Type, description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(kind);
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}

/// The errors of an admin path, which differ by method.
fn of_admin(method: &str, path: &str) -> &'static [ErrorCode] {
    let operation = format!("{method} {path}");
    let mut all = admin::ERRORS.iter().copied().flatten();
    let own = all.find(|(known, _)| *known == operation);
    own.map_or(&[], |(_, codes)| codes)
}

fn add_errors(item: &mut PathItem, path: &str, codes: &[ErrorCode]) {
    let is_admin = path.starts_with("/admin/");
    let operations = [
        ("GET", item.get.as_mut()),
        ("POST", item.post.as_mut()),
        ("PUT", item.put.as_mut()),
        ("DELETE", item.delete.as_mut()),
    ];
    for (method, operation) in operations {
        let Some(operation) = operation else {
            continue;
        };
        let changes_something = method != "GET";
        let mut codes: BTreeSet<ErrorCode> = codes.iter().copied().collect();
        codes.extend(of_admin(method, path));
        if is_admin || path.starts_with("/api/") && !codes.contains(&ErrorCode::FeatureRetired) {
            codes.extend(COMMON);
        }
        if operation.request_body.is_some() {
            codes.extend(WITH_BODY);
        }
        let mut parameters = operation.parameters.iter().flatten();
        let is_key = |parameter: &RefOr<Parameter>| match parameter {
            RefOr::T(parameter) => parameter.name == "idempotency-key",
            RefOr::Ref(_) => false,
        };
        if parameters.any(is_key) {
            codes.extend(WITH_KEY);
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    let replayed = header(
                        Type::Boolean,
                        "True: this is the answer to the first request with this key, given again.",
                    );
                    let name = "idempotency-replayed".to_owned();
                    response.headers.insert(name, RefOr::T(replayed));
                }
            }
        }
        if operation.security.is_some() {
            codes.extend(WITH_TOKEN);
            if !path.starts_with("/api/auth/") {
                codes.insert(ErrorCode::ForbiddenScope);
                let is_throttled = changes_something && !is_admin;
                codes.extend(is_throttled.then_some(ErrorCode::TooManyRequests));
            }
        }
        let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
        for code in codes {
            by_status.entry(code.http_status()).or_default().push(code);
        }
        for (status, codes) in by_status {
            let names: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
            let example = ApiError::new(codes[0]).body("3f0a4c1e");
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("ErrorBody")))
                .example(Some(json!(example)))
                .build();
            let response = ResponseBuilder::new()
                .description(names.join(", "))
                .content("application/json", content);
            let response = match status {
                405 => response.header("allow", header(Type::String, "What the path answers.")),
                429 | 503 => {
                    response.header("retry-after", header(Type::Integer, "In how many seconds."))
                }
                _ => response,
            };
            let response = response.build();
            operation
                .responses
                .responses
                .insert(status.to_string(), RefOr::T(response));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_with_errors_of_its_own_is_documented() {
        let document = document();
        for (path, _) in ERRORS {
            assert!(document.paths.paths.contains_key(path), "{path}");
        }
        let operations = document.paths.paths.iter().flat_map(|(path, item)| {
            let methods = [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            let there = methods.into_iter().filter(|(_, is_there)| *is_there);
            there.map(move |(method, _)| format!("{method} {path}"))
        });
        let operations: BTreeSet<String> = operations.collect();
        for (operation, _) in admin::ERRORS.iter().copied().flatten() {
            assert!(operations.contains(*operation), "{operation}");
        }
    }
}
