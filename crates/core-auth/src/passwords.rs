use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use tokio::sync::Semaphore;
use xmas_kernel::entropy::Entropy;

/// Hashes and checks passwords with Argon2id, a bounded number at a time.
#[derive(Clone)]
pub struct Passwords {
    /// How many run at once; each takes 19 MiB and a core.
    running: Arc<Semaphore>,
    /// How many may run or wait; beyond it a request is turned away at once.
    admitted: Arc<Semaphore>,
    entropy: Arc<dyn Entropy>,
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
    const SALT_BYTES: usize = 16;

    /// `concurrency` is how many hashes run at once, at least 1.
    pub fn new(concurrency: usize, entropy: Arc<dyn Entropy>) -> Self {
        let concurrency = concurrency.max(1);
        let nobody = hash("nobody has this password", &*entropy)
            .expect("Argon2 with its default parameters hashes any password");
        Self {
            running: Arc::new(Semaphore::new(concurrency)),
            admitted: Arc::new(Semaphore::new(
                concurrency * (1 + Self::WAITING_PER_RUNNING),
            )),
            entropy,
            nobody: nobody.into(),
            checks: Arc::default(),
        }
    }

    /// A new hash, in PHC string form.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let (password, entropy) = (password.to_owned(), self.entropy.clone());
        self.run(move || hash(&password, &*entropy)).await?
    }

    /// Whether the password fits the hash. Without a hash the work is the same and the answer no.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        let is_known = hash.is_some();
        let (password, hash) = (password.to_owned(), hash.unwrap_or(&self.nobody).to_owned());
        self.checks.fetch_add(1, Ordering::Relaxed);
        let fits = self.run(move || {
            let hash = PasswordHash::new(&hash).map_err(|_| PasswordError::Failed)?;
            Ok(Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok())
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

fn hash(password: &str, entropy: &dyn Entropy) -> Result<String, PasswordError> {
    let mut salt = [0; Passwords::SALT_BYTES];
    entropy.fill(&mut salt);
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string())
        .map_err(|_| PasswordError::Failed)
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
