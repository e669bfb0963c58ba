//! How batches are shown.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use xmas_http::{answer::Answer, extract::PreferredLanguage};
use xmas_kernel::{Asset, Problem, idempotency::Replayable};
use xmas_rewards::{BatchReport, BatchSummary, Refusal, ShortWallet, Tally};
use xmas_texts::Language;
use xmas_time::Kst;

/// So many players, and so much altogether.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"players": 300, "totals": {"ROULETTE_COIN": 300}}))]
pub(crate) struct TallyAnswer {
    players: u64,
    #[schema(value_type = BTreeMap<String, i64>)]
    totals: BTreeMap<Asset, i64>,
}

impl From<Tally> for TallyAnswer {
    fn from(tally: Tally) -> Self {
        Self {
            players: tally.players,
            totals: tally.totals,
        }
    }
}

/// A wallet that holds too little.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"user_id": 42, "external_id": "santa-01", "token_type": "POINT",
    "amount": 5_000, "moved": 0, "balance": 4_200}))]
pub(crate) struct ShortAnswer {
    user_id: i64,
    external_id: String,
    #[schema(value_type = String)]
    token_type: Asset,
    amount: i64,
    /// How much of the amount was, or would be, moved all the same: 0, but for reverts, which take what is
    /// there.
    moved: i64,
    /// What it holds now.
    balance: i64,
}

impl From<ShortWallet> for ShortAnswer {
    fn from(short: ShortWallet) -> Self {
        Self {
            user_id: short.user_id.0,
            external_id: short.external_id,
            token_type: short.asset,
            amount: short.amount,
            moved: short.moved,
            balance: short.balance,
        }
    }
}

/// A line that is wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"line": 3, "field": "external_id", "problem": "external_id must be a player's; there is none with \"vip-01\"."}))]
pub(crate) struct RefusedLine {
    line: u64,
    field: &'static str,
    problem: String,
}

impl RefusedLine {
    fn of(refusal: Refusal, language: Language) -> Self {
        Self {
            line: refusal.line,
            field: refusal.field,
            problem: Problem::new(refusal.field, refusal.text).sentence(language),
        }
    }
}

/// A batch, or what it would be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": false, "replayed": false, "id": 3, "batch_id": "daily-2025-12-26",
    "kind": "GRANT", "state": "DONE", "reason": "매일 티켓", "actor": "operator",
    "created_at": "2025-12-26T09:00:00.000000+09:00",
    "finished_at": "2025-12-26T09:00:00.000000+09:00", "reverts": null, "reverted_by": null,
    "players": 300,
    "totals": {"ROULETTE_COIN": 300}, "done": {"players": 300, "totals": {"ROULETTE_COIN": 300}},
    "left": {"players": 0, "totals": {}}, "short_players": 0, "short_totals": {}, "short": [],
    "stopped": null, "refused_lines": 0, "refused": []}))]
pub(crate) struct BatchAnswer {
    /// Whether this request has changed nothing, and was not asked to.
    dry_run: bool,
    /// Whether nothing is done any more under this name: `actor` registered batch `id` at `created_at`, and
    /// this answer is about that one.
    replayed: bool,
    /// Null, as what tells of its registration, if the batch is not registered.
    id: Option<i64>,
    batch_id: Option<String>,
    /// `GRANT`, `REVOKE` or `PAYOUT`.
    kind: &'static str,
    /// `OPEN`, `DONE` or `STOPPED`. An open batch is gone on with by the same request; one that was stopped
    /// is not.
    state: Option<&'static str>,
    reason: Option<String>,
    actor: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Kst>,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Kst>,
    /// The `id` of the batch that it takes back, if it is a revert.
    reverts: Option<i64>,
    /// The `id` of the batch that takes it back, if there is one.
    reverted_by: Option<i64>,
    /// Everything that it is about, done or not.
    players: u64,
    #[schema(value_type = BTreeMap<String, i64>)]
    totals: BTreeMap<Asset, i64>,
    done: TallyAnswer,
    /// What nobody has come to yet. Of a batch that was stopped, nobody will.
    left: TallyAnswer,
    /// How many players were passed over, or would be refused, because their wallets hold too little or nothing
    /// reaches them. A revert takes what is there, but nothing from players who were anonymised.
    short_players: u64,
    /// What was not moved.
    #[schema(value_type = BTreeMap<String, i64>)]
    short_totals: BTreeMap<Asset, i64>,
    /// The first 100 of them.
    short: Vec<ShortAnswer>,
    /// Of a revert: what was left of the other batch when it was stopped, and is never done.
    stopped: Option<TallyAnswer>,
    /// How many lines are wrong; a dry run only.
    refused_lines: usize,
    /// The first 100 of them.
    refused: Vec<RefusedLine>,
}

