use std::process::ExitCode;

use xmas_kernel::{
    db::{Db, DbError},
    seal::{DataKey, ProbeError},
};

use super::database;
use crate::{
    config::{Config, Variables, effective, problems, reference},
    seed::demo_state,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Print the reference of all settings (docs/configuration.md) and check nothing.
    #[arg(long)]
    reference: bool,
}

pub(super) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.reference {
        print!("{}", reference());
        return Ok(ExitCode::SUCCESS);
    }
    let variables = Variables::of_process()?;
    let config = Config::from_variables(&variables)?;
    let settings = effective(&variables)?;
    let mut problems = problems(&config);
    if config.is_production() && !config.is_embedded() {
        problems.extend(database_problem(&config).await);
    }
    if args.json {
        let report = serde_json::json!({ "settings": settings, "problems": problems });
        println!("{report}");
    } else {
        for setting in &settings {
            let value = setting.value.as_deref().unwrap_or("(unset)");
            let note = if setting.is_default {
                "  (default)"
            } else {
                ""
            };
            println!("{}={value}{note}", setting.name);
        }
        for problem in &problems {
            eprintln!("unsafe: {problem}");
        }
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is wrong with the database itself.
async fn database_problem(config: &Config) -> Option<String> {
    let db = match database::connect(config).await {
        Ok(db) => db,
        Err(error) => return Some(format!("DATABASE_URL: {error:#}.")),
    };
    match demo_state::find(&db).await {
        Ok(Some(_)) => Some(demo_state::REFUSED_IN_PRODUCTION.to_owned()),
        Ok(None) => key_problem(config, &db).await,
        // A database without a schema holds no demo.
        Err(DbError::SchemaMismatch(_)) => None,
        Err(error) => Some(format!("DATABASE_URL: {error}.")),
    }
}

/// Whether what is sealed in the database can be opened.
async fn key_problem(config: &Config, db: &Db) -> Option<String> {
    let key = DataKey::new(config.database.data_key.as_ref()?.expose());
    match key.is_known(db).await {
        Ok(_) | Err(ProbeError::Db(DbError::SchemaMismatch(_))) => None,
        Err(ProbeError::OtherKey(_)) => Some(
            "DATA_KEY is not the one that this database's coupon codes and seeds were sealed with: \
             set it back."
                .to_owned(),
        ),
        Err(error) => Some(format!("DATABASE_URL: {error}.")),
    }
}
