//! The boards as operators fill them.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde_json::{Value, json};
use xmas_kernel::{
    Problems, UserId,
    audit::{self, Actor, Area, Change},
    db::{DbError, retry},
    text,
    version::{self, Seen, Version},
};
use xmas_players::{
    GivenId, PlayerNames, PlayerRef, anonymised_among, lock_many_in_tx, names_of,
    players_by_external_id, players_by_id,
};
use xmas_texts::game as texts;
use xmas_time::EventDay;

use super::{
    DayBoard, DayRow, DayRowEdit, ExternalBoard, ExternalEdit, ExternalRow, ExternalRowEdit,
    NewExternalEntry, NewRankingEntry, Ranking,
    entity::{daily, external},
    rules::{self, Known},
    store,
};
use crate::RankingDeskError;

/// What only one operator at a time edits: the boards of the days.
const RANKING: Area = Area::new("RANKING");
/// What only one operator at a time edits: the board of the external ranking.
const EXTERNAL_RANKING: Area = Area::new("EXTERNAL_RANKING");

/// How many names are asked for at once.
const NAMES: usize = 10_000;

impl Ranking {
    async fn find_known(
        &self,
        named: impl Iterator<Item = &PlayerRef> + Clone,
    ) -> Result<Known, DbError> {
        let db = self.db.read();
        let ids: Vec<UserId> = named.clone().filter_map(|named| named.user_id).collect();
        let external_ids = named.filter_map(|named| named.external_id.as_ref());
        let external_ids: Vec<&GivenId> = external_ids.collect();
        let ids = players_by_id(db, &ids).await?;
        let by_external_id = players_by_external_id(db, &external_ids).await?.into_iter();
        Ok(Known {
            ids: ids.into_keys().collect(),
            by_external_id: by_external_id.map(|(id, it)| (id, it.user_id)).collect(),
            texts: HashSet::new(),
        })
    }

    /// A day's board with the names of its players; `UnknownDay` if nothing is on it.
    async fn board(
        &self,
        day: EventDay,
        rows: Vec<daily::Model>,
    ) -> Result<DayBoard, RankingDeskError> {
        if rows.is_empty() {
            return Err(RankingDeskError::UnknownDay);
        }
        let version = version_of(&rows);
        let players = rows.iter().filter_map(|row| row.user_id).map(UserId);
        let names = names_of(self.db.read(), players).await?;
        let row = |row: daily::Model| {
            let user_id = row.user_id.map(UserId);
            let names = user_id.and_then(|user_id| names.get(&user_id));
            let own_name = names.filter(|_| !text::is_seen(&row.display_name));
            DayRow {
                rank: row.place,
                user_id,
                external_id: names.map(|names| names.external_id.clone()),
                shown_name: own_name.map_or_else(|| row.display_name.clone(), PlayerNames::public),
                display_name: row.display_name,
                score: row.score,
            }
        };
        Ok(DayBoard {
            day,
            version,
            rows: rows.into_iter().map(row).collect(),
        })
    }

    async fn write_day_once(
        &self,
        actor: &Actor,
        day: EventDay,
        entries: &[NewRankingEntry],
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<Vec<daily::Model>, RankingDeskError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, RANKING).await?;
        let before = store::day(&*tx, day).await?;
        version::expect(seen, &version_of(&before))?;
        let is_deleted = entries.is_empty();
        if is_deleted && before.is_empty() {
            return Err(RankingDeskError::UnknownDay);
        }
        let names = entries.iter().enumerate();
        let names = names.filter(|(_, entry)| !entry.display_name.is_empty());
        let names = names.filter_map(|(row, entry)| {
            let player = entry.user_id?;
            Some((format!("{row}.display_name"), player))
        });
        refuse_names_in_tx(&tx, names.collect()).await?;
        store::replace_day(&tx, day, entries).await?;
        let after = store::day(&*tx, day).await?;
        // What is saved as it is leaves no trace.
        if version_of(&after) == version_of(&before) {
            return Ok(before);
        }
        let change = Change {
            action: if is_deleted {
                "RANKING_DELETE"
            } else {
                "RANKING_REPLACE"
            },
            resource: &format!("ranking:{day}"),
            before: state(&before, place),
            after: state(&after, place),
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        tx.commit().await?;
        self.copies.renew();
        Ok(after)
    }

