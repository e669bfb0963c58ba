//! The OpenAPI 3.1 document.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use xmas_admin_api as admin;
use xmas_http::{error::ErrorBody, openapi::complete};
use xmas_kernel::ErrorCode;

use crate::health;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "XMAS 1Week",
        description = "A one-week seasonal event: season pass, games of chance and rewards. Days are \
                       dates in Asia/Seoul, timestamps are RFC 3339 with +09:00, amounts are integers \
                       that every client can hold exactly (up to 9,000,000,000,000,000) and are written \
                       without a fraction. Texts that people enter are kept in the composed form of \
                       Unicode (NFC), must have something to see, and must have nothing hidden in them \
                       (invisible or direction-changing characters); spaces around ids do not count. \
                       Every error has the shape of `ErrorBody`, but for what cannot be read as a request \
                       at all (more than 96 headers, none or two of `Host`, a head of more than 64 KiB): \
                       that is 400 or 431 without a body, and the connection is closed."
    ),
    components(schemas(ErrorBody)),
    modifiers(&Bearer)
)]
struct Api;

#[derive(OpenApi)]
#[openapi(paths(health::alive, health::ready))]
struct Health;

/// The whole document.
pub fn document() -> Document {
    let mut document = Api::openapi();
    document.merge(xmas_player_api::document());
    document.merge(Health::openapi());
    for part in admin::documents() {
        document.merge(part);
    }
    complete(&mut document, |method, path| {
        let health = ("/readyz", health::READY_ERRORS);
        let own = xmas_player_api::ERRORS
            .iter()
            .chain([&health])
            .find(|(with_errors, _)| *with_errors == path);
        let mut codes = own.map_or(&[][..], |(_, codes)| codes).to_vec();
        codes.extend(of_admin(method, path));
        codes
    });
    document
}

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    }
}

/// The errors of an admin path, which differ by method.
fn of_admin(method: &str, path: &str) -> &'static [ErrorCode] {
    let operation = format!("{method} {path}");
    let mut all = admin::ERRORS.iter().copied().flatten();
    let own = all.find(|(known, _)| *known == operation);
    own.map_or(&[], |(_, codes)| codes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_path_with_errors_of_its_own_is_documented() {
        let document = document();
        for (path, _) in xmas_player_api::ERRORS {
            assert!(document.paths.paths.contains_key(path), "{path}");
        }
        let operations = document.paths.paths.iter().flat_map(|(path, item)| {
            let methods = [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            let there = methods.into_iter().filter(|(_, is_there)| *is_there);
            there.map(move |(method, _)| format!("{method} {path}"))
        });
        let operations: BTreeSet<String> = operations.collect();
        for (operation, _) in admin::ERRORS.iter().copied().flatten() {
            assert!(operations.contains(*operation), "{operation}");
        }
    }
}
