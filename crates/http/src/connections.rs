//! Open connections: how many each client has, and which of them nobody uses.
//!
//! The HTTP library bounds how long the first head of a connection may take, and how long a connection may
//! be idle; but not a further head that comes byte by byte, nor a client that does not read its answer.
//! Such a connection would hold its place for ever.

use std::{
    any::Any,
    collections::HashMap,
    net::{IpAddr, Shutdown},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    Error,
    body::{BodySize, MessageBody},
    dev::{Extensions, ServiceRequest, ServiceResponse},
    middleware::Next,
    rt::net::TcpStream,
    web::Bytes,
};
use ipnet::IpNet;
use pin_project_lite::pin_project;
use socket2::{SockRef, Socket};
use tokio::time::Instant;

use crate::{
    error::Refusal,
    extract::{is_in, network_of},
    metrics::{HttpMetrics, Up},
    middleware::places::{PerClient, Share},
};

/// How often connections are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// What is known of the connections of a server.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    by_client: PerClient,
    metrics: HttpMetrics,
    /// Many clients share a connection's address there.
    trusted_proxies: Vec<IpNet>,
    patience: Patience,
    started: Instant,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
}

/// How long a connection is kept of which nothing comes.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Between an answer and the end of the next head.
    pub head: Duration,
    /// For a part of an answer to be taken.
    pub answer: Duration,
}

/// One connection, as the requests on it see it.
struct Connection {
    socket: Socket,
    /// Requests whose answers are not finished.
    in_progress: AtomicU64,
    /// Of these, the ones whose answers have begun.
    answering: AtomicU64,
    /// When something last happened, in milliseconds since the server started.
    moved_at: AtomicU64,
}

/// A connection's entry among the open ones, until the connection is closed.
struct Entry {
    id: u64,
    connection: Arc<Connection>,
    of: Weak<Inner>,
    _share: Option<Share>,
    _open: Up,
}

impl Connections {
    /// `by_client` counts connections; those of trusted proxies are not counted.
    pub fn new(
        by_client: PerClient,
        trusted_proxies: Vec<IpNet>,
        patience: Patience,
        metrics: HttpMetrics,
    ) -> Self {
        Self(Arc::new(Inner {
            by_client,
            metrics,
            trusted_proxies,
            patience,
            started: Instant::now(),
            open: Mutex::default(),
            next: AtomicU64::new(0),
        }))
    }

    /// Takes a new connection in, or hangs up on a client that has too many.
    pub(crate) fn enter(&self, stream: &dyn Any, extensions: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<TcpStream>() else {
            return;
        };
        let stream = SockRef::from(stream);
        let entered = self.client_of(&stream).and_then(|client| {
            let share = self.0.by_client.take(client).map_err(|_| {
                self.0.metrics.rejected(Refusal::Connections);
            });
            Some((share.ok()?, stream.try_clone().ok()?))
        });
        match entered {
            Some((share, socket)) => extensions.insert(self.add(share, socket)),
            None => {
                // An error is a connection that is gone, which is what this is for.
                let _ = stream.shutdown(Shutdown::Both);
                None
            }
        };
    }

    /// Whose share of the connections it takes, if anybody's; `None` if the connection is gone already.
    fn client_of(&self, stream: &Socket) -> Option<Option<IpAddr>> {
        let peer = stream.peer_addr().ok()?.as_socket()?.ip().to_canonical();
        let is_trusted = is_in(&self.0.trusted_proxies, peer);
        Some((!is_trusted).then(|| network_of(peer)))
    }

    fn add(&self, share: Option<Share>, socket: Socket) -> Entry {
        let connection = Arc::new(Connection {
            socket,
            in_progress: AtomicU64::new(0),
            answering: AtomicU64::new(0),
            moved_at: AtomicU64::new(self.0.millis()),
        });
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.lock().insert(id, connection.clone());
        Entry {
            id,
            connection,
            of: Arc::downgrade(&self.0),
            _share: share,
            _open: self.0.metrics.connection(),
        }
    }

