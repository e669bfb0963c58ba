//! `xmas-api event`: the event as one file.

mod apply;
pub(super) mod check;
mod export;
mod file;
mod opened;
mod plan;
mod report;

use std::process::ExitCode;

use clap::Subcommand;
use xmas_config::Config;
use xmas_event_file::{reference, schema};
use xmas_texts::Language;

use self::report::tell;
use crate::seed::XMAS_2025;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) what: What,
}

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Say everything that is wrong with a file, without a database.
    Check(check::Args),
    /// Say what a file would make of the event, and what that means; change nothing.
    Plan(plan::Args),
    /// Make the event what a file says: all of it, or nothing.
    Apply(apply::Args),
    /// Print the event of 2025 as a file, to begin with.
    Example,
    /// Write the event of the database as a file.
    Export(export::Args),
    /// Print the JSON schema of a file, for editors.
    Schema(SchemaArgs),
}

/// What is done with a configuration and a database.
pub(super) async fn run(what: &What, config: &Config) -> anyhow::Result<ExitCode> {
    match what {
        What::Plan(args) => plan::run(args, config).await,
        What::Apply(args) => apply::run(args, config).await,
        What::Export(args) => export::run(args, config).await,
        // Done without them.
        What::Check(_) | What::Example | What::Schema(_) => Ok(ExitCode::SUCCESS),
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// Print the description of a file instead (docs/event-file.md).
    #[arg(long)]
    reference: bool,
}

pub(super) fn print_example() -> anyhow::Result<ExitCode> {
    tell(XMAS_2025)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn print_schema(args: &SchemaArgs) -> anyhow::Result<ExitCode> {
    match args.reference {
        true => tell(&reference(Language::of_environment()))?,
        false => tell(&serde_json::to_string_pretty(schema())?)?,
    }
    Ok(ExitCode::SUCCESS)
}
