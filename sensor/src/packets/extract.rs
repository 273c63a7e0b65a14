//! "Packets of this flow": from the segments back to a pcapng file, piece by piece.
//!
//! Comes in: a [`Query`]. Goes out: pieces of one pcapng section, in the order of time as far as the capture threads kept
//! it. Works on the files alone, so that it does not matter whether the sensor runs. Every segment is asked through its
//! index, or by its block heads while it is being written; only blocks that hold the flow are read. Memory holds a few
//! blocks, whatever comes out. What is damaged, sealed with another key or removed meanwhile is passed over and counted.

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use luytre_events::CommunityId;

use super::block::{BLOCK_HEAD_BYTES, BlockHead, Name, OpenBlock};
use super::index::{IndexFile, Place};
use super::pcapng;
use super::seal::{SegmentKeys, StoreKey};
use super::shelf::{index_path, numbers, read_head, scan, segment_path};
use crate::capture::LinkType;

/// The most blocks that one answer looks into.
const BLOCKS_MAX: usize = 1 << 20;
/// Files and blocks that are kept at hand.
const AT_HAND: usize = 8;
/// Fragments of a datagram are looked for so long before its last one; the decoder waits no longer either.
const FRAGMENTS_NS: i64 = 31_000_000_000;
/// The most datagrams in fragments that one answer puts together.
const DATAGRAMS_MAX: usize = 65_536;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Query {
    /// The flow; nothing means all packets.
    pub flow: Option<CommunityId>,
    /// The earliest packet, nanoseconds since 1970-01-01 UTC.
    pub from_ns: i64,
    /// The latest packet.
    pub to_ns: i64,
    /// The answer ends before it is larger than this.
    pub limit_bytes: u64,
}

/// What an answer was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packets in it.
    pub packets: u64,
    /// Bytes of it.
    pub bytes: u64,
    /// Whether there is more than the limit allowed.
    pub cut: bool,
    /// Segments that were asked.
    pub segments: u64,
    /// Blocks that were read.
    pub blocks: u64,
    /// Segments and blocks that were passed over: damaged, sealed with another key, or removed meanwhile.
    pub passed_over: u64,
}

/// A block that may hold packets of the answer.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    segment: u64,
    place: Place,
}

/// An answer on its way.
pub struct Extraction {
    query: Query,
    shelf: Reader,
    candidates: VecDeque<Candidate>,
    interfaces: Vec<(LinkType, String)>,
    /// Packets whose turn has not come: time, number, block.
    waiting: BTreeSet<(i64, u64, Vec<u8>)>,
    number: u64,
    datagrams: BTreeSet<Name>,
    /// How many of the interfaces the file describes so far.
    described: usize,
    begun: bool,
    summary: Summary,
}

impl Extraction {
    /// Looks for the blocks that hold what is asked for, in the store's own folder.
    pub fn start(root: &Path, key: &StoreKey, query: Query) -> io::Result<Extraction> {
        let mut shelf = Reader::new(root.to_owned(), key.clone());
        let mut candidates = shelf.candidates(query.flow.map(|flow| flow.0), query.from_ns, query.to_ns)?;
        let mut summary = Summary { segments: shelf.segments, ..Summary::default() };
        candidates.sort_by_key(|candidate| (candidate.place.first_ns, candidate.segment, candidate.place.block));
        if candidates.len() > BLOCKS_MAX {
            candidates.truncate(BLOCKS_MAX);
            summary.cut = true;
        }
        Ok(Extraction {
            query,
            shelf,
            candidates: candidates.into(),
            interfaces: Vec::new(),
            waiting: BTreeSet::new(),
            number: 0,
            datagrams: BTreeSet::new(),
            described: 0,
            begun: false,
            summary,
        })
    }

