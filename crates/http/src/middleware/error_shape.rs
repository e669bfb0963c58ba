use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{ConnectionType, Method, StatusCode, header},
    middleware::Next,
    web::Data,
};
use xmas_kernel::{ErrorCode, with_causes};

use crate::{
    answer::VARY_BY_LANGUAGE,
    error::ApiError,
    extract::PreferredLanguage,
    metrics::HttpMetrics,
    middleware::{spans, trace::RequestId},
};

/// Where operators' paths are.
const OPERATORS: &str = "/admin/api/";

/// Gives every error answer the one shape of the contract, whoever made it: a handler, an
/// extractor, the router or the framework. Unclassified failures are logged here, once and whole.
pub async fn error_shape(
    metrics: Data<HttpMetrics>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let response = next.call(request).await?;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return Ok(response.map_into_left_body());
    }
    let id = response.request().extensions().get::<RequestId>().cloned();
    let id = id.as_ref().map_or("", RequestId::as_str);
    let known = response
        .response()
        .error()
        .and_then(|error| error.as_error::<ApiError>());
    let bare;
    let error = match known {
        Some(error) => error,
        None => {
            bare = ApiError::new(code_for(status));
            &bare
        }
    };
    log(error);
    spans::failed(error.code());
    metrics.failed(&response, error);
    let status = StatusCode::from_u16(error.code().http_status());
    let mut shaped = HttpResponse::build(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            shaped.append_header((name, value));
        }
    }
    shaped.append_header(VARY_BY_LANGUAGE);
    if response.response().head().connection_type() == ConnectionType::Close {
        shaped.force_close();
    }
    let shaped = if response.request().method() == Method::HEAD {
        shaped.finish()
    } else {
        let PreferredLanguage(language) = PreferredLanguage::of(response.request());
        let is_for_operators = response.request().path().starts_with(OPERATORS);
        shaped.json(match is_for_operators {
            true => error.body_for_operators(id, language),
            false => error.body(id, language),
        })
    };
    Ok(response.into_response(shaped).map_into_right_body())
}

/// What an error that carries no code of ours means.
fn code_for(status: StatusCode) -> ErrorCode {
    match status {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedMediaType,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ErrorCode::HeadersTooLarge,
        StatusCode::SERVICE_UNAVAILABLE => ErrorCode::NotReady,
        status if status.is_client_error() => ErrorCode::ValidationError,
        _ => ErrorCode::Internal,
    }
}

fn log(error: &ApiError) {
    let code = error.code();
    if code.http_status() == 422 {
        // Which values were sent is nobody's business here.
        let fields = error.fields();
        tracing::info!(%code, fields, "a request was refused: {code}: {fields}");
    }
    let Some(source) = error.source() else {
        return;
    };
    let chain = with_causes(source);
    if code.http_status() == 500 {
        tracing::error!(%code, cause = chain, "a request failed: {chain}");
    } else {
        tracing::warn!(%code, cause = chain, "a request was turned away: {chain}");
    }
}
