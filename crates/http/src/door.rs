//! What the server listens on, and how nobody who was let in is shut out when it closes.

use std::{
    net::{Shutdown, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;
use tokio::sync::{mpsc, oneshot};

/// How often it is looked whether somebody stands before the door, a millisecond apart.
const LOOKS: usize = 1_000;

/// How long a connection may take from the thread that accepts it to a worker.
const HANDED_OVER_WITHIN: Duration = Duration::from_millis(250);

/// How long a worker may take to come for what it was handed.
const WORKERS_COME_WITHIN: Duration = Duration::from_secs(5);

/// The way in.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    workers: Workers,
}

impl Door {
    pub(crate) fn new(listener: TcpListener, workers: Workers) -> Self {
        Self { listener, workers }
    }

    /// Refuses new connections, and returns when the workers have those that were accepted. A server that is
    /// stopped before would hang up on connections that no worker has come for yet, whatever was sent on them.
    pub async fn close(self) {
        // The system accepts clients before the server does, and hangs up on those who still wait for it then.
        for _ in 0..LOOKS {
            if !self.is_waited_before() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if let Err(error) = SockRef::from(&self.listener).shutdown(Shutdown::Both) {
            tracing::debug!(%error, "nobody listened any more");
        }
        tokio::time::sleep(HANDED_OVER_WITHIN).await;
        let have_come = self.workers.have_come();
        if tokio::time::timeout(WORKERS_COME_WITHIN, have_come)
            .await
            .is_err()
        {
            tracing::warn!("a worker does not come for its connections");
        }
    }

    /// Whether a client has connected whom the server has not accepted yet.
    fn is_waited_before(&self) -> bool {
        let mut listeners = [PollFd::new(&self.listener, PollFlags::IN)];
        // An error is a listener that is gone, before which nobody waits.
        poll(&mut listeners, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }
}

/// The threads that serve connections. Each takes what it is handed in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workers(Arc<Mutex<Vec<mpsc::UnboundedSender<oneshot::Sender<()>>>>>);

impl Workers {
    /// Adds the calling thread, which must run the tasks of an actix runtime.
    pub(crate) fn add_this(&self) {
        let (sender, mut receiver) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
        actix_web::rt::spawn(async move {
            while let Some(answer) = receiver.recv().await {
                // An error is somebody who did not wait so long.
                let _ = answer.send(());
            }
        });
        let mut workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        workers.push(sender);
    }

    /// Waits until every thread has done what it had to do when it was asked.
    async fn have_come(&self) {
        let workers = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // A task may yield with work left; it is run again before the second answer.
        for worker in workers.iter().chain(&workers) {
            let (answer, answered) = oneshot::channel();
            // An error is a thread that has ended.
            if worker.send(answer).is_ok() {
                let _ = answered.await;
            }
        }
    }
}
