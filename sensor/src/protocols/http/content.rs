//! What is in a body: packing undone, files handed over, text kept.
//!
//! Bounds: at most [`MAX_UNPACKED_BYTES`] come out of one packed body, in steps of [`STEP_BYTES`] in, so that a small
//! body cannot become a large one in memory. Files have their own limits where they are carved.

use super::super::onvif;
use super::form;
use super::head::{Fields, parameter};
use super::multipart::{FieldText, Multipart, Parts};
use super::unpack::{Unpacked, Unpacker};
use crate::protocols::{Direction, FileMeta, FilePlace, FileToken, Output, buffer, text};

/// Bytes that one packed body may become.
const MAX_UNPACKED_BYTES: usize = 64 * 1024 * 1024;
/// Packed bytes that are unpacked at a time: deflate makes at most some thousand times as many of them.
const STEP_BYTES: usize = 2048;
/// Names of uploaded files that are told of one request.
const MAX_NAMES: usize = 32;

/// One body as it streams by.
pub struct Content {
    decoder: Decoder,
    unpacked_bytes: usize,
    multipart: Option<Multipart>,
    sink: Sink,
}

/// Where the unpacked bytes go.
struct Sink {
    meta: FileMeta,
    /// Where in its whole the body belongs.
    place: Option<FilePlace>,
    file: Option<FileToken>,
    /// A file was asked for, granted or not.
    opened: bool,
    wants_file: bool,
    text: Option<Vec<u8>>,
    /// Beginning of an envelope of SOAP.
    soap: Option<Vec<u8>>,
    fields: FieldText,
    names: Vec<String>,
}

/// What a body has told, once it is over.
#[derive(Debug, Default)]
pub struct Told {
    /// Its text, passwords taken out.
    pub text: Option<String>,
    /// There was a password in it.
    pub password: bool,
    /// Names of uploaded files.
    pub names: Vec<String>,
    /// An envelope of SOAP, as far as it is kept.
    pub soap: Option<Vec<u8>>,
}

enum Decoder {
    Plain,
    Packed(Unpacker),
    Failed,
}

impl Content {
    /// The body of a message with these fields; `url` and `name` are what its request asked for.
    pub fn new(direction: Direction, fields: &Fields, url: Option<String>, name: Option<String>) -> Content {
        let content_type = fields.get("content-type").unwrap_or(&[]);
        let claimed_type = fields.mime_type();
        let request = direction == Direction::ToServer;
        let multipart = if request { Multipart::new(content_type) } else { None };
        let form = claimed_type.as_deref().is_some_and(|t| t.contains("x-www-form-urlencoded"));
        let textual = claimed_type.as_deref().is_none_or(|t| {
            ["text/", "json", "xml", "x-www-form-urlencoded", "javascript"].iter().any(|part| t.contains(part))
        });
        let soap = claimed_type.as_deref() == Some(onvif::MEDIA_TYPE);
        let disposition = fields.get("content-disposition").and_then(|value| parameter(value, "filename"));
        let name = disposition.filter(|n| !n.is_empty()).map(|n| text::text(&n, 512)).or(name);
        let decoder = decoder(fields);
        // Places are counted in what is transferred; what is packed cannot be put together from there.
        let place = place(fields).filter(|_| !request && matches!(decoder, Decoder::Plain));
        Content {
            decoder,
            unpacked_bytes: 0,
            sink: Sink {
                meta: FileMeta { name, claimed_type, url, direction: Some(direction) },
                place,
                file: None,
                opened: false,
                // Forms and envelopes are text of their request, passwords taken out; as files they would keep them.
                wants_file: multipart.is_none() && !(request && (form || soap)),
                text: (request && textual && multipart.is_none()).then(Vec::new),
                soap: soap.then(Vec::new),
                fields: FieldText::default(),
                names: Vec::new(),
            },
            multipart,
        }
    }

    /// More of the body, as transferred.
    pub fn data(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        if matches!(self.decoder, Decoder::Plain) {
            plain(self.multipart.as_mut(), &mut self.sink, out, bytes);
            return;
        }
        for step in bytes.chunks(STEP_BYTES) {
            self.unpack(out, step);
        }
    }

    /// Bytes of the body are missing: what was a file ends incomplete.
    pub fn gap(&mut self, out: &mut dyn Output) {
        self.fail(out);
    }

    /// The body is over.
    pub fn end(mut self, out: &mut dyn Output, complete: bool) -> Told {
        self.flush(out);
        if let Some(mut multipart) = self.multipart.take() {
            multipart.end(&mut Upload { out, sink: &mut self.sink });
        }
        let intact = complete && !matches!(self.decoder, Decoder::Failed);
        if let Some(file) = self.sink.file.take() {
            out.file_close(file, intact);
        }
        let Sink { text, soap, fields, names, meta, .. } = self.sink;
        let (text, password) = match text.filter(|t| !t.is_empty()) {
            Some(body) => {
                let (text, password) = form::without_passwords(&body, meta.claimed_type.as_deref());
                (Some(text), password)
            }
            None if !fields.text.is_empty() => (Some(text::text(&fields.text, form::MAX_KEPT_BYTES)), fields.password),
            None => (None, false),
        };
        Told { text, password, names, soap }
    }

