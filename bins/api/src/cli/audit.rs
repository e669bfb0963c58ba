use std::{io::Write, process::ExitCode};

use anyhow::Context;
use serde_json::json;
use xmas_config::Config;
use xmas_reporting::Audit;
use xmas_watch::keep_audit;

use crate::cli::database;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 if every invariant holds, 1 if any is violated.
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let db = database::open(config).await?;
    let report = Audit::new(db.clone()).run().await?;
    // Whoever asks may have no right to write, and gets the report all the same.
    if let Err(error) = keep_audit(&db, &report).await {
        eprintln!("xmas-api: metrics do not hear of this audit: {error}");
    }
    let violations = report.violations();
    let mut out = std::io::stdout();
    if args.json {
        let text = json!({ "violations": violations, "checks": report.checks });
        writeln!(out, "{text}").context("the report cannot be printed")?;
    } else {
        for check in &report.checks {
            let verdict = if check.violations == 0 {
                "ok"
            } else {
                "VIOLATED"
            };
            writeln!(out, "{verdict:<9} {}", check.name).context("the report cannot be printed")?;
            for example in &check.examples {
                writeln!(out, "          {example}").context("the report cannot be printed")?;
            }
        }
        writeln!(out, "{violations} violations").context("the report cannot be printed")?;
    }
    Ok(if violations == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
