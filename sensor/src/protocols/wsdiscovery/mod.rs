//! WS-Discovery (OASIS 1.1 and its draft of 2005), by which cameras (ONVIF), printers and Windows computers find each other:
//! one event a message.
//!
//! Comes in: datagrams of UDP, mostly to 239.255.255.250. Goes out: one [`record`] for each; what says nothing that is known
//! is counted as malformed. Lists and texts in them are bounded. Nothing is kept between messages.

mod message;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Output, Parser, Probe, Progress, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "wsdiscovery",
    transports: &[Transport::UDP],
    ports: &[3702],
    probe_min_bytes: 64,
    probe,
    parser: |_| Box::new(DiscoveryParser),
    datasets: &[record::DiscoveryMessage::DATASET],
};

/// An envelope that names the words of discovery. Who looks for others opened the flow, who answers did not.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    match message::read(bytes).map(|record| record.action) {
        Some("probe_matches" | "resolve_matches") if direction == Direction::ToServer => Probe::YesReversed,
        Some("probe" | "resolve" | "hello" | "bye") if direction == Direction::ToClient => Probe::YesReversed,
        Some(_) => Probe::Yes,
        None => Probe::No,
    }
}

/// The parser of one flow.
struct DiscoveryParser;

impl Parser for DiscoveryParser {
    fn data(&mut self, out: &mut dyn Output, _: Direction, bytes: &[u8]) -> Progress {
        match message::read(bytes) {
            Some(record) => out.event(record.into_body()),
            None => out.anomaly("wsdiscovery.malformed"),
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, _: &mut dyn Output) {}
}
