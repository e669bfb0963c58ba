//! Every invariant of the database (docs/rules.md, "Invariants") as a query for what violates it.

use sea_orm::{ConnectionTrait, DbBackend, Statement, TryGetable};
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
/// the servers spell differently, and `[…]` an instant some minutes before: see [`spelled`]. A query with
/// [`PLAYERS`] is made for some players after the other.
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
        "every balance_after follows from another, from 0 up to the balance",
        // Ids and times need not be in the order of the changes. But in whatever order they were made, a value
        // is left as often as it is reached, but for 0, where all begins, and the balance, where it ends.
        "SELECT {'user ', w.user_id, ' ', w.asset, ' at ', w.value} AS what FROM \
         (SELECT user_id, asset, balance_after - delta AS value, 1 AS n FROM wallet_ledger \
         WHERE <players> UNION ALL SELECT user_id, asset, balance_after, -1 FROM wallet_ledger \
         WHERE <players> UNION ALL SELECT user_id, asset, 0, -1 FROM user_game_wallet \
         WHERE <players> UNION ALL SELECT user_id, asset, balance, 1 FROM user_game_wallet \
         WHERE <players>) w \
         GROUP BY w.user_id, w.asset, w.value HAVING SUM(w.n) <> 0",
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
        "every ledger of a batch has its item, and every item its batch",
        "SELECT {'ledger ', l.id} AS what FROM wallet_ledger l \
         LEFT JOIN wallet_batch b ON b.batch_key = SUBSTR(l.reference, 7) \
         LEFT JOIN wallet_batch_item i ON i.batch_id = b.id AND i.user_id = l.user_id \
         AND i.asset = l.asset WHERE l.reference LIKE 'batch:%' AND i.batch_id IS NULL \
         UNION ALL SELECT {'batch ', i.batch_id, ' user ', i.user_id, ' ', i.asset} AS what \
         FROM wallet_batch_item i LEFT JOIN wallet_batch b ON b.id = i.batch_id WHERE b.id IS NULL",
    ),
    (
        "whatever an operator moved for a player is in the operators' log",
        "SELECT {'ledger ', l.id} AS what FROM wallet_ledger l WHERE l.reference LIKE 'request:%' \
         AND NOT EXISTS (SELECT 1 FROM admin_audit_log a WHERE a.request_id = SUBSTR(l.reference, 9) \
         AND a.resource = {'user:', l.user_id} \
         AND a.action IN ('TOKEN_GRANT', 'TOKEN_REVOKE', 'TOKEN_PAYOUT'))",
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
         (SELECT reference, COUNT(*) AS spends FROM wallet_ledger WHERE reason = 'PLAY' \
         GROUP BY reference) s ON s.reference = {'play:', p.id} \
         WHERE COALESCE(s.spends, 0) <> 1",
    ),
    (
        "every spend on a play is one token of its game, and has its play",
        "SELECT {'ledger ', l.id} AS what FROM wallet_ledger l LEFT JOIN feature_log p \
         ON p.id = CAST(SUBSTR(l.reference, 6) AS SIGNED) AND l.reference = {'play:', p.id} \
         AND p.user_id = l.user_id WHERE l.reason = 'PLAY' AND (p.id IS NULL OR l.delta <> -1 \
         OR l.asset <> CASE p.feature_type WHEN 'ROULETTE' THEN 'ROULETTE_COIN' \
         WHEN 'DICE' THEN 'DICE_TOKEN' ELSE 'LOTTERY_TICKET' END)",
    ),
    (
        "every play has the receipt of what it won",
        "SELECT {'play ', p.id} AS what FROM feature_log p LEFT JOIN reward_log r \
         ON r.grant_key = {'play:', p.id} AND r.user_id = p.user_id AND r.source = 'PLAY' \
         WHERE r.id IS NULL OR r.reward_type <> p.reward_type OR r.amount <> p.reward_amount",
    ),
    (
        "every receipt of a play has its play",
        "SELECT {'reward ', r.id} AS what FROM reward_log r LEFT JOIN feature_log p \
         ON p.id = CAST(SUBSTR(r.grant_key, 6) AS SIGNED) AND p.user_id = r.user_id \
         WHERE r.source = 'PLAY' AND (p.id IS NULL OR r.grant_key <> CASE WHEN r.reward_type = 'XP' \
         AND r.grant_key LIKE '%:xp' THEN {'play:', p.id, ':xp'} ELSE {'play:', p.id} END)",
    ),
    (
        "nonces have no gaps",
        "SELECT {'user ', user_id, ' ', feature_type, ' ', event_day} AS what FROM feature_log \
         GROUP BY user_id, feature_type, event_day HAVING MAX(nonce) + 1 <> COUNT(*)",
    ),
    (
        "every delivered reward is in a ledger once, or is a coupon, a bundle, XP or nothing",
        "SELECT {'reward ', r.id} AS what FROM reward_log r LEFT JOIN \
         (SELECT reference, user_id, SUM(delta) AS total, COUNT(*) AS moves, MAX(asset) AS asset \
         FROM wallet_ledger WHERE reason <> 'PLAY' GROUP BY reference, user_id) l \
         ON l.reference = r.grant_key AND l.user_id = r.user_id \
         WHERE r.reward_type NOT IN ('COUPON', 'BUNDLE', 'XP', 'NONE') AND (COALESCE(l.total, 0) <> \
         CASE WHEN r.state = 'DELIVERED' THEN r.amount ELSE 0 END OR l.moves > 1 OR l.asset <> \
         CASE r.reward_type WHEN 'TICKET_ROULETTE' THEN 'ROULETTE_COIN' WHEN 'TICKET_DICE' \
         THEN 'DICE_TOKEN' WHEN 'TICKET_LOTTERY' THEN 'LOTTERY_TICKET' ELSE r.reward_type END)",
    ),
    (
        "every delivered bundle is in a ledger, with all that lies in it and nothing else",
        // What lies in a bundle never changes.
        "SELECT {'reward ', m.id, ' ', m.asset} AS what FROM (SELECT r.id, CASE i.reward_type \
         WHEN 'TICKET_ROULETTE' THEN 'ROULETTE_COIN' WHEN 'TICKET_DICE' THEN 'DICE_TOKEN' \
         WHEN 'TICKET_LOTTERY' THEN 'LOTTERY_TICKET' ELSE i.reward_type END AS asset, i.amount AS n \
         FROM reward_log r JOIN reward_bundle_item i ON i.bundle_id = r.reward_item \
         WHERE r.reward_type = 'BUNDLE' AND r.state = 'DELIVERED' \
         UNION ALL SELECT r.id, l.asset, -l.delta FROM reward_log r JOIN wallet_ledger l \
         ON l.reference = r.grant_key AND l.user_id = r.user_id AND l.reason <> 'PLAY' \
         WHERE r.reward_type = 'BUNDLE') m GROUP BY m.id, m.asset HAVING SUM(m.n) <> 0 \
         UNION ALL SELECT {'reward ', r.id, ' names no bundle'} AS what FROM reward_log r \
         WHERE r.reward_type = 'BUNDLE' AND NOT EXISTS \
         (SELECT 1 FROM reward_bundle_item i WHERE i.bundle_id = r.reward_item)",
    ),
    (
        "every ledger of a reward has its delivered receipt",
        "SELECT {'ledger ', l.id} AS what FROM wallet_ledger l LEFT JOIN reward_log r \
         ON r.grant_key = l.reference AND r.user_id = l.user_id AND r.state = 'DELIVERED' \
         WHERE l.reason IN ('PRIZE', 'SEASON_LEVEL', 'BRIDGE', 'CORRECTION') AND (r.id IS NULL \
         OR l.reason <> CASE r.source WHEN 'PLAY' THEN 'PRIZE' ELSE r.source END)",
    ),
    (
        "every delivered coupon has its code, and no other reward has one",
        "SELECT {'reward ', r.id} AS what FROM reward_log r LEFT JOIN coupon_code c \
         ON c.reward_id = r.id WHERE (r.reward_type = 'COUPON' AND r.state = 'DELIVERED') \
         <> (c.id IS NOT NULL)",
    ),
    (
        "every coupon code that was given is of its receipt's kind",
        "SELECT {'coupon code ', c.id} AS what FROM coupon_code c LEFT JOIN reward_log r \
         ON r.id = c.reward_id WHERE c.reward_id IS NOT NULL AND (r.id IS NULL \
         OR r.reward_type <> 'COUPON' OR COALESCE(r.reward_item, 0) <> c.kind_id)",
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
        "SELECT {'user ', m.user_id, ' season ', m.season_id} AS what FROM \
         (SELECT user_id, season_id, current_xp AS xp FROM season_pass_progress \
         UNION ALL SELECT user_id, season_id, -xp_earned FROM season_pass_stamp_log \
         UNION ALL SELECT user_id, season_id, -amount FROM reward_log WHERE reward_type = 'XP' \
         AND state = 'DELIVERED' AND season_id IS NOT NULL) m \
         GROUP BY m.user_id, m.season_id HAVING SUM(m.xp) <> 0",
    ),
    (
        "stamps are counted, all but keys",
        "SELECT {'user ', m.user_id, ' season ', m.season_id} AS what FROM \
         (SELECT user_id, season_id, total_stamps AS n FROM season_pass_progress \
         UNION ALL SELECT user_id, season_id, -1 FROM season_pass_stamp_log \
         WHERE event_type IS NULL) m GROUP BY m.user_id, m.season_id HAVING SUM(m.n) <> 0",
    ),
    (
        "wins are plays of the season that were won",
        "SELECT {'user ', m.user_id, ' season ', m.season_id} AS what FROM \
         (SELECT user_id, season_id, internal_wins AS n FROM season_pass_progress WHERE <players> \
         UNION ALL SELECT r.user_id, r.season_id, -1 FROM \
         (SELECT id FROM feature_log WHERE <players> AND is_win = 1) p \
         JOIN reward_log r ON r.grant_key = {'play:', p.id} AND r.season_id IS NOT NULL) m \
         GROUP BY m.user_id, m.season_id HAVING SUM(m.n) <> 0",
    ),
    (
        "a level is the one that its XP reaches",
        // By the ladder as it is now: whoever has not moved since its last edit keeps the level of before, and
        // whoever moved at about that time may have been moved by either ladder.
        "SELECT {'user ', p.user_id, ' season ', p.season_id} AS what FROM season_pass_progress p \
         LEFT JOIN season_pass_config c ON c.id = p.season_id LEFT JOIN \
         (SELECT resource, MAX(created_at) AS edited_at FROM admin_audit_log \
         WHERE action = 'SEASON_LEVELS_UPDATE' GROUP BY resource) a ON a.resource = {'season:', c.id} \
         WHERE c.id IS NULL OR (COALESCE(a.edited_at <= [p.updated_at], 1) \
         AND p.current_level <> COALESCE((SELECT MAX(l.level) FROM season_pass_level l \
         WHERE l.season_id = p.season_id AND l.required_xp <= p.current_xp \
         AND l.level <= c.max_level), 0))",
    ),
    (
        "levels were reached as often as was recorded",
        "SELECT {'user ', m.user_id} AS what FROM \
         (SELECT user_id, level_high_water AS n FROM season_pass_progress \
         UNION ALL SELECT user_id, -1 FROM user_event_log WHERE event_type = 'SEASON_PASS_LEVEL_UP') m \
         GROUP BY m.user_id HAVING SUM(m.n) <> 0",
    ),
    (
        "an account level is 1, the season levels that were reached, and the completed bridges",
        "SELECT {'user ', u.user_id} AS what FROM user_profiles u LEFT JOIN \
         (SELECT user_id, SUM(level_high_water) AS levels FROM season_pass_progress GROUP BY user_id) p \
         ON p.user_id = u.user_id LEFT JOIN (SELECT user_id, COUNT(*) AS bridges FROM reward_log \
         WHERE source = 'BRIDGE' GROUP BY user_id) b ON b.user_id = u.user_id \
         WHERE u.level <> 1 + COALESCE(p.levels, 0) + COALESCE(b.bridges, 0)",
    ),
    (
        "a block is in the account and in its profile",
        "SELECT {'user ', u.id} AS what FROM `user` u LEFT JOIN user_profiles p ON p.user_id = u.id \
         WHERE p.user_id IS NULL OR p.is_blocked <> (u.status = 'BLOCKED')",
    ),
    (
        "levels that were paid had been reached",
        "SELECT {'user ', c.user_id, ' season ', c.season_id, ' level ', c.level} AS what \
         FROM season_pass_reward_log c LEFT JOIN season_pass_progress p \
         ON p.user_id = c.user_id AND p.season_id = c.season_id \
         WHERE p.user_id IS NULL OR c.level > p.level_high_water",
    ),
    (
        "every level that was paid has its receipt, and every receipt of a level its level",
        "SELECT {'claim ', c.id} AS what FROM season_pass_reward_log c LEFT JOIN reward_log r \
         ON r.grant_key = c.grant_key AND r.user_id = c.user_id AND r.season_id = c.season_id \
         AND r.source = 'SEASON_LEVEL' WHERE r.id IS NULL OR r.reward_type <> c.reward_type \
         OR r.amount <> c.reward_amount \
         OR c.grant_key <> {'season:', c.season_id, ':level:', c.level, ':user:', c.user_id} \
         UNION ALL SELECT {'reward ', r.id} AS what FROM reward_log r \
         LEFT JOIN season_pass_reward_log c ON c.user_id = r.user_id AND c.season_id = r.season_id \
         AND c.grant_key = r.grant_key WHERE r.source = 'SEASON_LEVEL' AND c.id IS NULL",
    ),
    (
        "keys are key stamps that are not settled or expired",
        // Whoever earned one more while already being paid holds that one: the payment tells the points of the
        // others, and not how many they were.
        "SELECT {'user ', u.user_id} AS what FROM user_profiles u LEFT JOIN \
         (SELECT s.user_id, b.id AS bridge_id, COUNT(*) AS total, SUM(d.points) AS points \
         FROM season_pass_stamp_log s JOIN event_bridge b ON b.season_id = s.season_id \
         AND b.closing_at IS NULL JOIN event_bridge_day d ON d.bridge_id = b.id \
         AND d.event_type = s.period_key WHERE s.event_type IS NOT NULL \
         GROUP BY s.user_id, b.id) k ON k.user_id = u.user_id \
         LEFT JOIN reward_log r ON r.grant_key = {'bridge:', k.bridge_id, ':user:', k.user_id} \
         WHERE (u.event_pending_points <> COALESCE(k.points, 0) - COALESCE(r.amount, 0) \
         OR u.event_key_count > COALESCE(k.total, 0) \
         OR (r.id IS NULL AND u.event_key_count <> COALESCE(k.total, 0))) \
         AND NOT EXISTS (SELECT 1 FROM event_bridge c WHERE c.closing_at IS NOT NULL \
         AND c.state <> 'CLOSED')",
    ),
    (
        "every key is of a day of its season's bridge",
        "SELECT {'stamp ', s.id} AS what FROM season_pass_stamp_log s \
         LEFT JOIN event_bridge b ON b.season_id = s.season_id LEFT JOIN event_bridge_day d \
         ON d.bridge_id = b.id AND d.event_type = s.event_type \
         WHERE s.event_type IS NOT NULL AND (d.bridge_id IS NULL OR s.period_key <> s.event_type)",
    ),
    (
        "a settlement paid the points of the keys, to whoever had enough",
        // Keys that came while a player was being paid are held, and are lost with the closing.
        "SELECT {'reward ', r.id} AS what FROM reward_log r LEFT JOIN event_bridge b \
         ON r.grant_key = {'bridge:', b.id, ':user:', r.user_id} LEFT JOIN \
         (SELECT s.user_id, d.bridge_id, COUNT(*) AS total, SUM(d.points) AS points \
         FROM season_pass_stamp_log s JOIN event_bridge b ON b.season_id = s.season_id \
         JOIN event_bridge_day d ON d.bridge_id = b.id AND d.event_type = s.event_type \
         GROUP BY s.user_id, d.bridge_id) k ON k.bridge_id = b.id AND k.user_id = r.user_id \
         LEFT JOIN user_profiles u ON u.user_id = r.user_id AND b.state <> 'CLOSED' \
         WHERE r.source = 'BRIDGE' AND (k.total IS NULL OR k.total < b.keys_required \
         OR r.reward_type <> 'POINT' OR r.state <> 'DELIVERED' OR r.season_id <> b.season_id \
         OR r.amount > k.points OR (r.amount + COALESCE(u.event_pending_points, 0) <> k.points \
         AND NOT EXISTS (SELECT 1 FROM user_event_log e WHERE e.user_id = r.user_id \
         AND e.event_type = 'BRIDGE_EXPIRED')))",
    ),
    (
        "a key that was given by hand and not taken back has its stamp",
        "SELECT {'gift ', k.gift_id, ' user ', k.user_id} AS what FROM event_bridge_gift_key k \
         LEFT JOIN event_bridge_gift g ON g.id = k.gift_id LEFT JOIN event_bridge b ON b.id = g.bridge_id \
         LEFT JOIN season_pass_stamp_log s ON s.user_id = k.user_id AND s.season_id = b.season_id \
         AND s.period_key = g.event_type WHERE g.id IS NULL OR (k.state <> 'TAKEN' AND s.id IS NULL)",
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
        let query = spelled(query, self.db.backend());
        let mut check = Check {
            name,
            violations: 0,
            examples: Vec::new(),
        };
        if !query.contains(PLAYERS) {
            self.add(&mut check, &query).await?;
            return Ok(check);
        }
        let mut after = 0;
        while let Some(last) = self.page_after(after).await? {
            let players = format!("user_id > {after} AND user_id <= {last}");
            self.add(&mut check, &query.replace(PLAYERS, &players))
                .await?;
            after = last;
        }
        Ok(check)
    }

    /// Adds what a query finds.
    async fn add(&self, check: &mut Check, query: &str) -> Result<(), DbError> {
        let count = format!("SELECT COUNT(*) AS n FROM ({query}) AS violations");
        let violations: i64 = self.number(count).await?;
        check.violations += violations.unsigned_abs();
        let room = Self::EXAMPLES - check.examples.len();
        if violations > 0 && room > 0 {
            let some = format!("{query} LIMIT {room}");
            let some = Statement::from_string(self.db.backend(), some);
            for row in self.db.read().query_all_raw(some).await? {
                check.examples.push(row.try_get_by("what")?);
            }
        }
        Ok(())
    }

    /// The last of the next accounts; `None` once there are no more. An account that is added meanwhile with a lower
    /// number is left to the next audit.
    async fn page_after(&self, account: i64) -> Result<Option<i64>, DbError> {
        self.number(format!(
            "SELECT MAX(id) AS n FROM (SELECT id FROM `user` WHERE id > {account} \
             ORDER BY id LIMIT {PLAYERS_AT_ONCE}) AS page"
        ))
        .await
    }

    /// What a query selects as `n`.
    async fn number<T: TryGetable>(&self, query: String) -> Result<T, DbError> {
        let query = Statement::from_string(self.db.backend(), query);
        let row = self.db.read().query_one_raw(query).await?;
        let row = row.ok_or_else(|| DbError::Corrupt("a number has no row".to_owned()))?;
        Ok(row.try_get_by("n")?)
    }
}

