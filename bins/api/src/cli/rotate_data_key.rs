use std::{
    io::Write,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, bail};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use xmas_config::{Config, Secrets};
use xmas_kernel::{
    Problem,
    entropy::OsEntropy,
    seal::{Pace, ProbeError, Rotated, Rotation, RotationError},
    with_causes,
};
use xmas_texts::{setting, start};

use crate::{
    cli::{actor, database, errors::print_problem, progress},
    seed::demo_state,
    wiring,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The admin in whose name it is done: an external id.
    #[arg(long, value_name = "EXTERNAL_ID")]
    admin: Option<String>,
    /// Why, for the audit log: 1 to 191 characters.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Values in one transaction.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000), value_name = "NUMBER")]
    chunk: u64,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 if `DATA_KEY` is the database's key and no value has another one, 1 if it was refused or failed,
/// 3 if it stopped half-way and should be run again.
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    database::require_real_time(config)?;
    let db = database::open(config).await?;
    let demo = demo_state::find(&db).await?;
    let now = database::clock(config, demo.as_ref()).now();
    let secrets = Secrets::of(config)?;
    let previous = secrets.data_key_previous.as_ref();
    if previous == Some(&secrets.data_key) {
        bail!(Problem::new(
            "DATA_KEY_PREVIOUS",
            setting::same_previous_key()
        ));
    }
    let rotation = Rotation {
        db: &db,
        key: &wiring::data_key(&secrets.data_key, previous),
        entropy: &OsEntropy,
        actor: &actor::find(&db, args.admin.as_deref(), args.reason.as_ref()).await?,
        process: &uuid::Uuid::new_v4().to_string(),
    };
    let is_stopped = stopped()?;
    let bar = progress::bar("values", Some(rotation.count().await?), args.json);
    let pace = Pace {
        chunk: args.chunk,
        progress: &|values| bar.set_position(values),
        is_stopped: &|| is_stopped.load(Ordering::Relaxed),
    };
    let outcome = rotation.run(pace, now).await;
    bar.finish_and_clear();
    let error = match outcome {
        Ok(rotated) => {
            print(args, &rotated)?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => error,
    };
    match error {
        RotationError::Stopped | RotationError::Probe(ProbeError::Db(_)) => {
            print_problem(&start::rotation_stopped(with_causes(&error)));
            Ok(ExitCode::from(3))
        }
        error => Err(explained(error, previous.is_some())),
    }
}

/// What an operator can do about it.
fn explained(error: RotationError, has_previous: bool) -> anyhow::Error {
    match error {
        RotationError::Probe(ProbeError::OtherKey(_)) if has_previous => {
            start::rotation_unknown_keys().into()
        }
        RotationError::Probe(ProbeError::OtherKey(_)) => start::rotation_no_previous().into(),
        RotationError::Probe(ProbeError::HalfKnown) => start::two_data_keys().into(),
        RotationError::Swapped => start::rotation_swapped().into(),
        RotationError::NothingSealed => start::rotation_nothing_sealed().into(),
        RotationError::Busy => start::rotation_busy().into(),
        RotationError::Damaged(values) => {
            start::rotation_damaged(values.len(), values.join("\n  ")).into()
        }
        error => error.into(),
    }
}

/// Set by SIGTERM and Ctrl-C.
fn stopped() -> anyhow::Result<Arc<AtomicBool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let is_stopped = Arc::new(AtomicBool::new(false));
    let told = is_stopped.clone();
    actix_web::rt::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        told.store(true, Ordering::Relaxed);
    });
    Ok(is_stopped)
}

fn print(args: &Args, rotated: &Rotated) -> anyhow::Result<()> {
    let text = if args.json {
        json!(rotated).to_string()
    } else {
        human(rotated)
    };
    writeln!(std::io::stdout(), "{text}").context("the report cannot be printed")
}

fn human(rotated: &Rotated) -> String {
    let mut lines = vec![match rotated.had_key {
        true => "DATA_KEY is this database's key already. Nothing was to be done.".to_owned(),
        false => "DATA_KEY is this database's key now.".to_owned(),
    }];
    for (table, tally) in &rotated.tables {
        lines.push(format!(
            "  {table:<15} {} values, {} of them sealed again by this run",
            tally.sealed, tally.resealed
        ));
    }
    if !rotated.had_key {
        lines.push(
            "The old key opens nothing here any more. Unset DATA_KEY_PREVIOUS in a day, and keep the old key \
             with the backups that were made until now."
                .to_owned(),
        );
    }
    lines.join("\n")
}
