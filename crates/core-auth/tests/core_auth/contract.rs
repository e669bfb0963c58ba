//! What every [`AuthService`] promises: the real one, and the fake for other crates' tests.

use xmas_core_auth::{
    AuthError, AuthService, LogoutCommand, PasswordCommand, Scope, Session, TokenError,
    fake::FakeAuth,
};
use xmas_players::{
    AccessError, Identity, Password, Role, Status, lock_by_id_in_tx, set_status_in_tx,
};
use xmas_test_support::TestDb;

use super::{PASSWORD, PASSWORDS, after, auth, create, login, now, with};

/// A service with accounts whose password is [`PASSWORD`].
trait World {
    fn auth(&self) -> &dyn AuthService;

    async fn add(&self, external_id: &str, role: Role) -> Identity;

    async fn set_status(&self, player: &Identity, status: Status);
}

struct Real {
    test: TestDb,
    auth: xmas_core_auth::Auth,
}

impl World for Real {
    fn auth(&self) -> &dyn AuthService {
        &self.auth
    }

    async fn add(&self, external_id: &str, role: Role) -> Identity {
        create(&self.test, external_id, role).await
    }

    async fn set_status(&self, player: &Identity, status: Status) {
        let tx = self.test.db.begin().await.unwrap();
        let locked = lock_by_id_in_tx(&tx, player.user_id).await.unwrap();
        let locked = locked.unwrap();
        let set = set_status_in_tx(&tx, &locked, status, now()).await;
        set.unwrap();
        tx.commit().await.unwrap();
    }
}

impl World for FakeAuth {
    fn auth(&self) -> &dyn AuthService {
        self
    }

    async fn add(&self, external_id: &str, role: Role) -> Identity {
        FakeAuth::add(self, external_id, PASSWORD, role)
    }

    async fn set_status(&self, player: &Identity, status: Status) {
        FakeAuth::set_status(self, player.user_id, status);
    }
}

#[tokio::test]
async fn the_real_one_keeps_the_contract() {
    let test = TestDb::new().await;
    let auth = auth(&test, PASSWORDS.clone(), 1_000);
    contract(&Real { test, auth }).await;
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    contract(&FakeAuth::default()).await;
}

async fn contract(world: &impl World) {
    sessions(world).await;
    refreshing(world).await;
    logging_out(world).await;
    changing_the_password(world).await;
    admins(world).await;
    those_who_may_not_act(world).await;
}

async fn start(world: &impl World, external_id: &str) -> Session {
    let command = login(external_id, PASSWORD);
    world.auth().login(&command, now()).await.unwrap()
}

fn is_invalid<T>(outcome: &Result<T, AuthError>) -> bool {
    matches!(outcome, Err(AuthError::Token(TokenError::Invalid)))
}

fn is_stale<T>(outcome: &Result<T, AuthError>) -> bool {
    matches!(outcome, Err(AuthError::Access(AccessError::StaleToken)))
}

/// Only the right password of an account starts a session, whose token says whose it is.
async fn sessions(world: &impl World) {
    let santa = world.add("santa", Role::Player).await;
    let auth = world.auth();
    let session = start(world, "santa").await;
    assert_eq!(session.account.user_id, santa.user_id);
    assert_eq!(session.account.external_id, "santa");
    assert_eq!(session.account.status, Status::Active);
    assert_eq!(session.account.account_level, 1);
    let token = auth.authenticate(&session.access_token, now()).unwrap();
    assert_eq!((token.identity, token.scope), (santa, Scope::Player));
    let lifetime = i64::try_from(session.expires_in.as_secs()).unwrap();
    assert!(
        auth.authenticate(&session.access_token, after(lifetime - 1))
            .is_ok()
    );
    let over = auth.authenticate(&session.access_token, after(lifetime));
    assert_eq!(over, Err(TokenError::Expired));
    let forged = auth.authenticate("a.b.c", now());
    assert_eq!(forged, Err(TokenError::Invalid));
    for (name, password) in [("santa", "wrong"), ("santa", ""), ("nobody", PASSWORD)] {
        let refused = auth.login(&login(name, password), now()).await;
        assert!(matches!(refused, Err(AuthError::InvalidCredentials)));
    }
    let again = start(world, "santa").await;
    assert_ne!(again.access_token, session.access_token);
    assert_ne!(again.refresh_token, session.refresh_token);
}

/// A refresh token is traded once; one that comes back late ends its whole session.
async fn refreshing(world: &impl World) {
    world.add("rudolf", Role::Player).await;
    let auth = world.auth();
    let first = start(world, "rudolf").await;
    let elsewhere = start(world, "rudolf").await;
    let second = auth.refresh(&with(&first.refresh_token), after(60)).await;
    let second = second.unwrap();
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_eq!(second.account, first.account);
    let session_id = |session: &Session| {
        let token = auth.authenticate(&session.access_token, after(60));
        token.unwrap().session_id
    };
    assert_eq!(session_id(&second), session_id(&first));
    assert_ne!(session_id(&elsewhere), session_id(&first));
    // A client that lost the answer asks again within seconds.
    assert!(
        auth.refresh(&with(&first.refresh_token), after(90))
            .await
            .is_ok()
    );
    let late = auth.refresh(&with(&first.refresh_token), after(91)).await;
    assert!(is_invalid(&late));
    let revoked = auth.refresh(&with(&second.refresh_token), after(92)).await;
    assert!(is_invalid(&revoked));
    let other = with(&elsewhere.refresh_token);
    let other = auth.refresh(&other, after(93)).await.unwrap();
    let expired = auth
        .refresh(&with(&other.refresh_token), after(15 * 86_400))
        .await;
    assert!(matches!(
        expired,
        Err(AuthError::Token(TokenError::Expired))
    ));
    assert!(is_invalid(&auth.refresh(&with("unknown"), now()).await));
}

