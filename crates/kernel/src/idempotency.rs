//! The same request twice does its work once (architecture.md §3).
//!
//! A use case looks the key up after it has locked the player, and stores its result in the
//! transaction of its effect. A duplicate in flight therefore waits on the player's lock and then
//! finds the first answer; a refusal stores nothing, so the same key may run again.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait, SqlErr, entity::prelude::*};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    UserId,
    db::{DbError, Timestamp},
};

/// What a client sent to make a request repeatable: its key, bound to the request it was first
/// used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    key: String,
    fingerprint: String,
}

/// The key was empty, longer than 255 characters, or held something else than visible ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 255 visible ASCII characters")]
pub struct MalformedKey;

impl RequestKey {
    pub const MAX_LENGTH: usize = 255;

    /// Binds `key` to a request by SHA-256 over method, path and body.
    pub fn new(key: &str, method: &str, path: &str, body: &[u8]) -> Result<Self, MalformedKey> {
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > Self::MAX_LENGTH || !visible {
            return Err(MalformedKey);
        }
        let mut hash = Sha256::new();
        for part in [method.as_bytes(), path.as_bytes(), body] {
            // The length in front of each part keeps ("a", "bc") and ("ab", "c") apart.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let fingerprint = hex::encode(hash.finalize());
        Ok(Self {
            key: key.to_owned(),
            fingerprint,
        })
    }

    /// The key as it was sent.
    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// 64 hexadecimal digits that follow from the request.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// A name of up to 128 characters for what the request makes, if it is kept by name. Two people
    /// who send the same key make two things.
    pub fn name_of_result(&self, user_id: UserId) -> String {
        const LONGEST: usize = 100;
        if self.key.len() <= LONGEST {
            format!("{KEYED}{user_id}:{}", self.key)
        } else {
            let hash = hex::encode(Sha256::digest(&self.key));
            format!("{KEYED}{user_id}:{hash}")
        }
    }

    /// The key of something that the server makes once whoever asks for it, such as `revert:12`. It begins
    /// with a word, and not with a number, so that no result of a client's key has its name.
    pub fn own(what: &str) -> Self {
        let key = format!("{KEYED}{what}");
        let fingerprint = hex::encode(Sha256::digest(&key));
        Self { key, fingerprint }
    }

    /// Whether a name looks like one of [`RequestKey::name_of_result`] or [`RequestKey::own`]; nobody may
    /// choose such a one.
    pub fn is_reserved(name: &str) -> bool {
        name.starts_with(KEYED)
    }
}

/// What names that follow from a key begin with.
const KEYED: &str = "key:";

/// A use case's result, and whether it was made now or by an earlier request with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayable<T> {
    pub result: T,
    pub replayed: bool,
}

impl<T> Replayable<T> {
    pub fn fresh(result: T) -> Self {
        Self {
            result,
            replayed: false,
        }
    }

    pub fn replayed(result: T) -> Self {
        Self {
            result,
            replayed: true,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// The key was first used for another request.
    #[error("the idempotency key belongs to another request")]
    KeyReused,
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// The version of the stored envelope; results grow by optional fields only.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    v: u32,
    result: T,
}

/// The result that an earlier request of this player stored under this key.
///
/// The caller has locked the player in `tx`. Without a key there is nothing to find.
pub async fn find_in_tx<T: DeserializeOwned>(
    tx: &DatabaseTransaction,
    user_id: UserId,
    request: Option<&RequestKey>,
) -> Result<Option<T>, IdempotencyError> {
    let Some(request) = request else {
        return Ok(None);
    };
    let row = Entity::find_by_id((user_id.0, request.key.clone()))
        .one(tx)
        .await
        .map_err(DbError::from)?;
    let Some(row) = row else {
        return Ok(None);
    };
    if row.fingerprint != request.fingerprint {
        return Err(IdempotencyError::KeyReused);
    }
    let envelope: Envelope<T> = serde_json::from_str(&row.result)
        .map_err(|error| DbError::Corrupt(format!("idempotency_key.result: {error}")))?;
    if envelope.v != VERSION {
        let found = envelope.v;
        return Err(DbError::Corrupt(format!("idempotency_key.result has version {found}")).into());
    }
    Ok(Some(envelope.result))
}

/// Stores a result in the transaction of its effect. Without a key nothing is stored.
///
/// Whoever waits for a lock before this finds an earlier answer first. An operator's requests about
/// two players wait for different locks, though, and may come here with the same key at once: the
/// second one is then turned away as for a lost lock, and finds the first answer when it is tried
/// again.
pub async fn store_in_tx<T: Serialize + Sync>(
    tx: &DatabaseTransaction,
    user_id: UserId,
    request: Option<&RequestKey>,
    result: &T,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), IdempotencyError> {
    let Some(request) = request else {
        return Ok(());
    };
    let result = serde_json::to_string(&Envelope { v: VERSION, result })
        .map_err(|error| DbError::Corrupt(format!("a result cannot be stored: {error}")))?;
    Entity::insert(ActiveModel {
        user_id: Set(user_id.0),
        idem_key: Set(request.key.clone()),
        fingerprint: Set(request.fingerprint.clone()),
        result: Set(result),
        created_at: Set(Timestamp(now)),
    })
    .exec_without_returning(tx)
    .await
    .map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => DbError::Contention(error),
        _ => error.into(),
    })?;
    Ok(())
}

