use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use xmas_kernel::{entropy::Entropy, text};
use xmas_players::{HashError, NO_PASSWORD, OLD_HASH_PREFIX, PasswordMaker};

use crate::argon2id::{self, Argon2id};

/// Hashes and checks passwords with Argon2id, a bounded number at a time.
#[derive(Clone)]
pub struct Passwords {
    /// How many run at once; each takes 19 MiB and a core.
    running: Arc<Semaphore>,
    /// How many may run or wait; beyond it a request is turned away at once.
    admitted: Arc<Semaphore>,
    /// How many of one import run at once: half of all, so that people can log in meanwhile.
    of_one_import: usize,
    entropy: Arc<dyn Entropy>,
    argon2: Argon2id,
    /// What an unknown player's password is checked against, so that the work is the same.
    nobody: Arc<str>,
    checks: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// As many passwords as may wait are waiting.
    #[error("too many passwords are being checked")]
    Overloaded,
    /// The hasher failed, or its thread did.
    #[error("a password could not be hashed")]
    Failed,
}

impl Passwords {
    /// How many may wait for each one that runs: about a second's worth of waiting.
    const WAITING_PER_RUNNING: usize = 32;

    /// `concurrency` is how many hashes run at once, at least 1.
    pub fn new(concurrency: usize, entropy: Arc<dyn Entropy>) -> Self {
        let concurrency = concurrency.max(1);
        let argon2 = Argon2id::default();
        let nobody = argon2
            .hash("nobody has this password", &*entropy)
            .expect("Argon2 with its default parameters hashes any password");
        Self {
            running: Arc::new(Semaphore::new(concurrency)),
            of_one_import: (concurrency / 2).max(1),
            admitted: Arc::new(Semaphore::new(
                concurrency * (1 + Self::WAITING_PER_RUNNING),
            )),
            entropy,
            argon2,
            nobody: nobody.into(),
            checks: Arc::default(),
        }
    }

    /// A new hash, in PHC string form.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        self.run(self.hashing(password.to_owned())).await?
    }

    fn hashing(
        &self,
        password: String,
    ) -> impl FnOnce() -> Result<String, PasswordError> + Send + 'static {
        let (argon2, entropy) = (self.argon2.clone(), self.entropy.clone());
        move || Ok(argon2.hash(&password, &*entropy)?)
    }

    /// A new password: 24 letters and digits that are not mistaken for each other, 138 bits.
    pub fn generate(&self) -> String {
        const LETTERS: &[u8; 54] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz234567";
        // The largest multiple of 54 in a byte: a remainder of more would favour the first letters.
        const FAIR: u8 = 216;
        let mut password = String::with_capacity(24);
        while password.len() < 24 {
            let mut byte = [0];
            self.entropy.fill(&mut byte);
            if byte[0] < FAIR {
                password.push(char::from(LETTERS[usize::from(byte[0]) % LETTERS.len()]));
            }
        }
        password
    }

    /// Whether a password fits the hash as it was sent, or else in NFC: one that was set before passwords
    /// were composed fits as it was then. How often it is checked follows from the password alone, unless
    /// it fits.
    pub async fn verify_sent(
        &self,
        password: &str,
        hash: Option<&str>,
    ) -> Result<bool, PasswordError> {
        if self.verify(password, hash).await? {
            return Ok(true);
        }
        let composed = text::nfc(password);
        if composed == password {
            return Ok(false);
        }
        self.verify(&composed, hash).await
    }

    /// Whether the password fits the hash. Without a hash the work is the same and the answer no, and
    /// the same goes for [`NO_PASSWORD`]. An old hash costs the same work too, so that nobody can tell
    /// whose password was imported.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        let hash = hash.filter(|hash| *hash != NO_PASSWORD);
        let old = hash.and_then(|hash| hash.strip_prefix(OLD_HASH_PREFIX));
        let old = old.map(str::to_owned);
        let is_known = hash.is_some();
        let hash = hash.filter(|_| old.is_none()).unwrap_or(&self.nobody);
        let (password, hash) = (password.to_owned(), hash.to_owned());
        self.checks.fetch_add(1, Ordering::Relaxed);
        let argon2 = self.argon2.clone();
        let fits = self.run(move || {
            let fits = argon2.fits(&password, &hash);
            match old {
                Some(digits) => Ok(is_digest(&digits, &password)),
                None => fits,
            }
        });
        Ok(fits.await?? && is_known)
    }

    /// How many passwords have been checked since the start.
    pub fn checks(&self) -> u64 {
        self.checks.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let admitted = self.admitted.clone().try_acquire_owned();
        let admitted = admitted.map_err(|_| PasswordError::Overloaded)?;
        self.run_in_turn(Some(admitted), work).await
    }

    async fn run_in_turn<T: Send + 'static>(
        &self,
        admitted: Option<OwnedSemaphorePermit>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let running = self.running.clone().acquire_owned().await;
        let running = running.map_err(|_| PasswordError::Failed)?;
        let work = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a request that goes away does not free its place early.
            let _places = (admitted, running);
            work()
        });
        work.await.map_err(|_| PasswordError::Failed)
    }
}

impl From<argon2id::Failed> for PasswordError {
    fn from(_: argon2id::Failed) -> Self {
        Self::Failed
    }
}

impl From<PasswordError> for HashError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Overloaded => Self::Overloaded,
            PasswordError::Failed => Self::Failed,
        }
    }
}

#[async_trait]
impl PasswordMaker for Passwords {
    fn generate(&self) -> String {
        Passwords::generate(self)
    }

    async fn hash(&self, password: &str) -> Result<String, HashError> {
        Ok(Passwords::hash(self, password).await?)
    }

