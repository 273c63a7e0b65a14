//! A capture many times over, with other addresses each time: what a large capture of the same traffic would be like.
//!
//! Each copy begins [`STAGGER_US`] after the one before it, so all are under way at the same time and none is in step with
//! another. The second byte of IPv4 addresses and the fifth of IPv6 addresses are changed, multicast excepted; headers within
//! tunnels stay as they are, so tunnelled flows of the copies become one. Checksums are not put right: nobody is asked to
//! verify them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::pcap::{Capture, Writer};

/// How long after the one before it a copy begins.
const STAGGER_US: u64 = 1_000_000;
/// More copies have no addresses.
const COPIES_MAX: u64 = 200;
/// Most tags and labels before the network header.
const TAGS_MAX: usize = 8;

/// Writes so many copies of a capture that they are about as large as wanted; says how many.
pub fn write(capture: &Path, out: &Path, size_bytes: u64) -> Result<u64> {
    let capture = Capture::read(capture)?;
    ensure!(!capture.records.is_empty(), "the capture has no packets");
    let copies = (size_bytes / capture.bytes.len() as u64).clamp(1, COPIES_MAX);
    let mut writer = Writer::create(out)?;
    let mut next = BinaryHeap::new();
    for copy in 0..copies {
        next.push(Reverse((time_us(&capture, copy, 0).unwrap_or(0), copy, 0usize)));
    }
    let mut frame = Vec::new();
    while let Some(Reverse((time_us_now, copy, at))) = next.pop() {
        let record = capture.records.get(at).context("a packet of the capture")?;
        frame.clear();
        frame.extend_from_slice(capture.bytes.get(record.place.clone()).unwrap_or(&[]));
        renumber(&mut frame, u8::try_from(copy)?);
        writer.packet(time_us_now, record.original_bytes, &frame)?;
        if let Some(time_us) = time_us(&capture, copy, at + 1) {
            next.push(Reverse((time_us, copy, at + 1)));
        }
    }
    writer.close()?;
    Ok(copies)
}

fn time_us(capture: &Capture, copy: u64, at: usize) -> Option<u64> {
    Some(capture.records.get(at)?.time_us + copy * STAGGER_US)
}

/// Changes the addresses of a frame.
fn renumber(frame: &mut [u8], copy: u8) {
    // Where addresses stand, and which byte of each is changed.
    let (places, changed) = match network(frame) {
        Some((at, 4)) => ([at + 12, at + 16], 1),
        Some((at, 6)) => ([at + 8, at + 24], 4),
        Some((at, _)) => ([at + 14, at + 24], 1),
        None => return,
    };
    for place in places {
        let multicast = if changed == 1 { 224.. } else { 255u8.. };
        if frame.get(place).is_some_and(|first| !multicast.contains(first))
            && let Some(byte) = frame.get_mut(place + changed)
        {
            *byte ^= copy;
        }
    }
}

/// Where the network header begins and what it is: IP of version 4 or 6, or 0 for ARP.
fn network(frame: &[u8]) -> Option<(usize, u8)> {
    let mut at = 12;
    for _ in 0..TAGS_MAX {
        let kind = u16::from_be_bytes(*frame.get(at..)?.first_chunk()?);
        at += 2;
        match kind {
            0x0800 | 0x86dd => return Some((at, frame.get(at)? >> 4)),
            0x0806 => return Some((at, 0)),
            0x8100 | 0x88a8 => at += 2,
            0x8864 => return Some((at + 8, frame.get(at + 8)? >> 4)),
            0x8847 => {
                while frame.get(at + 2)? & 1 == 0 {
                    at += 4;
                }
                let first = frame.get(at + 4)? >> 4;
                return matches!(first, 4 | 6).then_some((at + 4, first));
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_change_and_nothing_else() {
        let mut frame = vec![7; 12];
        frame.extend([0x81, 0, 0, 5, 0x08, 0, 0x45]);
        frame.extend([0; 11]);
        frame.extend([192, 0, 2, 1, 224, 0, 0, 251]);
        let before = frame.clone();
        renumber(&mut frame, 3);
        let differing: Vec<usize> = (0..frame.len()).filter(|at| frame[*at] != before[*at]).collect();
        assert_eq!(differing, [18 + 13]);
        assert_eq!(frame[31], 3);
        // The same once more is what it was.
        renumber(&mut frame, 3);
        assert_eq!(frame, before);
    }

    #[test]
    fn the_network_header_is_found_behind_tags_and_labels() {
        let found = |head: &[u8]| network(&[&[0; 12][..], head, &[0x60; 8]].concat());
        assert_eq!(found(&[0x86, 0xdd]), Some((14, 6)));
        assert_eq!(found(&[0x88, 0x47, 0, 0, 0x10, 9, 0, 0, 0x11, 9]), Some((22, 6)));
        assert_eq!(found(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0, 0x57]), Some((22, 6)));
        assert_eq!(found(&[0x08, 0x06]), Some((14, 0)));
        assert_eq!(found(&[0x00, 0x26]), None);
    }
}
