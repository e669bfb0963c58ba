use std::{io::Write, process::ExitCode};

use anyhow::Context;
use serde_json::json;
use xmas_config::{Config, Secrets};
use xmas_event_bridge::{BridgeError, Certificate, Reason, USUAL_CHUNK};
use xmas_kernel::{BridgeId, with_causes};
use xmas_texts::{Language, start};

use crate::{
    cli::{database, errors::print_problem, progress},
    seed::demo_state,
    wiring::{App, Ports},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The bridge to settle; the one that is not closed if it is left out.
    #[arg(long, value_name = "ID")]
    bridge: Option<i64>,
    /// Change nothing, and print what would be.
    #[arg(long)]
    dry_run: bool,
    /// Players in one transaction.
    #[arg(long, default_value_t = USUAL_CHUNK, value_parser = clap::value_parser!(u64).range(1..=10_000), value_name = "NUMBER")]
    chunk: u64,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 if everybody who may be paid is paid, 1 if it was refused or failed, 3 if it stopped
/// half-way and should be run again.
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    database::require_real_time(config)?;
    let db = database::open(config).await?;
    let demo = demo_state::find(&db).await?;
    let clock = database::clock(config, demo.as_ref());
    let now = clock.now();
    let app = App::new(&db, config, &Secrets::of(config)?, Ports::with_clock(clock));
    let settlement = app.settlement();
    let bridge = settlement.find(args.bridge.map(BridgeId)).await;
    let bridge = bridge.map_err(explained)?.id;
    if args.dry_run {
        let certificate = settlement.certificate(bridge).await.map_err(explained)?;
        print(args, &certificate, None)?;
        return Ok(ExitCode::SUCCESS);
    }
    let before = settlement.certificate(bridge).await.map_err(explained)?;
    let waiting = before.unpaid.get(&Reason::NotYet).copied().unwrap_or(0);
    let bar = progress::bar("players", Some(waiting), args.json);
    let progress = |paid| bar.set_position(paid);
    let outcome = settlement.settle(bridge, args.chunk, now, &progress).await;
    bar.finish_and_clear();
    match outcome {
        Ok(run) => {
            let certificate = settlement.certificate(bridge).await.map_err(explained)?;
            print(args, &certificate, Some(&json!(run)))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(BridgeError::Db(error)) => {
            print_problem(&start::settlement_stopped(with_causes(&error)));
            Ok(ExitCode::from(3))
        }
        Err(error) => Err(explained(error)),
    }
}

/// What an operator can do about it.
pub(super) fn explained(error: BridgeError) -> anyhow::Error {
    match error {
        BridgeError::NotDue => start::bridge_not_due().into(),
        BridgeError::NotFound => start::bridge_not_found().into(),
        BridgeError::UnknownGift => start::gift_not_found().into(),
        BridgeError::Invalid(problems) => {
            let language = Language::of_environment();
            let told = problems.iter().map(|problem| problem.sentence(language));
            anyhow::anyhow!("{}", told.collect::<Vec<_>>().join(" "))
        }
        error => error.into(),
    }
}

fn print(
    args: &Args,
    certificate: &Certificate,
    run: Option<&serde_json::Value>,
) -> anyhow::Result<()> {
    let text = if args.json {
        json!({ "dry_run": args.dry_run, "certificate": certificate, "run": run }).to_string()
    } else {
        human(certificate, run)
    };
    writeln!(std::io::stdout(), "{text}").context("the certificate cannot be printed")
}

fn human(certificate: &Certificate, run: Option<&serde_json::Value>) -> String {
    let state = certificate.state.as_str();
    let mut lines = vec![
        format!(
            "Bridge {} ({state}), settlement day {}",
            certificate.bridge_id, certificate.settle_on
        ),
        format!("  eligible       {}", certificate.eligible),
        format!("  paid           {}", certificate.paid),
        format!("  points         {}", certificate.points),
    ];
    for (reason, players) in &certificate.unpaid {
        let reason = match reason {
            Reason::NotYet => "not yet paid",
            Reason::Blocked => "blocked",
            Reason::Inactive => "inactive",
        };
        lines.push(format!("  {reason:<14} {players}"));
    }
    lines.push(format!("  unpaid points  {}", certificate.unpaid_points));
    lines.push(format!("  too few keys   {}", certificate.too_few_keys));
    lines.push(format!("  digest         {}", certificate.digest));
    lines.push(match run {
        Some(run) => format!(
            "This run paid {} players {} points in {} chunks.",
            run["paid"], run["points"], run["chunks"]
        ),
        None => "Dry run: nothing was changed.".to_owned(),
    });
    lines.join("\n")
}
