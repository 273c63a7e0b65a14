//! From a flow's digest to the blocks that hold its packets: one file for each finished segment.
//!
//! The file holds a head, a fan (where the digests begin that start with each value of the first few bits), the digests
//! in rising order, the block of each digest, and where each block stands. A look-up reads the head, one pair of the fan,
//! one short run of digests and the blocks found: four small reads, however large the segment. It is read, not mapped into
//! memory, because a disk that fails under a mapping ends the program. All numbers are little-endian.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::block::{BLOCK_HEAD_BYTES, BlockHead, Fields};

const MAGIC: [u8; 8] = *b"LTPIX\x00\x00\x01";
const HEAD_BYTES: usize = 64;
const PLACE_BYTES: usize = 28;
/// About so many digests stand under one value of the fan.
const FAN_RUN: usize = 64;
/// The most bits that the fan distinguishes.
const FAN_BITS_MAX: u32 = 16;

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its number in the segment.
    pub block: u32,
    /// Where its head begins in the segment.
    pub offset: u64,
    /// The earliest packet, nanoseconds since 1970-01-01 UTC.
    pub first_ns: i64,
    /// The latest packet.
    pub last_ns: i64,
    /// Length on disk.
    pub size_bytes: u32,
}

/// The index of a segment that is being written, or was written.
#[derive(Debug, Clone, Default)]
pub struct Index {
    entries: Vec<(u64, u32)>,
    places: Vec<Place>,
}

impl Index {
    /// A block was written at `offset`.
    pub fn add(&mut self, head: &BlockHead, tags: &[u64], offset: u64) {
        let block = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let size_bytes = u32::try_from(BLOCK_HEAD_BYTES + head.body_bytes()).unwrap_or(u32::MAX);
        self.places.push(Place { block, offset, first_ns: head.first_ns, last_ns: head.last_ns, size_bytes });
        self.entries.extend(tags.iter().map(|tag| (*tag, block)));
    }

    /// How many digests it holds.
    pub fn entries(&self) -> usize {
        self.entries.len()
    }

    /// How many blocks it holds.
    pub fn blocks(&self) -> usize {
        self.places.len()
    }

    /// The time that its packets span.
    pub fn span(&self) -> Option<(i64, i64)> {
        let first = self.places.iter().map(|place| place.first_ns).min()?;
        Some((first, self.places.iter().map(|place| place.last_ns).max()?))
    }

    /// The blocks under a digest (all for none) that touch a span of time, in their order.
    pub fn find(&self, tag: Option<u64>, from_ns: i64, to_ns: i64) -> Vec<Place> {
        let touches = |place: &&Place| place.last_ns >= from_ns && place.first_ns <= to_ns;
        let Some(tag) = tag else { return self.places.iter().filter(touches).copied().collect() };
        let here = self.entries.iter().filter(|(known, _)| *known == tag);
        here.filter_map(|(_, block)| self.places.get(*block as usize)).filter(touches).copied().collect()
    }

    /// Writes the index file of segment `number`.
    pub fn write(&mut self, path: &Path, number: u64) -> io::Result<()> {
        self.entries.sort_unstable();
        let bits = fan_bits(self.entries.len());
        let (first_ns, last_ns) = self.span().unwrap_or((i64::MAX, i64::MIN));
        let mut out = Vec::with_capacity(HEAD_BYTES + self.entries.len() * 12 + self.places.len() * PLACE_BYTES);
        out.extend(MAGIC);
        out.extend(number.to_le_bytes());
        out.extend(first_ns.to_le_bytes());
        out.extend(last_ns.to_le_bytes());
        for word in [word(self.entries.len()), word(self.places.len()), bits] {
            out.extend(word.to_le_bytes());
        }
        out.resize(HEAD_BYTES - 4, 0);
        out.extend(crc32fast::hash(&out).to_le_bytes());
        for value in 0..=1u64 << bits {
            let begins = self.entries.partition_point(|(tag, _)| u128::from(*tag) < u128::from(value) << (64 - bits));
            out.extend(word(begins).to_le_bytes());
        }
        self.entries.iter().for_each(|(tag, _)| out.extend(tag.to_le_bytes()));
        self.entries.iter().for_each(|(_, block)| out.extend(block.to_le_bytes()));
        for place in &self.places {
            out.extend(place.offset.to_le_bytes());
            out.extend(place.first_ns.to_le_bytes());
            out.extend(place.last_ns.to_le_bytes());
            out.extend(place.size_bytes.to_le_bytes());
        }
        let partial = path.with_extension("partial");
        File::create(&partial)?.write_all(&out)?;
        std::fs::rename(&partial, path)
    }
}

