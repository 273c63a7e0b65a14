//! pcapng files (draft-ietf-opsawg-pcapng): sections in either byte order, each with its own interfaces, clocks and
//! link types; enhanced, simple and (obsolete) packet blocks. Other blocks are passed over.

use super::pcap::{Record, Step, number};
use super::window::{Seen, WINDOW_MAX_BYTES, Window};
use super::{LinkType, PACKET_MAX_BYTES};

/// Most interfaces a section may describe; later ones are ignored (their packets count as damaged).
const INTERFACES_MAX: usize = 4096;
/// Most option bytes of an interface that are looked at.
const BLOCK_MIN_BYTES: usize = 12;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const OPTION_TSRESOL: u16 = 9;
const OPTION_TSOFFSET: u16 = 14;

/// One interface of a section.
#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    snap_length: u32,
    /// Ticks of its clock in a second.
    ticks: u64,
    offset_s: i64,
}

/// The state of a section.
#[derive(Debug, Default)]
pub struct Pcapng {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Bytes of an over-long block that are still to be passed over.
    skipping: u64,
}

impl Pcapng {
    /// Whether a file begins like pcapng.
    pub fn begins(bytes: &[u8]) -> bool {
        bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a])
    }

    /// The next block of the file.
    pub fn next(&mut self, window: &mut Window) -> std::io::Result<Step> {
        if self.skipping > 0 {
            return self.skip(window);
        }
        match window.need(BLOCK_MIN_BYTES)? {
            Seen::Short(0) => return Ok(Step::End),
            Seen::Short(_) => return Ok(Step::Cut("the file ends within a block header")),
            Seen::Enough => {}
        }
        let head = window.peek(BLOCK_MIN_BYTES);
        let kind = number(self.big_endian, head, 0).unwrap_or(0);
        if kind == SECTION {
            match number(true, head, 8) {
                Some(0x1a2b_3c4d) => self.big_endian = true,
                Some(0x4d3c_2b1a) => self.big_endian = false,
                _ => return Ok(Step::Damaged("a section has no byte-order mark")),
            }
        }
        let length = number(self.big_endian, window.peek(BLOCK_MIN_BYTES), 4).unwrap_or(0) as usize;
        if length < BLOCK_MIN_BYTES {
            return Ok(Step::Damaged("a block claims to be shorter than its header"));
        }
        let padded = length.next_multiple_of(4);
        if padded > WINDOW_MAX_BYTES {
            if matches!(kind, SECTION | INTERFACE | OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET) {
                return Ok(Step::Damaged("a block claims to be longer than any packet can be"));
            }
            self.skipping = padded as u64;
            return self.skip(window);
        }
        if let Seen::Short(left) = window.need(padded)? {
            // Some writers leave out the last padding.
            if left < length {
                return Ok(Step::Cut("the file ends within a block"));
            }
        }
        Ok(self.block(window.peek(length), kind, padded))
    }

    fn skip(&mut self, window: &mut Window) -> std::io::Result<Step> {
        let step = usize::try_from(self.skipping).unwrap_or(usize::MAX).min(WINDOW_MAX_BYTES / 2);
        if let Seen::Short(_) = window.need(step)? {
            return Ok(Step::Cut("the file ends within a block"));
        }
        self.skipping -= step as u64;
        Ok(Step::Skip(step))
    }

    fn block(&mut self, block: &[u8], kind: u32, consume: usize) -> Step {
        let body_end = block.len().saturating_sub(4);
        let field = |at| number(self.big_endian, block.get(..body_end).unwrap_or(&[]), at);
        match kind {
            SECTION => {
                self.interfaces.clear();
                Step::Skip(consume)
            }
            INTERFACE => {
                let interface = self.interface(block, body_end);
                if self.interfaces.len() < INTERFACES_MAX {
                    self.interfaces.extend(interface);
                }
                Step::Skip(consume)
            }
            ENHANCED_PACKET => {
                let fields = (field(8), field(12), field(16), field(20), field(24));
                let (Some(id), Some(high), Some(low), Some(captured), Some(original)) = fields else {
                    return Step::Damaged("a packet block is too short");
                };
                self.packet(id, (high, low), captured, original, 28, body_end, consume)
            }
            OLD_PACKET => {
                let fields = (field(8), field(12), field(16), field(20), field(24));
                let (Some(id), Some(high), Some(low), Some(captured), Some(original)) = fields else {
                    return Step::Damaged("a packet block is too short");
                };
                let id = if self.big_endian { id >> 16 } else { id & 0xffff };
                self.packet(id, (high, low), captured, original, 28, body_end, consume)
            }
            SIMPLE_PACKET => {
                let Some(original) = field(8) else { return Step::Damaged("a packet block is too short") };
                let snap = self.interfaces.first().map_or(0, |i| i.snap_length);
                let limit = if snap == 0 { u32::MAX } else { snap };
                let there = u32::try_from(body_end.saturating_sub(12)).unwrap_or(u32::MAX);
                let captured = original.min(limit).min(there);
                self.packet(0, (0, 0), captured, original, 12, body_end, consume)
            }
            _ => Step::Skip(consume),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of a packet block, in its order")]
    fn packet(
        &self,
        id: u32,
        time: (u32, u32),
        captured: u32,
        original_length: u32,
        from: usize,
        body_end: usize,
        consume: usize,
    ) -> Step {
        let Some(interface) = self.interfaces.get(id as usize) else {
            return Step::Damaged("a packet names an interface that the file does not describe");
        };
        let to = from.saturating_add(captured as usize);
        if to > body_end || captured as usize > PACKET_MAX_BYTES {
            return Step::Damaged("a packet claims to be longer than its block");
        }
        let ticks = u64::from(time.0) << 32 | u64::from(time.1);
        let time_ns = interface.time_ns(ticks);
        Step::Record(Record { time_ns, link: interface.link, original_length, from, to }, consume)
    }

    fn interface(&self, block: &[u8], body_end: usize) -> Option<Interface> {
        let half = |at: usize| {
            let two = *block.get(at..body_end)?.first_chunk::<2>()?;
            Some(if self.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
        };
        let link = LinkType(half(8)?.into());
        let snap_length = number(self.big_endian, block, 12)?;
        let mut interface = Interface { link, snap_length, ticks: 1_000_000, offset_s: 0 };
        let mut at = 16;
        while let (Some(code), Some(length)) = (half(at), half(at + 2)) {
            let value = block.get(at + 4..body_end).and_then(|rest| rest.get(..length.into()));
            match (code, value) {
                (0, _) | (_, None) => break,
                (OPTION_TSRESOL, Some([resolution, ..])) => interface.ticks = ticks(*resolution),
                (OPTION_TSOFFSET, Some(value)) => {
                    if let Some(eight) = value.first_chunk::<8>() {
                        let big = self.big_endian;
                        interface.offset_s = if big { i64::from_be_bytes(*eight) } else { i64::from_le_bytes(*eight) };
                    }
                }
                _ => {}
            }
            at += 4 + usize::from(length).next_multiple_of(4);
        }
        Some(interface)
    }
}

impl Interface {
    fn time_ns(&self, ticks: u64) -> i64 {
        let ns = i128::from(ticks) * 1_000_000_000 / i128::from(self.ticks.max(1));
        let ns = ns + i128::from(self.offset_s) * 1_000_000_000;
        i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
    }
}

/// Ticks in a second from `if_tsresol`: a power of ten, or of two where the top bit is set.
fn ticks(resolution: u8) -> u64 {
    let exponent = u32::from(resolution & 0x7f);
    let base: u64 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(exponent).unwrap_or(u64::MAX)
}
