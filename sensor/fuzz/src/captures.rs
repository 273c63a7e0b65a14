//! Target: capture files.
//!
//! Script: a byte (bit 0: the rest is packed with gzip before it is read; the others: into pieces of how many bytes the
//! stream falls the second time), then the file.
//!
//! Must hold: no packet is larger than what is taken from a file; however large the file says that things are, little is
//! kept; a stream that comes in small pieces holds the same packets as one that comes at once, and ends the same way.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use luytre_sensor::capture::{FileSource, Next, PACKET_MAX_BYTES, PacketSource};

use super::input::Input;
use super::memory;

/// Packets that are looked at of one file: what is unpacked may be very long.
const PACKETS_MAX: usize = 20_000;
/// The window, the decompressor and the tables of interfaces.
const KEPT_MAX_BYTES: i64 = 8 << 20;

/// Plays a script.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let settings = input.u8();
    let content = if settings & 1 == 0 { input.0.to_vec() } else { packed(input.0) };
    let at_once = read(Box::new(Cursor::new(content.clone())));
    let in_pieces = read(Box::new(Dribble { content: Cursor::new(content), size: usize::from(settings >> 1) + 1 }));
    assert_eq!(at_once, in_pieces, "pieces matter");
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(content).expect("memory takes everything");
    packer.finish().expect("memory takes everything")
}

/// What a file holds: number of packets, a sum over them, how it ended.
fn read(stream: Box<dyn Read + Send>) -> (usize, u64, String) {
    let before = memory::live_bytes();
    let mut source = match FileSource::from_stream(Path::new("fuzzed"), stream) {
        Ok(source) => source,
        Err(error) => return (0, 0, error.to_string()),
    };
    let (mut packets, mut sum) = (0, 0u64);
    let end = loop {
        match source.next() {
            Ok(Next::Packet(packet)) => {
                assert!(packet.bytes.len() <= PACKET_MAX_BYTES);
                let of_bytes = u64::from(crc32fast::hash(packet.bytes)) << 16 ^ u64::from(packet.link.0);
                sum =
                    sum.rotate_left(7) ^ of_bytes ^ packet.time_ns.cast_unsigned() ^ u64::from(packet.original_length);
                packets += 1;
            }
            Ok(Next::Idle) => {}
            Ok(Next::End) => break String::new(),
            Err(error) => break error.to_string(),
        }
        let kept = memory::live_bytes() - before;
        assert!(kept <= KEPT_MAX_BYTES, "{kept} bytes are kept of a file");
        if packets >= PACKETS_MAX {
            break String::new();
        }
    };
    (packets, sum, end)
}

/// A stream that gives a few bytes at a time.
struct Dribble {
    content: Cursor<Vec<u8>>,
    size: usize,
}

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.size.min(buffer.len());
        self.content.read(&mut buffer[..size])
    }
}
