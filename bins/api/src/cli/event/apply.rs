use std::{
    fs,
    io::{IsTerminal, stdin},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::bail;
use xmas_config::Config;
use xmas_event_file::{Basis, CheckedFile, EventError, Plan};
use xmas_kernel::version::Seen;
use xmas_texts::{Language, event_file as texts};
use xmas_time::EventDay;

use super::{
    file::FileArg,
    opened::Opened,
    report::{self, tell},
};
use crate::cli::{actor, database};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    file: FileArg,
    /// The plan that was looked at: nothing is applied if the file or the database has changed since.
    #[arg(long, value_name = "PLANFILE")]
    plan: Option<PathBuf>,
    /// Change an event that runs, without asking.
    #[arg(long)]
    yes: bool,
    /// The admin in whose name it is done: an external id.
    #[arg(long, value_name = "EXTERNAL_ID")]
    admin: Option<String>,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 if the event is what the file says.
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    database::require_real_time(config)?;
    let Opened { db, app, clock } = Opened::of(config).await?;
    let now = clock.now();
    let Some(file) = args.file.checked(EventDay::of(now), args.json)? else {
        return Ok(ExitCode::FAILURE);
    };
    let actor = actor::find(&db, args.admin.as_deref(), args.reason.as_ref()).await?;
    let plan = app.event().plan(&file, now).await?;
    // What is shown now is what is applied, or nothing is.
    let seen = match &args.plan {
        Some(path) => kept(path, &file)?,
        None => plan.version.clone().seen(),
    };
    let language = Language::of_environment();
    if !args.json {
        tell(&report::text(&plan, language))?;
    }
    if !plan.refused.is_empty() {
        return args.refused(&plan, language);
    }
    if !args.yes && plan.is_running && !plan.changes.is_empty() {
        confirm(args.json, language)?;
    }
    let applied = app.event().apply(Some(&actor), &file, Some(&seen), now);
    let applied = match applied.await {
        Ok(applied) => applied,
        Err(EventError::Refused(plan)) => return args.refused(&plan, language),
        Err(EventError::Stale(_)) => bail!(texts::moved()),
        Err(error) => return Err(error.into()),
    };
    match args.json {
        true => tell(&report::json(&applied, language).to_string())?,
        false => tell(&texts::applied().sentence(language))?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// Says why nothing was applied.
    fn refused(&self, plan: &Plan, language: Language) -> anyhow::Result<ExitCode> {
        match self.json {
            true => tell(&report::json(plan, language).to_string())?,
            false => self.file.print_refused(&plan.refused),
        }
        Ok(ExitCode::FAILURE)
    }
}

/// What the plan in a file has seen, if it was made of this file.
fn kept(path: &Path, file: &CheckedFile) -> anyhow::Result<Seen> {
    let shown = path.display().to_string();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => bail!(texts::unusable(shown, error.to_string())),
    };
    let basis: Basis = match serde_json::from_str(&text) {
        Ok(basis) => basis,
        Err(error) => bail!(texts::no_plan(shown, error.to_string())),
    };
    if basis.file_sha256 != file.sha256 {
        bail!(texts::other_file());
    }
    Ok(Seen::one(basis.version))
}

/// Asks whoever sits at the terminal; without one, the command line must have said it.
fn confirm(is_json: bool, language: Language) -> anyhow::Result<()> {
    if is_json || !stdin().is_terminal() {
        bail!(texts::runs_already());
    }
    eprintln!("{}", texts::ask_running().sentence(language));
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => bail!(texts::runs_already()),
    }
}
