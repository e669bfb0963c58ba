//! Every invariant of the database (domain.md, "Invariants") as a query for what violates it.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde::Serialize;
use xmas_kernel::db::{Db, DbError};

/// Looks for violations of invariants. It changes nothing.
#[derive(Clone, Debug)]
pub struct Audit {
    db: Db,
}

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    pub checks: Vec<Check>,
}

/// One invariant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub violations: u64,
    /// What violates it, by name and id; the first [`Audit::EXAMPLES`] of them.
    pub examples: Vec<String>,
}

impl AuditReport {
    pub fn violations(&self) -> u64 {
        self.checks.iter().map(|check| check.violations).sum()
    }
}

/// A query's rows are violations; their first column says which, as text. `{…}` is joined text, which
/// the servers spell differently.
const CHECKS: &[(&str, &str)] = &[
    (
        "every balance is the sum of its ledger, and not negative",
        "SELECT {'user ', w.user_id, ' ', w.asset} AS what FROM user_game_wallet w LEFT JOIN \
         (SELECT user_id, asset, SUM(delta) AS total FROM wallet_ledger GROUP BY user_id, asset) l \
         ON l.user_id = w.user_id AND l.asset = w.asset \
         WHERE w.balance < 0 OR w.balance <> COALESCE(l.total, 0)",
    ),
    (
        "every ledger belongs to a wallet",
        "SELECT {'ledger ', l.id} AS what FROM wallet_ledger l LEFT JOIN user_game_wallet w \
         ON w.user_id = l.user_id AND w.asset = l.asset WHERE w.user_id IS NULL",
    ),
    (
        "every item of a batch is in the ledger as far as it is done",
        "SELECT {'batch ', i.batch_id, ' user ', i.user_id, ' ', i.asset} AS what \
         FROM wallet_batch_item i JOIN wallet_batch b ON b.id = i.batch_id LEFT JOIN \
         (SELECT reference, user_id, asset, SUM(delta) AS total FROM wallet_ledger \
         WHERE reference LIKE 'batch:%' GROUP BY reference, user_id, asset) l \
         ON l.reference = {'batch:', b.batch_key} AND l.user_id = i.user_id AND l.asset = i.asset \
         WHERE COALESCE(l.total, 0) <> CASE i.state WHEN 'DONE' THEN i.amount \
         WHEN 'SHORT' THEN i.part_moved ELSE 0 END * CASE b.kind WHEN 'GRANT' THEN 1 ELSE -1 END",
    ),
    (
        "a batch that is done has nothing planned",
        "SELECT {'batch ', b.id} AS what FROM wallet_batch b WHERE b.state = 'DONE' AND EXISTS \
         (SELECT 1 FROM wallet_batch_item i WHERE i.batch_id = b.id AND i.state = 'PLANNED')",
    ),
    (
        "a revert takes back what its batch has done, and no more",
        "SELECT {'batch ', i.batch_id, ' user ', i.user_id, ' ', i.asset} AS what \
         FROM wallet_batch_item i JOIN wallet_batch r ON r.id = i.batch_id \
         LEFT JOIN wallet_batch b ON b.id = r.reverts LEFT JOIN wallet_batch_item o \
         ON o.batch_id = b.id AND o.user_id = i.user_id AND o.asset = i.asset AND o.state = 'DONE' \
         WHERE (r.reverts IS NULL AND i.part_moved <> 0) OR (r.reverts IS NOT NULL \
         AND (b.id IS NULL OR b.state = 'OPEN' OR o.amount IS NULL OR o.amount <> i.amount \
         OR i.part_moved >= i.amount OR (i.part_moved > 0 AND i.state <> 'SHORT'))) \
         UNION ALL SELECT {'batch ', r.id, ' lacks user ', o.user_id, ' ', o.asset} AS what \
         FROM wallet_batch r JOIN wallet_batch_item o ON o.batch_id = r.reverts AND o.state = 'DONE' \
         LEFT JOIN wallet_batch_item i ON i.batch_id = r.id AND i.user_id = o.user_id \
         AND i.asset = o.asset WHERE i.batch_id IS NULL",
    ),
    (
        "every play has its one spend",
        "SELECT {'play ', p.id} AS what FROM feature_log p LEFT JOIN \
         (SELECT reference, COUNT(*) AS spends FROM wallet_ledger WHERE reason = 'PLAY' AND delta < 0 \
         GROUP BY reference) s ON s.reference = {'play:', p.id} \
         WHERE COALESCE(s.spends, 0) <> 1",
    ),
    (
        "every spend on a play has its play",
        "SELECT {'ledger ', l.id} AS what FROM wallet_ledger l LEFT JOIN feature_log p \
         ON l.reference = {'play:', p.id} AND p.user_id = l.user_id \
         WHERE l.reason = 'PLAY' AND p.id IS NULL",
    ),
    (
        "every play has its receipt",
        "SELECT {'play ', p.id} AS what FROM feature_log p LEFT JOIN reward_log r \
         ON r.grant_key = {'play:', p.id} AND r.user_id = p.user_id WHERE r.id IS NULL",
    ),
    (
        "nonces have no gaps",
        "SELECT {'user ', user_id, ' ', feature_type, ' ', event_day} AS what FROM feature_log \
         GROUP BY user_id, feature_type, event_day HAVING MAX(nonce) + 1 <> COUNT(*)",
    ),
    (
        "every delivered reward is in a ledger once, or is a coupon, a bundle, XP or nothing",
        "SELECT {'reward ', r.id} AS what FROM reward_log r LEFT JOIN \
         (SELECT reference, user_id, SUM(delta) AS total FROM wallet_ledger WHERE reason <> 'PLAY' \
         GROUP BY reference, user_id) l ON l.reference = r.grant_key AND l.user_id = r.user_id \
         WHERE r.reward_type NOT IN ('COUPON', 'BUNDLE', 'XP', 'NONE') \
         AND COALESCE(l.total, 0) <> CASE WHEN r.state = 'DELIVERED' THEN r.amount ELSE 0 END",
    ),
    (
        "every delivered bundle is in a ledger",
        "SELECT {'reward ', r.id} AS what FROM reward_log r WHERE r.reward_type = 'BUNDLE' \
         AND (r.state = 'DELIVERED') <> EXISTS (SELECT 1 FROM wallet_ledger l \
         WHERE l.reference = r.grant_key AND l.user_id = r.user_id AND l.reason <> 'PLAY')",
    ),
    (
        "every delivered coupon has its code, and no other reward has one",
        "SELECT {'reward ', r.id} AS what FROM reward_log r LEFT JOIN coupon_code c \
         ON c.reward_id = r.id WHERE (r.reward_type = 'COUPON' AND r.state = 'DELIVERED') \
         <> (c.id IS NOT NULL)",
    ),
    (
        "no coupon code is there twice",
        // But for those that an older version gave away twice, which nobody can take back.
        "SELECT {'coupon code ', c.id} AS what FROM coupon_code c \
         JOIN coupon_kind k ON k.id = c.kind_id \
         JOIN coupon_code d ON d.folded = c.folded AND d.id < c.id \
         JOIN coupon_kind l ON l.id = d.kind_id \
         WHERE c.copy_number = 0 AND d.copy_number = 0 AND (c.fingerprint = d.fingerprint \
         OR k.ignores_case = 1 OR l.ignores_case = 1)",
    ),
    (
        "what is left of a prize and what was won add up to what was supplied",
        "SELECT {'prize ', p.id} AS what FROM lottery_prize p LEFT JOIN \
         (SELECT entry_id, COUNT(*) AS won FROM feature_log \
         WHERE feature_type = 'LOTTERY' AND took_stock = 1 GROUP BY entry_id) l ON l.entry_id = p.id \
         WHERE p.stock IS NOT NULL AND p.stock + COALESCE(l.won, 0) <> p.stock_supplied",
    ),
    (
        "XP is stamps and XP receipts",
        "SELECT {'user ', p.user_id, ' season ', p.season_id} AS what FROM season_pass_progress p \
         LEFT JOIN (SELECT user_id, season_id, SUM(xp_earned) AS xp FROM season_pass_stamp_log \
         GROUP BY user_id, season_id) s ON s.user_id = p.user_id AND s.season_id = p.season_id \
         LEFT JOIN (SELECT user_id, season_id, SUM(amount) AS xp FROM reward_log \
         WHERE reward_type = 'XP' AND state = 'DELIVERED' GROUP BY user_id, season_id) r \
         ON r.user_id = p.user_id AND r.season_id = p.season_id \
         WHERE p.current_xp <> COALESCE(s.xp, 0) + COALESCE(r.xp, 0)",
    ),
    (
        "levels that were paid had been reached",
        "SELECT {'user ', c.user_id, ' season ', c.season_id, ' level ', c.level} AS what \
         FROM season_pass_reward_log c LEFT JOIN season_pass_progress p \
         ON p.user_id = c.user_id AND p.season_id = c.season_id \
         WHERE p.user_id IS NULL OR c.level > p.level_high_water",
    ),
    (
        "keys are key stamps that are not settled or expired",
        "SELECT {'user ', u.user_id} AS what FROM user_profiles u LEFT JOIN \
         (SELECT s.user_id, COUNT(*) AS total, SUM(d.points) AS points \
         FROM season_pass_stamp_log s JOIN event_bridge b ON b.season_id = s.season_id \
         AND b.closing_at IS NULL JOIN event_bridge_day d ON d.bridge_id = b.id \
         AND d.event_type = s.period_key LEFT JOIN reward_log r \
         ON r.grant_key = {'bridge:', b.id, ':user:', s.user_id} \
         WHERE s.event_type IS NOT NULL AND r.id IS NULL \
         GROUP BY s.user_id) k ON k.user_id = u.user_id \
         WHERE (u.event_key_count <> COALESCE(k.total, 0) \
         OR u.event_pending_points <> COALESCE(k.points, 0)) \
         AND NOT EXISTS (SELECT 1 FROM event_bridge c WHERE c.closing_at IS NOT NULL \
         AND c.state <> 'CLOSED')",
    ),
    (
        "a key that was given by hand and not taken back has its stamp",
        "SELECT {'gift ', k.gift_id, ' user ', k.user_id} AS what FROM event_bridge_gift_key k \
         JOIN event_bridge_gift g ON g.id = k.gift_id JOIN event_bridge b ON b.id = g.bridge_id \
         LEFT JOIN season_pass_stamp_log s ON s.user_id = k.user_id AND s.season_id = b.season_id \
         AND s.period_key = g.event_type WHERE k.state <> 'TAKEN' AND s.id IS NULL",
    ),
    (
        "whoever was told of a settlement has its grant",
        "SELECT {'user ', e.user_id} AS what FROM \
         (SELECT user_id, COUNT(*) AS told FROM user_event_log WHERE event_type = 'BRIDGE_SETTLED' \
         GROUP BY user_id) e LEFT JOIN (SELECT user_id, COUNT(*) AS grants FROM reward_log \
         WHERE source = 'BRIDGE' GROUP BY user_id) r ON r.user_id = e.user_id \
         WHERE COALESCE(r.grants, 0) <> e.told",
    ),
    (
        "whoever has a grant of a settlement was told of it",
        "SELECT {'user ', r.user_id} AS what FROM reward_log r WHERE r.source = 'BRIDGE' \
         AND NOT EXISTS (SELECT 1 FROM user_event_log e WHERE e.user_id = r.user_id \
         AND e.event_type = 'BRIDGE_SETTLED')",
    ),
];

