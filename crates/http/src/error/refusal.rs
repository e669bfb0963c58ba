//! Limits that turn requests and connections away.

/// Which limit a request was turned away by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Requests in progress.
    Requests,
    /// What one address has in progress.
    Address,
    /// Bodies that did not come right behind their headers.
    SlowBodies,
    Uploads,
    /// Logins in progress, and passwords that wait to be hashed.
    Logins,
    /// Work on many players in progress.
    Bulk,
    /// A body did not arrive in time.
    BodyTooSlow,
    /// The request was not finished in time.
    TooLong,
    PlayerReads,
    PlayerWrites,
    LoginThrottle,
    /// Connections of one address.
    Connections,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Requests,
        Self::Address,
        Self::SlowBodies,
        Self::Uploads,
        Self::Logins,
        Self::Bulk,
        Self::BodyTooSlow,
        Self::TooLong,
        Self::PlayerReads,
        Self::PlayerWrites,
        Self::LoginThrottle,
        Self::Connections,
    ];

    /// Its name, as metrics have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Address => "address",
            Self::SlowBodies => "slow_bodies",
            Self::Uploads => "uploads",
            Self::Logins => "logins",
            Self::Bulk => "bulk",
            Self::BodyTooSlow => "body_too_slow",
            Self::TooLong => "too_long",
            Self::PlayerReads => "player_reads",
            Self::PlayerWrites => "player_writes",
            Self::LoginThrottle => "login_throttle",
            Self::Connections => "connections",
        }
    }
}
