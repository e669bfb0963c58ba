//! How a value lies in a cache that others may write to.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::MAX_VALUE_BYTES;

/// The form of what is below; another one is a miss.
const VERSION: u8 = 2;
const DIGEST: usize = 16;
const HEAD: usize = 1 + DIGEST;

/// Puts values into envelopes that only those open who know the same secret.
pub(crate) struct Envelope(Hmac<Sha256>);

impl Envelope {
    pub(crate) fn new(secret: &[u8]) -> Self {
        // HMAC takes a key of any length.
        let mac = Hmac::new_from_slice(secret).expect("a key of any length");
        Self(mac)
    }

    /// Eight hexadecimal digits that are the same for the same secret, and do not give it away.
    pub(crate) fn mark(&self) -> String {
        let digest = self.digest("", b"mark");
        hex::encode(&digest[..4])
    }

    /// A value with what it takes to know it again.
    ///
    /// The digest is over the key too: a value that is found under another key, because a server mixed
    /// its answers up, is not given to somebody else.
    pub(crate) fn seal(&self, key: &str, value: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(HEAD + value.len());
        sealed.push(VERSION);
        sealed.extend(self.digest(key, value));
        sealed.extend(value);
        sealed
    }

    /// The value, if it is one of ours for this key.
    pub(crate) fn open(&self, key: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (head, value) = sealed.split_at_checked(HEAD)?;
        if value.len() > MAX_VALUE_BYTES {
            return None;
        }
        let is_ours = head[0] == VERSION
            && self
                .mac(key, value)
                .verify_truncated_left(&head[1..])
                .is_ok();
        is_ours.then(|| value.to_vec())
    }

    fn digest(&self, key: &str, value: &[u8]) -> [u8; DIGEST] {
        let digest = self.mac(key, value).finalize().into_bytes();
        let mut short = [0; DIGEST];
        short.copy_from_slice(&digest[..DIGEST]);
        short
    }

    fn mac(&self, key: &str, value: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        // Whatever it is, a key says where it ends.
        mac.update(&(key.len() as u64).to_be_bytes());
        mac.update(key.as_bytes());
        mac.update(value);
        mac
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_was_sealed_for_the_key_opens() {
        let envelope = Envelope::new(b"secret");
        let sealed = envelope.seal("answer:7", b"{}");
        assert_eq!(envelope.open("answer:7", &sealed), Some(b"{}".to_vec()));
        assert_eq!(envelope.open("answer:8", &sealed), None);
        for length in 0..sealed.len() {
            let part = &sealed[..length];
            assert_eq!(envelope.open("answer:7", part), None, "{length} bytes");
        }
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(envelope.open("answer:7", &damaged), None, "byte {at}");
        }
        for garbage in [&b""[..], b"{}", b"\x02", &[0; 400]] {
            assert_eq!(envelope.open("answer:7", garbage), None);
        }
    }

    #[test]
    fn another_secret_opens_nothing() {
        let [one, other] = [b"one".as_slice(), b"other"].map(Envelope::new);
        assert_eq!(other.open("a", &one.seal("a", b"{}")), None);
        assert_ne!(one.mark(), other.mark());
        assert_eq!(one.mark(), Envelope::new(b"one").mark());
    }

    #[test]
    fn what_is_too_large_does_not_open() {
        let envelope = Envelope::new(b"secret");
        for (bytes, opens) in [(MAX_VALUE_BYTES, true), (MAX_VALUE_BYTES + 1, false)] {
            let sealed = envelope.seal("a", &vec![0; bytes]);
            assert_eq!(envelope.open("a", &sealed).is_some(), opens);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_open_that_were_not_sealed(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
            version in any::<bool>(),
        ) {
            let mut bytes = bytes;
            if version && !bytes.is_empty() {
                bytes[0] = VERSION;
            }
            prop_assert_eq!(Envelope::new(b"secret").open("answer:7", &bytes), None);
        }

        #[test]
        fn what_was_sealed_opens_until_a_byte_of_it_changes(
            value in prop::collection::vec(any::<u8>(), 0..64),
            at in any::<prop::sample::Index>(),
            bit in 0u32..8,
        ) {
            let envelope = Envelope::new(b"secret");
            let mut sealed = envelope.seal("answer:7", &value);
            prop_assert_eq!(envelope.open("answer:7", &sealed), Some(value));
            let at = at.index(sealed.len());
            sealed[at] ^= 1_u8 << bit;
            prop_assert_eq!(envelope.open("answer:7", &sealed), None);
        }
    }
}
