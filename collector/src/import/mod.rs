//! Import: captures and logs of other programs, into data sets apart from the live one.
//!
//! Comes in: files that `luytre-collector import` was given. Goes out: events under the names of our own catalogue, in a
//! set that searches see only when they name it.
//!
//! | kind of file ([`Kind`]) | how |
//! | --- | --- |
//! | capture (pcap, pcapng, gzipped) | `luytre-sensor read`, as a child process |
//! | our own events (`luytre-sensor read`, exports), a line each | as they are |
//! | EVE JSON of Suricata, JSON logs of Zeek | [`translate`]: names after tables, the line itself kept beside them |
//!
//! Logs may be gzipped or packed with zstd. The kind is found by content. A line that is no event is counted, told with its
//! reason and passed over; nothing stops at it.

mod file;
mod sets;
mod translate;

pub use file::{Kind, Lines, Opened, open};
pub use sets::{IMPORTED, ImportError, Sets};
pub use translate::Table;

/// A line that may be of a program we know, as an event of ours; the error says why one of theirs is none.
pub fn known_line(line: &[u8]) -> Option<Result<serde_json::Value, String>> {
    let json: serde_json::Value = serde_json::from_slice(line).ok()?;
    if json.pointer("/event/dataset").is_some() {
        return Some(Ok(json));
    }
    let program = translate::Program::of(json.as_object()?)?;
    Some(translate::Translation::new(program, std::path::Path::new("")).event(&json, line))
}
