use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, Statement, TransactionTrait};

use crate::ddl::{
    add_column, change_rows, create_index, create_table, create_unique_index, drop_column,
    drop_index, drop_tables, forget_support, has_table, run, supported_since,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Codes that an older version took into the stocks of several kinds, and that nobody has yet. They
/// stand in a table of their own, where no version gives them to a winner.
const COUPON_WITHHELD: &str = "
    CREATE TABLE IF NOT EXISTS coupon_withheld (
        id {id},
        kind_id BIGINT NOT NULL,
        fingerprint CHAR(64) NOT NULL,
        folded CHAR(64) NULL,
        sealed_code VARCHAR(512) NOT NULL,
        created_at {instant} NOT NULL,
        CONSTRAINT uq_coupon_withheld_fingerprint UNIQUE (kind_id, fingerprint),
        CONSTRAINT fk_coupon_withheld_kind FOREIGN KEY (kind_id) REFERENCES coupon_kind (id)
    ) {options}
";

/// The index that twins are found by.
const TWINS: &str = "ix_coupon_code_fingerprint";

/// How many codes are looked for at once.
const AT_ONCE: u64 = 500;

/// Withholds the free copies of codes that are there more than once, and numbers those that have been
/// given away. Each code is a transaction of its own, so that a migration that was cut off goes on.
async fn withhold_twins(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let backend = manager.get_database_backend();
    let mut after = String::new();
    loop {
        let sql = format!(
            "SELECT fingerprint FROM coupon_code WHERE copy_number = 0 AND fingerprint > ? \
             GROUP BY fingerprint HAVING COUNT(*) > 1 ORDER BY fingerprint LIMIT {AT_ONCE}"
        );
        let twins = Statement::from_sql_and_values(backend, sql, [after.as_str().into()]);
        let twins = db.query_all_raw(twins).await?;
        if twins.is_empty() {
            return Ok(());
        }
        for row in twins {
            after = row.try_get_by("fingerprint")?;
            let tx = db.begin().await?;
            withhold(&tx, backend, &after).await?;
            tx.commit().await?;
        }
    }
}

async fn withhold(
    tx: &impl ConnectionTrait,
    backend: DbBackend,
    fingerprint: &str,
) -> Result<(), DbErr> {
    let of_code = |sql: &str| Statement::from_sql_and_values(backend, sql, [fingerprint.into()]);
    // An older version may be giving one away; whoever comes second sees what the other has done.
    let lock = match backend {
        DbBackend::Sqlite => "",
        _ => " FOR UPDATE",
    };
    let copies =
        format!("SELECT id, reward_id FROM coupon_code WHERE fingerprint = ? ORDER BY id{lock}");
    let copies = tx.query_all_raw(of_code(&copies)).await?;
    let mut given = 0;
    for copy in copies {
        let id: i64 = copy.try_get_by("id")?;
        let reward: Option<i64> = copy.try_get_by("reward_id")?;
        let of_copy = |sql: &str| Statement::from_sql_and_values(backend, sql, [id.into()]);
        if reward.is_some() {
            let number = format!("UPDATE coupon_code SET copy_number = {given} WHERE id = ?");
            tx.execute_raw(of_copy(&number)).await?;
            given += 1;
            continue;
        }
        let keep = "INSERT INTO coupon_withheld (kind_id, fingerprint, sealed_code, created_at) \
                    SELECT kind_id, fingerprint, sealed_code, created_at FROM coupon_code \
                    WHERE id = ?";
        tx.execute_raw(of_copy(keep)).await?;
        let drop = "DELETE FROM coupon_code WHERE id = ?";
        tx.execute_raw(of_copy(drop)).await?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_column(
            manager,
            "coupon_kind",
            "ignores_case",
            "BOOLEAN NOT NULL DEFAULT 0",
        )
        .await?;
        // The fingerprint of the code without regard to case. It needs the key, so `serve` fills it.
        add_column(manager, "coupon_code", "folded", "CHAR(64) NULL").await?;
        // 0, but for codes that an older version gave to several winners.
        add_column(
            manager,
            "coupon_code",
            "copy_number",
            "BIGINT NOT NULL DEFAULT 0",
        )
        .await?;
        create_table(manager, COUPON_WITHHELD).await?;
        // Twins are found by their fingerprint, which no index begins with until they are gone.
        create_index(manager, TWINS, "coupon_code", "fingerprint").await?;
        change_rows("codes that several kinds have are withheld", async || {
            withhold_twins(manager).await
        })
        .await?;
        create_unique_index(
            manager,
            "uq_coupon_code_once",
            "coupon_code",
            "fingerprint, copy_number",
        )
        .await?;
        drop_index(manager, "coupon_code", TWINS).await?;
        for table in ["coupon_code", "coupon_withheld"] {
            create_index(manager, &format!("ix_{table}_folded"), table, "folded").await?;
        }
        // An older version knows neither the kinds that ignore case nor what is withheld.
        supported_since(manager, self.name()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_index(manager, "coupon_code", TWINS).await?;
        drop_index(manager, "coupon_code", "uq_coupon_code_once").await?;
        drop_index(manager, "coupon_code", "ix_coupon_code_folded").await?;
        if has_table(manager, "coupon_withheld").await? {
            // As it was: in the stock.
            let back = "INSERT INTO coupon_code (kind_id, fingerprint, sealed_code, created_at) \
                        SELECT kind_id, fingerprint, sealed_code, created_at \
                        FROM coupon_withheld w WHERE NOT EXISTS (SELECT 1 FROM coupon_code c \
                        WHERE c.kind_id = w.kind_id AND c.fingerprint = w.fingerprint)";
            run(manager, back).await?;
        }
        drop_tables(manager, &["coupon_withheld"]).await?;
        drop_column(manager, "coupon_code", "copy_number").await?;
        drop_column(manager, "coupon_code", "folded").await?;
        drop_column(manager, "coupon_kind", "ignores_case").await
    }
}
