//! What threads and tasks may do to each other here, in thousands of orders of their steps, the same ones in each run.
//!
//! The files of the crate are built once more, with shuttle's primitives as [`sync`]: at each use of one, and at each
//! `await` that waits, the scheduler decides who goes on. A failure prints the schedule that `shuttle::replay`
//! repeats. What is inside of the library `moka` is not taken apart: it is the real one, and others run while it waits
//! for a load, but not between its own steps.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]
#![expect(
    dead_code,
    unused_imports,
    reason = "the models use a part of each file, and not its own tests"
)]

#[path = "../src/breaker.rs"]
mod breaker;
#[path = "../src/memory.rs"]
mod memory;
#[path = "../src/port.rs"]
mod port;
#[path = "../src/snapshot.rs"]
mod snapshot;
mod sync {
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};

    pub(crate) mod atomic {
        pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};
    }
}
#[path = "../src/throttle.rs"]
mod throttle;

use std::{sync::Arc, time::Duration};

use shuttle::{
    Config, Runner,
    future::{block_on, spawn, yield_now},
    scheduler::RandomScheduler,
    thread,
};

use crate::{
    breaker::{Breaker, BreakerOptions, Pass},
    memory::MemoryCache,
    port::{Cache, Count, MAX_VALUE_BYTES, Stats},
    snapshot::Snapshot,
    sync::atomic::{AtomicU64, Ordering},
    throttle::Throttle,
};

/// Names a model, and is one run of it.
type Model = (&'static str, fn());

const MODELS: &[Model] = &[
    ("a_throttle_admits_its_limit_and_no_more", throttle_is_exact),
    ("many_at_once_load_a_copy_once", many_load_once),
    ("a_failed_load_is_not_kept", failures_are_not_kept),
    ("what_was_loaded_before_a_drop_is_not_kept", drops_are_final),
    ("a_breaker_opens_after_five_failures", five_failures_open),
    (
        "a_breaker_lets_one_probe_pass_at_a_time",
        one_probe_at_a_time,
    ),
    ("a_breaker_never_stays_open_for_good", never_stuck),
];

/// In how many orders of its steps a model is run.
const ORDERS: usize = 3_000;
/// Which orders these are.
const SEED: u64 = 20_251_225;

/// What a thread of a model may use: the library `moka` needs more than the scheduler gives by itself.
const STACK_BYTES: usize = 1 << 20;

/// Runs the models whose names contain the first argument, or all.
fn main() {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    for (name, model) in MODELS {
        if filter.as_ref().is_none_or(|filter| name.contains(filter)) {
            let mut config = Config::new();
            config.silence_warnings = true;
            config.stack_size = STACK_BYTES;
            let scheduler = RandomScheduler::new_from_seed(SEED, ORDERS);
            Runner::new(scheduler, config).run(*model);
            println!("{name}: {ORDERS} orders");
        }
    }
}

/// Runs threads until all have ended.
fn in_threads<T: Send + 'static>(
    count: u64,
    act: impl Fn(u64) -> T + Clone + Send + 'static,
) -> Vec<T> {
    let spawn = |number| {
        let act = act.clone();
        thread::spawn(move || act(number))
    };
    let threads: Vec<_> = (0..count).map(spawn).collect();
    let ended = threads.into_iter().map(|thread| thread.join().unwrap());
    ended.collect()
}

fn throttle_is_exact() {
    let cache = Arc::new(MemoryCache::default());
    let throttle = Throttle::new(cache, "login", 3, Duration::from_secs(3_600));
    let attempts = in_threads(4, move |_| {
        let attempts = (0..2).map(|_| block_on(throttle.admit("santa")).is_ok());
        attempts.filter(|admitted| *admitted).count()
    });
    assert_eq!(attempts.iter().sum::<usize>(), 3);
}

/// A table that a copy is made of.
#[derive(Clone, Default)]
struct Source {
    value: Arc<AtomicU64>,
    loads: Arc<AtomicU64>,
}

impl Source {
    /// Reads the value, and lets others go on before and after that.
    async fn load(self) -> Result<u64, String> {
        yield_now().await;
        let loads = self.loads.fetch_add(1, Ordering::SeqCst);
        let value = self.value.load(Ordering::SeqCst);
        yield_now().await;
        // As long as there is nothing, the first one fails.
        match value {
            0 if loads == 0 => Err("down".to_owned()),
            value => Ok(value),
        }
    }
}

fn source(value: u64) -> Source {
    let source = Source::default();
    source.value.store(value, Ordering::SeqCst);
    source
}

