//! The requests that players send most, against floors on the same server in the same run.
//!
//! `rounds.rs` is a run: it starts builds of the program (`contender.rs`), each on a database of its own (`database.rs`, filled by
//! `seed.rs`), finds out which rows a play writes (`proof.rs`), and gives builds and floors (`floor.rs`, whose SQL is in `spin.rs`) their turns. Clients are
//! in `load.rs`; what is measured, in `report.rs` and `plot.rs`. `growth.rs` is a run of another kind.

mod args;
mod contender;
mod database;
mod floor;
mod growth;
mod link;
mod load;
mod plot;
mod proof;
mod report;
mod rounds;
mod seed;
mod spin;

use std::sync::Arc;

use anyhow::bail;
use tokio::signal::unix::{SignalKind, signal};
use xmas_core_auth::Passwords;
use xmas_kernel::entropy::OsEntropy;

pub(crate) use args::Args;

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let passwords = Passwords::new(1, Arc::new(OsEntropy));
    let hash = passwords.hash(contender::PASSWORD).await?;
    let measured = async {
        match args.growth {
            true => growth::run(args, &hash).await,
            false => rounds::run(args, &hash).await,
        }
    };
    // Programs that were started end with what is dropped here.
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = measured => outcome,
        _ = terminated.recv() => bail!("stopped before the end"),
    }
}
