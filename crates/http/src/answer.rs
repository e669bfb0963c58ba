use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody};
use serde::Serialize;
use xmas_kernel::idempotency::Replayable;

/// A 200 with JSON, which says so if it repeats an earlier answer.
#[derive(Debug)]
pub struct Answer<T> {
    body: T,
    replayed: bool,
}

impl<T> Answer<T> {
    /// Renders a service's result, fresh or stored, the same way.
    pub fn of<R>(outcome: Replayable<R>) -> Self
    where
        T: From<R>,
    {
        Self {
            body: outcome.result.into(),
            replayed: outcome.replayed,
        }
    }

    /// The same, with another body.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            body: change(self.body),
            replayed: self.replayed,
        }
    }
}

impl<T: Serialize> Responder for Answer<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        if self.replayed {
            answer.insert_header(("idempotency-replayed", "true"));
        }
        answer.json(self.body)
    }
}
