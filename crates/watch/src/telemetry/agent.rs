//! How telemetry is sent: by threads that may wait, and never by the runtime that answers requests.

use std::time::Duration;

use ureq::Agent;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// A client whose answers are what the receiver says, whatever it is.
pub(super) fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0);
    config.build().new_agent()
}
