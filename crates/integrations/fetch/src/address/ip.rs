//! Which IP addresses are on the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 3], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(head[0], head[1], head[2], 0, 0, 0, 0, 0), prefix)
}

/// IPv4 blocks that are not, or not reliably, a host on the internet.
/// Source: IANA IPv4 Special-Purpose Address Registry, and cloud metadata services.
const CLOSED_V4: [Ipv4Net; 18] = [
    v4(0, 0, 0, 0, 8),          // "this network"
    v4(10, 0, 0, 0, 8),         // private
    v4(100, 64, 0, 0, 10),      // carrier-grade NAT
    v4(127, 0, 0, 0, 8),        // loopback
    v4(168, 63, 129, 16, 32),   // Azure's host service, which answers on a public-looking address
    v4(169, 254, 0, 0, 16),     // link-local, metadata services
    v4(172, 16, 0, 0, 12),      // private
    v4(192, 0, 0, 0, 24),       // IETF protocol assignments
    v4(192, 0, 2, 0, 24),       // documentation
    v4(192, 88, 99, 0, 24),     // 6to4 relays, retired
    v4(192, 168, 0, 0, 16),     // private
    v4(198, 18, 0, 0, 15),      // benchmarking
    v4(198, 51, 100, 0, 24),    // documentation
    v4(203, 0, 113, 0, 24),     // documentation
    v4(224, 0, 0, 0, 4),        // multicast
    v4(233, 252, 0, 0, 24),     // documentation (multicast)
    v4(240, 0, 0, 0, 4),        // reserved
    v4(255, 255, 255, 255, 32), // broadcast
];

/// The block that IANA hands out as global unicast; everything outside is closed but for NAT64.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// Blocks inside [`GLOBAL_V6`] that are closed all the same.
/// Source: IANA IPv6 Special-Purpose Address Registry.
const CLOSED_V6: [Ipv6Net; 3] = [
    v6([0x2001, 0, 0], 23),     // protocol assignments: Teredo, benchmarking, ORCHID, drone ids
    v6([0x2001, 0xdb8, 0], 32), // documentation
    v6([0x3fff, 0, 0], 20),     // documentation
];

/// 6to4: the IPv4 address stands in bits 16 to 48.
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0], 16);

/// NAT64's well-known prefix: the IPv4 address is the last 32 bits.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

/// Is this address a host on the public internet?
///
/// False for loopback, private, link-local, shared, documentation, benchmarking, multicast, broadcast, reserved and
/// unspecified addresses, for metadata services, and for IPv6 forms that carry such an IPv4 address. Retired forms
/// (IPv4-compatible, Teredo, site-local) are closed whatever they carry.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    !CLOSED_V4.iter().any(|net| net.contains(&ip))
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(inner) = ip.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let s = ip.segments();
    if NAT64.contains(&ip) {
        return is_public_v4(ipv4_of(s[6], s[7]));
    }
    if SIX_TO_FOUR.contains(&ip) {
        return is_public_v4(ipv4_of(s[1], s[2]));
    }
    // ISATAP interface ids (RFC 5214) carry an IPv4 address too.
    if matches!(s[4], 0 | 0x200) && s[5] == 0x5efe && !is_public_v4(ipv4_of(s[6], s[7])) {
        return false;
    }
    GLOBAL_V6.contains(&ip) && !CLOSED_V6.iter().any(|net| net.contains(&ip))
}

fn ipv4_of(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_addresses() {
        let table = [
            ("unspecified", "0.0.0.0"),
            ("this network", "0.1.2.3"),
            ("private 10", "10.0.0.1"),
            ("private 10 end", "10.255.255.255"),
            ("cgnat", "100.64.0.1"),
            ("cgnat end", "100.127.255.255"),
            ("alibaba metadata", "100.100.100.200"),
            ("loopback", "127.0.0.1"),
            ("loopback end", "127.255.255.255"),
            ("azure host service", "168.63.129.16"),
            ("link-local", "169.254.1.1"),
            ("metadata", "169.254.169.254"),
            ("private 172", "172.16.0.1"),
            ("private 172 end", "172.31.255.255"),
            ("protocol assignments", "192.0.0.1"),
            ("oracle metadata", "192.0.0.192"),
            ("documentation 1", "192.0.2.1"),
            ("6to4 relay", "192.88.99.1"),
            ("private 192", "192.168.0.1"),
            ("benchmarking", "198.18.0.1"),
            ("benchmarking end", "198.19.255.255"),
            ("documentation 2", "198.51.100.7"),
            ("documentation 3", "203.0.113.7"),
            ("multicast", "224.0.0.1"),
            ("multicast end", "239.255.255.255"),
            ("reserved", "240.0.0.1"),
            ("broadcast", "255.255.255.255"),
            ("unspecified v6", "::"),
            ("loopback v6", "::1"),
            ("mapped loopback", "::ffff:127.0.0.1"),
            ("mapped private", "::ffff:10.1.2.3"),
            ("mapped metadata", "::ffff:a9fe:a9fe"),
            ("compatible loopback", "::127.0.0.1"),
            ("compatible public", "::8.8.8.8"),
            ("translated", "::ffff:0:127.0.0.1"),
            ("nat64 loopback", "64:ff9b::127.0.0.1"),
            ("nat64 private", "64:ff9b::10.0.0.1"),
            ("nat64 local", "64:ff9b:1::8.8.8.8"),
            ("nat64 with middle bits", "64:ff9b::1:808:808"),
            ("discard", "100::1"),
            ("dummy prefix", "100:0:0:1::1"),
            ("teredo", "2001::1"),
            ("teredo with public", "2001:0:808:808::f7f7:f7f7"),
            ("benchmarking v6", "2001:2::1"),
            ("orchid", "2001:10::1"),
            ("orchid v2", "2001:20::1"),
            ("documentation v6", "2001:db8::1"),
            ("documentation v6 new", "3fff::1"),
            ("6to4 loopback", "2002:7f00:1::1"),
            ("6to4 private", "2002:c0a8:1::"),
            ("6to4 metadata", "2002:a9fe:a9fe::1"),
            ("isatap private", "2606:4700::5efe:10.0.0.1"),
            ("isatap private, universal bit", "2606:4700::200:5efe:10.0.0.1"),
            ("srv6", "5f00::1"),
            ("unique local", "fc00::1"),
            ("unique local d", "fd12:3456::1"),
            ("aws metadata v6", "fd00:ec2::254"),
            ("link-local v6", "fe80::1"),
            ("link-local v6 end", "febf::1"),
            ("site-local", "fec0::1"),
            ("multicast v6", "ff02::1"),
            ("unallocated", "4000::1"),
        ];
        for (what, text) in table {
            let ip: IpAddr = text.parse().unwrap();
            assert!(!is_public(ip), "{what}: {text} must be closed");
        }
    }

    #[test]
    fn public_addresses() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "2606:4700::5efe:8.8.8.8",
        ] {
            let ip: IpAddr = text.parse().unwrap();
            assert!(is_public(ip), "{text} must be public");
        }
    }
}
