//! Forms in parts (`multipart/form-data`, RFC 7578): text fields and uploaded files, told apart as they stream by.

use super::form;
use super::head::{Fields, parameter};
use crate::protocols::text;

/// Bytes of a part's head.
const MAX_PART_HEAD_BYTES: usize = 8192;
/// Bytes of a boundary (RFC 2046 section 5.1.1 allows 70).
const MAX_BOUNDARY_BYTES: usize = 200;

/// What comes out of the parts.
pub trait Parts {
    /// A part with a file name begins.
    fn file(&mut self, name: String, claimed_type: Option<String>);
    /// Bytes of that file.
    fn file_data(&mut self, bytes: &[u8]);
    /// That file ends; `complete` says whether its boundary was seen.
    fn file_end(&mut self, complete: bool);
    /// A text field begins, followed by its value in [`Parts::field_data`].
    fn field(&mut self, name: &[u8]);
    /// Bytes of a text field's value.
    fn field_data(&mut self, bytes: &[u8]);
}

/// The state of one form.
pub struct Multipart {
    /// `CR LF - - boundary`.
    delimiter: Vec<u8>,
    /// What cannot be decided yet: a beginning delimiter, an unfinished head.
    pending: Vec<u8>,
    inside: Inside,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Preamble,
    Head,
    File,
    Field,
    Done,
}

impl Multipart {
    /// For a body of this content type, if it is a form in parts.
    pub fn new(content_type: &[u8]) -> Option<Multipart> {
        if !content_type.get(..10).is_some_and(|t| t.eq_ignore_ascii_case(b"multipart/")) {
            return None;
        }
        let boundary = parameter(content_type, "boundary").filter(|b| (1..=MAX_BOUNDARY_BYTES).contains(&b.len()))?;
        let delimiter = [b"\r\n--", boundary.as_slice()].concat();
        // The first delimiter has no line end before it when there is no preamble: one is put there.
        Some(Multipart { delimiter, pending: b"\r\n".to_vec(), inside: Inside::Preamble })
    }

    /// Takes in more of the body.
    pub fn data(&mut self, bytes: &[u8], parts: &mut dyn Parts) {
        self.pending.extend_from_slice(bytes);
        while self.step(parts) {}
    }

    /// The body ends.
    pub fn end(&mut self, parts: &mut dyn Parts) {
        let rest = std::mem::take(&mut self.pending);
        match self.inside {
            Inside::File => {
                parts.file_data(&rest);
                parts.file_end(false);
            }
            Inside::Field => parts.field_data(&rest),
            _ => {}
        }
        self.inside = Inside::Done;
    }

    /// Goes one step; says whether another may follow.
    fn step(&mut self, parts: &mut dyn Parts) -> bool {
        match self.inside {
            Inside::Done => {
                self.pending.clear();
                false
            }
            Inside::Head => self.head(parts),
            Inside::Preamble | Inside::File | Inside::Field => self.content(parts),
        }
    }

    fn content(&mut self, parts: &mut dyn Parts) -> bool {
        let found = find(&self.pending, &self.delimiter);
        let keep = self.delimiter.len().saturating_sub(1);
        let end = found.unwrap_or(self.pending.len().saturating_sub(keep));
        let content: Vec<u8> = self.pending.drain(..end).collect();
        match self.inside {
            Inside::File => parts.file_data(&content),
            Inside::Field => parts.field_data(&content),
            _ => {}
        }
        if found.is_none() {
            return false;
        }
        if self.inside == Inside::File {
            parts.file_end(true);
        }
        self.pending.drain(..self.delimiter.len());
        self.inside = Inside::Head;
        true
    }

    fn head(&mut self, parts: &mut dyn Parts) -> bool {
        if self.pending.starts_with(b"--") {
            self.inside = Inside::Done;
            return true;
        }
        let Some(end) = find(&self.pending, b"\r\n\r\n") else {
            if self.pending.len() > MAX_PART_HEAD_BYTES {
                self.inside = Inside::Done;
            }
            return self.inside == Inside::Done;
        };
        let head: Vec<u8> = self.pending.drain(..end + 4).collect();
        let mut fields = Fields::default();
        for line in head.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty()) {
            fields.line(line);
        }
        let disposition = fields.get("content-disposition").unwrap_or(&[]);
        match parameter(disposition, "filename").filter(|name| !name.is_empty()) {
            Some(name) => {
                parts.file(text::text(&name, 512), fields.mime_type());
                self.inside = Inside::File;
            }
            None => {
                parts.field(&parameter(disposition, "name").unwrap_or_default());
                self.inside = Inside::Field;
            }
        }
        true
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|&b| b == first) {
        if bytes.get(from + at..)?.starts_with(part) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// The text fields of a form as `name=value&...`, values of password fields replaced.
#[derive(Default)]
pub struct FieldText {
    /// The text so far.
    pub text: Vec<u8>,
    /// A password field with a value was among them.
    pub password: bool,
    secret: bool,
    starred: bool,
}

impl FieldText {
    /// A field begins.
    pub fn field(&mut self, name: &[u8]) {
        (self.secret, self.starred) = (form::secret_name(name), false);
        if !self.text.is_empty() {
            self.push(b"&");
        }
        self.push(name);
        self.push(b"=");
    }

    /// More of its value.
    pub fn data(&mut self, bytes: &[u8]) {
        if !self.secret {
            self.push(bytes);
        } else if !bytes.is_empty() && !self.starred {
            (self.password, self.starred) = (true, true);
            self.push(b"***");
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = form::MAX_KEPT_BYTES.saturating_sub(self.text.len());
        self.text.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen {
        log: String,
        fields: FieldText,
    }

    impl Parts for Seen {
        fn file(&mut self, name: String, claimed_type: Option<String>) {
            self.log += &format!("[{name} {}:", claimed_type.unwrap_or_default());
        }
        fn file_data(&mut self, bytes: &[u8]) {
            self.log += &String::from_utf8_lossy(bytes);
        }
        fn file_end(&mut self, complete: bool) {
            self.log += if complete { "]" } else { "?]" };
        }
        fn field(&mut self, name: &[u8]) {
            self.fields.field(name);
        }
        fn field_data(&mut self, bytes: &[u8]) {
            self.fields.data(bytes);
        }
    }

    #[test]
    fn parts_come_apart_however_they_are_cut() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"u\"\r\n\r\nan\r\n--B\r\n\
            Content-Disposition: form-data; name=\"password\"\r\n\r\nkhong-noi\r\n--B\r\n\
            Content-Disposition: form-data; name=f; filename=\"anh.php\"\r\nContent-Type: image/png\r\n\r\n\
            <?php\r\n-- ?>\r\n--B\r\nContent-Disposition: form-data; name=f; filename=\"e\"\r\n\r\n\r\n--B--\r\n";
        for size in 1..body.len() {
            let mut multipart = Multipart::new(b"multipart/form-data; boundary=B").unwrap();
            let mut seen = Seen::default();
            for chunk in body.chunks(size) {
                multipart.data(chunk, &mut seen);
            }
            multipart.end(&mut seen);
            assert_eq!(seen.log, "[anh.php image/png:<?php\r\n-- ?>][e :]", "cut in pieces of {size}");
            assert_eq!(seen.fields.text, b"u=an&password=***");
            assert!(seen.fields.password);
        }
    }
}
