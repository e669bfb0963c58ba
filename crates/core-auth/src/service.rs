use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use xmas_activity::{ActivityLog, Event, EventKind};
use xmas_cache::Throttled;
use xmas_kernel::{
    UserId,
    db::{Db, DbError, retry, retry_repeatable},
    entropy::Entropy,
    text,
};
use xmas_players::{
    AccessError, Account, Identity, Role, Status, find_by_external_id, find_by_id, lock_in_tx,
    raise_epoch_in_tx, record_login_in_tx, replace_hash_in_tx, set_password_in_tx,
};

use crate::{
    AccessTokens, AccountView, AuthError, Authenticated, LoginCommand, LogoutCommand,
    PasswordCommand, Passwords, RefreshCommand, Scope, Session, TokenError,
    login_throttle::LoginThrottle,
    passwords::is_old,
    rules::{Verdict, judge},
    store,
    tokens::random_token,
};

/// What [`Auth`] is made of.
pub struct AuthOptions {
    pub db: Db,
    pub tokens: AccessTokens,
    pub passwords: Passwords,
    pub activity: ActivityLog,
    pub entropy: Arc<dyn Entropy>,
    /// How long a refresh token lives after it was issued.
    pub refresh_lifetime: TimeDelta,
    pub throttle: LoginThrottle,
}

/// Authentication for handlers.
#[async_trait]
pub trait AuthService: Send + Sync {
    async fn login(&self, command: &LoginCommand, now: DateTime<Utc>)
    -> Result<Session, AuthError>;

