//! The crate over real HTTP: against a scripted server in this process, and against real peers where they are given.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod embed;
mod faults;
mod images;
mod noise;
mod peers;
mod second_looks;
mod shapes;
mod support;
mod writer;
