//! Files that flows carry: cut out, hashed, typed by their content, and kept where somebody may ask for them.
//!
//! Comes in: what parsers hand over by `Output::file_*`. Goes out: one [`record`] a file when it ends, and its content
//! into a [`store`](store::Store), if there is one. A file is hashed to its end whatever its size; what is kept of it,
//! how many are open and how much memory they take is bounded by [`FileLimits`]. A limit that bites is counted and
//! leaves the event without the content, or, for the number of open files, the file unseen. Nothing of an unfinished
//! file survives a restart.
//!
//! Every file has its SHA-256. MD5 and SHA-1, which old lists of bad files still use, cost more than all the rest of
//! reading a web page and say nothing about one, so what pages are made of goes without ([`kind::is_page_part`]).

pub mod kind;
pub mod pieces;
pub mod record;
pub mod store;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::protocols::{Direction, FileMeta, FilePlace, FileToken, text};
use pieces::{Joined, Piece, Pieces};
use record::FileSeen;
use store::Store;

/// Bytes at the start of a file by which its type is told.
const HEAD_BYTES: usize = 4096;

/// What carving may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// Largest file whose content is kept.
    pub file_bytes: usize,
    /// Files open at a time.
    pub open: usize,
    /// Memory for the content of open files together.
    pub memory_bytes: usize,
}

impl Default for FileLimits {
    fn default() -> Self {
        FileLimits { file_bytes: 10 * 1024 * 1024, open: 4096, memory_bytes: 64 * 1024 * 1024 }
    }
}

/// What was counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct FileCounts {
    /// Files that ended with an event.
    pub seen: u64,
    /// Files that were not opened because too many were.
    pub refused: u64,
    /// Files whose content was larger than is kept.
    pub too_large: u64,
    /// Files whose content was let go for want of memory.
    pub no_memory: u64,
    /// Files that the store did not take.
    pub not_stored: u64,
    /// Pieces and unfinished files that could not be put together for want of memory.
    pub not_joined: u64,
}

/// Cuts files out of the flows of one worker.
pub struct Carver {
    limits: FileLimits,
    store: Option<Arc<Store>>,
    open: HashMap<u32, Carved, ahash::RandomState>,
    next: u32,
    used_bytes: usize,
    pieces: Pieces,
    counts: FileCounts,
}

/// A file that has begun.
struct Carved {
    meta: FileMeta,
    size_bytes: u64,
    hashes: Hashes,
    /// What it is a piece of.
    piece: Option<PieceOf>,
    /// The beginning, or all of it where there is a store.
    content: Vec<u8>,
    whole: bool,
}

/// What a file is a piece of.
struct PieceOf {
    key: pieces::Key,
    start: u64,
    /// Hashes of everything up to here, when it follows what was there.
    joined: Option<Hashes>,
}

/// The hashes of a file as it grows.
#[derive(Clone, Default)]
pub struct Hashes {
    /// Bytes so far.
    bytes: u64,
    /// None for what pages are made of.
    old: Option<(Md5, Sha1)>,
    sha256: Sha256,
}

impl Hashes {
    /// More of the file. The first bytes decide whether the old hashes are made too.
    fn update(&mut self, bytes: &[u8]) {
        if self.bytes == 0 && !bytes.is_empty() {
            self.old = (!kind::is_page_part(kind::of(bytes))).then(|| (Md5::new(), Sha1::new()));
        }
        self.bytes += bytes.len() as u64;
        self.sha256.update(bytes);
        if let Some((md5, sha1)) = &mut self.old {
            md5.update(bytes);
            sha1.update(bytes);
        }
    }

    fn sha256(&self) -> [u8; 32] {
        self.sha256.clone().finalize().into()
    }

    /// MD5 and SHA-1 in hexadecimal.
    fn old(self) -> (Option<String>, Option<String>) {
        let (md5, sha1) = self.old.unzip();
        (md5.map(|md5| text::digits(&md5.finalize())), sha1.map(|sha1| text::digits(&sha1.finalize())))
    }
}

impl Carver {
    /// A carver that takes a `1/parts` share of the limits and hands contents to `store`.
    pub fn new(limits: &FileLimits, parts: usize, store: Option<Arc<Store>>) -> Carver {
        let parts = parts.max(1);
        let share = |limit: usize| (limit / parts).max(1);
        let limits = FileLimits { open: share(limits.open), memory_bytes: share(limits.memory_bytes), ..*limits };
        let open = HashMap::default();
        let kept = if store.is_some() { limits.file_bytes } else { 0 };
        let pieces = Pieces::new(kept, limits.memory_bytes / 4);
        Carver { limits, store, open, next: 0, used_bytes: 0, pieces, counts: FileCounts::default() }
    }

