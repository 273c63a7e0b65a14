//! http.

pub mod record;

use luytre_events::Transport;

use super::{Direction, Output, Parser, Probe, Progress, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "http",
    transports: &[Transport::TCP],
    ports: &[],
    probe_min_bytes: 4,
    probe: |_, _, _| Probe::No,
    parser: |_| Box::new(Later),
    datasets: &[record::HttpTransaction::DATASET],
};

struct Later;

impl Parser for Later {
    fn data(&mut self, _: &mut dyn Output, _: Direction, _: &[u8]) -> Progress {
        Progress::Done
    }
    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }
    fn finish(&mut self, _: &mut dyn Output) {}
}
