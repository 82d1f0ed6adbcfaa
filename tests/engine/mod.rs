//! The engine's rules, each by its own words.

mod cancel;
mod claiming;
mod credits;
mod finishing;
mod knowing;
mod outage;
mod retrying;
mod stopping;
mod succession;
