//! Out of the text form: events from nested Elastic Common Schema JSON, as [`crate::json`] writes it.
//!
//! Comes in: one JSON object, whole or shortened to the fields that matter. Goes out: an [`Event`] of today's catalogue,
//! and what could not be taken over: names that the catalogue does not have, values that are not of their field's kind.
//! Whether that is an error is for the caller to say.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value as Json;

use crate::catalogue::{Catalogue, Field};
use crate::event::{ENVELOPE, Event, EventId, FlowContext, Transport};
use crate::field::Kind;
use crate::value::Value;
use crate::{CommunityId, FieldId};

/// Why a text is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// No `event.dataset`.
    #[error("an event needs event.dataset")]
    NoDataset,
    /// A dataset that the catalogue does not have.
    #[error("no sensor makes the dataset {0:?}")]
    Dataset(String),
    /// A value of the envelope that cannot be understood.
    #[error("{name}: {value} is not {wanted}")]
    Value {
        /// The field.
        name: String,
        /// What stands there.
        value: String,
        /// What should.
        wanted: &'static str,
    },
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadEvent {
    /// The event.
    pub event: Event,
    /// What is not in it, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// Something that could not be taken over into an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeftOut {
    /// The catalogue does not have this name.
    #[error("no dataset has the field {0}")]
    Unknown(String),
    /// The value is not of the field's kind.
    #[error("{name}: {value} is not a {kind:?}")]
    Kind {
        /// The field.
        name: String,
        /// What stands there.
        value: String,
        /// What should.
        kind: Kind,
    },
}

/// Makes an event. What the envelope needs and the text does not say is filled in: a time, a flow from `source` and
/// `destination`, its Community ID.
pub fn read_event(json: &Json, id: EventId, time_ns: i64) -> Result<ReadEvent, BadEvent> {
    let mut leaves = Vec::new();
    flatten(json, "", &mut leaves);
    let catalogue = Catalogue::current();
    let named = |name: &str| leaves.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
    let dataset = named("event.dataset").and_then(Json::as_str).ok_or(BadEvent::NoDataset)?;
    let dataset = catalogue.dataset_id(dataset).ok_or_else(|| BadEvent::Dataset(dataset.to_owned()))?;
    let time_ns = match named("@timestamp") {
        Some(json) => moment_ns(json).ok_or_else(|| bad("@timestamp", json, "an RFC 3339 time"))?,
        None => time_ns,
    };
    let mut event = Event { id, time_ns, dataset, flow: flow(&named)?, fields: Vec::new() };
    let mut left_out = Vec::new();
    for (name, json) in leaves {
        if json.is_null() || ENVELOPE.fields.iter().any(|field| field.name == name) {
            continue;
        }
        let Some((id, field)) = catalogue.field_id(&name).and_then(|id| Some((id, catalogue.field(id)?))) else {
            left_out.push(LeftOut::Unknown(name));
            continue;
        };
        match value_of(json, field) {
            Some(value) => event.fields.push((id, value)),
            None => left_out.push(LeftOut::Kind { name, value: json.to_string(), kind: field.kind }),
        }
    }
    sort_and_join(&mut event.fields);
    Ok(ReadEvent { event, left_out })
}

/// Fields in the order of the catalogue, each once.
fn sort_and_join(fields: &mut Vec<(FieldId, Value)>) {
    fields.sort_by_key(|(id, _)| *id);
    fields.dedup_by(|later, earlier| later.0 == earlier.0);
}

fn flatten<'j>(json: &'j Json, prefix: &str, leaves: &mut Vec<(String, &'j Json)>) {
    match json {
        Json::Object(map) => {
            for (key, inner) in map {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(inner, &name, leaves);
            }
        }
        leaf => leaves.push((prefix.to_owned(), leaf)),
    }
}

fn bad(name: &str, json: &Json, wanted: &'static str) -> BadEvent {
    BadEvent::Value { name: name.to_owned(), value: json.to_string(), wanted }
}

fn flow<'j>(named: &impl Fn(&str) -> Option<&'j Json>) -> Result<Option<FlowContext>, BadEvent> {
    let end = |side: &str| -> Result<Option<(IpAddr, u16)>, BadEvent> {
        let name = format!("{side}.ip");
        let Some(json) = named(&name) else { return Ok(None) };
        let ip = json.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| bad(&name, json, "an address"))?;
        let name = format!("{side}.port");
        let port = match named(&name) {
            Some(json) => {
                let port = number(json).and_then(|port| u16::try_from(port).ok());
                port.ok_or_else(|| bad(&name, json, "a port"))?
            }
            None => 0,
        };
        Ok(Some((ip, port)))
    };
    let (source, destination) = (end("source")?, end("destination")?);
    if source.is_none() && destination.is_none() {
        return Ok(None);
    }
    let nowhere = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let (source, destination) = (source.unwrap_or(nowhere), destination.unwrap_or(nowhere));
    let transport = match named("network.transport") {
        Some(json) => json.as_str().and_then(Transport::named).ok_or_else(|| {
            bad("network.transport", json, "the name of a transport protocol, such as tcp, udp or icmp")
        })?,
        None => Transport::TCP,
    };
    let told = named("network.community_id").and_then(Json::as_str).and_then(|text| text.parse().ok());
    Ok(Some(FlowContext {
        source,
        destination,
        transport,
        vlan: named("network.vlan.id").and_then(number).and_then(|vlan| u16::try_from(vlan).ok()),
        community_id: told.unwrap_or_else(|| CommunityId::new(source, destination, transport, false)),
        protocol: named("network.protocol").and_then(Json::as_str).map(Into::into),
    }))
}