fn fan_bits(entries: usize) -> u32 {
    (entries / FAN_RUN).checked_ilog2().unwrap_or(0).clamp(1, FAN_BITS_MAX)
}

fn word(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// An index file, open for look-ups.
pub struct IndexFile {
    file: File,
    /// The segment it belongs to.
    pub number: u64,
    first_ns: i64,
    last_ns: i64,
    entries: u32,
    blocks: u32,
    bits: u32,
}

impl IndexFile {
    /// Opens an index file and reads its head. A file that is not whole is an error.
    pub fn open(path: &Path) -> io::Result<IndexFile> {
        let file = File::open(path)?;
        let mut head = [0; HEAD_BYTES];
        file.read_exact_at(&mut head, 0)?;
        let index = IndexFile::parse(file, &head).ok_or_else(damaged)?;
        let whole = index.places_at() + u64::from(index.blocks) * PLACE_BYTES as u64;
        if index.file.metadata()?.len() != whole { Err(damaged()) } else { Ok(index) }
    }

    fn parse(file: File, head: &[u8; HEAD_BYTES]) -> Option<IndexFile> {
        let mut fields = Fields(head);
        if fields.array()? != MAGIC || crc32fast::hash(&head[..60]).to_le_bytes() != head[60..] {
            return None;
        }
        let (number, first_ns, last_ns) = (fields.u64()?, fields.i64()?, fields.i64()?);
        let (entries, blocks, bits) = (fields.u32()?, fields.u32()?, fields.u32()?);
        (1..=FAN_BITS_MAX).contains(&bits).then_some(IndexFile {
            file,
            number,
            first_ns,
            last_ns,
            entries,
            blocks,
            bits,
        })
    }

    /// Whether any packet of the segment falls into a span of time.
    pub fn touches(&self, from_ns: i64, to_ns: i64) -> bool {
        self.last_ns >= from_ns && self.first_ns <= to_ns
    }

    /// The same as [`Index::find`].
    pub fn find(&self, tag: Option<u64>, from_ns: i64, to_ns: i64) -> io::Result<Vec<Place>> {
        let mut found = Vec::new();
        let blocks: Vec<u32> = match tag {
            Some(tag) => self.blocks_of(tag)?,
            None => (0..self.blocks).collect(),
        };
        for block in blocks {
            let place = self.place(block)?;
            if place.last_ns >= from_ns && place.first_ns <= to_ns {
                found.push(place);
            }
        }
        Ok(found)
    }

    fn blocks_of(&self, tag: u64) -> io::Result<Vec<u32>> {
        let mut fan = [0; 8];
        self.file.read_exact_at(&mut fan, HEAD_BYTES as u64 + (tag >> (64 - self.bits)) * 4)?;
        let mut fields = Fields(&fan);
        let (from, to) = (fields.u32().unwrap_or(0), fields.u32().unwrap_or(0));
        if from > to || to > self.entries {
            return Err(damaged());
        }
        let mut tags = vec![0; (to - from) as usize * 8];
        self.file.read_exact_at(&mut tags, self.tags_at() + u64::from(from) * 8)?;
        let mut here = (from..to).zip(tags.chunks_exact(8)).filter(|(_, known)| **known == tag.to_le_bytes());
        let Some((first, _)) = here.next() else { return Ok(Vec::new()) };
        let mut blocks = vec![0; (1 + here.count()) * 4];
        self.file.read_exact_at(&mut blocks, self.tags_at() + u64::from(self.entries) * 8 + u64::from(first) * 4)?;
        Ok(blocks.chunks_exact(4).filter_map(|block| Some(u32::from_le_bytes(*block.first_chunk()?))).collect())
    }

    fn place(&self, block: u32) -> io::Result<Place> {
        if block >= self.blocks {
            return Err(damaged());
        }
        let mut bytes = [0; PLACE_BYTES];
        self.file.read_exact_at(&mut bytes, self.places_at() + u64::from(block) * PLACE_BYTES as u64)?;
        let mut fields = Fields(&bytes);
        let place = (fields.u64(), fields.i64(), fields.i64(), fields.u32());
        let (Some(offset), Some(first_ns), Some(last_ns), Some(size_bytes)) = place else { return Err(damaged()) };
        Ok(Place { block, offset, first_ns, last_ns, size_bytes })
    }

    fn tags_at(&self) -> u64 {
        HEAD_BYTES as u64 + ((1 << self.bits) + 1) * 4
    }

    fn places_at(&self) -> u64 {
        self.tags_at() + u64::from(self.entries) * 12
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the index of a segment is damaged")
}
