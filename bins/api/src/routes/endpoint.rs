use actix_web::{
    HttpResponse, Route,
    dev::HttpServiceFactory,
    guard,
    http::{Method, header},
    middleware::from_fn,
    web,
};

use crate::middleware::limits;

/// One path that answers one method (and HEAD with GET), within the time that a request may take. Other methods get a
/// 405 that names the right one.
pub(super) fn endpoint(
    path: &str,
    method: &Method,
    route: Route,
) -> impl HttpServiceFactory + use<> {
    let is_get = *method == Method::GET;
    let allow = if is_get { "GET, HEAD" } else { method.as_str() }.to_owned();
    let route = if is_get {
        route.guard(guard::Any(guard::Get()).or(guard::Head()))
    } else {
        route.method(method.clone())
    };
    let not_allowed = web::to(move || {
        let mut answer = HttpResponse::MethodNotAllowed();
        answer.insert_header((header::ALLOW, allow.as_str()));
        std::future::ready(answer.finish())
    });
    web::resource(path)
        .route(route)
        .default_service(not_allowed)
        .wrap(from_fn(limits::time))
}
