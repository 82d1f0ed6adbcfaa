//! What the operator allows beyond the public internet.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::is_public;

/// The name of the setting that holds the rules, as messages say it.
pub const ALLOW_SETTING: &str = "fetch.allow";

/// One entry of the operator's allow-list, written as text:
/// - `host`: this host name or address, on every port;
/// - `host:port`: on this port only (`[::1]:8080` for IPv6);
/// - `10.0.0.0/8`: every name or address that leads into this network, on ports that are open to everyone.
///
/// A host rule speaks of the host as it stands in the link: the operator trusts the name, so whatever address it has
/// may be connected to. A name is matched whole; `example.com` does not cover `www.example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostRule {
    Host { host: Host, port: Option<u16> },
    Network(IpNet),
}

/// A rule that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{rule}` in `{ALLOW_SETTING}` is not a rule ({why}); write `host`, `host:port` or a network such as `10.0.0.0/8`"
)]
pub struct RuleError {
    rule: String,
    why: &'static str,
}

impl FromStr for HostRule {
    type Err = RuleError;

    fn from_str(rule: &str) -> Result<Self, RuleError> {
        let fail = |why| RuleError { rule: rule.chars().take(100).collect(), why };
        let text = rule.trim();
        if text.contains("://") {
            return Err(fail("it is a link, not a host"));
        }
        if text.contains('/') {
            let net: IpNet = text.parse().map_err(|_| fail("the network cannot be read"))?;
            return Ok(Self::Network(net.trunc()));
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::Host { host: host_of(ip), port: None });
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => {
                let port = port.parse().ok().filter(|&p| p > 0).ok_or_else(|| fail("the port is not 1 to 65535"))?;
                (name, Some(port))
            }
            _ => (text, None),
        };
        let host = Host::parse(name.trim_end_matches('.')).map_err(|_| fail("the host cannot be read"))?;
        // Dots of other scripts become plain ones: what they leave behind would not read back as the same host.
        if let Host::Domain(name) = &host
            && name.split('.').any(str::is_empty)
        {
            return Err(fail("a part of the name between two dots is empty"));
        }
        Ok(Self::Host { host, port })
    }
}

fn host_of(ip: IpAddr) -> Host {
    match ip {
        IpAddr::V4(ip) => Host::Ipv4(ip),
        IpAddr::V6(ip) => Host::Ipv6(ip),
    }
}

impl TryFrom<String> for HostRule {
    type Error = RuleError;

    fn try_from(rule: String) -> Result<Self, RuleError> {
        rule.parse()
    }
}

impl From<HostRule> for String {
    fn from(rule: HostRule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host, port: None } => write!(f, "{host}"),
            Self::Host { host, port: Some(port) } => write!(f, "{host}:{port}"),
            Self::Network(net) => write!(f, "{net}"),
        }
    }
}

/// Where Galley may read: the public internet, and what the operator names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub allow: Vec<HostRule>,
}

impl Policy {
    pub fn new(allow: Vec<HostRule>) -> Self {
        Self { allow }
    }

    /// Does a rule name this host and port? Then neither port nor address are asked about.
    pub fn names(&self, host: &Host<&str>, port: u16) -> bool {
        self.allow.iter().any(|rule| match rule {
            HostRule::Host { host: named, port: on } => same_host(named, host) && on.is_none_or(|p| p == port),
            HostRule::Network(_) => false,
        })
    }

    /// Does a rule name the host of this URL itself? Then whatever address it has may be connected to.
    pub fn names_host_of(&self, url: &Url) -> bool {
        url.host().zip(url.port_or_known_default()).is_some_and(|(host, port)| self.names(&host, port))
    }

    /// May this address be connected to for a host that no rule names?
    pub fn admits(&self, ip: IpAddr) -> bool {
        let plain = ip.to_canonical();
        is_public(ip) || self.allow.iter().any(|rule| matches!(rule, HostRule::Network(net) if net.contains(&plain)))
    }
}

fn same_host(named: &Host, asked: &Host<&str>) -> bool {
    match (named, asked) {
        (Host::Domain(a), Host::Domain(b)) => a.as_str() == b.trim_end_matches('.'),
        (Host::Ipv4(a), Host::Ipv4(b)) => a == b,
        (Host::Ipv6(a), Host::Ipv6(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> HostRule {
        text.parse().unwrap()
    }

    #[test]
    fn rules_are_read_and_written_back() {
        for (text, back) in [
            ("intranet", "intranet"),
            ("Wiki.Example.COM.", "wiki.example.com"),
            ("wiki.example.com:8080", "wiki.example.com:8080"),
            ("127.0.0.1:8170", "127.0.0.1:8170"),
            ("::1", "[::1]"),
            ("[::1]:80", "[::1]:80"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("fd00::/8", "fd00::/8"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(rule(text).to_string(), back, "{text}");
            assert_eq!(rule(back), rule(text), "{text}");
        }
    }

    #[test]
    fn unreadable_rules_say_why() {
        for (text, why) in [
            ("http://wiki", "it is a link"),
            ("10.0.0.0/40", "network cannot be read"),
            ("wiki:0", "port is not"),
            ("wiki:99999", "port is not"),
            ("wiki:", "port is not"),
            ("", "host cannot be read"),
            ("a b", "host cannot be read"),
            ("wiki..example", "between two dots is empty"),
            ("10.010.．", "between two dots is empty"),
        ] {
            let message = text.parse::<HostRule>().unwrap_err().to_string();
            assert!(message.contains(why) && message.contains(ALLOW_SETTING), "{text}: {message}");
        }
    }

    #[test]
    fn rules_travel_as_text() {
        let rules: Vec<HostRule> = serde_json::from_str(r#"["wiki:8080", "10.0.0.0/8"]"#).unwrap();
        assert_eq!(serde_json::to_string(&rules).unwrap(), r#"["wiki:8080","10.0.0.0/8"]"#);
        assert!(serde_json::from_str::<Vec<HostRule>>(r#"["wiki:x"]"#).is_err());
    }

    #[test]
    fn a_host_rule_covers_that_host_and_port_only() {
        let policy = Policy::new(vec![rule("wiki.example:8080"), rule("files.example"), rule("127.0.0.1:80")]);
        let names = |host: &str, port| policy.names(&Host::Domain(host), port);
        assert!(names("wiki.example", 8080) && names("wiki.example.", 8080));
        assert!(!names("wiki.example", 80) && !names("www.wiki.example", 8080));
        assert!(names("files.example", 1) && names("files.example", 65535));
        assert!(policy.names(&Host::Ipv4([127, 0, 0, 1].into()), 80));
        assert!(!policy.admits([127, 0, 0, 1].into()), "a host rule says nothing about names that lead there");
    }

    #[test]
    fn a_network_rule_covers_addresses_in_every_form() {
        let policy = Policy::new(vec![rule("10.0.0.0/8"), rule("fd00::/8")]);
        for ip in ["10.9.9.9", "::ffff:10.9.9.9", "fd00::1", "8.8.8.8"] {
            assert!(policy.admits(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["192.168.0.1", "127.0.0.1", "fc00::1", "::ffff:192.168.0.1"] {
            assert!(!policy.admits(ip.parse().unwrap()), "{ip}");
        }
    }
}
