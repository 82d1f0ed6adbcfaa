//! The check of a link when it is ordered, and of every redirect.

use url::{Host, Url};

use super::policy::{ALLOW_SETTING, Policy};

/// The longest link that is taken, in characters.
pub const MAX_LINK_CHARS: usize = 2_000;

/// Ports from 1024 up that no web page lives on: those that the Fetch Standard blocks (so that a page cannot make a
/// browser speak to them) and the usual ones of databases, queues and remote control.
const CLOSED_PORTS: [u16; 43] = [
    1080, 1433, 1521, 1719, 1720, 1723, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061,
    5432, 5672, 5900, 5984, 5985, 5986, 6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092,
    9200, 10080, 10250, 11211, 27017,
];

/// Endings that by their standards never lead to a host on the internet (RFC 6761, 6762, 8375, ICANN's `internal`).
const LOCAL_NAMES: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "onion"];

/// Why a link is not taken. The message says what to change; the operator's setting is named where it is the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    #[error("the link has {chars} characters; at most {MAX_LINK_CHARS} are taken")]
    TooLong { chars: usize },
    #[error("the link cannot be read ({0}); write it whole, such as https://example.com/page")]
    Malformed(String),
    #[error("the link starts with `{0}:`; only http: and https: links are read")]
    Scheme(String),
    #[error("the link holds a user name or password; remove the part before the `@`")]
    UserInfo,
    #[error(
        "port {port} is not read from (80, 443 and most ports from 1024 up are); the operator can allow it with `{host}:{port}` in `{ALLOW_SETTING}`"
    )]
    Port { host: String, port: u16 },
    #[error(
        "`{host}` is an address outside the public internet; the operator can allow it with `{host}` in `{ALLOW_SETTING}`"
    )]
    Address { host: String },
    #[error(
        "`{host}` is a name inside a private network; the operator can allow it with `{host}` in `{ALLOW_SETTING}`"
    )]
    LocalName { host: String },
}

/// Reads a link and checks all that can be told without the network: scheme http or https, a host, no user
/// information, at most [`MAX_LINK_CHARS`] characters, a port that web pages live on (80, 443, or one from 1024 up
/// that is not known for something else), and a host that is neither a closed address in any spelling nor a name of
/// a private network. A host that a rule names passes with every port and address.
///
/// # Errors
/// [`LinkError`] with the first reason found.
pub fn check_link(link: &str, policy: &Policy) -> Result<Url, LinkError> {
    let chars = link.chars().count();
    if chars > MAX_LINK_CHARS {
        return Err(LinkError::TooLong { chars });
    }
    let url = Url::parse(link).map_err(|e| LinkError::Malformed(e.to_string()))?;
    check_url(&url, policy)?;
    Ok(url)
}

/// [`check_link`] for a link that is already parsed, such as the target of a redirect.
pub(crate) fn check_url(url: &Url, policy: &Policy) -> Result<(), LinkError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(LinkError::Scheme(url.scheme().chars().take(20).collect()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(LinkError::UserInfo);
    }
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(LinkError::Malformed("no host".to_owned()));
    };
    if let Host::Domain(name) = host
        && has_empty_part(name)
    {
        // No resolver knows such a name, and some readers of addresses take `127.0.0..` for one.
        return Err(LinkError::Malformed("a part of the host between two dots is empty".to_owned()));
    }
    if policy.names(&host, port) {
        return Ok(());
    }
    if !is_web_port(port) {
        return Err(LinkError::Port { host: host.to_string(), port });
    }
    match host {
        Host::Ipv4(ip) if !policy.admits(ip.into()) => Err(LinkError::Address { host: host.to_string() }),
        Host::Ipv6(ip) if !policy.admits(ip.into()) => Err(LinkError::Address { host: host.to_string() }),
        Host::Domain(name) if is_local_name(name) => Err(LinkError::LocalName { host: name.to_owned() }),
        _ => Ok(()),
    }
}

/// One dot at the end says that a name is whole.
fn has_empty_part(name: &str) -> bool {
    name.strip_suffix('.').unwrap_or(name).split('.').any(str::is_empty)
}