    fn unpack(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        let Content { decoder: Decoder::Packed(unpacker), multipart, sink, unpacked_bytes } = self else { return };
        let state = unpacker.data(bytes, &mut |part| {
            *unpacked_bytes += part.len();
            plain(multipart.as_mut(), sink, out, part);
        });
        if self.unpacked_bytes > MAX_UNPACKED_BYTES {
            out.anomaly("http.unpack_limit");
            self.fail(out);
        } else if state == Unpacked::Broken {
            out.anomaly("http.unpack_failed");
            self.fail(out);
        }
    }

    /// What the decoder still holds back.
    fn flush(&mut self, out: &mut dyn Output) {
        let Content { decoder: Decoder::Packed(unpacker), multipart, sink, .. } = self else { return };
        let whole = unpacker.finish(&mut |part| plain(multipart.as_mut(), sink, out, part));
        if !whole {
            self.decoder = Decoder::Failed;
        }
    }

    /// Nothing that follows can be made sense of.
    fn fail(&mut self, out: &mut dyn Output) {
        if let Some(mut multipart) = self.multipart.take() {
            multipart.end(&mut Upload { out, sink: &mut self.sink });
        }
        if let Some(file) = self.sink.file.take() {
            out.file_close(file, false);
        }
        self.sink.opened = true;
        self.sink.text = None;
        self.decoder = Decoder::Failed;
    }
}

/// Takes in bytes as they are meant.
fn plain(multipart: Option<&mut Multipart>, sink: &mut Sink, out: &mut dyn Output, bytes: &[u8]) {
    match sink.meta.direction {
        Some(Direction::ToClient) => out.inspect_part(Direction::ToClient, buffer::HTTP_RESPONSE_BODY, bytes),
        _ => out.inspect_part(Direction::ToServer, buffer::HTTP_REQUEST_BODY, bytes),
    }
    match multipart {
        Some(multipart) => multipart.data(bytes, &mut Upload { out, sink }),
        None => sink.data(out, bytes),
    }
}

/// Where a body belongs by its Content-Range (`bytes 0-99/1000`), else the beginning of what Content-Length says: it may be
/// cut off and taken up again.
fn place(fields: &Fields) -> Option<FilePlace> {
    if fields.get("content-range").is_none() {
        return Some(FilePlace { start: 0, total: fields.content_length()? });
    }
    range(fields)
}

/// What Content-Range says; nothing where it makes no sense or leaves the total open.
pub fn range(fields: &Fields) -> Option<FilePlace> {
    let range = fields.text("content-range", 128)?;
    let (range, total) = range.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (start, end, total) = (number(start)?, number(end)?, number(total)?);
    (start <= end && end < total).then_some(FilePlace { start, total })
}

fn decoder(fields: &Fields) -> Decoder {
    // Several fields are one list; receivers pass over zeros in it.
    let codings: Vec<&[u8]> = fields.all("content-encoding").collect();
    let coding: Vec<u8> = codings.join(&b","[..]).into_iter().filter(|b| *b != 0).collect();
    Unpacker::new(&coding).map_or(Decoder::Plain, Decoder::Packed)
}

impl Sink {
    fn data(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if let Some(kept) = &mut self.text {
            let room = form::MAX_KEPT_BYTES.saturating_sub(kept.len());
            kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
        if let Some(kept) = &mut self.soap {
            let room = onvif::MAX_ENVELOPE_BYTES.saturating_sub(kept.len());
            kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
        if self.wants_file && !self.opened {
            self.opened = true;
            self.file = out.file_open(self.meta.clone());
            if let (Some(file), Some(place)) = (self.file, self.place) {
                out.file_place(file, place);
            }
        }
        if let Some(file) = self.file {
            out.file_data(file, bytes);
        }
    }
}

/// The parts of a form on their way into the sink.
struct Upload<'a> {
    out: &'a mut dyn Output,
    sink: &'a mut Sink,
}

impl Parts for Upload<'_> {
    fn file(&mut self, name: String, claimed_type: Option<String>) {
        let meta = FileMeta { name: Some(name.clone()), claimed_type, ..self.sink.meta.clone() };
        if self.sink.names.len() < MAX_NAMES {
            self.sink.names.push(name);
        }
        self.sink.file = self.out.file_open(meta);
    }

    fn file_data(&mut self, bytes: &[u8]) {
        if let Some(file) = self.sink.file {
            self.out.file_data(file, bytes);
        }
    }

    fn file_end(&mut self, complete: bool) {
        if let Some(file) = self.sink.file.take() {
            self.out.file_close(file, complete);
        }
    }

    fn field(&mut self, name: &[u8]) {
        self.sink.fields.field(name);
    }

    fn field_data(&mut self, bytes: &[u8]) {
        self.sink.fields.data(bytes);
    }
}
