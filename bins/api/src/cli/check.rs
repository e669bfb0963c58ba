use std::process::ExitCode;

use sea_orm::DbBackend;
use xmas_config::{Config, Variables, effective, problems, reference};
use xmas_kernel::{
    db::{Db, DbError},
    with_causes,
};
use xmas_texts::{Language, Text, start};

use crate::{
    cli::{database, errors::message_of},
    seed::demo_state,
    telemetry, wiring,
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
    // Which only the start would tell: the filter has a language of its own.
    telemetry::log_filter(&config.log.filter)?;
    let settings = effective(&variables)?;
    let language = Language::of_environment();
    let unsafe_settings = problems(&config).into_iter();
    let mut findings = Findings {
        problems: unsafe_settings.map(|it| it.sentence(language)).collect(),
        warnings: Vec::new(),
        language,
    };
    findings.look_at_database(&config).await;
    findings.look_at_redis(&config).await;
    let Findings {
        problems, warnings, ..
    } = findings;
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
        if problems.is_empty() {
            println!("ok");
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
    language: Language,
}

impl Findings {
    fn problem(&mut self, text: &Text) {
        self.problems.push(text.sentence(self.language));
    }

    fn warning(&mut self, text: &Text) {
        self.warnings.push(text.sentence(self.language));
    }

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
                Ok(Some(_)) => self.problem(&start::demo_refused()),
                // A database without a schema holds no demo.
                Ok(None) | Err(DbError::SchemaMismatch(_)) => {}
                Err(error) => self.problem(&start::database_fails_check(with_causes(&error))),
            }
            self.look_at_rights(&db).await;
        }
        match database::compare_known_key(config, &db).await {
            Err(error) if error.is::<DbError>() => self.not_reached(config, &error),
            Err(error) => self.problems.push(message_of(&error, self.language)),
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
                Ok(true) => self.warning(&start::may_rewrite(table)),
                Err(error) => self.warning(&start::rights_unknown(table, error.to_string())),
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
                    self.warning(&start::redis_silent());
                }
            }
            Err(error) => self.problems.push(message_of(&error, self.language)),
        }
    }

    /// A developer may look at the settings while the database is away.
    fn not_reached(&mut self, config: &Config, error: &anyhow::Error) {
        let cause = message_of(error, self.language);
        if config.is_production() {
            self.problems.push(cause);
        } else if config.database.data_key.is_some() {
            self.warning(&start::key_not_compared(cause));
        } else {
            self.warnings.push(cause);
        }
    }
}
