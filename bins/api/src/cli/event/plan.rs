use std::{path::PathBuf, process::ExitCode};

use anyhow::bail;
use xmas_config::Config;
use xmas_texts::{Language, event_file as texts};
use xmas_time::EventDay;

use super::{
    file::FileArg,
    opened::Opened,
    report::{self, keep, tell},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    file: FileArg,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Where to keep the plan, for `apply --plan`.
    #[arg(long, value_name = "PLANFILE")]
    out: Option<PathBuf>,
}

/// Exit code 0 if it could be applied.
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    if let Some(path) = &args.out
        && args.file.is(path)
    {
        bail!(texts::same_file(path.display().to_string()));
    }
    let Opened { app, clock, .. } = Opened::of(config).await?;
    let now = clock.now();
    let Some(file) = args.file.checked(EventDay::of(now), args.json)? else {
        return Ok(ExitCode::FAILURE);
    };
    let plan = app.event().plan(&file, now).await?;
    let language = Language::of_environment();
    match args.json {
        true => tell(&report::json(&plan, language).to_string())?,
        false => tell(&report::text(&plan, language))?,
    }
    if !plan.refused.is_empty() {
        args.file.print_refused(&plan.refused);
        return Ok(ExitCode::FAILURE);
    }
    if let Some(path) = &args.out {
        let kept = serde_json::to_string_pretty(&plan.basis())?;
        keep(path, &(kept + "\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
