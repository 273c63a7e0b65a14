//! Joins messages and what acknowledges them.

use std::collections::VecDeque;

use super::inspection;
use super::packet::{
    self, CONNACK, CONNECT, Header, MAX_KEPT_BYTES, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL,
    SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE,
};
use super::record::MqttMessage;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Messages of one side that may wait to be acknowledged.
pub const MAX_OPEN: usize = 64;

/// The parser of one flow.
#[derive(Default)]
pub struct MqttParser {
    version5: bool,
    /// A log-in was seen.
    introduced: bool,
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    /// Beginning of a packet: at most its header and [`MAX_KEPT_BYTES`].
    partial: Vec<u8>,
    /// Bytes to pass over: the rest of a packet that is longer.
    skip_bytes: usize,
    /// Messages that this side has sent, in order.
    open: VecDeque<(u8, MqttMessage)>,
    lost: bool,
    /// Bytes are missing: what follows is read if it is whole packets.
    gapped: bool,
}

impl Parser for MqttParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        let mut bytes = bytes;
        if self.side(direction).gapped {
            if !packet::fills(bytes) {
                return Progress::Continue;
            }
            self.side(direction).gapped = false;
        }
        while !bytes.is_empty() && !self.side(direction).lost {
            let side = self.side(direction);
            let skipped = side.skip_bytes.min(bytes.len());
            side.skip_bytes -= skipped;
            bytes = bytes.get(skipped..).unwrap_or(&[]);
            let wanted = side.wanted(out);
            let (now, later) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
            side.partial.extend_from_slice(now);
            bytes = later;
            if let Some((head, body)) = side.take() {
                self.packet(out, direction, head, &body);
            }
        }
        if self.sides.iter().all(|side| side.lost) { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        let side = self.side(direction);
        match usize::try_from(length).ok().and_then(|length| side.skip_bytes.checked_sub(length)) {
            Some(rest) => side.skip_bytes = rest,
            None => {
                out.anomaly("mqtt.framing_lost");
                side.partial.clear();
                (side.skip_bytes, side.gapped) = (0, true);
            }
        }
        if self.sides.iter().all(|side| side.lost) { Progress::Done } else { Progress::Continue }
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for side in &mut self.sides {
            for (_, record) in side.open.drain(..) {
                out.event(record.into_body());
            }
        }
    }
}

impl Side {
    /// Bytes that are missing until the packet at hand is whole, or as much of it as is kept.
    fn wanted(&mut self, out: &mut dyn Output) -> usize {
        match packet::header(&self.partial) {
            Ok(None) => 1,
            Ok(Some(head)) => {
                (head.header_bytes + head.body_bytes.min(MAX_KEPT_BYTES)).saturating_sub(self.partial.len())
            }
            Err(_) => {
                out.anomaly("mqtt.framing_lost");
                self.lost = true;
                0
            }
        }
    }

    /// The packet at hand once it is there.
    fn take(&mut self) -> Option<(Header, Vec<u8>)> {
        let head = packet::header(&self.partial).ok().flatten()?;
        let kept = head.body_bytes.min(MAX_KEPT_BYTES);
        if self.partial.len() < head.header_bytes + kept {
            return None;
        }
        self.skip_bytes = head.body_bytes - kept;
        let mut packet = std::mem::take(&mut self.partial);
        Some((head, packet.split_off(head.header_bytes)))
    }

    fn wait(&mut self, out: &mut dyn Output, kind: u8, record: MqttMessage) {
        if self.open.len() >= MAX_OPEN
            && let Some((_, oldest)) = self.open.pop_front()
        {
            out.anomaly("mqtt.open_limit");
            out.event(oldest.into_body());
        }
        self.open.push_back((kind, record));
    }
}

impl MqttParser {
    fn side(&mut self, direction: Direction) -> &mut Side {
        let [to_server, to_client] = &mut self.sides;
        if direction == Direction::ToServer { to_server } else { to_client }
    }

