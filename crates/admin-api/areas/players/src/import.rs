//! `POST /admin/api/users/import`: players from a table.

use actix_web::{HttpRequest, web::Data};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_http::{
    answer::Answer,
    error::ApiResult,
    extract::{
        Admin, Column, CsvRow, CsvUpload, DryRun, IdempotencyKey, Now, Params, PreferredLanguage,
        key_of,
    },
};
use xmas_kernel::{UserId, idempotency::Replayable};
use xmas_players::{ImportAction, ImportLine, ImportReport, ImportRow, Players};
use xmas_texts::{Language, player::stays_inactive};

use xmas_admin_common::params::Reason;

const COLUMNS: [Column; 5] = [
    Column::id("external_id").required(),
    Column::text("nickname"),
    Column::secret("password"),
    Column::id("password_sha256"),
    Column::text("status"),
];

/// What an import did, or would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": true, "created": 1, "changed": 0, "unchanged": 0, "refused": 1,
    "without_password": 0, "lines": [
        {"line": 2, "external_id": "santa-01", "action": "CREATE", "changes": ["nickname", "password"],
            "problems": [], "hint": null},
        {"line": 3, "external_id": "rudolf-02", "action": "REFUSE", "changes": [],
            "problems": ["status must be one of ACTIVE, INACTIVE, BLOCKED; got \"AWAY\"."], "hint": null}],
    "more_lines": 0}))]
pub(crate) struct ImportAnswer {
    dry_run: bool,
    created: usize,
    changed: usize,
    unchanged: usize,
    /// One of these, and nothing is imported.
    refused: usize,
    /// New players who cannot log in until they are given a password.
    without_password: usize,
    /// Up to 1,000 lines; those that are refused are among them first.
    lines: Vec<ImportLineAnswer>,
    /// How many lines are not listed.
    more_lines: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportLineAnswer {
    /// In the file, from 1.
    line: u64,
    external_id: String,
    /// `CREATE`, `CHANGE`, `UNCHANGED` or `REFUSE`.
    action: &'static str,
    /// Some of `nickname`, `status` and `password`.
    changes: Vec<&'static str>,
    problems: Vec<String>,
    /// What to do about a player who was deleted, if the line leaves them so.
    hint: Option<String>,
}

impl ImportAnswer {
    fn of(report: ImportReport, dry_run: bool, language: Language) -> Self {
        let line = |line| ImportLineAnswer::of(line, language);
        Self {
            dry_run,
            created: report.created,
            changed: report.changed,
            unchanged: report.unchanged,
            refused: report.refused,
            without_password: report.without_password,
            lines: report.lines.into_iter().map(line).collect(),
            more_lines: report.more_lines,
        }
    }
}

impl ImportLineAnswer {
    fn of(line: ImportLine, language: Language) -> Self {
        let problems = line.problems.iter();
        let hint = |owner: UserId| stays_inactive(owner.to_string()).sentence(language);
        Self {
            line: line.line,
            external_id: line.external_id,
            action: match line.action {
                ImportAction::Create => "CREATE",
                ImportAction::Change => "CHANGE",
                ImportAction::Unchanged => "UNCHANGED",
                ImportAction::Refuse => "REFUSE",
            },
            changes: line.changes,
            problems: problems.map(|it| it.sentence(language)).collect(),
            hint: line.deleted.map(hint),
        }
    }
}

fn import_row(row: &CsvRow) -> ImportRow {
    let cell = |column| row.get(column).map(str::to_owned);
    ImportRow {
        line: row.line,
        external_id: cell("external_id"),
        nickname: cell("nickname"),
        password: cell("password"),
        password_sha256: cell("password_sha256"),
        status: cell("status"),
    }
}

/// Creates and changes players: all of the table, or with a line that is refused nobody. Its columns
/// are `external_id`, and any of `nickname`, `password` (in at most 1,000 lines), `password_sha256` and
/// `status`; an empty cell changes nothing. New players without a password cannot log in yet.
#[utoipa::path(post, path = "/admin/api/users/import", tag = "admin: players",
    params(DryRun, IdempotencyKey, Reason),
    request_body(content = String, content_type = "text/csv",
        example = json!("external_id,nickname,password,password_sha256\nelf-01,엘프 1,elf-password-1,\n")),
    responses((status = 200, body = ImportAnswer)), security(("bearer" = [])))]
pub(crate) async fn import(
    admin: Admin,
    Params(dry_run): Params<DryRun>,
    csv: CsvUpload,
    PreferredLanguage(language): PreferredLanguage,
    request: HttpRequest,
    now: Now,
    desk: Data<Players>,
) -> ApiResult<Answer<ImportAnswer>> {
    let dry_run = dry_run.said()?;
    let request = key_of(&request, &csv.bytes)?;
    let table = csv.table(&COLUMNS)?;
    let rows: Vec<ImportRow> = table.rows.iter().map(import_row).collect();
    drop(table);
    let report = match dry_run {
        true => Replayable::fresh(desk.preview_import(&rows).await?),
        false => {
            let request = request.as_ref();
            desk.import(&admin.actor, &rows, request, now.0).await?
        }
    };
    let answer = |report| ImportAnswer::of(report, dry_run, language);
    Ok(Answer::of(report.map(answer)).with_texts())
}
