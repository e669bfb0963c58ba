//! The same request twice does its work once (docs/ARCHITECTURE.md, "Idempotency").
//!
//! A use case looks the key up after it has locked the player, and stores its result in the
//! transaction of its effect. A duplicate in flight therefore waits on the player's lock and then
//! finds the first answer; a refusal stores nothing, so the same key may run again.
//!
//! Work in many transactions, of which nothing happens twice anyway, goes through [`once`].

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, Condition, DatabaseTransaction, EntityTrait, ExprTrait, QueryOrder,
    QuerySelect, SqlErr, entity::prelude::*, sea_query::Expr,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use xmas_texts::{Text, field};

use crate::{
    UserId,
    db::{Db, DbError, Timestamp, padded, portions, retry, retry_answered, retry_repeatable},
    seal::DataKey,
};

/// What a client sent to make a request repeatable: its key, bound to the request it was first
/// used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    key: String,
    fingerprint: String,
    /// The one that an earlier request may have stored in its place.
    earlier: Option<String>,
}

/// The key was empty, longer than 255 characters, or held something else than visible ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 255 visible ASCII characters")]
pub struct MalformedKey;

impl From<MalformedKey> for Text {
    fn from(_: MalformedKey) -> Self {
        field::visible_ascii(1, RequestKey::MAX_LENGTH)
    }
}

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
            earlier: None,
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

    /// The same key of a request with secrets in its body, such as passwords or coupon codes: whoever reads the
    /// database cannot find them by trying bodies until the fingerprint fits.
    ///
    /// It is stored under the first of the keys ([`DataKey::as_of`]), and was perhaps under another one: a body
    /// is not kept, so that no rotation makes its fingerprint anew.
    #[must_use]
    pub fn with_secrets(&self, key: &DataKey) -> Self {
        let plain = format!("idempotency:{}", self.fingerprint);
        let mut fingerprints = key.fingerprints(plain.as_bytes()).into_iter();
        Self {
            key: self.key.clone(),
            fingerprint: fingerprints.next().unwrap_or_default(),
            earlier: fingerprints.next(),
        }
    }

    /// Whether a stored fingerprint is this request's.
    fn has(&self, stored: &str) -> bool {
        self.fingerprint == stored || self.earlier.as_deref() == Some(stored)
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
        Self {
            key,
            fingerprint,
            earlier: None,
        }
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

    /// The same, told in another way.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Replayable<U> {
        Replayable {
            result: change(self.result),
            replayed: self.replayed,
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
    find(tx, user_id, request).await
}

/// As [`find_in_tx`], for whoever holds no lock: what is not found may be stored the next moment.
pub async fn find<T: DeserializeOwned>(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    request: Option<&RequestKey>,
) -> Result<Option<T>, IdempotencyError> {
    Ok(look_up(conn, user_id, request).await?.result())
}

/// What there is under a key.
enum Found<T> {
    Nothing,
    /// The same request has begun work in many transactions, and has not ended it.
    Begun,
    Result(T),
}

impl<T> Found<T> {
    fn result(self) -> Option<T> {
        match self {
            Found::Result(result) => Some(result),
            Found::Nothing | Found::Begun => None,
        }
    }
}

/// What is stored instead of an envelope until work in many transactions has ended.
const BEGUN: &str = r#"{"v":1}"#;

async fn look_up<T: DeserializeOwned>(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    request: Option<&RequestKey>,
) -> Result<Found<T>, IdempotencyError> {
    let Some(request) = request else {
        return Ok(Found::Nothing);
    };
    let row = Entity::find_by_id((user_id.0, request.key.clone()))
        .one(conn)
        .await
        .map_err(DbError::from)?;
    found(row, request)
}

/// The results that earlier requests stored, as [`find_in_tx`], for several players whom the caller has locked: of each
/// the one with their key.
pub async fn find_many_in_tx<T: DeserializeOwned>(
    tx: &DatabaseTransaction,
    requests: &[(UserId, &RequestKey)],
) -> Result<HashMap<UserId, Result<T, IdempotencyError>>, DbError> {
    if requests.is_empty() {
        return Ok(HashMap::new());
    }
    let mut keys = Condition::any();
    for (user_id, request) in padded(requests.to_vec()) {
        let is_theirs = Column::UserId.eq(user_id.0);
        keys = keys.add(is_theirs.and(Column::IdemKey.eq(request.as_str())));
    }
    let rows = Entity::find().filter(keys).all(tx).await?;
    let mut rows: HashMap<i64, Model> = rows.into_iter().map(|row| (row.user_id, row)).collect();
    let stored = requests.iter().filter_map(|(user_id, request)| {
        let row = rows.remove(&user_id.0)?;
        let result = found_beside(Some(row), request).transpose()?;
        Some((*user_id, result))
    });
    Ok(stored.collect())
}

/// As [`find_in_tx`], for whoever has read the row of the key together with something else.
pub fn found_beside<T: DeserializeOwned>(
    row: Option<Model>,
    request: &RequestKey,
) -> Result<Option<T>, IdempotencyError> {
    Ok(found(row, request)?.result())
}

fn found<T: DeserializeOwned>(
    row: Option<Model>,
    request: &RequestKey,
) -> Result<Found<T>, IdempotencyError> {
    let Some(row) = row else {
        return Ok(Found::Nothing);
    };
    if !request.has(&row.fingerprint) {
        return Err(IdempotencyError::KeyReused);
    }
    if row.result == BEGUN {
        return Ok(Found::Begun);
    }
    let envelope: Envelope<T> = serde_json::from_str(&row.result)
        .map_err(|error| DbError::Corrupt(format!("idempotency_key.result: {error}")))?;
    if envelope.v != VERSION {
        let found = envelope.v;
        return Err(DbError::Corrupt(format!("idempotency_key.result has version {found}")).into());
    }
    Ok(Found::Result(envelope.result))
}

fn enveloped<T: Serialize>(result: &T) -> Result<String, DbError> {
    serde_json::to_string(&Envelope { v: VERSION, result })
        .map_err(|error| DbError::Corrupt(format!("a result cannot be stored: {error}")))
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
    now: DateTime<Utc>,
) -> Result<(), IdempotencyError> {
    let Some(request) = request else {
        return Ok(());
    };
    insert(tx, user_id, request, enveloped(result)?, now).await?;
    Ok(())
}

/// A result to be stored.
pub struct NewResult(ActiveModel);

impl NewResult {
    pub fn new<T: Serialize>(
        user_id: UserId,
        request: &RequestKey,
        result: &T,
        now: DateTime<Utc>,
    ) -> Result<Self, DbError> {
        Ok(Self(row(user_id, request, enveloped(result)?, now)))
    }
}

/// As [`store_in_tx`], of several players.
pub async fn store_many_in_tx(
    tx: &DatabaseTransaction,
    results: Vec<NewResult>,
) -> Result<(), DbError> {
    for some in portions(results) {
        insert_rows(tx, some.into_iter().map(|result| result.0)).await?;
    }
    Ok(())
}

async fn insert(
    tx: &DatabaseTransaction,
    user_id: UserId,
    request: &RequestKey,
    result: String,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    insert_rows(tx, [row(user_id, request, result, now)]).await
}

fn row(user_id: UserId, request: &RequestKey, result: String, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        user_id: Set(user_id.0),
        idem_key: Set(request.key.clone()),
        fingerprint: Set(request.fingerprint.clone()),
        result: Set(result),
        created_at: Set(Timestamp(now)),
    }
}

