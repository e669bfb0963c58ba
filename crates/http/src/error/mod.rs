//! What goes wrong, as clients see it (api.md §1 and §2).
//! What each error of the domain crates becomes is in `map.rs`.

mod map;
mod refusal;

use std::{collections::BTreeMap, error::Error, fmt, time::Duration};

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_kernel::{ErrorCode, Problem};

pub use map::{Coded, Codes, reactivate};
pub use refusal::Refusal;

pub type ApiResult<T> = Result<T, ApiError>;

/// Field to problems.
pub type Details = BTreeMap<String, Vec<String>>;

/// An error on its way to a client.
#[derive(Debug)]
pub struct ApiError {
    pub(super) code: ErrorCode,
    details: Option<Details>,
    retry_after: Option<Duration>,
    /// The limit that it comes from, if it comes from one.
    refusal: Option<Refusal>,
    /// What the log should know and the client should not.
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// When a client should come back if nobody knows better.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl ApiError {
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            details: None,
            retry_after: (code.http_status() == 503).then_some(RETRY_AFTER),
            refusal: (code == ErrorCode::BodyTooSlow).then_some(Refusal::BodyTooSlow),
            source: None,
        }
    }

    /// A `VALIDATION_ERROR` about fields.
    pub fn validation(details: Details) -> Self {
        Self {
            details: Some(details),
            ..Self::new(ErrorCode::ValidationError)
        }
    }

    /// A `VALIDATION_ERROR` about one field.
    pub fn field(field: &str, problem: impl Into<String>) -> Self {
        Self::validation(Details::from([(field.to_owned(), vec![problem.into()])]))
    }

    /// What is wrong with something that was to be saved: the code of the first problem that has one
    /// of its own, and all of them by field.
    pub fn problems(problems: Vec<Problem>) -> Self {
        let mut codes = problems.iter().map(|problem| problem.code);
        let own = codes.find(|code| *code != ErrorCode::ValidationError);
        let mut details = Details::new();
        for problem in problems {
            let of_field = details.entry(problem.field).or_default();
            of_field.push(problem.text);
        }
        Self {
            details: Some(details),
            ..Self::new(own.unwrap_or(ErrorCode::ValidationError))
        }
    }

    /// `UNSUPPORTED_MEDIA_TYPE`, with what the header must be instead.
    pub fn unsupported(header: &str, problem: impl Into<String>) -> Self {
        Self {
            details: Some(Details::from([(header.to_owned(), vec![problem.into()])])),
            ..Self::new(ErrorCode::UnsupportedMediaType)
        }
    }

    pub fn not_ready(details: Details) -> Self {
        Self {
            details: Some(details),
            ..Self::new(ErrorCode::NotReady)
        }
    }

    pub fn too_many(retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(ErrorCode::TooManyRequests)
        }
    }

    /// The same, turned away by this limit.
    pub fn by(self, refusal: Refusal) -> Self {
        Self {
            refusal: Some(refusal),
            ..self
        }
    }

    /// Something that should not have gone wrong, whatever the request was.
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::caused_by(ErrorCode::Internal, source)
    }

    pub(super) fn caused_by(code: ErrorCode, source: impl Error + Send + Sync + 'static) -> Self {
        Self {
            source: Some(Box::new(source)),
            ..Self::new(code)
        }
    }

    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The limit that it comes from, if it comes from one.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// The answer's body; the request id is known to the middleware that asks for it.
    pub fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody {
            error: ErrorInfo {
                code: self.code.as_str(),
                message: self.code.message(),
                request_id: request_id.to_owned(),
                details: self.details.clone(),
            },
            detail: self.code.as_str(),
        }
    }

    pub fn retry_after_seconds(&self) -> Option<u64> {
        // Never 0: the client would be back before the window is over.
        self.retry_after
            .map(|after| after.as_secs() + u64::from(after.subsec_nanos() > 0))
    }
}

/// What every error looks like.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    error: ErrorInfo,
    /// The code once more, where the admin client reads it.
    detail: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct ErrorInfo {
    code: &'static str,
    /// For developers; clients show their own texts.
    message: &'static str,
    /// Finds the request in the log.
    request_id: String,
    /// Field to problems, for `VALIDATION_ERROR` and the codes of configurations.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
}

impl Error for ApiError {}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Status and headers only: [`crate::middleware::error_shape`] writes the body.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after_seconds() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        response.finish()
    }
}
