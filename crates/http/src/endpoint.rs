use actix_web::{
    HttpResponse, Resource, Route,
    dev::HttpServiceFactory,
    guard,
    http::{Method, header},
    middleware::from_fn,
    web::{self, PayloadConfig},
};

use crate::middleware::{
    contract::only_known,
    limits::{self, MAX_CSV_BYTES},
};

/// One path that answers one method (and HEAD with GET), within the time that a request may take. Other methods get a
/// 405 that names the right one.
pub fn endpoint(path: &str, method: &Method, route: Route) -> impl HttpServiceFactory + use<> {
    let resource = answering(web::resource(path), vec![(method.clone(), route)]);
    resource
        .wrap(from_fn(only_known))
        .wrap(from_fn(limits::time))
}

/// A path that load balancers ask, which append parameters of their own: it takes no notice of any.
pub fn probe(path: &str, route: Route) -> impl HttpServiceFactory + use<> {
    answering(web::resource(path), vec![(Method::GET, route)]).wrap(from_fn(limits::time))
}

/// A path of the admin API, with and without a slash at its end, and what it answers to each method.
pub fn admin<const N: usize>(
    path: &str,
    routes: [(Method, Route); N],
) -> impl HttpServiceFactory + use<N> {
    answering(web::resource(both(path)), routes.into())
        .wrap(from_fn(only_known))
        .wrap(from_fn(limits::time))
}

/// As [`admin`], for work on many players: it takes a table of up to ten megabytes, and longer.
pub fn bulk<const N: usize>(
    path: &str,
    routes: [(Method, Route); N],
) -> impl HttpServiceFactory + use<N> {
    answering(web::resource(both(path)), routes.into())
        .app_data(PayloadConfig::new(MAX_CSV_BYTES))
        .wrap(from_fn(only_known))
        .wrap(from_fn(limits::bulk_time))
}

fn both(path: &str) -> [String; 2] {
    let path = path.trim_end_matches('/');
    [path.to_owned(), format!("{path}/")]
}

fn answering(mut resource: Resource, routes: Vec<(Method, Route)>) -> Resource {
    let mut allowed = Vec::new();
    for (method, route) in routes {
        let is_get = method == Method::GET;
        allowed.push(if is_get { "GET, HEAD" } else { method.as_str() }.to_owned());
        resource = resource.route(if is_get {
            route.guard(guard::Any(guard::Get()).or(guard::Head()))
        } else {
            route.method(method)
        });
    }
    let allow = allowed.join(", ");
    resource.default_service(web::to(move || {
        let mut answer = HttpResponse::MethodNotAllowed();
        answer.insert_header((header::ALLOW, allow.as_str()));
        std::future::ready(answer.finish())
    }))
}
