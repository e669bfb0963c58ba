use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev, web::Data};
use percent_encoding::percent_decode_str;
use xmas_kernel::{ErrorCode, UserId};
use xmas_players::{GivenId, Players};
use xmas_texts::{body::account_in_path, quoted};

use crate::error::{ApiError, ApiResult};

/// What stands before an external id in a path.
pub const BY_EXTERNAL_ID: &str = "external_id:";

/// The account that the one variable part of a path names: by its id, or by `external_id:` and its
/// external id. Digits alone are always the id.
#[derive(Clone, Copy, Debug)]
pub struct AccountPart(Option<UserId>);

impl AccountPart {
    /// Its id; `missing` if nobody is named so. A number that is nobody's is found out by whoever
    /// looks for it.
    pub fn id(self, missing: ErrorCode) -> ApiResult<UserId> {
        self.0.ok_or_else(|| ApiError::new(missing))
    }
}

impl FromRequest for AccountPart {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let part = request.match_info().iter().next();
            let (name, part) = part.unwrap_or_default();
            let user_id = match named(name, part)? {
                Named::Number(id) => id.map(UserId),
                Named::External(given) => account_of(&request, &given).await?,
            };
            Ok(Self(user_id))
        })
    }
}

/// The account, of a player or an admin, that an external id means.
pub async fn account_of(request: &HttpRequest, given: &GivenId) -> ApiResult<Option<UserId>> {
    let desk = request.app_data::<Data<Players>>();
    let desk = desk.expect("wiring registers the desk of players");
    Ok(desk.account_of(given).await?)
}

#[derive(Debug, PartialEq, Eq)]
enum Named {
    /// `None` if it is larger than any id.
    Number(Option<i64>),
    External(GivenId),
}

/// How a part of a path names an account. The router has decoded what cannot be mistaken for a part of
/// the path itself; the rest is decoded here.
fn named(field: &str, part: &str) -> ApiResult<Named> {
    if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Named::Number(part.parse().ok()));
    }
    let text = percent_decode_str(part).decode_utf8().ok();
    let external_id = text.as_ref().and_then(|it| it.strip_prefix(BY_EXTERNAL_ID));
    let external_id =
        external_id.ok_or_else(|| ApiError::field(field, account_in_path(quoted(part))))?;
    let given = GivenId::try_from(external_id);
    given
        .map(Named::External)
        .map_err(|error| ApiError::field(field, error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use xmas_texts::Language;

    use super::*;

    #[test]
    fn an_account_is_named_by_its_number_or_by_its_external_id() {
        let external = |text: &str| Some(Named::External(GivenId::any(text)));
        for (part, expected) in [
            ("42", Some(Named::Number(Some(42)))),
            ("007", Some(Named::Number(Some(7)))),
            ("99999999999999999999", Some(Named::Number(None))),
            ("external_id:42", external("42")),
            ("external_id:santa", external("santa")),
            ("external_id%3Asanta", external("santa")),
            ("external_id:%EC%82%B0%ED%83%80", external("산타")),
            ("external_id:산타", external("산타")),
            ("external_id:a%2Fb%25c%3Ad", external("a/b%c:d")),
            ("external_id:a:b", external("a:b")),
            ("external_id:", None),
            ("external_id:%00", None),
            ("external_id:%FF", None),
            ("External_id:santa", None),
            ("external-id:santa", None),
            ("santa", None),
            ("-1", None),
            ("+1", None),
            ("４２", None),
            ("", None),
        ] {
            assert_eq!(named("id", part).ok(), expected, "{part}");
        }
    }

    proptest! {
        #[test]
        fn any_part_of_a_path_names_an_account_or_is_refused_by_its_field(
            part in prop_oneof![any::<String>(), "[0-9]{1,25}", "external_id(:|%3A)([a-z]|%[0-9A-F]{2}|산|%){0,9}"],
        ) {
            match named("id", &part) {
                Ok(Named::Number(id)) => prop_assert!(id.is_none_or(|id| id >= 0)),
                Ok(Named::External(given)) => prop_assert!(!given.as_str().is_empty()),
                Err(refused) => {
                    prop_assert_eq!(refused.code(), ErrorCode::ValidationError);
                    let body = serde_json::to_value(refused.body("", Language::English)).unwrap();
                    prop_assert!(body["error"]["details"]["id"].is_array());
                }
            }
        }

        #[test]
        fn an_external_id_comes_through_encoded(name in "[a-z산타🎄/%:?# ]{1,20}") {
            prop_assume!(!name.trim().is_empty());
            let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(
                named("id", &format!("external_id:{encoded}")).ok(),
                Some(Named::External(GivenId::any(&name)))
            );
        }
    }
}
