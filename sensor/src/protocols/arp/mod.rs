//! ARP (RFC 826): who says to have which address on the link.
//!
//! Comes in: packets as `decode` gives them; ARP has no flow and no parser of the table. Goes out: one event a packet,
//! within limits, so that a storm does not become a flood of events: of packets that say the same (operation, sender,
//! target) at most [`SAME_MAX`] a minute are told, at most [`LINES_MAX`] different ones are told apart, and at most
//! [`EVENTS_MAX`] events are made a minute. What is beyond is counted as `arp.repeated`, `arp.line_limit` and
//! `arp.event_limit`. The limits are those of one shard.

pub mod record;

use ahash::HashMap;
use std::net::Ipv4Addr;

use luytre_events::{DatasetId, FieldId, Value};

use super::text;
use crate::decode::arp::ArpPacket;
use record::ArpSeen;

/// Packets that say the same and are told in one minute: more than any host that looks for a silent neighbour sends.
pub const SAME_MAX: u32 = 20;
/// Different lines that are told apart in one minute: every address of a /20, once.
pub const LINES_MAX: usize = 4096;
/// Events of one minute.
pub const EVENTS_MAX: u32 = 8192;

const MINUTE_NS: i64 = 60_000_000_000;

/// Operation, sender, target address.
type Line = (u16, ([u8; 6], Ipv4Addr), Ipv4Addr);

/// Tells packets until there are too many of them.
#[derive(Debug, Default)]
pub struct Teller {
    minute: i64,
    lines: HashMap<Line, u32>,
    events: u32,
}

/// Dataset and fields of an event.
type Told = (DatasetId, Vec<(FieldId, Value)>);

impl Teller {
    /// The event of a packet, or the name of the limit that it meets.
    pub fn tell(&mut self, time_ns: i64, packet: &ArpPacket) -> Result<Told, &'static str> {
        let minute = time_ns.div_euclid(MINUTE_NS);
        if minute != self.minute {
            *self = Teller { minute, ..Teller::default() };
        }
        let line = (packet.operation, packet.sender, packet.target.1);
        if self.lines.len() >= LINES_MAX && !self.lines.contains_key(&line) {
            return Err("arp.line_limit");
        }
        let same = self.lines.entry(line).or_default();
        if *same >= SAME_MAX {
            return Err("arp.repeated");
        }
        if self.events >= EVENTS_MAX {
            return Err("arp.event_limit");
        }
        *same += 1;
        self.events += 1;
        Ok(record(packet).into_body())
    }
}

fn record(packet: &ArpPacket) -> ArpSeen {
    let ((sender_mac, sender), (target_mac, target)) = (packet.sender, packet.target);
    ArpSeen {
        protocol: "arp",
        operation: operation(packet.operation),
        source_ip: Some(sender.into()),
        source_mac: text::mac(&sender_mac),
        destination_ip: Some(target.into()),
        destination_mac: text::mac(&target_mac),
        vlan: packet.vlan.map(u64::from),
        announcement: (sender == target).then_some(true),
        probe: (sender.is_unspecified() && packet.operation == 1).then_some(true),
    }
}

fn operation(operation: u16) -> String {
    let name = match operation {
        1 => "request",
        2 => "reply",
        3 => "reverse request",
        4 => "reverse reply",
        8 => "inverse request",
        9 => "inverse reply",
        other => return other.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: u32) -> ArpPacket {
        ArpPacket {
            operation: 1,
            sender: ([0, 0, 0x5e, 0, 0x53, 1], [192, 0, 2, 1].into()),
            target: ([0; 6], target.into()),
            vlan: None,
        }
    }

    #[test]
    fn a_storm_is_told_in_part_and_the_next_minute_anew() {
        let mut teller = Teller::default();
        let told = (0..100).filter(|_| teller.tell(0, &request(7)).is_ok()).count();
        assert_eq!(told, 20);
        assert_eq!(teller.tell(MINUTE_NS - 1, &request(7)).unwrap_err(), "arp.repeated");
        assert!(teller.tell(MINUTE_NS, &request(7)).is_ok());
    }

    #[test]
    fn a_sweep_of_the_whole_network_has_an_end() {
        let mut teller = Teller::default();
        let told = (0..100_000).filter(|target| teller.tell(0, &request(*target)).is_ok()).count();
        assert_eq!(told, LINES_MAX);
        assert_eq!(teller.tell(0, &request(100_000)).unwrap_err(), "arp.line_limit");
        let again = (0..4).flat_map(|_| 0..4096).filter(|target| teller.tell(0, &request(*target)).is_ok()).count();
        assert_eq!(told + again, 8192);
        assert_eq!(teller.tell(0, &request(1)).unwrap_err(), "arp.event_limit");
    }
}
