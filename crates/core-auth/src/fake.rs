//! An in-memory [`AuthService`] for crates that build on this one.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use xmas_kernel::{UserId, entropy::Entropy, text};
use xmas_players::{AccessError, Identity, Role, Status};

use crate::{
    AccessTokens, AccountView, AuthError, AuthService, Authenticated, LoginCommand, LogoutCommand,
    PasswordCommand, RefreshCommand, Scope, Session, SigningKeys, TokenError,
    rules::{Presented, Verdict, judge},
    tokens::random_token,
};

/// Accounts that a test makes, with real access tokens. Passwords are kept as they are, nothing is
/// throttled, and every run makes the same tokens.
pub struct FakeAuth {
    tokens: AccessTokens,
    entropy: Counting,
    world: Mutex<World>,
}

#[derive(Default)]
struct World {
    accounts: BTreeMap<UserId, Account>,
    /// By their refresh tokens.
    sessions: HashMap<String, Issued>,
}

#[derive(Clone)]
struct Account {
    view: AccountView,
    role: Role,
    password: String,
    token_epoch: i64,
}

struct Issued {
    identity: Identity,
    family_id: String,
    presented: Presented,
}

/// Counts up, so that no two tokens are the same.
#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (byte, counted) in bytes.iter_mut().zip(count.into_iter().cycle()) {
            *byte = counted;
        }
    }
}

impl Default for FakeAuth {
    fn default() -> Self {
        let hour = Duration::from_secs(3_600);
        let keys = SigningKeys::new("a secret that every test knows, 32 bytes", None);
        Self {
            tokens: AccessTokens::new(keys, Self::PLAYER_HOURS * hour, Self::ADMIN_HOURS * hour),
            entropy: Counting::default(),
            world: Mutex::default(),
        }
    }
}

impl FakeAuth {
    /// How long a player's access token lives.
    pub const PLAYER_HOURS: u32 = 12;
    /// How long an admin's access token lives.
    pub const ADMIN_HOURS: u32 = 8;
    /// How long a refresh token lives.
    pub const REFRESH_DAYS: i64 = 14;

    /// Makes an active account. An external id that is taken already gets a second account.
    pub fn add(&self, external_id: &str, password: &str, role: Role) -> Identity {
        let mut world = self.world();
        let last = world.accounts.keys().last().map_or(0, |last| last.0);
        let identity = Identity {
            user_id: UserId(last + 1),
            token_epoch: 0,
        };
        let account = Account {
            view: AccountView {
                user_id: identity.user_id,
                external_id: external_id.to_owned(),
                nickname: None,
                status: Status::Active,
                account_level: 1,
            },
            role,
            password: password.to_owned(),
            token_epoch: identity.token_epoch,
        };
        world.accounts.insert(identity.user_id, account);
        identity
    }

