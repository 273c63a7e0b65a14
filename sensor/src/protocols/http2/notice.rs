//! The frames that are told by themselves: settings, goodbyes, and streams that are only given a weight or a reset.
//!
//! At most [`MAX_TOLD`] are told of a connection; what comes after is counted. Streams without a request are kept until
//! they get one or the connection ends, at most [`MAX_IDLE`]; of more the oldest is told.

use std::collections::BTreeMap;

use super::frame;
use super::http::record::Http2Frame;
use super::stream::VERSION;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, text};

/// Frames of a connection that are told.
const MAX_TOLD: u32 = 256;
/// Streams without a request that are kept.
const MAX_IDLE: usize = 128;
/// Settings told of one frame.
const MAX_SETTINGS: usize = 64;
/// Bytes told of what a goodbye says.
const MAX_DEBUG_BYTES: usize = 256;

/// The names of settings from 1 (RFC 9113 section 6.5.2, RFC 8441 section 3, RFC 9218 section 2.1).
const SETTINGS: [&str; 9] = [
    "HEADER_TABLE_SIZE",
    "ENABLE_PUSH",
    "MAX_CONCURRENT_STREAMS",
    "INITIAL_WINDOW_SIZE",
    "MAX_FRAME_SIZE",
    "MAX_HEADER_LIST_SIZE",
    "0x0007",
    "ENABLE_CONNECT_PROTOCOL",
    "NO_RFC7540_PRIORITIES",
];
/// The names of errors from 0 (RFC 9113 section 7).
const ERRORS: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// The name of an error, or its number.
pub fn error_name(code: u32) -> String {
    let name = usize::try_from(code).ok().and_then(|code| ERRORS.get(code));
    name.map_or_else(|| format!("0x{code:08x}"), |name| (*name).to_owned())
}

/// The settings in a field of HTTP/1.1 (RFC 7540 section 3.2.1).
pub fn brought(value: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(value).ok()
}

fn setting_name(number: u16) -> String {
    let name = usize::from(number).checked_sub(1).and_then(|at| SETTINGS.get(at));
    name.map_or_else(|| format!("0x{number:04x}"), |name| (*name).to_owned())
}

/// What one connection has told and still keeps.
#[derive(Default)]
pub struct Notices {
    told: u32,
    idle: BTreeMap<u32, Http2Frame>,
}

impl Notices {
    /// A frame of settings. Those that acknowledge or say nothing are not told.
    pub fn settings(&mut self, out: &mut dyn Output, direction: Direction, flags: u8, payload: &[u8]) {
        let mut notice = begin(direction, 0, "settings");
        let mut r = Reader::new(payload);
        while let (Ok(name), Ok(value)) = (r.u16(), r.u32()) {
            if notice.setting_names.len() >= MAX_SETTINGS {
                out.anomaly("http2.too_many_settings");
                break;
            }
            notice.setting_names.push(setting_name(name));
            notice.setting_values.push(value);
        }
        if flags & frame::ACK == 0 && !notice.setting_names.is_empty() {
            self.tell(out, notice);
        }
    }

    /// A goodbye.
    pub fn goaway(&mut self, out: &mut dyn Output, direction: Direction, payload: &[u8]) -> Result<(), Short> {
        let mut r = Reader::new(payload);
        let mut notice = begin(direction, 0, "goaway");
        notice.last_stream_id = Some(u64::from(r.u32()? & 0x7fff_ffff));
        notice.error_code = Some(error_name(r.u32()?));
        notice.debug_data = (!r.is_empty()).then(|| text::text(r.rest(), MAX_DEBUG_BYTES));
        self.tell(out, notice);
        Ok(())
    }

    /// A weight for a stream that has no request yet.
    pub fn priority(&mut self, out: &mut dyn Output, direction: Direction, stream: u32, payload: &[u8]) {
        let weight = payload.get(4).copied().map(u64::from);
        self.idle(out, direction, stream, "priority").priority = weight;
    }

    /// The end of a stream that never had a request.
    pub fn reset(&mut self, out: &mut dyn Output, direction: Direction, stream: u32, code: u32) {
        let notice = self.idle(out, direction, stream, "reset");
        notice.kind = Some("reset");
        notice.error_code = Some(error_name(code));
    }

    /// The stream has got its request: what was kept belongs to it.
    pub fn opened(&mut self, stream: u32) {
        self.idle.remove(&stream);
    }

    /// The connection ends.
    pub fn end(&mut self, out: &mut dyn Output) {
        while let Some((_, notice)) = self.idle.pop_first() {
            self.tell(out, notice);
        }
    }

    fn idle(&mut self, out: &mut dyn Output, direction: Direction, stream: u32, kind: &'static str) -> &mut Http2Frame {
        if !self.idle.contains_key(&stream)
            && self.idle.len() >= MAX_IDLE
            && let Some((_, oldest)) = self.idle.pop_first()
        {
            out.anomaly("http2.too_many_idle_streams");
            self.tell(out, oldest);
        }
        self.idle.entry(stream).or_insert_with(|| begin(direction, stream, kind))
    }

    fn tell(&mut self, out: &mut dyn Output, notice: Http2Frame) {
        self.told += 1;
        if self.told > MAX_TOLD {
            out.anomaly("http2.too_many_notices");
        } else {
            out.event(notice.into_body());
        }
    }
}

fn begin(direction: Direction, stream: u32, kind: &'static str) -> Http2Frame {
    Http2Frame {
        version: Some(VERSION.to_owned()),
        stream_id: Some(stream.into()),
        kind: Some(kind),
        sender: Some(match direction {
            Direction::ToServer => "client",
            Direction::ToClient => "server",
        }),
        ..Http2Frame::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_standard() {
        assert_eq!(error_name(0), "NO_ERROR");
        assert_eq!(error_name(13), "HTTP_1_1_REQUIRED");
        assert_eq!(error_name(14), "0x0000000e");
        assert_eq!(
            (setting_name(1).as_str(), setting_name(8).as_str()),
            ("HEADER_TABLE_SIZE", "ENABLE_CONNECT_PROTOCOL")
        );
        assert_eq!((setting_name(0).as_str(), setting_name(10).as_str()), ("0x0000", "0x000a"));
    }
}