type Copies = Arc<Snapshot<&'static str, u64>>;

/// Never ends by time in the course of a model.
fn copies() -> Copies {
    Arc::new(Snapshot::lasting(Duration::from_secs(3_600)))
}

/// Reads the copy in so many tasks at once.
async fn read_many(copies: &Copies, source: &Source, readers: u64) -> Vec<Result<u64, String>> {
    let tasks: Vec<_> = (0..readers)
        .map(|_| {
            let (copies, source) = (copies.clone(), source.clone());
            spawn(async move { copies.get_or_load("season", source.load()).await })
        })
        .collect();
    let mut read = Vec::new();
    for task in tasks {
        read.push(task.await.unwrap());
    }
    read
}

fn many_load_once() {
    let (copies, source) = (copies(), source(7));
    let read = block_on(read_many(&copies, &source, 4));
    assert!(read.iter().all(|read| *read == Ok(7)), "{read:?}");
    assert_eq!(source.loads.load(Ordering::SeqCst), 1);
}

fn failures_are_not_kept() {
    let (copies, source) = (copies(), source(0));
    let read = block_on(read_many(&copies, &source, 3));
    assert!(read.contains(&Err("down".to_owned())), "{read:?}");
    // Whoever came too late for the failure has loaded again, once for all of them.
    assert!(source.loads.load(Ordering::SeqCst) <= 2);
    let again = copies.get_or_load("season", source.clone().load());
    assert_eq!(block_on(again), Ok(0));
}

fn drops_are_final() {
    let (copies, source) = (copies(), source(1));
    block_on(async {
        let reader = {
            let (copies, source) = (copies.clone(), source.clone());
            spawn(async move { read_many(&copies, &source, 2).await })
        };
        let operator = {
            let (copies, source) = (copies.clone(), source.clone());
            spawn(async move {
                yield_now().await;
                source.value.store(2, Ordering::SeqCst);
                copies.drop_all();
                copies.get_or_load("season", source.load()).await
            })
        };
        assert_eq!(operator.await.unwrap(), Ok(2));
        reader.await.unwrap();
        assert_eq!(read_many(&copies, &source, 1).await, [Ok(2)]);
    });
}

/// A breaker that is closed, with pauses of this length.
fn closed(pause: Duration) -> Arc<Breaker> {
    let breaker = Breaker::new(BreakerOptions {
        opens_after: 5,
        first_pause: pause,
        longest_pause: pause,
    });
    match breaker.ask() {
        Pass::Probe(probe) => probe.succeeded(),
        other => panic!("{other:?} is no probe"),
    }
    assert!(breaker.is_closed());
    breaker
}

fn five_failures_open() {
    let breaker = closed(Duration::from_secs(3_600));
    let failing = breaker.clone();
    let opened = in_threads(2, move |_| [failing.failed(), failing.failed()]);
    assert!(!opened.as_flattened().contains(&true) && breaker.is_closed());
    let failing = breaker.clone();
    let opened = in_threads(3, move |_| failing.failed());
    assert_eq!(opened.iter().filter(|opened| **opened).count(), 1);
    assert!(matches!(breaker.ask(), Pass::Refused));
}

/// Lets threads do whatever they may do with a breaker whose pauses are over at once. The first probes fail, and some
/// end without a word.
fn use_it(breaker: &Arc<Breaker>) {
    assert!(breaker.open());
    let (asked, probes) = (breaker.clone(), Arc::new(AtomicU64::new(0)));
    in_threads(3, move |number| {
        for round in 0..3 {
            match asked.ask() {
                Pass::Probe(probe) => {
                    let others = probes.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(others, 0, "two probes at a time");
                    probes.fetch_sub(1, Ordering::SeqCst);
                    if number + round > 1 {
                        probe.succeeded();
                    }
                }
                Pass::Through if number == 0 => {
                    asked.open();
                }
                Pass::Through if number == 1 => {
                    asked.failed();
                }
                Pass::Through => asked.succeeded(),
                Pass::Refused => {}
            }
        }
    });
}

fn one_probe_at_a_time() {
    use_it(&closed(Duration::ZERO));
}

fn never_stuck() {
    let breaker = closed(Duration::ZERO);
    use_it(&breaker);
    match breaker.ask() {
        Pass::Through => {}
        Pass::Probe(probe) => probe.succeeded(),
        Pass::Refused => panic!("nobody looks whether the server is back"),
    }
    assert!(breaker.is_closed());
}
