//! Several captures as one, in the order of time: so the sensor sees flows side by side as they were.
//!
//! Comes in: pcapng files that sensors made (one section each, little-endian, all with the same unit of time). Goes out: one
//! such file. Packets are copied one by one; only their places and times are in memory. Files of another form are refused.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// The largest block.
const BLOCK_MAX_BYTES: u32 = 16 << 20;
/// The most packets.
const PACKETS_MAX: usize = 20_000_000;
const SECTION: u32 = 0x0a0d_0d0a;
const ORDER: u32 = 0x1a2b_3c4d;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;

/// Where a packet stands.
struct Place {
    time: u64,
    file: usize,
    at: u64,
    bytes: u32,
}

/// Writes the packets of all files to `out` in the order of their times.
pub fn merge(files: &[PathBuf], out: &Path) -> anyhow::Result<()> {
    let mut places = Vec::new();
    let mut heads = Vec::new();
    let mut readers = Vec::new();
    // How many interfaces the files before have.
    let mut before = Vec::new();
    let mut interfaces = 0;
    for (number, path) in files.iter().enumerate() {
        let what = || format!("read the packets in {}", path.display());
        let mut file = BufReader::new(File::open(path).with_context(what)?);
        before.push(interfaces);
        let found = index(&mut file, number, &mut places).with_context(what)?;
        interfaces += u32::try_from(found.len()).unwrap_or(u32::MAX);
        heads.extend(found);
        readers.push(file);
    }
    places.sort_by_key(|place| place.time);
    let mut out = BufWriter::new(File::create(out).context("join the packets")?);
    // A section of unknown length, without options.
    for word in [SECTION, 28, ORDER, 1, u32::MAX, u32::MAX, 28] {
        out.write_all(&word.to_le_bytes())?;
    }
    heads.iter().try_for_each(|head| out.write_all(head))?;
    let mut block = Vec::new();
    for Place { file, at, bytes, .. } in places {
        let (Some(reader), Some(offset)) = (readers.get_mut(file), before.get(file)) else { continue };
        reader.seek(SeekFrom::Start(at))?;
        block.resize(bytes as usize, 0);
        reader.read_exact(&mut block)?;
        let interface = word(&block, 8).context("a packet that is cut")?.saturating_add(*offset);
        if let Some(place) = block.get_mut(8..12) {
            place.copy_from_slice(&interface.to_le_bytes());
        }
        out.write_all(&block)?;
    }
    out.flush().context("join the packets")
}

/// Notes where the packets of a file are; answers the blocks that describe its interfaces.
fn index(file: &mut BufReader<File>, number: usize, places: &mut Vec<Place>) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut interfaces = Vec::new();
    let (mut at, mut head) = (0, [0; 20]);
    loop {
        file.seek(SeekFrom::Start(at))?;
        let mut got = 0;
        while let Some(rest) = head.get_mut(got..).filter(|rest| !rest.is_empty()) {
            match file.read(rest)? {
                0 => break,
                more => got += more,
            }
        }
        if got == 0 {
            return Ok(interfaces);
        }
        let (kind, bytes) = word(&head, 0).zip(word(&head, 4)).context("a block that is cut")?;
        ensure!(got >= 12 && (12..=BLOCK_MAX_BYTES).contains(&bytes) && bytes % 4 == 0, "a block that is damaged");
        match kind {
            SECTION => {
                ensure!(at == 0 && word(&head, 8) == Some(ORDER), "it has several sections, or other byte order")
            }
            INTERFACE => {
                let mut block = vec![0; bytes as usize];
                file.seek(SeekFrom::Start(at))?;
                file.read_exact(&mut block)?;
                interfaces.push(block);
            }
            PACKET => {
                let (high, low) = word(&head, 12).zip(word(&head, 16)).context("a packet that is cut")?;
                ensure!(places.len() < PACKETS_MAX, "more than {PACKETS_MAX} packets");
                places.push(Place { time: u64::from(high) << 32 | u64::from(low), file: number, at, bytes });
            }
            _ => {}
        }
        at += u64::from(bytes);
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: u32, body: &[u32]) -> Vec<u8> {
        let bytes = u32::try_from(body.len() * 4 + 12).unwrap();
        [kind, bytes].iter().chain(body).chain([&bytes]).flat_map(|word| word.to_le_bytes()).collect()
    }

    fn capture(path: &Path, interfaces: u32, packets: &[(u32, u32)]) {
        let mut bytes = block(SECTION, &[ORDER, 1, u32::MAX, u32::MAX]);
        (0..interfaces).for_each(|number| bytes.extend(block(INTERFACE, &[1, number])));
        for (interface, time) in packets {
            bytes.extend(block(PACKET, &[*interface, 0, *time, 4, 4, *time]));
        }
        std::fs::write(path, bytes).unwrap();
    }

    #[test]
    fn packets_of_several_files_come_in_the_order_of_time_on_their_own_interfaces() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = ["a", "b", "all"].map(|name| folder.path().join(name)).to_vec();
        capture(&paths[0], 2, &[(1, 10), (0, 30)]);
        capture(&paths[1], 1, &[(0, 20), (0, 40)]);
        merge(&paths[..2], &paths[2]).unwrap();
        let mut places = Vec::new();
        let mut file = BufReader::new(File::open(&paths[2]).unwrap());
        assert_eq!(index(&mut file, 0, &mut places).unwrap().len(), 3);
        assert_eq!(places.iter().map(|place| place.time).collect::<Vec<_>>(), [10, 20, 30, 40]);
        let whole = std::fs::read(&paths[2]).unwrap();
        let interface = |place: &Place| word(&whole, usize::try_from(place.at).unwrap() + 8).unwrap();
        assert_eq!(places.iter().map(interface).collect::<Vec<_>>(), [1, 2, 0, 2]);
    }

    #[test]
    fn what_is_no_capture_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, out) = (folder.path().join("a"), folder.path().join("out"));
        for bytes in [&b"not packets at all"[..], &[0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0]] {
            std::fs::write(&path, bytes).unwrap();
            assert!(merge(std::slice::from_ref(&path), &out).is_err());
        }
    }
}
