//! Benchmarks, as ratios within one run: the product against a floor (the same effects by the plainest means on the same
//! server), or against itself.

mod hot;
mod process;
mod serving;
mod settlement;
mod sql;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "xmas-bench")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Settling the season bridge, against plain set-based SQL in chunks of the same size.
    Settlement(settlement::Args),
    /// Requests to equal processes in turns: one of them is scraped, or is another build.
    Serving(serving::Args),
    /// Plays, stamps and status, against floors of each: throughput, latency, processor time, statements and memory.
    Hot(hot::Args),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().what {
        What::Settlement(args) => settlement::run(&args).await,
        What::Serving(args) => serving::run(&args).await,
        What::Hot(args) => hot::run(&args).await,
    }
}