    /// The next piece of the file, of about `size_bytes`; nothing when it is complete, and nothing at all where there is
    /// no packet.
    pub fn next_piece(&mut self, size_bytes: usize) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        while out.len() < size_bytes {
            let due_ns = self.candidates.front().map(|candidate| candidate.place.first_ns);
            let is_due = |time_ns: i64| due_ns.is_none_or(|due_ns| time_ns < due_ns);
            if self.waiting.first().is_some_and(|(time_ns, ..)| is_due(*time_ns)) {
                let Some((_, _, block)) = self.waiting.pop_first() else { break };
                if !self.put(&mut out, block) {
                    break;
                }
            } else if let Some(candidate) = self.candidates.pop_front() {
                self.read(candidate);
            } else {
                break;
            }
        }
        self.summary.passed_over = self.shelf.passed_over;
        (!out.is_empty()).then_some(out)
    }

    /// What the answer was made of so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Writes a packet, and before it whatever pcapng wants to be said first; false when the limit is reached.
    fn put(&mut self, out: &mut Vec<u8>, block: Vec<u8>) -> bool {
        let from = out.len();
        if !self.begun {
            pcapng::section(out);
        }
        for (link, name) in self.interfaces.iter().skip(self.described) {
            pcapng::interface(out, *link, name);
        }
        out.extend(block);
        let bytes = self.summary.bytes + (out.len() - from) as u64;
        if bytes > self.query.limit_bytes {
            out.truncate(from);
            self.summary.cut = true;
            self.candidates.clear();
            self.waiting.clear();
            return false;
        }
        self.begun = true;
        self.described = self.interfaces.len();
        self.summary.bytes = bytes;
        self.summary.packets += 1;
        true
    }

    fn read(&mut self, candidate: Candidate) {
        let Some(block) = self.shelf.block(&candidate) else { return };
        self.summary.blocks += 1;
        let wanted = self.query.flow.map(|flow| flow.0);
        for packet in block.packets() {
            let in_time = (self.query.from_ns..=self.query.to_ns).contains(&packet.time_ns);
            if !in_time || (wanted.is_some() && packet.flow != wanted) {
                continue;
            }
            if let (Some(datagram), true) = (packet.datagram, wanted.is_some()) {
                self.fragments(datagram, packet.time_ns);
            }
            self.wait(&block, packet.block, packet.interface, packet.time_ns);
        }
    }

    /// The fragments that came before the last one of a datagram, which are filed under the datagram's own name.
    fn fragments(&mut self, datagram: Name, last_ns: i64) {
        if self.datagrams.len() >= DATAGRAMS_MAX || !self.datagrams.insert(datagram) {
            return;
        }
        let found = self.shelf.candidates(Some(datagram), last_ns.saturating_sub(FRAGMENTS_NS), last_ns);
        // The folder could be read a moment ago; where it no longer can, the answer lacks fragments and says so.
        let Ok(found) = found else {
            self.shelf.passed_over += 1;
            return;
        };
        for candidate in found {
            let Some(block) = self.shelf.block(&candidate) else { continue };
            for packet in block.packets().filter(|packet| packet.datagram == Some(datagram) && packet.flow.is_none()) {
                self.wait(&block, packet.block, packet.interface, packet.time_ns);
            }
        }
    }

    fn wait(&mut self, from: &OpenBlock, block: &[u8], interface: u32, time_ns: i64) {
        let link = from.links.get(interface as usize).copied().unwrap_or(LinkType::ETHERNET);
        let known = self.interfaces.iter().position(|(known, name)| *known == link && *name == from.name);
        let number = known.unwrap_or_else(|| {
            self.interfaces.push((link, from.name.clone()));
            self.interfaces.len() - 1
        });
        let mut packet = Vec::with_capacity(block.len());
        pcapng::put(&mut packet, block, u32::try_from(number).unwrap_or(0));
        self.number += 1;
        self.waiting.insert((time_ns, self.number, packet));
    }
}

/// A segment's file and keys.
struct OpenSegment {
    number: u64,
    file: File,
    keys: SegmentKeys,
}

