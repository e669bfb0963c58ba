//! Pieces of documentation for operations that are documented by hand, since `#[utoipa::path]` knows no generic
//! handlers.

use utoipa::{
    ToSchema,
    openapi::{
        Content, Ref, RefOr, Response, ResponseBuilder, Schema, path::OperationBuilder,
        security::SecurityRequirement,
    },
};

/// Schemas with their names.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// An operation that needs a token.
pub fn operation(tag: &str, id: &str, summary: &str) -> OperationBuilder {
    OperationBuilder::new()
        .tag(tag)
        .operation_id(Some(id))
        .summary(Some(summary))
        .security(SecurityRequirement::new("bearer", [""; 0]))
}

/// A schema by its name.
pub fn reference<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

/// A type's schema under its name, and those that it names.
pub fn schemas<T: ToSchema>() -> Schemas {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    schemas
}

/// An answer that is JSON.
pub fn json(schema: impl Into<RefOr<Schema>>) -> Response {
    let content = Content::new(Some(schema));
    let answer = ResponseBuilder::new();
    answer.content("application/json", content).build()
}
