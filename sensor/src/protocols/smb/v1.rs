//! Reads commands of SMB 1 ([MS-CIFS] section 2.2.4, [MS-SMB]).
//!
//! A message has a header and one command of words and bytes; some commands can be followed by another of the same
//! message ("AndX").

use super::body::{Dialect, FileId, Header, Opened, Request, Response, Span};
use super::v2::{PATH_CHARS, new_name};
use super::{names, transactions};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a message's header.
pub const HEADER_BYTES: usize = 32;
/// How a message begins.
const MAGIC: &[u8] = b"\xffSMB";
/// Text is in UTF-16.
const UNICODE: u16 = 0x8000;
/// The status is an NTSTATUS.
const NT_STATUS: u16 = 0x4000;
/// Dialects that are told.
const MAX_DIALECTS: usize = 32;
/// No further command.
const LAST: u8 = 0xff;

/// Numbers of commands.
pub mod command {
    pub const CREATE_DIRECTORY: u16 = 0x00;
    pub const DELETE_DIRECTORY: u16 = 0x01;
    pub const OPEN: u16 = 0x02;
    pub const CREATE: u16 = 0x03;
    pub const CLOSE: u16 = 0x04;
    pub const DELETE: u16 = 0x06;
    pub const RENAME: u16 = 0x07;
    pub const QUERY_INFORMATION: u16 = 0x08;
    pub const SET_INFORMATION: u16 = 0x09;
    pub const READ: u16 = 0x0a;
    pub const WRITE: u16 = 0x0b;
    pub const CHECK_DIRECTORY: u16 = 0x10;
    pub const LOCKING_ANDX: u16 = 0x24;
    pub const TRANSACTION: u16 = 0x25;
    pub const OPEN_ANDX: u16 = 0x2d;
    pub const READ_ANDX: u16 = 0x2e;
    pub const WRITE_ANDX: u16 = 0x2f;
    pub const TRANSACTION2: u16 = 0x32;
    pub const NEGOTIATE: u16 = 0x72;
    pub const SESSION_SETUP_ANDX: u16 = 0x73;
    pub const LOGOFF_ANDX: u16 = 0x74;
    pub const TREE_CONNECT_ANDX: u16 = 0x75;
    pub const NT_TRANSACT: u16 = 0xa0;
    pub const NT_CREATE_ANDX: u16 = 0xa2;
    pub const NT_CANCEL: u16 = 0xa4;
}

/// One command of a message: its number, and where its words and bytes stand.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// Its number.
    pub number: u16,
    /// The whole message.
    pub message: &'a [u8],
    /// Its words.
    pub words: &'a [u8],
    /// Its bytes, as many as there are.
    pub bytes: &'a [u8],
    /// Where the bytes begin in the message.
    pub bytes_at: usize,
    /// Text is in UTF-16.
    pub unicode: bool,
}

/// The header of a message.
pub fn header(bytes: &[u8]) -> Result<Header, Short> {
    let mut r = Reader::new(bytes);
    if r.take(4)? != MAGIC {
        return Err(Short);
    }
    let command = u16::from(r.u8()?);
    let status = r.u32_le()?;
    let flags = r.u8()?;
    let flags2 = r.u16_le()?;
    let process_high = r.u16_le()?;
    r.skip(8 + 2)?;
    let tree = r.u16_le()?;
    let process = r.u16_le()?;
    let user = r.u16_le()?;
    let message = r.u16_le()?;
    // Errors of DOS: class and number. Only that it is one is kept.
    let status = if flags2 & NT_STATUS != 0 || status == 0 { status } else { dos_status(status) };
    let id = u64::from(message) | u64::from(process) << 16 | u64::from(process_high) << 32;
    let response = flags & 0x80 != 0;
    Ok(Header { version: 1, command, response, status, id, tree: tree.into(), session: user.into(), related: false })
}

