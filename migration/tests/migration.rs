//! The schema on the server under test: up, down and up again, and the constraints in it.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

#[path = "../examples/database-reference.rs"]
mod reference;

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement};
use xmas_games::{
    Game,
    dice::Dice,
    fairness,
    lottery::{self, Lottery},
    roulette::Roulette,
};
use xmas_kernel::{
    db::{Constraint, Db},
    lease,
};
use xmas_migration::{Migrator, MigratorTrait, SchemaState, schema_state};
use xmas_test_support::TestDb;

/// docs/database.md.
fn page() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/database.md");
    std::fs::read_to_string(page).unwrap()
}

#[tokio::test]
async fn the_page_about_the_database_is_up_to_date() {
    let made = reference::reference().await;
    let made = made.unwrap_or_else(|problems| panic!("{}", problems.join("\n")));
    assert!(made == page(), "run `just docs`");
}

/// It is made on SQLite, whose types are other ones.
#[tokio::test]
async fn the_page_about_the_database_has_the_types_of_the_server() {
    let test = TestDb::new().await;
    if test.db.backend() == DbBackend::Sqlite {
        return;
    }
    let sql = "SELECT CONCAT(table_name, '.', column_name, ' ', column_type, ' ', is_nullable) \
               FROM information_schema.columns WHERE table_schema = DATABASE()";
    let found = Statement::from_string(test.db.backend(), sql);
    let found = test.db.read().query_all_raw(found).await.unwrap();
    let mut found: Vec<String> = found.iter().map(|row| row.try_get_by(0).unwrap()).collect();
    for column in &mut found {
        // MariaDB says how wide a number is shown, and both say how they keep what is true or false.
        *column = column
            .replace("bigint(20)", "bigint")
            .replace("tinyint(1)", "boolean");
    }
    let page = page();
    let (mut table, mut documented) = ("", Vec::new());
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            table = name.trim_matches('`');
        }
        let cells: Vec<_> = line.split(" | ").collect();
        if let [name, kind, null, _] = cells[..]
            && let Some(name) = name.strip_prefix("| `")
        {
            let (name, null) = (
                name.trim_end_matches('`'),
                if null == "yes" { "YES" } else { "NO" },
            );
            let kind = kind.trim_end_matches(", counted up");
            documented.push(format!("{table}.{name} {kind} {null}"));
        }
    }
    let differs = |one: &[String], other: &[String]| {
        let one = one.iter().filter(|column| !other.contains(column));
        one.cloned().collect::<Vec<_>>()
    };
    // The library's own table says less on SQLite.
    documented.retain(|column| !column.starts_with("seaql_migrations."));
    found.retain(|column| !column.starts_with("seaql_migrations."));
    let (unsaid, untrue) = (differs(&found, &documented), differs(&documented, &found));
    assert!(
        unsaid.is_empty() && untrue.is_empty(),
        "{unsaid:?}, the page says {untrue:?}"
    );
    assert!(found.len() > 300, "{}", found.len());
}

#[tokio::test]
async fn up_down_and_up_again_leaves_the_same_schema() {
    let test = TestDb::empty().await;
    let write = test.db.write();
    Migrator::up(write, None).await.unwrap();
    let first = schema(&test.db).await;
    assert!(first.len() > 100, "the description is not empty: {first:?}");
    Migrator::down(write, None).await.unwrap();
    let leftovers: Vec<_> = schema(&test.db)
        .await
        .into_iter()
        .filter(|line| !line.contains("seaql_migrations") && !line.contains("sqlite_sequence"))
        .collect();
    assert_eq!(leftovers, Vec::<String>::new());
    Migrator::up(write, None).await.unwrap();
    assert_eq!(schema(&test.db).await, first);
}

#[tokio::test]
async fn a_migration_that_was_cut_off_half_way_can_be_run_again() {
    let test = TestDb::new().await.as_owner().await;
    let first = schema(&test.db).await;
    test.execute("DELETE FROM seaql_migrations").await;
    Migrator::up(test.db.write(), None).await.unwrap();
    assert_eq!(schema(&test.db).await, first);
}

