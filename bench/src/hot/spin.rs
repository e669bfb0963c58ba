//! The rows of a spin of the roulette that wins points and moves no level, written by hand.

use crate::hot::{
    link::{
        Link,
        Value::{self, Int, Null, Text},
    },
    seed::{POINTS, TODAY, TOKENS, XP},
};

/// A spin of a player who is known to have started with [`TOKENS`] and [`XP`].
pub(super) struct Spin {
    player: i64,
    /// The spins of the player before it.
    nonce: i64,
    now: String,
    tokens: i64,
    points: i64,
    /// What is shown of it, as JSON.
    shown: String,
}

/// Texts that follow from the number of the play.
struct Texts {
    grant: String,
    xp_grant: String,
    metas: [String; 4],
}

/// Whatever is written but the play itself, in the order of the statements' placeholders.
struct Rows<'a> {
    wallets: [[Value<'a>; 4]; 2],
    ledger: [[Value<'a>; 7]; 2],
    receipts: [[Value<'a>; 8]; 2],
    activity: [[Value<'a>; 6]; 4],
    progress: [Value<'a>; 4],
}

impl Spin {
    pub(super) fn new(player: i64, nonce: i64, now: String) -> Self {
        Self {
            player,
            nonce,
            now,
            tokens: TOKENS - (nonce + 1),
            points: TOKENS + POINTS * (nonce + 1),
            shown: format!(
                "{{\"id\":5,\"is_jackpot\":false,\"label\":\"{LABEL}\",\"reward_amount\":{POINTS},\
                 \"reward_type\":\"POINT\",\"slot_index\":4}}"
            ),
        }
    }

    /// Writes it with a statement for each row.
    pub(super) async fn write_per_row(&self, link: &mut Link) -> anyhow::Result<()> {
        let texts = self.texts(self.write_play(link).await?);
        let rows = self.rows(&texts);
        for row in &rows.wallets {
            link.write(WALLET, row).await?;
        }
        for row in &rows.ledger {
            link.write(LEDGER, row).await?;
        }
        for row in &rows.receipts {
            link.write(RECEIPT, row).await?;
        }
        for row in &rows.activity {
            link.write(ACTIVITY, row).await?;
        }
        link.write(PROGRESS, &rows.progress).await?;
        Ok(())
    }

    /// Writes it with a statement for each table.
    pub(super) async fn write_per_table(&self, link: &mut Link) -> anyhow::Result<()> {
        let texts = self.texts(self.write_play(link).await?);
        let rows = self.rows(&texts);
        let wallets = [
            Int(self.tokens),
            Int(self.points),
            Text(&self.now),
            Int(self.player),
        ];
        link.write(WALLETS, &wallets).await?;
        link.write(LEDGER_2, rows.ledger.as_flattened()).await?;
        link.write(RECEIPT_2, rows.receipts.as_flattened()).await?;
        link.write(ACTIVITY_4, rows.activity.as_flattened()).await?;
        link.write(PROGRESS, &rows.progress).await?;
        Ok(())
    }

    /// Writes the play; returns its number.
    async fn write_play(&self, link: &mut Link) -> anyhow::Result<i64> {
        let values = [
            Int(self.player),
            Int(self.nonce),
            Text(&self.shown),
            Text(TODAY),
            Text(&self.now),
        ];
        link.write(PLAY, &values).await
    }

    fn texts(&self, play_id: i64) -> Texts {
        let Self {
            nonce,
            tokens,
            shown,
            ..
        } = self;
        let grant = format!("play:{play_id}");
        let xp_grant = format!("{grant}:xp");
        let granted = |key: &str, kind: &str, amount: i64| {
            format!(
                "{{\"amount\":{amount},\"grant_key\":\"{key}\",\"item\":null,\"reason\":null,\
                 \"reward_type\":\"{kind}\",\"state\":\"DELIVERED\"}}"
            )
        };
        let metas = [
            granted(&grant, "POINT", POINTS),
            granted(&xp_grant, "XP", XP_PER_PLAY),
            format!(
                "{{\"attempt\":0,\"balance\":{tokens},\"nonce\":{nonce},\"odds_id\":1,\
                 \"play_id\":{play_id},\"token\":\"ROULETTE_COIN\"}}"
            ),
            format!(
                "{{\"outcome\":{shown},\"play_id\":{play_id},\"reward_amount\":{POINTS},\
                 \"reward_type\":\"POINT\",\"state\":\"DELIVERED\"}}"
            ),
        ];
        Texts {
            grant,
            xp_grant,
            metas,
        }
    }

    fn rows<'a>(&'a self, texts: &'a Texts) -> Rows<'a> {
        let (id, now) = (Int(self.player), Text(&self.now));
        let today = Text(TODAY);
        let wallet = |asset, balance| [Int(balance), now, id, Text(asset)];
        let change = |asset, delta, balance, reason| {
            let (asset, reason, grant) = (Text(asset), Text(reason), Text(&texts.grant));
            [id, asset, Int(delta), Int(balance), reason, grant, now]
        };
        let receipt = |key, kind, amount, label| {
            [
                id,
                Text(key),
                Text(kind),
                Int(amount),
                label,
                today,
                now,
                now,
            ]
        };
        let event = |feature, kind, meta| [id, feature, Text(kind), today, Text(meta), now];
        let [granted, xp_granted, played, result] = &texts.metas;
        let roulette = Text("ROULETTE");
        let plays = self.nonce + 1;
        Rows {
            wallets: [
                wallet("ROULETTE_COIN", self.tokens),
                wallet("POINT", self.points),
            ],
            ledger: [
                change("ROULETTE_COIN", -1, self.tokens, "PLAY"),
                change("POINT", POINTS, self.points, "PRIZE"),
            ],
            receipts: [
                receipt(&texts.grant, "POINT", POINTS, Text(LABEL)),
                receipt(&texts.xp_grant, "XP", XP_PER_PLAY, Null),
            ],
            activity: [
                event(Null, "REWARD_GRANTED", granted),
                event(Null, "REWARD_GRANTED", xp_granted),
                event(roulette, "PLAY", played),
                event(roulette, "RESULT", result),
            ],
            progress: [Int(XP + XP_PER_PLAY * plays), Int(plays), now, id],
        }
    }
}

/// A segment of the event's wheel.
const LABEL: &str = "1,000 포인트";
/// What the event's roulette gives besides its prize.
const XP_PER_PLAY: i64 = 5;

const PLAY: &str = "INSERT INTO feature_log (user_id, feature_type, config_id, odds_id, nonce, \
    attempt, entry_id, took_stock, outcome, is_win, reward_type, reward_amount, event_day, created_at) \
    VALUES (?, 'ROULETTE', 1, 1, ?, 0, 5, 0, ?, 1, 'POINT', 1000, ?, ?)";
const WALLET: &str = "UPDATE user_game_wallet SET balance = ?, updated_at = ? \
    WHERE user_id = ? AND asset = ?";
const WALLETS: &str = "UPDATE user_game_wallet SET balance = CASE asset WHEN 'ROULETTE_COIN' THEN ? \
    ELSE ? END, updated_at = ? WHERE user_id = ? AND asset IN ('ROULETTE_COIN', 'POINT')";
const LEDGER: &str = "INSERT INTO wallet_ledger (user_id, asset, delta, balance_after, reason, \
    reference, actor, created_at) VALUES (?, ?, ?, ?, ?, ?, 'player', ?)";
const LEDGER_2: &str = "INSERT INTO wallet_ledger (user_id, asset, delta, balance_after, reason, \
    reference, actor, created_at) VALUES (?, ?, ?, ?, ?, ?, 'player', ?), \
    (?, ?, ?, ?, ?, ?, 'player', ?)";
const RECEIPT: &str = "INSERT INTO reward_log (user_id, grant_key, source, reward_type, amount, label, \
    state, season_id, event_day, created_at, delivered_at) \
    VALUES (?, ?, 'PLAY', ?, ?, ?, 'DELIVERED', 1, ?, ?, ?)";
const RECEIPT_2: &str = "INSERT INTO reward_log (user_id, grant_key, source, reward_type, amount, \
    label, state, season_id, event_day, created_at, delivered_at) \
    VALUES (?, ?, 'PLAY', ?, ?, ?, 'DELIVERED', 1, ?, ?, ?), \
    (?, ?, 'PLAY', ?, ?, ?, 'DELIVERED', 1, ?, ?, ?)";
const ACTIVITY: &str = "INSERT INTO user_event_log (user_id, feature_type, event_type, event_day, \
    meta_json, created_at) VALUES (?, ?, ?, ?, ?, ?)";
const ACTIVITY_4: &str = "INSERT INTO user_event_log (user_id, feature_type, event_type, event_day, \
    meta_json, created_at) VALUES (?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?), \
    (?, ?, ?, ?, ?, ?)";
const PROGRESS: &str = "UPDATE season_pass_progress SET current_xp = ?, internal_wins = ?, \
    updated_at = ? WHERE user_id = ? AND season_id = 1";
