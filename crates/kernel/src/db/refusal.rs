//! Servers that stopped taking writes.
//!
//! After a failover the database's name may lead to another server, while every connection in the
//! pools still leads to the one that was demoted, which goes on answering reads. So once a server
//! refuses a write, connections that are older than its refusal are used no more. Asking each one
//! whether it may write would cost a statement per transaction.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// When writes were refused.
#[derive(Clone, Copy, Debug)]
struct Refusals {
    last: Instant,
    /// The last one that counts for reads.
    for_reads: Instant,
}

/// One for the whole process, which has one database: where an error is sorted, nobody knows which
/// pool it came from. In a process with several, such as tests, connections are only made anew.
static REFUSALS: Mutex<Option<Refusals>> = Mutex::new(None);

/// How long reads keep their connections, however many writes are refused: the server may well stay
/// the same, and be read by many.
const READS_KEEP: Duration = Duration::from_secs(1);

/// Remembers that a server has just refused a write.
pub(super) fn note() {
    let now = Instant::now();
    let mut refusals = REFUSALS.lock().unwrap_or_else(PoisonError::into_inner);
    let for_reads = match *refusals {
        Some(earlier) if now - earlier.for_reads < READS_KEEP => earlier.for_reads,
        _ => now,
    };
    *refusals = Some(Refusals {
        last: now,
        for_reads,
    });
}

/// Whether a connection of this age is older than a refusal, and may lead to the server that refused.
pub(super) fn outdates(age: Duration, is_for_reads: bool) -> bool {
    let refusals = *REFUSALS.lock().unwrap_or_else(PoisonError::into_inner);
    refusals.is_some_and(|refusals| {
        let refused_at = if is_for_reads {
            refusals.for_reads
        } else {
            refusals.last
        };
        refused_at.elapsed() <= age
    })
}
