//! Reads commands of SMB 2 and 3 ([MS-SMB2] section 2.2).

use super::body::{Dialect, FileId, Header, Opened, Request, Response, Span};
use super::frames::KEPT_BYTES;
use super::names;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a command's header.
pub const HEADER_BYTES: usize = 64;
/// Characters of a path that are told.
pub const PATH_CHARS: usize = 1024;
/// Dialects that are told.
const MAX_DIALECTS: usize = 32;
/// Contexts of a negotiation that are looked at.
const MAX_CONTEXTS: usize = 16;
/// How a command begins.
const MAGIC: &[u8] = b"\xfeSMB";

/// Numbers of commands ([MS-SMB2] section 2.2.1.2).
pub mod command {
    pub const NEGOTIATE: u16 = 0;
    pub const SESSION_SETUP: u16 = 1;
    pub const TREE_CONNECT: u16 = 3;
    pub const CREATE: u16 = 5;
    pub const CLOSE: u16 = 6;
    pub const FLUSH: u16 = 7;
    pub const READ: u16 = 8;
    pub const WRITE: u16 = 9;
    pub const LOCK: u16 = 10;
    pub const IOCTL: u16 = 11;
    pub const QUERY_DIRECTORY: u16 = 14;
    pub const QUERY_INFO: u16 = 16;
    pub const SET_INFO: u16 = 17;
}

/// How long the command is that begins here, of a message that has `left` more bytes, and how many of its bytes are
/// wanted at once. The contents of files are left to follow in pieces.
pub fn extent(bytes: &[u8], left: usize) -> (usize, usize) {
    if !bytes.starts_with(MAGIC) {
        return (left, left.min(KEPT_BYTES));
    }
    let at = |start: usize| bytes.get(start..).and_then(|b| b.first_chunk::<4>()).map_or(0, |b| u32::from_le_bytes(*b));
    let next = usize::try_from(at(20)).unwrap_or(usize::MAX);
    let length = if (HEADER_BYTES..left).contains(&next) { next } else { left };
    let (command, response) = (at(12) & 0xffff, at(16) & 1 == 1);
    let wanted = match u16::try_from(command) {
        Ok(command::READ) if response => HEADER_BYTES + 16,
        Ok(command::WRITE) if !response => HEADER_BYTES + 48,
        _ => KEPT_BYTES,
    };
    (length, wanted.min(length))
}

/// The header of a command.
pub fn header(bytes: &[u8]) -> Result<Header, Short> {
    let mut r = Reader::new(bytes);
    if r.take(4)? != MAGIC {
        return Err(Short);
    }
    r.skip(4)?;
    let status = r.u32_le()?;
    let command = r.u16_le()?;
    r.skip(2)?;
    let flags = r.u32_le()?;
    r.skip(4)?;
    let id = r.u64_le()?;
    // The second half of these eight bytes is the tree, or, with the first, the number of an answer that comes later.
    r.skip(4)?;
    let tree = r.u32_le()?;
    let session = r.u64_le()?;
    let tree = if flags & 2 == 0 { tree } else { 0 };
    let (response, related) = (flags & 1 != 0, flags & 4 != 0);
    r.skip(16)?;
    Ok(Header { version: 2, command, response, status, id, tree, session, related })
}

/// What a request asks for.
pub fn request<'a>(command: u16, bytes: &'a [u8]) -> Result<Request<'a>, Short> {
    let mut r = Reader::new(bytes);
    r.skip(HEADER_BYTES)?;
    let _structure = r.u16_le()?;
    match command {
        command::NEGOTIATE => {
            let count = usize::from(r.u16_le()?);
            r.skip(8)?;
            let guid = r.array()?;
            r.skip(8)?;
            let numbers = std::iter::from_fn(|| r.u16_le().ok());
            let dialects = numbers.take(count.min(MAX_DIALECTS)).map(names::dialect).collect();
            Ok(Request::Negotiate { dialects, guid: Some(guid) })
        }
        command::SESSION_SETUP => {
            r.skip(10)?;
            let token = buffer(bytes, r.u16_le()?.into(), r.u16_le()?.into());
            Ok(Request::Session { token, user: None, system: None })
        }
        command::TREE_CONNECT => {
            r.skip(2)?;
            let path = buffer(bytes, r.u16_le()?.into(), r.u16_le()?.into());
            Ok(Request::Tree { path: text::utf16(path, PATH_CHARS), service: None })
        }
        command::CREATE => {
            // Flags, lock, impersonation, two times eight bytes, access, attributes, sharing.
            r.skip(1 + 1 + 4 + 16 + 12)?;
            let (disposition, options) = (r.u32_le()?, r.u32_le()?);
            let path = buffer(bytes, r.u16_le()?.into(), r.u16_le()?.into());
            Ok(Request::Create {
                path: text::utf16(path, PATH_CHARS),
                disposition: names::disposition(disposition),
                directory: options & 0x1 != 0,
                delete: options & 0x1000 != 0,
            })
        }
        command::CLOSE => {
            r.skip(6)?;
            Ok(Request::Close { file: r.array()? })
        }
        command::READ => {
            r.skip(6)?;
            let offset = r.u64_le()?;
            Ok(Request::Read { file: r.array()?, offset })
        }
        command::WRITE => {
            let start = usize::from(r.u16_le()?);
            let length = size(r.u32_le()?);
            let offset = r.u64_le()?;
            Ok(Request::Write { file: r.array()?, offset, data: Span { start, length } })
        }
        command::FLUSH => {
            r.skip(6)?;
            file(r.array()?, None)
        }
        command::LOCK | command::QUERY_DIRECTORY => {
            r.skip(6)?;
            file(r.array()?, None)
        }
        command::IOCTL => ioctl(r),
        command::SET_INFO => set_info(bytes, r),
        _ => Ok(Request::Plain),
    }
}

