use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev, web::Bytes};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use validator::{Validate, ValidationErrors};
use xmas_kernel::idempotency::RequestKey;

use crate::{
    error::{ApiError, Details},
    extract::{csv::LineProblems, json::read_json, json_text::json_text, payload::read},
};

/// How the OpenAPI document shows the header.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub struct IdempotencyKey {
    /// Makes a retry safe: 1 to 255 visible ASCII characters.
    #[param(rename = "idempotency-key")]
    key: Option<String>,
}

/// What a handler reads from a body.
pub trait Payload: Sized + 'static {
    fn parse(request: &HttpRequest, bytes: &[u8]) -> Result<Self, ApiError>;
}

/// A body that has been parsed and validated.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// A body that may be left out: by itself, or within a [`Command`].
#[derive(Debug)]
pub struct OptionalBody<T>(pub T);

/// A body, and the `Idempotency-Key` that may come with it.
#[derive(Debug)]
pub struct Command<T> {
    pub body: T,
    pub request: Option<RequestKey>,
}

/// No body, as [`crate::middleware::contract`] has made sure: a play needs none.
#[derive(Debug)]
pub struct Nothing;

impl Payload for Nothing {
    fn parse(_: &HttpRequest, _: &[u8]) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// A JSON array whose items validate. Of many problems the first are listed.
#[derive(Debug)]
pub struct List<T>(pub Vec<T>);

impl<T: DeserializeOwned + Validate + 'static> Payload for List<T> {
    fn parse(request: &HttpRequest, bytes: &[u8]) -> Result<Self, ApiError> {
        let items: Vec<T> = parse_json(request, bytes, b'[', "must be a JSON array")?;
        let mut problems = Details::new();
        for (index, item) in items.iter().enumerate() {
            if problems.len() >= LineProblems::MAX_LISTED {
                break;
            }
            if let Err(errors) = item.validate() {
                let of_item = details(&errors).into_iter();
                problems.extend(of_item.map(|(field, of)| (format!("{index}.{field}"), of)));
            }
        }
        if problems.is_empty() {
            Ok(Self(items))
        } else {
            Err(ApiError::validation(problems))
        }
    }
}

impl<T: Payload + Default> Payload for OptionalBody<T> {
    fn parse(request: &HttpRequest, bytes: &[u8]) -> Result<Self, ApiError> {
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        Ok(Self(T::parse(request, bytes)?))
    }
}

/// Any JSON object that validates.
impl<T: DeserializeOwned + Validate + 'static> Payload for T {
    fn parse(request: &HttpRequest, bytes: &[u8]) -> Result<Self, ApiError> {
        let body: T = parse_json(request, bytes, b'{', "must be a JSON object")?;
        body.validate()
            .map_err(|errors| ApiError::validation(details(&errors)))?;
        Ok(body)
    }
}

/// Reads JSON that begins with `opening`.
fn parse_json<T: DeserializeOwned>(
    request: &HttpRequest,
    bytes: &[u8],
    opening: u8,
    expected: &str,
) -> Result<T, ApiError> {
    read_json(json_text(request, bytes)?.as_bytes(), opening, expected)
}

pub(super) fn details(errors: &ValidationErrors) -> Details {
    let fields = errors.field_errors();
    let problems = fields.into_iter().map(|(field, errors)| {
        let problem = |error: &validator::ValidationError| {
            error.message.as_ref().unwrap_or(&error.code).to_string()
        };
        (field.to_string(), errors.iter().map(problem).collect())
    });
    problems.collect()
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, actix_web::Error>>>>;

impl<T: Payload> FromRequest for Body<T> {
    type Error = actix_web::Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move { Ok(Self(T::parse(&request, &read(bytes).await?)?)) })
    }
}

impl<T: Payload + Default> FromRequest for OptionalBody<T> {
    type Error = actix_web::Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move { Ok(<Self as Payload>::parse(&request, &read(bytes).await?)?) })
    }
}

impl<T: Payload> FromRequest for Command<T> {
    type Error = actix_web::Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let bytes = read(bytes).await?;
            Ok(Self {
                body: T::parse(&request, &bytes)?,
                request: request_key(&request, &bytes)?,
            })
        })
    }
}

pub(super) fn request_key(
    request: &HttpRequest,
    body: &[u8],
) -> Result<Option<RequestKey>, ApiError> {
    let mut keys = request.headers().get_all("idempotency-key");
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    if keys.next().is_some() {
        return Err(ApiError::field("Idempotency-Key", "is sent once"));
    }
    let key = key.to_str().unwrap_or_default();
    RequestKey::new(key, request.method().as_str(), request.path(), body)
        .map(Some)
        .map_err(|error| ApiError::field("Idempotency-Key", error.to_string()))
}
