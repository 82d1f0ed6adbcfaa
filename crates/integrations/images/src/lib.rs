//! Rendered title cards.