#[tokio::test]
async fn the_state_names_what_is_missing_and_what_is_too_new() {
    let test = TestDb::empty().await;
    let state = async || {
        let version = env!("CARGO_PKG_VERSION");
        schema_state(test.db.write(), version).await.unwrap()
    };
    assert!(
        matches!(state().await, SchemaState::TooOld { missing } if missing.len() == Migrator::migrations().len())
    );
    Migrator::up(test.db.write(), Some(2)).await.unwrap();
    assert!(
        matches!(state().await, SchemaState::TooOld { missing } if missing.len() == Migrator::migrations().len() - 2)
    );
    Migrator::up(test.db.write(), None).await.unwrap();
    assert_eq!(state().await, SchemaState::Current);
    test.execute("INSERT INTO schema_compatibility VALUES ('m20991231_000001_future', '99.0.0')")
        .await;
    let too_new = SchemaState::TooNew {
        migration: "m20991231_000001_future".to_owned(),
        oldest_binary: "99.0.0".to_owned(),
    };
    assert_eq!(state().await, too_new);
}

/// Which takes a promise of 0 for a broken configuration.
#[tokio::test]
async fn the_binary_of_the_first_release_is_too_old_for_promises_of_zero() {
    let test = TestDb::new().await.as_owner().await;
    let state = async |version| schema_state(test.db.read(), version).await.unwrap();
    let recorded = "SELECT COUNT(*) FROM schema_compatibility \
                    WHERE migration = 'm20261125_000013_zero_amounts' AND oldest_binary = '0.2.0'";
    assert_eq!(test.count(recorded).await, 1);
    // The first of several that it is too old for is named.
    for version in ["0.1.0", "0.1.99"] {
        let state = state(version).await;
        assert!(
            matches!(&state, SchemaState::TooNew { oldest_binary, .. } if oldest_binary == "0.2.0"),
            "{version}: {state:?}"
        );
    }
    for version in ["0.2.0", "0.10.0", "1.0.0"] {
        assert_eq!(state(version).await, SchemaState::Current, "{version}");
    }
}

/// Every constraint whose violation means something to a crate.
const CONSTRAINTS: [Constraint; 21] = [
    lease::ONE_PER_JOB,
    xmas_players::constraints::EXTERNAL_ID,
    xmas_activity::constraints::ONCE,
    xmas_rewards::constraints::GRANT,
    xmas_rewards::constraints::BUNDLE_NAME,
    xmas_rewards::constraints::COUPON_KIND_NAME,
    xmas_rewards::constraints::COUPON_CODE,
    xmas_rewards::constraints::COUPON_CODE_ONCE,
    xmas_rewards::constraints::BATCH_KEY,
    xmas_rewards::constraints::BATCH_REVERTS,
    xmas_season_pass::constraints::SEASON_NAME,
    xmas_season_pass::constraints::STAMP_PERIOD,
    xmas_season_pass::constraints::LEVEL_REWARD,
    xmas_event_bridge::constraints::ONE_OPEN,
    xmas_event_bridge::constraints::ONE_PER_SEASON,
    fairness::ODDS_CONTENT,
    fairness::SEED_OF_DAY,
    Roulette::ONE_ACTIVE,
    Dice::ONE_ACTIVE,
    Lottery::ONE_ACTIVE,
    lottery::PRIZE_LABEL,
];

/// The constants and the schema must not drift apart, on any server.
#[tokio::test]
async fn every_constraint_that_a_crate_knows_is_in_the_schema() {
    let test = TestDb::new().await;
    for constraint in CONSTRAINTS {
        let Constraint {
            name,
            table,
            columns,
        } = constraint;
        let found = match test.db.backend() {
            DbBackend::Sqlite => {
                let sql = format!(
                    "SELECT group_concat(c.name, ',') AS x FROM pragma_index_list('{table}') l, \
                     pragma_index_info(l.name) c WHERE l.\"unique\" = 1 GROUP BY l.name"
                );
                rows(&test.db, &sql).await
            }
            _ => {
                let sql = format!(
                    "SELECT GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR ',') AS x \
                     FROM information_schema.statistics WHERE table_schema = DATABASE() \
                     AND table_name = '{table}' AND index_name = '{name}' AND non_unique = 0"
                );
                rows(&test.db, &sql).await
            }
        };
        assert!(found.contains(&columns.join(",")), "{name}: {found:?}");
    }
}

