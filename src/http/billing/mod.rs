//! What an organization may spend, and what it has spent.

pub mod credits;
