//! Multicast DNS (RFC 6762) and the services announced by it (RFC 6763): every message is an event.
//!
//! Comes in: datagrams. Goes out: one [`record`] a message. Questions go to a group and answers come from whoever knows,
//! to the group again or to the one who asked: they are different flows, so they are not paired. Nothing is remembered
//! between messages; what a message may cost is bounded in `dns::message`, whose format it is.

mod parser;
pub mod record;

use luytre_events::Transport;

use super::dns::message::{self, Header};
use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "mdns",
    transports: &[Transport::UDP],
    ports: &[5353],
    probe_min_bytes: Header::SIZE_BYTES,
    probe,
    parser: |_| Box::new(parser::MdnsParser),
    datasets: &[record::MdnsMessage::DATASET],
};

/// The format is that of DNS, so the port is part of the definition (RFC 6762 section 3). An ordinary recursive query on
/// that port is DNS of somebody who hides there, unless it asks for a local name.
fn probe(_: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let Some(message) = message::read(bytes).filter(|_| on_port) else { return Probe::No };
    let header = message.header;
    let names = message.questions.iter().map(|q| &q.name).chain(message.answers.iter().map(|a| &a.name));
    let local = names.into_iter().any(|name| name.ends_with(".local"));
    let readable = !message.malformed || !message.questions.is_empty() || !message.answers.is_empty();
    let recursive = header.id != 0 && header.recursion_desired();
    let plausible = header.op_code() == 0 && header.records() > 0 && header.records() * 2 <= bytes.len();
    if plausible && readable && (local || !recursive) { Probe::Yes } else { Probe::No }
}
