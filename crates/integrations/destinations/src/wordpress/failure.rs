//! What a site says no with, and what becomes of it.

use std::time::Duration;

use galley_domain::{Fault, FaultCode};

use crate::markup::{Token, decoded, tokens};

/// Characters of a site's own words that a message shows.
const MAX_WORDS: usize = 300;

/// A call that did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(Refusal),
    /// An answer of more than so many MiB.
    TooLarge {
        mib: usize,
    },
    Fault(Fault),
}

/// An answer with a bad status.
#[derive(Debug)]
pub(super) struct Refusal {
    pub status: u16,
    /// WordPress' own word for it; empty where something else has answered.
    pub code: String,
    /// Its own words, plain and short.
    pub message: String,
    /// The term that is there already.
    pub term: Option<u64>,
    /// How long it asks us to wait.
    pub after: Option<Duration>,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Failure {
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::TooLarge { .. } | Self::Fault(_) => None,
        }
    }

    /// Whether the thing that was asked for is not there.
    pub fn is_missing(&self) -> bool {
        // WordPress says 410 of what is in the trash already.
        self.refusal().is_some_and(|refusal| matches!(refusal.status, 404 | 410))
    }

    /// Whether WordPress itself says that this user may not do it.
    pub fn is_forbidden(&self) -> bool {
        self.refusal().is_some_and(|refusal| matches!(refusal.status, 401 | 403) && !refusal.is_anothers())
    }

    /// `doing` is what the site was asked to do, as in "the site did not …".
    pub fn into_fault(self, doing: &str) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::TooLarge { mib } => {
                let message = format!("the site answered with more than {mib} MiB; nothing was read");
                Fault::permanent(FaultCode::WorkflowError, message)
            }
            Self::Refused(refusal) => refusal.into_fault(doing),
        }
    }
}

impl Refusal {
    fn into_fault(self, doing: &str) -> Fault {
        let Self { status, message, after, .. } = &self;
        let said = if message.is_empty() { format!("{status}") } else { format!("{status}: {message}") };
        if self.is_transient() {
            let code = if *status == 429 { FaultCode::RateLimitError } else { FaultCode::WorkflowError };
            let way_out = match status {
                401 | 403 => "; look whether a plugin or a firewall stands before it",
                _ => "",
            };
            return Fault::transient(code, format!("the site did not {doing} ({said}){way_out}")).after(*after);
        }
        let way_out = match status {
            401 => "; make a new application password there and set it here",
            403 => "; let the user do that there, or choose another user",
            413 => "; make it smaller, or let the site take larger uploads",
            404 | 405 => "; check the address of the site, and that its REST interface is open",
            _ => "",
        };
        Fault::permanent(FaultCode::WorkflowError, format!("the site did not {doing} ({said}){way_out}"))
    }

    /// WordPress answers 500 also to uploads that it will never take.
    fn is_transient(&self) -> bool {
        let is_refused_upload = self.code.starts_with("rest_upload_");
        matches!(self.status, 408 | 409 | 425 | 429 | 500..=599) && !is_refused_upload
            || matches!(self.status, 401 | 403) && self.is_anothers()
    }

    /// WordPress says a code with each refusal; a firewall or a host shows a page, and may let the next request pass.
    fn is_anothers(&self) -> bool {
        self.code.is_empty()
    }
}

/// The words of a page or of a message with markup: its title if it has one, in one line.
pub(super) fn page_words(text: &str) -> String {
    let (mut words, mut title, mut inside) = (String::new(), String::new(), None);
    for token in tokens(text) {
        match token {
            Token::Open { name, .. } => {
                words.push(' ');
                inside = Some(name);
            }
            Token::Close(_) => {
                words.push(' ');
                inside = None;
            }
            Token::Text(text) => match inside.as_deref() {
                Some("script" | "style") => {}
                Some("title") => title.push_str(text),
                _ => words.push_str(text),
            },
            Token::Comment(_) => {}
        }
        if words.len() > 20 * MAX_WORDS {
            break;
        }
    }
    let words = if title.trim().is_empty() { words } else { title };
    let line = decoded(&words).split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_page_are_its_title_or_its_text() {
        for (page, words) in [
            ("<html><head><title>403 &ndash; No</title></head><body>Go <b>away</b></body>", "403 – No"),
            ("<p>Go\n<b>away</b></p><script>let a = '<b>';</script>", "Go away"),
            ("Plain &amp; simple", "Plain & simple"),
            ("", ""),
        ] {
            assert_eq!(page_words(page), words);
        }
        assert_eq!(page_words(&"word ".repeat(500)).chars().count(), MAX_WORDS);
    }

    #[test]
    fn statuses_are_told_apart() {
        let fault = |status, code: &str| {
            let (code, message) = (code.to_owned(), "Its words.".to_owned());
            Refusal { status, code, message, term: None, after: Some(Duration::from_secs(7)) }.into_fault("publish it")
        };
        for status in [408, 409, 425, 429, 500, 502, 503, 504] {
            let fault = fault(status, "");
            assert!(matches!(fault, Fault::Transient { after: Some(_), .. }), "{status}");
            assert_eq!(fault.to_string(), format!("the site did not publish it ({status}: Its words.)"));
        }
        assert_eq!(fault(429, "").code(), FaultCode::RateLimitError);
        for (status, code, way_out) in [
            (401, "rest_not_logged_in", "application password"),
            (403, "rest_forbidden", "another user"),
            (413, "", "smaller"),
            (404, "", "address"),
            (400, "", "words"),
        ] {
            let fault = fault(status, code);
            assert!(!fault.is_transient() && fault.to_string().contains(way_out), "{fault}");
        }
        for status in [401, 403] {
            let fault = fault(status, "");
            assert!(fault.is_transient() && fault.to_string().ends_with("a firewall stands before it"), "{fault}");
        }
        assert!(!fault(500, "rest_upload_sideload_error").is_transient());
    }
}
