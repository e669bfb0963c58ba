use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, Statement};

use crate::{composed, m20261126_000016_anonymised as anonymised};

/// What migrations could not decide and leave to an operator, a sentence each; nothing in a database that
/// no older version has filled.
pub async fn attention(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let manager = SchemaManager::new(db);
    if !manager.has_table("coupon_withheld").await? {
        return Ok(Vec::new());
    }
    let mut sentences = Vec::new();
    let withheld = "SELECT k.name AS name, COUNT(*) AS codes FROM coupon_withheld w \
                    JOIN coupon_kind k ON k.id = w.kind_id GROUP BY k.id, k.name ORDER BY k.id";
    let withheld = Statement::from_string(db.get_database_backend(), withheld);
    for row in db.query_all_raw(withheld).await? {
        let name: String = row.try_get_by("name")?;
        let codes: i64 = row.try_get_by("codes")?;
        sentences.push(format!(
            "{codes} coupon codes of {name:?} are withheld, because another kind has them too; \
             release or remove them under /admin/api/coupons/withheld/"
        ));
    }
    let collisions = composed::collisions(db).await?;
    sentences.extend(collisions.iter().map(ToString::to_string));
    for player in anonymised::brought_back(&manager).await? {
        sentences.push(format!(
            "player {player} was anonymised, and an older version let them be named again: they are as \
             everybody else until they are anonymised once more"
        ));
    }
    let waiting = anonymised::waiting_rewards(&manager).await?;
    if waiting > 0 {
        sentences.push(format!(
            "{waiting} rewards wait for players who were anonymised, whom nothing reaches any more; reject them \
             under /admin/api/rewards/, or anonymise these players once more"
        ));
    }
    Ok(sentences)
}