/// How many lines are listed one by one.
const LISTED: usize = 100;

impl BatchAnswer {
    pub(crate) fn of(report: BatchReport, language: Language) -> Self {
        let refused_lines = report.refused.len();
        let refused = report.refused.into_iter().take(LISTED);
        let (tally, batch) = (report.tally, report.batch.as_ref());
        Self {
            dry_run: false,
            replayed: false,
            id: batch.map(|batch| batch.id.0),
            batch_id: batch.map(|batch| batch.key.clone()),
            kind: report.kind.as_str(),
            state: batch.map(|batch| batch.state.as_str()),
            reason: batch.and_then(|batch| batch.reason.clone()),
            actor: batch.map(|batch| batch.actor.clone()),
            created_at: batch.map(|batch| Kst(batch.created_at)),
            finished_at: batch.and_then(|batch| batch.finished_at).map(Kst),
            reverts: report.reverts.as_ref().map(|reverted| reverted.id.0),
            reverted_by: batch.and_then(|batch| batch.reverted_by).map(|by| by.0),
            players: tally.all.players,
            totals: tally.all.totals,
            done: tally.done.into(),
            left: tally.left.into(),
            short_players: tally.short.players,
            short_totals: tally.short.totals,
            short: report.short.into_iter().map(Into::into).collect(),
            stopped: report.reverts.map(|reverted| reverted.left.into()),
            refused_lines,
            refused: refused
                .map(|line| RefusedLine::of(line, language))
                .collect(),
        }
    }

    /// The answer to whoever has asked for it to be done, or (`dry_run`) only looked.
    pub(crate) fn to_order(
        report: Replayable<BatchReport>,
        dry_run: bool,
        PreferredLanguage(language): PreferredLanguage,
    ) -> Answer<Self> {
        let replayed = report.replayed;
        let answer = |report| Self {
            dry_run,
            replayed,
            ..Self::of(report, language)
        };
        Answer::of(report.map(answer)).with_texts()
    }
}

/// A page of batches, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 3, "batch_id": "daily-2025-12-26", "kind": "GRANT",
    "state": "DONE", "reason": "매일 티켓", "actor": "operator",
    "created_at": "2025-12-26T09:00:00.000000+09:00",
    "finished_at": "2025-12-26T09:00:00.000000+09:00", "reverts": null, "reverted_by": null,
    "players": 300,
    "totals": {"ROULETTE_COIN": 300}, "done": {"players": 300, "totals": {"ROULETTE_COIN": 300}},
    "left": {"players": 0, "totals": {}}, "short_players": 0, "short_totals": {}}],
    "next_cursor": null}))]
pub(crate) struct BatchPage {
    pub(crate) items: Vec<BatchItem>,
    pub(crate) next_cursor: Option<String>,
}

/// A batch in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 3, "batch_id": "daily-2025-12-26", "kind": "GRANT",
    "state": "DONE", "reason": "매일 티켓", "actor": "operator",
    "created_at": "2025-12-26T09:00:00.000000+09:00",
    "finished_at": "2025-12-26T09:00:00.000000+09:00", "reverts": null, "reverted_by": null,
    "players": 300,
    "totals": {"ROULETTE_COIN": 300}, "done": {"players": 300, "totals": {"ROULETTE_COIN": 300}},
    "left": {"players": 0, "totals": {}}, "short_players": 0, "short_totals": {}}))]
pub(crate) struct BatchItem {
    id: i64,
    batch_id: String,
    kind: &'static str,
    state: &'static str,
    reason: Option<String>,
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Kst>,
    reverts: Option<i64>,
    reverted_by: Option<i64>,
    players: u64,
    #[schema(value_type = BTreeMap<String, i64>)]
    totals: BTreeMap<Asset, i64>,
    done: TallyAnswer,
    left: TallyAnswer,
    short_players: u64,
    #[schema(value_type = BTreeMap<String, i64>)]
    short_totals: BTreeMap<Asset, i64>,
}

impl From<BatchSummary> for BatchItem {
    fn from(summary: BatchSummary) -> Self {
        let BatchSummary { batch, tally } = summary;
        Self {
            id: batch.id.0,
            batch_id: batch.key,
            kind: batch.kind.as_str(),
            state: batch.state.as_str(),
            reason: batch.reason,
            actor: batch.actor,
            created_at: Kst(batch.created_at),
            finished_at: batch.finished_at.map(Kst),
            reverts: batch.reverts.map(|batch| batch.0),
            reverted_by: batch.reverted_by.map(|batch| batch.0),
            players: tally.all.players,
            totals: tally.all.totals,
            done: tally.done.into(),
            left: tally.left.into(),
            short_players: tally.short.players,
            short_totals: tally.short.totals,
        }
    }
}
