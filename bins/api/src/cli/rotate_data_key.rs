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
    entropy::OsEntropy,
    seal::{Pace, ProbeError, Rotated, Rotation, RotationError},
};

use crate::{
    cli::{actor, database, progress},
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
        bail!("DATA_KEY_PREVIOUS is the same as DATA_KEY: set it to the key that sealed before");
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
            let error = anyhow::Error::from(error);
            eprintln!(
                "xmas-api: the rotation stopped: {error:#}. What is sealed again stays so; run it again, and it \
                 goes on from there. Until then both keys are needed."
            );
            Ok(ExitCode::from(3))
        }
        error => Err(explained(error, previous.is_some())),
    }
}

/// What an operator can do about it.
fn explained(error: RotationError, has_previous: bool) -> anyhow::Error {
    match error {
        RotationError::Probe(ProbeError::OtherKey(_)) if has_previous => anyhow::anyhow!(
            "neither DATA_KEY nor DATA_KEY_PREVIOUS is this database's key: set DATA_KEY_PREVIOUS to the key that \
             has sealed until now"
        ),
        RotationError::Probe(ProbeError::OtherKey(_)) => anyhow::anyhow!(
            "DATA_KEY_PREVIOUS is not set: set it to the key that has sealed until now, and DATA_KEY to the new one"
        ),
        RotationError::Probe(ProbeError::HalfKnown) => anyhow::anyhow!("{}", database::TWO_KEYS),
        RotationError::Swapped => anyhow::anyhow!(
            "a rotation from DATA_KEY to DATA_KEY_PREVIOUS is under way: swap the two, and let it end"
        ),
        RotationError::NothingSealed => anyhow::anyhow!(
            "nothing is sealed in this database, which has no key yet: the first start of the server gives it \
             DATA_KEY, and DATA_KEY_PREVIOUS is not needed"
        ),
        RotationError::Busy => anyhow::anyhow!(
            "another process rotates DATA_KEY; if it was killed, run this again in 10 seconds"
        ),
        RotationError::Damaged(values) => anyhow::anyhow!(
            "{} value(s) open with neither key, or are a copy of another row's, and were left as they are:\n  {}\n\
             Everything else is under the new key, and the rotation has not ended. See docs/runbook/rotate-keys.md.",
            values.len(),
            values.join("\n  ")
        ),
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