    /// Blocks an account, takes it away or lets it in again. Tokens from before a block are worthless
    /// for good. Does nothing where there is no such account.
    pub fn set_status(&self, user_id: UserId, status: Status) {
        if let Some(account) = self.world().accounts.get_mut(&user_id) {
            account.view.status = status;
            account.token_epoch += i64::from(status != Status::Active);
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issue(
        &self,
        world: &mut World,
        account: &Account,
        family_id: String,
        now: DateTime<Utc>,
    ) -> Session {
        let identity = account.identity();
        let scope = Scope::from(account.role);
        let minted = self
            .tokens
            .mint(&identity, scope, &family_id, &self.entropy, now);
        let (access_token, expires_in) = minted;
        let refresh_token = random_token::<32>(&self.entropy);
        let issued = Issued {
            identity,
            family_id,
            presented: Presented {
                expires_at: now + TimeDelta::days(Self::REFRESH_DAYS),
                used_at: None,
                revoked_at: None,
            },
        };
        world.sessions.insert(refresh_token.clone(), issued);
        Session {
            access_token,
            expires_in,
            refresh_token,
            account: account.view.clone(),
        }
    }
}

impl Account {
    fn identity(&self) -> Identity {
        Identity {
            user_id: self.view.user_id,
            token_epoch: self.token_epoch,
        }
    }

    /// A password counts as it was sent, or else in NFC.
    fn opens_with(&self, password: &str) -> bool {
        self.password == password || self.password == text::nfc(password)
    }
}

impl World {
    /// The account that an identity speaks for, if it may act.
    fn admit(&self, identity: &Identity) -> Result<Account, AccessError> {
        let account = self.accounts.get(&identity.user_id);
        let account = account.ok_or(AccessError::StaleToken)?;
        if account.view.status == Status::Blocked {
            return Err(AccessError::Blocked);
        }
        if account.token_epoch != identity.token_epoch {
            return Err(AccessError::StaleToken);
        }
        Ok(account.clone())
    }

    fn revoke_family(&mut self, user_id: UserId, family_id: &str, now: DateTime<Utc>) {
        let sessions = self.sessions.values_mut();
        let of_family = sessions
            .filter(|issued| issued.identity.user_id == user_id && issued.family_id == family_id);
        for issued in of_family {
            issued.presented.revoked_at.get_or_insert(now);
        }
    }
}

#[async_trait]
impl AuthService for FakeAuth {
    async fn login(
        &self,
        command: &LoginCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError> {
        let mut world = self.world();
        let accounts = world.accounts.values();
        let by_name = accounts.map(|account| (account.view.external_id.clone(), account));
        let by_name: HashMap<String, &Account> = by_name.collect();
        let account = command.external_id.among(&by_name).copied().cloned();
        let account = account.filter(|account| {
            account.opens_with(&command.password) && account.view.status != Status::Inactive
        });
        let account = account.ok_or(AuthError::InvalidCredentials)?;
        world.admit(&account.identity())?;
        let family_id = random_token::<16>(&self.entropy);
        Ok(self.issue(&mut world, &account, family_id, now))
    }

    async fn refresh(
        &self,
        command: &RefreshCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError> {
        let mut world = self.world();
        let issued = world.sessions.get(&command.refresh_token);
        let issued = issued.ok_or(TokenError::Invalid)?;
        let account = world.admit(&issued.identity)?;
        let family_id = issued.family_id.clone();
        match judge(&issued.presented, now) {
            Verdict::Rotate => {}
            Verdict::Expired => return Err(TokenError::Expired.into()),
            Verdict::Revoked => return Err(TokenError::Invalid.into()),
            Verdict::Stolen => {
                world.revoke_family(account.view.user_id, &family_id, now);
                return Err(TokenError::Invalid.into());
            }
        }
        if let Some(issued) = world.sessions.get_mut(&command.refresh_token) {
            issued.presented.used_at.get_or_insert(now);
        }
        Ok(self.issue(&mut world, &account, family_id, now))
    }

    async fn logout(&self, command: &LogoutCommand, now: DateTime<Utc>) -> Result<(), AuthError> {
        let mut world = self.world();
        let user_id = world.admit(&command.identity)?.view.user_id;
        world.revoke_family(user_id, &command.session_id, now);
        if command.everywhere
            && let Some(account) = world.accounts.get_mut(&user_id)
        {
            account.token_epoch += 1;
        }
        Ok(())
    }

    async fn change_password(
        &self,
        command: &PasswordCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError> {
        let mut world = self.world();
        let mut account = world.admit(&command.identity)?;
        if !account.opens_with(&command.current) {
            return Err(AuthError::WrongCurrentPassword);
        }
        command.new.expose().clone_into(&mut account.password);
        account.token_epoch += 1;
        world.accounts.insert(account.view.user_id, account.clone());
        let family_id = random_token::<16>(&self.entropy);
        Ok(self.issue(&mut world, &account, family_id, now))
    }

    async fn admin_name(&self, identity: &Identity) -> Result<String, AuthError> {
        let world = self.world();
        let account = world.accounts.get(&identity.user_id);
        // Whoever is no admin has no name here, blocked or not.
        account
            .filter(|account| account.role == Role::Admin)
            .ok_or(AccessError::StaleToken)?;
        Ok(world.admit(identity)?.view.external_id)
    }

    fn authenticate(
        &self,
        access_token: &str,
        now: DateTime<Utc>,
    ) -> Result<Authenticated, TokenError> {
        self.tokens.verify(access_token, now)
    }
}
