//! Capture files of every kind, sound and damaged.

use std::io::Write as _;
use std::path::Path;

use super::*;

/// What was read: (time, link, length on the wire, bytes), and how it ended.
type Read = (Vec<(i64, u32, u32, Vec<u8>)>, Option<String>);

fn read(bytes: &[u8]) -> Read {
    let mut packets = Vec::new();
    let stream = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let mut source = match FileSource::from_stream(Path::new("x.pcap"), stream) {
        Ok(source) => source,
        Err(error) => return (packets, Some(error.to_string())),
    };
    loop {
        match source.next() {
            Ok(Next::Packet(p)) => packets.push((p.time_ns, p.link.0, p.original_length, p.bytes.to_vec())),
            Ok(_) => return (packets, None),
            Err(error) => return (packets, Some(error.to_string())),
        }
    }
}

fn word(big: bool, value: u32) -> [u8; 4] {
    if big { value.to_be_bytes() } else { value.to_le_bytes() }
}

fn half(big: bool, value: u16) -> [u8; 2] {
    if big { value.to_be_bytes() } else { value.to_le_bytes() }
}

/// A pcap file with two packets.
fn pcap(magic: u32, big: bool) -> Vec<u8> {
    let mut file = word(big, magic).to_vec();
    file.extend([half(big, 2), half(big, 4)].concat());
    file.extend([0, 0, 65535, 1].map(|v| word(big, v)).concat());
    for (seconds, fraction, bytes) in [(1, 5, b"one".as_slice()), (2, 999, b"three")] {
        let length = u32::try_from(bytes.len()).unwrap();
        file.extend([seconds, fraction, length, length + 100].map(|v| word(big, v)).concat());
        file.extend_from_slice(bytes);
    }
    file
}

fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = word(big, u32::try_from(padded + 12).unwrap());
    let mut block = [word(big, kind), length].concat();
    block.extend_from_slice(body);
    block.resize(8 + padded, 0);
    block.extend(length);
    block
}

/// A pcapng section: one interface in microseconds, one with `resolution` and an offset in seconds; a packet on each.
fn pcapng(big: bool, resolution: u8) -> Vec<u8> {
    let mut header = word(big, 0x1a2b_3c4d).to_vec();
    header.extend([half(big, 1), half(big, 0)].concat());
    header.extend([0xff; 8]);
    let mut file = block(big, 0x0a0d_0d0a, &header);
    let interface = [half(big, 1), half(big, 0)].concat();
    file.extend(block(big, 1, &[interface.as_slice(), &word(big, 0)].concat()));
    let offset = if big { 10i64.to_be_bytes() } else { 10i64.to_le_bytes() };
    let options = [
        half(big, 9).as_slice(),
        &half(big, 1),
        &[resolution, 0, 0, 0],
        &half(big, 14),
        &half(big, 8),
        &offset,
        &half(big, 0),
        &half(big, 0),
    ]
    .concat();
    let raw = [half(big, 101), half(big, 0)].concat();
    file.extend(block(big, 1, &[raw.as_slice(), &word(big, 0), &options].concat()));
    // A block of a kind that nobody knows.
    file.extend(block(big, 0x0bad, b"whatever"));
    for (interface, ticks, bytes) in [(0, 1_000_005, b"one".as_slice()), (1, 3, b"three")] {
        let length = u32::try_from(bytes.len()).unwrap();
        let fields = [interface, 0, ticks, length, length].map(|v| word(big, v)).concat();
        file.extend(block(big, 6, &[fields.as_slice(), bytes].concat()));
    }
    file.extend(block(big, 3, &[word(big, 4).as_slice(), b"four"].concat()));
    file
}