/// Forgets the answers to a player's requests, which nobody will send again.
pub async fn forget_in_tx(tx: &DatabaseTransaction, user_id: UserId) -> Result<(), DbError> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// What fakes remember instead of the table.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug, Default)]
pub struct FakeAnswers(std::collections::HashMap<(UserId, String), (String, serde_json::Value)>);

#[cfg(any(test, feature = "testing"))]
impl FakeAnswers {
    pub fn find<T: DeserializeOwned>(
        &self,
        user_id: UserId,
        request: Option<&RequestKey>,
    ) -> Result<Option<T>, IdempotencyError> {
        let Some(request) = request else {
            return Ok(None);
        };
        match self.0.get(&(user_id, request.key.clone())) {
            None => Ok(None),
            Some((fingerprint, _)) if *fingerprint != request.fingerprint => {
                Err(IdempotencyError::KeyReused)
            }
            Some((_, result)) => serde_json::from_value(result.clone())
                .map(Some)
                .map_err(|error| DbError::Corrupt(error.to_string()).into()),
        }
    }

    pub fn store<T: Serialize>(
        &mut self,
        user_id: UserId,
        request: Option<&RequestKey>,
        result: &T,
    ) -> Result<(), IdempotencyError> {
        if let Some(request) = request {
            let result = serde_json::to_value(result)
                .map_err(|error| DbError::Corrupt(error.to_string()))?;
            let answer = (request.fingerprint.clone(), result);
            self.0.insert((user_id, request.key.clone()), answer);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    user_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    idem_key: String,
    fingerprint: String,
    result: String,
    created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_1_to_255_characters() {
        let longest = "k".repeat(255);
        for good in ["a", "6f1d-…".trim_end_matches('…'), longest.as_str(), "!~"] {
            assert!(RequestKey::new(good, "POST", "/", b"").is_ok(), "{good}");
        }
        let too_long = "k".repeat(256);
        for bad in [
            "",
            "with space",
            "tab\t",
            "한글",
            "\u{7f}",
            too_long.as_str(),
        ] {
            assert_eq!(
                RequestKey::new(bad, "POST", "/", b""),
                Err(MalformedKey),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn what_a_key_makes_is_named_by_who_sent_it() {
        let key = |key: &str| RequestKey::new(key, "POST", "/a", b"").unwrap();
        assert_eq!(key("daily").name_of_result(UserId(7)), "key:7:daily");
        assert!(RequestKey::is_reserved("key:7:daily") && !RequestKey::is_reserved("daily"));
        assert!(RequestKey::is_reserved(
            RequestKey::own("revert:7").as_str()
        ));
        let long = "k".repeat(255);
        let name = key(&long).name_of_result(UserId(i64::MAX));
        assert!(name.len() <= 128, "{name}");
        assert_ne!(name, key(&"k".repeat(254)).name_of_result(UserId(i64::MAX)));
    }

    #[test]
    fn method_path_and_body_each_change_the_fingerprint() {
        let key = |method, path, body: &[u8]| RequestKey::new("k", method, path, body).unwrap();
        let first = key("POST", "/a", b"{}");
        assert_eq!(first, key("POST", "/a", b"{}"));
        for other in [
            key("PUT", "/a", b"{}"),
            key("POST", "/b", b"{}"),
            key("POST", "/a", b"{ }"),
            key("POST", "/a{", b"}"),
        ] {
            assert_ne!(first, other);
        }
    }
}
