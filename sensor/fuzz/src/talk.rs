//! Conversations as frames: a few flows on ports of the table, whose sequence numbers fit as long as the script wants them to.
//!
//! Script: three bytes for each of [`FLOWS`] flows (a byte for the transport and the version of IP, two for the server's
//! port), then what happens: a byte (bits 0 and 1: the flow; bit 2: who; bits 3 to 5: what) and what that needs.

use std::net::IpAddr;

use luytre_sensor::capture::LinkType;
use luytre_sensor::protocols::{Direction, PROTOCOLS};

use super::input::Input;
use super::protocols::Step;
use super::worker::Frame;

/// Flows of a script.
pub const FLOWS: usize = 4;
/// Raw IP.
const RAW: LinkType = LinkType(101);
const TCP: u8 = 6;
const UDP: u8 = 17;
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// One flow and how far it has come.
struct Line {
    transport: u8,
    ends: [(IpAddr, u16); 2],
    /// The next sequence number of each side.
    next: [u32; 2],
}

/// Flows under way.
pub struct Talk {
    lines: Vec<Line>,
    frames: Vec<Frame>,
    time_ns: i64,
}

impl Talk {
    /// The frames of a script.
    pub fn frames(input: &mut Input<'_>, frames_max: usize) -> Vec<Frame> {
        let known: Vec<u16> = PROTOCOLS.iter().flat_map(|protocol| protocol.ports).copied().collect();
        let lines = (0..FLOWS).map(|number| Line::new(number, input, &known)).collect();
        let mut talk = Talk { lines, frames: Vec::new(), time_ns: 1_795_000_000_000_000_000 };
        while !input.is_empty() && talk.frames.len() < frames_max {
            talk.happens(input);
        }
        talk.frames
    }

    fn happens(&mut self, input: &mut Input<'_>) {
        let head = input.u8();
        let (flow, who) = (usize::from(head & 3), usize::from(head >> 2 & 1));
        self.time_ns += 1_000_000;
        match head >> 3 & 7 {
            0 => {
                for (who, flags) in [(who, SYN), (1 - who, SYN | ACK), (who, ACK)] {
                    self.send(flow, who, flags, 0, &[]);
                }
            }
            1 => {
                let length = input.u8().into();
                self.send(flow, who, ACK, 0, input.take(length));
            }
            2 => {
                let length = usize::from(input.u16()) % 20_000;
                self.send(flow, who, ACK, 0, input.take(length));
            }
            3 => {
                let (off, length) = (input.u8().cast_signed(), input.u8().into());
                self.send(flow, who, ACK, i32::from(off), input.take(length));
            }
            4 => self.send(flow, who, ACK, 0, &[]),
            5 => self.send(flow, who, ACK | FIN, 0, &[]),
            6 => self.send(flow, who, RST, 0, &[]),
            _ => self.time_ns += input.step_ns(),
        }
    }

    /// A frame of a flow whose sequence number is `off` from where it should be.
    fn send(&mut self, flow: usize, who: usize, flags: u8, off: i32, payload: &[u8]) {
        let Some(line) = self.lines.get_mut(flow) else { return };
        let sequence = line.next[who].wrapping_add_signed(off);
        let mut segment = Vec::new();
        segment.extend(line.ends[who].1.to_be_bytes());
        segment.extend(line.ends[1 - who].1.to_be_bytes());
        if line.transport == TCP {
            segment.extend(sequence.to_be_bytes());
            segment.extend(line.next[1 - who].to_be_bytes());
            segment.extend([0x50, flags, 0x40, 0, 0, 0, 0, 0]);
            if off == 0 {
                let counted = u32::from(flags & (SYN | FIN) != 0);
                line.next[who] = line.next[who].wrapping_add(payload.len() as u32 + counted);
            }
        } else {
            segment.extend(u16::try_from(8 + payload.len()).unwrap_or(u16::MAX).to_be_bytes());
            segment.extend([0, 0]);
        }
        segment.extend(payload);
        let bytes = line.wrap(who, &segment);
        self.frames.push(Frame { time_ns: self.time_ns, link: RAW, bytes });
    }
}

impl Line {
    fn new(number: usize, input: &mut Input<'_>, known: &[u16]) -> Line {
        let (kind, port) = (input.u8(), input.u16());
        let last = u8::try_from(number).unwrap_or(0);
        let port = if kind & 4 == 0 { known[usize::from(port) % known.len()] } else { port };
        // Two of the flows are between the same two hosts.
        let server = 7 + last / 2;
        let hosts: [IpAddr; 2] = if kind & 2 == 0 {
            [[192, 0, 2, 10].into(), [198, 51, 100, server].into()]
        } else {
            [[0x2001, 0xdb8, 0, 0, 0, 0, 0, 10].into(), [0x2001, 0xdb8, 0, 1, 0, 0, 0, server.into()].into()]
        };
        let transport = if kind & 1 == 0 { TCP } else { UDP };
        Line { transport, ends: [(hosts[0], 40_000 + u16::from(last)), (hosts[1], port)], next: [1000, u32::MAX - 500] }
    }

    /// A segment with a header of IP before it.
    fn wrap(&self, who: usize, segment: &[u8]) -> Vec<u8> {
        let length = u16::try_from(segment.len()).unwrap_or(u16::MAX);
        let mut frame = Vec::with_capacity(40 + segment.len());
        match (self.ends[who].0, self.ends[1 - who].0) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                frame.extend([0x45, 0]);
                frame.extend((20 + length).to_be_bytes());
                frame.extend([0, 1, 0x40, 0, 60, self.transport, 0, 0]);
                frame.extend(source.octets());
                frame.extend(destination.octets());
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                frame.extend([0x60, 0, 0, 0]);
                frame.extend(length.to_be_bytes());
                frame.extend([self.transport, 60]);
                frame.extend(source.octets());
                frame.extend(destination.octets());
            }
            _ => {}
        }
        frame.extend(segment);
        frame
    }
}

/// A script that plays these steps as one flow on a port, opened with a handshake where it is TCP.
pub fn script(transport: u8, port: u16, steps: &[Step]) -> Vec<u8> {
    let mut out = vec![1];
    for _ in 0..FLOWS {
        out.push(4 | u8::from(transport == UDP));
        out.extend(port.to_le_bytes());
    }
    if transport == TCP {
        out.push(0);
    }
    for step in steps {
        let Step::Data(direction, bytes) = step else { continue };
        let who = u8::from(*direction == Direction::ToClient) << 2;
        // Not a multiple of any message's length, and below what a frame may have here.
        for piece in bytes.chunks(1401) {
            out.push(who | 2 << 3);
            out.extend(u16::try_from(piece.len()).unwrap_or(0).to_le_bytes());
            out.extend(piece);
        }
    }
    if transport == TCP {
        out.extend([5 << 3, 1 << 2 | 5 << 3, 4 << 3]);
    }
    out
}
