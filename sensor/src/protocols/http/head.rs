//! The head of a message: start line and fields (RFC 9112 sections 2 to 5), read as leniently as servers do.

use super::odd::Odd;
use crate::protocols::text;

/// Bytes kept of a field's name.
const MAX_NAME_BYTES: usize = 256;
/// Room that is made for a head at first.
const USUAL_BYTES: usize = 768;
/// Room for its fields.
const USUAL_FIELDS: usize = 16;
/// Fields kept of one head.
const MAX_FIELDS: usize = 256;
/// Bytes of a head, line ends included.
pub const MAX_HEAD_BYTES: usize = 96 * 1024;

/// First line of a request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// As sent.
    pub method: Vec<u8>,
    /// As sent.
    pub target: Vec<u8>,
    /// `1.1`; nothing for HTTP/0.9, which has none.
    pub version: Option<String>,
}

/// First line of a response.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StatusLine {
    /// As in [`RequestLine`].
    pub version: Option<String>,
    /// The version is as it should be written.
    pub proper: bool,
    /// Nothing when it is no number.
    pub code: Option<u16>,
    /// Words after the code.
    pub reason: Vec<u8>,
}

/// The fields of a head, names in lower case.
#[derive(Debug, Default)]
pub struct Fields {
    /// Names and values one after the other.
    bytes: Vec<u8>,
    fields: Vec<Field>,
    /// Which of the fields that may stand there once have been seen.
    seen: u16,
    /// What was odd.
    pub odd: Odd,
}

/// Bytes of a token (RFC 9110 section 5.6.2).
static TOKEN: [bool; 256] = token();

const fn token() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            );
        byte += 1;
    }
    table
}

/// Where a field is among the bytes; its value ends where the next field begins.
#[derive(Debug, Clone, Copy)]
struct Field {
    name: usize,
    value: usize,
}

/// Reads a request line. The target may hold spaces: what counts is that the last word is a version.
pub fn request_line(line: &[u8]) -> RequestLine {
    let line = line.trim_ascii();
    let (method, rest) = split_word(line);
    let (target, version) = match rest.iter().rposition(|b| b.is_ascii_whitespace()) {
        Some(at) => match version(rest.get(at + 1..).unwrap_or(&[])) {
            Some(version) => (rest.get(..at).unwrap_or(&[]).trim_ascii_end(), Some(version)),
            None => (rest, None),
        },
        None => match version(rest) {
            // `GET HTTP/1.1`: the target is missing.
            Some(version) => (&[][..], Some(version)),
            None => (rest, None),
        },
    };
    RequestLine { method: method.to_vec(), target: target.to_vec(), version }
}

/// Reads a status line; nothing when it is none.
pub fn status_line(line: &[u8]) -> Option<StatusLine> {
    let start = line.iter().position(|b| *b > b' ')?;
    let (first, rest) = split_word(line.get(start..)?.trim_ascii_end());
    let proper = matches!(first, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit());
    let version = version(first)?;
    let (code, reason) = split_word(rest);
    let number = std::str::from_utf8(code).ok().and_then(|c| c.parse::<u16>().ok());
    let code = number.filter(|n| (100..=999).contains(n));
    Some(StatusLine { version: Some(version), proper, code, reason: reason.to_vec() })
}

/// `HTTP/1.1` gives `1.1`.
fn version(word: &[u8]) -> Option<String> {
    let (name, number) = word.split_at_checked(5)?;
    if !name.eq_ignore_ascii_case(b"HTTP/") {
        return None;
    }
    // What is glued to a version does not make it another thing.
    let glued = matches!(number, [major, b'.', minor, ..] if major.is_ascii_digit() && minor.is_ascii_digit());
    match number.len() {
        0..=8 => Some(text::text(number, 8)),
        _ if glued => number.get(..3).map(|number| text::text(number, 3)),
        _ => None,
    }
}

fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    (word, rest.trim_ascii_start())
}

impl Fields {
    /// Takes in one line after the first; lines that begin with a blank continue the field before (obs-fold).
    pub fn line(&mut self, line: &[u8]) {
        let folded = line.first().is_some_and(|b| *b == b' ' || *b == b'\t');
        let text = line.trim_ascii();
        if folded
            && !is_field(text)
            && let Some(last) = self.fields.last()
        {
            // A name may be folded too: its colon comes in a later line.
            let empty = last.value == self.bytes.len();
            let text = if empty { text.strip_prefix(b":").unwrap_or(text).trim_ascii() } else { text };
            if !empty && !text.is_empty() {
                self.bytes.push(b' ');
            }
            self.bytes.extend_from_slice(text);
            return;
        }
        let colon = line.iter().position(|&b| b == b':');
        let (name, value) = line.split_at_checked(colon.unwrap_or(line.len())).unwrap_or((line, b":"));
        let odd = match (colon, name.last()) {
            (None | Some(0), _) => Odd::COLON,
            (_, Some(b' ' | b'\t' | b'\r')) => Odd::BLANK,
            (_, Some(0 | 0x0b)) => Odd::NAME,
            _ => Odd::default(),
        };
        self.odd.note(odd);
        let token = self.add(blanks_off(name), value.get(1..).unwrap_or(&[]));
        self.odd.note_if(!token && colon.is_some(), Odd::NAME);
    }

