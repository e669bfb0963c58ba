//! The program as a process of its own, and what the system says of a process.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use anyhow::Context;

/// A process that is not ready by then will not be.
pub(crate) const START_WITHIN: Duration = Duration::from_secs(60);

/// A process that ends with whoever holds it.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a process answers.
pub(crate) struct Addresses {
    /// `127.0.0.1:8000`.
    pub(crate) server: String,
    /// The whole URL, if metrics are served.
    pub(crate) metrics: Option<String>,
}

impl Process {
    /// Starts a server, and waits until it is ready.
    pub(crate) async fn serve(command: &mut Command) -> anyhow::Result<(Self, Addresses)> {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Self(command.spawn()?);
        let log = BufReader::new(process.0.stderr.take().context("stderr")?);
        let started = tokio::task::spawn_blocking(|| addresses(log));
        let started = tokio::time::timeout(START_WITHIN, started).await;
        let addresses = started.context("the program does not get ready")???;
        Ok((process, addresses))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

/// Where a process serves, and where it shows metrics, from what it logs.
fn addresses(mut log: BufReader<ChildStderr>) -> anyhow::Result<Addresses> {
    let mut metrics = None;
    loop {
        let mut line = String::new();
        log.read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "the program has ended");
        let after = |what: &str| {
            let rest = line.split_once(what)?.1;
            rest.split(' ').next().map(|word| word.trim().to_owned())
        };
        metrics = metrics.or(after("metrics at "));
        if let Some(server) = after("ready on ") {
            // What is logged later must find a reader.
            std::thread::spawn(move || io::copy(&mut log, &mut io::sink()));
            return Ok(Addresses { server, metrics });
        }
    }
}

/// The program that was named, or else `xmas-api` beside this one.
pub(crate) fn program(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let program = match named {
        Some(program) => program.to_owned(),
        None => std::env::current_exe()?.with_file_name("xmas-api"),
    };
    fs::canonicalize(&program).with_context(|| format!("{} is not there", program.display()))
}

/// Processor time of a process so far, in clock ticks of 10 ms.
pub(crate) fn cpu_ticks(id: u32) -> anyhow::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The second field is the name in brackets; user and system time are the 14th and the 15th.
    let fields = stat.rsplit_once(") ").context("stat")?.1.split(' ');
    fields
        .skip(11)
        .take(2)
        .map(|ticks| Ok(ticks.parse::<u64>()?))
        .sum()
}

/// Memory of a process in MiB: `VmRSS` is what it holds, `VmHWM` the most that it has held.
pub(crate) fn memory_mib(id: u32, what: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let kib = line
        .context(what.to_owned())?
        .trim()
        .trim_end_matches(" kB");
    Ok(kib.parse::<f64>()? / 1_024.0)
}