    /// Trades a refresh token for a new session.
    async fn refresh(
        &self,
        command: &RefreshCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError>;

    /// Ends this session, or every session of the account.
    async fn logout(&self, command: &LogoutCommand, now: DateTime<Utc>) -> Result<(), AuthError>;

    /// Replaces the password, which ends every other session; returns a new one.
    async fn change_password(
        &self,
        command: &PasswordCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError>;

    /// The name of the admin whom a token speaks for, if they may still act.
    async fn admin_name(&self, identity: &Identity) -> Result<String, AuthError>;

    /// Whom an access token speaks for. Reads no database.
    fn authenticate(
        &self,
        access_token: &str,
        now: DateTime<Utc>,
    ) -> Result<Authenticated, TokenError>;
}

/// [`AuthService`] on the database.
pub struct Auth {
    options: AuthOptions,
}

impl Auth {
    pub fn new(options: AuthOptions) -> Self {
        Self { options }
    }

    async fn start_session(
        &self,
        account: &Account,
        better_hash: Option<&str>,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError> {
        let tx = self.options.db.begin().await?;
        let player = lock_in_tx(&tx, &account.identity()).await?;
        if let Some(hash) = better_hash {
            replace_hash_in_tx(&tx, &player, &account.password_hash, hash).await?;
        }
        record_login_in_tx(&tx, &player, now).await?;
        let family_id = random_token::<16>(&*self.options.entropy);
        let session = self
            .issue_in_tx(&tx, account, &account.identity(), &family_id, now)
            .await?;
        let event = login_event("password", address);
        self.options
            .activity
            .record_in_tx(&tx, &player, event, now)
            .await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Writes a new refresh token of a family, and mints the access token that goes with it.
    async fn issue_in_tx(
        &self,
        tx: &DatabaseTransaction,
        account: &Account,
        identity: &Identity,
        family_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError> {
        let entropy = &*self.options.entropy;
        let refresh_token = random_token::<32>(entropy);
        let lifetime = (now, now + self.options.refresh_lifetime);
        store::insert(tx, identity, family_id, &refresh_token, lifetime).await?;
        let scope = Scope::from(account.role);
        let minted = self
            .options
            .tokens
            .mint(identity, scope, family_id, entropy, now);
        let (access_token, expires_in) = minted;
        Ok(Session {
            access_token,
            expires_in,
            refresh_token,
            account: AccountView {
                user_id: account.user_id,
                external_id: account.external_id.clone(),
                nickname: account.nickname.clone(),
                status: account.status,
                account_level: account.account_level,
            },
        })
    }

    async fn refresh_once(
        &self,
        command: &RefreshCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError> {
        let refresh_token = command.refresh_token.as_str();
        let unlocked = store::find(self.options.db.read(), refresh_token).await?;
        let identity = unlocked.ok_or(TokenError::Invalid)?.identity;
        let tx = self.options.db.begin().await?;
        let player = lock_in_tx(&tx, &identity).await?;
        // Read again: a duplicate that was in flight has used it by now.
        let row = store::find(&*tx, refresh_token)
            .await?
            .ok_or(TokenError::Invalid)?;
        match judge(&row.presented, now) {
            Verdict::Rotate => {}
            Verdict::Expired => return Err(TokenError::Expired.into()),
            Verdict::Revoked => return Err(TokenError::Invalid.into()),
            Verdict::Stolen => {
                store::revoke_family(&tx, identity.user_id, &row.family_id, now).await?;
                tx.commit().await?;
                return Err(TokenError::Invalid.into());
            }
        }
        let account = active_account(&tx, identity.user_id).await?;
        store::mark_used(&tx, row.id, now).await?;
        let session = self
            .issue_in_tx(&tx, &account, &identity, &row.family_id, now)
            .await?;
        let event = login_event("refresh", command.address);
        self.options
            .activity
            .record_in_tx(&tx, &player, event, now)
            .await?;
        tx.commit().await?;
        Ok(session)
    }

    async fn logout_once(
        &self,
        command: &LogoutCommand,
        now: DateTime<Utc>,
    ) -> Result<(), AuthError> {
        let tx = self.options.db.begin().await?;
        let player = lock_in_tx(&tx, &command.identity).await?;
        store::revoke_family(&tx, command.identity.user_id, &command.session_id, now).await?;
        if command.everywhere {
            raise_epoch_in_tx(&tx, &player, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn set_password_once(
        &self,
        command: &PasswordCommand,
        password_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError> {
        let tx = self.options.db.begin().await?;
        let player = lock_in_tx(&tx, &command.identity).await?;
        let account = active_account(&tx, command.identity.user_id).await?;
        let identity = set_password_in_tx(&tx, &player, password_hash, now).await?;
        let family_id = random_token::<16>(&*self.options.entropy);
        let session = self
            .issue_in_tx(&tx, &account, &identity, &family_id, now)
            .await?;
        tx.commit().await?;
        Ok(session)
    }
}

async fn active_account(tx: &DatabaseTransaction, user_id: UserId) -> Result<Account, AuthError> {
    let account = find_by_id(tx, user_id).await?;
    let account = account.ok_or_else(|| DbError::Corrupt(format!("user {user_id} is gone")))?;
    match account.status {
        Status::Active => Ok(account),
        Status::Blocked => Err(AccessError::Blocked.into()),
        Status::Inactive => Err(AccessError::StaleToken.into()),
    }
}

fn login_event(via: &str, address: Option<IpAddr>) -> Event {
    Event {
        kind: EventKind::AuthLogin,
        feature: None,
        meta: json!({ "via": via, "address": address }),
    }
}

impl From<Throttled> for AuthError {
    fn from(throttled: Throttled) -> Self {
        AuthError::Throttled {
            retry_after: throttled.retry_after,
        }
    }
}

#[async_trait]
impl AuthService for Auth {
    async fn login(
        &self,
        command: &LoginCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError> {
        let throttle = &self.options.throttle;
        throttle
            .admit_login(command.external_id.as_str(), command.address)
            .await?;
        let db = self.options.db.read();
        let account = retry(|| find_by_external_id(db, &command.external_id)).await?;
        let hash = account
            .as_ref()
            .map(|account| account.password_hash.as_str());
        let passwords = &self.options.passwords;
        let fits = passwords.verify_sent(&command.password, hash).await?;
        let account = account.filter(|account| fits && account.status != Status::Inactive);
        let account = account.ok_or(AuthError::InvalidCredentials)?;
        // The old system's hash has done its work once the right password is known.
        let better_hash = match is_old(&account.password_hash) {
            true => Some(passwords.hash(&text::nfc(&command.password)).await?),
            false => None,
        };
        let (better_hash, address) = (better_hash.as_deref(), command.address);
        let started = retry_repeatable(|| self.start_session(&account, better_hash, address, now));
        match started.await {
            // The password was replaced while it was being checked.
            Err(AuthError::Access(AccessError::StaleToken)) => Err(AuthError::InvalidCredentials),
            outcome => outcome,
        }
    }

    async fn refresh(
        &self,
        command: &RefreshCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError> {
        self.options.throttle.admit_refresh(command.address).await?;
        retry_repeatable(|| self.refresh_once(command, now)).await
    }

    async fn logout(&self, command: &LogoutCommand, now: DateTime<Utc>) -> Result<(), AuthError> {
        retry(|| self.logout_once(command, now)).await
    }

    async fn change_password(
        &self,
        command: &PasswordCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError> {
        let user_id = command.identity.user_id;
        self.options.throttle.admit_password(user_id).await?;
        let account = find_by_id(self.options.db.read(), user_id).await?;
        let hash = account
            .as_ref()
            .map(|account| account.password_hash.as_str());
        let passwords = &self.options.passwords;
        if !passwords.verify_sent(&command.current, hash).await? {
            // Who may not act at all learns that first.
            xmas_players::check(self.options.db.read(), &command.identity).await?;
            return Err(AuthError::WrongCurrentPassword);
        }
        let password_hash = passwords.hash(command.new.expose()).await?;
        retry(|| self.set_password_once(command, &password_hash, now)).await
    }

    async fn admin_name(&self, identity: &Identity) -> Result<String, AuthError> {
        let db = self.options.db.read();
        let account = retry(|| find_by_id(db, identity.user_id)).await?;
        let account = account.filter(|account| account.role == Role::Admin);
        let account = account.ok_or(AccessError::StaleToken)?;
        match account.status {
            Status::Blocked => Err(AccessError::Blocked.into()),
            Status::Active if account.token_epoch == identity.token_epoch => {
                Ok(account.external_id)
            }
            Status::Active | Status::Inactive => Err(AccessError::StaleToken.into()),
        }
    }

    fn authenticate(
        &self,
        access_token: &str,
        now: DateTime<Utc>,
    ) -> Result<Authenticated, TokenError> {
        self.options.tokens.verify(access_token, now)
    }
}