    async fn upsert_once(
        &self,
        actor: &Actor,
        entries: &[NewExternalEntry],
        now: DateTime<Utc>,
    ) -> Result<Vec<external::Model>, RankingDeskError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, EXTERNAL_RANKING).await?;
        refuse_memos_in_tx(&tx, entries).await?;
        let mut saved = Vec::with_capacity(entries.len());
        // What was done is told in pieces, too.
        for (at, chunk) in entries.chunks(store::CHUNK).enumerate() {
            let players: Vec<UserId> = chunk.iter().map(|entry| entry.user_id).collect();
            let before = store::external_of(&*tx, &players).await?;
            let changes = changes(&before, chunk)?;
            let after = if changes.is_empty() {
                before
            } else {
                store::upsert_chunk(&tx, &before, &changes, now).await?;
                refuse_forgotten_in_tx(&tx, at * store::CHUNK, chunk).await?;
                let after = store::external_of(&*tx, &players).await?;
                let changed: HashSet<i64> = changes.iter().map(|it| it.user_id.0).collect();
                let of_changed = |rows: &[external::Model]| {
                    let rows = rows.iter().filter(|row| changed.contains(&row.user_id));
                    state(&rows.collect::<Vec<_>>(), |row| deposits(row))
                };
                let change = Change {
                    action: "EXTERNAL_RANKING_UPSERT",
                    resource: "external-ranking",
                    before: of_changed(&before),
                    after: of_changed(&after),
                };
                audit::write_in_tx(&tx, actor, change, now).await?;
                after
            };
            let after = after.into_iter().map(|row| (row.user_id, row));
            let mut after: HashMap<i64, external::Model> = after.collect();
            saved.extend(players.iter().filter_map(|player| after.remove(&player.0)));
        }
        tx.commit().await?;
        self.copies.renew();
        Ok(saved)
    }

    async fn edit_once(
        &self,
        actor: &Actor,
        user_id: UserId,
        edit: &ExternalEdit,
        now: DateTime<Utc>,
    ) -> Result<external::Model, RankingDeskError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, EXTERNAL_RANKING).await?;
        let before = store::external_of(&*tx, &[user_id]).await?;
        let row = before.first().ok_or(RankingDeskError::NotOnBoard)?;
        version::expect(edit.seen.as_ref(), &version_of_row(row))?;
        let kept = row.memo.as_deref().into_iter().collect();
        let entry = NewExternalEntry {
            user_id,
            deposit_amount: edit.deposit_amount.unwrap_or(row.deposit_amount),
            play_count: edit.play_count.unwrap_or(row.play_count),
            memo: edit
                .memo
                .as_ref()
                .map(|memo| rules::memo_text(memo.as_deref(), &kept)),
            seen: edit.seen.clone(),
        };
        let mut problems = Problems::default();
        rules::check_external(&entry, &kept, "", &mut problems);
        let problems = problems.into_vec();
        if !problems.is_empty() {
            return Err(RankingDeskError::Invalid(problems));
        }
        if !entry.changes(row) {
            return Ok(row.clone());
        }
        if entry.memo.iter().flatten().next().is_some() {
            refuse_names_in_tx(&tx, vec![("memo".to_owned(), user_id)]).await?;
        }
        store::upsert_chunk(&tx, &before, &[entry], now).await?;
        let after = store::external_of(&*tx, &[user_id]).await?.pop();
        let after = after.ok_or(RankingDeskError::NotOnBoard)?;
        let change = Change {
            action: "EXTERNAL_RANKING_UPDATE",
            resource: &format!("user:{user_id}"),
            before: deposits(row),
            after: deposits(&after),
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        tx.commit().await?;
        self.copies.renew();
        Ok(after)
    }

    async fn remove_once(
        &self,
        actor: &Actor,
        user_id: UserId,
        now: DateTime<Utc>,
    ) -> Result<(), RankingDeskError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, EXTERNAL_RANKING).await?;
        let before = store::external_of(&*tx, &[user_id]).await?.pop();
        let before = before.ok_or(RankingDeskError::NotOnBoard)?;
        store::remove_external(&tx, user_id).await?;
        let change = Change {
            action: "EXTERNAL_RANKING_DELETE",
            resource: &format!("user:{user_id}"),
            before: deposits(&before),
            after: Value::Null,
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        tx.commit().await?;
        self.copies.renew();
        Ok(())
    }

    /// Adds the players' names.
    async fn named(&self, rows: Vec<external::Model>) -> Result<Vec<ExternalRow>, DbError> {
        let mut named = Vec::with_capacity(rows.len());
        for rows in rows.chunks(NAMES) {
            let players = rows.iter().map(|row| UserId(row.user_id));
            let names = names_of(self.db.read(), players).await?;
            named.extend(rows.iter().map(|row| {
                let names = names.get(&UserId(row.user_id));
                ExternalRow {
                    id: row.id,
                    user_id: UserId(row.user_id),
                    external_id: names.map(|it| it.external_id.clone()).unwrap_or_default(),
                    nickname: names.and_then(|it| it.nickname.clone()),
                    deposit_amount: row.deposit_amount,
                    play_count: row.play_count,
                    memo: row.memo.clone(),
                    created_at: row.created_at.0,
                    updated_at: row.updated_at.0,
                    version: version_of_row(row),
                }
            }));
        }
        Ok(named)
    }
}

