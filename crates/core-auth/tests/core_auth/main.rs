//! Logging in, refreshing, logging out and changing the password, against a database.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

mod contract;

use std::{
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use xmas_activity::ActivityLog;
use xmas_cache::{MemoryCache, Throttle};
use xmas_core_auth::{
    AccessTokens, Auth, AuthError, AuthOptions, AuthService, LoginCommand, LoginThrottle,
    LogoutCommand, PasswordCommand, Passwords, RefreshCommand, Scope, Session, SigningKeys,
    TokenError,
};
use xmas_kernel::entropy::OsEntropy;
use xmas_players::{
    AccessError, ExternalId, GivenId, Identity, NewAccount, Nickname, Password, Role, check,
    create_in_tx,
};
use xmas_test_support::TestDb;
use xmas_time::{DateTime, EventDay, Utc};

/// Shared by all tests: hashing is slow on purpose.
static PASSWORDS: LazyLock<Passwords> = LazyLock::new(|| Passwords::new(2, Arc::new(OsEntropy)));

const PASSWORD: &str = "correct horse";

fn now() -> DateTime<Utc> {
    EventDay::from_ymd(2025, 12, 26).unwrap().start()
}

fn after(seconds: i64) -> DateTime<Utc> {
    now() + chrono::TimeDelta::seconds(seconds)
}

struct World {
    test: TestDb,
    auth: Arc<Auth>,
}

fn auth(test: &TestDb, passwords: Passwords, attempts: u64) -> Auth {
    let cache = Arc::new(MemoryCache::default());
    let minute = Duration::from_secs(60);
    let keys = SigningKeys::new("a secret of at least thirty-two bytes", None);
    Auth::new(AuthOptions {
        db: test.db.clone(),
        tokens: AccessTokens::new(keys, minute * 720, minute * 480),
        passwords,
        activity: ActivityLog::default(),
        entropy: Arc::new(OsEntropy),
        refresh_lifetime: chrono::TimeDelta::days(14),
        throttle: LoginThrottle {
            by_account: Throttle::new(cache.clone(), "account", attempts, minute),
            by_account_from_anywhere: Throttle::new(
                cache.clone(),
                "anywhere",
                attempts * 3,
                minute,
            ),
            by_address: Throttle::new(cache, "address", attempts * 2, minute),
        },
    })
}

async fn create(test: &TestDb, external_id: &str, role: Role) -> Identity {
    static HASH: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    let hash = HASH
        .get_or_init(async || PASSWORDS.hash(PASSWORD).await.unwrap())
        .await;
    let account = NewAccount {
        external_id: ExternalId::try_from(external_id).unwrap(),
        nickname: Some(Nickname::try_from("산타").unwrap()),
        password_hash: hash.clone(),
        role,
    };
    let tx = test.db.begin().await.unwrap();
    let identity = create_in_tx(&tx, account, now()).await.unwrap().identity();
    tx.commit().await.unwrap();
    identity
}

impl World {
    async fn new() -> Self {
        let test = TestDb::new().await;
        create(&test, "santa", Role::Player).await;
        let auth = Arc::new(auth(&test, PASSWORDS.clone(), 1_000));
        Self { test, auth }
    }

    async fn login(&self, external_id: &str, password: &str) -> Result<Session, AuthError> {
        self.auth.login(&login(external_id, password), now()).await
    }

    /// Whether an access token still lets its bearer act.
    async fn may_act(&self, session: &Session) -> Result<(), AccessError> {
        let token = self
            .auth
            .authenticate(&session.access_token, now())
            .unwrap();
        check(self.test.db.read(), &token.identity)
            .await
            .map(|_| ())
    }
}

fn with(refresh_token: &str) -> RefreshCommand {
    RefreshCommand {
        refresh_token: refresh_token.to_owned(),
        address: None,
    }
}

fn login(external_id: &str, password: &str) -> LoginCommand {
    LoginCommand {
        external_id: GivenId::try_from(external_id).unwrap(),
        password: password.to_owned(),
        address: Some("203.0.113.9".parse().unwrap()),
    }
}

#[tokio::test]
async fn logging_in_gives_a_session_that_may_act() {
    let world = World::new().await;
    let session = world.login("santa", PASSWORD).await.unwrap();
    assert_eq!(session.expires_in, Duration::from_secs(720 * 60));
    assert_eq!(session.account.nickname.as_deref(), Some("산타"));
    assert_eq!(session.account.account_level, 1);
    let token = world
        .auth
        .authenticate(&session.access_token, now())
        .unwrap();
    assert_eq!(
        (token.identity.user_id, token.scope),
        (session.account.user_id, Scope::Player)
    );
    world.may_act(&session).await.unwrap();
    let logged = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'AUTH_LOGIN'";
    assert_eq!(world.test.count(logged).await, 1);
    assert_eq!(
        world
            .test
            .count("SELECT COUNT(*) FROM `user` WHERE last_login_at IS NOT NULL")
            .await,
        1
    );
    // The database holds no token.
    let plain = format!(
        "SELECT COUNT(*) FROM refresh_token WHERE token_hash = '{}'",
        session.refresh_token
    );
    assert_eq!(world.test.count(&plain).await, 0);
}

#[tokio::test]
async fn an_admin_s_token_carries_the_admin_scope() {
    let world = World::new().await;
    create(&world.test, "boss", Role::Admin).await;
    let session = world.login("boss", PASSWORD).await.unwrap();
    let token = world
        .auth
        .authenticate(&session.access_token, now())
        .unwrap();
    assert_eq!(token.scope, Scope::Admin);
    assert_eq!(session.expires_in, Duration::from_secs(480 * 60));
}

/// The statements of one attempt to log in, and how many passwords it checked.
async fn work_of(external_id: &str, password: &str) -> (Vec<String>, u64) {
    let mut test = TestDb::new().await;
    create(&test, "santa", Role::Player).await;
    create(&test, "gone", Role::Player).await;
    create(&test, "imported", Role::Player).await;
    create(&test, "anonymous", Role::Player).await;
    test.execute("UPDATE `user` SET status = 'INACTIVE' WHERE external_id = 'gone'")
        .await;
    let old = format!(
        "UPDATE `user` SET password_hash = 'sha256${}' WHERE external_id = 'imported'",
        "0".repeat(64)
    );
    test.execute(&old).await;
    test.execute("UPDATE `user` SET password_hash = '!' WHERE external_id = 'anonymous'")
        .await;
    let statements = Arc::new(Mutex::new(Vec::new()));
    let seen = statements.clone();
    test.db
        .observe_statements(move |executed| seen.lock().unwrap().push(executed.sql.to_owned()));
    let passwords = Passwords::new(1, Arc::new(OsEntropy));
    let auth = auth(&test, passwords.clone(), 1_000);
    let refused = auth.login(&login(external_id, password), now()).await;
    assert!(
        matches!(refused, Err(AuthError::InvalidCredentials)),
        "{refused:?}"
    );
    let statements = statements.lock().unwrap().clone();
    (statements, passwords.checks())
}

#[tokio::test]
async fn an_unknown_player_a_wrong_password_and_an_inactive_player_are_the_same_work() {
    let unknown = work_of("nobody", PASSWORD).await;
    assert_eq!(unknown.0.len(), 1, "{:?}", unknown.0);
    assert_eq!(unknown.1, 1);
    assert_eq!(work_of("santa", "wrong").await, unknown);
    assert_eq!(work_of("gone", PASSWORD).await, unknown);
    assert_eq!(work_of("gone", "wrong").await, unknown);
    assert_eq!(work_of("imported", "wrong").await, unknown);
    assert_eq!(work_of("anonymous", "!").await, unknown);
}

#[tokio::test]
async fn a_blocked_player_learns_it_only_with_the_right_password() {
    let world = World::new().await;
    let session = world.login("santa", PASSWORD).await.unwrap();
    let token = world
        .auth
        .authenticate(&session.access_token, now())
        .unwrap();
    world.test.block(&token.identity).await;
    let refused = world.login("santa", PASSWORD).await;
    assert!(matches!(
        refused,
        Err(AuthError::Access(AccessError::Blocked))
    ));
    let refused = world.login("santa", "wrong").await;
    assert!(matches!(refused, Err(AuthError::InvalidCredentials)));
    assert!(matches!(
        world.may_act(&session).await,
        Err(AccessError::Blocked)
    ));
    let refused = world
        .auth
        .refresh(&with(&session.refresh_token), now())
        .await;
    assert!(matches!(
        refused,
        Err(AuthError::Access(AccessError::Blocked))
    ));
}

#[tokio::test]
async fn a_refresh_token_is_traded_for_a_new_one() {
    let world = World::new().await;
    let first = world.login("santa", PASSWORD).await.unwrap();
    let second = world
        .auth
        .refresh(&with(&first.refresh_token), after(60))
        .await
        .unwrap();
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_eq!(second.account, first.account);
    let third = world
        .auth
        .refresh(&with(&second.refresh_token), after(120))
        .await
        .unwrap();
    world.may_act(&third).await.unwrap();
    let logins = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'AUTH_LOGIN'";
    assert_eq!(world.test.count(logins).await, 3);
}

#[tokio::test]
async fn a_used_refresh_token_that_comes_back_late_revokes_its_family() {
    let world = World::new().await;
    let stolen = world.login("santa", PASSWORD).await.unwrap();
    let other_device = world.login("santa", PASSWORD).await.unwrap();
    let next = world
        .auth
        .refresh(&with(&stolen.refresh_token), after(0))
        .await
        .unwrap();
    // A client that lost the answer asks again at once.
    assert!(
        world
            .auth
            .refresh(&with(&stolen.refresh_token), after(30))
            .await
            .is_ok()
    );
    let refused = world
        .auth
        .refresh(&with(&stolen.refresh_token), after(31))
        .await;
    assert!(matches!(
        refused,
        Err(AuthError::Token(TokenError::Invalid))
    ));
    let refused = world
        .auth
        .refresh(&with(&next.refresh_token), after(32))
        .await;
    assert!(matches!(
        refused,
        Err(AuthError::Token(TokenError::Invalid))
    ));
    assert!(
        world
            .auth
            .refresh(&with(&other_device.refresh_token), after(33))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn refresh_tokens_expire_and_unknown_ones_are_refused() {
    let world = World::new().await;
    let session = world.login("santa", PASSWORD).await.unwrap();
    let expired = world
        .auth
        .refresh(&with(&session.refresh_token), after(14 * 86_400))
        .await;
    assert!(matches!(
        expired,
        Err(AuthError::Token(TokenError::Expired))
    ));
    for unknown in ["", "x", &"y".repeat(10_000)] {
        let refused = world.auth.refresh(&with(unknown), now()).await;
        assert!(matches!(
            refused,
            Err(AuthError::Token(TokenError::Invalid))
        ));
    }
}

#[tokio::test]
async fn two_refreshes_at_once_both_get_a_session_of_the_same_family() {
    let world = World::new().await;
    let session = world.login("santa", PASSWORD).await.unwrap();
    let refreshes: Vec<_> = (0..10)
        .map(|_| {
            let (auth, token) = (world.auth.clone(), session.refresh_token.clone());
            tokio::spawn(async move { auth.refresh(&with(&token), after(5)).await.is_ok() })
        })
        .collect();
    for refresh in refreshes {
        assert!(refresh.await.unwrap());
    }
    assert_eq!(
        world
            .test
            .count("SELECT COUNT(DISTINCT family_id) FROM refresh_token")
            .await,
        1
    );
}

#[tokio::test]
async fn logging_out_ends_this_session_and_everywhere_ends_all() {
    let world = World::new().await;
    let here = world.login("santa", PASSWORD).await.unwrap();
    let there = world.login("santa", PASSWORD).await.unwrap();
    let logout = |session: &Session, everywhere| {
        let token = world
            .auth
            .authenticate(&session.access_token, now())
            .unwrap();
        LogoutCommand {
            identity: token.identity,
            session_id: token.session_id,
            everywhere,
        }
    };
    world
        .auth
        .logout(&logout(&here, false), now())
        .await
        .unwrap();
    assert!(
        world
            .auth
            .refresh(&with(&here.refresh_token), now())
            .await
            .is_err()
    );
    let there = world
        .auth
        .refresh(&with(&there.refresh_token), now())
        .await
        .unwrap();
    world
        .auth
        .logout(&logout(&there, true), now())
        .await
        .unwrap();
    assert!(matches!(
        world.may_act(&there).await,
        Err(AccessError::StaleToken)
    ));
    assert!(
        world
            .auth
            .refresh(&with(&there.refresh_token), now())
            .await
            .is_err()
    );
    world
        .may_act(&world.login("santa", PASSWORD).await.unwrap())
        .await
        .unwrap();
}

/// Gives the player the hash that the old system kept of a password.
async fn keep_old_hash(test: &TestDb, password: &str) {
    use sha2::{Digest, Sha256};
    let digits: String = Sha256::digest(password)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let sql = format!("UPDATE `user` SET password_hash = 'sha256${digits}'");
    test.execute(&sql).await;
}

async fn old_hashes(test: &TestDb) -> i64 {
    let old = "SELECT COUNT(*) FROM `user` WHERE password_hash LIKE 'sha256%'";
    test.count(old).await
}

#[tokio::test]
async fn the_first_login_replaces_the_hash_of_the_old_system() {
    let world = World::new().await;
    let held = world.login("santa", PASSWORD).await.unwrap();
    keep_old_hash(&world.test, "old password").await;
    for wrong in [PASSWORD, "Old password", "", "sha256$"] {
        let refused = world.login("santa", wrong).await;
        assert!(matches!(refused, Err(AuthError::InvalidCredentials)));
        assert_eq!(old_hashes(&world.test).await, 1);
    }
    world.login("santa", "old password").await.unwrap();
    let new = "SELECT COUNT(*) FROM `user` WHERE password_hash LIKE '$argon2id$%'";
    assert_eq!(
        (old_hashes(&world.test).await, world.test.count(new).await),
        (0, 1)
    );
    // It is the same password still, and nobody was logged out.
    world.may_act(&held).await.unwrap();
    world.login("santa", "old password").await.unwrap();
    let refused = world.login("santa", PASSWORD).await;
    assert!(matches!(refused, Err(AuthError::InvalidCredentials)));
}

#[tokio::test]
async fn an_old_hash_is_kept_while_its_player_may_not_log_in() {
    for (status, is_blocked) in [("BLOCKED", 1), ("INACTIVE", 0)] {
        let world = World::new().await;
        keep_old_hash(&world.test, "old password").await;
        let block = format!("UPDATE user_profiles SET is_blocked = {is_blocked}");
        world.test.execute(&block).await;
        let set = format!("UPDATE `user` SET status = '{status}'");
        world.test.execute(&set).await;
        assert!(world.login("santa", "old password").await.is_err());
        assert_eq!(old_hashes(&world.test).await, 1, "{status}");
    }
}

#[tokio::test]
async fn many_first_logins_at_once_all_get_in() {
    let world = World::new().await;
    keep_old_hash(&world.test, "old password").await;
    let logins = (0..12).map(|_| {
        let auth = world.auth.clone();
        tokio::spawn(async move { auth.login(&login("santa", "old password"), now()).await })
    });
    let logins: Vec<_> = logins.collect();
    let mut sessions = Vec::new();
    for login in logins {
        sessions.push(login.await.unwrap().unwrap());
    }
    assert_eq!(old_hashes(&world.test).await, 0);
    for session in &sessions {
        world.may_act(session).await.unwrap();
    }
    world.login("santa", "old password").await.unwrap();
}

#[tokio::test]
async fn an_old_password_can_be_changed_like_any_other() {
    let world = World::new().await;
    let session = world.login("santa", PASSWORD).await.unwrap();
    keep_old_hash(&world.test, "old password").await;
    let token = world
        .auth
        .authenticate(&session.access_token, now())
        .unwrap();
    let change = PasswordCommand {
        identity: token.identity,
        current: "old password".to_owned(),
        new: Password::try_from("battery staple").unwrap(),
    };
    world.auth.change_password(&change, now()).await.unwrap();
    assert_eq!(old_hashes(&world.test).await, 0);
    world.login("santa", "battery staple").await.unwrap();
}

#[tokio::test]
async fn a_new_password_ends_every_older_session() {
    let world = World::new().await;
    let old = world.login("santa", PASSWORD).await.unwrap();
    let token = world.auth.authenticate(&old.access_token, now()).unwrap();
    let change = |current: &str| PasswordCommand {
        identity: token.identity,
        current: current.to_owned(),
        new: Password::try_from("battery staple").unwrap(),
    };
    let refused = world.auth.change_password(&change("wrong"), now()).await;
    assert!(matches!(refused, Err(AuthError::WrongCurrentPassword)));
    world.may_act(&old).await.unwrap();

    let new = world
        .auth
        .change_password(&change(PASSWORD), now())
        .await
        .unwrap();
    world.may_act(&new).await.unwrap();
    assert!(matches!(
        world.may_act(&old).await,
        Err(AccessError::StaleToken)
    ));
    assert!(
        world
            .auth
            .refresh(&with(&old.refresh_token), now())
            .await
            .is_err()
    );
    assert!(
        world
            .auth
            .refresh(&with(&new.refresh_token), now())
            .await
            .is_ok()
    );
    assert!(matches!(
        world.login("santa", PASSWORD).await,
        Err(AuthError::InvalidCredentials)
    ));
    assert!(world.login("santa", "battery staple").await.is_ok());
}

#[tokio::test]
async fn attempts_are_throttled_per_account_and_address() {
    let test = TestDb::new().await;
    create(&test, "santa", Role::Player).await;
    let auth = auth(&test, PASSWORDS.clone(), 3);
    for _ in 0..3 {
        let refused = auth.login(&login("santa", "wrong"), now()).await;
        assert!(matches!(refused, Err(AuthError::InvalidCredentials)));
    }
    let refused = auth.login(&login("santa", PASSWORD), now()).await;
    assert!(matches!(refused, Err(AuthError::Throttled { .. })));
    let elsewhere = LoginCommand {
        address: Some("203.0.113.10".parse().unwrap()),
        ..login("santa", PASSWORD)
    };
    assert!(auth.login(&elsewhere, now()).await.is_ok());
    // The address as a whole may try 6 times: two are left after the four above.
    for _ in 0..2 {
        let refused = auth.login(&login("other", "wrong"), now()).await;
        assert!(matches!(refused, Err(AuthError::InvalidCredentials)));
    }
    let refused = auth.login(&login("another", "wrong"), now()).await;
    assert!(matches!(refused, Err(AuthError::Throttled { .. })));
}

#[tokio::test]
async fn many_addresses_together_do_not_guess_one_password() {
    let test = TestDb::new().await;
    create(&test, "santa", Role::Player).await;
    let auth = auth(&test, PASSWORDS.clone(), 3);
    let attempt = |external_id: &str, number: u32, password: &str| LoginCommand {
        address: Some(std::net::Ipv4Addr::from_bits(0xcb00_7100 + number).into()),
        ..login(external_id, password)
    };
    for number in 0..9 {
        let refused = auth.login(&attempt("santa", number, "wrong"), now()).await;
        assert!(matches!(refused, Err(AuthError::InvalidCredentials)));
    }
    let refused = auth.login(&attempt("santa", 9, PASSWORD), now()).await;
    assert!(matches!(refused, Err(AuthError::Throttled { .. })));
    let other = auth.login(&attempt("other", 9, "wrong"), now()).await;
    assert!(matches!(other, Err(AuthError::InvalidCredentials)));
}
