//! Files that come in pieces: ranges (RFC 9110 section 14) and downloads that were cut off and taken up again, put
//! together by client, address and length of the whole.
//!
//! Comes in: each piece when it ends. Goes out: the whole, once nothing of it is missing. A piece that follows what is
//! there is hashed on as it streams by and need not be kept; one that comes early waits with its content. Bounds: files
//! that are being put together, pieces that wait, memory for both; what is let go is counted, and the pieces themselves
//! were told anyway.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;

use super::Hashes;
use crate::protocols::FileMeta;

/// Files that are being put together, in one shard.
const MAX_WHOLES: usize = 128;
/// Pieces of a file that wait for those before them.
const MAX_WAITING: usize = 512;

/// What the pieces of one file have in common: client, address, bytes of the whole.
pub type Key = (IpAddr, String, u64);

/// A piece that has ended.
pub struct Piece {
    /// Where it begins in the whole.
    pub start: u64,
    /// Its bytes.
    pub size_bytes: u64,
    /// Hashes of the piece alone.
    pub hashes: Hashes,
    /// Hashes of everything up to its end, when it followed what was there.
    pub joined: Option<Hashes>,
    /// All of it, if it was kept.
    pub content: Option<Vec<u8>>,
    /// Its beginning.
    pub head: Vec<u8>,
    /// What is known of it.
    pub meta: FileMeta,
}

/// A file that was put together.
pub struct Joined {
    /// What is known of its first piece.
    pub meta: FileMeta,
    /// Its beginning.
    pub head: Vec<u8>,
    /// Of all of it.
    pub hashes: Hashes,
    /// All of it, if it was kept.
    pub content: Option<Vec<u8>>,
    /// How many pieces it came in.
    pub pieces: u64,
}

/// The files that are being put together.
pub struct Pieces {
    wholes: HashMap<Key, Whole, ahash::RandomState>,
    /// In the order of their first pieces; numbers tell those that are gone.
    order: VecDeque<(u64, Key)>,
    number: u64,
    used_bytes: usize,
    memory_bytes: usize,
    file_bytes: usize,
    /// Pieces and unfinished files that were let go.
    pub let_go: u64,
}

struct Whole {
    number: u64,
    joined: Joined,
    /// Bytes from the start that are hashed.
    next: u64,
    waiting: BTreeMap<u64, Vec<u8>>,
}

impl Pieces {
    /// None yet. Contents of up to `file_bytes` are kept (none with 0), pieces and contents together in `memory_bytes`.
    pub fn new(file_bytes: usize, memory_bytes: usize) -> Pieces {
        Pieces {
            wholes: HashMap::default(),
            order: VecDeque::new(),
            number: 0,
            used_bytes: 0,
            memory_bytes,
            file_bytes,
            let_go: 0,
        }
    }

    /// The hashes of everything before a piece that begins here, if it follows what is there.
    pub fn before(&self, key: &Key, start: u64) -> Option<Hashes> {
        self.wholes.get(key).filter(|whole| start > 0 && whole.next == start).map(|whole| whole.joined.hashes.clone())
    }

    /// Takes in a piece; gives the file when it was the last one missing.
    pub fn take(&mut self, key: Key, piece: Piece) -> Option<Joined> {
        if piece.start == 0 && piece.size_bytes >= key.2 {
            // It came whole after all.
            self.remove(&key);
            return None;
        }
        if !self.wholes.contains_key(&key) {
            self.begin(key.clone(), piece.meta.clone());
        }
        let room = self.memory_bytes.saturating_sub(self.used_bytes);
        let keep = usize::try_from(key.2).is_ok_and(|total| total <= self.file_bytes);
        let whole = self.wholes.get_mut(&key)?;
        let before = whole.kept_bytes();
        whole.joined.pieces += 1;
        self.let_go += u64::from(!whole.add(piece, room, keep));
        let (after, next) = (whole.kept_bytes(), whole.next);
        self.used_bytes = (self.used_bytes + after).saturating_sub(before);
        if next >= key.2 { self.remove(&key).map(|whole| whole.joined) } else { None }
    }

    fn begin(&mut self, key: Key, meta: FileMeta) {
        while self.order.len() >= MAX_WHOLES
            && let Some((number, oldest)) = self.order.pop_front()
        {
            if self.wholes.get(&oldest).is_some_and(|whole| whole.number == number) {
                self.let_go += 1;
                self.remove(&oldest);
            }
        }
        self.number += 1;
        let joined = Joined { meta, head: Vec::new(), hashes: Hashes::default(), content: None, pieces: 0 };
        self.wholes.insert(key.clone(), Whole { number: self.number, joined, next: 0, waiting: BTreeMap::new() });
        self.order.push_back((self.number, key));
    }

    fn remove(&mut self, key: &Key) -> Option<Whole> {
        let whole = self.wholes.remove(key)?;
        self.used_bytes = self.used_bytes.saturating_sub(whole.kept_bytes());
        Some(whole)
    }
}

