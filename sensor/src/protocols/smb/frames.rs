//! Cuts one direction of a stream into commands.
//!
//! A stream consists of packets of the NetBIOS session service (RFC 1002 section 4.3); one carries a message of SMB, and
//! a message of SMB 2 may hold several commands one after the other. Comes out: the beginning of each command, as long
//! as its parser wants it, then the rest of it in the pieces in which it arrives. Kept are at most [`KEPT_BYTES`].

use std::borrow::Cow;

use super::v2;

/// The most bytes of a command that are handed over at once; the contents of files follow in pieces.
pub const KEPT_BYTES: usize = 32 << 10;
/// Bytes of the header of a session packet.
const HEADER_BYTES: usize = 4;
/// Names of two computers, as a session's request carries them.
const NAMES_BYTES: usize = 256;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A command, or its beginning.
    Command {
        /// The bytes.
        bytes: Cow<'a, [u8]>,
        /// Bytes of the whole command.
        length: usize,
    },
    /// More of the last command.
    More(&'a [u8]),
    /// A packet that manages the session: its type, and what it holds.
    Session(u8, Cow<'a, [u8]>),
    /// The stream can no longer be followed; told once.
    Lost,
}

/// One direction.
#[derive(Debug, Default)]
pub struct Frames {
    kept: Vec<u8>,
    /// Bytes of the packet that were not handed over yet.
    packet_left: usize,
    /// Type of the packet.
    packet_type: u8,
    /// Bytes of the last command that follow in pieces.
    more: usize,
    searching: bool,
    lost: bool,
}

/// Whether a packet with a message of SMB begins here.
pub fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [0, _, _, _, 0xfc..=0xff, b'S', b'M', b'B', ..])
}

impl Frames {
    /// Whether the stream can no longer be followed.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// The next piece of `input`, which is moved forward.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        if self.lost {
            *input = &[];
        }
        loop {
            if input.is_empty() {
                return None;
            }
            if self.more > 0 {
                let part = cut(input, self.more);
                self.more -= part.len();
                return Some(Piece::More(part));
            }
            if self.searching && !begins(input) {
                *input = &[];
                return None;
            }
            self.searching = false;
            if self.packet_left == 0 {
                let head = self.gather(input, HEADER_BYTES)?;
                self.packet(&head);
                if self.lost {
                    *input = &[];
                    return Some(Piece::Lost);
                }
                continue;
            }
            if self.packet_type != 0 {
                let wanted = self.packet_left.min(NAMES_BYTES);
                let bytes = self.gather(input, wanted)?;
                self.more = std::mem::take(&mut self.packet_left) - bytes.len();
                return Some(Piece::Session(self.packet_type, bytes));
            }
            return self.command(input);
        }
    }

    /// The header of a packet was read.
    fn packet(&mut self, head: &[u8]) {
        let [kind, rest @ ..] = head else { return };
        let length = rest.iter().fold(0usize, |length, byte| (length << 8) | usize::from(*byte));
        self.packet_type = *kind;
        // A message, or the management of the session: request, answers, keep-alive.
        match kind {
            0 | 0x81..=0x85 => self.packet_left = length,
            _ => self.lost = true,
        }
    }

    fn command<'a>(&mut self, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        let head = self.packet_left.min(v2::HEADER_BYTES);
        let at_hand = if self.kept.is_empty() { input.len() } else { self.kept.len() };
        if at_hand < head {
            self.kept.extend_from_slice(cut(input, head - self.kept.len()));
            if self.kept.len() < head {
                return None;
            }
        }
        let seen: &[u8] = if self.kept.is_empty() { input } else { &self.kept };
        let (length, wanted) = v2::extent(seen, self.packet_left);
        let bytes = self.gather(input, wanted)?;
        self.packet_left = self.packet_left.saturating_sub(length);
        self.more = length.saturating_sub(bytes.len());
        Some(Piece::Command { bytes, length })
    }

    /// The next `wanted` bytes together with those kept, once they are all there.
    fn gather<'a>(&mut self, input: &mut &'a [u8], wanted: usize) -> Option<Cow<'a, [u8]>> {
        if self.kept.is_empty() && input.len() >= wanted {
            return Some(Cow::Borrowed(cut(input, wanted)));
        }
        let part = cut(input, wanted.saturating_sub(self.kept.len()));
        self.kept.extend_from_slice(part);
        (self.kept.len() >= wanted).then(|| Cow::Owned(std::mem::take(&mut self.kept)))
    }

    /// `length` bytes are missing. Gives how many of them belong to the command that is handed over in pieces; when the
    /// gap is larger, or inside what is kept, that packet is lost, or everything until a message begins a piece.
    pub fn gap(&mut self, length: u64) -> u64 {
        let mut left = usize::try_from(length).unwrap_or(usize::MAX);
        let of_command = left.min(self.more);
        (self.more, left) = (self.more - of_command, left - of_command);
        if left > 0 {
            let packet = self.packet_left.saturating_sub(self.kept.len());
            self.kept = Vec::new();
            match packet.checked_sub(left) {
                // What is left of the packet is passed over as if it belonged to the last command.
                Some(rest) if packet > 0 => (self.more, self.packet_left) = (rest, 0),
                _ => (self.searching, self.packet_left) = (true, 0),
            }
        }
        of_command as u64
    }
}

/// Takes at most `count` bytes off the front.
fn cut<'a>(input: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (part, rest) = input.split_at_checked(count).unwrap_or((input, &[]));
    *input = rest;
    part
}