/// A number, or a text that holds one.
fn number(json: &Json) -> Option<u64> {
    json.as_u64().or_else(|| json.as_str()?.parse().ok())
}

fn moment_ns(json: &Json) -> Option<i64> {
    let time: jiff::Timestamp = json.as_str()?.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

/// A value of a field; a single one makes a list where the field is one.
fn value_of(json: &Json, field: &Field) -> Option<Value> {
    let made = value(json, field.kind)?;
    Some(if field.list && !matches!(made, Value::List(_)) { Value::List(vec![made]) } else { made })
}

fn value(json: &Json, kind: Kind) -> Option<Value> {
    match json {
        // Lists do not nest.
        Json::Array(items) => items.iter().map(|item| single(item, kind)).collect::<Option<Vec<_>>>().map(Value::List),
        json => single(json, kind),
    }
}

fn single(json: &Json, kind: Kind) -> Option<Value> {
    match kind {
        Kind::Keyword | Kind::Text => json.as_str().map(|text| Value::Str(text.into())),
        Kind::Ip => json.as_str()?.parse().ok().map(Value::Ip),
        Kind::Long => number(json).map(Value::U64).or_else(|| json.as_i64().map(Value::I64)),
        Kind::Float => json.as_f64().map(Value::F64),
        Kind::Boolean => json.as_bool().map(Value::Bool),
        Kind::Date => moment_ns(json).map(Value::Time),
        Kind::Bytes => crate::json::base64_bytes(json.as_str()?).map(|bytes| Value::Bytes(bytes.into())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id() -> EventId {
        EventId { sensor: "".into(), sequence: 0 }
    }

    #[test]
    fn what_was_written_reads_back() {
        let text = json!({
            "@timestamp": "2026-11-22T01:02:03.000000004Z",
            "event": {"dataset": "dns", "kind": "event"},
            "source": {"ip": "192.0.2.1", "port": 53000},
            "destination": {"ip": "2001:db8::1", "port": 53},
            "network": {"transport": "udp", "protocol": "dns", "vlan": {"id": 7}},
            "dns": {"question": {"name": "mot-cua.example"}},
        });
        let read = read_event(&text, id(), 0).unwrap();
        assert_eq!(read.left_out, []);
        let mut written = crate::json::event_value(&read.event);
        let community_id = written.pointer_mut("/network/community_id").unwrap().take();
        assert!(community_id.as_str().unwrap().starts_with("1:"));
        written.pointer_mut("/network").unwrap().as_object_mut().unwrap().remove("community_id");
        assert_eq!(written, text);
    }

    #[test]
    fn what_does_not_fit_is_named_and_the_rest_stays() {
        let text = json!({
            "event": {"dataset": "dns"},
            "source": {"ip": "192.0.2.1"},
            "dns": {"question": {"name": "mot-cua.example"}, "answers_count": "many"},
            "tree": {"height": 3},
            "organization": {"id": [["deep"]]},
        });
        let read = read_event(&text, id(), 5).unwrap();
        assert_eq!(read.event.time_ns, 5);
        assert_eq!(read.event.get_named("dns.question.name"), Some(Value::Str("mot-cua.example".into())));
        let told: Vec<String> = read.left_out.iter().map(LeftOut::to_string).collect();
        assert!(told.contains(&"no dataset has the field tree.height".to_owned()), "{told:?}");
        assert!(told.contains(&"organization.id: [[\"deep\"]] is not a Keyword".to_owned()), "{told:?}");
    }

    #[test]
    fn what_is_no_event_says_why() {
        let error = |text| read_event(&text, id(), 0).unwrap_err().to_string();
        assert_eq!(error(json!([])), "an event needs event.dataset");
        assert_eq!(error(json!({"event": {"dataset": "weather"}})), "no sensor makes the dataset \"weather\"");
        let with = |source| json!({"event": {"dataset": "dns"}, "source": source});
        assert_eq!(error(with(json!({"ip": "here"}))), "source.ip: \"here\" is not an address");
        assert_eq!(error(with(json!({"ip": "192.0.2.1", "port": 65536}))), "source.port: 65536 is not a port");
    }
}
