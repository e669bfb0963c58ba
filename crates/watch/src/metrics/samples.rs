//! Numbers that are known when they are asked for.

use std::fmt;

use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

/// Labels with their values, and a number.
pub(super) type Sample = (Vec<(&'static str, String)>, f64);

/// Where a collector puts its numbers.
pub(super) struct Samples<'a>(pub(super) DescriptorEncoder<'a>);

impl Samples<'_> {
    /// One number without labels.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.gauges(name, help, [(Vec::new(), value)])
    }

    /// Numbers that go up and down. Of none, nothing is shown.
    pub(super) fn gauges(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = Sample>,
    ) -> fmt::Result {
        let show = |value, encoder: MetricEncoder<'_>| ConstGauge::new(value).encode(encoder);
        self.show(name, help, MetricType::Gauge, samples, show)
    }

    /// Numbers that only go up; `_total` is added to the name.
    pub(super) fn counters(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = Sample>,
    ) -> fmt::Result {
        let show = |value, encoder: MetricEncoder<'_>| ConstCounter::new(value).encode(encoder);
        self.show(name, help, MetricType::Counter, samples, show)
    }

    fn show(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        samples: impl IntoIterator<Item = Sample>,
        show: impl Fn(f64, MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut metric = self
            .0
            .encode_descriptor(name, &format!("{help}."), None, kind)?;
        for (labels, value) in samples {
            show(value, metric.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// A number as metrics have it.
pub(super) fn float(number: u64) -> f64 {
    // Beyond 2^53 the last digits do not matter to anybody who watches.
    number as f64
}

/// Whether something is so, as metrics have it.
pub(super) fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}
