//! The shape of the workspace (docs/ARCHITECTURE.md).

use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// From the top: a crate may use what stands before it, and nothing after it.
const ORDER: [&str; 17] = [
    "xmas-kernel",
    "xmas-time",
    "xmas-players",
    "xmas-cache",
    "xmas-activity",
    "xmas-features",
    "xmas-core-auth",
    "xmas-rewards",
    "xmas-season-pass",
    "xmas-event-bridge",
    "xmas-games",
    "xmas-reporting",
    "xmas-config",
    "xmas-http",
    "xmas-player-api",
    "xmas-admin-api",
    "xmas-api",
];
/// Beside the others: the schema knows no crate of ours, and nothing uses the test support but tests,
/// and the benchmarks not at all.
const BESIDE: [&str; 3] = ["xmas-bench", "xmas-migration", "xmas-test-support"];

/// Those that know HTTP.
const HTTP: [&str; 6] = [
    "xmas-http",
    "xmas-player-api",
    "xmas-admin-api",
    "xmas-api",
    "xmas-bench",
    "xmas-test-support",
];

#[test]
fn crates_use_only_what_stands_above_them() {
    let workspace = MetadataCommand::new().no_deps().exec().unwrap();
    let place = |name: &str| ORDER.iter().position(|member| *member == name);
    for package in &workspace.packages {
        let name = package.name.as_str();
        assert!(
            place(name).is_some() || BESIDE.contains(&name),
            "{name} has no place in ORDER"
        );
        let used = package.dependencies.iter().filter(|dependency| {
            dependency.kind == DependencyKind::Normal && dependency.name.starts_with("xmas-")
        });
        for dependency in used {
            let used = dependency.name.as_str();
            let allowed = match name {
                "xmas-migration" => false,
                "xmas-bench" | "xmas-test-support" => true,
                "xmas-api" if used == "xmas-migration" => true,
                // Players and operators have nothing of each other, and no paths a say in settings.
                "xmas-admin-api" if used == "xmas-player-api" => false,
                "xmas-http" | "xmas-player-api" | "xmas-admin-api" if used == "xmas-config" => {
                    false
                }
                _ => place(used).is_some_and(|used| Some(used) < place(name)),
            };
            assert!(allowed, "{name} uses {used}");
        }
    }
}

#[test]
fn domain_crates_know_no_http_and_handlers_no_database() {
    let workspace = MetadataCommand::new().no_deps().exec().unwrap();
    for package in &workspace.packages {
        if HTTP.contains(&package.name.as_str()) {
            continue;
        }
        let http = package.dependencies.iter().find(|dependency| {
            dependency.name.starts_with("actix") || dependency.name.starts_with("utoipa")
        });
        assert!(
            http.is_none(),
            "{} uses {:?}",
            package.name,
            http.map(|found| &found.name)
        );
    }
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    for name in ["player-api", "admin-api"] {
        for_each_file(&crates.join(name).join("src"), &mut |file, text| {
            for word in ["sea_orm", "Db"] {
                let file = file.display();
                assert!(!text.contains(word), "{file} knows the database");
            }
        });
    }
}

/// What a crate's `lib.rs` says that it owns: `user`, or `coupon_*` for all that begin so.
fn owned_by(lib: &str) -> Vec<String> {
    let doc = lib.lines().map_while(|line| line.strip_prefix("//!"));
    let doc: Vec<&str> = doc.map(str::trim).collect();
    let doc = doc.join(" ");
    let Some((_, tables)) = doc.split_once("Owns the table") else {
        return Vec::new();
    };
    let tables = tables.split('.').next().unwrap_or_default();
    let names = tables.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

#[test]
fn only_the_owner_of_a_table_names_it() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    let mut owners: Vec<(String, String)> = Vec::new();
    let mut tables: Vec<(String, String)> = Vec::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let lib = std::fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        owners.extend(
            owned_by(&lib)
                .into_iter()
                .map(|table| (table, name.clone())),
        );
        for_each_file(&folder.join("src"), &mut |_, text| {
            let named = text.split("table_name = \"").skip(1);
            let named = named.filter_map(|rest| rest.split('"').next());
            tables.extend(named.map(|table| (table.to_owned(), name.clone())));
        });
    }
    let fits = |pattern: &str, table: &str| match pattern.strip_suffix('*') {
        Some(beginning) => table.starts_with(beginning),
        None => table == pattern,
    };
    assert!(tables.len() > 30, "{tables:?}");
    for (table, named_by) in &tables {
        let owners = owners.iter().filter(|(pattern, _)| fits(pattern, table));
        let owners: Vec<&str> = owners.map(|(_, owner)| owner.as_str()).collect();
        assert_eq!(owners, [named_by], "{table}: who owns it, and who names it");
        let times = tables.iter().filter(|(other, _)| other == table).count();
        assert_eq!(times, 1, "{table} is an entity {times} times");
    }
    for (pattern, owner) in &owners {
        let is_there = tables.iter().any(|(table, _)| fits(pattern, table));
        assert!(is_there, "{owner} owns {pattern}, which nobody names");
    }
}

fn for_each_file(folder: &Path, see: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for_each_file(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}
