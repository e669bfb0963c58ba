//! Operators' work on players, when something in the middle or at the end of it fails.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_activity::EventWriter;
use xmas_kernel::{UserId, audit::Actor, db::DbError, seal::DataKey};
use xmas_players::{
    ExternalId, Forgetful, GivenUp, HashError, ImportRow, Leaving, LockedPlayer, NewPlayer,
    Password, PasswordMaker, PasswordWish, PlayerDeskError, PlayerEdit, Players, PlayersOptions,
    SeasonWish, Seasons, ServedSeason, Standing, Status,
};
use xmas_test_support::TestDb;
use xmas_time::EventDay;

/// Keeps passwords as they are, until it is overloaded.
struct Plain {
    is_overloaded: bool,
}

#[async_trait]
impl PasswordMaker for Plain {
    fn generate(&self) -> String {
        "generated".to_owned()
    }

    async fn hash(&self, password: &str) -> Result<String, HashError> {
        match self.is_overloaded {
            true => Err(HashError::Overloaded),
            false => Ok(password.to_owned()),
        }
    }

    async fn hash_many(&self, passwords: Vec<String>) -> Result<Vec<String>, HashError> {
        match self.is_overloaded {
            true => Err(HashError::Overloaded),
            false => Ok(passwords),
        }
    }
}

fn broken<T>() -> Result<T, DbError> {
    Err(DbError::Corrupt("broken on purpose".to_owned()))
}

/// A season in which every correction fails; and somebody who cannot forget.
#[derive(Clone, Copy)]
struct Broken;

#[async_trait]
impl Seasons for Broken {
    async fn served(&self, _: EventDay) -> Result<Option<Arc<dyn ServedSeason>>, DbError> {
        Ok(Some(Arc::new(Broken)))
    }
}

#[async_trait]
impl ServedSeason for Broken {
    fn required_xp(&self, level: i64) -> Option<i64> {
        Some(level * 10)
    }

    async fn standing_in_tx(
        &self,
        _: &DatabaseTransaction,
        _: UserId,
    ) -> Result<Standing, DbError> {
        Ok(Standing::default())
    }

    async fn correct_xp_in_tx(
        &self,
        _: &DatabaseTransaction,
        _: &LockedPlayer,
        _: i64,
        _: &Actor,
        _: DateTime<Utc>,
    ) -> Result<(), DbError> {
        broken()
    }
}

#[async_trait]
impl Forgetful for Broken {
    async fn forget_in_tx(
        &self,
        _: &DatabaseTransaction,
        _: &Leaving<'_>,
        _: DateTime<Utc>,
    ) -> Result<GivenUp, DbError> {
        broken()
    }
}

fn now() -> DateTime<Utc> {
    EventDay::from_ymd(2025, 12, 26).unwrap().start()
}

struct World {
    test: TestDb,
    player: UserId,
    actor: Actor,
}

impl World {
    async fn new() -> Self {
        let test = TestDb::new().await;
        let player = test.player("santa").await.user_id;
        let admin = test.player("operator").await.user_id;
        let login = format!(
            "INSERT INTO user_event_log (user_id, event_type, event_day, meta_json, created_at) VALUES \
             ({player}, 'AUTH_LOGIN', '2025-12-26', '{{\"via\":\"password\",\"address\":\"203.0.113.9\"}}', \
             '2025-12-26 00:00:00.000000')"
        );
        test.execute(&login).await;
        let actor = Actor {
            user_id: admin,
            name: "operator".to_owned(),
            reason: None,
            request_id: "test".to_owned(),
        };
        Self {
            test,
            player,
            actor,
        }
    }

    fn desk(&self, is_overloaded: bool) -> Players {
        Players::new(PlayersOptions {
            db: self.test.db.clone(),
            key: DataKey::new("a key of these tests, 32 bytes or more"),
            passwords: Arc::new(Plain { is_overloaded }),
            seasons: Arc::new(Broken),
            forgetful: vec![Arc::new(EventWriter), Arc::new(Broken)],
        })
    }

    /// Nothing has happened to anybody.
    async fn assert_untouched(&self) {
        for (sql, count) in [
            ("SELECT COUNT(*) FROM admin_audit_log", 0),
            ("SELECT COUNT(*) FROM `user`", 2),
            ("SELECT COUNT(*) FROM user_profiles", 2),
            (
                "SELECT COUNT(*) FROM `user` WHERE external_id = 'santa' AND nickname IS NULL \
                 AND password_hash = '!' AND status = 'ACTIVE'",
                1,
            ),
            ("SELECT SUM(token_epoch) FROM user_profiles", 0),
            (
                "SELECT COUNT(*) FROM user_event_log WHERE meta_json LIKE '%203.0.113.9%'",
                1,
            ),
        ] {
            assert_eq!(self.test.count(sql).await, count, "{sql}");
        }
    }
}

fn is_broken<T>(outcome: &Result<T, PlayerDeskError>) -> bool {
    matches!(outcome, Err(PlayerDeskError::Db(DbError::Corrupt(_))))
}

#[tokio::test]
async fn a_player_whom_somebody_cannot_forget_is_forgotten_by_nobody() {
    let world = World::new().await;
    let desk = world.desk(false);
    let outcome = desk
        .anonymise(&world.actor, world.player, None, now())
        .await;
    assert!(is_broken(&outcome));
    world.assert_untouched().await;
}

#[tokio::test]
async fn a_correction_that_fails_undoes_the_whole_edit() {
    let world = World::new().await;
    let season = SeasonWish {
        xp: Some(100),
        ..SeasonWish::default()
    };
    let edit = PlayerEdit {
        external_id: Some("rudolf".to_owned()),
        nickname: Some(Some("루돌프".to_owned())),
        password: PasswordWish::Generate,
        status: Some(Status::Blocked),
        season,
        seen: None,
    };
    let desk = world.desk(false);
    let edited = desk
        .edit(&world.actor, world.player, &edit, None, now())
        .await;
    assert!(is_broken(&edited));
    let new = NewPlayer {
        external_id: ExternalId::try_from("rudolf").unwrap(),
        nickname: None,
        password: Some(Password::try_from("long enough").unwrap()),
        status: Status::Active,
        season,
    };
    let created = desk.create(&world.actor, &new, None, now()).await;
    assert!(is_broken(&created));
    world.assert_untouched().await;
}

#[tokio::test]
async fn without_a_password_s_hash_nothing_is_begun() {
    let world = World::new().await;
    let desk = world.desk(true);
    let edit = PlayerEdit {
        password: PasswordWish::Set(Password::try_from("long enough").unwrap()),
        status: Some(Status::Inactive),
        ..PlayerEdit::default()
    };
    let edited = desk
        .edit(&world.actor, world.player, &edit, None, now())
        .await;
    let overloaded =
        |error: PlayerDeskError| matches!(error, PlayerDeskError::Hash(HashError::Overloaded));
    assert!(overloaded(edited.unwrap_err()));
    let rows = ["new-1", "santa"].map(|external_id| ImportRow {
        line: 2,
        external_id: Some(external_id.to_owned()),
        password: Some("long enough".to_owned()),
        ..ImportRow::default()
    });
    let imported = desk.import(&world.actor, &rows, None, now()).await;
    assert!(overloaded(imported.unwrap_err()));
    world.assert_untouched().await;
}