/// The NTSTATUS that says the same as the most frequent errors of DOS; others are left as they are.
fn dos_status(status: u32) -> u32 {
    match (status & 0xff, status >> 16) {
        (1, 2) => 0xc000_000f,
        (1, 3) => 0xc000_003a,
        (1, 5) => 0xc000_0022,
        (1, 6) => 0xc000_0008,
        (1, 18) => 0x8000_0006,
        (1, 32) => 0xc000_0043,
        (1, 80) => 0xc000_0035,
        (1, 234) => names::BUFFER_OVERFLOW,
        (2, 2) => 0xc000_006a,
        (2, 6) => 0xc000_00cc,
        _ => status,
    }
}

/// The commands of a message, in order; a chain that does not move forward ends.
pub fn commands(message: &[u8]) -> impl Iterator<Item = Command<'_>> {
    let flags2 = message.get(10..12).and_then(|b| b.first_chunk()).map_or(0, |b| u16::from_le_bytes(*b));
    let mut next = message.get(4).map(|number| (u16::from(*number), HEADER_BYTES));
    std::iter::from_fn(move || {
        let (number, at) = next.take()?;
        let mut r = Reader::new(message.get(at..)?);
        let count = usize::from(r.u8().ok()?);
        let words = r.take(count * 2).ok()?;
        let length = r.u16_le().unwrap_or(0);
        let bytes_at = at + r.position();
        let bytes = r.rest();
        if let [follows, _, low, high, ..] = words
            && has_next(number)
            && *follows != LAST
        {
            let offset = usize::from(u16::from_le_bytes([*low, *high]));
            next = (offset > at).then_some((u16::from(*follows), offset));
        }
        // The length of a large write does not fit its field: such commands take the whole rest.
        let large = matches!(number, command::WRITE_ANDX | command::READ_ANDX);
        let bytes = if large { bytes } else { bytes.get(..length.into()).unwrap_or(bytes) };
        Some(Command { number, message, words, bytes, bytes_at, unicode: flags2 & UNICODE != 0 })
    })
}

fn has_next(number: u16) -> bool {
    use command::*;
    let these = [
        LOCKING_ANDX,
        OPEN_ANDX,
        READ_ANDX,
        WRITE_ANDX,
        SESSION_SETUP_ANDX,
        LOGOFF_ANDX,
        TREE_CONNECT_ANDX,
        NT_CREATE_ANDX,
    ];
    these.contains(&number)
}