/// Reads the store.
struct Reader {
    root: PathBuf,
    key: StoreKey,
    files: VecDeque<Arc<OpenSegment>>,
    blocks: VecDeque<(u64, u32, Arc<OpenBlock>)>,
    segments: u64,
    passed_over: u64,
}

impl Reader {
    fn new(root: PathBuf, key: StoreKey) -> Reader {
        Reader { root, key, files: VecDeque::new(), blocks: VecDeque::new(), segments: 0, passed_over: 0 }
    }

    /// The blocks under a name that touch a span of time.
    fn candidates(&mut self, name: Option<Name>, from_ns: i64, to_ns: i64) -> io::Result<Vec<Candidate>> {
        let numbers = match numbers(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        self.segments = numbers.len() as u64;
        let mut found = Vec::new();
        for number in numbers {
            match self.places(number, name, from_ns, to_ns) {
                Ok(places) => {
                    found.extend(places.into_iter().map(|place| Candidate { segment: number, place }));
                }
                Err(_) => self.passed_over += 1,
            }
            if found.len() > BLOCKS_MAX {
                break;
            }
        }
        Ok(found)
    }

    fn places(&mut self, number: u64, name: Option<Name>, from_ns: i64, to_ns: i64) -> io::Result<Vec<Place>> {
        let index = IndexFile::open(&index_path(&self.root, number)).ok().filter(|index| index.number == number);
        if index.as_ref().is_some_and(|index| !index.touches(from_ns, to_ns)) {
            return Ok(Vec::new());
        }
        let segment = self.segment(number)?;
        let tag = name.map(|name| segment.keys.tag(&name));
        if let Some(Ok(places)) = index.map(|index| index.find(tag, from_ns, to_ns)) {
            return Ok(places);
        }
        // Still being written, or the index is damaged.
        let (index, _) = scan(&segment.file)?;
        Ok(index.find(tag, from_ns, to_ns))
    }

    fn segment(&mut self, number: u64) -> io::Result<Arc<OpenSegment>> {
        if let Some(known) = self.files.iter().find(|known| known.number == number) {
            return Ok(known.clone());
        }
        let file = File::open(segment_path(&self.root, number))?;
        let head = read_head(&file, number)?;
        if head.key_id != self.key.id() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the segment is sealed with another key"));
        }
        let segment = Arc::new(OpenSegment { number, file, keys: self.key.segment(&head.salt, number)? });
        keep(&mut self.files, segment.clone());
        Ok(segment)
    }

    fn block(&mut self, candidate: &Candidate) -> Option<Arc<OpenBlock>> {
        let (number, block) = (candidate.segment, candidate.place.block);
        if let Some((.., known)) = self.blocks.iter().find(|(segment, one, _)| (*segment, *one) == (number, block)) {
            return Some(known.clone());
        }
        let open = self.segment(number).ok().and_then(|segment| read_block(&segment, &candidate.place));
        match open {
            Some(open) => {
                let open = Arc::new(open);
                keep(&mut self.blocks, (number, block, open.clone()));
                Some(open)
            }
            None => {
                self.passed_over += 1;
                None
            }
        }
    }
}

fn read_block(segment: &OpenSegment, place: &Place) -> Option<OpenBlock> {
    let mut head = [0; BLOCK_HEAD_BYTES];
    segment.file.read_exact_at(&mut head, place.offset).ok()?;
    let head = BlockHead::decode(&head).filter(|head| head.number == place.block)?;
    let mut body = vec![0; head.body_bytes()];
    segment.file.read_exact_at(&mut body, place.offset + BLOCK_HEAD_BYTES as u64).ok()?;
    OpenBlock::open(&segment.keys, &head, &body)
}

fn keep<T>(at_hand: &mut VecDeque<T>, one: T) {
    if at_hand.len() >= AT_HAND {
        at_hand.pop_front();
    }
    at_hand.push_back(one);
}
