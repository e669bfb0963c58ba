//! Places that requests take while they are in progress.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use xmas_kernel::ErrorCode;

use crate::error::{ApiError, Refusal};

/// When a client that has too much in progress should come back.
const COME_BACK: Duration = Duration::from_secs(1);

/// A bounded number of places; a clone counts the same ones.
#[derive(Clone, Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    refusal: Refusal,
}

/// A place that is taken, until it is dropped.
pub type Place = OwnedSemaphorePermit;

impl Places {
    /// `number` places, and what it is called to find none free.
    pub fn new(number: u64, refusal: Refusal) -> Self {
        let number = usize::try_from(number).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(number.min(Semaphore::MAX_PERMITS))),
            refusal,
        }
    }

    /// A place, or `OVERLOADED` at once if there is none.
    pub fn take(&self) -> Result<Place, ApiError> {
        let place = self.free.clone().try_acquire_owned();
        place.map_err(|_| ApiError::new(ErrorCode::Overloaded).by(self.refusal))
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
            return Err(ApiError::too_many(COME_BACK).by(Refusal::Address));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_come_back() {
        let places = Places::new(2, Refusal::Uploads);
        let first = places.take().unwrap();
        let _second = places.clone().take().unwrap();
        let refused = places.take().unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Overloaded);
        assert_eq!(refused.retry_after_seconds(), Some(1));
        assert_eq!(refused.refusal(), Some(Refusal::Uploads));
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
