//! Secrets that have to be kept in the database: sealed with a key that is not in it.

use std::{fmt, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*};
use sha2::Sha256;

use crate::{
    db::{Db, DbError},
    entropy::Entropy,
};

/// The key of everything sealed (`DATA_KEY`). All replicas share it; without it coupon codes and
/// draw seeds cannot be read any more.
///
/// A database has one key. It becomes the database's with the first value that is sealed there, in
/// the same transaction ([`DataKey::claim_in_tx`]), and leaves a probe: one more sealed value, which
/// tells it from every other key.
#[derive(Clone)]
pub struct DataKey {
    cipher: XChaCha20Poly1305,
    fingerprints: Hmac<Sha256>,
    tables: Arc<[Arc<dyn SealedTable>]>,
}

/// A table with sealed values. One without a probe beside it was filled by a version that wrote none.
#[async_trait]
pub trait SealedTable: Send + Sync {
    /// Any one of its values, and the place that it was sealed for.
    async fn any_in_tx(&self, tx: &DatabaseTransaction) -> Result<Option<Sealed>, DbError>;
}

/// A sealed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub place: String,
    pub value: String,
}

/// Proof that the database's key is the one that seals in this transaction. Whoever writes a sealed
/// value asks for it.
#[derive(Debug)]
pub struct Claimed<'a>(PhantomData<&'a DatabaseTransaction>);

/// A sealed text was changed, moved to another place, or sealed with another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened with this DATA_KEY")]
pub struct Unsealable;

const NONCE_BYTES: usize = 24;

impl DataKey {
    /// Derives the key from a secret of 32 random bytes or more, in any spelling.
    pub fn new(secret: &str) -> Self {
        let derive = |purpose: &str| {
            let mut mac = keyed(secret.as_bytes());
            mac.update(purpose.as_bytes());
            mac.finalize().into_bytes()
        };
        Self {
            cipher: XChaCha20Poly1305::new(&Key::from(<[u8; 32]>::from(derive("seal v1")))),
            fingerprints: keyed(&derive("fingerprint v1")),
            tables: Arc::default(),
        }
    }

    /// The same key, which also looks into these tables where a database has no probe.
    pub fn of_tables(mut self, tables: Vec<Arc<dyn SealedTable>>) -> Self {
        self.tables = tables.into();
        self
    }

    /// Seals a value for one place, such as `coupon_code:3`; it opens nowhere else.
    pub fn seal(&self, place: &str, plain: &[u8], entropy: &dyn Entropy) -> String {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let payload = Payload {
            msg: plain,
            aad: place.as_bytes(),
        };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("only a message of 256 GiB is too long");
        STANDARD_NO_PAD.encode([&nonce[..], &sealed].concat())
    }

    /// Opens what was sealed for `place`.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Vec<u8>, Unsealable> {
        let bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| Unsealable)?;
        let (nonce, sealed) = bytes.split_first_chunk().ok_or(Unsealable)?;
        let payload = Payload {
            msg: sealed,
            aad: place.as_bytes(),
        };
        let nonce: [u8; NONCE_BYTES] = *nonce;
        self.cipher
            .decrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Unsealable)
    }

    /// The same 64 hexadecimal digits for the same value, and no way back: finds duplicates among
    /// sealed values.
    pub fn fingerprint(&self, plain: &[u8]) -> String {
        let mut mac = self.fingerprints.clone();
        mac.update(plain);
        hex::encode(mac.finalize().into_bytes())
    }
}