fn of(auth: &dyn AuthService, session: &Session, everywhere: bool) -> LogoutCommand {
    let token = auth.authenticate(&session.access_token, now()).unwrap();
    LogoutCommand {
        identity: token.identity,
        session_id: token.session_id,
        everywhere,
    }
}

/// Logging out ends one session, or all of them.
async fn logging_out(world: &impl World) {
    world.add("elf", Role::Player).await;
    let auth = world.auth();
    let here = start(world, "elf").await;
    let there = start(world, "elf").await;
    auth.logout(&of(auth, &here, false), now()).await.unwrap();
    let ended = auth.refresh(&with(&here.refresh_token), now()).await;
    assert!(is_invalid(&ended));
    let there = auth.refresh(&with(&there.refresh_token), now()).await;
    let there = there.unwrap();
    auth.logout(&of(auth, &there, true), now()).await.unwrap();
    let ended = auth.refresh(&with(&there.refresh_token), now()).await;
    assert!(is_stale(&ended));
    // Its access token can be read, but lets nobody act.
    let ended = auth.logout(&of(auth, &there, false), now()).await;
    assert!(is_stale(&ended));
    start(world, "elf").await;
}

/// A new password needs the old one, and ends every other session.
async fn changing_the_password(world: &impl World) {
    world.add("dancer", Role::Player).await;
    let auth = world.auth();
    let old = start(world, "dancer").await;
    let token = auth.authenticate(&old.access_token, now()).unwrap();
    let change = |current: &str| PasswordCommand {
        identity: token.identity,
        current: current.to_owned(),
        new: Password::try_from("battery staple").unwrap(),
    };
    let refused = auth.change_password(&change("wrong"), now()).await;
    assert!(matches!(refused, Err(AuthError::WrongCurrentPassword)));
    let new = auth.change_password(&change(PASSWORD), now()).await;
    let new = new.unwrap();
    assert!(is_stale(
        &auth.refresh(&with(&old.refresh_token), now()).await
    ));
    assert!(auth.refresh(&with(&new.refresh_token), now()).await.is_ok());
    // The old token changes nothing any more, whichever password comes with it.
    for current in [PASSWORD, "battery staple", "wrong"] {
        let stale = auth.change_password(&change(current), now()).await;
        assert!(is_stale(&stale), "{current}");
    }
    let refused = auth.login(&login("dancer", PASSWORD), now()).await;
    assert!(matches!(refused, Err(AuthError::InvalidCredentials)));
    let fits = auth.login(&login("dancer", "battery staple"), now()).await;
    assert!(fits.is_ok());
}

/// An admin's token has its own scope, and a name that the audit log knows.
async fn admins(world: &impl World) {
    let boss = world.add("boss", Role::Admin).await;
    let player = world.add("vixen", Role::Player).await;
    let auth = world.auth();
    let session = start(world, "boss").await;
    let token = auth.authenticate(&session.access_token, now()).unwrap();
    assert_eq!(token.scope, Scope::Admin);
    assert!(session.expires_in < start(world, "vixen").await.expires_in);
    assert_eq!(auth.admin_name(&boss).await.unwrap(), "boss");
    assert!(is_stale(&auth.admin_name(&player).await));
    auth.logout(&of(auth, &session, true), now()).await.unwrap();
    assert!(is_stale(&auth.admin_name(&boss).await));
}

/// Who is blocked learns it with the right password; who is inactive is nobody.
async fn those_who_may_not_act(world: &impl World) {
    let auth = world.auth();
    let is_blocked = |error: &AuthError| matches!(error, AuthError::Access(AccessError::Blocked));
    let player = world.add("comet", Role::Player).await;
    let held = start(world, "comet").await;
    world.set_status(&player, Status::Blocked).await;
    let refused = auth.login(&login("comet", PASSWORD), now()).await;
    assert!(is_blocked(&refused.unwrap_err()));
    let refused = auth.login(&login("comet", "wrong"), now()).await;
    assert!(matches!(refused, Err(AuthError::InvalidCredentials)));
    let refused = auth.refresh(&with(&held.refresh_token), now()).await;
    assert!(is_blocked(&refused.unwrap_err()));
    world.set_status(&player, Status::Active).await;
    // A token from before the block never works again.
    assert!(is_stale(
        &auth.refresh(&with(&held.refresh_token), now()).await
    ));
    start(world, "comet").await;
    world.set_status(&player, Status::Inactive).await;
    let refused = auth.login(&login("comet", PASSWORD), now()).await;
    assert!(matches!(refused, Err(AuthError::InvalidCredentials)));
    let boss = world.add("other boss", Role::Admin).await;
    world.set_status(&boss, Status::Blocked).await;
    assert!(is_blocked(&auth.admin_name(&boss).await.unwrap_err()));
}
