//! Secrets that have to be kept in the database: sealed with a key that is not in it.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sha2::Sha256;

use crate::{
    db::{Db, DbError},
    entropy::Entropy,
};

/// The key of everything sealed (`DATA_KEY`). All replicas share it; without it coupon codes and
/// draw seeds cannot be read any more.
#[derive(Clone)]
pub struct DataKey {
    cipher: XChaCha20Poly1305,
    fingerprints: Hmac<Sha256>,
}

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
        }
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
    /// Whether this is the key that the database's values are sealed with; `false` if nothing has
    /// been sealed there.
    pub async fn is_known(&self, db: &Db) -> Result<bool, ProbeError> {
        let row = Entity::find_by_id(ONLY_ROW).one(db.read()).await;
        let Some(row) = row.map_err(DbError::from)? else {
            return Ok(false);
        };
        self.open(PROBE, &row.sealed)?;
        Ok(true)
    }

    /// [`DataKey::is_known`]; the first key that asks becomes the database's.
    pub async fn probe(&self, db: &Db, entropy: &dyn Entropy) -> Result<(), ProbeError> {
        // Two processes may be the first at once; the second finds the row of the other.
        for _ in 0..2 {
            if self.is_known(db).await? {
                return Ok(());
            }
            let tx = db.begin().await?;
            let inserted = Entity::insert(ActiveModel {
                id: Set(ONLY_ROW),
                sealed: Set(self.seal(PROBE, PROBE.as_bytes(), entropy)),
            })
            .exec_without_returning(&*tx)
            .await;
            if inserted.is_ok() {
                tx.commit().await?;
                return Ok(());
            }
        }
        Err(DbError::Corrupt("data_key_probe cannot be written".to_owned()).into())
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
