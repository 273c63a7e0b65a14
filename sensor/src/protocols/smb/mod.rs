//! SMB 1, 2 and 3 ([MS-CIFS], [MS-SMB], [MS-SMB2]): one event a command with its answer, and one a file that is read or
//! written.
//!
//! Comes in: a TCP stream of NetBIOS session packets. Goes out: one [`record`] for each command when its answer comes,
//! when the flow ends without one, or when more than `MAX_OUTSTANDING` wait; reads and writes of one file are told
//! together when it is closed, its content is carved; what goes through named pipes goes to the parser of DCE RPC.
//! QUERY_INFO, of which there are very many, and cancellations are left out. Open files, shares and bytes that came
//! before those in front of them are bounded ([`parser`], [`transfer`]). Encrypted and compressed messages are noticed;
//! nothing in them can be read.

mod body;
mod frames;
mod inspection;
mod names;
mod opens;
mod parser;
pub mod record;
mod transactions;
mod transfer;
mod v1;
mod v2;

use luytre_events::Transport;

// What goes through pipes is told by its own parser.
use super::{Direction, Probe, Protocol, dcerpc};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "smb",
    transports: &[Transport::TCP],
    ports: &[445, 139],
    probe_min_bytes: 4,
    probe,
    parser: |_| Box::new(parser::SmbParser::default()),
    datasets: &[record::SmbCommand::DATASET],
};

/// A session packet with a message of SMB; or, on port 139, the request of a session with two names of 34 bytes.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let response = match *bytes {
        [0x81, 0, 0, 68, b' ', ..] => false,
        [0x81, 0, 0, 68] => return Probe::More,
        // The answers to it: yes, no, somewhere else.
        [0x82, 0, 0, 0, ..] | [0x83, 0, 0, 1, ..] | [0x84, 0, 0, 6, ..] if on_port => true,
        _ if frames::begins(bytes) => match bytes.get(4..) {
            Some(message) if message.starts_with(b"\xff") => match message.get(9) {
                Some(flags) => flags & 0x80 != 0,
                None => return Probe::More,
            },
            Some(message) if message.starts_with(b"\xfe") => match message.get(16) {
                Some(flags) => flags & 1 != 0,
                None => return Probe::More,
            },
            // Encrypted or compressed: it does not say who speaks.
            _ => direction == Direction::ToClient,
        },
        [0, _, _, _] | [0, _, _, _, 0xfc..=0xff] | [0, _, _, _, 0xfc..=0xff, b'S'] => return Probe::More,
        [0, _, _, _, 0xfc..=0xff, b'S', b'M'] => return Probe::More,
        _ => return Probe::No,
    };
    if response == (direction == Direction::ToClient) { Probe::Yes } else { Probe::YesReversed }
}
