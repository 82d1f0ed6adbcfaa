//! Links: what passes leads nowhere inside, also for a reader that parses it otherwise.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use galley_fetch::address::{HostRule, Policy, check_link, is_public};
use galley_fuzz::{parts, text_of};
use libfuzzer_sys::fuzz_target;
use url::{Host, Url};

/// RFC 6890 and friends, by octets and by what the standard library knows.
fn is_inside_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64)
        || (a == 198 && b & 0xfe == 18)
        || (a == 192 && b == 0 && c == 0)
}

/// Every place of an IPv6 address where a translator or tunnel may take an IPv4 address from.
fn is_inside_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || ip.is_unique_local()
        || ip.is_unicast_link_local()
        || s[0] & 0xffc0 == 0xfec0
        || (s[0] == 0x2001 && s[1] == 0xdb8)
        || ip.to_ipv4().is_some_and(is_inside_v4)
        || (s[0] == 0x64 && s[1] == 0xff9b && is_inside_v4(v4(s[6], s[7])))
        || (s[0] == 0x2002 && is_inside_v4(v4(s[1], s[2])))
        || (s[0] == 0x2001 && s[1] == 0)
}

fn is_inside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_inside_v4(ip),
        IpAddr::V6(ip) => is_inside_v6(ip),
    }
}

/// `inet_aton` of the C library: one to four numbers, each decimal, octal or hexadecimal, the last one filling the rest.
fn aton(host: &str) -> Option<Ipv4Addr> {
    let number = |text: &str| {
        let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(hex) => (hex, 16),
            None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
            None => (text, 10),
        };
        u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))
    };
    let numbers: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = numbers.split_last()?;
    if first.len() > 3 || first.iter().any(|n| *n > 255) || *last >= 1 << (32 - 8 * first.len()) {
        return None;
    }
    let high = first.iter().zip([24, 16, 8]).map(|(n, shift)| n << shift).sum::<u64>();
    u32::try_from(high | last).ok().map(Ipv4Addr::from)
}

fn check_passed(url: &Url) {
    assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    let text = url.host_str().expect("a host");
    match url.host().expect("a host") {
        Host::Ipv4(ip) => assert!(!is_inside(ip.into()), "{url}"),
        Host::Ipv6(ip) => assert!(!is_inside(ip.into()), "{url}"),
        Host::Domain(name) => {
            let bare = name.trim_end_matches('.');
            assert!(bare.parse::<IpAddr>().is_err() && aton(bare).is_none(), "{name} is read as an address elsewhere");
            assert!(bare.contains('.') && bare != "localhost" && !bare.ends_with(".localhost"), "{url}");
            assert!(name.is_ascii() && !name.contains(['/', '@', ':', '\\', '#', '?', '%']), "{name}");
        }
    }
    // The client sends by this other parser; it must see the same host, port and path.
    if let Ok(uri) = url.as_str().split('#').next().unwrap_or_default().parse::<http::Uri>() {
        assert_eq!(uri.host(), Some(text), "two parsers, two hosts: {url}");
        assert_eq!(uri.port_u16(), url.port(), "{url}");
    }
    assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(url), "it reads differently the second time");
}

fuzz_target!(|data: &[u8]| {
    let [link, target, rule] = parts::<3>(data).map(text_of);
    let policy = Policy::default();
    if let Ok(url) = check_link(link, &policy) {
        check_passed(&url);
        // A redirect of that page.
        if let Ok(next) = url.join(target)
            && let Ok(next) = check_link(next.as_str(), &policy)
        {
            check_passed(&next);
        }
    }
    for host in [link, target] {
        if let Some(ip) = host.parse::<IpAddr>().ok().or_else(|| aton(host).map(IpAddr::V4)) {
            assert!(!(is_public(ip) && is_inside(ip)), "{ip} is taken for public");
            let shown = match ip {
                IpAddr::V4(ip) => format!("http://{ip}/"),
                IpAddr::V6(ip) => format!("http://[{ip}]/"),
            };
            assert_eq!(check_link(&shown, &policy).is_ok(), is_public(ip), "{ip}");
        }
    }
    if let Ok(rule) = rule.parse::<HostRule>() {
        let again = rule.to_string().parse::<HostRule>().expect("a rule reads back");
        assert_eq!(again, rule);
    }
});
