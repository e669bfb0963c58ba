//! A kiosk at the door of a shop: a visitor logs in, gets the stamp of the day, spins the wheel once
//! for a coin, and takes home a slip that says what they have.

use std::{fmt, sync::Arc};

use xmas_core_auth::{AuthError, AuthService, LoginCommand, LogoutCommand, TokenError};
use xmas_event_bridge::{BridgeError, BridgeService, SlotState};
use xmas_games::{GameError, GameService, PlayCommand, roulette::Roulette};
use xmas_kernel::{
    Asset, Feature,
    idempotency::{MalformedKey, RequestKey},
};
use xmas_players::{GivenId, Identity};
use xmas_rewards::{WalletError, WalletService};
use xmas_season_pass::{SeasonError, SeasonPassService, StampCommand};
use xmas_time::{Clock, DateTime, Utc, countdown};

/// What a kiosk works with.
#[derive(Clone)]
pub struct Kiosk {
    pub auth: Arc<dyn AuthService>,
    pub seasons: Arc<dyn SeasonPassService>,
    pub wheel: Arc<dyn GameService<Roulette>>,
    pub wallets: Arc<dyn WalletService>,
    pub bridge: Arc<dyn BridgeService>,
    pub clock: Arc<dyn Clock>,
}

/// Somebody at the kiosk.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The number of the ticket that was pulled; the same ticket never spins twice.
    pub ticket: &'a str,
    pub external_id: &'a str,
    pub password: &'a str,
}

/// What is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    pub name: String,
    /// Whether this visit brought the stamp of the day.
    pub is_stamped: bool,
    pub level: i64,
    /// What the wheel showed; `None` without a coin, or if the day's spins are used up.
    pub spin: Option<String>,
    pub points: i64,
    /// How many keys of the bridge are collected, and how many are needed; `None` if there is none.
    pub keys: Option<(usize, i64)>,
    /// Until the season ends.
    pub left: String,
}

#[derive(Debug, thiserror::Error)]
pub enum KioskError {
    #[error("the visitor cannot log in")]
    Auth(#[from] AuthError),
    #[error("the ticket cannot be read")]
    Ticket(#[from] MalformedKey),
    #[error("the season pass is closed")]
    Season(#[from] SeasonError),
    #[error("the wheel does not turn")]
    Wheel(#[from] GameError),
    #[error("the wallet cannot be read")]
    Wallet(#[from] WalletError),
    #[error("the bridge cannot be read")]
    Bridge(#[from] BridgeError),
}

impl From<TokenError> for KioskError {
    fn from(error: TokenError) -> Self {
        KioskError::Auth(error.into())
    }
}

impl Kiosk {
    /// Serves one visitor. Whatever happens, nobody stays logged in on the shop's machine.
    pub async fn serve(&self, visitor: Visitor<'_>) -> Result<Slip, KioskError> {
        let now = self.clock.now();
        let login = LoginCommand {
            external_id: GivenId::any(visitor.external_id),
            password: visitor.password.to_owned(),
            address: None,
        };
        let session = self.auth.login(&login, now).await?;
        let token = self.auth.authenticate(&session.access_token, now)?;
        let account = session.account;
        let name = account.nickname.unwrap_or(account.external_id);
        let slip = self.slip(name, token.identity, visitor.ticket, now).await;
        let logout = LogoutCommand {
            identity: token.identity,
            session_id: token.session_id,
            everywhere: false,
        };
        self.auth.logout(&logout, now).await?;
        slip
    }

    async fn slip(
        &self,
        name: String,
        identity: Identity,
        ticket: &str,
        now: DateTime<Utc>,
    ) -> Result<Slip, KioskError> {
        let spin = RequestKey::new(ticket, "POST", "/kiosk/spin", b"")?;
        let is_stamped = self.stamp(identity, now).await?;
        let spin = self.spin(identity, spin, now).await?;
        let season = self.seasons.status(&identity, now).await?;
        let balances = self.wallets.own(&identity).await?;
        let bridge = self
            .bridge
            .status(identity.user_id, season.season.id, now)
            .await?;
        let keys = bridge.map(|bridge| {
            let slots = bridge.slots.iter();
            let collected = slots.filter(|slot| slot.state == SlotState::Collected);
            (collected.count(), bridge.keys_required)
        });
        Ok(Slip {
            name,
            is_stamped,
            level: season.progress.current_level,
            spin,
            points: balances.get(&Asset::Point).copied().unwrap_or(0),
            keys,
            left: countdown(now, season.season.rules.end.end()),
        })
    }

    /// Whether the visitor had no stamp of the day yet.
    async fn stamp(&self, identity: Identity, now: DateTime<Utc>) -> Result<bool, KioskError> {
        let stamp = StampCommand {
            identity,
            request: None,
            source: Feature::SeasonPass,
            xp_bonus: 0,
        };
        match self.seasons.stamp(&stamp, now).await {
            Ok(_) => Ok(true),
            Err(SeasonError::AlreadyStamped) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What the wheel showed, if it could be spun.
    async fn spin(
        &self,
        identity: Identity,
        request: RequestKey,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, KioskError> {
        let play = PlayCommand {
            identity,
            request: Some(request),
        };
        match self.wheel.play(&play, now).await {
            Ok(play) => Ok(Some(play.result.outcome.label)),
            Err(GameError::NotEnoughTokens | GameError::DailyLimitReached) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = if self.is_stamped { ", a new stamp" } else { "" };
        writeln!(f, "{}: level {}{stamp}", self.name, self.level)?;
        if let Some(spin) = &self.spin {
            writeln!(f, "The wheel says: {spin}")?;
        }
        writeln!(f, "{} points", self.points)?;
        if let Some((collected, needed)) = self.keys {
            writeln!(f, "{collected} of {needed} keys")?;
        }
        write!(f, "{} left", self.left)
    }
}