/// A file's number, which counts within a message's tree.
fn file_id(number: u16) -> FileId {
    let [low, high] = number.to_le_bytes();
    [low, high, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
}

/// What a request asks for.
pub fn request<'a>(c: &Command<'a>) -> Result<Request<'a>, Short> {
    let mut r = Reader::new(c.words);
    match c.number {
        command::NEGOTIATE => {
            let dialects = c.bytes.split(|b| *b == 0).filter_map(|name| name.strip_prefix(b"\x02"));
            let dialects = dialects.take(MAX_DIALECTS).map(|name| text::text(name, 64)).collect();
            Ok(Request::Negotiate { dialects, guid: None })
        }
        command::SESSION_SETUP_ANDX => session_request(c, r),
        command::TREE_CONNECT_ANDX => {
            r.skip(6)?;
            let mut strings = c.strings(r.u16_le()?.into());
            let path = strings.next(c.unicode).unwrap_or_default();
            Ok(Request::Tree { path, service: strings.next(false) })
        }
        command::NT_CREATE_ANDX => {
            r.skip(4 + 1)?;
            let length = r.u16_le()?;
            r.skip(4 + 4 + 4 + 8 + 4 + 4)?;
            let (disposition, options) = (r.u32_le()?, r.u32_le()?);
            let mut strings = c.strings(0);
            let path = if c.unicode || length > 0 { strings.next(c.unicode) } else { None };
            Ok(Request::Create {
                path: path.unwrap_or_default(),
                disposition: names::disposition(disposition),
                directory: options & 1 != 0,
                delete: options & 0x1000 != 0,
            })
        }
        command::OPEN_ANDX => {
            r.skip(4 + 2 + 2 + 2 + 2 + 4)?;
            let mode = r.u16_le()?;
            let path = c.strings(0).next(c.unicode).unwrap_or_default();
            // Bit 4: make it if it is not there. The low bits: fail, open or cut if it is there.
            let disposition = match (mode & 0x10 != 0, mode & 3) {
                (true, 0) => 2,
                (true, 2) => 5,
                (true, _) => 3,
                (false, 2) => 4,
                _ => 1,
            };
            let disposition = names::disposition(disposition);
            Ok(Request::Create { path, disposition, directory: false, delete: false })
        }
        command::OPEN | command::CREATE => {
            let path = c.strings(1).next(c.unicode).unwrap_or_default();
            let disposition = names::disposition(if c.number == command::OPEN { 1 } else { 5 });
            Ok(Request::Create { path, disposition, directory: false, delete: false })
        }
        command::READ_ANDX => {
            r.skip(4)?;
            let (file, low) = (r.u16_le()?, r.u32_le()?);
            r.skip(2 + 2 + 4 + 2)?;
            Ok(Request::Read { file: file_id(file), offset: wide(low, r.u32_le().unwrap_or(0)) })
        }
        command::READ => {
            let file = file_id(r.u16_le()?);
            r.skip(2)?;
            Ok(Request::Read { file, offset: r.u32_le()?.into() })
        }
        command::WRITE_ANDX => {
            r.skip(4)?;
            let (file, low) = (r.u16_le()?, r.u32_le()?);
            r.skip(4 + 2 + 2)?;
            let (high_length, length, start) = (r.u16_le()?, r.u16_le()?, r.u16_le()?);
            let data = Span { start: start.into(), length: usize::from(high_length) << 16 | usize::from(length) };
            Ok(Request::Write { file: file_id(file), offset: wide(low, r.u32_le().unwrap_or(0)), data })
        }
        command::WRITE => {
            let (file, length, offset) = (r.u16_le()?, r.u16_le()?, r.u32_le()?);
            // Before the bytes stand a type and their length once more.
            let data = Span { start: c.bytes_at + 3, length: length.into() };
            Ok(Request::Write { file: file_id(file), offset: offset.into(), data })
        }
        command::CLOSE => Ok(Request::Close { file: file_id(r.u16_le()?) }),
        command::RENAME => {
            let mut strings = c.strings(1);
            let path = strings.next(c.unicode);
            strings.skip(1);
            Ok(named(path, None, strings.next(c.unicode), false))
        }
        command::DELETE | command::DELETE_DIRECTORY => Ok(named(c.strings(1).next(c.unicode), None, None, true)),
        command::CREATE_DIRECTORY
        | command::QUERY_INFORMATION
        | command::SET_INFORMATION
        | command::CHECK_DIRECTORY => Ok(named(c.strings(1).next(c.unicode), None, None, false)),
        command::TRANSACTION => {
            let t = transactions::request(c.words, c.bytes_at)?;
            let function = t.setup.first().map(|number| names::transaction(*number)).unwrap_or_default();
            match t.setup.get(..2) {
                Some([0x26, file]) => Ok(Request::Pipe { file: file_id(*file), data: t.data, function }),
                _ => Ok(named(c.strings(0).next(c.unicode), Some(function), None, false)),
            }
        }
        command::TRANSACTION2 => transaction2(c),
        command::NT_TRANSACT => {
            let function = names::nt_transaction(transactions::nt_function(c.words)?);
            Ok(named(None, Some(function), None, false))
        }
        _ => Ok(Request::Plain),
    }
}

