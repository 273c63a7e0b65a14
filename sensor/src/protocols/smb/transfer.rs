//! The content of one file in one direction: pieces with their places, put in order and handed on.
//!
//! Clients ask for several pieces at once, and servers answer in any order: a piece that comes too early waits, at most
//! [`HELD_BYTES`] a file. When more would have to wait, what is missing is given up and the file is told incomplete.

use std::collections::BTreeMap;

use crate::protocols::{Direction, FileMeta, FileToken, Output};

/// Bytes of a file that may wait for those before them.
const HELD_BYTES: usize = 256 << 10;

/// What is read from or written to a file.
#[derive(Debug, Default)]
pub struct Transfer {
    token: Option<FileToken>,
    /// The carver has no room: bytes are only counted.
    refused: bool,
    /// Place of the next byte to hand on.
    next: u64,
    held: BTreeMap<u64, Vec<u8>>,
    held_bytes: usize,
    /// Something is missing.
    broken: bool,
    /// Bytes that came, wherever they belong.
    bytes: u64,
}

impl Transfer {
    /// Bytes that came so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that belong at `offset`.
    pub fn data(&mut self, out: &mut dyn Output, meta: impl FnOnce() -> FileMeta, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.token.is_none() && !self.refused {
            self.token = out.file_open(meta());
            self.refused = self.token.is_none();
        }
        if self.refused {
            return;
        }
        self.place(out, offset, bytes);
        while let Some((offset, bytes)) = self.ready() {
            self.place(out, offset, &bytes);
        }
        if self.held_bytes > HELD_BYTES {
            out.anomaly("smb.file_order_limit");
            self.release(out);
        }
    }

    fn place(&mut self, out: &mut dyn Output, offset: u64, bytes: &[u8]) {
        if offset > self.next {
            self.held_bytes += bytes.len();
            if let Some(replaced) = self.held.insert(offset, bytes.to_vec()) {
                self.held_bytes = self.held_bytes.saturating_sub(replaced.len());
                self.broken = true;
            }
            return;
        }
        // What came before is not handed on again.
        let old = usize::try_from(self.next - offset).unwrap_or(usize::MAX);
        let Some(new) = bytes.get(old..).filter(|new| !new.is_empty()) else { return };
        if let Some(token) = self.token {
            out.file_data(token, new);
        }
        self.next = self.next.saturating_add(new.len() as u64);
    }

    /// What waited and is next.
    fn ready(&mut self) -> Option<(u64, Vec<u8>)> {
        let (offset, _) = self.held.first_key_value()?;
        if *offset > self.next {
            return None;
        }
        let (offset, bytes) = self.held.pop_first()?;
        self.held_bytes = self.held_bytes.saturating_sub(bytes.len());
        Some((offset, bytes))
    }

    /// Gives up what is missing and hands on all that waits.
    fn release(&mut self, out: &mut dyn Output) {
        while let Some((offset, bytes)) = self.held.pop_first() {
            self.held_bytes = self.held_bytes.saturating_sub(bytes.len());
            self.broken |= offset > self.next;
            self.next = self.next.max(offset);
            self.place(out, offset, &bytes);
        }
    }

    /// Bytes are missing for good.
    pub fn missing(&mut self) {
        self.broken = true;
    }

    /// The file is closed; `size` is how many bytes it has, where that is known.
    pub fn finish(&mut self, out: &mut dyn Output, closed: bool, size: Option<u64>) {
        self.release(out);
        let whole = closed && !self.broken && size.is_none_or(|size| self.next >= size);
        if let Some(token) = self.token.take() {
            out.file_close(token, whole);
        }
    }
}

/// What is told of a file to the carver.
pub fn meta(path: Option<&str>, share: Option<&str>, direction: Direction) -> FileMeta {
    let name = path.map(|path| path.rsplit(['\\', '/']).next().unwrap_or(path).to_owned());
    let url = path.map(|path| {
        let share = share.unwrap_or("").trim_start_matches('\\');
        format!("smb://{share}\\{}", path.trim_start_matches('\\')).replace('\\', "/")
    });
    FileMeta { name, claimed_type: None, url, direction: Some(direction) }
}
