//! Messages of electronic mail (RFC 5322, MIME), whatever protocol carries them: one event a message, attachments become
//! files.
//!
//! Comes in: the bytes of a message as they stream by, from the parsers of the protocols that carry mail. Goes out: an
//! [`EmailMessage`](record::EmailMessage) when the message is over. Bounds: bytes of a head, fields told, parts, parts
//! in parts; what is over a limit is counted, and the rest is still followed.

mod address;
mod attachment;
mod encoding;
mod inspection;
pub mod lines;
pub mod login;
mod message;
mod mime;
pub mod record;
mod words;

pub use message::{Message, Summary};
