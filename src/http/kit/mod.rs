//! What all resources share.
//!
//! | file | holds |
//! |---|---|
//! | [`auth`], [`rights`], [`rate`] | who may call what, the table of it, and how often |
//! | [`fields`], [`values`] | a body, form or query declared once, and the values with their rules |
//! | [`body`], [`query`], [`header`] | the arguments of handlers that are read with them |
//! | [`scalar`], [`view`], [`page`], [`envelope`], [`reply`] | values, what is seen of a row, pages and answers |
//! | [`problem`], [`statuses`], [`dialect`] | the one shape of every error, which an operation can meet, and in whose words |
//! | [`middleware`], [`context`], [`places`], [`routes`] | what happens around every request |
//! | [`document`] | the description as it is published |
//! | [`connections`], [`state`] | what a connection may cost; what requests share |

pub mod auth;
pub mod body;
pub mod bytes;
pub mod connections;
pub mod context;
pub mod dialect;
pub mod document;
pub mod envelope;
pub mod event_auth;
pub mod fields;
pub mod header;
pub mod middleware;
pub mod page;
pub mod places;
pub mod problem;
pub mod query;
pub mod rate;
pub mod reply;
pub mod resource;
pub mod rights;
pub mod routes;
pub mod scalar;
pub mod site_auth;
pub mod state;
pub mod statuses;
pub mod values;
pub mod view;
pub mod waiting;

#[cfg(test)]
mod tests;
