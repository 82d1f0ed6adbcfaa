//! The words of Galley. Nothing here reads a clock, a socket or a file.

pub mod access;
pub mod article;
pub mod credits;
pub mod effect;
pub mod embedding;
pub mod fault;
pub mod hidden;
pub mod image;
pub mod judge;
pub mod order;
pub mod project;
pub mod publishing;
pub mod schedule;
pub mod task;
pub mod usage;
pub mod webhook;
pub mod writing;

pub use access::{Operator, OrgId, Permission, Principal, Scope, Who};
pub use fault::{Fault, FaultCode};
pub use hidden::Hidden;