/// Where a query says whose rows it looks at.
const PLAYERS: &str = "<players>";
/// How many accounts a query with [`PLAYERS`] looks at: what the server keeps meanwhile stays in its memory.
const PLAYERS_AT_ONCE: u32 = 500;

/// How long an edit may take until every request works with it, in minutes: longer than any request lasts.
const EDIT_MINUTES: u32 = 10;

/// Spells `{a, b}` as the server joins texts, and `[instant]` as it takes [`EDIT_MINUTES`] from an instant.
fn spelled(query: &str, backend: DbBackend) -> String {
    let sqlite = backend == DbBackend::Sqlite;
    let query = replaced(query, ['{', '}'], |parts| match sqlite {
        true => format!("({})", parts.replace(", ", " || ")),
        false => format!("CONCAT({parts})"),
    });
    replaced(&query, ['[', ']'], |instant| match sqlite {
        true => {
            format!("strftime('%Y-%m-%d %H:%M:%f', {instant}, '-{EDIT_MINUTES} minutes')")
        }
        false => format!("({instant} - INTERVAL {EDIT_MINUTES} MINUTE)"),
    })
}

/// Replaces whatever is between two brackets, and these.
fn replaced(query: &str, [open, close]: [char; 2], spell: impl Fn(&str) -> String) -> String {
    let mut sql = String::with_capacity(query.len());
    let mut rest = query;
    while let Some((before, after)) = rest.split_once(open) {
        let (inside, behind) = after.split_once(close).unwrap_or((after, ""));
        sql.push_str(before);
        sql.push_str(&spell(inside));
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
            spelled(query, DbBackend::Sqlite),
            "SELECT ('user ' || id) FROM t WHERE k = ('a:' || id)"
        );
        assert_eq!(
            spelled(query, DbBackend::MySql),
            "SELECT CONCAT('user ', id) FROM t WHERE k = CONCAT('a:', id)"
        );
    }

    #[test]
    fn so_are_the_minutes_that_an_edit_may_take() {
        let query = "SELECT 1 FROM t WHERE a <= [t.b]";
        assert_eq!(
            spelled(query, DbBackend::Sqlite),
            "SELECT 1 FROM t WHERE a <= strftime('%Y-%m-%d %H:%M:%f', t.b, '-10 minutes')"
        );
        assert_eq!(
            spelled(query, DbBackend::MySql),
            "SELECT 1 FROM t WHERE a <= (t.b - INTERVAL 10 MINUTE)"
        );
    }
}
