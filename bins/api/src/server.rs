//! The HTTP server.

use std::{io, net::TcpListener, time::Duration};

use actix_web::{App as ActixApp, HttpServer, dev::Server, middleware::from_fn};
use xmas_config::Config;
use xmas_http::middleware::{error_shape::error_shape, headers, limits, trace::trace};

use crate::wiring::App;

/// How long a client may take to send its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);

/// Serves the application on a listener until the returned server is stopped.
pub fn start(app: &App, listener: TcpListener, config: &Config) -> io::Result<Server> {
    let connections = usize::try_from(config.limits.client_connections).unwrap_or(usize::MAX);
    let longest_request = config.limits.request_seconds;
    let app = app.clone();
    let server = HttpServer::new(move || {
        // The last one wrapped around is the first to see a request.
        ActixApp::new()
            .configure(|cfg| app.configure(cfg))
            .wrap(from_fn(limits::admission))
            .wrap(app.cors.middleware())
            .wrap(from_fn(headers::security))
            .wrap(from_fn(error_shape))
            .wrap(from_fn(trace))
    });
    let server = server
        .max_connections(connections)
        .client_request_timeout(HEADERS_WITHIN)
        .shutdown_timeout(longest_request + 1)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
