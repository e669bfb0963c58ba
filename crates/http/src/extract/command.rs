use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev, web::Bytes};
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::IntoParams;
use validator::{Validate, ValidationError, ValidationErrors};
use xmas_kernel::{Problem, idempotency::RequestKey};
use xmas_texts::{Param, Text, body as texts, field};

use crate::{
    error::ApiError,
    extract::{
        csv::LineProblems, echo::refuse, json::read_json, json_text::json_text, payload::read,
    },
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
        let items: Vec<T> = parse_json(request, bytes, b'[', texts::json_array())?;
        let mut problems = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if problems.len() >= LineProblems::MAX_LISTED {
                break;
            }
            if let Err(errors) = item.validate() {
                problems.extend(invalid(&format!("{index}."), &errors));
            }
        }
        refuse(problems)?;
        Ok(Self(items))
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
        let body: T = parse_json(request, bytes, b'{', texts::json_object())?;
        body.validate()
            .map_err(|errors| ApiError::problems(invalid("", &errors)))?;
        Ok(body)
    }
}

/// Reads JSON that begins with `opening`.
fn parse_json<T: DeserializeOwned>(
    request: &HttpRequest,
    bytes: &[u8],
    opening: u8,
    expected: Text,
) -> Result<T, ApiError> {
    read_json(json_text(request, bytes)?.as_bytes(), opening, expected)
}

/// What is wrong with validated fields; `prefix` goes before their names. The texts follow from the bounds that the
/// fields declare, so that none is written twice.
pub(super) fn invalid(prefix: &str, errors: &ValidationErrors) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, errors) in errors.field_errors() {
        let problem = |error| Problem::new(format!("{prefix}{name}"), text_of(error));
        problems.extend(errors.iter().map(problem));
    }
    // By name, whatever the order of the map is.
    problems.sort_by(|one, other| one.field.cmp(&other.field));
    problems
}

fn text_of(error: &ValidationError) -> Text {
    let number = |name: &str| error.params.get(name).and_then(Value::as_i64);
    let given = error.params.get("value");
    match (error.code.as_ref(), number("min"), number("max")) {
        ("range", Some(min), Some(max)) => field::between(min, max, received(given)),
        ("range", None, Some(max)) => field::at_most(max, received(given)),
        ("range", Some(min), None) => field::at_least(min, received(given)),
        ("length", Some(min), Some(max)) => field::characters(min, max, length(given)),
        ("length", None, Some(max)) => field::characters_up_to(max, length(given)),
        _ => field::kind_other(),
    }
}

/// A number as it was received.
fn received(value: Option<&Value>) -> Param {
    match value {
        Some(value) => value
            .as_i64()
            .map_or_else(|| value.to_string().into(), Param::from),
        None => "".into(),
    }
}

/// How many characters were received; the text itself may be a secret.
fn length(value: Option<&Value>) -> usize {
    let text = value.and_then(Value::as_str);
    text.map_or(0, |text| text.chars().count())
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
        return Err(ApiError::field("Idempotency-Key", field::given_twice()));
    }
    let key = key.to_str().unwrap_or_default();
    RequestKey::new(key, request.method().as_str(), request.path(), body)
        .map(Some)
        .map_err(|error| ApiError::field("Idempotency-Key", error))
}