    /// Takes in a field whose name and value come apart, as they do in HTTP/2.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let token = self.add(name, value);
        self.odd.note_if(!token, Odd::NAME);
    }

    /// Adds a field; says whether its name is a token, as it should be.
    fn add(&mut self, name: &[u8], value: &[u8]) -> bool {
        if self.fields.len() >= MAX_FIELDS {
            self.odd.note(Odd::MANY);
            return true;
        }
        if self.fields.is_empty() {
            self.bytes.reserve(USUAL_BYTES);
            self.fields.reserve(USUAL_FIELDS);
        }
        let at = self.bytes.len();
        let token = name.iter().all(|b| TOKEN.get(usize::from(*b)) == Some(&true));
        if token && name.len() <= MAX_NAME_BYTES {
            self.bytes.extend(name.iter().map(u8::to_ascii_lowercase));
            self.once(at);
        } else {
            // Zeros in a name are passed over by receivers.
            let name: Vec<u8> = name.iter().copied().filter(|b| *b != 0).collect();
            self.bytes.extend(text::text(&name, MAX_NAME_BYTES).to_ascii_lowercase().bytes());
        }
        self.fields.push(Field { name: at, value: self.bytes.len() });
        self.bytes.extend_from_slice(blanks_off(value));
        token
    }

    /// Notes a field that stands there again although it may once; its name begins at `at`.
    fn once(&mut self, at: usize) {
        let place = match self.bytes.get(at..).unwrap_or(&[]) {
            b"content-length" => 0,
            b"host" => 1,
            b"content-type" => 2,
            b"content-range" => 3,
            b"content-disposition" => 4,
            b"location" => 5,
            b"authorization" => 6,
            b"user-agent" => 7,
            b"referer" => 8,
            b"server" => 9,
            b"date" => 10,
            b"expires" => 11,
            b"etag" => 12,
            b"last-modified" => 13,
            b"transfer-encoding" => 14,
            _ => return,
        };
        let odd = if place == 0 { Odd::LENGTHS } else { Odd::REPEATED };
        self.odd.note_if(self.seen & (1 << place) != 0, odd);
        self.seen |= 1 << place;
    }

    /// Names and values in their order.
    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let ends = self.fields.iter().skip(1).map(|field| field.name).chain([self.bytes.len()]);
        let part = |from, to| self.bytes.get(from..to).unwrap_or(&[]);
        self.fields.iter().zip(ends).map(move |(field, end)| (part(field.name, field.value), part(field.value, end)))
    }

    /// Whether a name stands there twice, be it one of a list or not.
    pub fn repeats(&self) -> bool {
        let mut names: Vec<&[u8]> = self.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Bytes of the longest value.
    pub fn longest(&self) -> usize {
        // Nearly all heads are shorter as a whole.
        if self.bytes.len() < USUAL_BYTES { 0 } else { self.iter().map(|(_, value)| value.len()).max().unwrap_or(0) }
    }

    /// The first field of a name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(n, _)| *n == name.as_bytes()).map(|(_, value)| value)
    }

    /// Every field of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(n, _)| *n == name.as_bytes()).map(|(_, value)| value)
    }

    /// The first field of a name as text, if there is something in it.
    pub fn text(&self, name: &str, limit: usize) -> Option<String> {
        self.get(name).filter(|v| !v.is_empty()).map(|value| text::text(value, limit))
    }

    /// Whether a list field (`a, b`) holds a word, in any case.
    pub fn has(&self, name: &str, word: &str) -> bool {
        self.all(name).any(|value| {
            value.split(|&b| b == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        })
    }

    /// Whether a field holds a word anywhere, in any case: what receivers look for in Transfer-Encoding.
    pub fn mentions(&self, name: &str, word: &str) -> bool {
        self.all(name).any(|value| {
            let value: Vec<u8> = value.iter().copied().filter(|b| *b != 0).collect();
            value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
        })
    }

    /// Names in their order, each once.
    pub fn distinct_names(&self) -> impl Iterator<Item = &str> {
        let first = move |at: usize, name: &str| self.iter().take(at).all(|(earlier, _)| earlier != name.as_bytes());
        self.names().enumerate().filter(move |(at, name)| first(*at, name)).map(|(_, name)| name)
    }

    /// Names in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        // Names are kept as text.
        self.iter().map(|(name, _)| std::str::from_utf8(name).unwrap_or_default())
    }

    /// Content-Type without its parameters, in lower case.
    pub fn mime_type(&self) -> Option<String> {
        let value = self.get("content-type")?;
        let plain = value.split(|&b| b == b';' || b == b',').next()?.trim_ascii();
        (!plain.is_empty()).then(|| text::text(plain, 256).to_ascii_lowercase())
    }

    /// Content-Length, if it is a number (`12, 12` and `+12` as some servers send are taken by their first digits).
    pub fn content_length(&self) -> Option<u64> {
        let value = self.get("content-length")?;
        let start = value.iter().position(u8::is_ascii_digit)?;
        let rest = value.get(start..)?;
        let end = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end)?;
        // Two numbers leave open which one counts.
        let after = after.trim_ascii_start();
        let list = after.first() == Some(&b',');
        if !list && after.iter().any(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

/// Whether a head goes on behind a line of blanks: with a line that continues a field, one that is a field, or the empty
/// line that ends it properly.
pub fn goes_on(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or(bytes);
    matches!(bytes.first(), Some(b' ' | b'\t' | b'\r' | b'\n')) || is_field(line)
}

/// Whether a line that begins with blanks is a field all the same: a name without blanks and a colon.
fn is_field(text: &[u8]) -> bool {
    let colon = text.iter().position(|b| *b == b':').unwrap_or(0);
    let name = text.get(..colon).unwrap_or(&[]);
    !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

/// Without the blanks around it, and the bytes that some receivers pass over.
fn blanks_off(bytes: &[u8]) -> &[u8] {
    let blank = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0 | 0x0b);
    let start = bytes.iter().position(|b| !blank(b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|b| !blank(b)).map_or(start, |at| at + 1);
    bytes.get(start..end).unwrap_or(&[])
}

/// A parameter of a field's value: `boundary` in `multipart/form-data; boundary=x`. Quotes are taken off.
pub fn parameter(value: &[u8], wanted: &str) -> Option<Vec<u8>> {
    let mut rest = value;
    loop {
        let at = rest.iter().position(|&b| b == b';')?;
        rest = rest.get(at + 1..)?.trim_ascii_start();
        let equals = rest.iter().position(|&b| b == b'=' || b == b';')?;
        let (name, after) = rest.split_at_checked(equals)?;
        if after.first() != Some(&b'=') {
            continue;
        }
        let after = after.get(1..)?;
        let (found, next) = parameter_value(after.trim_ascii_start());
        if name.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()) {
            return Some(found);
        }
        rest = next;
    }
}

fn parameter_value(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    if let Some(quoted) = bytes.strip_prefix(b"\"") {
        let end = quoted.iter().position(|&b| b == b'"').unwrap_or(quoted.len());
        return (quoted.get(..end).unwrap_or(&[]).to_vec(), quoted.get(end..).unwrap_or(&[]));
    }
    let end = bytes.iter().position(|&b| b == b';' || b.is_ascii_whitespace()).unwrap_or(bytes.len());
    (bytes.get(..end).unwrap_or(&[]).to_vec(), bytes.get(end..).unwrap_or(&[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines_of_all_sorts() {
        let line = request_line(b"GET /a b?c=d e HTTP/1.1\r");
        assert_eq!((line.target.as_slice(), line.version.as_deref()), (&b"/a b?c=d e"[..], Some("1.1")));
        assert_eq!(request_line(b"GET /old").version, None);
        assert_eq!(request_line(b"PLAY rtsp://h/ RTSP/1.0").version, None);
    }

    #[test]
    fn status_lines_of_all_sorts() {
        assert_eq!(status_line(b"HTTP/1.1 404 Not Found").unwrap().code, Some(404));
        assert_eq!(status_line(b"HTTP/1.0 2000 x").unwrap().code, None);
        assert_eq!(status_line(b"\0HTTP/1.1 0200").unwrap().code, Some(200));
        assert!(status_line(b"<html>").is_none());
    }

    #[test]
    fn parameters_are_found_after_others() {
        let value = b"form-data; name=\"a;b\"; filename=\"anh.php\"";
        assert_eq!(parameter(value, "filename").unwrap(), b"anh.php");
        assert_eq!(parameter(value, "name").unwrap(), b"a;b");
        assert_eq!(parameter(b"text/html; charset=utf-8", "boundary"), None);
        assert_eq!(parameter(b"multipart/form-data; boundary=--x1 ; y", "BOUNDARY").unwrap(), b"--x1");
    }

    #[test]
    fn a_name_that_stands_there_twice_repeats() {
        let mut fields = Fields::default();
        ["Set-Cookie: a=1", "Date: now"].iter().for_each(|line| fields.line(line.as_bytes()));
        assert!(!fields.repeats());
        fields.line(b"set-cookie: b=2");
        assert!(fields.repeats() && fields.odd == Odd::default());
    }

    #[test]
    fn folded_and_odd_lines() {
        let mut fields = Fields::default();
        for line in [&b"Host: a"[..], b"X-A: 1,", b"  2", b"no colon", b"Content-Length: 12, 12"] {
            fields.line(line);
        }
        assert_eq!(fields.get("x-a"), Some(&b"1, 2"[..]));
        assert_eq!(fields.content_length(), Some(12));
        assert_eq!(fields.odd, Odd::COLON);
    }
}
