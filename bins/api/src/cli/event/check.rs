use std::process::ExitCode;

use xmas_time::{Clock, EventDay, SystemClock};

use super::{file::FileArg, report::tell};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    file: FileArg,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 if nothing is wrong with it.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let today = EventDay::of(SystemClock.now());
    if args.file.checked(today, args.json)?.is_none() {
        return Ok(ExitCode::FAILURE);
    }
    match args.json {
        true => args.file.tell_problems(&[])?,
        false => tell("ok")?,
    }
    Ok(ExitCode::SUCCESS)
}
