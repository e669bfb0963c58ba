//! What `hot` is told on its command line.

use std::path::PathBuf;

use crate::hot::{contender::Kind, database::Place};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The program; if it is not named, `xmas-api` beside this one.
    #[arg(long)]
    pub(super) program: Option<PathBuf>,
    /// Another build of it, which has its turns in the same run.
    #[arg(long)]
    pub(super) against: Option<PathBuf>,
    /// A MySQL or MariaDB server without a database (`mysql://root@127.0.0.1:3306`), where each has one of its own, made
    /// and dropped; or `sqlite:FOLDER`, on a disk.
    #[arg(long)]
    pub(super) server: Place,
    /// How often each has its turn at everything.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) rounds: u32,
    /// How long a turn is.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(super) seconds: u64,
    /// How many clients ask at once. Logins are measured with 16.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64,256", value_parser = connections)]
    pub(super) connections: Vec<usize>,
    /// What is asked for; if it is not named, everything.
    #[arg(long, value_delimiter = ',', value_enum)]
    pub(super) only: Vec<Kind>,
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(256..=1_000_000))]
    pub(super) players: u64,
    /// What the files of results are called.
    #[arg(long, default_value = "latest")]
    pub(super) name: String,
    /// Where they are written.
    #[arg(long, default_value = "bench/results")]
    pub(super) results: PathBuf,
    /// Rather than how fast, show how many rows a request examines as players and logs grow.
    #[arg(long)]
    pub(super) growth: bool,
    /// With `--growth`: up to how many players.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    pub(super) growth_players: u64,
    /// With `--growth`: up to how many rows of logs, in all their tables together.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    pub(super) growth_log_rows: u64,
}

fn connections(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=256).contains(count));
    count.ok_or_else(|| "must be from 1 to 256".to_owned())
}
