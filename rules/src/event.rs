//! Events out of their text form, in which every name must be right.

use anyhow::{Result, bail};
use luytre_events::text::{ReadEvent, read_event};
use luytre_events::{Event, EventId};
use serde_json::Value as Json;

/// Makes an event; what is missing is filled in, a name that no dataset has is an error.
pub(crate) fn from_json(json: &Json, sequence: u64, time_ns: i64) -> Result<Event> {
    let ReadEvent { event, left_out } = read_event(json, EventId { sensor: "test".into(), sequence }, time_ns)?;
    match left_out.into_iter().next() {
        Some(first) => bail!(first),
        None => Ok(event),
    }
}
