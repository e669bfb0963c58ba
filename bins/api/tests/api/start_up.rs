//! A database that a program cannot start with is told at once and for what it is.

use std::net::TcpListener;

use sea_orm::DbBackend;
use tempfile::TempDir;
use xmas_test_support::TestDb;

use super::command_line::{run, text, xmas_api};

/// What the program says when it is started with this database and these arguments.
fn told(url: &str, args: &[&str]) -> String {
    let folder = TempDir::new().unwrap();
    let mut command = xmas_api(folder.path());
    command
        .env("DATABASE_URL", url)
        .env("DATABASE_ACQUIRE_SECONDS", "1")
        .env("RUST_LOG", "off")
        .args(args);
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(1), "{url}");
    let told = text(&output.stderr);
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

#[test]
fn who_does_not_answer_is_given_up() {
    // Takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let told = told(&format!("mysql://u:S3cret@{address}/x"), &["audit"]);
    let expected = format!("the database at {address} has not answered within 1 s");
    assert!(
        told.contains(&expected) && !told.contains("S3cret"),
        "{told}"
    );
}

#[test]
fn a_host_that_nobody_knows_is_told() {
    let told = told("mysql://u:S3cret@nowhere.invalid/x", &["audit"]);
    assert!(
        told.contains("at nowhere.invalid:3306 cannot be reached"),
        "{told}"
    );
    assert!(!told.contains("S3cret"), "{told}");
}

#[tokio::test]
async fn a_wrong_password_and_a_database_that_is_not_there_are_told() {
    let test = TestDb::new().await;
    if test.db.backend() == DbBackend::Sqlite {
        return;
    }
    let (user, rest) = test
        .url()
        .trim_start_matches("mysql://")
        .split_once('@')
        .unwrap();
    let (address, name) = rest.rsplit_once('/').unwrap();
    let wrong = told(
        &format!("mysql://{user}:S3cret@{address}/{name}"),
        &["audit"],
    );
    let expected = format!("the database at {address} refuses the user \"{user}\" or its password");
    assert!(
        wrong.contains(&expected) && !wrong.contains("S3cret"),
        "{wrong}"
    );
    let nowhere = told(&format!("mysql://{user}@{address}/nowhere"), &["audit"]);
    assert!(
        nowhere.contains("may not use the database \"nowhere\""),
        "{nowhere}"
    );
    let server = TestDb::server().unwrap();
    let nowhere = told(&format!("{server}/nowhere"), &["audit"]);
    assert!(
        nowhere.contains(&format!("there is no database \"nowhere\" at {address}")),
        "{nowhere}"
    );
}

#[tokio::test]
async fn the_application_s_user_is_told_who_changes_the_schema() {
    let test = TestDb::new().await;
    if test.db.backend() == DbBackend::Sqlite {
        return;
    }
    let folder = TempDir::new().unwrap();
    let owner = test.as_owner().await;
    let mut down = xmas_api(folder.path());
    down.env("DATABASE_URL", owner.url())
        .args(["migrate", "down"]);
    let down = run(&mut down);
    assert!(down.status.success(), "{}", text(&down.stderr));
    let told = told(test.url(), &["migrate", "up"]);
    assert!(
        told.contains("run this with the URL of the database's owner"),
        "{told}"
    );
}
