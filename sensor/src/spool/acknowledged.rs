//! The number up to which the collector has everything, kept beside the segments: eight bytes little-endian and their
//! CRC-32. Only saves work after a restart; one that does not check is as good as none.

use std::io;

use luytre_segments::Disk;

const FILE: &str = "acknowledged";

/// The number that was kept; 0 where none was.
pub(super) fn load(disk: &dyn Disk) -> u64 {
    let Ok(bytes) = disk.read(FILE, 0, 12) else { return 0 };
    let Some((number, checksum)) = bytes.split_first_chunk::<8>() else { return 0 };
    if checksum == crc32fast::hash(number).to_le_bytes() { u64::from_le_bytes(*number) } else { 0 }
}

/// Keeps a number, without waiting until it is durable.
pub(super) fn save(disk: &dyn Disk, number: u64) -> io::Result<()> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    disk.write(FILE, 0, &bytes)
}
