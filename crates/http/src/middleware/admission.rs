//! Who is served now, and who is told to come back: how many requests are in progress at once, and from whom.
//!
//! A request takes its place when its body has arrived, so that whoever sends slowly holds nothing that others
//! need: bodies on their way have places of another kind, and a deadline. Nobody waits for a place. Whoever
//! gets none is refused at once, which costs little and keeps those in progress fast.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        ConnectionType,
        header::{self, HeaderMap},
    },
    middleware::Next,
    web::Data,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use xmas_kernel::ErrorCode;

use crate::{
    error::ApiError,
    extract::client_address,
    middleware::{
        arrival::{Arrived, arrive, arrive_later},
        limits::{Limits, MAX_BODY_BYTES},
    },
};

/// All headers of a request together (architecture.md §5).
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Most bodies come right behind their headers: they need no place of their own for so long.
const AT_ONCE: Duration = Duration::from_millis(50);
/// When a client that has too much in progress should come back.
const COME_BACK: Duration = Duration::from_secs(1);

/// A bounded number of places; a clone counts the same ones.
#[derive(Clone, Debug)]
pub struct Places(Arc<Semaphore>);

/// A place that is taken, until it is dropped.
pub type Place = OwnedSemaphorePermit;

impl Places {
    pub fn new(number: u64) -> Self {
        let number = usize::try_from(number).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(number.min(Semaphore::MAX_PERMITS))))
    }

    /// A place, or `OVERLOADED` at once if there is none.
    pub fn take(&self) -> Result<Place, ApiError> {
        let place = self.0.clone().try_acquire_owned();
        place.map_err(|_| ApiError::new(ErrorCode::Overloaded))
    }
}

/// How much each client has in progress. Clients that have nothing take no memory.
#[derive(Clone, Debug)]
pub struct PerClient {
    most: u64,
    taken: Arc<Mutex<HashMap<IpAddr, u64>>>,
}

/// A client's share that is taken, until it is dropped.
#[derive(Debug)]
pub struct Share {
    of: PerClient,
    client: IpAddr,
}

impl PerClient {
    /// `most` for each client; without a bound if it is 0.
    pub fn new(most: u64) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    /// One more for a client, or `TOO_MANY_REQUESTS` at once. What comes from nowhere is not counted.
    pub fn take(&self, client: Option<IpAddr>) -> Result<Option<Share>, ApiError> {
        let Some(client) = client.filter(|_| self.most > 0) else {
            return Ok(None);
        };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = taken.entry(client).or_default();
        if *of_client >= self.most {
            return Err(ApiError::too_many(COME_BACK));
        }
        *of_client += 1;
        let of = self.clone();
        Ok(Some(Share { of, client }))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let taken = self.of.taken.lock();
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        if let Some(of_client) = taken.get_mut(&self.client) {
            *of_client -= 1;
            if *of_client == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

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
        true => Arrived::Partly(Vec::new(), payload),
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
        Arrived::Partly(chunks, rest) => {
            let place = limits.uploads.take()?;
            request.set_payload(arrive_later(chunks, rest, limits.upload_time));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_come_back() {
        let places = Places::new(2);
        let first = places.take().unwrap();
        let _second = places.clone().take().unwrap();
        let refused = places.take().unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Overloaded);
        assert_eq!(refused.retry_after_seconds(), Some(1));
        drop(first);
        assert!(places.take().is_ok());
    }

    #[test]
    fn each_client_has_its_own_share() {
        let clients = PerClient::new(2);
        let address = |last| Some(IpAddr::from([192, 0, 2, last]));
        let first = clients.take(address(1)).unwrap();
        let _second = clients.take(address(1)).unwrap();
        let refused = clients.take(address(1)).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::TooManyRequests);
        assert_eq!(refused.retry_after_seconds(), Some(1));
        assert!(clients.take(address(2)).is_ok());
        drop(first);
        assert!(clients.take(address(1)).is_ok());
        drop(_second);
        assert!(clients.taken.lock().unwrap().is_empty());
    }

    #[test]
    fn without_a_bound_or_an_address_nobody_is_refused() {
        let unbounded = PerClient::new(0);
        let bounded = PerClient::new(1);
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        let held: Vec<_> = (0..9).map(|_| unbounded.take(address).unwrap()).collect();
        assert!(held.iter().all(Option::is_none));
        assert!(bounded.take(None).unwrap().is_none());
    }
}
