use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::entropy::Entropy;

/// One key.
pub struct SealKey {
    cipher: XChaCha20Poly1305,
    fingerprints: Hmac<Sha256>,
}

/// A sealed text was changed, moved to another place, or sealed with another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened with this DATA_KEY")]
pub struct Unsealable;

const NONCE_BYTES: usize = 24;

impl SealKey {
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

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey")
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{entropy::OsEntropy, seal::DataKey};

    const SECRET: &str = "a secret of 32 bytes or more, in any spelling";
    const OTHER: &str = "another secret of 32 bytes or more, of course";

    #[test]
    fn a_sealed_value_opens_in_its_place_and_with_its_key_only() {
        let key = SealKey::new(SECRET);
        let sealed = key.seal("coupon_code:3", b"ABCD-1234", &OsEntropy);
        assert!(!sealed.contains("ABCD"));
        // Another replica, or the same one after a restart.
        let same = SealKey::new(SECRET);
        assert_eq!(same.open("coupon_code:3", &sealed).unwrap(), b"ABCD-1234");
        assert_eq!(key.open("coupon_code:4", &sealed), Err(Unsealable));
        let other = SealKey::new(OTHER);
        assert_eq!(other.open("coupon_code:3", &sealed), Err(Unsealable));
        assert_ne!(sealed, key.seal("coupon_code:3", b"ABCD-1234", &OsEntropy));
    }

    #[test]
    fn equal_values_have_equal_fingerprints_under_one_key() {
        let key = SealKey::new(SECRET);
        assert_eq!(
            key.fingerprint(b"A"),
            SealKey::new(SECRET).fingerprint(b"A")
        );
        assert_ne!(key.fingerprint(b"A"), key.fingerprint(b"B"));
        assert_ne!(key.fingerprint(b"A"), SealKey::new("x").fingerprint(b"A"));
    }

    #[test]
    fn two_keys_open_what_either_sealed_and_know_both_fingerprints() {
        let both = DataKey::new(SECRET).with_previous(OTHER);
        for secret in [SECRET, OTHER] {
            let one = SealKey::new(secret);
            let sealed = one.seal("p", b"A", &OsEntropy);
            assert_eq!(both.open("p", &sealed).unwrap(), b"A");
            assert_eq!(both.open("q", &sealed), Err(Unsealable));
            assert!(both.fingerprints(b"A").contains(&one.fingerprint(b"A")));
        }
        let third = SealKey::new("a third one").seal("p", b"A", &OsEntropy);
        assert_eq!(both.open("p", &third), Err(Unsealable));
        assert_eq!(both.fingerprints(b"A").len(), 2);
        assert_eq!(DataKey::new(SECRET).fingerprints(b"A").len(), 1);
    }

    #[test]
    fn no_form_of_a_key_shows_it() {
        let both = DataKey::new(SECRET).with_previous(OTHER);
        let shown = format!("{both:?} {:?}", SealKey::new(SECRET));
        assert_eq!(shown, "DataKey SealKey");
    }

    proptest! {
        #[test]
        fn anything_else_does_not_open(text in "[A-Za-z0-9+/]{0,80}") {
            let both = DataKey::new(SECRET).with_previous(OTHER);
            prop_assert_eq!(both.open("p", &text), Err(Unsealable));
        }

        #[test]
        fn a_changed_byte_is_noticed(plain in prop::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>()) {
            let key = SealKey::new(SECRET);
            let mut bytes = STANDARD_NO_PAD.decode(key.seal("p", &plain, &OsEntropy)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
            prop_assert_eq!(key.open("p", &STANDARD_NO_PAD.encode(bytes)), Err(Unsealable));
        }
    }
}
