//! Players from a table: a preview, and all or nothing (docs/rules.md, "Players").
//!
//! A file is read, compared with who is there, and becomes a plan; the preview tells the plan, and
//! the import makes it in one transaction. The number of statements follows the number of chunks.

mod model;
mod rules;
mod store;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use xmas_kernel::{
    Problem,
    audit::{self, Actor, Change},
    db::DbError,
    idempotency::{Replayable, RequestKey, find, find_in_tx, retry_keyed, store_in_tx},
};

pub use model::{ImportAction, ImportLine, ImportReport, ImportRow};
use model::{Nameless, NewPassword};
use rules::{Existing, Read, Step};

use crate::{GivenId, NO_PASSWORD, PlayerDeskError, Players, Status};

impl Players {
    /// What an import of these lines would do. It changes nothing.
    pub async fn preview_import(
        &self,
        rows: &[ImportRow],
    ) -> Result<ImportReport, PlayerDeskError> {
        refuse(rules::check_file(rows))?;
        let reads = rules::read_rows(rows);
        let existing = existing_players(self.options.db.read(), &reads).await?;
        Ok(rules::report(rows, &rules::plan(&reads, &existing)))
    }

    /// Creates and changes the players of these lines, once per request: all of them, or nobody if one line is
    /// refused.
    pub async fn import(
        &self,
        actor: &Actor,
        rows: &[ImportRow],
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<ImportReport>, PlayerDeskError> {
        refuse(rules::check_file(rows))?;
        let request = self.with_secrets(request).await?;
        let request = request.as_ref();
        let reads = rules::read_rows(rows);
        let earlier = find::<Nameless>(self.options.db.read(), actor.user_id, request);
        if let Some(earlier) = earlier.await? {
            return Ok(Replayable::replayed(earlier.named(rows)));
        }
        // Whoever will be refused is not kept waiting for their passwords.
        let existing = existing_players(self.options.db.read(), &reads).await?;
        refuse_lines(rows, &rules::plan(&reads, &existing))?;
        let clear = reads
            .iter()
            .flatten()
            .filter_map(|wanted| match &wanted.password {
                Some(NewPassword::Clear(clear)) => {
                    Some((wanted.external_id.as_str(), clear.expose().to_owned()))
                }
                _ => None,
            });
        let (ids, clear): (Vec<&str>, Vec<String>) = clear.unzip();
        let hashes = self.options.passwords.hash_many(clear).await?;
        let hashes: HashMap<&str, String> = ids.into_iter().zip(hashes).collect();
        retry_keyed(&self.options.db, request, || {
            self.apply_once(actor, (rows, &reads), &hashes, request, now)
        })
        .await
    }

    async fn apply_once(
        &self,
        actor: &Actor,
        (rows, reads): (&[ImportRow], &[Read]),
        hashes: &HashMap<&str, String>,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<ImportReport>, PlayerDeskError> {
        let tx = self.options.db.begin().await?;
        let earlier = async || find_in_tx::<Nameless>(&tx, actor.user_id, request).await;
        if let Some(earlier) = earlier().await? {
            return Ok(Replayable::replayed(earlier.named(rows)));
        }
        let existing = existing_players(&*tx, reads).await?;
        let steps = rules::plan(reads, &existing);
        refuse_lines(rows, &steps)?;
        let mut created = Vec::new();
        let mut updated = Vec::new();
        for (step, read) in steps.iter().zip(reads) {
            let Ok(wanted) = read else { continue };
            let external_id = wanted.external_id.as_str();
            let hash = hashes.get(external_id).map(String::as_str);
            match step {
                Step::Create(wanted) => created.push(store::Created {
                    external_id,
                    nickname: wanted.nickname.as_deref(),
                    password_hash: kept(wanted.password.as_ref(), hash).unwrap_or(NO_PASSWORD),
                    status: wanted.status.unwrap_or(Status::Active),
                }),
                Step::Change(changed) => updated.push(store::Updated {
                    user_id: changed.user_id,
                    nickname: changed.nickname,
                    password_hash: kept(changed.password, hash),
                    status: changed.status,
                }),
                Step::Nothing(_) | Step::Refuse(_) => {}
            }
        }
        // Locked in ascending id, as all work on several; new players nobody else can lock yet.
        updated.sort_by_key(|player| player.user_id);
        store::update(&tx, &updated, now).await?;
        match store::insert(&tx, &created, now).await {
            // Maybe by the same request, which was faster.
            Err(PlayerDeskError::ExternalIdExists) => {
                let earlier = earlier().await?;
                let earlier = earlier.ok_or(PlayerDeskError::ExternalIdExists)?;
                return Ok(Replayable::replayed(earlier.named(rows)));
            }
            inserted => inserted?,
        }
        let report = rules::report(rows, &steps);
        let nameless = Nameless::from(&report);
        // A table of what is there already leaves no trace, but for its key.
        if updated.is_empty() && created.is_empty() {
            if request.is_some() {
                store_in_tx(&tx, actor.user_id, request, &nameless, now).await?;
                tx.commit().await?;
            }
            return Ok(Replayable::fresh(report));
        }
        let change = Change {
            action: "USER_IMPORT",
            resource: "users",
            before: Value::Null,
            after: json!({
                "created": report.created,
                "changed": report.changed,
                "unchanged": report.unchanged,
                "without_password": report.without_password,
            }),
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        store_in_tx(&tx, actor.user_id, request, &nameless, now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(report))
    }
}

/// What is to stand in `password_hash`; `hash` is that of the line's clear password.
fn kept<'a>(password: Option<&'a NewPassword>, hash: Option<&'a str>) -> Option<&'a str> {
    match password? {
        NewPassword::Hash(hash) => Some(hash),
        NewPassword::Clear(_) => hash,
    }
}

fn refuse(problems: Vec<Problem>) -> Result<(), PlayerDeskError> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(PlayerDeskError::Invalid(problems))
    }
}

/// All or nothing: one line that is refused refuses the file.
fn refuse_lines(rows: &[ImportRow], steps: &[Step<'_>]) -> Result<(), PlayerDeskError> {
    let refused = rows.iter().zip(steps).filter_map(|(row, step)| match step {
        Step::Refuse(problems) => Some((row.line, problems.clone())),
        _ => None,
    });
    let refused: Vec<_> = refused.collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(PlayerDeskError::RefusedLines(refused))
    }
}

/// The players whom the lines name.
async fn existing_players(
    conn: &impl ConnectionTrait,
    reads: &[Read],
) -> Result<HashMap<String, Existing>, DbError> {
    let ids = reads.iter().flatten().map(|wanted| &wanted.external_id);
    let ids: Vec<&GivenId> = ids.collect();
    store::existing_players(conn, &ids).await
}
