//! JSON of log shippers as events of ours: Winlogbeat and Filebeat (Elastic Common Schema), Vector, NXLog.
//!
//! Comes in: one JSON object, or a line of text. Goes out: an event without a number. What is a line of a program that we
//! know, alone or in `message`, is that program's event; an event log of Windows gets its names from a table; of anything
//! else the names that our catalogue has are kept. The object itself is kept beside all of them, so that its words are
//! found.

use luytre_events::text::read_event;
use luytre_events::{Catalogue, Event, EventId};
use serde_json::{Map, Value as Json};

use super::syslog;
use crate::import::{Table, known_line};

/// The largest event.
pub const EVENT_MAX_BYTES: usize = 256 << 10;
/// The longest line that is kept beside the event, in bytes.
const ORIGINAL_MAX_BYTES: usize = 8192;
/// Objects within objects are looked into this far.
const DEPTH_MAX: usize = 12;
/// The provider of Sysmon's events.
const SYSMON: &str = "Microsoft-Windows-Sysmon";

/// Names of shippers that are not those of the schema, and ours.
const NAMES: [(&str, &str); 14] = [
    ("timestamp", "@timestamp"),
    ("host", "host.name"),
    ("hostname", "log.syslog.hostname"),
    ("host.hostname", "host.name"),
    ("appname", "log.syslog.appname"),
    ("procid", "log.syslog.procid"),
    ("msgid", "log.syslog.msgid"),
    ("facility", "log.syslog.facility.name"),
    ("severity", "log.syslog.severity.name"),
    ("level", "log.level"),
    ("file", "log.file.path"),
    ("path", "log.file.path"),
    ("source_ip", "source.ip"),
    ("source_type", "agent.type"),
];
/// What Windows and its shippers write where there is nothing.
const NOTHING: [&str; 3] = ["", "-", "(null)"];

/// The event of an object or line; the error says why there is none.
pub fn event(text: &[u8], received_ns: i64) -> Result<Event, String> {
    let flat = match serde_json::from_slice::<Json>(text) {
        Ok(Json::Object(object)) => shaped(Json::Object(object), text, received_ns)?,
        Ok(_) => return Err("not a JSON object".to_owned()),
        Err(error) if text.starts_with(b"{") => return Err(format!("no JSON: {error}")),
        Err(_) => syslog::event(text, received_ns),
    };
    let id = EventId { sensor: "".into(), sequence: 0 };
    read_event(&flat, id, received_ns).map(|read| read.event).map_err(|error| error.to_string())
}

fn shaped(object: Json, text: &[u8], received_ns: i64) -> Result<Json, String> {
    // Ours only where it says so by a dataset of ours: shippers have datasets of their own.
    let named = object.pointer("/event/dataset").or_else(|| object.get("event.dataset"));
    let named = named.and_then(Json::as_str).map(str::to_owned);
    let is_ours = named.as_deref().is_some_and(|name| Catalogue::current().dataset_id(name).is_some());
    if is_ours && object.get("agent").is_none() {
        return Ok(object);
    }
    if named.is_none()
        && let Some(known) = known_line(text)
    {
        return known;
    }
    if let Some(message) = object.get("message").and_then(Json::as_str)
        && message.starts_with('{')
        && let Some(Ok(known)) = known_line(message.as_bytes())
    {
        return Ok(known);
    }
    let object = nxlog(&object).unwrap_or(object);
    let mut event = Map::new();
    put_known(&object, "", 0, &mut event);
    event.remove("event.dataset");
    event.remove("event.original");
    if let Some(name) = named {
        event.entry("data_stream.dataset").or_insert_with(|| name.into());
    }
    let dataset = if object.get("winlog").is_some() {
        windows(&object, &mut event);
        "windows"
    } else {
        "log"
    };
    event.insert("event.dataset".to_owned(), dataset.into());
    tidy(&mut event, received_ns);
    let text = String::from_utf8_lossy(text);
    event.insert("event.original".to_owned(), syslog::cut(&text, ORIGINAL_MAX_BYTES).into());
    Ok(Json::Object(event))
}

