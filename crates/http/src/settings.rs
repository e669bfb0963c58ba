//! What extractors need to know.

use ipnet::IpNet;
use xmas_cache::Throttle;

/// What extractors need to know; registered once for all of them.
#[derive(Clone)]
pub struct HttpSettings {
    /// Networks whose word about a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How often a player may change something; as often as they like without it.
    pub player_writes: Option<Throttle>,
    /// How often a player may read something.
    pub player_reads: Option<Throttle>,
}
