//! Target: frames of any link type through the decoder.
//!
//! Script: a byte of settings (1: checksums are verified, 2: little room for fragments), then frames: a byte that chooses
//! the link type, a byte of time, two bytes of length, the bytes.
//!
//! Must hold: every packet is given, refused or held, at every moment; nothing is held at the end; a payload is part of
//! its frame or of a whole datagram; fragments stay within their limits.

use luytre_sensor::capture::{LinkType, Packet};
use luytre_sensor::decode::fragments::FragmentLimits;
use luytre_sensor::decode::{Checksums, Decoder, NESTING_MAX, Stop};

use super::input::Input;
use super::memory;

/// Link types that are known, and one that is not.
pub const LINKS: [u32; 16] = [1, 12, 14, 101, 228, 229, 0, 108, 9, 50, 104, 113, 276, 239, 101, 147];

/// The longest datagram there can be.
const DATAGRAM_MAX_BYTES: usize = 65_535;
/// What a fragment takes besides its bytes, and room for tables that grow by doubling.
const SLACK_BYTES: i64 = 512 << 10;

/// Plays a script.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let settings = input.u8();
    let checksums = if settings & 1 == 0 { Checksums::Ignore } else { Checksums::Verify };
    let limits = match settings & 2 {
        0 => FragmentLimits::default(),
        _ => FragmentLimits { datagrams: 3, size_bytes: 2000, ..FragmentLimits::default() },
    };
    let before = memory::live_bytes();
    let mut decoder = Decoder::new(limits, checksums);
    decoder.set_odd_wanted(true);
    let mut time_ns = 1_795_000_000_000_000_000;
    let mut packets = 0;
    while !input.is_empty() {
        let link = LinkType(input.choose(&LINKS));
        time_ns += input.step_ns();
        let length = input.u16().into();
        let bytes = input.take(length);
        packets += 1;
        one(&mut decoder, &Packet { time_ns, link, original_length: length as u32, vlan: None, bytes });
        assert_eq!(decoder.counts().taken, packets);
        let kept = memory::live_bytes() - before;
        assert!(kept <= limits.size_bytes as i64 + SLACK_BYTES, "{kept} bytes are kept of fragments");
    }
    decoder.finish();
    let counts = decoder.counts();
    assert_eq!(decoder.held(), 0, "fragments are held at the end");
    assert_eq!(counts.taken, counts.given + counts.refused.iter().sum::<u64>());
}

fn one(decoder: &mut Decoder, packet: &Packet<'_>) {
    let mut whole = Vec::new();
    match decoder.decode(packet, &mut whole) {
        Ok(decoded) => {
            assert!(decoded.payload.len() <= packet.bytes.len().max(DATAGRAM_MAX_BYTES));
            assert!(decoded.packets > 0 && decoded.bytes >= packet.bytes.len() as u64);
            if let Some(tcp) = &decoded.tcp {
                assert!(decoded.payload.len() as u64 <= u64::from(tcp.payload_length));
            }
        }
        Err(Stop::Held | Stop::Arp(_) | Stop::Refused(_)) => {}
    }
    let counts = decoder.counts();
    let settled = counts.given + counts.refused.iter().sum::<u64>();
    assert_eq!(counts.taken, settled + decoder.held(), "a packet is nowhere");
    const { assert!(NESTING_MAX < 16, "the walk through headers calls itself") };
}
