use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use xmas_config::Config;
use xmas_migration::{Migrator, MigratorTrait, SchemaState, attention, schema_state};

use crate::cli::database;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Apply every migration that is missing.
    Up,
    /// Undo the last migrations. This drops tables with everything in them.
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
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let db = database::connect(config).await?;
    match args.what {
        What::Up => {
            // The owner of the schema may well have no key.
            database::compare_known_key(config, &db).await?;
            Migrator::up(db.write(), None)
                .await
                .context("a migration failed")?;
            println!("The schema is up to date.");
            for sentence in attention(db.read()).await? {
                println!("Look at this: {sentence}");
            }
        }
        What::Down { steps, yes } => {
            if config.is_production() && !yes {
                bail!("this drops tables with everything in them; add --yes if you mean it");
            }
            let applied = Migrator::get_applied_migrations(db.write()).await?.len();
            Migrator::down(db.write(), Some(steps))
                .await
                .context("a migration failed")?;
            let left = Migrator::get_applied_migrations(db.write()).await?.len();
            println!("{} migration(s) undone, {left} left.", applied - left);
        }
        What::Status { json } => return status(&db, json).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn status(db: &xmas_kernel::db::Db, json: bool) -> anyhow::Result<ExitCode> {
    let state = schema_state(db.read(), env!("CARGO_PKG_VERSION")).await?;
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
            .map(|(missing, name)| serde_json::json!({ "name": name, "applied": !missing }))
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
