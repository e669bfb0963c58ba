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

    /// As what a client has seen who has just looked.
    pub fn seen(self) -> Seen {
        Seen::one(self.0)
    }
}

/// Somebody has changed it since the client loaded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has been changed since it was loaded")]
pub struct Stale;

/// The versions that a client has seen and would build upon, any one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen(Vec<String>);

impl Seen {
    /// The one version that a client has loaded.
    pub fn one(version: String) -> Self {
        Self(vec![version])
    }

    pub fn any_of(versions: Vec<String>) -> Self {
        Self(versions)
    }

    /// Whether one of them can be a version of anything.
    pub fn is_of_anything(&self) -> bool {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let mut versions = self.0.iter();
        versions.any(|version| version.len() == 16 && version.bytes().all(is_digit))
    }
}

/// Compares what a client has seen, if it says so, with the version in force.
pub fn expect(seen: Option<&Seen>, current: &Version) -> Result<(), Stale> {
    match seen {
        Some(Seen(versions)) if !versions.iter().any(|seen| seen == current.as_str()) => Err(Stale),
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
        let (known, other) = (one.as_str().to_owned(), "0123456789abcdef".to_owned());
        assert_eq!(expect(Some(&Seen::one(known.clone())), &one), Ok(()));
        assert_eq!(expect(Some(&Seen::one(other.clone())), &one), Err(Stale));
        assert_eq!(
            expect(Some(&Seen::any_of(vec![other, known])), &one),
            Ok(())
        );
        assert_eq!(expect(Some(&Seen::any_of(Vec::new())), &one), Err(Stale));
        assert!(one.seen().is_of_anything());
        for none in [
            "",
            "0123456789ABCDEF",
            "0123456789abcde",
            "0123456789abcdefg",
        ] {
            assert!(!Seen::one(none.to_owned()).is_of_anything(), "{none}");
        }
    }
}
