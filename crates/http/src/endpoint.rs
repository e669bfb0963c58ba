//! How a path is registered: what answers it, its documentation and its errors, together and once.
//!
//! A module lists its operations with [`operation!`](crate::operation); what is served and what the OpenAPI
//! document says come from this list. Path, method, parameters and bodies are those of `#[utoipa::path]`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use actix_web::{
    HttpResponse, Resource, Route, guard,
    http::{Method, header},
    middleware::from_fn,
    web::{self, PayloadConfig, ServiceConfig},
};
use utoipa::{
    __dev::{SchemaReferences, Tags},
    Path,
    openapi::{
        OpenApi as Document, OpenApiBuilder, Paths, RefOr, Schema,
        path::{HttpMethod, Operation as Documentation},
        schema::ComponentsBuilder,
    },
};
use xmas_kernel::ErrorCode;

use crate::{
    error::Coded,
    middleware::{
        contract::only_known,
        limits::{self, MAX_CSV_BYTES},
    },
};

/// Names the handler of an operation, which is documented by `#[utoipa::path]`.
#[macro_export]
macro_rules! operation {
    ($handler:ident) => {
        $crate::pastey::paste! {
            $crate::endpoint::Operation::documented::<[<__path_ $handler>]>(
                || ::actix_web::web::to($handler),
            )
        }
    };
    ($module:ident :: $handler:ident) => {
        $crate::pastey::paste! {
            $crate::endpoint::Operation::documented::<$module::[<__path_ $handler>]>(
                || ::actix_web::web::to($module::$handler),
            )
        }
    };
}

/// One operation: a method of a path.
pub struct Operation {
    path: String,
    method: HttpMethod,
    route: fn() -> Route,
    documentation: Documentation,
    schemas: Vec<(String, RefOr<Schema>)>,
    errors: Vec<ErrorCode>,
    kind: Kind,
    /// Another path that it is served at, which the document does not mention.
    alias: Option<&'static str>,
}

/// What a path takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// What its documentation names, within the time that a request may take.
    #[default]
    Usual,
    /// The same, but those who wait for a password to be hashed have places of their own.
    Login,
    /// Tables of up to ten megabytes, and longer.
    Bulk,
    /// Any parameters: load balancers append some of their own.
    Probe,
    /// Any request at all: the answer is always the same.
    Anything,
}

impl Operation {
    /// An operation that `#[utoipa::path]` describes; [`operation!`](crate::operation) names its two halves.
    pub fn documented<P: Path + SchemaReferences + for<'t> Tags<'t>>(route: fn() -> Route) -> Self {
        let method = P::methods().into_iter().next().unwrap_or(HttpMethod::Get);
        let mut schemas = Vec::new();
        P::schemas(&mut schemas);
        let mut documentation = P::operation();
        let tags = P::tags().into_iter().map(str::to_owned);
        documentation.tags.get_or_insert_default().extend(tags);
        Self::new(P::path(), method, route, documentation, schemas)
    }

    /// An operation whose documentation is written by hand: that of several games at once, say.
    pub fn new(
        path: String,
        method: HttpMethod,
        route: fn() -> Route,
        documentation: Documentation,
        schemas: Vec<(String, RefOr<Schema>)>,
    ) -> Self {
        Self {
            path,
            method,
            route,
            documentation,
            schemas,
            errors: Vec::new(),
            kind: Kind::Usual,
            alias: None,
        }
    }

    /// What its use case can fail with: some of the codes that the use case's error can become.
    ///
    /// # Panics
    ///
    /// If the error cannot become one of them, as the first test that looks at the document finds.
    pub fn fails<E: Coded>(mut self, codes: &[ErrorCode]) -> Self {
        for code in codes {
            let error = std::any::type_name::<E>();
            let path = &self.path;
            assert!(
                E::CODES.contains(*code),
                "{path}: {error} never becomes {code}"
            );
        }
        self.errors.extend(codes);
        self
    }

    /// Codes that the handler, or what it asks of the request, answers with before the use case begins.
    pub fn refuses(mut self, codes: &[ErrorCode]) -> Self {
        self.errors.extend(codes);
        self
    }

    /// It hashes a password, which takes a core for a while.
    pub fn hashes_a_password(mut self) -> Self {
        self.kind = Kind::Login;
        self
    }

    /// It works on many players: its path takes tables of up to ten megabytes, and longer.
    pub fn bulk(mut self) -> Self {
        self.kind = Kind::Bulk;
        self
    }

    /// Load balancers ask it, and append parameters of their own: its path takes no notice of any.
    pub fn probe(mut self) -> Self {
        self.kind = Kind::Probe;
        self
    }

    /// It answers every method, whatever comes with it: the path is gone, say.
    pub fn for_any_request(mut self) -> Self {
        self.kind = Kind::Anything;
        self
    }

    /// It is served at another path as well, which the document does not mention.
    pub fn also_at(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    fn actix_method(&self) -> Method {
        match self.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Delete => Method::DELETE,
            HttpMethod::Options => Method::OPTIONS,
            HttpMethod::Head => Method::HEAD,
            HttpMethod::Patch => Method::PATCH,
            HttpMethod::Trace => Method::TRACE,
        }
    }
}

/// Operations in the order of the document.
#[derive(Default)]
pub struct Operations(Vec<Operation>);

impl<const N: usize> From<[Vec<Operation>; N]> for Operations {
    fn from(areas: [Vec<Operation>; N]) -> Self {
        Self(areas.into_iter().flatten().collect())
    }
}

