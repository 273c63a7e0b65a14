//! Packets in, events out.
//!
//! The folders are the stages, in the order of the data; `pipeline.rs` alone knows that order.

pub mod canary;
pub mod capture;
pub mod catalogue;
pub mod decode;
pub mod expected;
pub mod files;
pub mod flow;
pub mod networks;
pub mod packets;
pub mod pipeline;
pub mod protocols;
pub mod read;
pub mod run;
pub mod signatures;
pub mod spool;
pub mod uplink;
pub mod worker;
