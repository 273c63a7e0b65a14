//! The rule engines.