impl Whole {
    fn kept_bytes(&self) -> usize {
        self.waiting.values().map(Vec::len).sum::<usize>() + self.joined.content.as_ref().map_or(0, Vec::len)
    }

    /// Adds a piece; says whether nothing of it had to be let go.
    fn add(&mut self, piece: Piece, room: usize, keep: bool) -> bool {
        let end = piece.start.saturating_add(piece.size_bytes);
        if end <= self.next {
            return true;
        }
        let fits = piece.content.as_ref().is_some_and(|content| content.len() <= room);
        if piece.start == 0 {
            self.next = piece.size_bytes;
            (self.joined.hashes, self.joined.head, self.joined.meta) = (piece.hashes, piece.head, piece.meta);
            self.joined.content = piece.content.filter(|_| fits && keep);
        } else if let (true, Some(joined)) = (piece.start == self.next, piece.joined) {
            (self.joined.hashes, self.next) = (joined, end);
            match (&mut self.joined.content, piece.content) {
                (Some(content), Some(part)) if fits => content.extend(part),
                (content, _) => *content = None,
            }
        } else {
            let Some(content) = piece.content.filter(|_| fits && self.waiting.len() < MAX_WAITING) else {
                return false;
            };
            let waiting = self.waiting.entry(piece.start).or_default();
            if waiting.len() < content.len() {
                *waiting = content;
            }
        }
        self.catch_up();
        true
    }

    /// Goes on with the pieces whose turn has come.
    fn catch_up(&mut self) {
        while self.next > 0
            && let Some(entry) = self.waiting.first_entry().filter(|entry| *entry.key() <= self.next)
        {
            let (start, bytes) = entry.remove_entry();
            let known = usize::try_from(self.next.saturating_sub(start)).unwrap_or(usize::MAX);
            let fresh = bytes.get(known..).unwrap_or(&[]);
            self.joined.hashes.update(fresh);
            if let Some(content) = &mut self.joined.content {
                content.extend_from_slice(fresh);
            }
            self.next += fresh.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn key(total: usize) -> Key {
        ([192, 0, 2, 10].into(), "http://a.example/b".into(), total as u64)
    }

    fn piece(pieces: &Pieces, whole: &[u8], start: usize, end: usize) -> Piece {
        let bytes = &whole[start..end];
        let mut hashes = Hashes::default();
        hashes.update(bytes);
        let joined = pieces.before(&key(whole.len()), start as u64).map(|mut joined| {
            joined.update(bytes);
            joined
        });
        let (start, size_bytes) = (start as u64, bytes.len() as u64);
        Piece {
            start,
            size_bytes,
            hashes,
            joined,
            content: Some(bytes.to_vec()),
            head: bytes.to_vec(),
            meta: FileMeta::default(),
        }
    }

    proptest! {
        #[test]
        fn pieces_in_any_order_make_the_whole(
            mut cuts in prop::collection::btree_set(1usize..999, 1..12),
            order in prop::collection::vec(any::<prop::sample::Index>(), 13),
            overlap in 0usize..40,
        ) {
            let whole: Vec<u8> = (0..1000u32).map(|i| (i * 7 % 251) as u8).collect();
            cuts.insert(0);
            cuts.insert(1000);
            let cuts: Vec<usize> = cuts.into_iter().collect();
            // Pieces may overlap; none is the whole already.
            let longest = |start: usize| if start == 0 { 999 } else { 1000 };
            let reach = |pair: &[usize]| (pair[0], (pair[1] + overlap).min(longest(pair[0])));
            let mut left: Vec<(usize, usize)> = cuts.windows(2).map(reach).collect();
            let mut pieces = Pieces::new(1 << 20, 1 << 20);
            let mut done = None;
            for at in order {
                if left.is_empty() || done.is_some() {
                    break;
                }
                let (start, end) = left.remove(at.index(left.len()));
                let next = piece(&pieces, &whole, start, end);
                done = pieces.take(key(1000), next);
            }
            let done = done.expect("the whole file");
            prop_assert_eq!(done.hashes.sha256(), <[u8; 32]>::from(Sha256::digest(&whole)));
            prop_assert_eq!(done.content, Some(whole));
            prop_assert_eq!(pieces.used_bytes, 0);
        }
    }

    #[test]
    fn limits_are_kept_and_counted() {
        let whole = [5; 1000];
        let mut pieces = Pieces::new(0, 100);
        let early = piece(&pieces, &whole, 500, 700);
        assert!(pieces.take(key(1000), early).is_none());
        assert_eq!((pieces.let_go, pieces.used_bytes), (1, 0));
        for total in 0..MAX_WHOLES {
            let first = piece(&pieces, &whole, 0, 10);
            pieces.take(key(2000 + total), first);
        }
        assert_eq!((pieces.let_go, pieces.wholes.len()), (2, MAX_WHOLES));
    }
}
