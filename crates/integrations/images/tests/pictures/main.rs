//! Pictures as a caller sees them: what is taken, what comes out, what is refused.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod bad_inputs;
mod made;
mod refused;
mod taken;
mod variants;
