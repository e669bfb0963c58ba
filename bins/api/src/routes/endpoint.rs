use actix_web::{
    HttpResponse, Route,
    dev::HttpServiceFactory,
    http::{Method, header},
    middleware::from_fn,
    web,
};

use crate::middleware::limits;

/// One path that answers one method, within the time that a request may take. Other methods get a
/// 405 that names the right one.
pub(super) fn endpoint(
    path: &str,
    method: &Method,
    route: Route,
) -> impl HttpServiceFactory + use<> {
    let allow = method.to_string();
    let not_allowed = web::to(move || {
        let mut answer = HttpResponse::MethodNotAllowed();
        answer.insert_header((header::ALLOW, allow.as_str()));
        std::future::ready(answer.finish())
    });
    web::resource(path)
        .route(route.method(method.clone()))
        .default_service(not_allowed)
        .wrap(from_fn(limits::time))
}
