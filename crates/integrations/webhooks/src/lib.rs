//! Webhooks out, in the form of [Standard Webhooks](https://www.standardwebhooks.com) and in 003's dialect: secrets and
//! signatures, names of events, payloads, the guarded sending, and the rules for when to try again and when to stop.
//! What is to be sent, and when, is kept by others: nothing here knows a database.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there"))]

mod address;
mod events;
mod failure;
mod filters;
mod hosts;
mod payload;
mod retry;
mod secret;
mod send;

pub use address::{MAX_URL_CHARS, UrlError, check_url};
pub use events::{Event, Event003, Work};
pub use filters::{Filters, MAX_FILTERS};
pub use payload::{API_VERSION_003, MAX_PAYLOAD_BYTES, ObjectLink, Payload, PayloadError, message_id};
pub use retry::{ATTEMPTS, FAILING_FOR, FAILURES_APART, MAX_RETRY_AFTER, failing_since, should_disable, wait_after};
pub use secret::{SECRET_BYTES, SECRET_PREFIX, Secret, SecretError, sign, sign_003, sign_with_text};
pub use send::{Attempt, Format, MAX_RESPONSE_BYTES, Report, SendLimits, Sender, SetupError, Verdict};
