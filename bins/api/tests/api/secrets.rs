//! No secret is ever printed, however badly it was written.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path, process::Output};

use tempfile::TempDir;

use super::command_line::{run, text, xmas_api};

/// Every verb that reads the configuration.
const VERBS: [&[&str]; 10] = [
    &["serve"],
    &["check"],
    &["check", "--json"],
    &["migrate", "up"],
    &["migrate", "status"],
    &["seed", "demo"],
    &["create-admin", "boss"],
    &["settle", "--dry-run"],
    &["settle"],
    &["audit"],
];

fn printed(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

#[track_caller]
fn assert_refused(output: &Output, expected: &str, about: &str) {
    let printed = printed(output);
    assert_eq!(output.status.code(), Some(2), "{about}: {printed}");
    assert!(printed.contains(expected), "{about}: {printed}");
    for secret in ["S3cret", "S3%63ret", "p@ss"] {
        assert!(!printed.contains(secret), "{about}: {printed}");
    }
}

#[test]
fn no_verb_prints_the_password_of_a_malformed_url() {
    let folder = TempDir::new().unwrap();
    let encode = "percent-encode / # @ ? %";
    for (url, expected) in [
        ("mysq://u:S3cret@h/x", "must begin with mysql://"),
        ("postgres://u:S3cret@h/x", "PostgreSQL is not supported"),
        ("mysql://u:S3cret/y@h/x", encode),
        ("mysql://u:S3cret#y@h/x", encode),
        ("mysql://u:p@ss:S3cret@h/x", encode),
        ("mysql://u:S3%63ret%@h/x", encode),
        ("mysql://u:1?S3cret@h/x", encode),
        ("mysql://u:S3cret@[::1/x", encode),
        ("mysql://u:S3%63ret@h", "must name one database"),
        ("sqlite://x.db?key=S3cret", "must have no parameters but"),
    ] {
        for env in ["development", "production"] {
            for args in VERBS {
                let mut command = xmas_api(folder.path());
                command.env("APP_ENV", env).env("DATABASE_URL", url);
                // Everything that anybody may log.
                command.env("RUST_LOG", "trace").args(args);
                let about = format!("{url} {env} {args:?}");
                assert_refused(&run(&mut command), expected, &about);
            }
        }
    }
    assert!(!folder.path().join("data").exists());
}

#[test]
fn no_verb_prints_the_password_of_a_database_that_cannot_be_reached() {
    let folder = TempDir::new().unwrap();
    for args in VERBS {
        let mut command = xmas_api(folder.path());
        command
            .env("DATABASE_URL", "mysql://u:S3%63ret@127.0.0.1:1/x")
            .env("DATABASE_ACQUIRE_SECONDS", "1")
            .env("RUST_LOG", "trace")
            .args(args);
        let printed = printed(&run(&mut command));
        for secret in ["S3cret", "S3%63ret"] {
            assert!(!printed.contains(secret), "{args:?}: {printed}");
        }
        assert!(!printed.is_empty(), "{args:?}");
    }
}

#[test]
fn a_malformed_line_of_the_env_file_is_told_by_its_number() {
    let folder = TempDir::new().unwrap();
    for line in [
        "JWT_SECRET='S3cret",
        "JWT_SECRET S3cret",
        "JWT_SECRET=S3cret S3cret",
        "S3cret-p@ss",
    ] {
        std::fs::write(folder.path().join(".env"), format!("# mine\n{line}\n")).unwrap();
        for args in VERBS {
            let output = run(xmas_api(folder.path()).args(args));
            assert_refused(&output, ".env (line 2) must ", &format!("{line} {args:?}"));
        }
    }
}

#[test]
fn a_dollar_means_the_same_in_the_env_file_as_in_the_environment() {
    let folder = TempDir::new().unwrap();
    let secret = "pa$word$HOME\\n${USER}";
    let shown = |folder: &Path, value: Option<&str>| {
        let mut command = xmas_api(folder);
        command
            .arg("check")
            .env("HOME", "/somewhere")
            .env("word", "x");
        if let Some(value) = value {
            command.env("JWT_SECRET", value);
        }
        let printed = text(&run(&mut command).stdout);
        let line = printed.lines().find(|line| line.starts_with("JWT_SECRET="));
        line.unwrap().to_owned()
    };
    let from_environment = shown(folder.path(), Some(secret));
    assert_eq!(from_environment, "JWT_SECRET=[redacted, 21 bytes]");
    for line in [
        format!("JWT_SECRET={secret}"),
        format!("export JWT_SECRET=\"{secret}\""),
        format!("JWT_SECRET='{secret}' # a comment"),
    ] {
        std::fs::write(folder.path().join(".env"), line).unwrap();
        assert_eq!(shown(folder.path(), None), from_environment);
    }
}

#[test]
fn the_file_of_a_secret_is_refused_without_a_word_of_it() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("secret");
    for name in [
        "DATABASE_URL",
        "DATA_KEY",
        "JWT_SECRET",
        "JWT_PREVIOUS_SECRET",
    ] {
        for env in ["development", "production"] {
            let refused = |path: &OsStr, expected: &str| {
                let mut command = xmas_api(folder.path());
                command
                    .env("APP_ENV", env)
                    .env(format!("{name}_FILE"), path);
                assert_refused(
                    &run(command.arg("check")),
                    expected,
                    &format!("{name} {env}"),
                );
            };
            for (bytes, expected) in [
                (&b""[..], "names a file that is empty"),
                (b"\xef\xbb\xbf \r\n", "names a file that is empty"),
                (b"\xff\xfeS\x003\x00", "names a file that is not UTF-8"),
            ] {
                std::fs::write(&file, bytes).unwrap();
                refused(file.as_os_str(), expected);
            }
            refused(OsStr::new("S3cret"), "cannot be read");
            refused(OsStr::from_bytes(b"S3cret\xff"), "must be UTF-8");
        }
    }
    std::fs::write(&file, "postgres://u:S3cret@h/x\n").unwrap();
    let mut command = xmas_api(folder.path());
    command.env("DATABASE_URL_FILE", &file).arg("audit");
    assert_refused(&run(&mut command), "DATABASE_URL must begin", "in a file");
    let mut command = xmas_api(folder.path());
    command.env("JWT_SECRET", OsStr::from_bytes(b"S3cret\xff"));
    assert_refused(&run(&mut command), "JWT_SECRET must be UTF-8", "not text");
}
