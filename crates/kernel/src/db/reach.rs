//! Whether a database is there at all, for whoever starts a program and has mistyped something.

use std::{io::ErrorKind, path::Path, time::Duration};

use sea_orm::sqlx::{Connection, mysql::MySqlConnection};
use tokio::time::timeout;
use xmas_texts::{Text, sent, start};

use super::{
    SqlxError,
    error::mysql_number,
    url::{DbUrl, Place},
};

/// Access denied for this user: by name, to a database; and the ways of proving who one is that are not known here.
const DENIED: [u16; 4] = [1045, 1698, 1251, 1130];
const DENIED_TO_DATABASE: u16 = 1044;
const UNKNOWN_DATABASE: u16 = 1049;

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
            Some(number) if DENIED.contains(&number) => start::access_denied(sent(user), place),
            Some(DENIED_TO_DATABASE) => {
                start::no_right_to_database(sent(user), sent(database), place)
            }
            Some(UNKNOWN_DATABASE) => start::no_such_database(sent(database), place),
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
    if !file.exists() && !url.makes_file() {
        return Err(start::no_such_file(file.display().to_string()));
    }
    Ok(())
}
