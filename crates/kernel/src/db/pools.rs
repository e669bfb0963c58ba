//! A pool for each runtime.
//!
//! A connection to a server is driven by the reactor of the runtime that opened it. Each worker of an HTTP server has a runtime of
//! its own: a connection that another worker has opened would wake two threads for every answer, and breaks when that worker has
//! nothing left to do while the server ends, whatever is in progress on it.

use std::{
    fmt,
    future::Future,
    pin::pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
};

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend, DbErr, metric::Info};
use tokio::runtime::{Handle, Id};

type Observer = Arc<dyn Fn(&Info<'_>) + Send + Sync>;

/// A runtime, or none, and its pool.
type Owned = (Option<Id>, DatabaseConnection);

/// The pools of all runtimes. A clone has the same ones.
#[derive(Clone)]
pub(super) struct Pools {
    options: ConnectOptions,
    observer: Option<Observer>,
    /// Of the runtime that connected.
    first: Owned,
    /// Of others, in the order in which they came. The last one serves whoever comes after it.
    others: Arc<[OnceLock<Owned>]>,
}

impl Pools {
    /// Connects in the calling runtime. Of others up to `runtimes` - 1 open a pool each when they first ask, with as many
    /// connections as the options say.
    pub(super) async fn connect(options: ConnectOptions, runtimes: usize) -> Result<Self, DbErr> {
        let first = Database::connect(options.clone()).await?;
        Ok(Self {
            options,
            observer: None,
            first: (here(), first),
            others: (1..runtimes).map(|_| OnceLock::new()).collect(),
        })
    }

    /// The pool of the calling runtime.
    pub(super) fn here(&self) -> &DatabaseConnection {
        let here = here();
        let (owner, mut pool) = (self.first.0, &self.first.1);
        if owner == here {
            return pool;
        }
        for other in &*self.others {
            let (owner, its) = other.get_or_init(|| (here, self.open()));
            pool = its;
            if *owner == here {
                break;
            }
        }
        pool
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.first.1.get_database_backend()
    }

    /// All pools that were opened.
    pub(super) fn opened(&self) -> impl Iterator<Item = &DatabaseConnection> {
        let others = self.others.iter().filter_map(OnceLock::get);
        std::iter::once(&self.first.1).chain(others.map(|(_, pool)| pool))
    }

    /// Tells `observe` of every statement, also of pools that are opened later.
    pub(super) fn observe(&mut self, observe: impl Fn(&Info<'_>) + Send + Sync + 'static) {
        let observer: Observer = Arc::new(observe);
        observed(&mut self.first.1, &observer);
        // Earlier clones keep theirs, unobserved.
        for other in Arc::make_mut(&mut self.others) {
            if let Some((_, pool)) = other.get_mut() {
                observed(pool, &observer);
            }
        }
        self.observer = Some(observer);
    }

    /// A pool without a connection yet, so that nothing is waited for.
    fn open(&self) -> DatabaseConnection {
        let mut options = self.options.clone();
        options.connect_lazy(true);
        let opened = pin!(Database::connect(options));
        match opened.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(mut pool)) => {
                if let Some(observer) = &self.observer {
                    observed(&mut pool, observer);
                }
                pool
            }
            // The same options have connected before.
            Poll::Ready(Err(_)) | Poll::Pending => self.first.1.clone(),
        }
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.opened()).finish()
    }
}

fn here() -> Option<Id> {
    Handle::try_current().ok().map(|runtime| runtime.id())
}

fn observed(pool: &mut DatabaseConnection, observer: &Observer) {
    let observer = observer.clone();
    pool.set_metric_callback(move |info| observer(info));
}