/// Puts what stands under a name of ours, nested or with dots in its name.
fn put_known(json: &Json, prefix: &str, depth: usize, event: &mut Map<String, Json>) {
    let Json::Object(object) = json else { return };
    for (key, value) in object {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        if value.is_object() {
            if depth < DEPTH_MAX {
                put_known(value, &name, depth + 1, event);
            }
            continue;
        }
        let ours = NAMES.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours);
        match ours {
            Some(ours) => {
                event.entry(ours).or_insert_with(|| value.clone());
            }
            None => {
                if let Some(field) = Catalogue::current().field_id(&name).and_then(|id| Catalogue::current().field(id))
                {
                    event.insert(name, of_kind(value, field.kind));
                }
            }
        }
    }
}

/// Numbers that the schema calls keywords are text.
fn of_kind(value: &Json, kind: luytre_events::Kind) -> Json {
    match (kind, value) {
        (luytre_events::Kind::Keyword, Json::Number(number)) => number.to_string().into(),
        _ => value.clone(),
    }
}

/// Names out of the event log's own; those of the schema that the shipper filled in already win.
fn windows(object: &Json, event: &mut Map<String, Json>) {
    let text =
        |pointer: &str| object.pointer(pointer).map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
    let code = text("/winlog/event_id").or_else(|| text("/event/code")).unwrap_or_default();
    let given = event.clone();
    let mut put = |name: &str, value: Json| {
        if !given.contains_key(name) && !value.as_str().is_some_and(|text| NOTHING.contains(&text)) {
            event.insert(name.to_owned(), value);
        }
    };
    let table = Table::windows();
    if text("/winlog/provider_name").as_deref() == Some(SYSMON) {
        table.apply("sysmon", object, &mut put);
        table.apply(&format!("sysmon-{code}"), object, &mut put);
    } else {
        table.apply(&code, object, &mut put);
    }
    event.insert("event.module".to_owned(), "windows".into());
}

/// NXLog writes all names of an event beside each other.
fn nxlog(object: &Json) -> Option<Json> {
    let at = |name: &str| object.get(name).cloned();
    let (channel, code) = (at("Channel")?, at("EventID")?);
    let time = object.get("EventTime").and_then(Json::as_str).map(|time| time.replacen(' ', "T", 1));
    Some(serde_json::json!({
        "@timestamp": time,
        "message": at("Message"),
        "agent": { "type": at("SourceModuleType") },
        "winlog": {
            "channel": channel, "event_id": code, "provider_name": at("SourceName"), "computer_name": at("Hostname"),
            "record_id": at("RecordNumber").or_else(|| at("RecordID")), "level": at("Severity"), "task": at("Category"),
            "keywords": [at("EventType")], "event_data": object,
        },
    }))
}

/// Takes out what would make an event of nothing: no time, no address, no port, nothing at all.
fn tidy(event: &mut Map<String, Json>, received_ns: i64) {
    event.retain(|_, value| !value.is_null() && !value.as_str().is_some_and(|text| NOTHING.contains(&text)));
    for side in ["source", "destination"] {
        let (ip, port) = (format!("{side}.ip"), format!("{side}.port"));
        let first = event.get(&ip).map(|value| value.as_array().and_then(|all| all.first()).unwrap_or(value));
        let address = first.and_then(Json::as_str).and_then(|text| text.parse::<std::net::IpAddr>().ok());
        match address {
            Some(address) => event.insert(ip, address.to_canonical().to_string().into()),
            None => event.remove(&ip),
        };
        let number = event.get(&port).and_then(|port| port.as_u64().or_else(|| port.as_str()?.parse().ok()));
        match number.filter(|port| *port <= u64::from(u16::MAX)) {
            Some(number) => event.insert(port, number.into()),
            None => event.remove(&port),
        };
    }
    let transport = event.get("network.transport").and_then(Json::as_str).map(str::to_ascii_lowercase);
    match transport.filter(|name| luytre_events::Transport::named(name).is_some()) {
        Some(name) => event.insert("network.transport".to_owned(), name.into()),
        None => event.remove("network.transport"),
    };
    let time = event.get("@timestamp").and_then(Json::as_str).and_then(moment);
    let time = time.unwrap_or_else(|| luytre_events::json::time_text(received_ns));
    event.insert("@timestamp".to_owned(), time.into());
}

/// RFC 3339; a time without a zone is taken in the collector's.
fn moment(text: &str) -> Option<String> {
    let stamp = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::system()).ok()?.timestamp())
    })?;
    Some(format!("{stamp:.9}"))
}

#[cfg(test)]
mod tests;
