//! The OpenAPI 3.1 document.

use std::{future::ready, sync::Arc};

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
        tag::TagBuilder,
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};
use xmas_http::{error::ErrorBody, openapi::complete};

use crate::{admin, health};

/// What a reader of the documentation needs before its first request.
const DESCRIPTION: &str = "\
A one-week seasonal event: season pass, games of chance and rewards.

## The first request

Log in, and send the token with everything else:

```sh
TOKEN=$(curl -s http://127.0.0.1:8000/api/auth/token -H 'content-type: application/json' \\
  -d '{\"external_id\":\"demo-01\",\"password\":\"demo-pass\"}' | jq -r .access_token)
curl -s http://127.0.0.1:8000/api/season-pass/status -H \"authorization: Bearer $TOKEN\"
curl -s -X POST http://127.0.0.1:8000/api/season-pass/stamp -H \"authorization: Bearer $TOKEN\" \\
  -H 'content-type: application/json' -H 'idempotency-key: first-stamp' -d '{\"source_feature_type\":\"ROULETTE\"}'
curl -s -X POST http://127.0.0.1:8000/api/roulette/play -H \"authorization: Bearer $TOKEN\" -H 'idempotency-key: first-spin'
curl -s http://127.0.0.1:8000/api/me/history -H \"authorization: Bearer $TOKEN\"
```

On this page, `POST /api/auth/token` under *auth* gives a token; paste its `access_token` into *Authorize*. A player's token opens \
`/api`, an admin's `/admin/api`. An `idempotency-key` makes a retry safe: the same request with the same key is done once, and its \
answer is given again.

## Conventions

- Days are dates in Asia/Seoul, timestamps are RFC 3339 with +09:00, and amounts are integers that every client can hold exactly (up \
to 9,000,000,000,000,000), written without a fraction.
- Texts that people enter are kept in the composed form of Unicode (NFC), must have something to see, and must have nothing hidden in \
them (invisible or direction-changing characters); spaces around ids do not count.
- **Lists** of operators come as `{\"items\": […], \"next_cursor\": …}`: send `next_cursor` back as `cursor` for the next page; null says \
that there is none. Those that clients have always read as bare arrays stay so, and tell the number of all rows in `x-total-count` or \
go on from a `cursor` that is the last row's id; each says which.
- `HEAD` is answered wherever `GET` is, with the same headers and no body. Other methods get 405 and `Allow`.
- **Errors** have the shape of `ErrorBody`. Messages and the texts in `details` are in English, or in Korean for an \
`Accept-Language` that prefers it; answers that depend on it say `Vary: Accept-Language`. Programs compare `error.code` only. What \
cannot be read as a request at all (more than 96 headers, none or two of `Host`, a head of more than 64 KiB) is 400 or 431 without a \
body, and the connection is closed.";

/// The groups of operations in the order in which a reader meets them.
const TAGS: [(&str, &str); 21] = [
    (
        "auth",
        "Log in, stay logged in, change the password. Start here.",
    ),
    ("season-pass", "The daily stamp, levels and their rewards."),
    ("roulette", "The roulette."),
    ("dice", "The dice game."),
    ("lottery", "The lottery."),
    ("ranking", "The boards that players see."),
    (
        "me",
        "What belongs to the player: wallet, history, inventory, bridge.",
    ),
    (
        "fairness",
        "Published odds, commitments and receipts: what a draw is checked with. Needs no token, but for one's own draws.",
    ),
    ("activity", "What clients report."),
    ("texts", "Texts that operators show in clients."),
    ("health", "For load balancers and supervisors."),
    ("retired", "Paths of earlier clients, which answer 410."),
    (
        "admin: players",
        "Accounts: find, create, change, import, block, anonymise.",
    ),
    ("admin: season", "Seasons and their levels."),
    (
        "admin: games",
        "What the games are like: segments, prizes, weights, stock.",
    ),
    (
        "admin: ranking",
        "The boards of each day, and the external board.",
    ),
    (
        "admin: configuration",
        "Kill switches, QA's schedule, and texts in clients.",
    ),
    (
        "admin: rewards",
        "Bundles, coupons, and rewards that wait for an admin.",
    ),
    (
        "admin: wallets",
        "Give, take and pay out, for one player or many.",
    ),
    (
        "admin: bridge",
        "The season bridge: its days, keys and settlement.",
    ),
    ("admin: reports", "Logs, lists and figures to look at."),
];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "XMAS 1Week",
        description = DESCRIPTION,
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
    let tag =
        |(name, text): (&str, &str)| TagBuilder::new().name(name).description(Some(text)).build();
    document.tags = Some(TAGS.map(tag).into());
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
            .service(web::resource(DOCUMENT).guard(get_or_head()).to(answer))
            .service(page)
            .service(
                web::resource("/api/docs/{file:.*}")
                    .guard(guard::Head())
                    .to(head_of),
            );
    }
}

const DOCUMENT: &str = "/api/docs/openapi.json";

/// The methods of everything that is only read.
pub(crate) fn get_or_head() -> impl guard::Guard {
    guard::Any(guard::Get()).or(guard::Head())
}

/// What the library, which serves GET alone, would answer; the server leaves the body out.
async fn head_of(file: web::Path<String>) -> HttpResponse {
    let config = Arc::new(Config::from(DOCUMENT));
    match utoipa_swagger_ui::serve(&file, config) {
        Ok(Some(file)) => HttpResponse::Ok()
            .content_type(file.content_type)
            .body(file.bytes.into_owned()),
        Ok(None) | Err(_) => HttpResponse::NotFound().finish(),
    }
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
