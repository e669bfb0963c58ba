//! The HTTP server, and the order of what happens to every request.

use std::{
    io,
    net::TcpListener,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{
    App, Error, HttpServer,
    body::MessageBody,
    dev::{Server, ServiceRequest, ServiceResponse},
    http::ConnectionType,
    middleware::{Next, from_fn},
    web::{Data, ServiceConfig},
};

use ipnet::IpNet;

use crate::{
    connections::{Connections, Patience, watch},
    door::{Door, Workers},
    metrics::HttpMetrics,
    middleware::{
        admission::admission, cors::CorsPolicy, error_shape::error_shape, headers,
        places::PerClient, trace::trace,
    },
};

/// How long a connection is kept on which nothing is asked.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// What the server does with connections.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// How many each worker keeps open; further ones wait to be accepted.
    pub connections: usize,
    /// How long requests in flight may take once the server is stopped.
    pub finish_within: Duration,
    pub draining: Draining,
    pub connections_by_client: PerClient,
    pub metrics: HttpMetrics,
    /// Whose connections are not counted.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a client may take to send its headers.
    pub head_time: Duration,
    /// How long a client may take to read a part of an answer.
    pub answer_time: Duration,
}

/// Whether the server is about to stop. While it is, every answer closes its connection: a client that keeps
/// one would otherwise send its next request when nobody listens any more.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The server, and the door that clients come in by.
pub struct Running {
    pub server: Server,
    pub door: Door,
}

/// What a worker serves. It is no type parameter, so that what is generic in the server is built here, once.
pub type Configure = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// How many runtimes a program has that serves: that of its beginning, and one for each worker.
pub fn runtimes() -> usize {
    1 + cores()
}

/// Each has a worker.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Serves an application on a listener until the returned server is stopped.
pub fn start(
    configure: Configure,
    cors: CorsPolicy,
    listener: TcpListener,
    options: ServerOptions,
) -> io::Result<Running> {
    let workers = Workers::default();
    let door = Door::new(listener.try_clone()?, workers.clone());
    let ServerOptions {
        connections,
        finish_within,
        head_time,
        ..
    } = options;
    let patience = Patience {
        // Both have a deadline by themselves, the head only the first time.
        head: KEEP_ALIVE + head_time,
        answer: options.answer_time,
    };
    let watched = Connections::new(
        options.connections_by_client,
        options.trusted_proxies,
        patience,
        options.metrics.clone(),
    );
    tokio::spawn(watched.look_after());
    let (draining, metrics) = (options.draining, options.metrics);
    let server = HttpServer::new(move || {
        workers.add_this();
        // The last one wrapped around is the first to see a request.
        App::new()
            .app_data(Data::new(draining.clone()))
            .app_data(Data::new(metrics.clone()))
            .configure(|cfg| configure(cfg))
            .wrap(from_fn(admission))
            .wrap(cors.middleware())
            .wrap(from_fn(headers::security))
            .wrap(from_fn(error_shape))
            .wrap(from_fn(trace))
            .wrap(from_fn(close_while_draining))
            .wrap(from_fn(watch))
    });
    let server = server
        .workers(cores())
        .max_connections(connections)
        .on_connect(move |stream, extensions| watched.enter(stream, extensions))
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(head_time)
        .shutdown_timeout(finish_within.as_secs())
        .disable_signals()
        .listen(listener)?;
    let server = server.run();
    Ok(Running { server, door })
}

async fn close_while_draining(
    draining: Data<Draining>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    if draining.has_begun() {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
