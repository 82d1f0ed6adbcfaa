//! The engine's rules, each by its own words.

mod cancel;
mod claiming;
mod credits;
mod ends;
mod families;
mod finishing;
mod jobs;
mod knowing;
mod looking;
mod outage;
mod pausing;
mod retrying;
mod stopping;
mod succession;
mod wide;
