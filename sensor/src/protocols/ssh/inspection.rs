//! What signatures look into: versions and fingerprints of both sides. Each is a transaction of its own.

use super::kex::Offer;
use crate::protocols::buffer::{self, BufferId};
use crate::protocols::{Direction, Output};

/// Hands over a side's version, which is a transaction of its own: what follows may never come.
pub fn version(out: &mut dyn Output, direction: Direction, version: Option<&str>, software: Option<&str>) {
    for (id, text) in [(buffer::SSH_PROTO, version), (buffer::SSH_SOFTWARE, software)] {
        if let Some(text) = text {
            out.inspect(direction, id, text.as_bytes());
        }
    }
    out.transaction(direction);
}

/// Hands over a side's offer.
pub fn offer(out: &mut dyn Output, direction: Direction, offer: &Offer) {
    if !out.inspects() {
        return;
    }
    let (way, digest, text): (usize, BufferId, BufferId) = match direction {
        Direction::ToServer => (0, buffer::SSH_HASSH, buffer::SSH_HASSH_STRING),
        Direction::ToClient => (1, buffer::SSH_HASSH_SERVER, buffer::SSH_HASSH_SERVER_STRING),
    };
    out.inspect(direction, digest, offer.hassh(way).as_bytes());
    out.inspect(direction, text, &offer.hassh_text(way));
    out.transaction(direction);
}

/// A packet in the clear: its head with the kind of message, and what follows.
pub fn packet(out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
    const HEAD_BYTES: usize = 6;
    let (head, data) = bytes.split_at_checked(HEAD_BYTES).unwrap_or((bytes, &[]));
    out.frame(direction, buffer::FRAME_SSH_PDU, bytes);
    out.frame(direction, buffer::FRAME_SSH_HEADER, head);
    out.frame(direction, buffer::FRAME_SSH_DATA, data);
}
