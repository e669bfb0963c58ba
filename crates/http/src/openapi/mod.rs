//! What every operation of the OpenAPI document has in common: bounds of names, the errors that follow from
//! a token, a body and a key, and their examples.

mod bounds;
pub mod by_hand;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use utoipa::openapi::{
    ContentBuilder, Header, HeaderBuilder, ObjectBuilder, OpenApi as Document, Ref, RefOr,
    Required, ResponseBuilder, Schema, Type,
    path::{Parameter, PathItem},
};
use xmas_kernel::ErrorCode;
use xmas_texts::Language;

use crate::{endpoint::Operations, error::ApiError};

/// Adds to a document of these operations what does not need to be said of each of them.
pub fn complete(document: &mut Document, operations: &[&Operations]) {
    let own = |method: &str, path: &str| {
        let all = operations.iter().flat_map(|operations| operations.errors());
        let mut this = all.filter(|(m, p, _)| m == method && *p == path);
        this.next().map_or(&[][..], |(_, _, codes)| codes).to_vec()
    };
    bounds::apply(document);
    settle_optional_bodies(document);
    for (path, item) in &mut document.paths.paths {
        add_errors(item, path, own);
    }
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

/// What any request under `/api` may be answered with.
const COMMON: [ErrorCode; 12] = [
    // It may have a parameter or a body that is not known.
    ErrorCode::ValidationError,
    ErrorCode::BodyTooLarge,
    ErrorCode::BodyTooSlow,
    // A client may have too many requests in progress.
    ErrorCode::TooManyRequests,
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

/// A header of an answer.
fn header(kind: Type, description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(kind);
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}

/// Adds to each operation one answer per status, which lists its codes and shows one.
fn add_errors(item: &mut PathItem, path: &str, own: impl Fn(&str, &str) -> Vec<ErrorCode>) {
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
        let mut codes: BTreeSet<ErrorCode> = own(method, path).into_iter().collect();
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
            }
        }
        let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
        for code in codes {
            by_status.entry(code.http_status()).or_default().push(code);
        }
        for (status, codes) in by_status {
            let names: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
            let example = ApiError::new(codes[0]).body("3f0a4c1e", Language::English);
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
