//! Packets in, events out.
//!
//! The folders are the stages, in the order of the data; `pipeline.rs` alone knows that order.

pub mod catalogue;
pub mod files;
pub mod flow;
pub mod protocols;
pub mod spool;
pub mod uplink;