/// One line per column, index and constraint.
async fn schema(db: &Db) -> Vec<String> {
    let queries: &[&str] = match db.backend() {
        DbBackend::Sqlite => {
            &["SELECT name || ': ' || coalesce(sql, '') AS x FROM sqlite_master ORDER BY name"]
        }
        _ => &[
            "SELECT CONCAT_WS(' ', table_name, engine, table_collation) AS x FROM information_schema.tables \
             WHERE table_schema = DATABASE() ORDER BY 1",
            "SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, column_default, \
             collation_name, extra) AS x FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1",
            "SELECT CONCAT_WS(' ', table_name, index_name, non_unique, seq_in_index, column_name) AS x \
             FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1",
            "SELECT CONCAT_WS(' ', constraint_name, check_clause) AS x FROM information_schema.check_constraints \
             WHERE constraint_schema = DATABASE() ORDER BY 1",
            "SELECT CONCAT_WS(' ', table_name, constraint_name, constraint_type) AS x \
             FROM information_schema.table_constraints WHERE table_schema = DATABASE() ORDER BY 1",
        ],
    };
    let mut lines = Vec::new();
    for query in queries {
        for line in rows(db, query).await {
            lines.extend(line.lines().map(|line| line.trim().to_owned()));
        }
    }
    lines
}

/// The column `x` of every row, as text.
async fn rows(db: &Db, sql: &str) -> Vec<String> {
    let sql = format!("SELECT CAST(x AS CHAR) FROM ({sql}) AS t");
    let statement = Statement::from_string(db.backend(), sql);
    let rows = db.read().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by(0).unwrap()).collect()
}

/// `scripts/grants.sql` says for every table what the application may do with it, and the suite runs
/// under such a user on MySQL and MariaDB.
#[tokio::test]
async fn every_table_has_its_grants_and_four_of_them_are_only_added_to() {
    const ONLY_ADDED_TO: [&str; 4] = [
        "wallet_ledger",
        "admin_audit_log",
        "odds_table",
        "odds_change",
    ];
    let grants = include_str!("../../scripts/grants.sql");
    let granted = |table: &str| {
        let place = format!("`{{database}}`.`{table}` TO {{user}};");
        let mut lines = grants.lines().filter(|line| line.ends_with(&place));
        let line = lines.next();
        assert_eq!(lines.next(), None, "{table} is there once");
        line.map(|line| line.split(" ON ").next().unwrap().to_owned())
    };
    let test = TestDb::new().await;
    let sql = match test.db.backend() {
        DbBackend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        }
        _ => "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    };
    let statement = Statement::from_string(test.db.backend(), sql);
    let rows = test.db.read().query_all_raw(statement).await.unwrap();
    assert!(rows.len() > 30);
    for row in rows {
        let table: String = row.try_get_by(0).unwrap();
        let expected = match table.as_str() {
            table if ONLY_ADDED_TO.contains(&table) => "GRANT SELECT, INSERT",
            "odds_plan" => "GRANT SELECT, INSERT, UPDATE",
            "seaql_migrations" | "schema_compatibility" => "GRANT SELECT",
            _ => "GRANT SELECT, INSERT, UPDATE, DELETE",
        };
        assert_eq!(granted(&table).as_deref(), Some(expected), "{table}");
    }
    if test.db.backend() == DbBackend::Sqlite {
        return;
    }
    for table in ONLY_ADDED_TO {
        for sql in [
            format!("DELETE FROM {table}"),
            format!("UPDATE {table} SET id = 1"),
        ] {
            let refused = test.db.write().execute_unprepared(&sql).await.unwrap_err();
            assert!(refused.to_string().contains("denied"), "{refused}");
        }
    }
}
