//! Why a page was not read.

use std::{error::Error, fmt, io, time::Duration};

use galley_domain::{Fault, FaultCode};
use galley_files::FileError;
use reqwest::StatusCode;

use crate::{
    address::{ALLOW_SETTING, LinkError},
    dns::ClosedAddresses,
};

/// A page that was not read. The message names the link that was asked for and the reason, in words for an editor; it
/// shows no address that the link did not show itself. What only the log may know is in [`FetchError::detail`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    /// As it was asked for.
    pub link: String,
    pub reason: Reason,
    pub(crate) detail: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The link itself is not taken.
    Refused(LinkError),
    /// A redirect led to a link that is not taken. The error may name an internal host: not for clients.
    RedirectRefused(LinkError),
    /// The host's name, or that of a redirect, leads to closed addresses only.
    ClosedAddress,
    /// The site's robots.txt asks us not to read this page or, not `reached`, could not be had. Only for links that a
    /// search found.
    Robots { reached: bool },
    /// The name could not be resolved.
    Dns,
    /// No connection.
    Connect,
    /// No secure connection; `certificate` says whether the site's certificate is the cause.
    Tls { certificate: bool },
    /// Not finished within the time given.
    Timeout { limit: Duration },
    /// The body is longer than `limit` bytes, as declared or as received (after decompression).
    TooLarge { limit: usize },
    /// More redirects than `limit`, or a circle of them.
    TooManyRedirects { limit: usize, circle: bool },
    /// Answered with a status that is neither a success nor a redirect.
    Status { status: u16, retry_after: Option<Duration> },
    /// The answer is of a type that is not read, such as `image/png`.
    Type { content_type: String },
    /// The connection broke off before the page was whole, or what came was not HTTP.
    Cut,
    /// The page came whole but no text came out of it.
    Unreadable(FileError),
}

impl FetchError {
    pub(crate) fn new(link: &str, reason: Reason) -> Self {
        Self { link: link.to_owned(), reason, detail: None }
    }

    #[must_use]
    pub(crate) fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// What only the log may show: addresses, errors of the libraries.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// May another try succeed?
    pub fn is_transient(&self) -> bool {
        match &self.reason {
            Reason::Dns | Reason::Connect | Reason::Timeout { .. } | Reason::Cut => true,
            Reason::Robots { reached } => !reached,
            Reason::Tls { certificate } => !certificate,
            Reason::Status { status, .. } => is_transient_status(*status),
            Reason::Unreadable(error) => error.is_transient(),
            _ => false,
        }
    }
}

/// Statuses after which the same request may succeed: 408, 409, 425, 429 and all 5xx.
pub(crate) fn is_transient_status(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 500..=599)
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let link = Shortened(&self.link);
        match &self.reason {
            Reason::Refused(why) => write!(f, "{link} is not read: {why}"),
            Reason::RedirectRefused(why) => write!(f, "{link} leads on to {}", refused_target(why)),
            Reason::ClosedAddress => write!(
                f,
                "{link} leads to an address outside the public internet; the operator can allow its host in `{ALLOW_SETTING}`"
            ),
            Reason::Robots { reached: true } => {
                write!(f, "{link} is not read: the site's robots.txt asks programs to stay away")
            }
            Reason::Robots { .. } => write!(f, "{link} is not read: the site's robots.txt could not be had"),
            Reason::Dns => write!(f, "{link} was not found: its host has no address"),
            Reason::Connect => write!(f, "{link} did not accept a connection"),
            Reason::Tls { certificate: true } => {
                write!(f, "{link} has a security certificate that is not valid for it")
            }
            Reason::Tls { certificate: false } => write!(f, "{link} could not be connected to securely"),
            Reason::Timeout { limit } => write!(f, "{link} did not answer in full within {}", Seconds(*limit)),
            Reason::TooLarge { limit } => write!(f, "{link} is larger than the {} that are read", Size(*limit)),
            Reason::TooManyRedirects { circle: true, .. } => write!(f, "{link} redirects in a circle"),
            Reason::TooManyRedirects { limit, .. } => write!(f, "{link} redirects more than {limit} times"),
            Reason::Status { status, .. } => write!(f, "{link} answered {}", StatusWords(*status)),
            Reason::Type { content_type } => {
                write!(
                    f,
                    "{link} is of the type {content_type}; web pages, plain text, PDF, Word, Excel and CSV are read"
                )
            }
            Reason::Cut => write!(f, "{link} broke off before it was whole"),
            Reason::Unreadable(error) => unreadable(f, &link, error),
        }
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            Reason::Refused(why) | Reason::RedirectRefused(why) => Some(why),
            Reason::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

