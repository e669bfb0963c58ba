use std::{io::Read, sync::Arc};

use anyhow::{Context, bail};
use xmas_games::draw::{RANGE, below};
use xmas_kernel::entropy::{Entropy, OsEntropy};
use xmas_players::{CreateError, ExternalId, NewAccount, Nickname, Role, create_in_tx};
use xmas_time::{Clock, SystemClock};

use super::database;
use crate::{config::Config, wiring};

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

/// The shortest password that is accepted, as in the API.
const SHORTEST_PASSWORD: usize = 8;
const LONGEST_PASSWORD: usize = 256;

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let external_id = ExternalId::try_from(args.external_id.as_str())?;
    let nickname = args
        .nickname
        .as_deref()
        .map(Nickname::try_from)
        .transpose()?;
    let (password, generated) = match args.password_stdin {
        true => (read_password()?, false),
        false => (generate_password(), true),
    };
    let length = password.chars().count();
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&length) {
        bail!("a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters");
    }
    let db = database::open(config).await?;
    let hash = wiring::passwords(config, Arc::new(OsEntropy))
        .hash(&password)
        .await?;
    let account = NewAccount {
        external_id,
        nickname,
        password_hash: hash,
        role: Role::Admin,
    };
    let tx = db.begin().await?;
    let created = match create_in_tx(&tx, account, SystemClock.now()).await {
        Ok(created) => created,
        Err(CreateError::ExternalIdExists) => bail!("{} is taken", args.external_id),
        Err(error) => return Err(error.into()),
    };
    tx.commit().await?;
    let (id, shown) = (created.user_id(), generated.then_some(password));
    if args.json {
        let report = serde_json::json!({
            "id": id, "external_id": args.external_id.trim(), "password": shown,
        });
        println!("{report}");
    } else {
        println!("The admin {} is there (id {id}).", args.external_id.trim());
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
        .context("standard input cannot be read")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// 24 letters and digits that are not mistaken for each other: 138 bits.
fn generate_password() -> String {
    const LETTERS: &[u8; 54] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz234567";
    let letter = |_| {
        let numbers = std::iter::repeat_with(|| OsEntropy.next_u64() % RANGE);
        let index = below(LETTERS.len() as u64, numbers);
        char::from(LETTERS[usize::try_from(index).unwrap_or(0)])
    };
    (0..24).map(letter).collect()
}
