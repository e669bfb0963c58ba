//! Argon2id in memory that is used again.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use subtle::ConstantTimeEq;
use xmas_kernel::entropy::Entropy;

/// Hashes with the default parameters: 19 MiB, two passes, one lane.
///
/// The memory of a hash is kept for the next one, so that there is as much as ran at once. Given back each time, it would
/// stay behind in one arena of the allocator after the other.
#[derive(Clone, Default)]
pub(crate) struct Argon2id {
    idle: Arc<Mutex<Vec<Memory>>>,
}

type Memory = Box<[Block]>;

/// A hash could not be made, or is not one of Argon2's.
#[derive(Debug)]
pub(crate) struct Failed;

impl Argon2id {
    const SALT_BYTES: usize = 16;

    /// A new hash, in PHC string form.
    pub(crate) fn hash(&self, password: &str, entropy: &dyn Entropy) -> Result<String, Failed> {
        let mut salt = [0; Self::SALT_BYTES];
        entropy.fill(&mut salt);
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        self.derive(&Argon2::default(), password, &salt, &mut output)?;
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::default().into()),
            params: ParamsString::try_from(&Params::DEFAULT).map_err(|_| Failed)?,
            salt: Some(Salt::new(&salt).map_err(|_| Failed)?),
            hash: Some(Output::new(&output).map_err(|_| Failed)?),
        };
        Ok(hash.to_string())
    }

    /// Whether a password fits a hash, whose parameters are its own; how long it takes does not tell how much of it fits.
    /// Nothing fits the hash of another algorithm; what is no hash at all is an error.
    pub(crate) fn fits(&self, password: &str, hash: &str) -> Result<bool, Failed> {
        let hash = PasswordHash::new(hash).map_err(|_| Failed)?;
        Ok(self.compare(password, &hash).unwrap_or(false))
    }

    fn compare(&self, password: &str, hash: &PasswordHash) -> Option<bool> {
        let (salt, expected) = (hash.salt?, hash.hash?);
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = match hash.version {
            Some(version) => Version::try_from(version).ok()?,
            None => Version::default(),
        };
        let argon2 = Argon2::new(algorithm, version, Params::try_from(hash).ok()?);
        let mut output = vec![0; expected.len()];
        self.derive(&argon2, password, &salt, &mut output).ok()?;
        Some(output.ct_eq(expected.as_bytes()).into())
    }

    fn derive(
        &self,
        argon2: &Argon2<'_>,
        password: &str,
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), Failed> {
        let mut memory = self.memory(argon2.params().block_count());
        let derived =
            argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut memory);
        if memory.len() == Params::DEFAULT.block_count() {
            self.idle().push(memory);
        }
        derived.map_err(|_| Failed)
    }

    /// As many blocks, or more.
    fn memory(&self, blocks: usize) -> Memory {
        let usual = Params::DEFAULT.block_count();
        if blocks > usual {
            return vec![Block::default(); blocks].into();
        }
        let idle = self.idle().pop();
        idle.unwrap_or_else(|| vec![Block::default(); usual].into())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Memory>> {
        // Nothing that could panic is done under the lock.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher, PasswordVerifier};
    use xmas_kernel::entropy::OsEntropy;

    use super::*;

    #[test]
    fn whoever_hashes_otherwise_agrees() {
        let own = Argon2id::default();
        let hash = own.hash("password", &OsEntropy).unwrap();
        let parsed = PasswordHash::new(&hash).unwrap();
        let argon2 = Argon2::default();
        assert!(argon2.verify_password(b"password", &parsed).is_ok());
        assert!(argon2.verify_password(b"Password", &parsed).is_err());
        for (memory, passes, lanes) in [(19_456, 2, 1), (32, 1, 2), (30_000, 1, 1)] {
            let params = Params::new(memory, passes, lanes, Some(24)).unwrap();
            let theirs = Argon2::from(params).hash_password_with_salt(b"password", b"a fine salt");
            let theirs = theirs.unwrap().to_string();
            // What was in the memory before makes no difference.
            for _ in 0..2 {
                assert!(own.fits("password", &theirs).unwrap(), "{theirs}");
                assert!(!own.fits("passwore", &theirs).unwrap(), "{theirs}");
            }
        }
    }

    #[test]
    fn memory_is_used_again_and_no_more_is_kept_than_was_used_at_once() {
        let argon2 = Argon2id::default();
        let hash = argon2.hash("password", &OsEntropy).unwrap();
        let place = argon2.idle()[0].as_ptr();
        for _ in 0..3 {
            assert!(argon2.fits("password", &hash).unwrap());
            argon2.hash("password", &OsEntropy).unwrap();
        }
        // More than usual is not kept.
        let params = Params::new(30_000, 1, 1, None).unwrap();
        let large = Argon2::from(params).hash_password_with_salt(b"password", b"a fine salt");
        assert!(
            argon2
                .fits("password", &large.unwrap().to_string())
                .unwrap()
        );
        assert_eq!(argon2.idle().len(), 1);
        assert_eq!(argon2.idle()[0].as_ptr(), place);
    }

    #[test]
    fn what_is_no_hash_of_argon2_fits_nothing() {
        let argon2 = Argon2id::default();
        for broken in ["", "!", "argon2id"] {
            assert!(argon2.fits("password", broken).is_err(), "{broken}");
        }
        for other in ["$argon2id$v=19$m=19456,t=2,p=1", "$scrypt$n=1$YWJjZGVmZ2g"] {
            assert!(!argon2.fits("password", other).unwrap(), "{other}");
        }
    }
}
