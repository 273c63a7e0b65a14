//! What signatures look into of a command of SMB 2 as a frame: all of it, its header, what follows the header.
//!
//! Comes in: a command's beginning and the pieces that follow. Goes out: the frames, once the command is whole, or when the
//! next one begins. Only where rules ask for them, at most [`KEPT_BYTES`] of a command are kept.

use crate::protocols::{Direction, Output, buffer};

/// Bytes of a command that are shown.
const KEPT_BYTES: usize = 100 << 10;
/// Bytes of a command's header ([MS-SMB2] section 2.2.1).
const HEADER_BYTES: usize = 64;
/// How a command of this version begins.
const MARK: &[u8] = b"\xfeSMB";

/// Who logs in by NTLM.
pub fn login(out: &mut dyn Output, user: Option<&str>, domain: Option<&str>) {
    if !out.inspects() || user.is_none() {
        return;
    }
    for (id, name) in [(buffer::SMB_NTLM_USER, user), (buffer::SMB_NTLM_DOMAIN, domain)] {
        out.inspect(Direction::ToServer, id, name.unwrap_or("").as_bytes());
    }
    out.transaction(Direction::ToServer);
}

/// The version of the protocol that a message speaks, told by its first byte.
pub fn version(out: &mut dyn Output, direction: Direction, mark: Option<u8>) {
    let version: u64 = match mark {
        Some(0xff) => 1,
        Some(0xfe) => 2,
        _ => return,
    };
    out.frame(direction, buffer::SMB_VERSION, &version.to_be_bytes());
}

/// The command of one direction that is under way.
#[derive(Debug, Default)]
pub struct Shown {
    kept: Vec<u8>,
    /// Bytes of it that are still to come.
    left: usize,
}

impl Shown {
    /// A command begins; it has so many bytes.
    pub fn begin(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8], length: usize) {
        self.end(out, direction);
        let frames = [buffer::FRAME_SMB2_PDU, buffer::FRAME_SMB2_HEADER, buffer::FRAME_SMB2_DATA];
        if bytes.starts_with(MARK) && frames.iter().any(|frame| out.wants(*frame)) {
            self.kept = bytes.to_vec();
            self.left = length.saturating_sub(bytes.len());
            if self.left == 0 {
                self.end(out, direction);
            }
        }
    }

    /// More of it.
    pub fn more(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        if self.kept.is_empty() {
            return;
        }
        let room = KEPT_BYTES.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.left = self.left.saturating_sub(bytes.len());
        if self.left == 0 {
            self.end(out, direction);
        }
    }

    /// Nothing more of it will come.
    pub fn end(&mut self, out: &mut dyn Output, direction: Direction) {
        let command = std::mem::take(&mut self.kept);
        if command.is_empty() {
            return;
        }
        let (head, data) = command.split_at_checked(HEADER_BYTES).unwrap_or((&command, &[]));
        out.frame(direction, buffer::FRAME_SMB2_PDU, &command);
        out.frame(direction, buffer::FRAME_SMB2_HEADER, head);
        out.frame(direction, buffer::FRAME_SMB2_DATA, data);
    }
}
