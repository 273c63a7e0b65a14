//! The parts of a message (RFC 2046): heads and contents, told apart line by line as they stream by.
//!
//! Bounds: bytes of a head, parts, multiparts in multiparts, bytes of a line that are looked at for a boundary. What is
//! over a limit is passed over.

use super::super::http::head::{Fields, parameter};
use super::encoding::Decoder;

/// Bytes of a head that are read.
const MAX_HEAD_BYTES: usize = 128 * 1024;
/// Parts that are looked at.
const MAX_PARTS: usize = 512;
/// Multiparts in multiparts.
const MAX_DEPTH: usize = 8;
/// Bytes of a line that are kept before they are handed on: longer ones hold no boundary.
const MAX_LINE_BYTES: usize = 4096;
/// Bytes of a boundary (RFC 2046 section 5.1.1 allows 70).
const MAX_BOUNDARY_BYTES: usize = 200;
/// Longer ones are told as odd.
const LONG_BOUNDARY_BYTES: usize = 254;

/// What comes out of a message.
pub trait Parts {
    /// The head of the whole message.
    fn head(&mut self, fields: &Fields);
    /// A part begins whose content is not other parts; `top` says that it is the whole message.
    fn begin(&mut self, fields: &Fields, top: bool);
    /// Content of that part, decoded.
    fn data(&mut self, bytes: &[u8]);
    /// That part is over; `complete` says whether its end was seen.
    fn end(&mut self, complete: bool);
    /// A limit was reached, by its short fixed name.
    fn limit(&mut self, name: &'static str);
}

/// Where a message stands.
#[derive(Default)]
pub struct Mime {
    inside: Inside,
    fields: Fields,
    head_bytes: usize,
    begun: bool,
    boundaries: Vec<Vec<u8>>,
    decoder: Decoder,
    /// Line end that belongs to the content, unless a boundary follows.
    pending: Vec<u8>,
    line: Vec<u8>,
    /// The line that is being read was too long and handed on in part.
    long: bool,
    parts: usize,
    decoded: Vec<u8>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Inside {
    #[default]
    Head,
    Content,
    /// Before the first part, after the last one, or beyond a limit.
    Nothing,
}

impl Mime {
    /// More of the message.
    pub fn data(&mut self, parts: &mut dyn Parts, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let end = bytes.iter().position(|b| *b == b'\n');
            let (piece, rest) = bytes.split_at_checked(end.map_or(bytes.len(), |at| at + 1)).unwrap_or((bytes, &[]));
            bytes = rest;
            let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
            if self.line.is_empty() && end.is_some() && !self.long {
                self.whole_line(parts, piece);
            } else if piece.len() <= room || self.inside == Inside::Head {
                self.line.extend_from_slice(piece);
                if end.is_some() {
                    let line = std::mem::take(&mut self.line);
                    if std::mem::take(&mut self.long) {
                        self.content(parts, &line)
                    } else {
                        self.whole_line(parts, &line)
                    }
                } else if self.line.len() > MAX_HEAD_BYTES {
                    parts.limit("email.head_too_large");
                    self.line.clear();
                }
            } else {
                // Handed on in steps of a fixed size, so that it does not matter how the stream was cut.
                self.line.extend_from_slice(piece);
                let mut line = std::mem::take(&mut self.line);
                while line.len() > MAX_LINE_BYTES {
                    let after = line.split_off(MAX_LINE_BYTES);
                    self.content(parts, &line);
                    line = after;
                }
                self.long = end.is_none();
                if self.long { self.line = line } else { self.content(parts, &line) }
            }
        }
    }

