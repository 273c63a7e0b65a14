//! One DNS message, read as far as it makes sense (RFC 1035 section 4).
//!
//! Bounds: a name follows at most [`MAX_JUMPS`] compression pointers and has at most [`MAX_NAME_BYTES`]; a section
//! keeps at most [`MAX_RECORDS`] records. A message is at most 64 KiB by its framing.

use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Compression pointers in one name: ends loops.
const MAX_JUMPS: usize = 64;
/// Bytes of a name with its dots. RFC 1035 allows 255; longer ones are read for what they tell and called malformed.
const MAX_NAME_BYTES: usize = 1024;
/// Records kept of each section.
pub const MAX_RECORDS: usize = 256;
/// RFC 1035 section 2.3.4.
const RFC_NAME_BYTES: usize = 255;

/// The fixed part of a message.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// Transaction id.
    pub id: u16,
    flags: u16,
    /// Questions promised.
    pub questions: u16,
    /// Answers promised.
    pub answers: u16,
    authorities: u16,
    additionals: u16,
}

impl Header {
    /// Its length on the wire.
    pub const SIZE_BYTES: usize = 12;

    /// Reads the header at the start of a message.
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let mut r = Reader::new(bytes);
        let mut word = || r.u16().ok();
        Some(Header {
            id: word()?,
            flags: word()?,
            questions: word()?,
            answers: word()?,
            authorities: word()?,
            additionals: word()?,
        })
    }

    /// Query or answer.
    pub fn is_answer(self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// All flags with kind and result in between, as they stand on the wire.
    pub fn flags(self) -> u16 {
        self.flags
    }

    /// Whether the client asks for recursion.
    pub fn recursion_desired(self) -> bool {
        self.flags & 0x0100 != 0
    }

    /// Kind of query.
    pub fn op_code(self) -> u8 {
        u8::try_from(self.flags >> 11 & 0xf).unwrap_or(0)
    }

    /// Result, without the part that EDNS adds.
    pub fn response_code(self) -> u16 {
        self.flags & 0xf
    }

    /// Records promised in all sections together.
    pub fn records(self) -> usize {
        [self.questions, self.answers, self.authorities, self.additionals].iter().map(|&n| usize::from(n)).sum()
    }

    /// Names of the flags that are set, as ECS lists them.
    pub fn flag_names(self) -> impl Iterator<Item = &'static str> {
        [(0x0400, "AA"), (0x0200, "TC"), (0x0100, "RD"), (0x0080, "RA"), (0x0020, "AD"), (0x0010, "CD")]
            .into_iter()
            .filter(move |(bit, _)| self.flags & bit != 0)
            .map(|(_, name)| name)
    }
}

/// What is asked.
#[derive(Debug)]
pub struct Question {
    /// Name in lower case without the last dot.
    pub name: String,
    /// Where it begins in the message.
    pub place: usize,
    /// Type of the record asked for.
    pub kind: u16,
    /// Class, nearly always 1.
    pub class: u16,
}

/// A record of an answer.
#[derive(Debug)]
pub struct Resource<'a> {
    /// Name in lower case without the last dot.
    pub name: String,
    /// Where it begins in the message.
    pub place: usize,
    /// Type.
    pub kind: u16,
    /// Class; OPT records keep the largest UDP size here.
    pub class: u16,
    /// Seconds to keep it; OPT records keep flags here.
    pub ttl_s: u32,
    /// Where the data ends in the message, and the data itself: names in it may point back into the message.
    pub data: Data<'a>,
}

/// The data of a record together with the message it stands in.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    message: &'a [u8],
    start: usize,
    bytes: &'a [u8],
}

impl<'a> Data<'a> {
    /// The data's bytes.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Reads a name that begins `offset` bytes into the data; gives it and where the data goes on.
    pub fn name_at(self, offset: usize) -> Result<(String, usize), Short> {
        let end = self.start + self.bytes.len();
        let (name, next) = name(self.message, self.start + offset)?;
        if next > end {
            return Err(Short);
        }
        Ok((name.text, next - self.start))
    }

