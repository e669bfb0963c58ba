//! SQL of all benchmarks.

use anyhow::Context;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use xmas_kernel::db::Db;

pub(crate) fn is_sqlite(db: &Db) -> bool {
    db.backend() == DbBackend::Sqlite
}

/// The numbers 1 to `last` (at most 10,000,000) as a common table expression.
pub(crate) fn numbers(db: &Db, last: u64) -> String {
    if is_sqlite(db) {
        return format!(
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers \
             WHERE n < {last})"
        );
    }
    // Digits rather than a recursion, whose depth the servers limit.
    let digits = "SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL \
        SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 \
        UNION ALL SELECT 9";
    let places = &["a", "b", "c", "d", "e", "f", "g"];
    // As many as it takes: every combination of them is made.
    let places = &places[..=(last.max(2) - 1).ilog10() as usize];
    let sum = places.iter().zip(0..);
    let sum: Vec<String> = sum
        .map(|(place, power)| format!("{place}.d * {}", 10_u32.pow(power)))
        .collect();
    let from: Vec<String> = places
        .iter()
        .map(|place| format!("digits {place}"))
        .collect();
    format!(
        "WITH digits AS ({digits}), numbers AS (SELECT * FROM (SELECT {} + 1 AS n FROM {}) AS every \
         WHERE n <= {last} ORDER BY n)",
        sum.join(" + "),
        from.join(", ")
    )
}

pub(crate) async fn count(db: &Db, sql: &str) -> anyhow::Result<i64> {
    let statement = Statement::from_string(db.backend(), sql);
    let row = db.read().query_one_raw(statement).await?;
    Ok(row.context("a count has a row")?.try_get_by(0)?)
}