    /// The message is over.
    pub fn end(&mut self, parts: &mut dyn Parts, complete: bool) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            if std::mem::take(&mut self.long) { self.content(parts, &line) } else { self.whole_line(parts, &line) }
        }
        if self.inside == Inside::Head {
            self.head_over(parts);
        }
        if self.inside == Inside::Content {
            let pending = std::mem::take(&mut self.pending);
            self.decode(parts, &pending);
            parts.end(complete);
        }
        self.inside = Inside::Nothing;
    }

    fn whole_line(&mut self, parts: &mut dyn Parts, line: &[u8]) {
        if line.starts_with(b"--") && self.begun && self.boundary(parts, line) {
            return;
        }
        if self.inside != Inside::Head {
            self.content(parts, line);
            return;
        }
        let kept = line.trim_ascii_end();
        if kept.is_empty() && line.len() <= 2 {
            self.head_over(parts);
            return;
        }
        self.head_bytes += line.len();
        if self.head_bytes <= MAX_HEAD_BYTES {
            self.fields.line(kept);
        } else {
            parts.limit("email.head_too_large");
        }
    }

    /// Whether the line ends a part.
    fn boundary(&mut self, parts: &mut dyn Parts, line: &[u8]) -> bool {
        let text = line.get(2..).unwrap_or(&[]).trim_ascii_end();
        let found = self.boundaries.iter().rposition(|boundary| {
            text.strip_prefix(boundary.as_slice()).is_some_and(|rest| rest.is_empty() || rest == b"--")
        });
        let Some(at) = found else { return false };
        if self.inside == Inside::Head {
            self.head_over(parts);
        }
        if self.inside == Inside::Content {
            parts.end(true);
        }
        let last = self.boundaries.get(at).is_some_and(|boundary| text.len() > boundary.len());
        self.boundaries.truncate(if last { at } else { at + 1 });
        self.pending.clear();
        self.parts += usize::from(!last);
        if self.parts > MAX_PARTS {
            parts.limit("email.too_many_parts");
        }
        self.inside = if last || self.parts > MAX_PARTS { Inside::Nothing } else { Inside::Head };
        (self.fields, self.head_bytes) = (Fields::default(), 0);
        true
    }

    fn head_over(&mut self, parts: &mut dyn Parts) {
        let fields = std::mem::take(&mut self.fields);
        let top = !std::mem::replace(&mut self.begun, true);
        if top {
            parts.head(&fields);
        }
        let content_type = fields.get("content-type").unwrap_or(&[]);
        let multipart = content_type.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"));
        let boundary = parameter(content_type, "boundary").filter(|b| (1..=MAX_BOUNDARY_BYTES).contains(&b.len()));
        if multipart && parameter(content_type, "boundary").is_some_and(|b| b.len() > LONG_BOUNDARY_BYTES) {
            parts.limit("email.long_boundary");
        }
        if let (true, Some(boundary)) = (multipart, boundary) {
            self.inside = Inside::Nothing;
            if self.boundaries.len() < MAX_DEPTH {
                self.boundaries.push(boundary);
            } else {
                parts.limit("email.too_deep");
            }
            return;
        }
        self.inside = Inside::Content;
        self.decoder = Decoder::new(fields.get("content-transfer-encoding").unwrap_or(&[]));
        parts.begin(&fields, top);
    }

    /// Content, with the end of its last line held back.
    fn content(&mut self, parts: &mut dyn Parts, line: &[u8]) {
        if self.inside != Inside::Content {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        self.decode(parts, &pending);
        let ends = [&b"\r\n"[..], b"\n"].into_iter().find(|end| line.ends_with(end)).map_or(0, <[u8]>::len);
        let (content, end) = line.split_at_checked(line.len().saturating_sub(ends)).unwrap_or((line, &[]));
        self.pending.extend_from_slice(end);
        self.decode(parts, content);
    }

    fn decode(&mut self, parts: &mut dyn Parts, bytes: &[u8]) {
        self.decoded.clear();
        self.decoder.decode(bytes, &mut self.decoded);
        if !self.decoded.is_empty() {
            parts.data(&self.decoded);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<String>);

    impl Parts for Seen {
        fn head(&mut self, fields: &Fields) {
            self.0.push(format!("head {}", fields.names().count()));
        }
        fn begin(&mut self, fields: &Fields, top: bool) {
            self.0.push(format!("begin {:?} {top}", fields.mime_type().unwrap_or_default()));
            self.0.push(String::new());
        }
        fn data(&mut self, bytes: &[u8]) {
            self.0.last_mut().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
        }
        fn end(&mut self, complete: bool) {
            self.0.push(format!("end {complete}"));
        }
        fn limit(&mut self, name: &'static str) {
            self.0.push(name.into());
        }
    }

    #[test]
    fn parts_in_parts_however_they_are_cut() {
        let message = b"From: a@b.example\r\nContent-Type: multipart/mixed;\r\n boundary=\"B\"\r\n\r\nbefore\r\n\
            --B\r\nContent-Type: multipart/alternative; boundary=BB\r\n\r\n--BB\r\n\r\nxin\r\n--chao\r\n--BB--\r\n\
            --B\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\nZGVm\r\n--B--\r\nafter\r\n";
        for size in 1..message.len() {
            let (mut mime, mut seen) = (Mime::default(), Seen::default());
            for piece in message.chunks(size) {
                mime.data(&mut seen, piece);
            }
            mime.end(&mut seen, true);
            assert_eq!(
                seen.0,
                [
                    "head 2",
                    "begin \"\" false",
                    "xin\r\n--chao",
                    "end true",
                    "begin \"text/plain\" false",
                    "abcdef",
                    "end true"
                ],
                "in pieces of {size}"
            );
        }
    }

    #[test]
    fn a_message_without_parts_and_long_lines() {
        let message = [b"Subject: x\r\n\r\n".as_slice(), &b"a".repeat(10_000), b"\r\nb\r\n"].concat();
        for size in [1, 100, 4096, 5000, 20_000] {
            let (mut mime, mut seen) = (Mime::default(), Seen::default());
            for piece in message.chunks(size) {
                mime.data(&mut seen, piece);
            }
            mime.end(&mut seen, false);
            assert_eq!(seen.0.len(), 4);
            assert_eq!(
                (seen.0[1].as_str(), seen.0[2].len(), seen.0[3].as_str()),
                ("begin \"\" true", 10_005, "end false")
            );
        }
    }
}
