//! The command line. Each verb is one file.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 the command line or the configuration cannot be
//! understood, 3 stopped half-way (`settle`, `keys`, `rotate-data-key`): run it again.

mod actor;
mod audit;
mod check;
mod create_admin;
mod database;
mod errors;
mod event;
mod healthcheck;
mod help;
mod keys;
mod migrate;
mod progress;
mod rotate_data_key;
mod seed;
mod serve;
mod settle;
mod verify_draw;

use std::{future::Future, process::ExitCode};

use clap::{Parser, Subcommand};
use xmas_config::{Config, ConfigError};
use xmas_texts::Language;

use crate::{openapi, telemetry, version};

/// The backend of XMAS 1Week.
#[derive(Debug, Parser)]
#[command(name = "xmas-api", version = version::FULL)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve HTTP until SIGTERM or Ctrl-C (the default).
    #[command(after_help = help::SERVE)]
    Serve,
    /// Change the database schema, or show its state.
    #[command(after_help = help::MIGRATE)]
    Migrate(migrate::Args),
    /// Fill a database: `demo` with players, `event` without.
    #[command(after_help = help::SEED)]
    Seed(seed::Args),
    /// The event as one file.
    #[command(after_help = help::EVENT)]
    Event(event::Args),
    /// Print the configuration in force and fail on anything unsafe.
    #[command(after_help = help::CHECK)]
    Check(check::Args),
    /// Create an admin.
    #[command(after_help = help::CREATE_ADMIN)]
    CreateAdmin(create_admin::Args),
    /// Pay for the keys of the season bridge.
    #[command(after_help = help::SETTLE)]
    Settle(settle::Args),
    /// Give keys of the season bridge, or take them back.
    #[command(after_help = help::KEYS)]
    Keys(keys::Args),
    /// Bring a database from `DATA_KEY_PREVIOUS` to `DATA_KEY`, while replicas serve.
    #[command(after_help = help::ROTATE)]
    RotateDataKey(rotate_data_key::Args),
    /// Check every invariant of the database.
    #[command(after_help = help::AUDIT)]
    Audit(audit::Args),
    /// Check the receipt of a draw, offline.
    #[command(after_help = help::VERIFY_DRAW)]
    VerifyDraw(verify_draw::Args),
    /// Ask the server of this machine whether it is ready: exit code 0, or else 1.
    #[command(after_help = help::HEALTHCHECK)]
    Healthcheck(healthcheck::Args),
    /// Print the OpenAPI document.
    #[command(after_help = help::OPENAPI)]
    Openapi,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.verb.unwrap_or(Verb::Serve)) {
        Ok(code) => code,
        Err(error) => {
            let language = Language::of_environment();
            eprintln!("xmas-api: {}", errors::message_of(&error, language));
            match error.is::<ConfigError>() {
                true => ExitCode::from(2),
                false => ExitCode::FAILURE,
            }
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Openapi => {
            println!("{}", openapi::document().to_pretty_json()?);
            return Ok(ExitCode::SUCCESS);
        }
        Verb::Check(args) => return in_runtime(check::run(&args)),
        Verb::VerifyDraw(args) => return verify_draw::run(&args),
        Verb::Event(event::Args {
            what: event::What::Check(args),
        }) => return event::check::run(&args),
        Verb::Event(event::Args {
            what: event::What::Example,
        }) => return event::print_example(),
        Verb::Event(event::Args {
            what: event::What::Schema(args),
        }) => return event::print_schema(&args),
        Verb::Healthcheck(args) => return healthcheck::run(&args, &Config::load()?),
        Verb::Serve
        | Verb::Event(event::Args {
            what: event::What::Plan(_) | event::What::Apply(_) | event::What::Export(_),
        })
        | Verb::Migrate(_)
        | Verb::Seed(_)
        | Verb::CreateAdmin(_)
        | Verb::Settle(_)
        | Verb::Keys(_)
        | Verb::RotateDataKey(_)
        | Verb::Audit(_) => {}
    }
    let config = Config::load()?;
    // Around the runtime: it sends what is left when nothing runs any more.
    let _telemetry = telemetry::start(&config)?;
    in_runtime(work(verb, &config))
}

/// What is done with a configuration and a log.
async fn work(verb: Verb, config: &Config) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Serve => serve::run(config).await?,
        Verb::Migrate(args) => return migrate::run(&args, config).await,
        Verb::Seed(args) => seed::run(&args, config).await?,
        Verb::Event(args) => return event::run(&args.what, config).await,
        Verb::CreateAdmin(args) => create_admin::run(&args, config).await?,
        Verb::Settle(args) => return settle::run(&args, config).await,
        Verb::Keys(args) => return keys::run(&args, config).await,
        Verb::RotateDataKey(args) => return rotate_data_key::run(&args, config).await,
        Verb::Audit(args) => return audit::run(&args, config).await,
        Verb::Check(_) | Verb::VerifyDraw(_) | Verb::Healthcheck(_) | Verb::Openapi => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(work)
}
