//! Versions of what operators edit, so that two of them do not overwrite each other.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// A version: 16 hexadecimal digits that follow from the content, so that it changes with the content
/// and with nothing else, and needs no column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// The version of a content. It is written as JSON, whose fields must not come in random order.
    pub fn of(content: &impl Serialize) -> Self {
        let text = serde_json::to_vec(content).unwrap_or_default();
        let mut digits = hex::encode(Sha256::digest(text));
        digits.truncate(16);
        Self(digits)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Somebody has changed it since the client loaded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has been changed since it was loaded")]
pub struct Stale;

/// Compares the version that a client has seen, if it says so, with the one in force.
pub fn expect(seen: Option<&str>, current: &Version) -> Result<(), Stale> {
    match seen {
        Some(seen) if seen != current.as_str() => Err(Stale),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_follows_from_the_content() {
        let one = Version::of(&("a", 1));
        assert_eq!(one, Version::of(&("a", 1)));
        assert_ne!(one, Version::of(&("a", 2)));
        assert_eq!(one.as_str().len(), 16);
        assert_eq!(expect(None, &one), Ok(()));
        assert_eq!(expect(Some(one.as_str()), &one), Ok(()));
        assert_eq!(expect(Some("0123456789abcdef"), &one), Err(Stale));
    }
}
