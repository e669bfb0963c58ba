//! How a value lies in a cache that others may write to.

use sha2::{Digest, Sha256};

/// The form of what is below; another one is a miss.
const VERSION: u8 = 1;
const DIGEST: usize = 16;
const HEAD: usize = 1 + DIGEST;

/// A value with what it takes to know it again.
///
/// The digest is over the key too: a value that is found under another key, because a server mixed
/// its answers up, is not given to somebody else.
pub(crate) fn seal(key: &str, value: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(HEAD + value.len());
    sealed.push(VERSION);
    sealed.extend(digest(key, value));
    sealed.extend(value);
    sealed
}

/// The value, if it is one of ours for this key.
pub(crate) fn open(key: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (head, value) = sealed.split_at_checked(HEAD)?;
    let is_ours = head[0] == VERSION && head[1..] == digest(key, value);
    is_ours.then(|| value.to_vec())
}

fn digest(key: &str, value: &[u8]) -> [u8; DIGEST] {
    let digest = Sha256::new()
        .chain_update(key)
        .chain_update([0])
        .chain_update(value)
        .finalize();
    let mut short = [0; DIGEST];
    short.copy_from_slice(&digest[..DIGEST]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_for_the_key_opens() {
        let sealed = seal("answer:7", b"{}");
        assert_eq!(open("answer:7", &sealed), Some(b"{}".to_vec()));
        assert_eq!(open("answer:8", &sealed), None);
        for length in 0..sealed.len() {
            assert_eq!(open("answer:7", &sealed[..length]), None, "{length} bytes");
        }
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(open("answer:7", &damaged), None, "byte {at}");
        }
        for garbage in [&b""[..], b"{}", b"\x01", &[0; 400]] {
            assert_eq!(open("answer:7", garbage), None);
        }
    }
}
