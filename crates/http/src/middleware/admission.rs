//! Who is served now, and who is told to come back: how many requests are in progress at once, and from whom.
//!
//! A request takes its place when its body has arrived, so that whoever sends slowly holds nothing that others
//! need: bodies on their way have places of another kind, and a deadline. Nobody waits for a place. Whoever
//! gets none is refused at once, which costs little and keeps those in progress fast.

use std::{net::IpAddr, time::Duration};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        ConnectionType,
        header::{self, HeaderMap},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use xmas_kernel::ErrorCode;

use crate::{
    error::ApiError,
    extract::client_address,
    middleware::{
        arrival::{Arrived, arrive, arrive_later, broken},
        limits::{Limits, MAX_BODY_BYTES},
        places::{Place, Share},
    },
};

/// All headers of a request together (docs/contract.md, "Limits").
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Most bodies come right behind their headers: they need no place of their own for so long.
const AT_ONCE: Duration = Duration::from_millis(50);

/// Refuses requests with too large headers, waits for the body, and gives the request its place.
pub async fn admission(
    limits: Data<Limits>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    if bytes_of(request.headers()) + request.uri().to_string().len() > MAX_HEADER_BYTES {
        return Ok(refuse(request, ApiError::new(ErrorCode::HeadersTooLarge)));
    }
    // Whether the process lives and is ready must not depend on load.
    if matches!(request.path(), "/health" | "/livez" | "/readyz") {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let _held = match admit(&limits, &mut request).await {
        Ok(held) => held,
        Err(error) => return Ok(refuse(request, error)),
    };
    let response = next.call(request).await?;
    Ok(response.map_into_left_body())
}

/// What a request holds while it is in progress.
type Held = (Place, Option<Place>, Option<Share>);

async fn admit(limits: &Limits, request: &mut ServiceRequest) -> Result<Held, ApiError> {
    let client = client_address(request.request());
    let upload = receive(limits, client, request).await?;
    let share = limits.by_client.take(client)?;
    Ok((limits.requests.take()?, upload, share))
}

/// Waits for a body of usual size. A larger one takes a place among the uploads, and is read by whoever wants
/// it, within the time that an upload has.
async fn receive(
    limits: &Limits,
    client: Option<IpAddr>,
    request: &mut ServiceRequest,
) -> Result<Option<Place>, ApiError> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return Ok(None);
    }
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let is_large = length.is_some_and(|length: usize| length > MAX_BODY_BYTES);
    let arrived = match is_large {
        true => Arrived::Partly(Bytes::new(), payload),
        false => {
            let mut arriving = std::pin::pin!(arrive(payload, MAX_BODY_BYTES));
            match tokio::time::timeout(AT_ONCE, &mut arriving).await {
                Ok(arrived) => arrived,
                Err(_) => {
                    let _share = limits.arriving_by_client.take(client)?;
                    let _place = limits.arriving.take()?;
                    let arrived = tokio::time::timeout(limits.body_time, arriving).await;
                    arrived.map_err(|_| ApiError::new(ErrorCode::BodyTooSlow))?
                }
            }
        }
    };
    match arrived {
        Arrived::Whole(bytes) => {
            request.set_payload(Payload::from(bytes));
            Ok(None)
        }
        Arrived::Broken(part, error) => {
            request.set_payload(broken(part, error));
            Ok(None)
        }
        Arrived::Partly(part, rest) => {
            let place = limits.uploads.take()?;
            request.set_payload(arrive_later(part, rest, limits.upload_time));
            Ok(Some(place))
        }
    }
}

fn refuse<B>(request: ServiceRequest, error: ApiError) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let (request, _) = request.into_parts();
    let mut refusal = HttpResponse::from_error(error);
    // What is left of the body is not waited for.
    refusal
        .head_mut()
        .set_connection_type(ConnectionType::Close);
    ServiceResponse::new(request, refusal).map_into_right_body()
}

fn bytes_of(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum()
}