    /// What was counted so far.
    pub fn counts(&self) -> FileCounts {
        FileCounts { not_joined: self.pieces.let_go, ..self.counts }
    }

    /// A file begins; nothing when too many are open.
    pub fn open(&mut self, meta: FileMeta) -> Option<FileToken> {
        if self.open.len() >= self.limits.open {
            self.counts.refused += 1;
            return None;
        }
        let token = self.next;
        self.next = self.next.wrapping_add(1);
        let file = Carved {
            meta,
            size_bytes: 0,
            hashes: Hashes::default(),
            piece: None,
            content: Vec::new(),
            whole: self.store.is_some(),
        };
        self.open.insert(token, file);
        Some(FileToken(token))
    }

    /// A file that has just begun is a piece of what this client fetches from its address.
    pub fn piece(&mut self, token: FileToken, client: IpAddr, place: FilePlace) {
        let Some(file) = self.open.get_mut(&token.0).filter(|file| file.size_bytes == 0) else { return };
        let Some(url) = file.meta.url.clone() else { return };
        let key = (client, url, place.total);
        let joined = self.pieces.before(&key, place.start);
        // What comes early must be kept until its turn.
        file.whole |= place.start > 0 && joined.is_none();
        file.piece = Some(PieceOf { key, start: place.start, joined });
    }

    /// More of a file.
    pub fn data(&mut self, token: FileToken, bytes: &[u8]) {
        let Some(file) = self.open.get_mut(&token.0) else { return };
        file.size_bytes += bytes.len() as u64;
        file.hashes.update(bytes);
        if let Some(joined) = file.piece.as_mut().and_then(|piece| piece.joined.as_mut()) {
            joined.update(bytes);
        }
        let before = file.content.len();
        if file.whole && before + bytes.len() > self.limits.file_bytes {
            self.counts.too_large += 1;
            file.let_go();
        }
        if file.whole && self.used_bytes + bytes.len() > self.limits.memory_bytes {
            self.counts.no_memory += 1;
            file.let_go();
        }
        let room = if file.whole { bytes.len() } else { HEAD_BYTES.saturating_sub(file.content.len()) };
        file.content.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.used_bytes = (self.used_bytes + file.content.len()).saturating_sub(before);
    }

    /// A file ends: gives its event, or nothing when it was empty; and that of the file whose last piece it was.
    pub fn close(&mut self, token: FileToken, complete: bool) -> [Option<FileSeen>; 2] {
        let Some(file) = self.open.remove(&token.0) else { return [None, None] };
        self.used_bytes = self.used_bytes.saturating_sub(file.content.len());
        if file.size_bytes == 0 {
            return [None, None];
        }
        let stored = self.keep(&file.hashes, file.whole.then_some(&file.content));
        let mime_type = kind::of(&file.content);
        let Carved { meta, size_bytes, hashes, piece, content, whole } = file;
        let mut seen = record(meta.clone(), size_bytes, hashes.clone(), mime_type);
        (seen.complete, seen.stored) = (complete, stored);
        let Some(PieceOf { key, start, joined }) = piece else { return [Some(seen), None] };
        if start > 0 || size_bytes < key.2 {
            (seen.range_start, seen.range_total) = (Some(start), Some(key.2));
        }
        let head = content.get(..HEAD_BYTES).unwrap_or(&content).to_vec();
        let content = whole.then_some(content);
        let joined = self.pieces.take(key, Piece { start, size_bytes, hashes, joined, content, head, meta });
        [Some(seen), joined.map(|joined| self.joined(joined))]
    }

    /// The event of a file that was put together.
    fn joined(&mut self, joined: Joined) -> FileSeen {
        let Joined { meta, head, hashes, content, pieces } = joined;
        let stored = self.keep(&hashes, content.as_ref());
        let size_bytes = hashes.bytes;
        let mut seen = record(meta, size_bytes, hashes, kind::of(&head));
        (seen.complete, seen.stored, seen.pieces) = (true, stored, Some(pieces));
        seen
    }

    /// Counts a file and hands its content to the store; says whether that has it.
    fn keep(&mut self, hashes: &Hashes, content: Option<&Vec<u8>>) -> bool {
        self.counts.seen += 1;
        let stored = match (&self.store, content) {
            (Some(store), Some(content)) => store.keep(hashes.sha256(), content),
            _ => false,
        };
        self.counts.not_stored += u64::from(self.store.is_some() && !stored);
        stored
    }
}

