use std::process::ExitCode;

use serde_json::json;
use xmas_texts::Language;
use xmas_time::{Clock, EventDay, SystemClock};

use super::file::FileArg;

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
    let checked = args.file.read(EventDay::of(SystemClock.now()))?;
    let problems = checked.err().unwrap_or_default();
    if args.json {
        let language = Language::of_environment();
        let told = problems.iter().map(|it| {
            json!({
                "line": it.line,
                "column": it.column,
                "field": it.problem.field,
                "message": it.problem.sentence(language),
            })
        });
        println!("{}", json!({ "problems": told.collect::<Vec<_>>() }));
    } else {
        args.file.print(&problems);
        if problems.is_empty() {
            println!("ok");
        }
    }
    Ok(match problems.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
