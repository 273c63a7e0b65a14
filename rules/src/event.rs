//! Events out of their text form: nested Elastic Common Schema JSON, as `luytre-sensor read` writes it, shortened to the
//! fields that matter.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result, bail};
use luytre_events::{Catalogue, CommunityId, Event, EventId, FlowContext, Kind, Transport, Value};
use serde_json::Value as Json;

/// Makes an event. What the envelope needs and the text does not say is filled in: a flow from `source` and
/// `destination`, the dataset, a number.
pub(crate) fn from_json(json: &Json, sequence: u64, time_ns: i64) -> Result<Event> {
    let mut leaves = Vec::new();
    flatten(json, "", &mut leaves);
    let catalogue = Catalogue::current();
    let named = |name: &str| leaves.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
    let dataset = named("event.dataset").and_then(Json::as_str).context("an event needs event.dataset")?;
    let dataset = catalogue.dataset_id(dataset).with_context(|| format!("no sensor makes the dataset {dataset:?}"))?;
    let mut event = Event {
        id: EventId { sensor: "test".into(), sequence },
        time_ns: named("@timestamp").map(moment_ns).transpose()?.unwrap_or(time_ns),
        dataset,
        flow: flow(&named)?,
        fields: Vec::new(),
    };
    for (name, json) in &leaves {
        let id = catalogue.field_id(name).with_context(|| format!("no dataset has the field {name}"))?;
        if luytre_events::event::ENVELOPE.fields.iter().any(|f| f.name == name && !name.starts_with("organization.")) {
            continue;
        }
        let field = catalogue.field(id).context("a field has an id")?;
        let made = value(json, field.kind).with_context(|| format!("{name}: {json} is not a {:?}", field.kind))?;
        event
            .fields
            .push((id, if field.list && !matches!(made, Value::List(_)) { Value::List(vec![made]) } else { made }));
    }
    Ok(event)
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

fn flow<'j>(named: &impl Fn(&str) -> Option<&'j Json>) -> Result<Option<FlowContext>> {
    let end = |side: &str| -> Result<Option<(IpAddr, u16)>> {
        let Some(ip) = named(&format!("{side}.ip")).and_then(Json::as_str) else { return Ok(None) };
        let ip = ip.parse().with_context(|| format!("{side}.ip: {ip:?} is not an address"))?;
        Ok(Some((ip, named(&format!("{side}.port")).and_then(number).unwrap_or(0) as u16)))
    };
    let (source, destination) = (end("source")?, end("destination")?);
    if source.is_none() && destination.is_none() {
        return Ok(None);
    }
    let nowhere = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let (source, destination) = (source.unwrap_or(nowhere), destination.unwrap_or(nowhere));
    let transport = match named("network.transport").and_then(Json::as_str).unwrap_or("tcp") {
        "tcp" => Transport::TCP,
        "udp" => Transport::UDP,
        "icmp" => Transport::ICMP,
        other => bail!("network.transport {other:?} is none of tcp, udp, icmp"),
    };
    let protocol = named("network.protocol").and_then(Json::as_str).map(Into::into);
    let community_id = CommunityId::new(source, destination, transport, false);
    Ok(Some(FlowContext { source, destination, transport, vlan: None, community_id, protocol }))
}

/// A number, or a text that holds one (as the counter in a repeated event makes it).
fn number(json: &Json) -> Option<u64> {
    json.as_u64().or_else(|| json.as_str()?.parse().ok())
}

fn moment_ns(json: &Json) -> Result<i64> {
    let text = json.as_str().context("a time is a text")?;
    let time: jiff::Timestamp = text.parse().with_context(|| format!("{text:?} is not an RFC 3339 time"))?;
    Ok(i64::try_from(time.as_nanosecond())?)
}

fn value(json: &Json, kind: Kind) -> Option<Value> {
    if let Json::Array(items) = json {
        return items.iter().map(|item| value(item, kind)).collect::<Option<Vec<_>>>().map(Value::List);
    }
    match kind {
        Kind::Keyword | Kind::Text => json.as_str().map(|text| Value::Str(text.into())),
        Kind::Ip => json.as_str()?.parse().ok().map(Value::Ip),
        Kind::Long => number(json).map(Value::U64),
        Kind::Float => json.as_f64().map(Value::F64),
        Kind::Boolean => json.as_bool().map(Value::Bool),
        Kind::Date => moment_ns(json).ok().map(Value::Time),
        Kind::Bytes => None,
    }
}
