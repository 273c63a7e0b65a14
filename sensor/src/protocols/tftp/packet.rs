//! The packets of TFTP (RFC 1350 section 5, RFC 2347).

use crate::protocols::reader::Reader;
use crate::protocols::text;

/// Options of a packet that are told.
const MAX_OPTIONS: usize = 16;
/// Bytes of a path that are told.
const MAX_PATH_BYTES: usize = 512;
/// Bytes of another value that are told.
const MAX_VALUE_BYTES: usize = 128;

/// A read or write request.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// read or write.
    pub operation: &'static str,
    /// The file.
    pub path: String,
    /// The mode, in lower case.
    pub mode: String,
    /// Options with their values.
    pub options: Vec<(String, String)>,
}

/// What may follow a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A block of the file with its number.
    Data(u16, &'a [u8]),
    /// A block has come.
    Acknowledged(u16),
    /// The end: number and words.
    Error(u16, String),
    /// Options that the server grants.
    Options(Vec<(String, String)>),
}

/// Reads a request.
pub fn request(bytes: &[u8]) -> Option<Request> {
    let mut r = Reader::new(bytes);
    let operation = match r.u16().ok()? {
        1 => "read",
        2 => "write",
        _ => return None,
    };
    let path = word(&mut r).filter(|path| !path.is_empty() && path.iter().all(|b| *b >= b' '))?;
    let mode = word(&mut r)?.to_ascii_lowercase();
    if ![&b"octet"[..], b"netascii", b"mail"].contains(&mode.as_slice()) {
        return None;
    }
    let path = text::text(path, MAX_PATH_BYTES);
    Some(Request { operation, path, mode: text::text(&mode, MAX_VALUE_BYTES), options: options(&mut r) })
}

/// Reads what follows a request.
pub fn packet(bytes: &[u8]) -> Option<Packet<'_>> {
    let mut r = Reader::new(bytes);
    match r.u16().ok()? {
        3 => Some(Packet::Data(r.u16().ok()?, r.rest())),
        4 => Some(Packet::Acknowledged(r.u16().ok()?)),
        5 => {
            let code = r.u16().ok()?;
            let words = word(&mut r).unwrap_or_else(|| r.rest());
            Some(Packet::Error(code, text::text(words, MAX_VALUE_BYTES)))
        }
        6 => Some(Packet::Options(options(&mut r))),
        _ => None,
    }
}

fn options(r: &mut Reader<'_>) -> Vec<(String, String)> {
    let pairs = std::iter::from_fn(|| Some((word(r)?, word(r)?)));
    let told = |word: &[u8]| text::text(word, MAX_VALUE_BYTES);
    pairs.take(MAX_OPTIONS).map(|(name, value)| (told(name).to_ascii_lowercase(), told(value))).collect()
}

/// Bytes up to the next zero.
fn word<'a>(r: &mut Reader<'a>) -> Option<&'a [u8]> {
    let end = r.rest().iter().position(|&b| b == 0)?;
    let word = r.take(end).ok()?;
    r.skip(1).ok()?;
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read() {
        let read = request(b"\0\x01a/b.cfg\0OCTET\0blksize\x001428\0tsize\0").unwrap();
        assert_eq!((read.operation, read.path.as_str(), read.mode.as_str()), ("read", "a/b.cfg", "octet"));
        assert_eq!(read.options, [("blksize".to_owned(), "1428".to_owned())]);
        assert_eq!(request(b"\0\x01a\0binary\0"), None);
        assert_eq!(request(b"\0\x03a\0octet\0"), None);
        assert_eq!(packet(b"\0\x03\0\x07abc"), Some(Packet::Data(7, b"abc")));
        assert_eq!(packet(b"\0\x05\0\x01not here"), Some(Packet::Error(1, "not here".into())));
        assert_eq!(packet(b"\0\x09"), None);
    }
}