fn is_web_port(port: u16) -> bool {
    matches!(port, 80 | 443) || (port >= 1024 && !CLOSED_PORTS.contains(&port))
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let in_zone = |zone: &str| name.strip_suffix(zone).is_some_and(|head| head.is_empty() || head.ends_with('.'));
    !name.contains('.') || LOCAL_NAMES.iter().any(|zone| in_zone(zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(link: &str) -> Result<Url, LinkError> {
        check_link(link, &Policy::default())
    }

    #[test]
    fn every_spelling_of_a_closed_address_is_seen() {
        for link in [
            "http://127.0.0.1/",
            "http://127.0.0.1./",
            "http://127.1/",
            "http://127.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0X7F.0.0.0x1/",
            "http://017700000001/",
            "http://0177.0.0.01/",
            "http://0/",
            "http://0x0/",
            "http://%31%32%37.0.0.1/",
            "http://127%2e0%2e0%2e1/",
            "http://１２７.０.０.１/",
            "http://127。0。0。1/",
            "http://①②⑦.⓪.⓪.①/",
            "http:127.0.0.1/",
            "http:\\\\127.0.0.1\\",
            "http:////127.0.0.1/",
            "http://127.0.0.1\t/",
            " http://127.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:ffff:7f00:0001]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::10.0.0.1]/",
            "http://[fd00:ec2::254]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://[::]/",
            "http://0.0.0.0:8080/",
        ] {
            assert!(matches!(check(link), Err(LinkError::Address { .. })), "{link}: {:?}", check(link));
        }
    }

    #[test]
    fn links_that_cannot_be_read() {
        for link in [
            "",
            "example.com",
            "/relative",
            "http://",
            "http:///",
            "http://256.0.0.1/",
            "http://127.0.0.0x100/",
            "http://127.0.0../",
            "http://example..com/",
            "http://.example.com/",
            "http://1.2.3.4.5/",
            "http://[::1",
            "http://[fe80::1%25eth0]/",
            "http://[fe80::1%eth0]/",
            "http://exa mple.com/",
            "http://example.com:99999/",
            "http://exa\u{0}mple.com/",
            "http://%00/",
        ] {
            assert!(matches!(check(link), Err(LinkError::Malformed(_))), "{link}: {:?}", check(link));
        }
    }

    #[test]
    fn schemes_and_user_information() {
        for link in
            ["file:///etc/passwd", "ftp://example.com/", "data:text/html,x", "javascript:alert(1)", "gopher://a/"]
        {
            assert!(matches!(check(link), Err(LinkError::Scheme(_))), "{link}: {:?}", check(link));
        }
        for link in ["http://user@example.com/", "http://:pw@example.com/", "https://example.com:80@10.0.0.1/"] {
            assert_eq!(check(link), Err(LinkError::UserInfo), "{link}");
        }
        assert!(check("http://example.com/@x").is_ok());
    }

    #[test]
    fn private_names() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "printer.local",
            "metadata.google.internal",
            "router.home.arpa",
            "intranet",
            "ｌｏｃａｌｈｏｓｔ",
        ] {
            let result = check(&format!("http://{host}/"));
            assert!(matches!(result, Err(LinkError::LocalName { .. })), "{host}: {result:?}");
        }
        for host in ["mylocal.com", "notlocalhost.com", "internal.example.com", "xn--bcher-kva.example"] {
            assert!(check(&format!("http://{host}/")).is_ok(), "{host}");
        }
    }

    #[test]
    fn ports() {
        for port in [80, 443, 1024, 3000, 8000, 8080, 8443, 9000, 65535] {
            assert!(check(&format!("http://example.com:{port}/")).is_ok(), "{port}");
        }
        for port in [1, 22, 25, 81, 110, 631, 1023, 3306, 5432, 6379, 6667, 9200, 11211, 27017] {
            let result = check(&format!("http://example.com:{port}/"));
            assert!(matches!(result, Err(LinkError::Port { .. })), "{port}: {result:?}");
        }
        assert!(matches!(check("http://example.com:0/"), Err(LinkError::Port { port: 0, .. })));
    }

    #[test]
    fn length() {
        let link = format!("https://example.com/{}", "ä".repeat(MAX_LINK_CHARS - 20));
        assert!(check(&link).is_ok());
        assert_eq!(check(&format!("{link}x")), Err(LinkError::TooLong { chars: MAX_LINK_CHARS + 1 }));
    }

    #[test]
    fn the_operator_can_open_what_is_closed() {
        let rules = ["127.0.0.1:8170", "intranet", "old.example:25", "10.0.0.0/8"];
        let policy = Policy::new(rules.iter().map(|r| r.parse().unwrap()).collect());
        for link in [
            "http://127.0.0.1:8170/",
            "http://0x7f.1:8170/",
            "http://intranet/",
            "http://intranet:81/",
            "http://old.example:25/",
            "http://10.2.3.4/",
            "http://[::ffff:10.2.3.4]/",
        ] {
            assert!(check_link(link, &policy).is_ok(), "{link}: {:?}", check_link(link, &policy));
        }
        for link in ["http://127.0.0.1/", "http://127.0.0.2:8170/", "http://10.2.3.4:25/", "http://x.intranet.local/"] {
            assert!(check_link(link, &policy).is_err(), "{link}");
        }
    }

    #[test]
    fn messages_name_the_reason_and_the_way_out() {
        for (link, part) in [
            ("http://10.0.0.1/", "allow it with `10.0.0.1` in `fetch.allow`"),
            ("http://intranet/", "allow it with `intranet` in `fetch.allow`"),
            ("http://example.com:22/", "allow it with `example.com:22` in `fetch.allow`"),
            ("file:///etc/passwd", "`file:`"),
            ("http://a:b@example.com/", "before the `@`"),
            ("example.com", "https://example.com/page"),
        ] {
            let message = check(link).unwrap_err().to_string();
            assert!(message.contains(part), "{link}: {message}");
        }
        assert!(!check("http://a:hunter2@example.com/").unwrap_err().to_string().contains("hunter2"));
    }
}
