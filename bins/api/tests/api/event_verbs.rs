//! `xmas-api event` as scripts and people at a terminal meet it.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use xmas_test_support::TestDb;

use crate::command_line::{run, text, xmas_api};

const XMAS: &str = include_str!("../../../../events/xmas-2025.toml");

/// A database with the event of 2025 and an admin, and a folder with its file.
struct World {
    folder: TempDir,
    test: TestDb,
}

impl World {
    async fn new() -> Self {
        let world = Self {
            folder: TempDir::new().unwrap(),
            test: TestDb::new().await,
        };
        for verb in [&["seed", "event"][..], &["create-admin", "lead"]] {
            let done = world.run(verb);
            assert!(done.status.success(), "{}", text(&done.stderr));
        }
        world
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = xmas_api(self.path());
        command.env("DATABASE_URL", self.test.url());
        // The keys of all of them are one.
        command.env("DATA_KEY", "the data key of all tests, 32 bytes or more");
        command.args(args);
        command
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Output {
        run(&mut self.command(args))
    }
}

fn json_of(output: &Output) -> Value {
    let said = text(&output.stdout);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[tokio::test]
async fn a_program_is_answered_in_json_whatever_is_wrong() {
    let world = World::new().await;
    world.write(
        "broken.toml",
        &XMAS.replacen("weight = 120", "weight = -1", 1),
    );
    let name = "    { reward_type = \"TICKET_ROULETTE\", reward_amount = 1 },\n    { reward_type = \"TICKET_DICE\"";
    assert!(XMAS.contains(name));
    // Bundles that are there are never changed.
    let other = name.replace("amount = 1", "amount = 3");
    world.write("refused.toml", &XMAS.replacen(name, &other, 1));
    for verb in ["check", "plan", "apply"] {
        let broken = world.run(&["event", verb, "broken.toml", "--json"]);
        assert_eq!(broken.status.code(), Some(1), "{verb}");
        let problem = &json_of(&broken)["problems"][0];
        assert_eq!(problem["field"], "roulette.segments.0.weight", "{verb}");
        assert!(problem["line"].is_u64(), "{problem}");
    }
    for args in [
        &["event", "plan", "refused.toml", "--json"][..],
        &[
            "event",
            "apply",
            "refused.toml",
            "--json",
            "--yes",
            "--admin",
            "lead",
        ],
    ] {
        let refused = world.run(args);
        assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stderr));
        assert_eq!(json_of(&refused)["refused"].as_array().unwrap().len(), 1);
    }
    let fine = world.run(&["event", "check", "/dev/null"]);
    assert_eq!(fine.status.code(), Some(1), "an empty file says nothing");
}

#[tokio::test]
async fn a_reader_who_leaves_stops_nothing_and_a_full_disk_is_told() {
    let world = World::new().await;
    for args in [
        &["event", "example"][..],
        &["event", "schema"],
        &["event", "export"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = world.command(args);
        let left = command
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(
            left.status.code(),
            Some(0),
            "{args:?}: {}",
            text(&left.stderr)
        );
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = world.command(args);
        let full = command
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(full.status.code(), Some(1), "{args:?}");
    }
}

#[tokio::test]
async fn a_plan_never_takes_the_place_of_the_file() {
    let world = World::new().await;
    world.write("event.toml", XMAS);
    let planned = world.run(&["event", "plan", "event.toml", "--out", "./event.toml"]);
    assert_eq!(planned.status.code(), Some(1));
    assert_eq!(
        fs::read_to_string(world.path().join("event.toml")).unwrap(),
        XMAS
    );
    let planned = world.run(&["event", "plan", "event.toml", "--out", "event.plan"]);
    assert_eq!(planned.status.code(), Some(0), "{}", text(&planned.stderr));
    // Nothing is left beside it.
    let names = fs::read_dir(world.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut plans: Vec<_> = names.filter(|name| name.starts_with("event.")).collect();
    plans.sort();
    assert_eq!(plans, ["event.plan", "event.toml"]);
}

#[tokio::test]
async fn a_reason_is_what_the_log_can_keep() {
    let world = World::new().await;
    world.write(
        "event.toml",
        &XMAS.replacen("title = \"랭킹\"", "title = \"순위\"", 1),
    );
    let apply = |reason: &str| {
        world.run(&[
            "event",
            "apply",
            "event.toml",
            "--yes",
            "--admin",
            "lead",
            "--reason",
            reason,
        ])
    };
    for reason in ["x".repeat(501), "\u{1b}[2J".to_owned(), "두\n줄".to_owned()] {
        let refused = apply(&reason);
        assert_eq!(refused.status.code(), Some(1));
        assert!(
            text(&refused.stderr).contains("--reason"),
            "{}",
            text(&refused.stderr)
        );
    }
    let rows = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'EVENT_APPLY'";
    assert_eq!(world.test.count(rows).await, 0);
    let applied = apply("  새 이름 ");
    assert_eq!(applied.status.code(), Some(0), "{}", text(&applied.stderr));
    let kept = format!("{rows} AND reason = '새 이름'");
    assert_eq!(world.test.count(&kept).await, 1);
}
