//! How often passwords may be tried.

use std::net::IpAddr;

use xmas_cache::{Throttle, Throttled};
use xmas_kernel::UserId;

/// Counts attempts by account and by address.
pub struct LoginThrottle {
    /// Attempts at one account from one address.
    pub by_account: Throttle,
    /// Attempts at one account from all addresses together. It is much higher, since whoever reaches it locks
    /// the account's owner out as well.
    pub by_account_from_anywhere: Throttle,
    /// Attempts from one address at any account.
    pub by_address: Throttle,
}

impl LoginThrottle {
    pub(crate) async fn admit_login(
        &self,
        external_id: &str,
        address: Option<IpAddr>,
    ) -> Result<(), Throttled> {
        let address = place(address);
        self.by_address.admit(&address).await?;
        self.by_account
            .admit(&format!("{address}|{external_id}"))
            .await?;
        self.by_account_from_anywhere.admit(external_id).await
    }

    pub(crate) async fn admit_refresh(&self, address: Option<IpAddr>) -> Result<(), Throttled> {
        self.by_address.admit(&place(address)).await
    }

    /// Whoever holds a stolen token must not find the password out with it.
    pub(crate) async fn admit_password(&self, user_id: UserId) -> Result<(), Throttled> {
        self.by_account.admit(&format!("password|{user_id}")).await
    }
}

/// What is counted by. Requests without a known address share one place.
fn place(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
}
