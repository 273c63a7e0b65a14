//! Reading our own demo capture: little-endian pcapng with one Ethernet interface and microsecond times, as
//! `record/pcapng.py` writes it. For everything else there is the sensor.

use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Writes the capture again with the pauses between its packets `factor` times shorter. Only the times change.
pub fn hasten(from: &Path, to: &Path, factor: f64) -> Result<()> {
    let mut bytes = std::fs::read(from).with_context(|| format!("read {}", from.display()))?;
    let mut first_us = None;
    let mut at = 0;
    while let (Some(kind), Some(length)) = (word(&bytes, at), word(&bytes, at + 4)) {
        if kind == ENHANCED_PACKET {
            let (Some(high), Some(low)) = (word(&bytes, at + 12), word(&bytes, at + 16)) else { break };
            let time_us = (u64::from(high) << 32) | u64::from(low);
            let first_us = *first_us.get_or_insert(time_us);
            let sooner = first_us + (time_us.saturating_sub(first_us) as f64 / factor) as u64;
            put(&mut bytes, at + 12, (sooner >> 32) as u32);
            put(&mut bytes, at + 16, sooner as u32);
        }
        ensure!(length >= 12, "a block of {length} bytes");
        at += length as usize;
    }
    std::fs::write(to, bytes).with_context(|| format!("write {}", to.display()))
}

fn put(bytes: &mut [u8], at: usize, word: u32) {
    if let Some(four) = bytes.get_mut(at..at + 4) {
        four.copy_from_slice(&word.to_le_bytes());
    }
}

const SECTION: u32 = 0x0A0D_0D0A;
const ENHANCED_PACKET: u32 = 6;

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Microseconds since 1970-01-01 UTC.
    pub time_us: u64,
    /// The frame.
    pub bytes: Vec<u8>,
}

/// All packets of a file.
pub fn read(path: &Path) -> Result<Vec<Packet>> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    parse(&bytes).with_context(|| format!("{} is not one of our captures", path.display()))
}

fn parse(mut bytes: &[u8]) -> Result<Vec<Packet>> {
    ensure!(word(bytes, 0) == Some(SECTION) && word(bytes, 8) == Some(0x1A2B_3C4D), "no little-endian pcapng section");
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let length = word(bytes, 4).context("a block without a length")? as usize;
        ensure!(length >= 12, "a block of {length} bytes");
        let block = bytes.get(..length).context("a block was cut short")?;
        if word(block, 0) == Some(ENHANCED_PACKET) {
            packets.push(packet(block).context("a packet was cut short")?);
        }
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(packets)
}

fn packet(block: &[u8]) -> Option<Packet> {
    let time_us = (u64::from(word(block, 12)?) << 32) | u64::from(word(block, 16)?);
    let length = word(block, 20)? as usize;
    Some(Packet { time_us, bytes: block.get(28..28 + length)?.to_vec() })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_is_readable_and_its_times_never_run_backwards() {
        let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("story.pcapng");
        let packets = read(&story).unwrap();
        assert!(packets.len() > 5_000);
        assert!(packets.windows(2).all(|pair| pair[0].time_us <= pair[1].time_us));
    }

    #[test]
    fn a_hastened_story_is_the_same_in_less_time() {
        let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("story.pcapng");
        let folder = tempfile::tempdir().unwrap();
        let fast = folder.path().join("fast.pcapng");
        hasten(&story, &fast, 4.0).unwrap();
        let (before, after) = (read(&story).unwrap(), read(&fast).unwrap());
        assert_eq!(before.len(), after.len());
        assert!(before.iter().zip(&after).all(|(a, b)| a.bytes == b.bytes));
        let length = |packets: &[Packet]| packets[packets.len() - 1].time_us - packets[0].time_us;
        assert_eq!(length(&before) / 4, length(&after));
    }

    #[test]
    fn other_bytes_are_an_error() {
        assert!(parse(b"").is_err());
        assert!(parse(b"\x0a\x0d\x0d\x0a").is_err());
    }
}
