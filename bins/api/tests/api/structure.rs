//! The shape of the workspace (docs/ARCHITECTURE.md).

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// From the top: a crate may use what stands before it, and nothing after it.
const ORDER: [&str; 30] = [
    "xmas-texts",
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
    "xmas-event-file",
    "xmas-reporting",
    "xmas-housekeeping",
    "xmas-config",
    "xmas-http",
    "xmas-watch",
    "xmas-player-api",
    "xmas-admin-common",
    "xmas-admin-players",
    "xmas-admin-wallets",
    "xmas-admin-rewards",
    "xmas-admin-seasons",
    "xmas-admin-games",
    "xmas-admin-bridge",
    "xmas-admin-features",
    "xmas-admin-event",
    "xmas-admin-insight",
    "xmas-api",
];
/// Beside the others: the schema knows no crate of ours, the tests of the admin API are no code, and nothing
/// uses the test support but tests, and the benchmarks not at all.
const BESIDE: [&str; 4] = [
    "xmas-admin-api",
    "xmas-bench",
    "xmas-migration",
    "xmas-test-support",
];

/// Those that know HTTP.
fn knows_http(name: &str) -> bool {
    let sides = ["xmas-http", "xmas-watch", "xmas-player-api", "xmas-api"];
    is_of_admins(name)
        || sides.contains(&name)
        || ["xmas-bench", "xmas-test-support"].contains(&name)
}

/// The crates of the admin API.
fn is_of_admins(name: &str) -> bool {
    name.starts_with("xmas-admin-")
}

/// The folder of each crate that has code.
pub fn folders() -> Vec<(String, PathBuf)> {
    let workspace = MetadataCommand::new().no_deps().exec().unwrap();
    let packages = workspace.packages.into_iter();
    packages
        .filter(|package| package.name.as_str() != "xmas-admin-api")
        .map(|package| {
            let folder = package.manifest_path.parent().unwrap();
            (package.name.to_string(), folder.into())
        })
        .collect()
}

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
                "xmas-api" | "xmas-watch" if used == "xmas-migration" => true,
                // Nothing depends on being watched.
                _ if name != "xmas-api" && used == "xmas-watch" => false,
                // Players and operators have nothing of each other, nor the areas of operators; and no
                // paths have a say in settings.
                _ if is_of_admins(name) && used == "xmas-player-api" => false,
                _ if is_of_admins(name) && is_of_admins(used) => used == "xmas-admin-common",
                _ if name != "xmas-api" && knows_http(name) && used == "xmas-config" => false,
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
        if knows_http(package.name.as_str()) {
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
    let folders = folders().into_iter();
    let sides = folders.filter(|(name, _)| name == "xmas-player-api" || is_of_admins(name));
    for (_, folder) in sides {
        for_each_file(&folder.join("src"), &mut |file, text| {
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
    let mut owners: Vec<(String, String)> = Vec::new();
    let mut tables: Vec<(String, String)> = Vec::new();
    let folders = folders().into_iter();
    // The schema has every table, and the benchmarks fill them.
    let crates =
        folders.filter(|(name, _)| !["xmas-migration", "xmas-bench"].contains(&name.as_str()));
    for (name, folder) in crates {
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

/// The names of the functions that an area of the catalogue declares.
fn keys_of(area: &str) -> Vec<&str> {
    let declared = area
        .lines()
        .filter(|line| line.starts_with("    ") && line.ends_with(") {"));
    let name = |line: &str| line.trim().split('(').next().map(str::len);
    let names = declared.filter_map(|line| line.trim().get(..name(line)?));
    let is_name = |name: &&str| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
    };
    names.filter(is_name).collect()
}

#[test]
fn every_text_of_the_catalogue_is_read_by_somebody() {
    let mut code = String::new();
    let mut catalogue = Vec::new();
    for (name, folder) in folders() {
        for_each_file(&folder.join("src"), &mut |file, text| match name.as_str() {
            "xmas-texts" if text.contains("\ntexts! {") => {
                catalogue.push((file.to_owned(), text.to_owned()));
            }
            _ => code.push_str(text),
        });
    }
    let words: BTreeSet<&str> = code
        .split(|sign: char| !sign.is_alphanumeric() && sign != '_')
        .collect();
    let mut seen = 0;
    for (file, text) in &catalogue {
        let area = text.split_once("\ntexts! {").map_or("", |(_, area)| area);
        for key in keys_of(area) {
            seen += 1;
            assert!(
                words.contains(key),
                "nobody uses {key} of {}",
                file.display()
            );
        }
    }
    assert!(seen > 250, "{seen} texts");
}
