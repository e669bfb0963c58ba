//! The OpenAPI 3.1 document.

use std::future::ready;

use actix_web::{
    HttpResponse, guard,
    http::header::ContentType,
    web::{self, Bytes, ServiceConfig},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};
use xmas_http::{error::ErrorBody, openapi::complete};

use crate::{admin, health};

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

/// The whole document.
pub fn document() -> Document {
    let parts = [
        xmas_player_api::operations(),
        health::operations(),
        admin::operations(),
    ];
    let mut document = Api::openapi();
    for part in parts {
        document.merge(part.document());
    }
    complete(&mut document, &parts);
    document
}

/// The document and the page that shows it, for every worker: as a value of the library's it takes 20 MB.
#[derive(Clone)]
pub(crate) struct Docs(Bytes);

impl Docs {
    pub(crate) fn of(document: &Document) -> Self {
        let json = serde_json::to_vec(document).expect("a document is JSON");
        Self(json.into())
    }

    pub(crate) fn serve(&self, cfg: &mut ServiceConfig) {
        let json = self.0.clone();
        let answer = move || {
            ready(
                HttpResponse::Ok()
                    .content_type(ContentType::json())
                    .body(json.clone()),
            )
        };
        let page = SwaggerUi::new("/api/docs/{_:.*}").config(Config::from(DOCUMENT));
        cfg.service(web::redirect("/api/docs", "/api/docs/"))
            .service(web::resource(DOCUMENT).guard(guard::Get()).to(answer))
            .service(page);
    }
}

const DOCUMENT: &str = "/api/docs/openapi.json";

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
