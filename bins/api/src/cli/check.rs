use std::process::ExitCode;

use sea_orm::DbBackend;
use xmas_config::{Config, Variables, effective, problems, reference};
use xmas_kernel::db::{Db, DbError};

use crate::{cli::database, seed::demo_state, wiring};

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
    let mut findings = Findings {
        problems: problems(&config),
        warnings: Vec::new(),
    };
    findings.look_at_database(&config).await;
    findings.look_at_redis(&config).await;
    let Findings { problems, warnings } = findings;
    if args.json {
        let report = serde_json::json!({
            "settings": settings, "problems": problems, "warnings": warnings,
        });
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
        for warning in &warnings {
            eprintln!("warning: {warning}");
        }
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What there is to say, in sentences that say what to do.
#[derive(Debug)]
struct Findings {
    /// What the check fails for.
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl Findings {
    /// What is wrong with the database itself.
    async fn look_at_database(&mut self, config: &Config) {
        let is_there = match (config.is_embedded(), config.database_url().file()) {
            // Which nobody made yet, or which production never uses.
            (true, Some(file)) => !config.is_production() && file.exists(),
            _ => true,
        };
        if !is_there {
            return;
        }
        let db = match database::connect(config).await {
            Ok(db) => db,
            Err(error) => return self.not_reached(config, &error),
        };
        if config.is_production() {
            match demo_state::find(&db).await {
                Ok(Some(_)) => self
                    .problems
                    .push(demo_state::REFUSED_IN_PRODUCTION.to_owned()),
                // A database without a schema holds no demo.
                Ok(None) | Err(DbError::SchemaMismatch(_)) => {}
                Err(error) => self.problems.push(format!("DATABASE_URL: {error}.")),
            }
            self.look_at_rights(&db).await;
        }
        match database::compare_known_key(config, &db).await {
            Err(error) if error.is::<DbError>() => self.not_reached(config, &error),
            Err(error) => self.problems.push(format!("{error:#}")),
            Ok(()) => {}
        }
    }

    /// Warns of a database user who may do more than add to what is only ever added to.
    async fn look_at_rights(&mut self, db: &Db) {
        if db.backend() == DbBackend::Sqlite {
            // Whoever may write the file may write all of it.
            return;
        }
        for table in ["wallet_ledger", "admin_audit_log"] {
            match db.may_rewrite(table).await {
                Ok(false) | Err(DbError::SchemaMismatch(_)) => {}
                Ok(true) => self.warnings.push(format!(
                    "DATABASE_URL names a user who may rewrite {table}: use one with the rights in \
                     scripts/grants.sql."
                )),
                Err(error) => self.warnings.push(format!(
                    "Whether the user in DATABASE_URL may rewrite {table} cannot be told: {error}."
                )),
            }
        }
    }

    /// Warns of a Redis that does not answer: the service runs without it.
    async fn look_at_redis(&mut self, config: &Config) {
        // Nothing is put there.
        let secret = Vec::new();
        match wiring::redis(config, secret).await {
            Ok(None) => {}
            Ok(Some(redis)) => {
                if !redis.is_well().await {
                    self.warnings.push(
                        "REDIS_URL: the server does not answer, or refuses the password. The service runs \
                         without it; throttles then count in each process."
                            .to_owned(),
                    );
                }
            }
            Err(error) => self.problems.push(format!("{error:#}.")),
        }
    }

    /// A developer may look at the settings while the database is away.
    fn not_reached(&mut self, config: &Config, error: &anyhow::Error) {
        if config.is_production() {
            self.problems.push(format!("DATABASE_URL: {error:#}."));
        } else {
            let warning = format!("DATA_KEY was not compared with the database's: {error:#}.");
            self.warnings.push(warning);
        }
    }
}
