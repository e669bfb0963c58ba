use std::{fs, path::PathBuf, process::ExitCode};

use xmas_config::Config;
use xmas_texts::{Language, event_file as texts};
use xmas_time::EventDay;

use super::{
    file::FileArg,
    opened::Opened,
    report::{self, tell},
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
    let Opened { app, clock, .. } = Opened::of(config).await?;
    let now = clock.now();
    let Some(file) = args.file.checked(EventDay::of(now))? else {
        return Ok(ExitCode::FAILURE);
    };
    let plan = app.event().plan(&file, now).await?;
    let language = Language::of_environment();
    match args.json {
        true => tell(&report::json(&plan, language).to_string()),
        false => tell(&report::text(&plan, language)),
    }
    args.file.print(&plan.refused);
    if !plan.refused.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    if let Some(path) = &args.out {
        let kept = serde_json::to_string_pretty(&plan.basis())?;
        let written = fs::write(path, kept + "\n");
        written.map_err(|error| texts::unusable(path.display().to_string(), error.to_string()))?;
    }
    Ok(ExitCode::SUCCESS)
}
