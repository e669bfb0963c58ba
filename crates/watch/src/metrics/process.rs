//! The process itself, under the names that monitoring has for every process. Only Linux tells.

use std::fmt;

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::samples::Samples;

/// Which build runs.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// As in `Cargo.toml`.
    pub version: &'static str,
    /// What it was built from, or `unknown`.
    pub commit: &'static str,
}

#[derive(Debug)]
pub(super) struct ProcessMetrics(pub(super) Build);

impl Collector for ProcessMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut samples = Samples(encoder);
        let build = vec![
            ("version", self.0.version.to_owned()),
            ("commit", self.0.commit.to_owned()),
        ];
        samples.gauges("xmas_build_info", "Which build this is", [(build, 1.0)])?;
        #[cfg(target_os = "linux")]
        linux::show(&mut samples)?;
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fmt;

    use procfs::{WithCurrentSystemInfo, process::Process};

    use super::super::samples::{Samples, float};

    pub(super) fn show(samples: &mut Samples<'_>) -> fmt::Result {
        // What cannot be read is left out: metrics are shown for as long as the process lives.
        let Ok(process) = Process::myself() else {
            return Ok(());
        };
        if let Ok(stat) = process.stat() {
            samples.gauge(
                "process_resident_memory_bytes",
                "Memory of the process",
                float(stat.rss_bytes().get()),
            )?;
            let seconds = |ticks| float(ticks) / float(procfs::ticks_per_second());
            samples.counters(
                "process_cpu_seconds",
                "Processor time of the process",
                [(Vec::new(), seconds(stat.utime + stat.stime))],
            )?;
            if let Ok(boot) = procfs::boot_time_secs() {
                samples.gauge(
                    "process_start_time_seconds",
                    "When the process started",
                    float(boot) + seconds(stat.starttime),
                )?;
            }
        }
        if let Ok(open) = process.fd_count() {
            let open = u64::try_from(open).unwrap_or(u64::MAX);
            samples.gauge("process_open_fds", "Open files of the process", float(open))?;
        }
        if let Ok(limits) = process.limits()
            && let procfs::process::LimitValue::Value(most) = limits.max_open_files.soft_limit
        {
            samples.gauge(
                "process_max_fds",
                "Files that the process may open",
                float(most),
            )?;
        }
        Ok(())
    }
}