impl Audit {
    /// How many violations of an invariant are named.
    pub const EXAMPLES: usize = 20;

    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Checks every invariant. While players play, a check may see the middle of nothing: each query
    /// reads what was committed when it began.
    pub async fn run(&self) -> Result<AuditReport, DbError> {
        let mut checks = Vec::with_capacity(CHECKS.len());
        for (name, query) in CHECKS {
            checks.push(self.check(name, query).await?);
        }
        Ok(AuditReport { checks })
    }

    async fn check(&self, name: &'static str, query: &str) -> Result<Check, DbError> {
        let backend = self.db.backend();
        let query = joined(query, backend);
        let count = format!("SELECT COUNT(*) AS n FROM ({query}) AS violations");
        let count = Statement::from_string(backend, count);
        let row = self.db.read().query_one_raw(count).await?;
        let row = row.ok_or_else(|| DbError::Corrupt("a count has no row".to_owned()))?;
        let violations: i64 = row.try_get_by("n")?;
        let mut examples = Vec::new();
        if violations > 0 {
            let some = format!("{query} LIMIT {}", Self::EXAMPLES);
            let some = Statement::from_string(backend, some);
            for row in self.db.read().query_all_raw(some).await? {
                examples.push(row.try_get_by("what")?);
            }
        }
        Ok(Check {
            name,
            violations: violations.unsigned_abs(),
            examples,
        })
    }
}

/// Spells `{a, b}` as the server joins texts.
fn joined(query: &str, backend: DbBackend) -> String {
    let mut sql = String::with_capacity(query.len());
    let mut rest = query;
    while let Some((before, after)) = rest.split_once('{') {
        let (parts, behind) = after.split_once('}').unwrap_or((after, ""));
        sql.push_str(before);
        match backend {
            DbBackend::Sqlite => sql.push_str(&format!("({})", parts.replace(", ", " || "))),
            _ => sql.push_str(&format!("CONCAT({parts})")),
        }
        rest = behind;
    }
    sql.push_str(rest);
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_text_is_spelled_as_the_server_does() {
        let query = "SELECT {'user ', id} FROM t WHERE k = {'a:', id}";
        assert_eq!(
            joined(query, DbBackend::Sqlite),
            "SELECT ('user ' || id) FROM t WHERE k = ('a:' || id)"
        );
        assert_eq!(
            joined(query, DbBackend::MySql),
            "SELECT CONCAT('user ', id) FROM t WHERE k = CONCAT('a:', id)"
        );
    }
}
