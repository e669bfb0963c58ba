use std::{io::Write, path::Path};

use xmas_kernel::entropy::{Entropy, OsEntropy};
use xmas_texts::{Text, start};

use crate::{Config, Secret, data_dir};

/// The secrets that the program works with: the configured ones, or on a development machine those
/// that were generated once and kept beside the embedded database.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// `JWT_SECRET`.
    pub jwt: Secret,
    /// `DATA_KEY`.
    pub data_key: Secret,
    /// `DATA_KEY_PREVIOUS`.
    pub data_key_previous: Option<Secret>,
}

impl Secrets {
    pub fn of(config: &Config) -> Result<Self, Text> {
        let folder = &config.app.data_dir;
        Ok(Self {
            jwt: kept(config.auth.jwt_secret.as_ref(), folder, JWT_SECRET)?,
            data_key: kept(config.database.data_key.as_ref(), folder, DATA_KEY)?,
            data_key_previous: config.database.data_key_previous.clone(),
        })
    }

    /// For work that seals nothing: what is not known is made up for this process alone, and kept nowhere.
    pub fn for_now(config: &Config) -> Result<Self, Text> {
        let made_up = || -> Result<Secret, Text> {
            let mut bytes = [0; 32];
            OsEntropy.fill(&mut bytes);
            hex::encode(bytes).parse()
        };
        Ok(Self {
            jwt: made_up()?,
            data_key: match Self::known_data_key(config)? {
                Some(known) => known,
                None => made_up()?,
            },
            data_key_previous: config.database.data_key_previous.clone(),
        })
    }

    /// `DATA_KEY` as [`Secrets::of`] has it, unless it would have to be made first.
    pub fn known_data_key(config: &Config) -> Result<Option<Secret>, Text> {
        match &config.database.data_key {
            Some(secret) => Ok(Some(secret.clone())),
            None => read(&config.app.data_dir.join(DATA_KEY)),
        }
    }
}

/// Files of generated secrets.
const JWT_SECRET: &str = "dev-jwt-secret";
const DATA_KEY: &str = "dev-data-key";

/// The configured secret, or the one in the file, which is made if it is not there: a restart must
/// not log everybody out or lose what was sealed.
fn kept(configured: Option<&Secret>, folder: &Path, file: &str) -> Result<Secret, Text> {
    if let Some(secret) = configured {
        return Ok(secret.clone());
    }
    let file = folder.join(file);
    if let Some(secret) = read(&file)? {
        return Ok(secret);
    }
    let mut bytes = [0; 32];
    OsEntropy.fill(&mut bytes);
    data_dir::prepare(folder)?;
    let name = || file.display().to_string();
    let written = write_once(&file, &hex::encode(bytes));
    written.map_err(|error| start::secret_file_unwritten(name(), error.to_string()))?;
    // Another process may have been faster, and then its secret is everybody's.
    read(&file)?.ok_or_else(|| start::secret_file_damaged(name()))
}

fn read(file: &Path) -> Result<Option<Secret>, Text> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let name = file.display().to_string();
            return Err(start::secret_file_unreadable(name, error.to_string()));
        }
    };
    let text = text.trim();
    if text.len() < 64 {
        return Err(start::secret_file_damaged(file.display().to_string()));
    }
    Ok(Some(text.parse()?))
}

/// Writes a file that only its owner reads: whole or not at all, and never over one that is there.
fn write_once(file: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let unfinished = file.with_extension(format!("{}", std::process::id()));
    let mut opened = options.open(&unfinished)?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    let linked = std::fs::hard_link(&unfinished, file);
    std::fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
