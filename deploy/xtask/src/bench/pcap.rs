//! Classic capture files, read and written: only as much as made-up captures for measuring need (little-endian, Ethernet).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, ensure};

const HEADER_BYTES: usize = 24;
const RECORD_BYTES: usize = 16;
/// Little-endian, microseconds.
const MAGIC: u32 = 0xa1b2_c3d4;
const ETHERNET: u32 = 1;

/// A packet of a capture in memory.
#[derive(Debug, Clone)]
pub struct Record {
    /// Microseconds since 1970-01-01 UTC.
    pub time_us: u64,
    /// Bytes on the wire.
    pub original_bytes: u32,
    /// Where its bytes stand in the file.
    pub place: Range<usize>,
}

/// A capture in memory.
pub struct Capture {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its packets.
    pub records: Vec<Record>,
}

impl Capture {
    /// Reads a plain capture.
    pub fn read(path: &Path) -> Result<Capture> {
        let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
        let plain = word(&bytes, 0) == Some(MAGIC) && word(&bytes, 20) == Some(ETHERNET);
        ensure!(plain, "{} is no plain little-endian Ethernet capture with microseconds", path.display());
        let (mut records, mut at) = (Vec::new(), HEADER_BYTES);
        while let (Some(seconds), Some(us), Some(length), Some(original_bytes)) =
            (word(&bytes, at), word(&bytes, at + 4), word(&bytes, at + 8), word(&bytes, at + 12))
        {
            let place = at + RECORD_BYTES..at + RECORD_BYTES + length as usize;
            if place.end > bytes.len() {
                break;
            }
            at = place.end;
            records.push(Record { time_us: u64::from(seconds) * 1_000_000 + u64::from(us), original_bytes, place });
        }
        Ok(Capture { bytes, records })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Writes a capture.
pub struct Writer(BufWriter<File>);

impl Writer {
    /// Makes the file.
    pub fn create(path: &Path) -> Result<Writer> {
        let file = File::create(path).with_context(|| format!("write {}", path.display()))?;
        let mut writer = BufWriter::with_capacity(1 << 20, file);
        for word in [MAGIC, 2 | 4 << 16, 0, 0, 262_144, ETHERNET] {
            writer.write_all(&word.to_le_bytes())?;
        }
        Ok(Writer(writer))
    }

    /// Adds a packet.
    pub fn packet(&mut self, time_us: u64, original_bytes: u32, bytes: &[u8]) -> Result<()> {
        let length = u32::try_from(bytes.len())?;
        for word in [u32::try_from(time_us / 1_000_000)?, (time_us % 1_000_000) as u32, length, original_bytes] {
            self.0.write_all(&word.to_le_bytes())?;
        }
        Ok(self.0.write_all(bytes)?)
    }

    /// Writes what is left.
    pub fn close(mut self) -> Result<()> {
        Ok(self.0.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let path = std::env::temp_dir().join(format!("lt-pcap-{}.pcap", std::process::id()));
        let mut writer = Writer::create(&path).unwrap();
        writer.packet(1_795_000_000_000_007, 90, b"mot").unwrap();
        writer.packet(1_795_000_001_000_000, 4, b"haiz").unwrap();
        writer.close().unwrap();
        let capture = Capture::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let told: Vec<(u64, u32, &[u8])> =
            capture.records.iter().map(|r| (r.time_us, r.original_bytes, &capture.bytes[r.place.clone()])).collect();
        assert_eq!(told, [(1_795_000_000_000_007, 90, &b"mot"[..]), (1_795_000_001_000_000, 4, b"haiz")]);
    }
}
