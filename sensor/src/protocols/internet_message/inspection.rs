//! What signatures look into of a message: fields of its head as they were sent, and addresses of pages in its text. At most
//! [`MAX_TEXT_BYTES`] of the text are looked at and [`MAX_PAGES`] addresses handed over.

use super::super::http::head::Fields;
use super::super::smtp;
use crate::protocols::buffer::{self, BufferId};
use crate::protocols::{Direction, Output};

/// Bytes of the text that are looked at for addresses.
const MAX_TEXT_BYTES: usize = 256 << 10;
/// Addresses of a message that are handed over.
const MAX_PAGES: usize = 128;
/// How an address begins that is looked for.
const SCHEMES: [&[u8]; 3] = [b"http://", b"https://", b"ftp://"];

const FIELDS: [(&str, BufferId); 8] = [
    ("from", buffer::EMAIL_FROM),
    ("to", buffer::EMAIL_TO),
    ("cc", buffer::EMAIL_CC),
    ("subject", buffer::EMAIL_SUBJECT),
    ("date", buffer::EMAIL_DATE),
    ("message-id", buffer::EMAIL_MESSAGE_ID),
    ("x-mailer", buffer::EMAIL_X_MAILER),
    ("received", buffer::EMAIL_RECEIVED),
];

/// What is kept of a message.
#[derive(Default)]
pub struct Inspected {
    /// Rules know messages that are being sent.
    sent: bool,
    in_text: bool,
    text: Vec<u8>,
}

impl Inspected {
    /// For a message that this protocol carries.
    pub fn new(carrier: &'static str) -> Inspected {
        Inspected { sent: carrier == smtp::PROTOCOL.name, ..Inspected::default() }
    }

    /// The head of the message.
    pub fn head(&mut self, out: &mut dyn Output, direction: Direction, fields: &Fields) {
        self.sent &= out.inspects();
        for (name, id) in FIELDS.iter().filter(|_| self.sent) {
            for value in fields.all(name) {
                out.inspect(direction, *id, value);
            }
        }
    }

    /// A part begins.
    pub fn begin(&mut self, fields: &Fields) {
        let kind = fields.mime_type();
        self.in_text = self.sent && kind.is_none_or(|kind| kind.starts_with("text/"));
    }

    /// Content of the part, decoded.
    pub fn data(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        if self.in_text && out.inspects() {
            let room = MAX_TEXT_BYTES.saturating_sub(self.text.len());
            self.text.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }

    /// The message is over.
    pub fn end(&mut self, out: &mut dyn Output, direction: Direction) {
        for page in pages(&self.text).take(MAX_PAGES) {
            out.inspect(direction, buffer::EMAIL_URL, page);
        }
        self.text = Vec::new();
    }
}

/// Addresses of pages in a text, without their scheme.
fn pages(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let at = rest.windows(3).position(|three| three == b"://")?;
            let (before, after) = rest.split_at_checked(at + 3)?;
            let scheme = SCHEMES.iter().any(|scheme| {
                before
                    .len()
                    .checked_sub(scheme.len())
                    .and_then(|from| before.get(from..))
                    .is_some_and(|end| end.eq_ignore_ascii_case(scheme))
            });
            let ends =
                |b: &u8| b.is_ascii_whitespace() || b.is_ascii_control() || matches!(b, b'"' | b'\'' | b'<' | b'>');
            let end = after.iter().position(ends).unwrap_or(after.len());
            let (page, behind) = after.split_at_checked(end)?;
            rest = behind;
            if scheme && !page.is_empty() {
                return Some(page);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_in_text_and_marks() {
        let text = b"see HTTP://www.example/a?b=1 or <a href=\"https://x.example/\">y</a>, not gopher://z ftp://f";
        let found: Vec<&[u8]> = pages(text).collect();
        assert_eq!(found, [&b"www.example/a?b=1"[..], b"x.example/", b"f"]);
    }
}
