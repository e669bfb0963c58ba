use std::{io::Read, sync::Arc};

use anyhow::bail;
use xmas_config::Config;
use xmas_kernel::{Problem, entropy::OsEntropy};
use xmas_players::{CreateError, ExternalId, NewAccount, Nickname, Password, Role, create_in_tx};
use xmas_texts::start;
use xmas_time::{Clock, SystemClock};

use crate::{cli::database, wiring};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name to log in with.
    external_id: String,
    /// The name that others see.
    #[arg(long)]
    nickname: Option<String>,
    /// Read the password from standard input instead of making one up and printing it once.
    #[arg(long)]
    password_stdin: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let external_id = ExternalId::try_from(args.external_id.as_str());
    let external_id = external_id.map_err(|unfit| Problem::new("EXTERNAL_ID", unfit))?;
    let nickname = args
        .nickname
        .as_deref()
        .map(Nickname::try_from)
        .transpose()
        .map_err(|unfit| Problem::new("--nickname", unfit))?;
    let passwords = wiring::passwords(config, Arc::new(OsEntropy));
    let (password, generated) = match args.password_stdin {
        true => (read_password()?, false),
        false => (passwords.generate(), true),
    };
    let password =
        Password::try_from(password.as_str()).map_err(|unfit| Problem::new("password", unfit))?;
    let db = database::open(config).await?;
    let hash = passwords.hash(password.expose()).await?;
    let account = NewAccount {
        external_id: external_id.clone(),
        nickname,
        password_hash: hash,
        role: Role::Admin,
    };
    let tx = db.begin().await?;
    let created = match create_in_tx(&tx, account, SystemClock.now()).await {
        Ok(created) => created,
        Err(CreateError::ExternalIdExists) => {
            bail!(start::name_taken(external_id.as_str().to_owned()))
        }
        Err(error) => return Err(error.into()),
    };
    tx.commit().await?;
    let (id, shown) = (created.user_id(), generated.then(|| password.expose()));
    if args.json {
        let report = serde_json::json!({
            "id": id, "external_id": external_id.as_str(), "password": shown,
        });
        println!("{report}");
    } else {
        println!("The admin {} is there (id {id}).", external_id.as_str());
        if let Some(password) = shown {
            println!("Password, shown this once: {password}");
        }
    }
    Ok(())
}

fn read_password() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| start::password_unreadable(error.to_string()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
