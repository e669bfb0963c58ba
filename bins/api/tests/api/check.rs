//! `check`: what it warns of, and what lies about on a developer's machine.

use std::{
    fs::{Permissions, metadata, read_dir, set_permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Output,
};

use sea_orm::DbBackend;
use serde_json::Value;
use tempfile::TempDir;
use xmas_test_support::TestDb;

use super::command_line::{Serving, run, text, xmas_api};

/// `check` in production, with all that it wants.
fn check(folder: &Path, url: &str, args: &[&str], more: &[(&str, &str)]) -> Output {
    let mut command = xmas_api(folder);
    command
        .env("APP_ENV", "production")
        .env("JWT_SECRET", "Zk3vJb0mQx9TtYw5Lr8uHc2nPd6sGf1aEo4iKy7=")
        .env("DATA_KEY", "q8RZ1nVw0yTj5GkXe3LbHs7CmUd2PaFo9iJt4Qx6=")
        .env("DATABASE_URL", url)
        .envs(more.iter().copied())
        .arg("check")
        .args(args);
    run(&mut command)
}

#[tokio::test]
async fn a_user_who_may_rewrite_the_ledger_is_warned_of() {
    let folder = TempDir::new().unwrap();
    let test = TestDb::new().await;
    let application = check(folder.path(), test.url(), &[], &[]);
    let told = text(&application.stderr);
    assert!(application.status.success(), "{told}");
    assert_eq!(told, "");

    let owner = test.as_owner().await;
    let output = check(folder.path(), owner.url(), &["--json"], &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["problems"].as_array().unwrap().len(), 0);
    let warnings = report["warnings"].as_array().unwrap();
    if test.db.backend() == DbBackend::Sqlite {
        assert!(warnings.is_empty(), "a file has no users");
        return;
    }
    for (warning, table) in warnings.iter().zip(["wallet_ledger", "admin_audit_log"]) {
        let begins = format!("DATABASE_URL names a user who may rewrite {table}: ");
        assert!(warning.as_str().unwrap().starts_with(&begins), "{warning}");
    }
    let output = check(folder.path(), owner.url(), &[], &[]);
    assert!(output.status.success());
    let told = text(&output.stderr);
    assert_eq!(
        told.matches("warning: DATABASE_URL names a user").count(),
        2
    );

    // One of the two rights is enough.
    let (_, name) = test.url().rsplit_once('/').unwrap();
    let grant = format!("GRANT DELETE ON {name}.admin_audit_log TO '{name}'@'%'");
    test.execute(&grant).await;
    let told = text(&check(folder.path(), test.url(), &[], &[]).stderr);
    assert!(told.contains("may rewrite admin_audit_log"), "{told}");
    assert!(!told.contains("wallet_ledger"), "{told}");
}

#[tokio::test]
async fn production_refuses_to_trust_everybody_and_a_secret_for_everybody() {
    let folder = TempDir::new().unwrap();
    let test = TestDb::new().await;
    let file = folder.path().join("previous");
    std::fs::write(&file, "Gf1aEo4iKy7Zk3vJb0mQx9TtYw5Lr8uHc2nPd6sQ=").unwrap();
    let set = [
        ("JWT_PREVIOUS_SECRET_FILE", file.to_str().unwrap()),
        ("TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1"),
    ];
    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let refused = check(folder.path(), test.url(), &[], &set);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    assert!(
        told.contains("unsafe: TRUSTED_PROXIES trusts 0.0.0.0/0"),
        "{told}"
    );
    assert!(
        told.contains("unsafe: JWT_PREVIOUS_SECRET_FILE names"),
        "{told}"
    );

    set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    let accepted = check(folder.path(), test.url(), &[], &set[..1]);
    assert!(accepted.status.success(), "{}", text(&accepted.stderr));
}

#[tokio::test]
async fn what_a_developer_s_machine_keeps_is_for_its_owner_only() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let mode = |path: &Path| metadata(path).unwrap().permissions().mode() & 0o777;
    let files = || {
        let files = read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
        files.collect::<Vec<_>>()
    };
    let assert_private = || {
        assert_eq!(mode(&data), 0o700);
        let files = files();
        for name in ["xmas.db", "xmas.db-wal", "dev-jwt-secret", "dev-data-key"] {
            assert!(files.contains(&data.join(name)), "{name}");
        }
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    };
    let mut server = Serving::start(folder.path(), &[]);
    assert_private();
    server.kill();
    // As versions before this one left them.
    set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    for file in files() {
        set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    }
    let server = Serving::start(folder.path(), &[]);
    assert_private();
    server.login("demo-01", "demo-pass").await;
}

#[tokio::test]
async fn a_file_that_is_named_in_the_url_is_made_for_its_owner_only() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("named.db");
    let mut command = xmas_api(folder.path());
    command
        .env(
            "DATABASE_URL",
            format!("sqlite://{}?mode=rwc", file.display()),
        )
        .args(["migrate", "up"]);
    assert!(run(&mut command).status.success());
    let mode = |file: &Path| metadata(file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    // One that somebody made otherwise stays as it is.
    set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    assert!(run(&mut command).status.success());
    assert_eq!(mode(&file), 0o640);
}
