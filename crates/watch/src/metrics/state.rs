//! What the process knows when it is asked: its pools, what it counted, and the cache.

use std::{fmt, sync::Arc};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};
use xmas_cache::Cache;
use xmas_http::server::Draining;
use xmas_kernel::db::{
    Db,
    tally::{self, Counted},
};

use super::samples::{Sample, Samples, flag, float};

pub(super) struct StateMetrics {
    pub(super) db: Db,
    pub(super) cache: Arc<dyn Cache>,
    pub(super) draining: Draining,
}

impl fmt::Debug for StateMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateMetrics").finish_non_exhaustive()
    }
}

impl Collector for StateMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut samples = Samples(encoder);
        samples.gauge(
            "xmas_http_draining",
            "Whether the process is about to stop",
            flag(self.draining.has_begun()),
        )?;
        self.database(&mut samples)?;
        self.cache(&mut samples)
    }
}

impl StateMetrics {
    fn database(&self, samples: &mut Samples<'_>) -> fmt::Result {
        let pools = self.db.pools();
        let connections = pools.iter().flat_map(|pool| {
            let state = |state: &str, number: u32| {
                let labels = vec![("pool", pool.name.to_owned()), ("state", state.to_owned())];
                (labels, f64::from(number))
            };
            [state("used", pool.used), state("idle", pool.idle)]
        });
        samples.gauges(
            "xmas_db_connections",
            "Open connections of a pool",
            connections,
        )?;
        let bounds = pools.iter().map(|pool| {
            let labels = vec![("pool", pool.name.to_owned())];
            (labels, f64::from(pool.max))
        });
        samples.gauges(
            "xmas_db_connections_max",
            "Connections that a pool may open",
            bounds,
        )?;
        samples.counters(
            "xmas_db_errors",
            "Errors of the database, by what a caller can do about them",
            by("kind", tally::errors()),
        )?;
        samples.counters(
            "xmas_db_retries",
            "Use cases that were tried again",
            by("reason", tally::retries()),
        )?;
        samples.counters(
            "xmas_db_given_up",
            "Use cases that were tried too often",
            by("reason", tally::given_up()),
        )
    }

    fn cache(&self, samples: &mut Samples<'_>) -> fmt::Result {
        let cache = &self.cache;
        let stats = cache.stats();
        let reads = vec![("hit", stats.hits), ("miss", stats.misses)];
        samples.counters(
            "xmas_cache_reads",
            "Reads of the cache (Redis, if there is one), by what they found",
            by("result", reads),
        )?;
        samples.counters(
            "xmas_cache_failures",
            "Requests to the cache that came to nothing",
            [(Vec::new(), float(stats.failures))],
        )?;
        samples.gauge(
            "xmas_cache_shared",
            "Whether replicas share a Redis server (REDIS_URL)",
            flag(cache.is_shared()),
        )?;
        samples.gauge(
            "xmas_cache_available",
            "Whether the cache is asked, which Redis is not for a while after it has failed",
            flag(cache.is_available()),
        )
    }
}

fn by(label: &'static str, counted: Counted) -> impl Iterator<Item = Sample> {
    let sample = move |(name, number): (&str, u64)| (vec![(label, name.to_owned())], float(number));
    counted.into_iter().map(sample)
}
