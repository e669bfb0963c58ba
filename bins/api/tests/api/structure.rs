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

#[test]
fn only_the_owner_of_a_table_names_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let owners = [
        ("user", "players"),
        ("user_profiles", "players"),
        ("feature_config", "features"),
        ("feature_schedule", "features"),
        ("user_event_log", "activity"),
        ("refresh_token", "core-auth"),
        ("idempotency_key", "kernel"),
        ("data_key_probe", "kernel"),
        ("job_lease", "kernel"),
        ("admin_audit_log", "kernel"),
        ("config_lock", "kernel"),
        ("app_ui_config", "features"),
        ("wallet_batch", "rewards"),
        ("wallet_batch_item", "rewards"),
        ("event_bridge", "event-bridge"),
        ("event_bridge_day", "event-bridge"),
        ("event_bridge_gift", "event-bridge"),
        ("event_bridge_gift_key", "event-bridge"),
        ("event_bridge_progress", "event-bridge"),
        ("user_game_wallet", "rewards"),
        ("wallet_ledger", "rewards"),
        ("reward_log", "rewards"),
        ("season_pass_config", "season-pass"),
        ("season_pass_level", "season-pass"),
        ("season_pass_progress", "season-pass"),
        ("season_pass_stamp_log", "season-pass"),
        ("season_pass_reward_log", "season-pass"),
        ("roulette_config", "games"),
        ("roulette_segment", "games"),
        ("feature_log", "games"),
        ("feature_redraw", "games"),
        ("dice_config", "games"),
        ("lottery_config", "games"),
        ("lottery_prize", "games"),
        ("odds_table", "games"),
        ("draw_seed", "games"),
        ("ranking_daily", "games"),
        ("external_ranking_data", "games"),
        ("reward_bundle", "rewards"),
        ("reward_bundle_item", "rewards"),
        ("coupon_kind", "rewards"),
        ("coupon_code", "rewards"),
        ("coupon_withheld", "rewards"),
    ];
    for (table, owner) in owners {
        let needle = format!("table_name = \"{table}\"");
        let mut found = Vec::new();
        for_each_file(&root.join("crates"), &mut |file, text| {
            if text.contains(&needle) {
                found.push(file.to_path_buf());
            }
        });
        assert_eq!(found.len(), 1, "{table}: {found:?}");
        let folder = format!("crates/{owner}/src");
        assert!(
            found[0].to_string_lossy().contains(&folder),
            "{table}: {found:?}"
        );
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
