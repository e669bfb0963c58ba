use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, QueryResult, Statement, TransactionTrait};

use crate::ddl::{add_column, change_rows, drop_column, forget_support, run, supported_since};

/// Players who were anonymised are marked, and what an older version left of their names outside the log of
/// operators is taken away. That log stays as it was written; whoever reads it is shown no names of theirs.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Who was anonymised, and when, as the log of operators tells.
const IN_LOG: &str = "
    SELECT u.id AS id, u.external_id AS external_id, {at} AS at
    FROM admin_audit_log a JOIN `user` u ON a.resource = {user}
    WHERE a.action = 'USER_ANONYMISE' GROUP BY u.id, u.external_id ORDER BY u.id
";

/// A player of whom the log of operators tells that they were anonymised.
struct Anonymised {
    id: i64,
    external_id: String,
    at: String,
}

impl Anonymised {
    /// Whether nobody has given them another name since.
    fn is_gone(&self) -> bool {
        self.external_id == format!("anon-{}", self.id)
    }
}

async fn anonymised_by_log(manager: &SchemaManager<'_>) -> Result<Vec<Anonymised>, DbErr> {
    let backend = manager.get_database_backend();
    let (at, user) = match backend {
        DbBackend::Sqlite => ("MAX(a.created_at)", "'user:' || u.id"),
        _ => ("CAST(MAX(a.created_at) AS CHAR)", "CONCAT('user:', u.id)"),
    };
    let sql = IN_LOG.replace("{at}", at).replace("{user}", user);
    let sql = Statement::from_string(backend, sql);
    let rows = manager.get_connection().query_all_raw(sql).await?;
    let read = |row: QueryResult| {
        Ok(Anonymised {
            id: row.try_get_by("id")?,
            external_id: row.try_get_by("external_id")?,
            at: row.try_get_by("at")?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Those whom an older version anonymised and let be named again.
pub(crate) async fn brought_back(manager: &SchemaManager<'_>) -> Result<Vec<i64>, DbErr> {
    let (db, backend) = (manager.get_connection(), manager.get_database_backend());
    let mut back = Vec::new();
    if !manager.has_column("user_profiles", "anonymised_at").await? {
        return Ok(back);
    }
    for player in anonymised_by_log(manager)
        .await?
        .iter()
        .filter(|player| !player.is_gone())
    {
        let living = format!(
            "SELECT 1 FROM user_profiles WHERE user_id = {} AND anonymised_at IS NULL",
            player.id
        );
        let living = Statement::from_string(backend, living);
        if db.query_one_raw(living).await?.is_some() {
            back.push(player.id);
        }
    }
    Ok(back)
}

/// How many rewards an older version has left waiting for players whom it anonymised.
pub(crate) async fn waiting_rewards(manager: &SchemaManager<'_>) -> Result<i64, DbErr> {
    if !manager.has_column("user_profiles", "anonymised_at").await? {
        return Ok(0);
    }
    let waiting = "SELECT COUNT(*) AS rewards FROM reward_log r JOIN user_profiles p \
                   ON p.user_id = r.user_id WHERE p.anonymised_at IS NOT NULL \
                   AND r.state = 'PENDING_REVIEW'";
    let waiting = Statement::from_string(manager.get_database_backend(), waiting);
    let row = manager.get_connection().query_one_raw(waiting).await?;
    row.map_or(Ok(0), |row| row.try_get_by("rewards"))
}

/// Marks a player, whom an older version may have let in again. Each is a transaction, so that one who is
/// marked is finished.
async fn mark(
    db: &SchemaManagerConnection<'_>,
    backend: DbBackend,
    Anonymised { id, at, .. }: &Anonymised,
) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    for sql in [
        format!(
            "UPDATE user_profiles SET anonymised_at = '{at}', is_blocked = 0, \
             token_epoch = token_epoch + 1 WHERE user_id = {id} AND anonymised_at IS NULL"
        ),
        format!("UPDATE `user` SET status = 'INACTIVE', nickname = NULL WHERE id = {id}"),
        // What the player's client reported about them, and the answers to their requests.
        format!(
            "UPDATE user_event_log SET meta_json = JSON_REMOVE(meta_json, '$.meta') \
             WHERE user_id = {id} AND event_type LIKE 'CLIENT!_%' ESCAPE '!'"
        ),
        format!("DELETE FROM idempotency_key WHERE user_id = {id}"),
    ] {
        tx.execute_raw(Statement::from_string(backend, sql)).await?;
    }
    tx.commit().await
}

/// Answers to operators named the player of an order. Only operators have such answers.
const NAMELESS: &str = "
    UPDATE idempotency_key SET result = JSON_SET(result, '$.result.external_id', '')
    WHERE user_id IN (SELECT id FROM `user` WHERE role = 'ADMIN')
    AND JSON_EXTRACT(result, '$.result.external_id') IS NOT NULL
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_column(manager, "user_profiles", "anonymised_at", "{instant} NULL").await?;
        change_rows("anonymised players are marked", async || {
            let (db, backend) = (manager.get_connection(), manager.get_database_backend());
            let players = anonymised_by_log(manager).await?;
            for player in players.iter().filter(|told| told.is_gone()) {
                mark(db, backend, player).await?;
            }
            Ok(())
        })
        .await?;
        run(manager, NAMELESS).await?;
        // An older version would bring an anonymised player back.
        supported_since(manager, self.name()).await
    }

    /// The same players as before, but for what was taken from whoever is anonymised.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget_support(manager, self.name()).await?;
        drop_column(manager, "user_profiles", "anonymised_at").await
    }
}