    fn packet(&mut self, out: &mut dyn Output, direction: Direction, head: Header, body: &[u8]) {
        self.introduced |= matches!(head.kind, CONNECT | CONNACK);
        inspection::packet(out, direction, head, body, self.version5);
        self.out_of_turn(out, direction, head.kind);
        let (mut record, result) = packet::read(head, body, self.version5);
        // Of a long packet only the beginning was kept; that something is missing there is no fault.
        if result.is_err() && head.body_bytes <= MAX_KEPT_BYTES {
            record.malformed = Some(true);
            out.anomaly("mqtt.malformed");
        }
        if head.kind == CONNECT {
            self.version5 = record.version.as_deref() == Some("5");
        }
        match head.kind {
            PUBLISH if record.quality == Some(0) => {
                record.sender = Some(sender(direction));
                out.event(record.into_body());
            }
            PUBLISH => {
                record.sender = Some(sender(direction));
                self.side(direction).wait(out, PUBLISH, record);
            }
            CONNECT | SUBSCRIBE | UNSUBSCRIBE | PINGREQ => self.side(direction).wait(out, head.kind, record),
            CONNACK => self.acknowledge(out, opposite(direction), CONNECT, head.kind, record, true),
            PUBACK | PUBCOMP => self.acknowledge(out, opposite(direction), PUBLISH, head.kind, record, true),
            // A receipt that refuses is the last one.
            PUBREC => {
                let last = record.result.is_some_and(|result| result >= 0x80);
                self.acknowledge(out, opposite(direction), PUBLISH, head.kind, record, last);
            }
            PUBREL => self.acknowledge(out, direction, PUBLISH, head.kind, record, false),
            SUBACK => self.acknowledge(out, opposite(direction), SUBSCRIBE, head.kind, record, true),
            UNSUBACK => self.acknowledge(out, opposite(direction), UNSUBSCRIBE, head.kind, record, true),
            PINGRESP => self.acknowledge(out, opposite(direction), PINGREQ, head.kind, record, true),
            _ => {
                record.sender = Some(sender(direction));
                out.event(record.into_body());
            }
        }
    }

    /// Tells rules of what comes without that which must come before it.
    fn out_of_turn(&mut self, out: &mut dyn Output, direction: Direction, kind: u8) {
        let (asked, notice) = match kind {
            CONNECT if self.side(direction).open.iter().any(|(open, _)| *open == CONNECT) => {
                return out.notice_alone(direction, "mqtt.double_connect");
            }
            CONNACK => (CONNECT, "mqtt.missing_connect"),
            PUBACK | PUBREC | PUBCOMP => (PUBLISH, "mqtt.missing_publish"),
            SUBACK => (SUBSCRIBE, "mqtt.missing_subscribe"),
            UNSUBACK => (UNSUBSCRIBE, "mqtt.missing_unsubscribe"),
            CONNECT => return,
            _ if !self.introduced => return out.notice_alone(direction, "mqtt.unintroduced_message"),
            _ => return,
        };
        if !self.side(opposite(direction)).open.iter().any(|(open, _)| *open == asked) {
            out.notice_alone(direction, notice);
        }
    }

    /// Adds an acknowledgement to what it belongs to, and tells that when nothing more is to come.
    fn acknowledge(&mut self, out: &mut dyn Output, of: Direction, kind: u8, by: u8, receipt: MqttMessage, last: bool) {
        let open = &mut self.side(of).open;
        let place = open.iter().position(|(of_kind, record)| {
            *of_kind == kind && (receipt.message_id.is_none() || record.message_id == receipt.message_id)
        });
        let Some((place, (_, record))) = place.and_then(|place| Some((place, open.get_mut(place)?))) else {
            out.event(receipt.into_body());
            return;
        };
        let name = packet::name(by);
        // A receipt that comes again and again does not lengthen the list.
        if !record.acknowledged.contains(&name) {
            record.acknowledged.push(name);
        }
        record.result = receipt.result.or(record.result);
        record.outcome = receipt.outcome.or(record.outcome);
        record.malformed = receipt.malformed.or(record.malformed);
        if last && let Some((_, record)) = open.remove(place) {
            out.event(record.into_body());
        }
    }
}

fn sender(direction: Direction) -> &'static str {
    if direction == Direction::ToServer { "client" } else { "server" }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::ToServer => Direction::ToClient,
        Direction::ToClient => Direction::ToServer,
    }
}
