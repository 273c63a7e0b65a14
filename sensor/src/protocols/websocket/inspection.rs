//! What signatures look into of frames: head and payload, of a message in several frames the payload of all of them.
//! A frame is a transaction. At most [`MAX_MESSAGE_BYTES`] are kept.

use super::frame::{self, Head};
use crate::protocols::{Direction, Output, buffer};

/// Bytes of a message, and of a frame, that signatures are shown.
const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// What is kept of one direction.
#[derive(Default)]
pub struct Inspected {
    /// Payload of the frame.
    frame: Vec<u8>,
    /// Payload of the frames of a message before it.
    message: Vec<u8>,
}

impl Inspected {
    /// A frame begins.
    pub fn begin(&mut self) {
        self.frame.clear();
    }

    /// Payload, unmasked.
    pub fn data(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        if out.inspects() {
            let room = MAX_MESSAGE_BYTES.saturating_sub(self.frame.len());
            self.frame.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }

    /// The frame is over.
    pub fn end(&mut self, out: &mut dyn Output, direction: Direction, head: Head) {
        if !out.inspects() {
            return;
        }
        let bits = u64::from(head.last) << 7 | u64::from(head.reserved) << 4;
        out.inspect_number(direction, buffer::WEBSOCKET_FLAGS, bits);
        out.inspect_number(direction, buffer::WEBSOCKET_OPCODE, head.opcode.into());
        if let Some(mask) = head.mask {
            out.inspect_number(direction, buffer::WEBSOCKET_MASK, u32::from_be_bytes(mask).into());
        }
        let header = head_bytes(head);
        out.frame(direction, buffer::FRAME_WEBSOCKET_HEADER, &header);
        out.frame(direction, buffer::FRAME_WEBSOCKET_DATA, &self.frame);
        out.frame(direction, buffer::FRAME_WEBSOCKET_PDU, &[header.as_slice(), &self.frame].concat());
        if head.opcode > frame::BINARY {
            out.inspect(direction, buffer::WEBSOCKET_PAYLOAD, &self.frame);
        } else {
            if head.opcode != frame::CONTINUATION {
                self.message.clear();
            }
            let room = MAX_MESSAGE_BYTES.saturating_sub(self.message.len());
            self.message.extend_from_slice(self.frame.get(..room).unwrap_or(&self.frame));
            if head.last {
                out.inspect(direction, buffer::WEBSOCKET_PAYLOAD, &std::mem::take(&mut self.message));
            }
        }
        out.transaction(direction);
    }
}

/// A head as it is sent.
fn head_bytes(head: Head) -> Vec<u8> {
    let mut bytes = vec![u8::from(head.last) << 7 | head.reserved << 4 | head.opcode];
    let masked = if head.mask.is_some() { 0x80 } else { 0 };
    match (u8::try_from(head.length), u16::try_from(head.length)) {
        (Ok(length @ 0..=125), _) => bytes.push(masked | length),
        (_, Ok(length)) => {
            bytes.push(masked | 126);
            bytes.extend(length.to_be_bytes());
        }
        _ => {
            bytes.push(masked | 127);
            bytes.extend(head.length.to_be_bytes());
        }
    }
    bytes.extend(head.mask.into_iter().flatten());
    bytes
}
