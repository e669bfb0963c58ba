use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use clap::Subcommand;
use xmas_config::Config;
use xmas_kernel::{
    db::{Db, DbError},
    with_causes,
};
use xmas_migration::{
    Migrator, MigratorTrait, SchemaState, attention, dry_run, oldest_binary, schema_state,
};
use xmas_texts::start;

use crate::{
    cli::{database, help},
    schema::{self, USUAL_PATIENCE, bring_up_to_date, take_lock},
    version::VERSION,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Apply every migration that is missing. Only one process at a time does.
    #[command(after_help = help::MIGRATE)]
    Up {
        /// Print the SQL instead, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// How many seconds to wait for another process that changes the schema, and for tables in use.
        #[arg(long, default_value_t = USUAL_PATIENCE.as_secs())]
        wait: u64,
    },
    /// Undo the last migrations. This drops tables with everything in them.
    #[command(after_help = help::MIGRATE)]
    Down {
        /// How many to undo.
        #[arg(long, default_value_t = 1)]
        steps: u32,
        /// Needed where `APP_ENV` is production.
        #[arg(long)]
        yes: bool,
    },
    /// Show what is applied and what is missing, and what migrations have left to an operator; exit code 1
    /// if the schema does not fit.
    #[command(after_help = help::MIGRATE)]
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    match args.what {
        What::Up { dry_run: true, .. } => print_sql(&database::connect(config).await?).await,
        What::Up { wait, .. } => up(config, Duration::from_secs(wait)).await,
        What::Down { steps, yes } => down(config, steps, yes).await,
        What::Status { json } => status(&database::connect(config).await?, json).await,
    }
}

async fn print_sql(db: &Db) -> anyhow::Result<ExitCode> {
    schema::refuse_newer(db).await?;
    match dry_run(db.read()).await? {
        sql if sql.is_empty() => println!("-- The schema is up to date."),
        sql => print!("{sql}"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn up(config: &Config, patience: Duration) -> anyhow::Result<ExitCode> {
    let db = database::connect_to_change(config).await?;
    // The owner of the schema may well have no key.
    database::compare_known_key(config, &db).await?;
    for name in bring_up_to_date(&db, patience).await? {
        println!("applied {name}");
    }
    println!("The schema is up to date.");
    for sentence in attention(db.read()).await? {
        println!("Look at this: {sentence}");
    }
    Ok(ExitCode::SUCCESS)
}

async fn down(config: &Config, steps: u32, yes: bool) -> anyhow::Result<ExitCode> {
    if config.is_production() && !yes {
        bail!(start::down_unconfirmed());
    }
    let db = database::connect_to_change(config).await?;
    let lock = take_lock(&db, USUAL_PATIENCE).await?;
    let applied = Migrator::get_applied_migrations(db.write()).await?.len();
    let undone = Migrator::down(db.write(), Some(steps)).await;
    undone.map_err(|error| match DbError::from(error) {
        error if error.is_forbidden() => start::migration_forbidden(),
        error => start::migration_failed(with_causes(&error)),
    })?;
    let left = Migrator::get_applied_migrations(db.write()).await?.len();
    lock.release().await?;
    println!("{} migration(s) undone, {left} left.", applied - left);
    Ok(ExitCode::SUCCESS)
}

async fn status(db: &Db, json: bool) -> anyhow::Result<ExitCode> {
    let state = schema_state(db.read(), VERSION).await?;
    let missing = match &state {
        SchemaState::TooOld { missing } => missing.clone(),
        SchemaState::Current | SchemaState::TooNew { .. } => Vec::new(),
    };
    let migrations: Vec<_> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .map(|name| (missing.contains(&name), name))
        .collect();
    let too_new = match &state {
        SchemaState::TooNew { migration, .. } => Some(migration),
        SchemaState::Current | SchemaState::TooOld { .. } => None,
    };
    let attention = match state {
        SchemaState::Current => attention(db.read()).await?,
        SchemaState::TooOld { .. } | SchemaState::TooNew { .. } => Vec::new(),
    };
    if json {
        let rows: Vec<_> = migrations
            .iter()
            .map(|(missing, name)| {
                serde_json::json!({
                    "name": name,
                    "applied": !missing,
                    "oldest_binary": oldest_binary(name),
                })
            })
            .collect();
        println!(
            "{}",
            serde_json::json!({ "migrations": rows, "too_new": too_new, "attention": attention })
        );
    } else {
        for (missing, name) in &migrations {
            println!("{} {name}", if *missing { "missing" } else { "applied" });
        }
        if let Some(migration) = too_new {
            println!("too new {migration}: it needs a newer xmas-api");
        }
        for sentence in &attention {
            println!("look at this: {sentence}");
        }
    }
    let fits = state == SchemaState::Current;
    Ok(if fits {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
