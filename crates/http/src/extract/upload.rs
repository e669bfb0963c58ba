use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev, web::Bytes};
use xmas_kernel::{ErrorCode, Problem};
use xmas_texts::{body, field};

use crate::{
    error::ApiError,
    extract::{
        command::Payload,
        csv::{CsvTable, CsvUpload, LineProblems, is_table},
        json_text::is_json,
        media::MediaType,
        payload::read,
    },
    middleware::limits::MAX_BODY_BYTES,
};

/// A body that is a table or JSON, as its content type says. JSON has the usual limit; where it carries the
/// rows of a table itself, as old clients send them, `JSON_BYTES` is that of a table.
#[derive(Debug)]
pub struct Upload<T, const JSON_BYTES: usize = MAX_BODY_BYTES> {
    pub content: Content<T>,
    /// The body as it came.
    pub bytes: Bytes,
}

#[derive(Debug)]
pub enum Content<T> {
    Table(CsvUpload),
    Json(T),
}

impl<T: Payload, const JSON_BYTES: usize> FromRequest for Upload<T, JSON_BYTES> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let media = MediaType::of(request);
        if is_table(&media) {
            let table = CsvUpload::from_request(request, payload);
            return Box::pin(async move {
                let table = table.await?;
                Ok(Self {
                    bytes: table.bytes.clone(),
                    content: Content::Table(table),
                })
            });
        }
        let bytes = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            if !is_json(&media) {
                let text = body::content_type_csv_or_json();
                return Err(ApiError::unsupported("Content-Type", text).into());
            }
            let bytes = read(bytes).await?;
            if bytes.len() > JSON_BYTES {
                return Err(ApiError::new(ErrorCode::BodyTooLarge).into());
            }
            let content = Content::Json(T::parse(&request, &bytes)?);
            Ok(Self { content, bytes })
        })
    }
}

/// Where rows came from, so that what is wrong with them is told in the sender's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The field of the body that has them; nothing for a bare array.
    Json(&'static str),
    /// The line of each row.
    Csv(Vec<u64>),
}

impl Source {
    pub fn of(table: &CsvTable) -> Self {
        Self::Csv(table.rows.iter().map(|row| row.line).collect())
    }

    /// The answer to problems whose fields begin with the index of a row: `3.user_id`. Any other field
    /// is about all of them.
    pub fn refuse(&self, mut problems: Vec<Problem>) -> ApiError {
        let more = problems.len().saturating_sub(LineProblems::MAX_LISTED);
        problems.truncate(LineProblems::MAX_LISTED);
        for problem in &mut problems {
            problem.field = self.name(&problem.field);
        }
        if more > 0 {
            problems.push(Problem::new(self.whole(), field::more_problems(more)));
        }
        ApiError::problems(problems)
    }

    fn whole(&self) -> &'static str {
        match self {
            Source::Json("") => "body",
            Source::Json(field) => field,
            Source::Csv(_) => "csv",
        }
    }

    fn name(&self, field: &str) -> String {
        let row = field.split_once('.');
        let row = row.and_then(|(index, name)| Some((index.parse::<usize>().ok()?, name)));
        match (row, self) {
            (None, _) => self.whole().to_owned(),
            (Some(_), Source::Json("")) => field.to_owned(),
            (Some(_), Source::Json(prefix)) => format!("{prefix}.{field}"),
            (Some((index, name)), Source::Csv(lines)) => {
                let line = lines.get(index).copied().unwrap_or_default();
                format!("line {line}.{name}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use xmas_kernel::ErrorCode;
    use xmas_texts::Language;

    use super::*;

    #[test]
    fn rows_are_named_as_the_sender_knows_them() {
        for (source, row, whole) in [
            (Source::Json(""), "1.rank", "body"),
            (Source::Json("items"), "items.1.rank", "items"),
            (Source::Csv(vec![2, 5]), "line 5.rank", "csv"),
        ] {
            assert_eq!(source.name("1.rank"), row);
            assert_eq!(source.name("rows"), whole);
        }
    }

    #[test]
    fn problems_are_listed_up_to_a_bound() {
        let problem = |row| {
            let path = format!("{row}.user_id");
            Problem::coded(ErrorCode::UserNotFound, path, field::required())
        };
        let refused = Source::Json("").refuse((0..150).map(problem).collect());
        assert_eq!(refused.code(), ErrorCode::UserNotFound);
        let body = serde_json::to_value(refused.body("", Language::English)).unwrap();
        let details = body["error"]["details"].as_object().unwrap();
        assert_eq!(details.len(), LineProblems::MAX_LISTED + 1);
        assert_eq!(
            details["body"][0],
            "the body has 50 more problems that are not listed."
        );
    }
}
