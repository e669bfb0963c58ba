//! What the process shows to those who watch it, at `/metrics` of an address of its own (docs/metrics.md).

mod event;
mod process;
mod samples;
mod state;
mod statements;

use std::{io, net::TcpListener, sync::Arc};

use actix_web::{
    App as HttpApp, HttpResponse, HttpServer,
    dev::Server,
    http::header::ContentType,
    web::{self, Data},
};
use prometheus_client::{encoding::prometheus_text, registry::Registry};

use xmas_cache::Cache;
use xmas_http::{metrics::HttpMetrics, server::Draining};
use xmas_kernel::db::Db;

use crate::watch::Watch;

use self::{event::EventMetrics, process::ProcessMetrics, state::StateMetrics};

pub use self::{
    process::Build,
    statements::{AcquireTimes, StatementMetrics},
};

/// Where metrics are read from.
pub struct Sources {
    pub build: Build,
    pub http: HttpMetrics,
    pub statements: StatementMetrics,
    pub db: Db,
    pub cache: Arc<dyn Cache>,
    pub draining: Draining,
    pub watch: Arc<Watch>,
}

/// Everything that is shown.
#[derive(Debug)]
pub struct Metrics(Registry);

impl Metrics {
    /// Shows what these sources have, whenever it is asked.
    pub fn new(sources: Sources) -> Self {
        let Sources {
            build,
            http,
            statements,
            db,
            cache,
            draining,
            watch,
        } = sources;
        let mut registry = Registry::default();
        http.register(&mut registry);
        statements.register(&mut registry);
        registry.register_collector(Box::new(StateMetrics {
            db,
            cache,
            draining,
        }));
        registry.register_collector(Box::new(EventMetrics::new(watch)));
        registry.register_collector(Box::new(ProcessMetrics(build)));
        Self(registry)
    }

    /// In the text format of Prometheus.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}

/// Serves metrics until the returned server is stopped. Nothing else is served there, and nobody is asked for a token.
///
/// Fails if the listener cannot be used.
pub fn serve(listener: TcpListener, metrics: Metrics) -> io::Result<Server> {
    let metrics = Data::new(metrics);
    let server = HttpServer::new(move || {
        HttpApp::new()
            .app_data(metrics.clone())
            .route("/metrics", web::get().to(show))
    });
    // Whoever scrapes is one, or few.
    let server = server.workers(1).max_connections(64).disable_signals();
    Ok(server.shutdown_timeout(1).listen(listener)?.run())
}

async fn show(metrics: Data<Metrics>) -> HttpResponse {
    match metrics.text() {
        Ok(text) => HttpResponse::Ok()
            .content_type(prometheus_text::CONTENT_TYPE)
            .body(text),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be shown");
            HttpResponse::InternalServerError()
                .content_type(ContentType::plaintext())
                .finish()
        }
    }
}
