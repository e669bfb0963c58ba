//! Where a request comes from.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::{HttpRequest, web::Data};
use ipnet::IpNet;

use crate::settings::HttpSettings;

/// Whom limits count as one client: the last address in `X-Forwarded-For` that is not a trusted proxy, if a
/// trusted proxy sent it, else the peer. Of IPv6 it is the /64 network, since whoever has one address of it
/// has them all; an IPv4 address is the same in its IPv6 form (`::ffff:192.0.2.1`).
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let settings = request.app_data::<Data<HttpSettings>>()?;
    let trusted = |address: IpAddr| is_in(&settings.trusted_proxies, address);
    let peer = request.peer_addr()?.ip().to_canonical();
    if !trusted(peer) {
        return Some(network_of(peer));
    }
    let forwarded = request.headers().get_all("x-forwarded-for");
    let mut hops: Vec<&str> = forwarded
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    // Each proxy appends whom it heard from; what stands before an untrusted hop is hearsay.
    let mut client = peer;
    while let Some(hop) = hops.pop().and_then(address_of) {
        client = hop;
        if !trusted(hop) {
            break;
        }
    }
    Some(network_of(client))
}

/// An address as proxies write it: some add the port, and brackets.
fn address_of(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().map(|socket| socket.ip());
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = hop.parse().or_else(|_| with_port()).ok();
    address
        .or_else(bracketed)
        .map(|address: IpAddr| address.to_canonical())
}

/// Whether an address is in any of these networks.
pub(crate) fn is_in(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// What counts as one client: an IPv4 address, or a network of IPv6.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            const NETWORK: u128 = !(u64::MAX as u128);
            Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let settings = HttpSettings {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/16".parse().unwrap()],
            player_writes: None,
            player_reads: None,
        };
        let mut request = TestRequest::default()
            .peer_addr(SocketAddr::new(peer.parse().unwrap(), 4711))
            .app_data(Data::new(settings));
        for value in forwarded {
            request = request.append_header(("x-forwarded-for", *value));
        }
        let address = client_address(&request.to_http_request());
        address.unwrap().to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(address("203.0.113.1", &["198.51.100.1"]), "203.0.113.1");
        assert_eq!(address("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            address("::ffff:10.0.0.1", &["198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(address("fd00::7", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_a_client_claims_before_the_proxy_s_word_does_not_count() {
        for forwarded in [
            &["1.1.1.1, 198.51.100.1"][..],
            &["1.1.1.1", "198.51.100.1, 10.0.0.2"],
            &["1.1.1.1, 198.51.100.1:50001, [fd00::7]:443"],
        ] {
            assert_eq!(address("10.0.0.1", forwarded), "198.51.100.1");
        }
        assert_eq!(address("10.0.0.1", &["198.51.100.1, nonsense"]), "10.0.0.1");
    }

    #[test]
    fn one_network_of_ipv6_is_one_client_and_so_is_one_address_of_ipv4() {
        let first = address("2001:db8:1:2::1", &[]);
        assert_eq!(first, address("2001:db8:1:2:ffff::9", &[]));
        assert_ne!(first, address("2001:db8:1:3::1", &[]));
        assert_eq!(first, address("10.0.0.1", &["[2001:db8:1:2:aaaa::]"]));
        assert_eq!(address("::ffff:192.0.2.1", &[]), address("192.0.2.1", &[]));
        assert_ne!(address("192.0.2.1", &[]), address("192.0.2.2", &[]));
    }

    proptest! {
        /// Whatever stands before the word of the trusted proxy, which stands last, changes nothing.
        #[test]
        fn what_a_client_writes_never_counts_before_its_own_address(
            claimed in prop::collection::vec("[ -~]{0,30}", 0..4),
            client in any::<std::net::Ipv4Addr>(),
        ) {
            prop_assume!(client.octets()[0] != 10);
            let own = client.to_string();
            let claimed = claimed.iter().map(String::as_str);
            let forwarded: Vec<&str> = claimed.chain([own.as_str()]).collect();
            prop_assert_eq!(address("10.0.0.1", &forwarded), own.clone());
            prop_assert_eq!(address(&own, &forwarded), own);
        }

        #[test]
        fn a_hop_is_an_address_or_nothing(hop in prop_oneof![any::<String>(), "[\\[\\]0-9a-f:.]{0,24}"], address in any::<IpAddr>(), port in any::<u16>()) {
            if let Some(read) = address_of(&hop) {
                prop_assert_eq!(address_of(&read.to_string()), Some(read));
            }
            let written = SocketAddr::new(address, port).to_string();
            prop_assert_eq!(address_of(&written), Some(address.to_canonical()));
        }
    }
}
