use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::sync::{Mutex, MutexGuard};

/// Keeps requests away from a server that does not answer.
///
/// Closed, everything passes. After [`BreakerOptions::opens_after`] failures in a row it opens, and
/// nothing passes for a pause. Then it is half open: one probe passes, and nothing else until the
/// probe has ended. A probe that succeeds closes it; one that fails opens it again, for twice as long
/// as before but no longer than [`BreakerOptions::longest_pause`].
#[derive(Debug)]
pub(crate) struct Breaker {
    options: BreakerOptions,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct BreakerOptions {
    /// Failures in a row, at least 1.
    pub(crate) opens_after: u32,
    pub(crate) first_pause: Duration,
    pub(crate) longest_pause: Duration,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Failures in a row so far.
    Closed { failures: u32 },
    /// Until the end of a pause of this length.
    Open { until: Instant, pause: Duration },
    /// A probe is under way, after a pause of this length.
    HalfOpen { pause: Duration },
}

/// What somebody may do who asks the breaker.
#[derive(Debug)]
pub(crate) enum Pass {
    /// Ask the server, and report how it went.
    Through,
    /// Find out whether the server is back.
    Probe(Probe),
    /// Do without.
    Refused,
}

/// The one attempt that decides whether the breaker closes. Dropped without a word, it has failed.
#[derive(Debug)]
pub(crate) struct Probe {
    breaker: Arc<Breaker>,
    succeeded: bool,
}

impl Breaker {
    /// One that is open, and lets a probe pass at once: nobody has seen the server yet.
    pub(crate) fn new(options: BreakerOptions) -> Arc<Self> {
        let state = State::Open {
            until: Instant::now(),
            pause: Duration::ZERO,
        };
        Arc::new(Self {
            options,
            state: Mutex::new(state),
        })
    }

    pub(crate) fn ask(self: &Arc<Self>) -> Pass {
        let mut state = self.state();
        match *state {
            State::Closed { .. } => Pass::Through,
            State::Open { until, pause } if until <= Instant::now() => {
                *state = State::HalfOpen { pause };
                Pass::Probe(Probe {
                    breaker: self.clone(),
                    succeeded: false,
                })
            }
            State::Open { .. } | State::HalfOpen { .. } => Pass::Refused,
        }
    }

    /// Somebody who was let through has an answer.
    pub(crate) fn succeeded(&self) {
        if let State::Closed { failures } = &mut *self.state() {
            *failures = 0;
        }
    }

    /// Somebody who was let through has none. Returns whether the breaker opened for it.
    ///
    /// Of those who went before it opened and fail later nothing new is learnt.
    pub(crate) fn failed(&self) -> bool {
        let mut state = self.state();
        let State::Closed { failures } = &mut *state else {
            return false;
        };
        *failures += 1;
        let opens = *failures >= self.options.opens_after;
        if opens {
            *state = self.open_for(self.options.first_pause);
        }
        opens
    }

    /// Opens it whatever went before, for somebody who was let through. Returns whether it was closed.
    pub(crate) fn open(&self) -> bool {
        let mut state = self.state();
        let was_closed = matches!(*state, State::Closed { .. });
        if was_closed {
            *state = self.open_for(self.options.first_pause);
        }
        was_closed
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(*self.state(), State::Closed { .. })
    }

