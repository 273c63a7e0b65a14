//! WebSocket (RFC 6455): one event a frame, once HTTP has handed a connection over.
//!
//! Comes in: both directions of a stream behind the `101` of HTTP, which knows the protocol inside and the extensions.
//! Goes out: a [`record`] when a frame is over or the flow ends in it. What messages carry is looked into as one stream
//! each way, as in a tunnel. A beginning without HTTP's is not looked for: frames have nothing to be known by. Bounds:
//! frames told of a connection, text kept of each; a length that cannot be true ends the parser.

mod frame;
mod inspection;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Probe, Protocol};
pub use parser::WebSocketParser;

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "websocket",
    transports: &[Transport::TCP],
    ports: &[],
    probe_min_bytes: usize::MAX,
    probe: |_, _, _| Probe::No,
    parser: |_| Box::new(WebSocketParser::default()),
    datasets: &[record::WebSocketFrame::DATASET],
};