#[test]
fn pcap_in_both_byte_orders_and_resolutions() {
    for big in [false, true] {
        for (magic, scale) in [(0xa1b2_c3d4, 1000), (0xa1b2_3c4d, 1)] {
            let (packets, error) = read(&pcap(magic, big));
            assert_eq!(error, None);
            assert_eq!(packets[0], (1_000_000_000 + 5 * scale, 1, 103, b"one".to_vec()));
            assert_eq!(packets[1].0, 2_000_000_000 + 999 * scale);
        }
    }
}

#[test]
fn pcapng_with_several_interfaces_and_sections() {
    // Powers of ten and of two, and a clock that counts from ten seconds later.
    for (big, resolution, tick_ns) in [(false, 9, 1), (true, 0x80 | 10, 1_000_000_000 / 1024), (true, 6, 1000)] {
        let mut file = pcapng(big, resolution);
        file.extend(pcapng(!big, resolution));
        let (packets, error) = read(&file);
        assert_eq!(error, None);
        assert_eq!(packets.len(), 6);
        for section in packets.chunks(3) {
            assert_eq!(section[0], (1_000_005_000, 1, 3, b"one".to_vec()));
            let expected_ns = 10_000_000_000 + 3 * 1_000_000_000 / (1_000_000_000 / tick_ns);
            assert!((section[1].0 - expected_ns).abs() < 1000, "{} {expected_ns}", section[1].0);
            assert_eq!((section[1].1, &section[1].3[..]), (101, b"three".as_slice()));
            assert_eq!(section[2].3, b"four");
        }
    }
}

#[test]
fn gzipped_files_are_unpacked() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&pcap(0xa1b2_c3d4, false)).unwrap();
    let packed = packer.finish().unwrap();
    assert_eq!(read(&packed), read(&pcap(0xa1b2_c3d4, false)));
    let (_, error) = read(&packed[..packed.len() - 12]);
    assert!(error.unwrap().contains("x.pcap"));
}

#[test]
fn a_cut_file_gives_what_is_there_and_says_where_it_ends() {
    let file = pcap(0xa1b2_c3d4, false);
    let (packets, error) = read(&file[..file.len() - 1]);
    assert_eq!(packets.len(), 1);
    let message = "read the capture x.pcap: the file ends within a packet at byte 43; the packets before it were read";
    assert_eq!(error.unwrap(), message);
    let (packets, error) = read(&file[..30]);
    assert!(packets.is_empty());
    assert!(error.unwrap().contains("within a packet header at byte 24"));
    let file = pcapng(false, 6);
    let (packets, error) = read(&file[..file.len() - 5]);
    assert_eq!(packets.len(), 2);
    assert!(error.unwrap().contains("within a block"));
}

#[test]
fn what_is_no_capture_is_named() {
    assert!(read(b"").1.unwrap().contains("the file is empty"));
    assert!(read(b"PK\x03\x04 something else entirely").1.unwrap().contains("does not begin like a capture"));
    assert!(read(&[0xd4, 0xc3]).1.unwrap().contains("does not begin like a capture"));
}

#[test]
fn gigantic_lengths_are_refused_without_taking_memory() {
    let mut file = pcap(0xa1b2_c3d4, false);
    file[24 + 8..24 + 12].fill(0xff);
    assert!(read(&file).1.unwrap().contains("longer than any packet"));
    let mut file = pcapng(false, 6);
    file.extend(word(false, 6));
    file.extend(word(false, 0xffff_fff0));
    file.extend([0; 64]);
    let (packets, error) = read(&file);
    assert_eq!(packets.len(), 3);
    assert!(error.unwrap().contains("longer than any packet"));
}

#[test]
fn random_bytes_behind_a_sound_header_end_in_an_error_or_the_end() {
    let mut state = 1u64;
    for round in 0..200 {
        let mut file = if round % 2 == 0 { pcap(0xa1b2_c3d4, false)[..24].to_vec() } else { pcapng(false, 6) };
        for _ in 0..500 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            file.push((state >> 56) as u8);
        }
        let (packets, _) = read(&file);
        assert!(packets.len() < 100);
    }
}
