use actix_cors::Cors;

/// The admin UI's origins, allowed everywhere.
const ADMIN_UI: [&str; 2] = ["https://cc-jm.com", "https://www.cc-jm.com"];
/// Where the clients' development servers listen.
const DEV_PORTS: [u16; 3] = [3000, 4173, 5173];

/// Who may call from a browser.
#[derive(Clone, Debug)]
pub struct CorsPolicy {
    any: bool,
    origins: Vec<String>,
}

impl CorsPolicy {
    /// The admin UI, the origins that are `configured`, and outside of production development servers.
    pub fn new<'a>(configured: impl Iterator<Item = &'a str>, is_production: bool) -> Self {
        let mut origins: Vec<String> = ADMIN_UI.map(str::to_owned).into();
        if !is_production {
            for host in ["localhost", "127.0.0.1"] {
                origins.extend(DEV_PORTS.map(|port| format!("http://{host}:{port}")));
            }
        }
        origins.extend(configured.map(str::to_owned));
        let any = origins.iter().any(|origin| origin == "*");
        Self { any, origins }
    }

    pub fn middleware(&self) -> Cors {
        let cors = Cors::default()
            .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
            .allowed_headers([
                "authorization",
                "content-type",
                "idempotency-key",
                "x-request-id",
                "x-reason",
                "if-match",
                "traceparent",
            ])
            .expose_headers([
                "x-request-id",
                "retry-after",
                "etag",
                "idempotency-replayed",
                "x-total-count",
            ])
            .max_age(3600);
        if self.any {
            return cors.allow_any_origin();
        }
        self.origins
            .iter()
            .filter(|origin| *origin != "*")
            .fold(cors, |cors, origin| cors.allowed_origin(origin))
    }
}
