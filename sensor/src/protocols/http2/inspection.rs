//! What signatures look into of frames: their type and what is in them. A frame of the connection is a transaction; those
//! of a stream belong to its request or response.

use super::frame::{self, Head};
use crate::protocols::buffer::{self, BufferId};
use crate::protocols::{Direction, Output};

/// Bytes of one setting: its number and its value.
const SETTING_BYTES: usize = 6;

/// Hands over a frame.
pub fn frame(out: &mut dyn Output, direction: Direction, head: Head, payload: &[u8]) {
    if !out.inspects() {
        return;
    }
    let number = |at: usize| payload.get(at..).and_then(|rest| rest.first_chunk()).map(|b| u32::from_be_bytes(*b));
    let mut told: Vec<(BufferId, Vec<u8>)> =
        vec![(buffer::HTTP2_FRAME_TYPE, u64::from(head.kind).to_be_bytes().to_vec())];
    let mut add = |id, number: Option<u32>| {
        told.extend(number.map(|number| (id, u64::from(number).to_be_bytes().to_vec())));
    };
    match head.kind {
        frame::RST_STREAM => add(buffer::HTTP2_ERROR_CODE, number(0)),
        frame::GOAWAY => add(buffer::HTTP2_ERROR_CODE, number(4)),
        frame::WINDOW_UPDATE => add(buffer::HTTP2_WINDOW, number(0).map(|window| window & 0x7fff_ffff)),
        frame::PRIORITY_FRAME => add(buffer::HTTP2_PRIORITY, payload.get(4).map(|weight| u32::from(*weight))),
        frame::SETTINGS => {
            let settings = payload.chunks_exact(SETTING_BYTES);
            // Number and value as one number.
            told.extend(settings.map(|setting| (buffer::HTTP2_SETTINGS, [&[0, 0][..], setting].concat())));
        }
        _ => {}
    }
    let of_stream = matches!(head.kind, frame::HEADERS | frame::PUSH_PROMISE | frame::CONTINUATION);
    for (id, bytes) in told {
        if of_stream {
            out.inspect(direction, id, &bytes);
        } else {
            out.frame(direction, id, &bytes);
        }
    }
}
