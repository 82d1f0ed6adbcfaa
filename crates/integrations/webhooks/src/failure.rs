//! Why an attempt failed, in sentences for whoever owns the endpoint.

use std::time::Duration;

use galley_fetch::{Reason, Seconds, address::ALLOW_SETTING, causes, reason_of};
use reqwest::StatusCode;

use crate::{UrlError, send::SendLimits};

/// The sentence, and what only the log may show.
#[derive(Debug)]
pub(crate) struct Failure {
    pub error: String,
    pub detail: Option<String>,
}

impl Failure {
    fn new(error: impl Into<String>) -> Self {
        Self { error: error.into(), detail: None }
    }

    /// The URL is not, or no longer, sent to.
    pub(crate) fn refused(why: &UrlError) -> Self {
        Self::new(format!("Nothing was sent: {why}"))
    }

    pub(crate) fn no_secret() -> Self {
        Self::new("Nothing was sent: the endpoint has no secret to sign with")
    }

    pub(crate) fn odd_id() -> Self {
        Self::new("Nothing was sent: the message's id does not fit into a header")
    }

    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self::new(format!("The endpoint did not answer within {}", Seconds(limit)))
    }

    /// There was no answer. The sentence shows no address: the name of an endpoint may lead inside.
    pub(crate) fn unanswered(error: &reqwest::Error, limits: &SendLimits) -> Self {
        let sentence = match reason_of(error, limits.time) {
            Reason::ClosedAddress => format!(
                "Nothing was sent: the endpoint's host leads to an address outside the public internet; \
                 the operator can allow it in `{ALLOW_SETTING}`"
            ),
            Reason::Timeout { .. } if error.is_connect() => {
                format!("The endpoint could not be connected to within {}", Seconds(limits.connect))
            }
            Reason::Timeout { limit } => return Self::timed_out(limit).with_detail(error),
            Reason::Dns => "Nothing was sent: the endpoint's host has no address".to_owned(),
            Reason::Connect => "The endpoint did not accept a connection".to_owned(),
            Reason::Tls { certificate: true } => {
                "Nothing was sent: the endpoint's security certificate is not valid for its host".to_owned()
            }
            Reason::Tls { certificate: false } => "The endpoint could not be connected to securely".to_owned(),
            _ => "The endpoint broke off the connection before it answered".to_owned(),
        };
        Self::new(sentence).with_detail(error)
    }

    /// There was an answer, and it is no success.
    pub(crate) fn answered(status: StatusCode) -> Self {
        let words = match status.canonical_reason() {
            Some(reason) => format!("{} {reason}", status.as_u16()),
            None => status.as_u16().to_string(),
        };
        Self::new(match status.as_u16() {
            300..=399 => {
                format!("The endpoint answered {words}; redirects are not followed, enter the URL they lead to")
            }
            410 => format!("The endpoint answered {words}: it wants no more messages"),
            _ => format!("The endpoint answered {words}"),
        })
    }

    fn with_detail(mut self, error: &reqwest::Error) -> Self {
        self.detail = Some(causes(error));
        self
    }
}