    fn open_for(&self, pause: Duration) -> State {
        let pause = pause.clamp(self.options.first_pause, self.options.longest_pause);
        State::Open {
            until: Instant::now() + pause,
            pause,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole whenever the lock is free.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Probe {
    pub(crate) fn succeeded(mut self) {
        self.succeeded = true;
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let mut state = self.breaker.state();
        let State::HalfOpen { pause } = *state else {
            return;
        };
        *state = if self.succeeded {
            State::Closed { failures: 0 }
        } else {
            self.breaker.open_for(pause * 2)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: BreakerOptions = BreakerOptions {
        opens_after: 3,
        first_pause: Duration::from_millis(250),
        longest_pause: Duration::from_secs(1),
    };

    fn closed() -> Arc<Breaker> {
        let breaker = Breaker::new(OPTIONS);
        probe(&breaker).succeeded();
        assert!(breaker.is_closed());
        breaker
    }

    fn opened() -> Arc<Breaker> {
        let breaker = closed();
        assert_eq!([0; 3].map(|_| breaker.failed()), [false, false, true]);
        breaker
    }

    fn probe(breaker: &Arc<Breaker>) -> Probe {
        match breaker.ask() {
            Pass::Probe(probe) => probe,
            other => panic!("{other:?} is no probe"),
        }
    }

    fn is_refused(breaker: &Arc<Breaker>) -> bool {
        matches!(breaker.ask(), Pass::Refused)
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_so_many_failures_in_a_row() {
        let breaker = closed();
        for _ in 0..10 {
            assert!(!breaker.failed() && !breaker.failed());
            breaker.succeeded();
        }
        assert!(matches!(breaker.ask(), Pass::Through));
        assert!(!breaker.failed() && !breaker.failed() && breaker.failed());
        assert!(is_refused(&breaker));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_passes_until_the_pause_is_over() {
        let breaker = opened();
        tokio::time::advance(OPTIONS.first_pause - Duration::from_millis(1)).await;
        assert!(is_refused(&breaker));
        tokio::time::advance(Duration::from_millis(1)).await;
        probe(&breaker).succeeded();
        assert!(breaker.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn each_probe_that_fails_doubles_the_pause_up_to_the_longest() {
        let breaker = opened();
        for millis in [250, 500, 1000, 1000, 1000] {
            let pause = Duration::from_millis(millis);
            tokio::time::advance(pause - Duration::from_millis(1)).await;
            assert!(is_refused(&breaker), "before {millis} ms");
            tokio::time::advance(Duration::from_millis(1)).await;
            drop(probe(&breaker));
        }
        tokio::time::advance(OPTIONS.longest_pause).await;
        probe(&breaker).succeeded();
        // And the next pause is a short one again.
        assert!(!breaker.failed() && !breaker.failed() && breaker.failed());
        tokio::time::advance(OPTIONS.first_pause).await;
        drop(probe(&breaker));
    }

    #[tokio::test(start_paused = true)]
    async fn who_fails_late_does_not_make_the_pause_longer() {
        let breaker = opened();
        tokio::time::advance(Duration::from_millis(200)).await;
        assert!(!breaker.failed() && !breaker.open());
        breaker.succeeded();
        assert!(is_refused(&breaker));
        tokio::time::advance(Duration::from_millis(50)).await;
        let probe = probe(&breaker);
        // Neither decides while the probe is under way.
        breaker.succeeded();
        assert!(!breaker.failed() && !breaker.open() && is_refused(&breaker));
        probe.succeeded();
        assert!(breaker.is_closed());
        // One answer of nonsense is enough.
        assert!(breaker.open() && is_refused(&breaker));
    }

    #[test]
    fn of_many_at_once_one_is_the_probe() {
        for _ in 0..50 {
            let breaker = Breaker::new(OPTIONS);
            let start = Arc::new(std::sync::Barrier::new(8));
            let asks: Vec<_> = (0..8)
                .map(|_| {
                    let (breaker, start) = (breaker.clone(), start.clone());
                    std::thread::spawn(move || {
                        start.wait();
                        let asks = (0..100).map(|_| breaker.ask());
                        let probes = asks.filter_map(|pass| match pass {
                            Pass::Probe(probe) => Some(probe),
                            Pass::Through | Pass::Refused => None,
                        });
                        probes.collect::<Vec<Probe>>()
                    })
                })
                .collect();
            let probes = asks.into_iter().flat_map(|ask| ask.join().unwrap());
            let probes: Vec<Probe> = probes.collect();
            assert_eq!(probes.len(), 1);
            assert!(is_refused(&breaker));
        }
    }
}