async fn insert_rows(
    tx: &DatabaseTransaction,
    rows: impl IntoIterator<Item = ActiveModel>,
) -> Result<(), DbError> {
    let inserted = Entity::insert_many(rows).exec_without_returning(tx).await;
    inserted.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => DbError::Contention(error),
        _ => error.into(),
    })?;
    Ok(())
}

/// Tries a use case again that stores its result under the request's key, if there is one: then also after a COMMIT of
/// which nobody knows whether it was done, since the next attempt finds the result or does what was not done. On a
/// cluster a refusal may come from what the same request has just done at another node, and is tried once more.
pub async fn retry_keyed<T, E, F>(
    db: &Db,
    request: Option<&RequestKey>,
    use_case: impl FnMut() -> F,
) -> Result<T, E>
where
    E: std::error::Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    match request {
        Some(_) => retry_answered(use_case, db.has_other_writers()).await,
        None => retry(use_case).await,
    }
}

/// Does work in many transactions, unless this request has done it already, and stores its result in a
/// transaction of its own at the end.
///
/// The work must be such that nothing of it happens twice, however often and by however many at once it is done:
/// whoever is cut off before its end, or is as fast as another one, does it again and finds nothing left to do.
/// What the key adds is the first answer, and that no other request takes the same key: it is noted before the
/// work begins, and free again if the work is refused. Of two at once the one that ends first is answered by both.
pub async fn once<T, E>(
    db: &Db,
    (user_id, request): (UserId, Option<&RequestKey>),
    now: DateTime<Utc>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<Replayable<T>, E>
where
    T: Serialize + DeserializeOwned + Sync,
    E: From<IdempotencyError>,
{
    let Some(request) = request else {
        return work.await.map(Replayable::fresh);
    };
    if let Some(earlier) = retry_repeatable(|| begin_once(db, user_id, request, now)).await? {
        return Ok(Replayable::replayed(earlier));
    }
    match work.await {
        Ok(result) => {
            let faster = retry_repeatable(|| end_once(db, user_id, request, &result, now)).await?;
            Ok(faster.map_or(Replayable::fresh(result), Replayable::replayed))
        }
        Err(refused) => {
            let faster = retry_repeatable(|| give_back_once(db, user_id, request)).await?;
            faster.map_or(Err(refused), |faster| Ok(Replayable::replayed(faster)))
        }
    }
}

/// Notes that the work begins, unless it has ended: then its result is returned.
async fn begin_once<T: DeserializeOwned>(
    db: &Db,
    user_id: UserId,
    request: &RequestKey,
    now: DateTime<Utc>,
) -> Result<Option<T>, IdempotencyError> {
    let tx = db.begin().await?;
    match look_up(&*tx, user_id, Some(request)).await? {
        Found::Result(earlier) => return Ok(Some(earlier)),
        // By whoever was cut off, or is at it.
        Found::Begun => {}
        Found::Nothing => {
            insert(&tx, user_id, request, BEGUN.to_owned(), now).await?;
            tx.commit().await?;
        }
    }
    Ok(None)
}

/// The row that [`begin_once`] has written, as long as the work has not ended.
fn begun(user_id: UserId, request: &RequestKey) -> Condition {
    let fingerprints = [Some(&request.fingerprint), request.earlier.as_ref()];
    Condition::all()
        .add(Column::UserId.eq(user_id.0))
        .add(Column::IdemKey.eq(request.key.as_str()))
        .add(Column::Fingerprint.is_in(fingerprints.into_iter().flatten()))
        .add(Column::Result.eq(BEGUN))
}

/// Stores a result, unless there is one: that one is returned.
async fn end_once<T: Serialize + DeserializeOwned + Sync>(
    db: &Db,
    user_id: UserId,
    request: &RequestKey,
    result: &T,
    now: DateTime<Utc>,
) -> Result<Option<T>, IdempotencyError> {
    let tx = db.begin().await?;
    let ended = Entity::update_many()
        .col_expr(Column::Result, Expr::value(enveloped(result)?))
        .filter(begun(user_id, request))
        .exec(&*tx)
        .await
        .map_err(DbError::from)?;
    if ended.rows_affected == 0 {
        if let Some(faster) = find_in_tx(&tx, user_id, Some(request)).await? {
            return Ok(Some(faster));
        }
        // Somebody at the same work was refused, and has given the key back.
        store_in_tx(&tx, user_id, Some(request), result, now).await?;
    }
    tx.commit().await?;
    Ok(None)
}

/// Frees the key of refused work, unless somebody has done it: then the result is returned.
async fn give_back_once<T: DeserializeOwned>(
    db: &Db,
    user_id: UserId,
    request: &RequestKey,
) -> Result<Option<T>, IdempotencyError> {
    let tx = db.begin().await?;
    let given_back = Entity::delete_many()
        .filter(begun(user_id, request))
        .exec(&*tx)
        .await
        .map_err(DbError::from)?;
    if given_back.rows_affected == 0 {
        return find_in_tx(&tx, user_id, Some(request)).await;
    }
    tx.commit().await?;
    Ok(None)
}

/// Removes up to `most` answers that were stored before `until`, oldest first, and returns how many.
pub async fn purge_in_tx(
    tx: &DatabaseTransaction,
    until: DateTime<Utc>,
    most: u64,
) -> Result<u64, DbError> {
    let old: Vec<(i64, String)> = Entity::find()
        .select_only()
        .column(Column::UserId)
        .column(Column::IdemKey)
        .filter(Column::CreatedAt.lt(Timestamp(until)))
        .order_by_asc(Column::CreatedAt)
        .limit(most)
        .into_tuple()
        .all(tx)
        .await?;
    if old.is_empty() {
        return Ok(0);
    }
    let is_one = |(user_id, key): (i64, String)| {
        Condition::all()
            .add(Column::UserId.eq(user_id))
            .add(Column::IdemKey.eq(key))
    };
    let any = old.into_iter().map(is_one);
    let any = any.fold(Condition::any(), Condition::add);
    // The same player may be using a key anew.
    let which = Condition::all()
        .add(any)
        .add(Column::CreatedAt.lt(Timestamp(until)));
    let removed = Entity::delete_many().filter(which).exec(tx).await?;
    Ok(removed.rows_affected)
}

/// How many answers are stored.
pub async fn count(conn: &impl ConnectionTrait) -> Result<u64, DbError> {
    Ok(Entity::find().count(conn).await?)
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
pub struct FakeAnswers(HashMap<(UserId, String), (String, serde_json::Value)>);

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
            Some((fingerprint, _)) if !request.has(fingerprint) => Err(IdempotencyError::KeyReused),
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
    use proptest::prelude::*;

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
    fn where_a_body_has_secrets_its_fingerprint_needs_the_data_key() {
        let of = |body: &[u8]| RequestKey::new("k", "POST", "/a", body).unwrap();
        let [key, other] = ["one", "two"].map(|key| DataKey::new(&key.repeat(16)));
        let kept = of(b"password").with_secrets(&key);
        assert_eq!(kept, of(b"password").with_secrets(&key));
        assert_eq!(kept.as_str(), "k");
        for guess in [
            of(b"password"),
            of(b"password").with_secrets(&other),
            of(b"passwort").with_secrets(&key),
        ] {
            assert_ne!(kept.fingerprint(), guess.fingerprint());
        }
    }

    #[test]
    fn a_request_with_secrets_is_known_again_while_the_key_is_rotated() {
        let of = |body: &[u8]| RequestKey::new("k", "POST", "/a", body).unwrap();
        let [old, new] = ["one", "two"].map(|secret| secret.repeat(16));
        let both = DataKey::new(&new).with_previous(&old);
        let mut answers = FakeAnswers::default();
        let admin = UserId(1);
        for stored_with in [DataKey::new(&old), both.clone(), DataKey::new(&new)] {
            let stored = of(b"password").with_secrets(&stored_with);
            answers.store(admin, Some(&stored), &7).unwrap();
            let again = of(b"password").with_secrets(&both);
            assert_eq!(answers.find(admin, Some(&again)).unwrap(), Some(7));
            let other = of(b"passwort").with_secrets(&both);
            let refused = answers.find::<i32>(admin, Some(&other));
            assert!(matches!(refused, Err(IdempotencyError::KeyReused)));
        }
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

    proptest! {
        #[test]
        fn any_text_is_a_key_as_it_was_sent_or_none(
            text in prop_oneof!["[ -~]{0,300}", any::<String>()],
            body in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let key = RequestKey::new(&text, "POST", "/", &body);
            let fits = (1..=RequestKey::MAX_LENGTH).contains(&text.len())
                && text.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
            prop_assert_eq!(key.is_ok(), fits);
            if let Ok(key) = key {
                prop_assert_eq!(key.as_str(), text);
                prop_assert_eq!(key.fingerprint().len(), 64);
                prop_assert!(key.name_of_result(UserId(i64::MAX)).len() <= 128);
            }
        }

        #[test]
        fn another_request_has_another_fingerprint(
            first in ("[A-Z]{1,4}", "/[a-z/]{0,8}", prop::collection::vec(any::<u8>(), 0..8)),
            second in ("[A-Z]{1,4}", "/[a-z/]{0,8}", prop::collection::vec(any::<u8>(), 0..8)),
        ) {
            let key = |(method, path, body): &(String, String, Vec<u8>)| {
                RequestKey::new("key", method, path, body).unwrap()
            };
            prop_assert_eq!(key(&first).fingerprint() == key(&second).fingerprint(), first == second);
        }
    }
}
