use std::collections::{BTreeMap, BTreeSet, HashMap};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    middleware::Next,
    web::{Bytes, Data},
};
use serde::Deserialize;
use url::form_urlencoded;
use utoipa::openapi::{OpenApi as Document, RefOr, path::ParameterIn};
use xmas_kernel::{Problem, Problems, unknown_name};
use xmas_texts::{Text, body, field};

use crate::{
    error::ApiResult,
    extract::{Bearer, read, read_json, refuse, shortened},
};

/// What each operation takes, as the OpenAPI document says it.
#[derive(Debug)]
pub struct Contract {
    /// By path, without a slash at its end and without the names of its parts, and by method.
    paths: HashMap<String, HashMap<&'static str, Operation>>,
}

#[derive(Debug, Default)]
struct Operation {
    parameters: Vec<String>,
    takes_body: bool,
    needs_token: bool,
}

impl Contract {
    pub fn of(document: &Document) -> Self {
        let path = |(path, item): (&String, &utoipa::openapi::PathItem)| {
            let operations = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("DELETE", &item.delete),
            ];
            let of = |(method, operation): (_, &Option<utoipa::openapi::path::Operation>)| {
                Some((method, Operation::of(operation.as_ref()?)))
            };
            (
                nameless(path),
                operations.into_iter().filter_map(of).collect(),
            )
        };
        Self {
            paths: document.paths.paths.iter().map(path).collect(),
        }
    }

    async fn check(&self, request: &mut ServiceRequest) -> ApiResult<()> {
        let path = request.match_pattern().unwrap_or_default();
        let method = match request.method().as_str() {
            "HEAD" => "GET",
            other => other,
        };
        // Whatever the document has forgotten takes nothing; a test would have told so.
        let forgotten = Operation::default();
        let operation = match self.paths.get(&nameless(&path)) {
            None => &forgotten,
            Some(methods) => match methods.get(method) {
                Some(operation) => operation,
                // The answer is that there is no such method.
                None => return Ok(()),
            },
        };
        let checked = operation.check(request).await;
        if checked.is_err() && operation.needs_token {
            // Who asks comes before what is asked.
            Bearer::of(request.request())?;
        }
        checked
    }
}

impl Operation {
    fn of(operation: &utoipa::openapi::path::Operation) -> Self {
        let parameters = operation.parameters.iter().flatten();
        let name = |parameter: &RefOr<utoipa::openapi::path::Parameter>| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => {
                Some(parameter.name.clone())
            }
            RefOr::T(_) | RefOr::Ref(_) => None,
        };
        Self {
            parameters: parameters.filter_map(name).collect(),
            takes_body: operation.request_body.is_some(),
            needs_token: operation.security.is_some(),
        }
    }

    async fn check(&self, request: &mut ServiceRequest) -> ApiResult<()> {
        self.check_query(request.query_string())?;
        if !self.takes_body {
            expect_no_body(request).await?;
        }
        Ok(())
    }

    fn check_query(&self, query: &str) -> ApiResult<()> {
        let known: Vec<&str> = self.parameters.iter().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        // One of each name, however often it is sent.
        let mut problems = BTreeMap::new();
        for (name, _) in form_urlencoded::parse(query.as_bytes()) {
            let name = shortened(&name);
            let text = if name.is_empty() {
                field::nameless_parameter(self.parameters.clone())
            } else if !known.contains(&name.as_str()) {
                unknown_name(field::a_parameter(), &name, &known)
            } else if seen.contains(&name) {
                field::given_twice()
            } else {
                seen.insert(name);
                continue;
            };
            problems.insert(name, text);
        }
        let problem = |(name, text): (String, Text)| match name.as_str() {
            "" => Problem::new("query", text),
            name if known.contains(&name) => Problem::new(name, text),
            name => Problem::of_stranger("", name, text),
        };
        let mut told = Problems::default();
        problems
            .into_iter()
            .map(problem)
            .for_each(|it| told.push(it));
        refuse(told.into_vec())
    }
}

/// A path without the names of its parts: they are different words for the same.
fn nameless(path: &str) -> String {
    let mut nameless = String::with_capacity(path.len());
    let mut is_name = false;
    for character in path.trim_end_matches('/').chars() {
        is_name &= character != '}';
        if !is_name {
            nameless.push(character);
        }
        is_name |= character == '{';
    }
    nameless
}

/// No body at all, or `{}`, which some clients send in the place of none.
async fn expect_no_body(request: &mut ServiceRequest) -> ApiResult<()> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    if matches!(request.parts_mut().1, Payload::None) {
        return Ok(());
    }
    let bytes = read(request.extract::<Bytes>()).await?;
    if !bytes.trim_ascii().is_empty() {
        let Nothing {} = read_json(&bytes, b'{', body::no_body())?;
    }
    request.set_payload(Payload::from(bytes));
    Ok(())
}

/// Refuses query parameters that the document does not name, those that are there twice, and a body where
/// none is taken: a misspelt filter would find everybody, a misspelt `dry_run` would do the work. It is
/// wrapped around every endpoint ([`crate::endpoint`]), so that no handler can forget it.
pub async fn only_known(
    contract: Data<Contract>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    match contract.check(&mut request).await {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => {
            let (request, _) = request.into_parts();
            let refusal = HttpResponse::from_error(error);
            Ok(ServiceResponse::new(request, refusal).map_into_right_body())
        }
    }
}

#[cfg(test)]
mod tests {
    use xmas_texts::Language;

    use super::*;
    use crate::error::Details;

    fn problems(query: &str) -> Vec<(String, Vec<String>)> {
        let operation = Operation {
            parameters: vec!["external_id".to_owned(), "min_amount".to_owned()],
            ..Operation::default()
        };
        match operation.check_query(query) {
            Ok(()) => Vec::new(),
            Err(error) => {
                let body = serde_json::to_value(error.body("", Language::English)).unwrap();
                let details = body["error"]["details"].clone();
                let details: Details = serde_json::from_value(details).unwrap();
                details.into_iter().collect()
            }
        }
    }

    #[test]
    fn parameters_are_known_and_come_once() {
        for query in [
            "",
            "&",
            "external_id=a&min_amount=1",
            "external%5fid=",
            "min_amount",
        ] {
            assert_eq!(problems(query), [], "{query}");
        }
        for (query, field, problem) in [
            (
                "exernal_id=a",
                "exernal_id",
                "\"exernal_id\" is not a parameter here; did you mean \"external_id\"?",
            ),
            (
                "%ED%95%84",
                "필",
                "\"필\" is not a parameter here; known are external_id, min_amount.",
            ),
            (
                "=1",
                "query",
                "the query must give every parameter a name; known are external_id, min_amount.",
            ),
            (
                "min_amount=1&min%5Famount=2",
                "min_amount",
                "min_amount must be given only once.",
            ),
        ] {
            let expected = (field.to_owned(), vec![problem.to_owned()]);
            assert_eq!(problems(query), [expected], "{query}");
        }
    }

    #[test]
    fn paths_are_compared_without_the_names_of_their_parts() {
        assert_eq!(nameless("/a/{id}/b/{day}/"), "/a/{}/b/{}");
        assert_eq!(nameless("/a/{feature}.csv"), "/a/{}.csv");
    }
}
