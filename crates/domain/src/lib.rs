//! The words of Galley. Nothing here reads a clock, a socket or a file.

pub mod fault;
pub mod usage;
pub mod writing;

pub use fault::{Fault, FaultCode};