/// Refuses what would tell who somebody was who was anonymised: fields, and the players whom they tell of.
/// These are locked, so that whoever is anonymised later is forgotten here too.
async fn refuse_names_in_tx(
    tx: &DatabaseTransaction,
    named: Vec<(String, UserId)>,
) -> Result<(), RankingDeskError> {
    let mut players: Vec<UserId> = named.iter().map(|(_, player)| *player).collect();
    players.sort_unstable();
    let mut gone = HashSet::new();
    for players in players.chunks(store::BATCH) {
        gone.extend(lock_many_in_tx(tx, players).await?);
    }
    refuse_names_of(&gone, named)
}

/// Refuses the fields that tell of any of these players.
fn refuse_names_of(
    gone: &HashSet<UserId>,
    named: Vec<(String, UserId)>,
) -> Result<(), RankingDeskError> {
    let mut problems = Problems::default();
    for (field, player) in named {
        problems.expect(!gone.contains(&player), field, texts::memo_of_anonymised());
    }
    let problems = problems.into_vec();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(RankingDeskError::Invalid(problems))
    }
}

/// [`refuse_names_in_tx`] of the memos that an upload changes; boards are sent whole, and nobody is locked for
/// what stands there already.
async fn refuse_memos_in_tx(
    tx: &DatabaseTransaction,
    entries: &[NewExternalEntry],
) -> Result<(), RankingDeskError> {
    let memos: Vec<_> = memos(0, entries).collect();
    let mut new = Vec::new();
    for memos in memos.chunks(store::CHUNK) {
        let players: Vec<UserId> = memos.iter().map(|(_, player, _)| *player).collect();
        let there = store::external_of(tx, &players).await?.into_iter();
        let there = there.filter_map(|row| Some((UserId(row.user_id), row.memo?)));
        let there: HashMap<UserId, String> = there.collect();
        let changed = memos.iter();
        let changed = changed
            .filter(|(_, player, memo)| there.get(player).is_none_or(|there| there != *memo));
        new.extend(changed.map(|(row, player, _)| (field_of_memo(*row), *player)));
    }
    refuse_names_in_tx(tx, new).await
}

/// Refuses the memos of a chunk that was just saved, whose first row is `first`, if its player is anonymised
/// by now: a memo that stood there already has locked nobody, and may have been forgotten meanwhile. Whoever is
/// being anonymised waits for the rows that were saved, and forgets them then.
async fn refuse_forgotten_in_tx(
    tx: &DatabaseTransaction,
    first: usize,
    chunk: &[NewExternalEntry],
) -> Result<(), RankingDeskError> {
    let named = memos(first, chunk).map(|(row, player, _)| (field_of_memo(row), player));
    let named: Vec<(String, UserId)> = named.collect();
    let players: Vec<UserId> = named.iter().map(|(_, player)| *player).collect();
    refuse_names_of(&anonymised_among(tx, &players).await?, named)
}

/// The memos in an upload, and their rows, of which `first` is the first one.
fn memos(
    first: usize,
    entries: &[NewExternalEntry],
) -> impl Iterator<Item = (usize, UserId, &String)> {
    let memos = (first..).zip(entries);
    memos.filter_map(|(row, entry)| Some((row, entry.user_id, entry.memo.as_ref()?.as_ref()?)))
}

fn field_of_memo(row: usize) -> String {
    format!("{row}.memo")
}

fn version_of(rows: &[daily::Model]) -> Version {
    let rows = rows.iter();
    let rows = rows.map(|row| (row.place, row.user_id, &row.display_name, row.score));
    Version::of(&rows.collect::<Vec<_>>())
}

fn version_of_row(row: &external::Model) -> Version {
    Version::of(&(row.deposit_amount, row.play_count, &row.memo))
}

/// What differs from what is there, if operators have seen what they say they have.
fn changes(
    before: &[external::Model],
    entries: &[NewExternalEntry],
) -> Result<Vec<NewExternalEntry>, version::Stale> {
    let there = before.iter().map(|row| (UserId(row.user_id), row));
    let there: HashMap<UserId, &external::Model> = there.collect();
    let mut changes = Vec::new();
    for entry in entries {
        let row = there.get(&entry.user_id);
        let version = row.map_or_else(|| Version::of(&()), |row| version_of_row(row));
        version::expect(entry.seen.as_ref(), &version)?;
        if row.is_none_or(|row| entry.changes(row)) {
            changes.push(entry.clone());
        }
    }
    Ok(changes)
}