fn session_request<'a>(c: &Command<'a>, mut r: Reader<'a>) -> Result<Request<'a>, Short> {
    r.skip(4 + 2 + 2 + 2 + 4)?;
    let first = usize::from(r.u16_le()?);
    let mut token: &[u8] = &[];
    let mut strings;
    let mut user = None;
    match c.words.len() / 2 {
        // With a token (extended security).
        12 => {
            token = c.bytes.get(..first).unwrap_or(c.bytes);
            strings = c.strings(first);
        }
        13 => {
            let second = usize::from(r.u16_le()?);
            strings = c.strings(first + second);
            user = strings.next(c.unicode).zip(strings.next(c.unicode));
        }
        _ => {
            strings = c.strings(first);
            user = strings.next(false).zip(strings.next(false));
        }
    }
    let system = strings.next(c.unicode);
    let program = strings.next(c.unicode);
    let system = system.map(|system| (system, program.unwrap_or_default()));
    Ok(Request::Session { token, user, system })
}

fn transaction2<'a>(c: &Command<'a>) -> Result<Request<'a>, Short> {
    let t = transactions::request(c.words, c.bytes_at)?;
    let number = t.setup.first().copied().ok_or(Short)?;
    let function = Some(names::transaction2(number));
    let parameters = t.parameters.of(c.message);
    let data = t.data.of(c.message);
    let path_at = |start: usize| {
        let at = t.parameters.start + start;
        Strings { message: c.message, at, end: t.parameters.start + t.parameters.length }.next(c.unicode)
    };
    let level = |at: usize| parameters.get(at..).and_then(|b| b.first_chunk()).map(|b| u16::from_le_bytes(*b));
    match number {
        0 => Ok(named(path_at(28), function, None, false)),
        1 => Ok(named(path_at(12), function, None, false)),
        5 | 6 | 13 | 16 => {
            let before = match number {
                16 => 2,
                13 => 4,
                _ => 6,
            };
            Ok(named(path_at(before), function, None, number == 6 && deletes(level(0), data)))
        }
        8 => {
            let file = parameters.first_chunk().map(|id| file_id(u16::from_le_bytes(*id)));
            let rename = (level(2) == Some(1010)).then(|| new_name(data)).flatten();
            Ok(Request::File { file, path: None, function, rename, delete: deletes(level(2), data) })
        }
        7 => {
            let file = parameters.first_chunk().map(|id| file_id(u16::from_le_bytes(*id)));
            Ok(Request::File { file, path: None, function, rename: None, delete: false })
        }
        _ => Ok(named(None, function, None, false)),
    }
}

/// Whether information of this level deletes the file: SMB_SET_FILE_DISPOSITION_INFO, or its pass-through.
fn deletes(level: Option<u16>, data: &[u8]) -> bool {
    matches!(level, Some(0x102 | 1013)) && data.first() == Some(&1)
}

fn named<'a>(path: Option<String>, function: Option<String>, rename: Option<String>, delete: bool) -> Request<'a> {
    Request::File { file: None, path, function, rename, delete }
}