/// The target of a redirect in words that do not show its host.
fn refused_target(why: &LinkError) -> &'static str {
    match why {
        LinkError::TooLong { .. } => "a link that is too long",
        LinkError::Malformed(_) => "a link that cannot be read",
        LinkError::Scheme(_) => "something that is not a web page",
        LinkError::UserInfo => "a link with a user name or password in it",
        LinkError::Port { .. } => "a port that is not read from",
        LinkError::Address { .. } | LinkError::LocalName { .. } => "an address outside the public internet",
    }
}

/// [`FileError`] speaks of uploaded files; a page wants other words.
fn unreadable(f: &mut fmt::Formatter<'_>, link: &Shortened<'_>, error: &FileError) -> fmt::Result {
    match error {
        FileError::Empty => write!(f, "{link} answered with an empty page"),
        FileError::NoText { reason } => write!(f, "{link} holds no text that can be read ({reason})"),
        FileError::UnknownType { looks_like, .. } => write!(f, "{link} is {looks_like}, which is not read"),
        FileError::Encrypted => write!(f, "{link} is protected with a password"),
        FileError::TooLarge { what, limit } => write!(f, "{link}: {what} is larger than the {limit} allowed"),
        FileError::Damaged { detail } => write!(f, "{link} is damaged ({detail})"),
        FileError::Bomb { detail } => write!(f, "{link} unpacks to far more than its size warrants ({detail})"),
        FileError::TimedOut { seconds } => write!(f, "{link} took longer than {seconds} s to read"),
        FileError::TooMuchMemory { limit } => {
            write!(
                f,
                "{link} needs more than {limit} of memory to be read; the operator can raise limits.reading_memory_mb"
            )
        }
        FileError::ReaderFailed { detail } => write!(f, "{link} could not be read now ({detail})"),
    }
}

impl From<FetchError> for Fault {
    fn from(error: FetchError) -> Self {
        let message = error.to_string();
        let fault = match &error.reason {
            Reason::Status { status: 429, retry_after } => {
                Fault::transient(FaultCode::RateLimitError, message).after(*retry_after)
            }
            Reason::Status { retry_after, .. } if error.is_transient() => {
                Fault::transient(FaultCode::WorkflowError, message).after(*retry_after)
            }
            _ if error.is_transient() => Fault::transient(FaultCode::WorkflowError, message),
            _ => Fault::permanent(FaultCode::ValidationError, message),
        };
        match error.detail {
            Some(detail) => fault.with_detail(detail),
            None => fault,
        }
    }
}

/// Tells what went wrong before or while the headers came, or in the body. `limit` is the time that a [`Reason::Timeout`]
/// names.
pub fn reason_of(error: &reqwest::Error, limit: Duration) -> Reason {
    if any_cause(error, |cause| cause.is::<ClosedAddresses>()) {
        return Reason::ClosedAddress;
    }
    if error.is_timeout() {
        return Reason::Timeout { limit };
    }
    if error.is_dns() {
        return Reason::Dns;
    }
    let mut certificate = false;
    let tls = any_cause(error, |cause| {
        let Some(error) = cause.downcast_ref::<rustls::Error>() else { return false };
        certificate = matches!(error, rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented);
        true
    });
    match (tls, error.is_connect()) {
        (true, true) => Reason::Tls { certificate },
        (false, true) => Reason::Connect,
        _ => Reason::Cut,
    }
}

/// The whole chain of causes in one line, without the link. It may show addresses: for the log only.
pub fn causes(error: &reqwest::Error) -> String {
    let mut parts = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        parts.push(cause.to_string());
        next = cause.source();
    }
    parts.dedup();
    if parts.is_empty() { "no cause given".to_owned() } else { parts.join(": ") }
}

/// Looks at every cause, also at those that `io::Error` carries but does not count among its sources.
fn any_cause(error: &reqwest::Error, mut test: impl FnMut(&(dyn Error + 'static)) -> bool) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if test(cause) {
            return true;
        }
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    false
}

/// A link in a message: whole up to 200 characters.
struct Shortened<'a>(&'a str);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX: usize = 200;
        let (head, cut) = match self.0.char_indices().nth(MAX) {
            Some((end, _)) => (&self.0[..end], "…"),
            None => (self.0, ""),
        };
        for c in head.chars() {
            fmt::Write::write_char(f, if c.is_control() { ' ' } else { c })?;
        }
        f.write_str(cut)
    }
}

struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n >= 1 << 20 => write!(f, "{} MiB", n >> 20),
            n if n >= 1 << 10 => write!(f, "{} KiB", n >> 10),
            n => write!(f, "{n} bytes"),
        }
    }
}

/// A duration in a message: `3 s`, `0.7 s`.
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_millis() == 0 {
            write!(f, "{} s", self.0.as_secs())
        } else {
            write!(f, "{:.1} s", self.0.as_secs_f64())
        }
    }
}

struct StatusWords(u16);

impl fmt::Display for StatusWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match StatusCode::from_u16(self.0).ok().and_then(|status| status.canonical_reason()) {
            Some(words) => write!(f, "{} {words}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}
