use std::{path::PathBuf, process::ExitCode};

use anyhow::bail;
use xmas_config::Config;
use xmas_event_file::EventError;
use xmas_texts::{Language, quoted, start};

use super::{
    opened::Opened,
    report::{keep, tell},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The season; the active one that ends last if it is left out.
    #[arg(long, value_name = "NAME")]
    season: Option<String>,
    /// Where to write it, instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let Opened { app, .. } = Opened::of(config).await?;
    let exported = match app.event().export(args.season.as_deref()).await {
        Ok(exported) => exported,
        Err(EventError::UnknownSeason) => {
            let name = args.season.as_deref().unwrap_or_default();
            bail!(start::no_such_season(quoted(name)));
        }
        Err(error) => return Err(error.into()),
    };
    let language = Language::of_environment();
    for problem in &exported.unsaid {
        eprintln!("warning: {}", problem.sentence(language));
    }
    match &args.out {
        None => tell(&exported.text)?,
        Some(path) => keep(path, &exported.text)?,
    }
    Ok(ExitCode::SUCCESS)
}
