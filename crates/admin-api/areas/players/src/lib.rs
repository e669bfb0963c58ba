//! `/admin/api/users/*`: accounts, and what happened to one (`timeline.rs`).

mod anonymise;
mod collection;
mod edit;
mod import;
mod item;
pub mod timeline;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_http::{endpoint::Operation, operation};
use xmas_kernel::{ErrorCode, UserId};
use xmas_players::{PlayerDeskError, PlayerRecord, Players, Role, SavedPlayer, Status};
use xmas_reporting::{Timelines, Users};
use xmas_time::Kst;

/// What the paths of players' accounts work with.
#[derive(Clone)]
pub struct Services {
    pub players: Arc<Players>,
    pub users: Arc<Users>,
    pub timelines: Arc<Timelines>,
}

impl Services {
    pub fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self {
            players,
            users,
            timelines,
        } = self;
        cfg.app_data(Data::from(players.clone()))
            .app_data(Data::from(users.clone()))
            .app_data(Data::from(timelines.clone()));
    }
}

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(collection::list),
        operation!(collection::post)
            .fails::<PlayerDeskError>(&[ErrorCode::ExternalIdExists, ErrorCode::NoActiveSeason]),
        operation!(item::get).fails::<PlayerDeskError>(&[ErrorCode::UserNotFound]),
        operation!(item::put).fails::<PlayerDeskError>(&[
            ErrorCode::UserNotFound,
            ErrorCode::NoActiveSeason,
            ErrorCode::ExternalIdExists,
            ErrorCode::UserAnonymised,
            ErrorCode::VersionConflict,
        ]),
        operation!(item::delete).fails::<PlayerDeskError>(&[ErrorCode::UserNotFound]),
        operation!(anonymise::anonymise).fails::<PlayerDeskError>(&[ErrorCode::UserNotFound]),
        operation!(import::import)
            .fails::<PlayerDeskError>(&[ErrorCode::ExternalIdExists])
            .bulk(),
    ]
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 42, "external_id": "santa-01", "nickname": "산타", "level": 2,
    "season_level": 2, "account_level": 3, "xp": 60, "status": "ACTIVE", "is_blocked": false,
    "role": "PLAYER", "created_at": "2025-12-20T09:00:00.000000+09:00",
    "updated_at": "2025-12-25T12:30:00.000000+09:00",
    "last_login_at": "2025-12-26T08:59:12.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct AdminUser {
    #[schema(value_type = i64)]
    id: UserId,
    external_id: String,
    nickname: Option<String>,
    /// In the season that is served today: its running one, or the one in its grace days. 0 without one.
    level: i64,
    /// The same.
    season_level: i64,
    account_level: i64,
    /// In the season that is served today.
    xp: i64,
    /// `ACTIVE`, `INACTIVE` or `BLOCKED`.
    #[schema(value_type = String)]
    status: Status,
    is_blocked: bool,
    /// `PLAYER` or `ADMIN`.
    #[schema(value_type = String)]
    role: Role,
    #[schema(value_type = String)]
    created_at: Kst,
    #[schema(value_type = String)]
    updated_at: Kst,
    #[schema(value_type = Option<String>)]
    last_login_at: Option<Kst>,
    /// Changes with the external id, the nickname, the status and the XP.
    version: String,
}

impl From<PlayerRecord> for AdminUser {
    fn from(record: PlayerRecord) -> Self {
        Self {
            id: record.user_id,
            version: record.version().as_str().to_owned(),
            external_id: record.external_id,
            nickname: record.nickname,
            level: record.standing.level,
            season_level: record.standing.level,
            account_level: record.account_level,
            xp: record.standing.xp,
            status: record.status,
            is_blocked: record.status == Status::Blocked,
            role: record.role,
            created_at: Kst(record.created_at),
            updated_at: Kst(record.updated_at),
            last_login_at: record.last_login_at.map(Kst),
        }
    }
}

/// An account after a change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 42, "external_id": "santa-01", "nickname": "산타", "level": 0,
    "season_level": 0, "account_level": 1, "xp": 0, "status": "ACTIVE", "is_blocked": false,
    "role": "PLAYER", "created_at": "2025-12-20T09:00:00.000000+09:00",
    "updated_at": "2025-12-20T09:00:00.000000+09:00", "last_login_at": null,
    "version": "0c1d2e3f4a5b6c7d", "generated_password": "hT7vKqY3mXzP2wRbNc5dFgJu"}))]
pub(crate) struct SavedAdminUser {
    #[serde(flatten)]
    user: AdminUser,
    /// A password that was made up. It is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_password: Option<String>,
}

impl From<SavedPlayer> for SavedAdminUser {
    fn from(saved: SavedPlayer) -> Self {
        Self {
            user: saved.record.into(),
            generated_password: saved.generated_password,
        }
    }
}
