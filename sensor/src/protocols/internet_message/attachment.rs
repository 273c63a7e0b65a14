//! Which parts of a message are files, and their way into one.

use super::super::http::head::Fields;
use super::words;
use crate::protocols::{Direction, FileMeta, FileToken, Output};

/// Bytes kept of a file's name.
const MAX_NAME_BYTES: usize = 512;

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Type that it claims, in lower case.
    pub claimed_type: Option<String>,
}

/// A part with a name, or of another type than text, is an attachment.
pub fn attachment(fields: &Fields) -> Option<Attachment> {
    let disposition = fields.get("content-disposition").unwrap_or(&[]);
    let name = words::parameter_text(disposition, "filename", MAX_NAME_BYTES)
        .or_else(|| words::parameter_text(fields.get("content-type")?, "name", MAX_NAME_BYTES))
        .filter(|name| !name.is_empty());
    let claimed_type = fields.mime_type();
    let declared = disposition.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"attachment"));
    let text = claimed_type.as_deref().is_none_or(|kind| kind.starts_with("text/"));
    (name.is_some() || declared || !text).then_some(Attachment { name, claimed_type })
}

/// An open file of a message.
#[derive(Debug, Default)]
pub struct Carved(Option<FileToken>);

impl Carved {
    /// An attachment begins.
    pub fn open(&mut self, out: &mut dyn Output, attachment: Attachment, direction: Direction) {
        let Attachment { name, claimed_type } = attachment;
        self.0 = out.file_open(FileMeta { name, claimed_type, url: None, direction: Some(direction) });
    }

    /// More of it.
    pub fn data(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        if let Some(file) = self.0 {
            out.file_data(file, bytes);
        }
    }

    /// It ends.
    pub fn close(&mut self, out: &mut dyn Output, complete: bool) {
        if let Some(file) = self.0.take() {
            out.file_close(file, complete);
        }
    }
}
