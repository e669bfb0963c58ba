use serde_json::Value;
use xmas_test_support::TestApp;

use super::lists::{LEDGER, PLAYS, WALLETS, list, many_ledger_rows, two_players};

fn table(text: &str) -> Vec<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
    assert!(text.ends_with("\r\n"));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let rows = reader.records();
    rows.map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

#[tokio::test]
async fn an_export_has_every_row_once_and_in_order() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 1).await;
    santa.play("/api/roulette/play").await.expect_status(200);
    many_ledger_rows(&app, 30_000).await;
    let rows = app.test.count("SELECT COUNT(*) FROM wallet_ledger").await;
    let before = app.statements();
    let export = admin.get(&format!("{LEDGER}.csv")).await.expect_status(200);
    // Pages of 5,000, of which the last one is not full.
    assert_eq!(app.statements() - before, 1 + 7);
    assert_eq!(export.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        export.headers["content-disposition"],
        "attachment; filename=\"ledger.csv\""
    );
    let table = table(&export.text);
    assert_eq!(
        table[0][0..4],
        ["id", "user_id", "external_id", "token_type"]
    );
    let ids: Vec<i64> = table[1..]
        .iter()
        .map(|row| row[0].parse().unwrap())
        .collect();
    assert_eq!(ids.len() as i64, rows);
    assert!(ids.is_sorted_by(|a, b| a < b));
    // The same filters as the list has.
    let some =
        format!("{LEDGER}.csv?token_type=POINT&from=2025-12-26T00:00:01Z&external_id=elf-30000");
    let some = admin.get(&some).await.expect_status(200);
    assert_eq!(self::table(&some.text).len(), 1 + 29_600);
    for (filter, rows) in [
        ("from=2025-12-26T00:00:01Z", 29_600),
        ("to=2025-12-26T00:00:00Z", 0),
        ("from=2030-01-01", 0),
        ("from=2025-12-26&to=2025-12-26&reason=TEST", 30_000 + 1),
    ] {
        let export = admin.get(&format!("{LEDGER}.csv?{filter}")).await;
        let export = export.expect_status(200);
        assert_eq!(self::table(&export.text).len() - 1, rows, "{filter}");
    }
    let none = admin
        .get(&format!("{LEDGER}.csv?external_id=nobody"))
        .await
        .expect_status(200);
    assert_eq!(self::table(&none.text).len(), 1);
    let head = admin.request("HEAD".parse().unwrap(), &format!("{LEDGER}.csv"));
    admin.send(head).await.expect_status(200);
}

#[tokio::test]
async fn every_export_reads_as_its_list() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    two_players(&app).await;
    let formula = "=HYPERLINK(\"x\"), \"산타\"";
    app.test
        .execute(&format!(
            "UPDATE wallet_ledger SET reference = '{formula}' WHERE reason = 'TEST'"
        ))
        .await;
    for path in [WALLETS, PLAYS, LEDGER] {
        let mut listed = list(&admin, path).await;
        let export = admin.get(&format!("{path}.csv")).await.expect_status(200);
        let table = table(&export.text);
        let columns = &table[0];
        assert_eq!(table.len(), listed.len() + 1);
        if path != WALLETS {
            listed.reverse();
        }
        for (item, row) in listed.iter().zip(&table[1..]) {
            for (column, cell) in columns.iter().zip(row) {
                let value = match column.as_str() {
                    "reference" | "actor" => &item["meta_json"][column],
                    _ => &item[column],
                };
                let value = match value {
                    Value::Null => String::new(),
                    Value::String(text) if text == formula => format!("'{text}"),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                assert_eq!(*cell, value, "{path} {column}");
            }
        }
    }
}
