//! Whether a database is there at all, for whoever starts a program and has mistyped something.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read},
    path::Path,
    time::Duration,
};

use sea_orm::sqlx::{Connection, mysql::MySqlConnection};
use tokio::time::timeout;
use xmas_texts::{Text, quoted, start};

use super::{
    SqlxError,
    error::mysql_number,
    url::{DbUrl, Place},
};

/// Access denied: a wrong name or password, or a user who logs in another way (MariaDB's `unix_socket`).
const DENIED: [u16; 2] = [1045, 1698];
/// Access denied to this database.
const DENIED_TO_DATABASE: u16 = 1044;
const UNKNOWN_DATABASE: u16 = 1049;

/// How every SQLite database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Looks once whether the database is there, over a connection of its own. A pool would go on asking a server that
/// refuses, and in the end say nothing but that it has waited.
///
/// # Errors
/// What is wrong and what to do about it, for people. No password is in it.
pub async fn reach(url: &DbUrl, patience: Duration) -> Result<(), Text> {
    match &url.0 {
        Place::Sqlite { file, .. } => find_file(url, file),
        Place::MySql { server, user, .. } => {
            let host = server.host_str().unwrap_or_default();
            let place = format!("{host}:{}", server.port().unwrap_or(3306));
            let Some(options) = url.mysql_options() else {
                return Ok(());
            };
            match timeout(patience, MySqlConnection::connect_with(&options)).await {
                Ok(Ok(connection)) => {
                    // Whoever has reached it is content; what happens at the end of it is nothing to tell.
                    drop(connection.close().await);
                    Ok(())
                }
                Ok(Err(error)) => {
                    let user = user.as_deref().unwrap_or("root");
                    let database = server.path().trim_start_matches('/');
                    Err(refused(&error, place, user, database))
                }
                Err(_) => Err(start::no_answer(place, patience.as_secs())),
            }
        }
    }
}

fn refused(error: &SqlxError, place: String, user: &str, database: &str) -> Text {
    match error {
        SqlxError::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
            start::connection_refused(place)
        }
        SqlxError::Io(error) => start::not_reached(place, error.to_string()),
        error => match mysql_number(error) {
            Some(number) if DENIED.contains(&number) => start::access_denied(quoted(user), place),
            Some(DENIED_TO_DATABASE) => {
                start::no_right_to_database(quoted(user), quoted(database), place)
            }
            Some(UNKNOWN_DATABASE) => start::no_such_database(quoted(database), place),
            _ => start::server_refuses(place, error.to_string()),
        },
    }
}

fn find_file(url: &DbUrl, file: &Path) -> Result<(), Text> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(start::no_such_folder(folder.display().to_string()));
    }
    let name = || file.display().to_string();
    if file.is_dir() {
        return Err(start::is_a_folder(name()));
    }
    let opened = match File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match url.makes_file() {
                true => Ok(()),
                false => Err(start::no_such_file(name())),
            };
        }
        opened => opened,
    };
    let unusable = |error: std::io::Error| start::file_unusable(name(), error.to_string());
    let mut head = Vec::new();
    let read = opened.and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head));
    read.map_err(unusable)?;
    // One that is empty becomes a database.
    if !head.is_empty() && head != MAGIC {
        return Err(start::is_no_database(name()));
    }
    if !url.is_read_only() {
        OpenOptions::new()
            .append(true)
            .open(file)
            .map_err(unusable)?;
    }
    Ok(())
}
