//! The few pcapng blocks that are written (draft-ietf-opsawg-pcapng): section header, interface description, enhanced
//! packet; little-endian, times in nanoseconds.

use crate::capture::{LinkType, Packet};

/// Length of an enhanced packet block without the packet.
pub const PACKET_EXTRA_BYTES: usize = 32;

/// Length of an enhanced packet block's fields before the packet.
const PACKET_HEAD_BYTES: usize = 28;
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const OPTION_NAME: u16 = 2;
const OPTION_RESOLUTION: u16 = 9;
/// Times are counted in units of ten to the power of minus this.
const NANOSECONDS: u8 = 9;
/// The tag protocol id of IEEE 802.1Q.
const VLAN_TAG: [u8; 2] = [0x81, 0x00];
/// Where a VLAN tag stands in an Ethernet frame.
const VLAN_AT: usize = 12;

/// Begins a section.
pub fn section(out: &mut Vec<u8>) {
    for word in [SECTION, 28, 0x1a2b_3c4d] {
        out.extend(word.to_le_bytes());
    }
    out.extend(1u16.to_le_bytes());
    out.extend(0u16.to_le_bytes());
    // Its length is not known.
    out.extend(u64::MAX.to_le_bytes());
    out.extend(28u32.to_le_bytes());
}

/// Describes the next interface.
pub fn interface(out: &mut Vec<u8>, link: LinkType, name: &str) {
    let mut options = Vec::new();
    option(&mut options, OPTION_NAME, name.as_bytes());
    option(&mut options, OPTION_RESOLUTION, &[NANOSECONDS]);
    option(&mut options, 0, &[]);
    let length = word(20 + options.len());
    out.extend(INTERFACE.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(u16::try_from(link.0).unwrap_or(u16::MAX).to_le_bytes());
    out.extend(0u16.to_le_bytes());
    // No limit to packets.
    out.extend(0u32.to_le_bytes());
    out.extend(options);
    out.extend(length.to_le_bytes());
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// A packet of an interface of this section. A VLAN tag that the network card took out is put back.
pub fn packet(out: &mut Vec<u8>, interface: u32, packet: &Packet<'_>) {
    let tag = packet.vlan.filter(|_| packet.link == LinkType::ETHERNET && packet.bytes.len() >= VLAN_AT);
    let tag_bytes: u32 = if tag.is_some() { 4 } else { 0 };
    let captured = word(packet.bytes.len()).saturating_add(tag_bytes);
    let original = packet.original_length.saturating_add(tag_bytes).max(captured);
    let length = word(PACKET_EXTRA_BYTES).saturating_add(captured.next_multiple_of(4));
    // There is no time before 1970 in this format.
    let time = u64::try_from(packet.time_ns).unwrap_or(0);
    let (high, low) = ((time >> 32) as u32, (time & u64::from(u32::MAX)) as u32);
    let mut head = [0; PACKET_HEAD_BYTES];
    let words = [ENHANCED_PACKET, length, interface, high, low, captured, original];
    for (place, word) in head.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    out.reserve(length as usize);
    out.extend_from_slice(&head);
    match tag.and_then(|tag| Some((tag, packet.bytes.split_at_checked(VLAN_AT)?))) {
        Some((tag, (before, behind))) => {
            out.extend_from_slice(before);
            out.extend_from_slice(&VLAN_TAG);
            out.extend_from_slice(&tag.to_be_bytes());
            out.extend_from_slice(behind);
        }
        None => out.extend_from_slice(packet.bytes),
    }
    let padding = captured.next_multiple_of(4) - captured;
    out.extend_from_slice(&[0; 3][..padding as usize]);
    out.extend_from_slice(&length.to_le_bytes());
}

/// Packets are shorter than a [`PACKET_MAX_BYTES`](crate::capture::PACKET_MAX_BYTES), options than that.
fn word(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Length, time (nanoseconds since 1970-01-01 UTC) and interface of the enhanced packet block at the front of `bytes`.
pub fn peek(bytes: &[u8]) -> Option<(usize, i64, u32)> {
    let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let length = word(4)? as usize;
    if word(0)? != ENHANCED_PACKET || length < PACKET_EXTRA_BYTES || length > bytes.len() {
        return None;
    }
    let time = u64::from(word(12)?) << 32 | u64::from(word(16)?);
    Some((length, i64::try_from(time).unwrap_or(i64::MAX), word(8)?))
}

/// Gives a packet block to another interface.
pub fn put(out: &mut Vec<u8>, block: &[u8], interface: u32) {
    let from = out.len();
    out.extend_from_slice(block);
    if let Some(place) = out.get_mut(from + 8..from + 12) {
        place.copy_from_slice(&interface.to_le_bytes());
    }
}
