//! Answers that are given again without the database.

use std::{future::Future, sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::header};
use serde::Serialize;
use xmas_cache::Cache;
use xmas_kernel::idempotency::{Replayable, RequestKey};
use xmas_players::Identity;

use crate::error::{ApiError, ApiResult};

/// Finished answers to players' requests with an `Idempotency-Key`, where replicas share a cache.
///
/// A repetition is then answered without the player's lock: what a client sends again and again while
/// the database is slow does not make it slower. The database stays the one who decides: what is not
/// found here, also because the key came with another request, is asked there. So losing an answer
/// loses nothing.
///
/// A token may be stale, or its player blocked or anonymised, since the answer was given; who holds it
/// then sees their own answer once more for [`FinishedAnswers::LIFETIME`], and nothing happens.
#[derive(Clone)]
pub struct FinishedAnswers {
    cache: Option<Arc<dyn Cache>>,
}

/// What may be an answer to a request that is sent again.
pub trait Finished: Serialize {
    /// Whether it may leave the database. No answer may that shows the code of a coupon.
    fn may_be_kept(&self) -> bool;
}

/// A 200 with JSON that is written already, and says so if it repeats an earlier one.
#[derive(Debug)]
pub struct FinishedAnswer {
    json: Vec<u8>,
    replayed: bool,
}

impl FinishedAnswers {
    pub const LIFETIME: Duration = Duration::from_secs(5 * 60);

    /// Only a cache that replicas share is worth it.
    pub fn new(cache: Arc<dyn Cache>) -> Self {
        Self {
            cache: Some(cache).filter(|cache| cache.is_shared()),
        }
    }

    /// The answer to a request of a player: one that is kept, or what `run` brings, as `T`.
    pub async fn answer<T, R, E>(
        &self,
        player: &Identity,
        request: Option<&RequestKey>,
        run: impl Future<Output = Result<Replayable<R>, E>>,
    ) -> ApiResult<FinishedAnswer>
    where
        T: Finished + From<R>,
        ApiError: From<E>,
    {
        let place = self.cache.as_ref().zip(request);
        let place = place.map(|(cache, request)| (cache, key(player, request)));
        if let Some((cache, key)) = &place
            && let Some(json) = cache.get(key).await
        {
            return Ok(FinishedAnswer {
                json,
                replayed: true,
            });
        }
        let outcome = run.await?;
        let answer = T::from(outcome.result);
        let json = serde_json::to_vec(&answer).map_err(ApiError::internal)?;
        if let Some((cache, key)) = place
            && answer.may_be_kept()
        {
            cache.put(&key, json.clone(), Self::LIFETIME).await;
        }
        Ok(FinishedAnswer {
            json,
            replayed: outcome.replayed,
        })
    }
}

/// Where an answer is kept: with everything that makes two requests the same one.
fn key(player: &Identity, request: &RequestKey) -> String {
    let Identity {
        user_id,
        token_epoch,
    } = player;
    let (fingerprint, name) = (request.fingerprint(), request.as_str());
    format!("answer:{user_id}:{token_epoch}:{fingerprint}:{name}")
}

impl Responder for FinishedAnswer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        answer.content_type(header::ContentType::json());
        if self.replayed {
            answer.insert_header(("idempotency-replayed", "true"));
        }
        answer.body(self.json)
    }
}

#[cfg(test)]
mod tests {
    use xmas_kernel::UserId;

    use super::*;

    #[test]
    fn whatever_makes_requests_differ_makes_their_places_differ() {
        let request =
            |key: &str, path: &str, body: &[u8]| RequestKey::new(key, "POST", path, body).unwrap();
        let place = |user_id, token_epoch, request: &RequestKey| {
            let player = Identity {
                user_id: UserId(user_id),
                token_epoch,
            };
            key(&player, request)
        };
        let first = request("k", "/a", b"{}");
        assert_eq!(place(7, 0, &first), place(7, 0, &request("k", "/a", b"{}")));
        for other in [
            place(8, 0, &first),
            place(7, 1, &first),
            place(70, 0, &first),
            place(7, 0, &request("l", "/a", b"{}")),
            place(7, 0, &request("k", "/b", b"{}")),
            place(7, 0, &request("k", "/a", b"{ }")),
        ] {
            assert_ne!(place(7, 0, &first), other);
        }
    }
}