impl NewExternalEntry {
    fn changes(&self, row: &external::Model) -> bool {
        let memo = self.memo.as_ref().unwrap_or(&row.memo);
        (self.deposit_amount, self.play_count, memo)
            != (row.deposit_amount, row.play_count, &row.memo)
    }
}

/// Rows as the audit log keeps them: null if there are none.
fn state<T, S: Serialize>(rows: &[T], one: impl Fn(&T) -> S) -> Value {
    if rows.is_empty() {
        return Value::Null;
    }
    audit::state(&rows.iter().map(one).collect::<Vec<_>>())
}

fn place(row: &daily::Model) -> Value {
    json!({
        "rank": row.place,
        "user_id": row.user_id,
        "display_name": row.display_name,
        "score": row.score,
    })
}

fn deposits(row: &external::Model) -> Value {
    json!({
        "user_id": row.user_id,
        "deposit_amount": row.deposit_amount,
        "play_count": row.play_count,
        "memo": row.memo,
    })
}

/// The boards for operators. Every change leaves rows in the audit log.
impl Ranking {
    pub async fn day(&self, day: EventDay) -> Result<DayBoard, RankingDeskError> {
        let rows = store::day(self.db.read(), day).await?;
        self.board(day, rows).await
    }

    /// Makes these the whole board of a day. `seen` is what the operator has seen.
    pub async fn replace_day(
        &self,
        actor: &Actor,
        day: EventDay,
        rows: &[DayRowEdit],
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<DayBoard, RankingDeskError> {
        rules::check_count(rows.len()).map_err(RankingDeskError::Invalid)?;
        let mut known = self.find_known(rows.iter().map(|row| &row.player)).await?;
        let before = store::day(self.db.read(), day).await?.into_iter();
        let names = before.map(|row| row.display_name);
        known.texts = names.filter(|name| !name.is_empty()).collect();
        let entries = rules::day(rows, &known).map_err(RankingDeskError::Invalid)?;
        let rows = retry(|| self.write_day_once(actor, day, &entries, seen, now)).await?;
        self.board(day, rows).await
    }

    pub async fn delete_day(
        &self,
        actor: &Actor,
        day: EventDay,
        now: DateTime<Utc>,
    ) -> Result<(), RankingDeskError> {
        retry(|| self.write_day_once(actor, day, &[], None, now)).await?;
        Ok(())
    }

    pub async fn external(&self) -> Result<ExternalBoard, DbError> {
        let db = self.db.read();
        let rows = store::external_rows(db, Self::BOARD).await?;
        let total = store::count_external(db).await?;
        Ok(ExternalBoard {
            rows: self.named(rows).await?,
            total,
        })
    }

    /// The places of these players, as far as they are on the external board.
    pub async fn external_of(&self, players: &[PlayerRef]) -> Result<Vec<ExternalRow>, DbError> {
        let known = self.find_known(players.iter()).await?;
        let ids = known
            .ids
            .into_iter()
            .chain(known.by_external_id.into_values());
        let ids: Vec<UserId> = ids.collect();
        let mut rows = Vec::new();
        for ids in ids.chunks(store::CHUNK) {
            rows.extend(store::external_of(self.db.read(), ids).await?);
        }
        self.named(rows).await
    }

    /// Saves all of these or nothing; other players' rows stay. Answers what was saved, in the same
    /// order.
    pub async fn upsert_external(
        &self,
        actor: &Actor,
        rows: &[ExternalRowEdit],
        now: DateTime<Utc>,
    ) -> Result<Vec<ExternalRow>, RankingDeskError> {
        rules::check_count(rows.len()).map_err(RankingDeskError::Invalid)?;
        let mut known = self.find_known(rows.iter().map(|row| &row.player)).await?;
        known.texts = store::memos(self.db.read()).await?;
        let entries = rules::external(rows, &known).map_err(RankingDeskError::Invalid)?;
        let saved = retry(|| self.upsert_once(actor, &entries, now)).await?;
        Ok(self.named(saved).await?)
    }

    pub async fn edit_external(
        &self,
        actor: &Actor,
        user_id: UserId,
        edit: &ExternalEdit,
        now: DateTime<Utc>,
    ) -> Result<ExternalRow, RankingDeskError> {
        let saved = retry(|| self.edit_once(actor, user_id, edit, now)).await?;
        let mut named = self.named(vec![saved]).await?;
        named.pop().ok_or(RankingDeskError::NotOnBoard)
    }

    pub async fn remove_external(
        &self,
        actor: &Actor,
        user_id: UserId,
        now: DateTime<Utc>,
    ) -> Result<(), RankingDeskError> {
        retry(|| self.remove_once(actor, user_id, now)).await
    }
}