    async fn hash_many(&self, passwords: Vec<String>) -> Result<Vec<String>, HashError> {
        let hash_one =
            async |password: String| self.run_in_turn(None, self.hashing(password)).await?;
        let hashes = stream::iter(passwords).map(hash_one);
        let hashes = hashes.buffered(self.of_one_import).try_collect().await;
        Ok(hashes?)
    }
}

/// Whether a hash comes from the old system.
pub(crate) fn is_old(hash: &str) -> bool {
    hash.starts_with(OLD_HASH_PREFIX)
}

/// Whether these digits are the password's SHA-256; how long it takes does not tell how many fit.
fn is_digest(digits: &str, password: &str) -> bool {
    let own = hex::encode(Sha256::digest(password));
    own.as_bytes().ct_eq(digits.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use xmas_kernel::entropy::OsEntropy;

    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new(2, Arc::new(OsEntropy));
        let hash = passwords.hash("비밀번호 🎄").await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(passwords.verify("비밀번호 🎄", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("비밀번호", Some(&hash)).await.unwrap());
        assert_ne!(
            passwords.hash("비밀번호 🎄").await.unwrap(),
            hash,
            "the salt differs"
        );
    }

    #[tokio::test]
    async fn a_password_fits_as_it_was_sent_or_else_composed() {
        let passwords = Passwords::new(1, Arc::new(OsEntropy));
        let (composed, decomposed) = ("café creme", "cafe\u{301} creme");
        let hashes = [composed, decomposed].map(str::to_owned).to_vec();
        let hashes = passwords.hash_many(hashes).await.unwrap();
        let old = format!("sha256${}", hex::encode(Sha256::digest(composed)));
        let fits = async |password, hash: Option<&str>| {
            let before = passwords.checks();
            let fits = passwords.verify_sent(password, hash).await.unwrap();
            (fits, passwords.checks() - before)
        };
        for (password, hash, expected) in [
            (composed, Some(hashes[0].as_str()), (true, 1)),
            (decomposed, Some(hashes[0].as_str()), (true, 2)),
            (decomposed, Some(old.as_str()), (true, 2)),
            // Set before, by somebody whose keyboard decomposes.
            (decomposed, Some(hashes[1].as_str()), (true, 1)),
            (composed, Some(hashes[1].as_str()), (false, 1)),
            // An unknown player costs what a wrong password costs.
            (composed, None, (false, 1)),
            (decomposed, None, (false, 2)),
            ("noe\u{301}l", Some(hashes[0].as_str()), (false, 2)),
        ] {
            assert_eq!(
                fits(password, hash).await,
                expected,
                "{password:?} {hash:?}"
            );
        }
    }

    #[tokio::test]
    async fn nobody_s_password_never_fits() {
        let passwords = Passwords::new(1, Arc::new(OsEntropy));
        assert!(
            !passwords
                .verify("nobody has this password", None)
                .await
                .unwrap()
        );
        assert_eq!(passwords.checks(), 1);
    }

    #[tokio::test]
    async fn an_old_hash_is_checked_with_the_work_of_a_new_one() {
        let passwords = Passwords::new(1, Arc::new(OsEntropy));
        let digits = hex::encode(Sha256::digest("비밀번호"));
        let real = format!("sha256${digits}");
        assert_eq!(passwords.verify("비밀번호", Some(&real)).await, Ok(true));
        assert_eq!(passwords.verify("비밀번", Some(&real)).await, Ok(false));
        assert_eq!(passwords.verify(&real[7..], Some(&real)).await, Ok(false));
        for broken in [&real[..70], "sha256$"] {
            let fits = passwords.verify("비밀번호", Some(broken)).await;
            assert_eq!(fits, Ok(false), "{broken}");
        }
        assert_eq!(passwords.checks(), 5);
    }

    #[tokio::test]
    async fn where_there_is_no_password_none_fits() {
        let passwords = Passwords::new(1, Arc::new(OsEntropy));
        for password in ["!", "", "nobody has this password"] {
            assert_eq!(passwords.verify(password, Some("!")).await, Ok(false));
        }
    }

    #[tokio::test]
    async fn many_are_hashed_in_order_and_wait_their_turn() {
        let passwords = Passwords::new(1, Arc::new(OsEntropy));
        let all = (0..40).map(|number| format!("password-{number}"));
        let hashes = passwords.hash_many(all.collect()).await.unwrap();
        assert_eq!(hashes.len(), 40);
        assert_eq!(
            passwords.verify("password-39", Some(&hashes[39])).await,
            Ok(true)
        );
        assert_eq!(
            passwords.verify("password-39", Some(&hashes[38])).await,
            Ok(false)
        );
    }

    #[test]
    fn generated_passwords_are_long_and_plain() {
        let passwords = Passwords::new(1, Arc::new(OsEntropy));
        let one = passwords.generate();
        assert_eq!(one.len(), 24);
        assert!(one.bytes().all(|letter| letter.is_ascii_alphanumeric()));
        assert_ne!(one, passwords.generate());
    }

    #[tokio::test]
    async fn beyond_the_bound_a_check_is_turned_away_at_once() {
        let passwords = Passwords::new(1, Arc::new(OsEntropy));
        let places = u32::try_from(1 + Passwords::WAITING_PER_RUNNING).unwrap();
        let all = passwords
            .admitted
            .clone()
            .acquire_many_owned(places)
            .await
            .unwrap();
        assert_eq!(
            passwords.verify("x", None).await,
            Err(PasswordError::Overloaded)
        );
        drop(all);
        assert_eq!(passwords.verify("x", None).await, Ok(false));
    }
}