    /// The name that begins `offset` bytes into the data, as it is written there.
    pub fn written_at(self, offset: usize) -> Vec<u8> {
        written(self.message, self.start + offset)
    }
}

/// A message as far as it could be read.
#[derive(Debug)]
pub struct Message<'a> {
    /// All of its bytes.
    pub bytes: &'a [u8],
    /// Fixed part.
    pub header: Header,
    /// Questions, nearly always one.
    pub questions: Vec<Question>,
    /// Answers.
    pub answers: Vec<Resource<'a>>,
    /// Records of the authority section.
    pub authorities: Vec<Resource<'a>>,
    /// Records of the additional section.
    pub additionals: Vec<Resource<'a>>,
    /// Something did not follow the format; reading stopped there.
    pub malformed: bool,
    /// A section had more than [`MAX_RECORDS`].
    pub capped: bool,
    /// Bytes after the last record.
    pub trailing_bytes: usize,
}

/// Reads a message; nothing when there is not even a header.
pub fn read(bytes: &[u8]) -> Option<Message<'_>> {
    let header = Header::read(bytes)?;
    let mut message = Message {
        bytes,
        header,
        questions: Vec::new(),
        answers: Vec::new(),
        authorities: Vec::new(),
        additionals: Vec::new(),
        malformed: false,
        capped: false,
        trailing_bytes: 0,
    };
    match message.sections(bytes) {
        Ok(end) => message.trailing_bytes = bytes.len().saturating_sub(end),
        Err(Short) => message.malformed = true,
    }
    Some(message)
}

impl<'a> Message<'a> {
    /// The name that begins at a place, as it is written there: with dots, in the letters of whoever wrote it.
    pub fn written(&self, place: usize) -> Vec<u8> {
        written(self.bytes, place)
    }

    /// Reads all sections and gives the position after them.
    fn sections(&mut self, bytes: &'a [u8]) -> Result<usize, Short> {
        let mut at = Header::SIZE_BYTES;
        for _ in 0..self.header.questions {
            let place = at;
            let (name, next) = name(bytes, place)?;
            self.malformed |= name.odd;
            let mut r = reader_at(bytes, next)?;
            let question = Question { name: name.text, place, kind: r.u16()?, class: r.u16()? };
            at = next + r.position();
            self.capped |= !keep(&mut self.questions, question);
        }
        let Header { answers, authorities, additionals, .. } = self.header;
        for (count, section) in
            [(answers, &mut self.answers), (authorities, &mut self.authorities), (additionals, &mut self.additionals)]
        {
            for _ in 0..count {
                let (resource, next, odd) = resource(bytes, at)?;
                self.malformed |= odd;
                at = next;
                self.capped |= !keep(section, resource);
            }
        }
        Ok(at)
    }
}

/// Adds an item unless the section is full; says whether it was kept.
fn keep<T>(section: &mut Vec<T>, item: T) -> bool {
    let room = section.len() < MAX_RECORDS;
    if room {
        section.push(item);
    }
    room
}

fn resource(message: &[u8], at: usize) -> Result<(Resource<'_>, usize, bool), Short> {
    let (name, next) = name(message, at)?;
    let mut r = reader_at(message, next)?;
    let (kind, class, ttl_s) = (r.u16()?, r.u16()?, r.u32()?);
    let length = usize::from(r.u16()?);
    let start = next + r.position();
    let bytes = r.take(length)?;
    let data = Data { message, start, bytes };
    Ok((Resource { name: name.text, place: at, kind, class, ttl_s, data }, start + length, name.odd))
}

fn reader_at(bytes: &[u8], at: usize) -> Result<Reader<'_>, Short> {
    bytes.get(at..).map(Reader::new).ok_or(Short)
}

