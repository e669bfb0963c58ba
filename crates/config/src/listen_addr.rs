use std::{
    fmt,
    net::{SocketAddr, ToSocketAddrs},
    str::FromStr,
};

use xmas_texts::{Text, quoted, setting};

/// Where to listen: an address or a name, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddr(String);

impl ListenAddr {
    /// The address itself. Of those that a name has the first one counts, IPv4 before IPv6.
    ///
    /// # Errors
    /// Nobody knows the name.
    pub fn resolve(&self) -> Result<SocketAddr, Text> {
        let unknown = |cause: String| setting::unknown_host(quoted(&self.0), cause);
        let found = self.0.to_socket_addrs();
        let found: Vec<SocketAddr> = found.map_err(|error| unknown(error.to_string()))?.collect();
        let first = found.iter().find(|found| found.is_ipv4());
        let first = first.or(found.first()).copied();
        first.ok_or_else(|| unknown("no address".to_owned()))
    }
}

impl FromStr for ListenAddr {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Text> {
        let (host, port) = text.rsplit_once(':').unwrap_or_default();
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_name = !host.is_empty() && host.chars().all(is_of_name);
        let is_address = text.parse::<SocketAddr>().is_ok();
        if is_address || is_name && port.parse::<u16>().is_ok() {
            return Ok(Self(text.to_owned()));
        }
        Err(setting::address(quoted(text)))
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_stand_for_an_address() {
        let address = |text: &str| text.parse::<ListenAddr>().and_then(|it| it.resolve());
        let local = address("localhost:8000").unwrap();
        assert!(local.ip().is_loopback() && local.port() == 8000);
        assert_eq!(address("[::1]:1").unwrap().to_string(), "[::1]:1");
        for bad in [
            "",
            "8000",
            "localhost",
            "localhost:",
            "localhost:99999",
            ":8000",
            "a b:1",
        ] {
            let refused = bad.parse::<ListenAddr>().unwrap_err();
            assert_eq!(refused.key(), "setting.address", "{bad}");
        }
        // Names are looked for when somebody is to listen, and not by whoever reads the settings.
        assert!("nowhere.invalid:1".parse::<ListenAddr>().is_ok());
    }
}