/// Why a database cannot be used with a key.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// What is in the database was sealed with another key.
    #[error(transparent)]
    OtherKey(#[from] Unsealable),
    #[error("the database failed")]
    Db(#[from] DbError),
}

const PROBE: &str = "data_key_probe";
const ONLY_ROW: i64 = 1;

impl DataKey {
    /// Whether this is the key that the database's values are sealed with: `true` if it opens what
    /// is sealed there, `false` if nothing is. Changes nothing.
    pub async fn compare(&self, db: &Db) -> Result<bool, ProbeError> {
        let tx = db.begin().await?;
        Ok(self.probed_in_tx(&tx).await? || self.opens_any_in_tx(&tx).await?)
    }

    /// Makes this key the database's, unless it is already or another one is.
    pub async fn claim_in_tx<'a>(
        &self,
        tx: &'a DatabaseTransaction,
        entropy: &dyn Entropy,
    ) -> Result<Claimed<'a>, ProbeError> {
        if self.probed_in_tx(tx).await? {
            return Ok(Claimed(PhantomData));
        }
        self.opens_any_in_tx(tx).await?;
        let inserted = Entity::insert(ActiveModel {
            id: Set(ONLY_ROW),
            sealed: Set(self.seal(PROBE, PROBE.as_bytes(), entropy)),
        })
        .exec_without_returning(tx)
        .await;
        match inserted.map_err(DbError::from) {
            Ok(_) => Ok(Claimed(PhantomData)),
            // Another process was faster, maybe with another key.
            Err(DbError::Violated(..) | DbError::Other(_)) if self.probed_in_tx(tx).await? => {
                Ok(Claimed(PhantomData))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether there is a probe; it must open.
    async fn probed_in_tx(&self, tx: &DatabaseTransaction) -> Result<bool, ProbeError> {
        let row = Entity::find_by_id(ONLY_ROW).one(tx).await;
        let Some(row) = row.map_err(DbError::from)? else {
            return Ok(false);
        };
        self.open(PROBE, &row.sealed)?;
        Ok(true)
    }

    /// Whether there is any other sealed value; one of each table must open.
    async fn opens_any_in_tx(&self, tx: &DatabaseTransaction) -> Result<bool, ProbeError> {
        let mut any = false;
        for table in &*self.tables {
            match table.any_in_tx(tx).await {
                Ok(Some(sealed)) => {
                    self.open(&sealed.place, &sealed.value)?;
                    any = true;
                }
                // A table that a migration is still to make holds nothing.
                Ok(None) | Err(DbError::SchemaMismatch(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(any)
    }
}

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "data_key_probe")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: i64,
    sealed: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entropy::OsEntropy;

    const SECRET: &str = "a secret of 32 bytes or more, in any spelling";

    #[test]
    fn a_sealed_value_opens_in_its_place_and_with_its_key_only() {
        let key = DataKey::new(SECRET);
        let sealed = key.seal("coupon_code:3", b"ABCD-1234", &OsEntropy);
        assert!(!sealed.contains("ABCD"));
        // Another replica, or the same one after a restart.
        let same = DataKey::new(SECRET);
        assert_eq!(same.open("coupon_code:3", &sealed).unwrap(), b"ABCD-1234");
        assert_eq!(key.open("coupon_code:4", &sealed), Err(Unsealable));
        let other = DataKey::new("another secret of 32 bytes or more, of course");
        assert_eq!(other.open("coupon_code:3", &sealed), Err(Unsealable));
        assert_ne!(sealed, key.seal("coupon_code:3", b"ABCD-1234", &OsEntropy));
    }

    #[test]
    fn equal_values_have_equal_fingerprints_under_one_key() {
        let key = DataKey::new(SECRET);
        assert_eq!(
            key.fingerprint(b"A"),
            DataKey::new(SECRET).fingerprint(b"A")
        );
        assert_ne!(key.fingerprint(b"A"), key.fingerprint(b"B"));
        assert_ne!(key.fingerprint(b"A"), DataKey::new("x").fingerprint(b"A"));
    }

    proptest! {
        #[test]
        fn anything_else_does_not_open(text in "[A-Za-z0-9+/]{0,80}") {
            prop_assert_eq!(DataKey::new(SECRET).open("p", &text), Err(Unsealable));
        }

        #[test]
        fn a_changed_byte_is_noticed(plain in prop::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>()) {
            let key = DataKey::new(SECRET);
            let mut bytes = STANDARD_NO_PAD.decode(key.seal("p", &plain, &OsEntropy)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
            prop_assert_eq!(key.open("p", &STANDARD_NO_PAD.encode(bytes)), Err(Unsealable));
        }
    }
}