    /// Hangs up on those of which nothing comes, until the server is gone.
    pub(crate) fn look_after(&self) -> impl Future<Output = ()> + use<> {
        let inner = Arc::downgrade(&self.0);
        async move {
            let mut interval = tokio::time::interval(EVERY);
            loop {
                interval.tick().await;
                let Some(inner) = inner.upgrade() else {
                    return;
                };
                inner.hang_up();
            }
        }
    }
}

impl Inner {
    fn hang_up(&self) {
        let now = self.millis();
        for connection in self.lock().values() {
            if connection.is_stuck(now, self.patience) {
                tracing::debug!("a connection of which nothing comes is closed");
                // An error is a connection that is gone, which is what this is for.
                let _ = connection.socket.shutdown(Shutdown::Both);
            }
        }
    }

    fn millis(&self) -> u64 {
        millis(self.started.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// A request that is being handled has deadlines of its own.
    fn is_stuck(&self, now: u64, patience: Patience) -> bool {
        let in_progress = self.in_progress.load(Ordering::Relaxed);
        let answering = self.answering.load(Ordering::Relaxed);
        let still = now.saturating_sub(self.moved_at.load(Ordering::Relaxed));
        match (in_progress, answering) {
            (0, _) => still > millis(patience.head),
            (some, answers) if some == answers => still > millis(patience.answer),
            _ => false,
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(inner) = self.of.upgrade() {
            inner.lock().remove(&self.id);
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A request on a connection, until its answer is finished.
struct InProgress {
    connection: Arc<Connection>,
    of: Weak<Inner>,
    is_answering: bool,
}

impl InProgress {
    fn on(entry: &Entry) -> Self {
        entry.connection.in_progress.fetch_add(1, Ordering::Relaxed);
        Self {
            connection: entry.connection.clone(),
            of: entry.of.clone(),
            is_answering: false,
        }
    }

    fn answers(&mut self) {
        self.is_answering = true;
        self.connection.answering.fetch_add(1, Ordering::Relaxed);
        self.moves();
    }

    fn moves(&self) {
        if let Some(inner) = self.of.upgrade() {
            let now = inner.millis();
            self.connection.moved_at.store(now, Ordering::Relaxed);
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.moves();
        if self.is_answering {
            self.connection.answering.fetch_sub(1, Ordering::Relaxed);
        }
        self.connection.in_progress.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Notes what is in progress on a request's connection.
pub(crate) async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let entry = request.request().conn_data::<Entry>();
    let mut in_progress = entry.map(InProgress::on);
    let response = next.call(request).await?;
    if let Some(in_progress) = &mut in_progress {
        in_progress.answers();
    }
    Ok(response.map_body(|_, body| Watched { body, in_progress }))
}

pin_project! {
    /// A body, and what is in progress until its end.
    struct Watched<B> {
        #[pin]
        body: B,
        in_progress: Option<InProgress>,
    }
}

impl<B: MessageBody> MessageBody for Watched<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        if let Some(in_progress) = this.in_progress {
            in_progress.moves();
        }
        this.body.poll_next(context)
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, in_progress } = self;
        body.try_into_bytes()
            .map_err(|body| Self { body, in_progress })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(in_progress: u64, answering: u64) -> Connection {
        let socket = Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        Connection {
            socket: socket.unwrap(),
            in_progress: AtomicU64::new(in_progress),
            answering: AtomicU64::new(answering),
            moved_at: AtomicU64::new(1_000),
        }
    }

    #[test]
    fn only_where_nothing_comes_nobody_is_waited_for() {
        let patience = Patience {
            head: Duration::from_secs(10),
            answer: Duration::from_secs(60),
        };
        for (in_progress, answering, last) in [
            (0, 0, Some(11_000)),
            (1, 1, Some(61_000)),
            (2, 2, Some(61_000)),
            // Being handled, which may take its time.
            (1, 0, None),
            (2, 1, None),
        ] {
            let connection = connection(in_progress, answering);
            let is_stuck = |now| connection.is_stuck(now, patience);
            match last {
                Some(last) => assert!(!is_stuck(last) && is_stuck(last + 1)),
                None => assert!(!is_stuck(u64::MAX)),
            }
        }
    }
}
