//! The HTTP server, and the order of what happens to every request.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, dev::Server, middleware::from_fn, web::ServiceConfig};

use crate::middleware::{
    cors::CorsPolicy, error_shape::error_shape, headers, limits, trace::trace,
};

/// How long a client may take to send its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);

/// What the server does with connections.
#[derive(Clone, Copy, Debug)]
pub struct ServerOptions {
    /// How many each worker keeps open; further ones wait to be accepted.
    pub connections: usize,
    /// How long requests in flight may take once the server is stopped.
    pub finish_within: Duration,
}

/// What a worker serves. It is no type parameter, so that what is generic in the server is built here, once.
pub type Configure = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// Serves an application on a listener until the returned server is stopped.
pub fn start(
    configure: Configure,
    cors: CorsPolicy,
    listener: TcpListener,
    options: ServerOptions,
) -> io::Result<Server> {
    let server = HttpServer::new(move || {
        // The last one wrapped around is the first to see a request.
        App::new()
            .configure(|cfg| configure(cfg))
            .wrap(from_fn(limits::admission))
            .wrap(cors.middleware())
            .wrap(from_fn(headers::security))
            .wrap(from_fn(error_shape))
            .wrap(from_fn(trace))
    });
    let server = server
        .max_connections(options.connections)
        .client_request_timeout(HEADERS_WITHIN)
        .shutdown_timeout(options.finish_within.as_secs())
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