impl Carved {
    /// Keeps no more than the beginning.
    fn let_go(&mut self) {
        self.whole = false;
        self.content.truncate(HEAD_BYTES);
        self.content.shrink_to_fit();
    }
}

fn record(meta: FileMeta, size_bytes: u64, hashes: Hashes, mime_type: &str) -> FileSeen {
    let FileMeta { name, claimed_type, url, direction } = meta;
    let sha256 = Some(text::digits(&hashes.sha256()));
    let (md5, sha1) = hashes.old();
    FileSeen {
        extension: name.as_deref().and_then(kind::extension),
        name,
        size_bytes,
        mime_type: Some(mime_type.to_owned()),
        claimed_type,
        md5,
        sha1,
        sha256,
        direction: direction.map(|direction| match direction {
            Direction::ToServer => "upload",
            Direction::ToClient => "download",
        }),
        url,
        ..FileSeen::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carve(carver: &mut Carver, bytes: &[u8]) -> Option<FileSeen> {
        let token = carver.open(FileMeta { name: Some("anh.PHP".into()), ..FileMeta::default() })?;
        for part in bytes.chunks(1000) {
            carver.data(token, part);
        }
        carver.close(token, true).into_iter().flatten().next()
    }

    #[test]
    fn hashes_are_of_the_whole_file() {
        let mut carver = Carver::new(&FileLimits::default(), 1, None);
        let seen = carve(&mut carver, b"abc").unwrap();
        assert_eq!(seen.md5.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        assert_eq!(seen.sha1.as_deref(), Some("a9993e364706816aba3e25717850c26c9cd0d89d"));
        assert_eq!(seen.sha256.as_deref(), Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        assert_eq!((seen.extension.as_deref(), seen.size_bytes, seen.stored), (Some("php"), 3, false));
        assert!(carve(&mut carver, b"").is_none());
        let page = carve(&mut carver, b"<!DOCTYPE html><p>").unwrap();
        assert_eq!((page.md5.is_some(), page.sha256.is_some()), (false, true));
    }

    #[test]
    fn limits_are_kept_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), 1 << 20).unwrap());
        let limits = FileLimits { file_bytes: 10_000, open: 2, memory_bytes: 12_000 };
        let mut carver = Carver::new(&limits, 1, Some(store));
        let (a, b) = (carver.open(FileMeta::default()).unwrap(), carver.open(FileMeta::default()).unwrap());
        assert!(carver.open(FileMeta::default()).is_none());
        carver.data(a, &[1; 9_000]);
        carver.data(b, &[2; 9_000]);
        assert_eq!((carver.counts().refused, carver.counts().no_memory), (1, 1));
        assert!(carver.close(a, true)[0].as_ref().unwrap().stored);
        assert!(!carver.close(b, true)[0].as_ref().unwrap().stored);
        assert_eq!(carver.used_bytes, 0);
        assert!(!carve(&mut carver, &[3; 11_000]).unwrap().stored);
        assert_eq!(carver.counts().too_large, 1);
    }

    #[test]
    fn a_download_taken_up_again_is_told_as_a_whole() {
        let mut carver = Carver::new(&FileLimits::default(), 1, None);
        let whole: Vec<u8> = (0..50_000u32).map(|i| (i % 253) as u8).collect();
        let mut fetch = |start: usize, end: usize, complete: bool| {
            let meta = FileMeta { url: Some("http://a.example/b.bin".into()), ..FileMeta::default() };
            let token = carver.open(meta).unwrap();
            carver.piece(token, [192, 0, 2, 10].into(), FilePlace { start: start as u64, total: 50_000 });
            for part in whole[start..end].chunks(1000) {
                carver.data(token, part);
            }
            carver.close(token, complete)
        };
        let [cut, none] = fetch(0, 20_000, false);
        assert_eq!((cut.unwrap().range_total, none.is_none()), (Some(50_000), true));
        assert!(fetch(40_000, 50_000, true)[1].is_none());
        let [rest, whole_file] = fetch(20_000, 40_000, true);
        assert_eq!(rest.unwrap().range_start, Some(20_000));
        let seen = whole_file.unwrap();
        assert_eq!(seen.sha256, Some(hex::encode(Sha256::digest(&whole))));
        assert_eq!((seen.size_bytes, seen.pieces, seen.complete), (50_000, Some(3), true));
        let [whole_at_once, none] = fetch(0, 50_000, true);
        assert_eq!((whole_at_once.unwrap().range_total, none.is_none()), (None, true));
        assert_eq!(carver.used_bytes, 0);
    }
}
