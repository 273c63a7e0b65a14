//! The reading end of a log: hands out durable records in order, from any place, while the log goes on being written.

use std::io;

use crate::frame::{self, HEAD_BYTES};
use crate::log::{Position, View, file_name};

/// Reads a log from a place on.
pub struct Cursor {
    view: View,
    position: Position,
}

/// What a cursor met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A record, and the place after it.
    Record(Vec<u8>, Position),
    /// Bytes that do not check were skipped.
    Damaged {
        /// How many.
        bytes: u64,
    },
    /// Nothing more that is durable.
    End,
}

impl Cursor {
    /// A cursor at `position`, or at the oldest record where that place no longer exists.
    pub fn new(view: View, position: Position) -> Cursor {
        Cursor { view, position }
    }

    /// Where the next record is read.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Goes elsewhere.
    pub fn seek(&mut self, position: Position) {
        self.position = position;
    }

    /// The next record. After an error the cursor is where it was.
    #[expect(clippy::should_implement_trait, reason = "it has three outcomes and may fail")]
    pub fn next(&mut self) -> io::Result<Step> {
        loop {
            let Some(size) = self.view.size_of(self.position.segment) else {
                match self.view.following(self.position.segment) {
                    Some(segment) => self.position = Position { segment, offset: 0 },
                    None => return Ok(Step::End),
                }
                continue;
            };
            if self.position.offset >= size {
                match self.view.following(self.position.segment) {
                    Some(segment) => self.position = Position { segment, offset: 0 },
                    None => return Ok(Step::End),
                }
                continue;
            }
            let header = self.position.offset == 0;
            match self.read(size)? {
                Some(payload) => {
                    self.position.offset += (HEAD_BYTES + payload.len()) as u64;
                    if !header {
                        return Ok(Step::Record(payload, self.position));
                    }
                }
                None => return self.skip_damage(size),
            }
        }
    }

    /// The payload at the position, if its frame checks.
    fn read(&self, size: u64) -> io::Result<Option<Vec<u8>>> {
        let name = file_name(self.position.segment);
        let head = self.view.disk.read(&name, self.position.offset, HEAD_BYTES)?;
        let Some(length) = frame::announced(&head) else { return Ok(None) };
        if self.position.offset + (HEAD_BYTES + length) as u64 > size {
            return Ok(None);
        }
        let mut bytes = self.view.disk.read(&name, self.position.offset, HEAD_BYTES + length)?;
        match frame::at(&bytes, 0) {
            Some(frame) => {
                bytes.truncate(frame.payload.end);
                Ok(Some(bytes.split_off(HEAD_BYTES)))
            }
            None => Ok(None),
        }
    }

    fn skip_damage(&mut self, size: u64) -> io::Result<Step> {
        let rest = usize::try_from(size - self.position.offset).unwrap_or(usize::MAX);
        let bytes = self.view.disk.read(&file_name(self.position.segment), self.position.offset, rest)?;
        let skipped = frame::after(&bytes, 0).map_or(rest, |(next, _)| next) as u64;
        self.position.offset += skipped;
        Ok(Step::Damaged { bytes: skipped })
    }
}
