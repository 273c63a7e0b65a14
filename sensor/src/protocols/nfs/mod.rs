//! The network file system, versions 2 (RFC 1094), 3 (RFC 1813) and 4 (RFC 7530, RFC 8881): one event a call with its answer.
//!
//! Comes in: calls and answers of ONC RPC, which have a folder of their own. Goes out: one [`record`] when the answer comes
//! or is no longer to be expected; reads and writes that succeed are put together for each file and told at its end, when
//! more than [`files::MAX_TRANSFERS`] are under way, or with the flow. Questions for attributes that succeed, which make up
//! most calls and say nothing, are not told. At most [`files::MAX_NAMES`] handles are remembered with their names.

mod answer;
mod compound;
mod files;
mod names;
pub mod record;

use luytre_events::Transport;

pub use files::{Call, Files};

// The calls themselves are read there.
use super::{Protocol, sunrpc};

/// Number of the program.
pub const PROGRAM: u32 = 100_003;

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "nfs",
    transports: &[Transport::TCP, Transport::UDP],
    ports: &[2049],
    probe_min_bytes: 24,
    probe: |direction, bytes, on_port| sunrpc::probe(direction, bytes, on_port, |program| program == PROGRAM),
    parser: |transport| Box::new(sunrpc::parser::RpcParser::new(transport)),
    datasets: &[record::NfsCall::DATASET],
};
