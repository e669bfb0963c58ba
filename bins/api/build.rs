//! Finds the commit that is built: `XMAS_COMMIT` where there is no repository, in an image say, or else what git says.

use std::process::Command;

/// How much of a commit's name is shown.
const LENGTH: usize = 12;

fn main() {
    println!("cargo::rerun-if-env-changed=XMAS_COMMIT");
    let given = std::env::var("XMAS_COMMIT").ok();
    let given = given.filter(|commit| !commit.trim().is_empty());
    let commit = given.or_else(of_repository);
    let commit = commit.as_deref().map_or("unknown", str::trim);
    let commit = commit.get(..LENGTH).unwrap_or(commit);
    println!("cargo::rustc-env=XMAS_COMMIT={commit}");
}

fn of_repository() -> Option<String> {
    // Written at every commit and checkout.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
