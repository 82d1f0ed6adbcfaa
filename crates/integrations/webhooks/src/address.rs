//! Where webhooks may be sent to: the rules for links, and https.

use galley_fetch::address::{ALLOW_SETTING, HostRule, LinkError, MAX_LINK_CHARS, Policy, check_link};
use url::{Host, Url};

/// The longest URL that is taken, in characters.
pub const MAX_URL_CHARS: usize = MAX_LINK_CHARS;

/// Why a URL is not taken. The message says what to change, and shows of the URL no more than its host and port: path and
/// query may hold a secret of the receiver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("the URL has {chars} characters; at most {MAX_URL_CHARS} are taken")]
    TooLong { chars: usize },
    #[error("must not be empty; write it whole, such as https://example.com/hooks")]
    Empty,
    #[error("the URL contains a NUL character; remove it, also as `%00`")]
    Nul,
    #[error("the URL cannot be read ({0}); write it whole, such as https://example.com/hooks")]
    Malformed(String),
    #[error("the URL starts with `{0}:`; webhooks are sent to https:")]
    Scheme(String),
    #[error(
        "webhooks are sent to https:; the operator can allow http: for this host with `{host}` in `{ALLOW_SETTING}`"
    )]
    Plain { host: String },
    #[error("the URL holds a user name or password; remove the part before the `@`, the signature shows who sends")]
    Login,
    #[error("the URL has a part after `#`, which is never sent; remove it")]
    Fragment,
    #[error(
        "port {port} is not sent to (443 and most ports from 1024 up are); the operator can allow it with `{host}:{port}` in `{ALLOW_SETTING}`"
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

impl From<LinkError> for UrlError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::TooLong { chars } => Self::TooLong { chars },
            LinkError::Malformed(why) => Self::Malformed(why),
            LinkError::Scheme(scheme) => Self::Scheme(scheme),
            LinkError::UserInfo => Self::Login,
            LinkError::Port { host, port } => Self::Port { host, port },
            LinkError::Address { host } => Self::Address { host },
            LinkError::LocalName { host } => Self::LocalName { host },
        }
    }
}

/// Reads the URL of an endpoint and checks all that can be told without the network: at most [`MAX_URL_CHARS`] characters,
/// https, no login, no fragment, a port and a host that the rules for links take. Plain http is taken where the operator's
/// rules name the host, or the network of the address that stands in the URL. What comes out is to be stored as its text;
/// it passes again under the same policy.
///
/// # Errors
/// [`UrlError`] with the first reason found.
pub fn check_url(url: &str, policy: &Policy) -> Result<Url, UrlError> {
    if url.trim().is_empty() {
        return Err(UrlError::Empty);
    }
    // Before it is read: the reader would encode the character.
    if url.contains('\0') || url.contains("%00") {
        return Err(UrlError::Nul);
    }
    let url = check_link(url, policy)?;
    // Letters beyond ASCII grow when they are encoded. The form that comes out is what is stored and checked again.
    let chars = url.as_str().len();
    if chars > MAX_URL_CHARS {
        return Err(UrlError::TooLong { chars });
    }
    if url.fragment().is_some() {
        return Err(UrlError::Fragment);
    }
    if url.scheme() != "https" && !is_named(&url, policy) {
        return Err(UrlError::Plain { host: url.host_str().unwrap_or_default().to_owned() });
    }
    Ok(url)
}

/// Does a rule name the host of this URL, or a network around its address?
fn is_named(url: &Url, policy: &Policy) -> bool {
    let ip = match url.host() {
        Some(Host::Ipv4(ip)) => ip.into(),
        Some(Host::Ipv6(ip)) => std::net::IpAddr::from(ip).to_canonical(),
        _ => return policy.names_host_of(url),
    };
    let in_network = |rule: &HostRule| matches!(rule, HostRule::Network(net) if net.contains(&ip));
    policy.names_host_of(url) || policy.allow.iter().any(in_network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(rules: &[&str]) -> Policy {
        Policy::new(rules.iter().map(|rule| rule.parse().unwrap()).collect())
    }

    #[test]
    fn public_https_is_taken() {
        for url in [
            "https://example.com/hooks?key=1",
            "https://example.com:8443/",
            "https://8.8.8.8/",
            "https://BÜCHER.example",
        ] {
            let taken = check_url(url, &Policy::default()).unwrap();
            assert_eq!(check_url(taken.as_str(), &Policy::default()), Ok(taken), "{url}");
        }
    }

    #[test]
    fn the_encoded_form_counts() {
        let grows =
            |letters: usize| check_url(&format!("https://example.com/{}", "é".repeat(letters)), &Policy::default());
        assert_eq!(grows(330).unwrap().as_str().len(), MAX_URL_CHARS);
        assert_eq!(grows(331).unwrap_err(), UrlError::TooLong { chars: MAX_URL_CHARS + 6 });
    }

    #[test]
    fn what_is_refused_and_how_it_is_said() {
        let long = format!("https://example.com/{}", "x".repeat(MAX_URL_CHARS));
        for (url, words) in [
            ("http://example.com/", "allow http: for this host with `example.com` in `fetch.allow`"),
            ("ftp://example.com/", "starts with `ftp:`"),
            ("https://user@example.com/", "remove the part before the `@`"),
            ("https://user:hunter2@example.com/", "remove the part before the `@`"),
            ("https://example.com/#part", "after `#`"),
            ("https://example.com/#", "after `#`"),
            ("https://example.com:22/", "port 22"),
            ("https://example.com:5432/", "port 5432"),
            ("https://localhost/", "inside a private network"),
            ("https://hooks.internal/", "inside a private network"),
            ("https://intranet/", "inside a private network"),
            ("example.com/hooks", "write it whole"),
            ("/hooks", "write it whole"),
            ("", "must not be empty; write it whole"),
            (" \n", "must not be empty"),
            ("https://example.com/a\0b", "NUL character"),
            ("https://example.com/a%00b", "also as `%00`"),
            ("https://example.com/?a=%00", "NUL character"),
            (long.as_str(), "at most 2000"),
        ] {
            let error = check_url(url, &Policy::default()).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("hunter2"), "{url}: {error}");
        }
    }

    /// The table of fetch, in short: every form of an address that is not public.
    #[test]
    fn closed_addresses_are_seen_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.01",
            "0",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "2852039166",
            "168.63.129.16",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::10.0.0.1]",
            "[fe80::1]",
            "[fd00:ec2::254]",
        ] {
            let error = check_url(&format!("https://{host}/"), &Policy::default()).unwrap_err();
            assert!(matches!(error, UrlError::Address { .. }), "{host}: {error:?}");
        }
    }

    #[test]
    fn the_operator_opens_hosts_ports_and_networks() {
        let policy = policy(&["hooks.example:8080", "intranet", "127.0.0.1:9000", "10.0.0.0/8"]);
        for url in [
            "http://hooks.example:8080/",
            "http://intranet/",
            "https://intranet:22/",
            "http://127.0.0.1:9000/",
            "http://2130706433:9000/",
            "http://10.1.2.3/",
            "http://[::ffff:10.1.2.3]:8080/",
            "https://10.1.2.3/",
        ] {
            assert!(check_url(url, &policy).is_ok(), "{url}: {:?}", check_url(url, &policy));
        }
        for url in [
            "http://hooks.example/",
            "http://127.0.0.1:9001/",
            "http://192.168.0.1/",
            "http://10.1.2.3:25/",
            "http://8.8.8.8/",
            "http://inward.example/",
        ] {
            assert!(check_url(url, &policy).is_err(), "{url}");
        }
    }
}
