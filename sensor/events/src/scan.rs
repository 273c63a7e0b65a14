//! The words between the collector (or the rule tools) and the scanner child: frames over its standard input and
//! output.
//!
//! A frame is a 4-byte big-endian length and a [`postcard`] body, as on the wire. The parent says [`ScanRequest::Rules`]
//! once, then [`ScanRequest::Scan`] as often as it likes; the child answers each request with one [`ScanAnswer`], in
//! order. Either side gives up on a frame larger than [`SCAN_FRAME_MAX_BYTES`].

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The largest frame either side accepts, in bytes: all rule sources, or a file and its frame.
pub const SCAN_FRAME_MAX_BYTES: usize = 64 << 20;
/// The most matching strings an answer names for one rule.
pub const STRINGS_MAX: usize = 16;
/// The most bytes of a matching string that are shown.
pub const EXCERPT_MAX_BYTES: usize = 64;

/// What the parent asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScanRequest {
    /// Compile these; replaces what was compiled before.
    Rules {
        /// Source files, each a namespace of its own.
        sources: Vec<YaraSource>,
        /// How long one scan may take, in milliseconds.
        timeout_ms: u32,
    },
    /// Scan this.
    Scan {
        /// Comes back in the answer.
        id: u64,
        /// The file.
        content: Vec<u8>,
    },
}

/// One file of YARA rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YaraSource {
    /// The file's name below the rule folder; also the namespace.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// What the child answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScanAnswer {
    /// The rules are compiled.
    Ready {
        /// How many rules can run.
        rules: u32,
        /// Sources (or rules) that cannot be used; the others run.
        broken: Vec<BrokenYara>,
    },
    /// A scan is done.
    Done {
        /// The id of the request.
        id: u64,
        /// The rules that matched.
        matches: Vec<FileMatch>,
    },
    /// A scan could not be done.
    Failed {
        /// The id of the request.
        id: u64,
        /// Why: `timeout`, or the engine's message.
        reason: String,
    },
}

/// A YARA source that could not be compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenYara {
    /// The file.
    pub file: String,
    /// The line, from 1, where known.
    pub line: Option<u32>,
    /// What is wrong.
    pub reason: String,
}

/// A YARA rule that matched a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMatch {
    /// The rule's name.
    pub rule: String,
    /// The source file it stands in.
    pub file: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The strings that were found, at most [`STRINGS_MAX`].
    pub strings: Vec<FoundString>,
}

/// A string of a rule where it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundString {
    /// The string's name in the rule (`$a`).
    pub name: String,
    /// Where in the file.
    pub offset: u64,
    /// What stands there, at most [`EXCERPT_MAX_BYTES`].
    pub excerpt: Vec<u8>,
}

/// The bytes of a frame, length first.
pub fn frame_bytes<T: Serialize>(frame: &T) -> io::Result<Vec<u8>> {
    let body = postcard::to_stdvec(frame).map_err(io::Error::other)?;
    let length = u32::try_from(body.len()).ok().filter(|l| *l as usize <= SCAN_FRAME_MAX_BYTES);
    let length = length.ok_or_else(|| too_large(body.len()))?;
    let mut bytes = Vec::with_capacity(body.len() + 4);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// Reads the body of a frame, as [`read_frame`] and asynchronous readers get it.
pub fn frame_from_body<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    let (frame, rest) = postcard::take_from_bytes(body).map_err(io::Error::other)?;
    if rest.is_empty() { Ok(frame) } else { Err(io::Error::other("a frame has bytes left over")) }
}

/// Checks a length as it came in, before anything is allocated for it.
pub fn frame_length(header: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_be_bytes(header) as usize;
    if length <= SCAN_FRAME_MAX_BYTES { Ok(length) } else { Err(too_large(length)) }
}

/// Writes one frame and flushes.
pub fn write_frame<T: Serialize>(out: &mut impl Write, frame: &T) -> io::Result<()> {
    out.write_all(&frame_bytes(frame)?)?;
    out.flush()
}

/// Reads one frame; nothing at a clean end.
pub fn read_frame<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<T>> {
    let mut header = [0u8; 4];
    match input.read(&mut header)? {
        0 => return Ok(None),
        4 => {}
        n => input.read_exact(header.get_mut(n..).unwrap_or_default())?,
    }
    let mut body = Vec::new();
    let length = frame_length(header)?;
    input.take(length as u64).read_to_end(&mut body)?;
    if body.len() != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    frame_from_body(&body).map(Some)
}

fn too_large(length: usize) -> io::Error {
    io::Error::other(format!("a frame of {length} bytes; at most {SCAN_FRAME_MAX_BYTES} are allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back() {
        let request = ScanRequest::Scan { id: 7, content: b"abc".to_vec() };
        let mut bytes = frame_bytes(&request).unwrap();
        bytes.extend(frame_bytes(&request).unwrap());
        let mut input = bytes.as_slice();
        assert_eq!(read_frame::<ScanRequest>(&mut input).unwrap(), Some(request.clone()));
        assert_eq!(read_frame::<ScanRequest>(&mut input).unwrap(), Some(request));
        assert_eq!(read_frame::<ScanRequest>(&mut input).unwrap(), None);
    }

    #[test]
    fn a_gigantic_length_and_a_cut_frame_are_errors() {
        assert!(read_frame::<ScanRequest>(&mut [0xff, 0xff, 0xff, 0xff, 0].as_slice()).is_err());
        let bytes = frame_bytes(&ScanRequest::Scan { id: 1, content: vec![0; 9] }).unwrap();
        assert!(read_frame::<ScanRequest>(&mut &bytes[..bytes.len() - 1]).is_err());
        assert!(read_frame::<ScanRequest>(&mut &bytes[..2]).is_err());
    }
}
