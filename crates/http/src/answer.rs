use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, Responder,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, ETag, EntityTag, Header, IfNoneMatch},
    },
};
use serde::Serialize;
use xmas_kernel::{idempotency::Replayable, version::Version};

/// A 200 or 201 with JSON, which says so if it repeats an earlier answer.
#[derive(Debug)]
pub struct Answer<T> {
    body: T,
    status: StatusCode,
    replayed: bool,
    has_texts: bool,
}

/// The header of an answer that was given before.
const REPLAYED: (&str, &str) = ("idempotency-replayed", "true");

/// The header of an answer with texts for people.
pub const VARY_BY_LANGUAGE: (header::HeaderName, &str) = (header::VARY, "Accept-Language");

/// Answers what changes seldom with an `ETag`, or with 304 if the request knows it as it is. A copy may be kept, but is
/// asked about each time. `is_there` says whether there is anything, which `If-None-Match: *` asks.
pub fn tagged(
    request: &HttpRequest,
    version: &Version,
    is_there: bool,
    answer: impl FnOnce(&mut HttpResponseBuilder) -> HttpResponse,
) -> HttpResponse {
    let tag = EntityTag::new_strong(version.as_str().to_owned());
    let is_known = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => is_there,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut builder = HttpResponse::Ok();
    builder.insert_header((header::CACHE_CONTROL, "no-cache"));
    builder.insert_header(ETag(tag));
    match is_known {
        true => builder.status(StatusCode::NOT_MODIFIED).finish(),
        false => answer(&mut builder),
    }
}

/// [`tagged`], of JSON that is its own version.
pub fn tagged_json(request: &HttpRequest, body: &impl Serialize) -> HttpResponse {
    tagged(request, &Version::of(body), true, |answer| {
        answer.json(body)
    })
}

/// A 204, which says so if it repeats an earlier answer.
pub fn no_content(done: &Replayable<()>) -> HttpResponse {
    let mut answer = HttpResponse::NoContent();
    if done.replayed {
        answer.insert_header(REPLAYED);
    }
    answer.finish()
}

impl<T> Answer<T> {
    /// Renders a service's result, fresh or stored, the same way.
    pub fn of<R>(outcome: Replayable<R>) -> Self
    where
        T: From<R>,
    {
        Self {
            body: outcome.result.into(),
            status: StatusCode::OK,
            replayed: outcome.replayed,
            has_texts: false,
        }
    }

    /// The same, whose texts are in the language that the request asks for.
    pub fn with_texts(self) -> Self {
        Self {
            has_texts: true,
            ..self
        }
    }

    /// The same, with another body.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            body: change(self.body),
            status: self.status,
            replayed: self.replayed,
            has_texts: self.has_texts,
        }
    }

    /// The same as a 201: something was created.
    pub fn created(self) -> Self {
        Self {
            status: StatusCode::CREATED,
            ..self
        }
    }
}

impl<T: Serialize> Responder for Answer<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        if self.replayed {
            answer.insert_header(REPLAYED);
        }
        if self.has_texts {
            answer.append_header(VARY_BY_LANGUAGE);
        }
        answer.json(self.body)
    }
}