/// A name that was read before, as it is written.
fn written(message: &[u8], start: usize) -> Vec<u8> {
    let (mut out, mut at, mut jumps) = (Vec::new(), start, 0);
    while let Some((&length, rest)) = message.get(at..).and_then(<[u8]>::split_first) {
        match (length >> 6, rest) {
            (0, _) if length == 0 => break,
            (0, _) => {
                let Some(label) = rest.get(..usize::from(length)) else { break };
                if out.len() + label.len() > MAX_NAME_BYTES {
                    break;
                }
                if !out.is_empty() {
                    out.push(b'.');
                }
                out.extend_from_slice(label);
                at += 1 + label.len();
            }
            (3, [low, ..]) if jumps < MAX_JUMPS => {
                jumps += 1;
                at = usize::from(u16::from_be_bytes([length & 0x3f, *low]));
            }
            _ => break,
        }
    }
    out
}

struct Name {
    text: String,
    /// It is longer than allowed, or points forward.
    odd: bool,
}

/// Reads a name at a position, following compression pointers (RFC 1035 section 4.1.4); gives it and the position after
/// it in the message.
fn name(message: &[u8], start: usize) -> Result<(Name, usize), Short> {
    let mut out = Name { text: String::new(), odd: false };
    let mut at = start;
    let mut after: Option<usize> = None;
    let mut jumps = 0;
    let mut wire_bytes = 1;
    loop {
        let mut r = reader_at(message, at)?;
        let length = r.u8()?;
        match length >> 6 {
            0 if length == 0 => break,
            0 => {
                let label = r.take(usize::from(length))?;
                wire_bytes += 1 + label.len();
                if wire_bytes <= MAX_NAME_BYTES {
                    push_label(&mut out.text, label);
                }
                at += 1 + label.len();
            }
            3 => {
                let target = usize::from(u16::from_be_bytes([length & 0x3f, r.u8()?]));
                after.get_or_insert(at + 2);
                jumps += 1;
                if jumps > MAX_JUMPS {
                    return Err(Short);
                }
                // Only an earlier name may be pointed at; forward pointers are followed and called malformed.
                out.odd |= target >= at;
                at = target;
            }
            _ => return Err(Short),
        }
    }
    out.odd |= wire_bytes > RFC_NAME_BYTES;
    Ok((out, after.unwrap_or(at + 1)))
}

fn push_label(out: &mut String, label: &[u8]) {
    if !out.is_empty() {
        out.push('.');
    }
    let start = out.len();
    text::push(out, label);
    if let Some(added) = out.get_mut(start..) {
        added.make_ascii_lowercase();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_followed_but_not_for_ever() {
        assert!(name(&[0xc0, 0x00], 0).is_err());
        assert!(name(&[1, b'a', 0xc0, 0x00], 0).is_err());
        assert!(name(&[0xc0, 0x02, 1, b'a', 0], 0).unwrap().0.odd);
        let bytes = [1, b'A', 0, 1, b'b', 0xc0, 0x00];
        let (read, next) = name(&bytes, 3).unwrap();
        assert_eq!((read.text.as_str(), next), ("b.a", 7));
        assert_eq!(written(&bytes, 3), b"b.A");
        assert!(written(&[0xc0, 0x00], 0).is_empty() && written(&[9, b'a'], 0).is_empty());
    }

    #[test]
    fn a_long_name_is_told_and_called_malformed() {
        let mut bytes = Vec::new();
        for _ in 0..6 {
            bytes.push(60);
            bytes.extend([b'x'; 60]);
        }
        bytes.push(0);
        let (read, next) = name(&bytes, 0).unwrap();
        assert!(read.odd);
        assert_eq!((read.text.len(), next), (6 * 61 - 1, bytes.len()));
    }

    #[test]
    fn counts_that_lie_leave_what_was_read() {
        let mut bytes = vec![0, 7, 0x81, 0x80, 0, 1, 0xff, 0xff, 0, 0, 0, 0];
        bytes.extend([1, b'a', 0, 0, 1, 0, 1]);
        let message = read(&bytes).unwrap();
        assert!(message.malformed);
        assert_eq!(message.questions[0].name, "a");
        assert!(message.answers.is_empty());
    }
}