/// What an answer says that is no error.
pub fn response<'a>(c: &Command<'a>) -> Result<Response<'a>, Short> {
    let mut r = Reader::new(c.words);
    match c.number {
        command::NEGOTIATE => {
            let place = r.u16_le()?;
            let security = r.u8().unwrap_or(0);
            // With extended security: who the server is, and a token.
            let capabilities = c.words.get(19..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b));
            let extended = c.words.len() == 34 && capabilities & 0x8000_0000 != 0;
            let (guid, token) = match (extended, c.bytes.split_first_chunk::<16>()) {
                (true, Some((guid, token))) => (Some(*guid), token),
                _ => (None, &[][..]),
            };
            let dialect = if place == 0xffff { Dialect::None } else { Dialect::Place(place.into()) };
            let signing_required = c.words.len() == 34 && security & 8 != 0;
            Ok(Response::Negotiate { dialect, guid, signing_required, cipher: None, token })
        }
        command::SESSION_SETUP_ANDX => {
            r.skip(4)?;
            let guest = r.u16_le()? & 1 != 0;
            let length = if c.words.len() == 8 { usize::from(r.u16_le()?) } else { 0 };
            let token = c.bytes.get(..length).unwrap_or(c.bytes);
            let mut strings = c.strings(length);
            let (system, program) = (strings.next(c.unicode), strings.next(c.unicode));
            let system = system.map(|system| (system, program.unwrap_or_default()));
            Ok(Response::Session { token, system, guest })
        }
        command::TREE_CONNECT_ANDX => {
            let service = c.strings(0).next(false).unwrap_or_default();
            Ok(Response::Tree { kind: names::service_kind(&service) })
        }
        command::NT_CREATE_ANDX => {
            r.skip(4 + 1)?;
            let file = file_id(r.u16_le()?);
            let action = names::action(r.u32_le()?);
            let times = [r.u64_le()?, r.u64_le()?, r.u64_le()?, r.u64_le()?];
            let directory = r.u32_le()? & 0x10 != 0;
            r.skip(8)?;
            Ok(Response::Create(Opened { file, action, times, size: r.u64_le()?, directory }))
        }
        command::OPEN_ANDX => {
            r.skip(4)?;
            let file = file_id(r.u16_le()?);
            r.skip(2 + 4)?;
            let size = r.u32_le().unwrap_or(0).into();
            r.skip(2 + 2 + 2)?;
            let action = match r.u16_le().unwrap_or(0) & 3 {
                1 => Some("opened"),
                2 => Some("created"),
                3 => Some("overwritten"),
                _ => None,
            };
            Ok(Response::Create(Opened { file, action, times: [0; 4], size, directory: false }))
        }
        command::OPEN | command::CREATE => {
            let file = file_id(r.u16_le()?);
            r.skip(if c.number == command::OPEN { 6 } else { 0 })?;
            let size = r.u32_le().unwrap_or(0).into();
            Ok(Response::Create(Opened { file, size, ..Opened::default() }))
        }
        command::READ_ANDX => {
            r.skip(4 + 2 + 2 + 2)?;
            let (length, start, high) = (r.u16_le()?, r.u16_le()?, r.u16_le().unwrap_or(0));
            Ok(Response::Data(Span { start: start.into(), length: usize::from(high) << 16 | usize::from(length) }))
        }
        command::READ => Ok(Response::Data(Span { start: c.bytes_at + 3, length: r.u16_le()?.into() })),
        command::TRANSACTION => Ok(Response::Data(transactions::response_data(c.words)?)),
        _ => Ok(Response::Plain),
    }
}

fn wide(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

impl Span {
    /// These bytes of a message, as many as there are.
    pub fn of<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        let from = message.get(self.start..).unwrap_or(&[]);
        from.get(..self.length).unwrap_or(from)
    }
}

impl<'a> Command<'a> {
    /// The strings that stand in the bytes, from this place on.
    fn strings(&self, start: usize) -> Strings<'a> {
        Strings { message: self.message, at: self.bytes_at + start, end: self.bytes_at + self.bytes.len() }
    }
}

/// Strings one after the other, each with a zero behind it; those in UTF-16 begin at even places of the message.
struct Strings<'a> {
    message: &'a [u8],
    at: usize,
    end: usize,
}

impl Strings<'_> {
    fn skip(&mut self, count: usize) {
        self.at += count;
    }

    fn next(&mut self, unicode: bool) -> Option<String> {
        if unicode {
            self.at += self.at % 2;
        }
        let rest = self.message.get(self.at..self.end.min(self.message.len())).filter(|rest| !rest.is_empty())?;
        if !unicode {
            let length = rest.iter().position(|b| *b == 0).unwrap_or(rest.len());
            self.at += length + 1;
            return Some(text::text(rest.get(..length)?, PATH_CHARS));
        }
        let units = rest.len() / 2;
        let length = rest.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0]).unwrap_or(units) * 2;
        self.at += length + 2;
        Some(text::utf16(rest.get(..length)?, PATH_CHARS))
    }
}
