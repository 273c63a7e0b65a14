//! A window that slides over a stream of bytes: whole records are handed out borrowed, without copying them.
//!
//! Memory is one buffer of [`WINDOW_BYTES`], whatever the size of the file, which grows to [`WINDOW_MAX_BYTES`] for a
//! single large record.

use std::io::{self, Read};

/// What is read at a time, in bytes.
const WINDOW_BYTES: usize = 256 << 10;
/// The largest record that can be handed out, in bytes.
pub const WINDOW_MAX_BYTES: usize = 2 << 20;

/// What the window saw.
pub enum Seen {
    /// The bytes are there.
    Enough,
    /// The stream ends before them; so many bytes are left.
    Short(usize),
}

/// The window.
pub struct Window {
    stream: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset in the stream of `start`.
    offset: u64,
    ended: bool,
}

impl Window {
    /// A window at the beginning of a stream.
    pub fn new(stream: Box<dyn Read + Send>) -> Window {
        Window { stream, buffer: vec![0; WINDOW_BYTES], start: 0, end: 0, offset: 0, ended: false }
    }

    /// How many bytes of the stream were consumed.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Makes sure that `count` bytes can be looked at.
    pub fn need(&mut self, count: usize) -> io::Result<Seen> {
        while self.end - self.start < count {
            if self.ended || count > WINDOW_MAX_BYTES {
                return Ok(Seen::Short(self.end - self.start));
            }
            self.refill(count)?;
        }
        Ok(Seen::Enough)
    }

    /// The first `count` bytes that were not consumed; fewer where [`Window::need`] was not asked for them.
    pub fn peek(&self, count: usize) -> &[u8] {
        let end = self.end.min(self.start + count);
        self.buffer.get(self.start..end).unwrap_or(&[])
    }

    /// Part of the bytes that were not consumed.
    pub fn slice(&self, from: usize, to: usize) -> &[u8] {
        self.peek(to).get(from..).unwrap_or(&[])
    }

    /// Moves on.
    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    fn refill(&mut self, count: usize) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < count {
            self.buffer.resize(count, 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or(&mut []);
        match self.stream.read(room) {
            Ok(0) => self.ended = true,
            Ok(count) => self.end += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
