//! Classic pcap files (draft-ietf-opsawg-pcap): micro- or nanoseconds, either byte order.

use super::window::{Seen, Window};
use super::{LinkType, PACKET_MAX_BYTES};

/// What a file header says.
#[derive(Debug, Clone, Copy)]
pub struct PcapHeader {
    big_endian: bool,
    nanoseconds: bool,
    /// Bytes between the usual record header and the packet (Kuznetzov's variant has 8).
    extra: usize,
    link: LinkType,
}

/// Length of the file header.
pub const HEADER_BYTES: usize = 24;
const RECORD_BYTES: usize = 16;
const SECOND_NS: i64 = 1_000_000_000;

/// A record's place in the window.
pub struct Record {
    /// When, nanoseconds since 1970-01-01 UTC.
    pub time_ns: i64,
    /// Link type of the packet.
    pub link: LinkType,
    /// Bytes on the wire.
    pub original_length: u32,
    /// Where the packet begins in the window.
    pub from: usize,
    /// Where it ends; also what to consume.
    pub to: usize,
}

/// What comes next in a file.
pub enum Step {
    /// A packet; consume up to its end, plus what follows.
    Record(Record, usize),
    /// Nothing of interest in so many bytes.
    Skip(usize),
    /// The file ends where it should.
    End,
    /// The file ends within a record or block.
    Cut(&'static str),
    /// The file is damaged.
    Damaged(&'static str),
}

impl PcapHeader {
    /// Reads the 24 bytes at the start, or nothing if they are not a pcap header.
    pub fn parse(bytes: &[u8]) -> Option<PcapHeader> {
        let (big_endian, nanoseconds, extra) = match bytes.first_chunk::<4>()? {
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, false, 0),
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, false, 0),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, true, 0),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, true, 0),
            [0xa1, 0xb2, 0xcd, 0x34] => (true, false, 8),
            [0x34, 0xcd, 0xb2, 0xa1] => (false, false, 8),
            _ => return None,
        };
        let link = number(big_endian, bytes, 20)?;
        // The upper bits say whether a checksum follows the frame (FCS), which decode does not mind.
        Some(PcapHeader { big_endian, nanoseconds, extra, link: LinkType(link & 0x0fff_ffff) })
    }

    /// The next record of the file.
    pub fn next(&self, window: &mut Window) -> std::io::Result<Step> {
        let head = RECORD_BYTES + self.extra;
        match window.need(head)? {
            Seen::Short(0) => return Ok(Step::End),
            Seen::Short(_) => return Ok(Step::Cut("the file ends within a packet header")),
            Seen::Enough => {}
        }
        let bytes = window.peek(RECORD_BYTES);
        let field = |at| number(self.big_endian, bytes, at).unwrap_or(0);
        let (seconds, fraction) = (i64::from(field(0)), i64::from(field(4)));
        let (captured, original_length) = (field(8) as usize, field(12));
        if captured > PACKET_MAX_BYTES {
            return Ok(Step::Damaged("a packet claims to be longer than any packet can be"));
        }
        let to = head + captured;
        if let Seen::Short(_) = window.need(to)? {
            return Ok(Step::Cut("the file ends within a packet"));
        }
        let scale = if self.nanoseconds { 1 } else { 1000 };
        let time_ns = seconds * SECOND_NS + fraction * scale;
        Ok(Step::Record(Record { time_ns, link: self.link, original_length, from: head, to }, to))
    }
}

/// Four bytes at `at` as a number.
pub fn number(big_endian: bool, bytes: &[u8], at: usize) -> Option<u32> {
    let four = *bytes.get(at..)?.first_chunk::<4>()?;
    Some(if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
}