impl Operations {
    /// Their part of the OpenAPI document.
    ///
    /// # Panics
    ///
    /// If two types of theirs have the same name in it, as the first test that looks at the document finds.
    pub fn document(&self) -> Document {
        let mut paths = Paths::new();
        let mut schemas = HashMap::new();
        let mut components = ComponentsBuilder::new();
        for operation in &self.0 {
            let documentation = operation.documentation.clone();
            let methods = vec![operation.method.clone()];
            paths.add_path_operation(&operation.path, methods, documentation);
            for (name, schema) in &operation.schemas {
                let known = schemas.insert(name, schema);
                let is_other = known.is_some_and(|known| known != schema);
                assert!(!is_other, "two schemas are called {name}");
            }
            components = components.schemas_from_iter(operation.schemas.iter().cloned());
        }
        let components = Some(components.build());
        OpenApiBuilder::new()
            .paths(paths)
            .components(components)
            .build()
    }

    /// What each operation can fail with of its own, by method and path.
    pub fn errors(&self) -> impl Iterator<Item = (Method, &str, &[ErrorCode])> {
        self.0.iter().map(|operation| {
            let errors = operation.errors.as_slice();
            (operation.actix_method(), operation.path.as_str(), errors)
        })
    }

    /// Serves them: each path answers its methods (and HEAD with GET), and others with a 405 that names these.
    pub fn serve(&self, cfg: &mut ServiceConfig) {
        for (path, operations) in self.by_path("") {
            serve(cfg, web::resource(path), &operations);
        }
    }

    /// As [`Operations::serve`], within a scope, and each path with and without a slash at its end.
    pub fn serve_in_scope(&self, scope: &str, cfg: &mut ServiceConfig) {
        for (path, operations) in self.by_path(scope) {
            let both = [path.to_owned(), format!("{path}/")];
            serve(cfg, web::resource(both), &operations);
        }
    }

    /// The operations of each path below a scope. In each segment, names come before parameters, which
    /// would take them for values, and longer patterns before shorter ones.
    fn by_path(&self, scope: &str) -> Vec<(&str, Vec<&Operation>)> {
        let mut paths: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
        for operation in &self.0 {
            let path = operation.path.strip_prefix(scope);
            let path = path.unwrap_or(&operation.path).trim_end_matches('/');
            for path in [Some(path), operation.alias].into_iter().flatten() {
                paths.entry(path).or_default().push(operation);
            }
        }
        let mut paths: Vec<_> = paths.into_iter().collect();
        paths.sort_by_key(|(path, _)| {
            let segments = path.split('/');
            let order = segments.map(|part| (part.contains('{'), Reverse(part.len())));
            order.collect::<Vec<_>>()
        });
        paths
    }
}

fn serve(cfg: &mut ServiceConfig, mut resource: Resource, operations: &[&Operation]) {
    if let [
        Operation {
            kind: Kind::Anything,
            route,
            ..
        },
    ] = operations
    {
        cfg.service(resource.route(route()));
        return;
    }
    let mut allowed = Vec::new();
    for operation in operations {
        let method = operation.actix_method();
        let is_get = method == Method::GET;
        allowed.push(if is_get { "GET, HEAD" } else { method.as_str() }.to_owned());
        let route = (operation.route)();
        resource = resource.route(if is_get {
            route.guard(guard::Any(guard::Get()).or(guard::Head()))
        } else {
            route.method(method)
        });
    }
    let allow = allowed.join(", ");
    let resource = resource.default_service(web::to(move || {
        let mut answer = HttpResponse::MethodNotAllowed();
        answer.insert_header((header::ALLOW, allow.as_str()));
        std::future::ready(answer.finish())
    }));
    let kinds = operations.iter().map(|operation| operation.kind);
    match kinds.max().unwrap_or_default() {
        Kind::Usual => {
            let resource = resource.wrap(from_fn(only_known));
            cfg.service(resource.wrap(from_fn(limits::time)));
        }
        Kind::Login => {
            let resource = resource.wrap(from_fn(only_known));
            cfg.service(resource.wrap(from_fn(limits::login)));
        }
        Kind::Bulk => {
            let resource = resource.app_data(PayloadConfig::new(MAX_CSV_BYTES));
            let resource = resource.wrap(from_fn(only_known));
            cfg.service(resource.wrap(from_fn(limits::bulk)));
        }
        Kind::Probe | Kind::Anything => {
            cfg.service(resource.wrap(from_fn(limits::time)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(paths: &[&str]) -> Vec<String> {
        let operation = |path: &&str| {
            let documentation = Documentation::new();
            let get = HttpMethod::Get;
            Operation::new((*path).to_owned(), get, web::get, documentation, Vec::new())
        };
        let operations = Operations(paths.iter().map(operation).collect());
        let paths = operations.by_path("/admin").into_iter();
        paths.map(|(path, _)| path.to_owned()).collect()
    }

    #[test]
    fn a_name_is_looked_for_before_a_parameter_would_take_it_for_a_value() {
        for (first, second) in [
            ("/coupons/withheld", "/coupons/{kind_of_coupon}"),
            ("/coupons/withheld/{id}", "/coupons/{kind_of_coupon}/codes"),
            ("/odds/{feature}.csv", "/odds/{feature}"),
            ("/users/import", "/users/{id}"),
        ] {
            for paths in [[first, second], [second, first]] {
                let below = paths.map(|path| format!("/admin{path}/"));
                let below = below.each_ref().map(String::as_str);
                assert_eq!(order(&below), [first, second]);
            }
        }
    }
}
