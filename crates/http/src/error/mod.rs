//! What goes wrong, as clients see it (docs/contract.md, "Errors" and "Codes").
//! What each error of the domain crates becomes is in `map.rs`.

mod map;
mod refusal;

use std::{borrow::Cow, collections::BTreeMap, error::Error, fmt, time::Duration};

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_kernel::{ErrorCode, Problem, Problems};
use xmas_texts::{Language, Text, field};

pub use map::{Coded, Codes};
pub use refusal::Refusal;

pub type ApiResult<T> = Result<T, ApiError>;

/// Field to problems.
pub type Details = BTreeMap<String, Vec<String>>;

/// An error on its way to a client.
#[derive(Debug)]
pub struct ApiError {
    pub(super) code: ErrorCode,
    /// What is wrong with which field, the most important first.
    problems: Vec<Problem>,
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
            problems: Vec::new(),
            retry_after: (code.http_status() == 503).then_some(RETRY_AFTER),
            refusal: (code == ErrorCode::BodyTooSlow).then_some(Refusal::BodyTooSlow),
            source: None,
        }
    }

    /// A `VALIDATION_ERROR` about one field.
    pub fn field(field: impl Into<String>, text: impl Into<Text>) -> Self {
        Self::problems(vec![Problem::new(field, text)])
    }

    /// What is wrong with a request or with something that was to be saved: the code of the first problem that has one
    /// of its own, and all of them by field.
    pub fn problems(problems: Vec<Problem>) -> Self {
        let mut codes = problems.iter().map(|problem| problem.code);
        let own = codes.find(|code| *code != ErrorCode::ValidationError);
        Self {
            problems,
            ..Self::new(own.unwrap_or(ErrorCode::ValidationError))
        }
    }

    /// `UNSUPPORTED_MEDIA_TYPE`, with what the header must be instead.
    pub fn unsupported(header: &str, text: impl Into<Text>) -> Self {
        let code = ErrorCode::UnsupportedMediaType;
        Self::problems(vec![Problem::coded(code, header, text)])
    }

    /// `NOT_READY`, with what is not.
    pub fn not_ready(problems: Vec<Problem>) -> Self {
        Self {
            problems,
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

    /// The answer's body for whoever reads this language; the request id is known to the middleware that asks for it.
    pub fn body(&self, request_id: &str, language: Language) -> ErrorBody {
        ErrorBody {
            error: ErrorInfo {
                code: self.code.as_str(),
                message: self.code.message(language),
                request_id: request_id.to_owned(),
                details: self.details(language),
            },
            detail: Cow::Borrowed(self.code.as_str()),
        }
    }

    /// The same for operators, whose client shows `detail` as it is: of a `VALIDATION_ERROR` that is the first problem,
    /// and how many more there are. Every other code is looked up by it.
    pub fn body_for_operators(&self, request_id: &str, language: Language) -> ErrorBody {
        let body = self.body(request_id, language);
        let Some(first) = self.problems.first() else {
            return body;
        };
        if self.code != ErrorCode::ValidationError {
            return body;
        }
        let first = first.sentence(language);
        let are_all = self.problems.len() <= Problems::LISTED;
        let told = match self.problems.len() - 1 {
            0 => first,
            more if are_all => field::and_more(first, more).in_language(language),
            _ => field::and_many_more(first).in_language(language),
        };
        ErrorBody {
            detail: Cow::Owned(told),
            ..body
        }
    }

    fn details(&self, language: Language) -> Option<Details> {
        let mut details = Details::new();
        for problem in &self.problems {
            let of_field = details.entry(problem.field.clone()).or_default();
            of_field.push(problem.sentence(language));
        }
        (!details.is_empty()).then_some(details)
    }

    /// The fields with something wrong and the key of each text, for the log; no values.
    pub fn fields(&self) -> String {
        const LISTED: usize = 10;
        let shown = self.problems.iter().take(LISTED);
        let shown = shown.map(|problem| {
            let field = problem.known_field();
            format!("{} ({})", field.escape_debug(), problem.text.key())
        });
        let mut fields: Vec<String> = shown.collect();
        if self.problems.len() > LISTED {
            fields.push(format!("and {} more", self.problems.len() - LISTED));
        }
        fields.join(", ")
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
    /// The code once more, where the admin client reads it. For a `VALIDATION_ERROR` under `/admin/api` it is the first
    /// problem as a sentence.
    detail: Cow<'static, str>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ErrorInfo {
    code: &'static str,
    /// A sentence in the language that `Accept-Language` asks for: English or Korean.
    message: &'static str,
    /// Finds the request in the log.
    request_id: String,
    /// Field to problems, each a sentence in that language, for `VALIDATION_ERROR` and the codes of configurations.
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
