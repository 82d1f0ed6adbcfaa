//! What all resources share.
//!
//! | file | holds |
//! |---|---|
//! | [`auth`], [`rate`] | who may call what, and how often |
//! | [`problem`], [`failure`] | the one shape of every error |
//! | [`body`], [`query`], [`header`], [`scalar`], [`shape`] | reading requests |
//! | [`reply`], [`page`] | shaping answers |
//! | [`shell`], [`request`], [`places`], [`routes`] | what happens around every request |
//! | [`connections`] | what a connection may cost |

pub mod auth;
pub mod body;
pub mod connections;
pub mod failure;
pub mod header;
pub mod page;
pub mod places;
pub mod problem;
pub mod query;
pub mod rate;
pub mod reply;
pub mod request;
pub mod routes;
pub mod scalar;
pub mod shape;
pub mod shell;
pub mod state;
