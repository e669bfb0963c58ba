use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;
use xmas_kernel::{Feature, UserId, idempotency::RequestKey};
use xmas_players::Identity;
use xmas_texts::{Text, player};
use xmas_time::Kst;

/// What happened, as the server saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum EventKind {
    AuthLogin,
    EnterPage,
    Play,
    Result,
    RewardGranted,
    SeasonPassStamp,
    SeasonPassLevelUp,
    SeasonPassClaim,
    BridgeKey,
    BridgeKeyTaken,
    BridgeSettled,
    BridgeExpired,
}

impl EventKind {
    /// What happens to players without their being there.
    pub(crate) const PASSIVE: [EventKind; 6] = [
        EventKind::RewardGranted,
        // Whoever reaches a level by themselves has a play, a stamp or a login beside it.
        EventKind::SeasonPassLevelUp,
        EventKind::BridgeKey,
        EventKind::BridgeKeyTaken,
        EventKind::BridgeSettled,
        EventKind::BridgeExpired,
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One row to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub kind: EventKind,
    pub feature: Option<Feature>,
    /// What support needs to answer "what happened to my token".
    pub meta: Value,
}

impl Event {
    /// Whether observers hear of it (docs/rules.md, "Activity").
    pub fn is_observed(&self) -> bool {
        match self.kind {
            EventKind::AuthLogin
            | EventKind::EnterPage
            | EventKind::Play
            | EventKind::SeasonPassStamp => true,
            EventKind::Result
            | EventKind::RewardGranted
            | EventKind::SeasonPassLevelUp
            | EventKind::SeasonPassClaim
            | EventKind::BridgeKey
            | EventKind::BridgeKeyTaken
            | EventKind::BridgeSettled
            | EventKind::BridgeExpired => false,
        }
    }
}

/// What a client may report (docs/contract.md, "Client reports").
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", prefix = "CLIENT_")]
pub enum ClientEventKind {
    EnterPage,
    RoulettePlay,
    DicePlay,
    LotteryPlay,
    BonusUsed,
    PlayDuration,
}

impl ClientEventKind {
    /// What sets the names of all of them apart from the server's own.
    pub(crate) const PREFIX: &'static str = "CLIENT_";

    /// The name in the database: set apart from the server's own by its prefix.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// An event that a client reports, with an id of its own choosing.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientEvent {
    event_id: Uuid,
    kind: ClientEventKind,
    meta: Value,
}

/// The meta data of a reported event are longer than [`ClientEvent::MAX_META_BYTES`] or deeper than
/// [`ClientEvent::MAX_META_DEPTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("meta_json may take up to 4096 bytes and be nested 16 deep")]
pub struct MetaTooLarge;

impl From<MetaTooLarge> for Text {
    fn from(_: MetaTooLarge) -> Self {
        player::meta_json(ClientEvent::MAX_META_BYTES, ClientEvent::MAX_META_DEPTH)
    }
}

impl ClientEvent {
    /// What a report may carry along, as JSON text.
    pub const MAX_META_BYTES: usize = 4_096;
    /// How deep it may be nested: half of what MariaDB takes for valid JSON.
    pub const MAX_META_DEPTH: usize = 16;

    pub fn new(
        event_id: Uuid,
        kind: ClientEventKind,
        value: Option<i64>,
        meta: Option<Value>,
    ) -> Result<Self, MetaTooLarge> {
        let is_too_large = |meta: &Value| {
            depth(meta) > Self::MAX_META_DEPTH || meta.to_string().len() > Self::MAX_META_BYTES
        };
        if meta.as_ref().is_some_and(is_too_large) {
            return Err(MetaTooLarge);
        }
        let meta = serde_json::json!({ "value": value, "meta": meta });
        Ok(Self {
            event_id,
            kind,
            meta,
        })
    }

    pub fn kind(&self) -> ClientEventKind {
        self.kind
    }

    pub(crate) fn meta(&self) -> &Value {
        &self.meta
    }

    /// What makes a second report of the same event a repetition.
    pub(crate) fn once_key(&self) -> String {
        format!("client:{}", self.event_id)
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[derive(Clone, Debug)]
pub struct RecordCommand {
    pub identity: Identity,
    pub request: Option<RequestKey>,
    pub event: ClientEvent,
}

/// The answer to a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    pub user_id: UserId,
    /// When the event was first reported.
    pub updated_at: Kst,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_report_is_named_apart_from_what_the_server_saw() {
        assert_eq!(ClientEventKind::EnterPage.as_str(), "CLIENT_ENTER_PAGE");
        assert_eq!(EventKind::EnterPage.as_str(), "ENTER_PAGE");
        let name = ClientEventKind::PlayDuration.as_str();
        assert!(name.starts_with(ClientEventKind::PREFIX), "{name}");
    }
}
