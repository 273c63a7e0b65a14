//! Flows.

pub mod record;