fn file<'a>(file: FileId, function: Option<String>) -> Result<Request<'a>, Short> {
    Ok(Request::File { file: Some(file), path: None, function, rename: None, delete: false })
}

fn ioctl<'a>(mut r: Reader<'a>) -> Result<Request<'a>, Short> {
    r.skip(2)?;
    let code = r.u32_le()?;
    let id = r.array()?;
    let (start, length) = (size(r.u32_le()?), size(r.u32_le()?));
    let function = names::control(code);
    match code {
        names::PIPE_TRANSCEIVE => Ok(Request::Pipe { file: id, data: Span { start, length }, function }),
        _ => file(id, Some(function)),
    }
}

/// Of what can be set, two things matter: a new name, and that the file goes.
fn set_info<'a>(bytes: &'a [u8], mut r: Reader<'a>) -> Result<Request<'a>, Short> {
    let (kind, class) = (r.u8()?, r.u8()?);
    let length = size(r.u32_le()?);
    let start = usize::from(r.u16_le()?);
    r.skip(2 + 4)?;
    let file = r.array()?;
    let value = bytes.get(start..).unwrap_or(&[]);
    let value = value.get(..length).unwrap_or(value);
    let file_class = (kind == 1).then_some(class);
    let (rename, delete) = match file_class {
        Some(names::RENAME) => (new_name(value), false),
        Some(names::DISPOSITION) => (None, value.first() == Some(&1)),
        Some(names::DISPOSITION_EX) => (None, value.first().is_some_and(|flags| flags & 1 != 0)),
        _ => (None, false),
    };
    let function = Some(names::set_class(kind, class));
    Ok(Request::File { file: Some(file), path: None, function, rename, delete })
}

/// FILE_RENAME_INFORMATION: a flag, seven bytes of nothing, a directory, the name with its length before it.
pub fn new_name(value: &[u8]) -> Option<String> {
    let mut r = Reader::new(value);
    r.skip(16).ok()?;
    let length = size(r.u32_le().ok()?);
    let name = r.rest();
    Some(text::utf16(name.get(..length).unwrap_or(name), PATH_CHARS))
}

/// What an answer says that is no error.
pub fn response<'a>(command: u16, bytes: &'a [u8]) -> Result<Response<'a>, Short> {
    let mut r = Reader::new(bytes);
    r.skip(HEADER_BYTES)?;
    let _structure = r.u16_le()?;
    match command {
        command::NEGOTIATE => {
            let security = r.u16_le()?;
            let dialect = r.u16_le()?;
            let contexts = r.u16_le()?;
            let guid = r.array()?;
            // Capabilities, three largest sizes, two times.
            r.skip(16 + 16)?;
            let token = buffer(bytes, r.u16_le()?.into(), r.u16_le()?.into());
            let start = size(r.u32_le()?);
            let contexts = if dialect == 0x0311 { contexts.into() } else { 0 };
            Ok(Response::Negotiate {
                dialect: Dialect::Name(names::dialect(dialect)),
                guid: Some(guid),
                signing_required: security & 2 != 0,
                cipher: cipher(bytes, start, contexts),
                token,
            })
        }
        command::SESSION_SETUP => {
            let flags = r.u16_le()?;
            let token = buffer(bytes, r.u16_le()?.into(), r.u16_le()?.into());
            Ok(Response::Session { token, system: None, guest: flags & 3 != 0 })
        }
        command::TREE_CONNECT => Ok(Response::Tree { kind: names::share_kind(r.u8()?) }),
        command::CREATE => {
            r.skip(2)?;
            let action = names::action(r.u32_le()?);
            let times = [r.u64_le()?, r.u64_le()?, r.u64_le()?, r.u64_le()?];
            r.skip(8)?;
            let size = r.u64_le()?;
            let directory = r.u32_le()? & 0x10 != 0;
            r.skip(4)?;
            Ok(Response::Create(Opened { file: r.array()?, action, times, size, directory }))
        }
        command::READ => {
            let start = usize::from(r.u8()?);
            r.skip(1)?;
            Ok(Response::Data(Span { start, length: size(r.u32_le()?) }))
        }
        command::IOCTL => {
            r.skip(2)?;
            let code = r.u32_le()?;
            r.skip(16 + 8)?;
            let (start, length) = (size(r.u32_le()?), size(r.u32_le()?));
            match code {
                names::PIPE_TRANSCEIVE => Ok(Response::Data(Span { start, length })),
                _ => Ok(Response::Plain),
            }
        }
        _ => Ok(Response::Plain),
    }
}

/// The cipher that a server chose, from the contexts of its answer ([MS-SMB2] section 2.2.4.1.2).
fn cipher(bytes: &[u8], start: usize, count: usize) -> Option<String> {
    let mut r = Reader::new(bytes.get(start..)?);
    for _ in 0..count.min(MAX_CONTEXTS) {
        let (kind, length) = (r.u16_le().ok()?, r.u16_le().ok()?);
        r.skip(4).ok()?;
        let value = r.take(length.into()).ok()?;
        if kind == 2 {
            let mut r = Reader::new(value);
            r.skip(2).ok()?;
            return names::cipher(r.u16_le().ok()?);
        }
        // Contexts begin at multiples of eight.
        r.skip((8 - usize::from(length) % 8) % 8).ok()?;
    }
    None
}

/// The bytes of a buffer of which place and length were read; of a cut one as much as is there.
fn buffer(bytes: &[u8], start: usize, length: usize) -> &[u8] {
    let from = bytes.get(start..).unwrap_or(&[]);
    from.get(..length).unwrap_or(from)
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
