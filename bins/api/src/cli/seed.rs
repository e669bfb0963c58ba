use std::sync::Arc;

use anyhow::bail;
use clap::ValueEnum;
use xmas_config::{Config, Secrets};
use xmas_texts::start;
use xmas_time::{Clock, SystemClock};

use crate::{
    cli::database,
    schema::{self, USUAL_PATIENCE, bring_up_to_date},
    seed::{self, demo_state},
    wiring::{App, Ports},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    what: What,
    /// Change nothing if the database has accounts or seasons already, which is then no error.
    #[arg(long)]
    if_empty: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// The 2025 event with twenty players, an admin and a shifted clock. Never in production.
    Demo,
    /// The 2025 event without a single player.
    Event,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    if config.is_production() && matches!(args.what, What::Demo) {
        bail!(start::demo_in_production());
    }
    let db = database::connect(config).await?;
    if config.is_embedded() {
        bring_up_to_date(&db, USUAL_PATIENCE).await?;
    }
    schema::require(&db).await?;
    if config.is_production() && demo_state::find(&db).await?.is_some() {
        bail!(start::demo_refused());
    }
    database::compare_known_key(config, &db).await?;
    if args.if_empty && !seed::is_empty(&db).await? {
        println!("The database has accounts or seasons already, and nothing was changed.");
        return Ok(());
    }
    match args.what {
        What::Demo => {
            seed::demo(&db, config, &Secrets::of(config)?, &SystemClock).await?;
            println!("The demo season is there, with the players demo-01 to demo-20.");
        }
        What::Event => {
            let ports = Ports::with_clock(Arc::new(SystemClock));
            let app = App::new(&db, config, &Secrets::for_now(config)?, ports);
            seed::event(&app, SystemClock.now()).await?;
            println!("The 2025 event is there. Next: `xmas-api create-admin`.");
        }
    }
    Ok(())
}
