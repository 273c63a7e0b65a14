//! The event: a typed envelope and a generic body.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::catalogue::{Catalogue, DatasetId, FieldId};
use crate::field::{DatasetDef, FieldDef, IndexHint, Kind};
use crate::value::{Value, ValueRef};

/// Identifies an event everywhere and for ever: the sensor that made it and the sensor's own sequence number. A new
/// spool starts counting at its creation time in microseconds, so a lost spool never repeats a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventId {
    /// The sensor's name.
    pub sensor: Arc<str>,
    /// Its sequence number, rising by one an event.
    pub sequence: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sensor, self.sequence)
    }
}

/// Why a text is not an event id.
#[derive(Debug, thiserror::Error)]
#[error("an event id is SENSOR:NUMBER, not {0:?}")]
pub struct BadEventId(String);

impl std::str::FromStr for EventId {
    type Err = BadEventId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadEventId(text.to_owned());
        let (sensor, sequence) = text.rsplit_once(':').ok_or_else(bad)?;
        Ok(EventId { sensor: sensor.into(), sequence: sequence.parse().map_err(|_| bad())? })
    }
}

/// The transport protocol number (IANA "Assigned Internet Protocol Numbers").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Transport(pub u8);

impl Transport {
    /// ICMP for IPv4 (RFC 792).
    pub const ICMP: Transport = Transport(1);
    /// TCP (RFC 9293).
    pub const TCP: Transport = Transport(6);
    /// UDP (RFC 768).
    pub const UDP: Transport = Transport(17);
    /// ICMP for IPv6 (RFC 4443).
    pub const ICMPV6: Transport = Transport(58);
    /// SCTP (RFC 9260).
    pub const SCTP: Transport = Transport(132);

    /// Numbers with a name of their own in `network.transport`.
    const NAMES: [(u8, &str); 12] = [
        (1, "icmp"),
        (2, "igmp"),
        (4, "ipip"),
        (6, "tcp"),
        (17, "udp"),
        (41, "ipv6"),
        (47, "gre"),
        (50, "esp"),
        (51, "ah"),
        (58, "ipv6-icmp"),
        (89, "ospf"),
        (132, "sctp"),
    ];

    /// What `network.transport` says of all others. The number is reserved (IANA), so it stands for them when read back.
    const OTHER: (u8, &str) = (255, "other");

    /// The name ECS uses for `network.transport`.
    pub fn name(self) -> &'static str {
        Transport::NAMES.iter().find(|(number, _)| *number == self.0).map_or(Transport::OTHER.1, |(_, name)| name)
    }

    /// The transport of such a name.
    pub fn named(name: &str) -> Option<Transport> {
        let all = Transport::NAMES.iter().chain([&Transport::OTHER]);
        all.copied().find(|(_, known)| *known == name).map(|(number, _)| Transport(number))
    }
}

/// Community ID flow hash, version 1 (Corelight, "Community ID Flow Hashing"): the SHA-1 digest; the text form is `1:`
/// and its base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommunityId(pub [u8; 20]);

impl CommunityId {
    /// The id of a flow between two endpoints, whichever spoke first, with seed 0. For ICMP the ports are the type and
    /// its counterpart (or code) as the specification defines; `one_way` says that no counterpart exists, so that the
    /// order of the endpoints is kept.
    pub fn new(a: (IpAddr, u16), b: (IpAddr, u16), transport: Transport, one_way: bool) -> CommunityId {
        let (first, second) =
            if one_way || (octets(a.0).as_ref(), a.1) <= (octets(b.0).as_ref(), b.1) { (a, b) } else { (b, a) };
        let mut hash = Sha1::new();
        hash.update([0u8, 0]);
        hash.update(octets(first.0));
        hash.update(octets(second.0));
        hash.update([transport.0, 0]);
        // Other protocols have no ports, and then none are hashed (the reference implementation does not hash zeros either).
        if [Transport::TCP, Transport::UDP, Transport::SCTP, Transport::ICMP, Transport::ICMPV6].contains(&transport) {
            hash.update(first.1.to_be_bytes());
            hash.update(second.1.to_be_bytes());
        }
        CommunityId(hash.finalize().into())
    }
}

impl fmt::Display for CommunityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 28];
        // 20 bytes make 28 letters.
        let _ = base64::engine::general_purpose::STANDARD.encode_slice(self.0, &mut text);
        f.write_str("1:")?;
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// A text that is no Community ID version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a Community ID is 1: and 28 letters, as in network.community_id")]
pub struct BadCommunityId;

impl FromStr for CommunityId {
    type Err = BadCommunityId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digest = text.strip_prefix("1:").ok_or(BadCommunityId)?;
        let digest = base64::engine::general_purpose::STANDARD.decode(digest).map_err(|_| BadCommunityId)?;
        digest.try_into().map(CommunityId).map_err(|_| BadCommunityId)
    }
}

enum Octets {
    V4([u8; 4]),
    V6([u8; 16]),
}

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        match self {
            Octets::V4(o) => o,
            Octets::V6(o) => o,
        }
    }
}

fn octets(ip: IpAddr) -> Octets {
    match ip {
        IpAddr::V4(ip) => Octets::V4(ip.octets()),
        IpAddr::V6(ip) => Octets::V6(ip.octets()),
    }
}

/// The flow an event belongs to. `source` opened the flow (or was seen first).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowContext {
    /// Address and port of the client side; for ICMP the ports are type and code.
    pub source: (IpAddr, u16),
    /// Address and port of the server side.
    pub destination: (IpAddr, u16),
    /// The transport protocol.
    pub transport: Transport,
    /// VLAN id of the innermost tag (IEEE 802.1Q), where tagged.
    pub vlan: Option<u16>,
    /// The flow's Community ID.
    pub community_id: CommunityId,
    /// The application protocol found by content (`dns`, `http`, `tls`), where known.
    pub protocol: Option<Box<str>>,
}

/// The dataset of what a rule of the sensor has found; its events are of the same kind.
pub const ALERT_DATASET: &str = "alert";

/// One thing that was seen. Ids in it are of [`Catalogue::current`].
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Sensor and sequence number.
    pub id: EventId,
    /// When it was seen (packet time), nanoseconds since 1970-01-01 UTC.
    pub time_ns: i64,
    /// The kind of event.
    pub dataset: DatasetId,
    /// The flow it belongs to, where there is one.
    pub flow: Option<FlowContext>,
    /// The body: fields that are present, each once.
    pub fields: Vec<(FieldId, Value)>,
}

macro_rules! envelope {
    ($($constant:ident = $name:literal, $kind:ident, $hint:ident, $doc:literal;)*) => {
        /// What every event can have besides its dataset's own fields.
        pub const ENVELOPE: DatasetDef = DatasetDef {
            name: "*",
            doc: "fields of every event",
            fields: &[$(FieldDef {
                name: $name, kind: Kind::$kind, list: false, index: IndexHint::$hint, doc: $doc,
            },)*],
        };

        /// Numbers of the envelope's fields in the current catalogue.
        #[allow(non_snake_case, missing_docs, reason = "named as the constants they stand for")]
        struct EnvelopeIds { $($constant: FieldId,)* }

        impl EnvelopeIds {
            fn get() -> &'static EnvelopeIds {
                static IDS: std::sync::OnceLock<EnvelopeIds> = std::sync::OnceLock::new();
                IDS.get_or_init(|| {
                    let catalogue = Catalogue::current();
                    let id = |name: &str| catalogue.field_id(name)
                        .unwrap_or_else(|| panic!("{name} is not in catalogue.json: run `cargo xtask generate`"));
                    EnvelopeIds { $($constant: id($name),)* }
                })
            }
        }
    };
}

envelope! {
    TIMESTAMP = "@timestamp", Date, Column, "When it was seen on the wire.";
    DATASET = "event.dataset", Keyword, Column, "The kind of event, for example dns.";
    ID = "event.id", Keyword, Term, "Sensor and sequence number; unique for ever.";
    KIND = "event.kind", Keyword, Column, "event, alert or metric.";
    OBSERVER = "observer.name", Keyword, Column, "The sensor that saw it.";
    SOURCE_IP = "source.ip", Ip, Column, "Address of the side that opened the flow.";
    SOURCE_PORT = "source.port", Long, Column, "Port of the side that opened the flow.";
    DESTINATION_IP = "destination.ip", Ip, Column, "Address of the side that was called.";
    DESTINATION_PORT = "destination.port", Long, Column, "Port of the side that was called.";
    TRANSPORT = "network.transport", Keyword, Column, "tcp, udp, icmp and so on.";
    PROTOCOL = "network.protocol", Keyword, Column, "Application protocol found by content.";
    COMMUNITY_ID = "network.community_id", Keyword, Term, "Community ID version 1 of the flow.";
    VLAN = "network.vlan.id", Long, Term, "VLAN of the innermost 802.1Q tag.";
}

const fn enriched(name: &'static str, index: IndexHint, doc: &'static str) -> FieldDef {
    FieldDef { name, kind: Kind::Keyword, list: false, index, doc }
}

/// What is known by address, whatever the event: the sensor says it of the networks in its configuration, and the collector
/// adds the agency where the sensor did not.
pub const ENRICHMENT: DatasetDef = DatasetDef {
    name: "+",
    doc: "fields that are added by address",
    fields: &[
        enriched(
            "network.direction",
            IndexHint::Column,
            "Between the networks watched over and others: internal, outbound, inbound, external.",
        ),
        enriched("organization.id", IndexHint::Column, "The agency that the addresses belong to."),
        enriched("organization.name", IndexHint::Term, "Name of that agency when the event was seen."),
        enriched("log.file.path", IndexHint::Term, "Name of the file that the event was imported from."),
        FieldDef {
            kind: Kind::Text,
            ..enriched("event.original", IndexHint::Term, "The line as another program wrote it; cut at 8192 bytes.")
        },
        enriched("event.module", IndexHint::Column, "The program whose line this is, for example suricata or zeek."),
    ],
};

/// Calls a visitor for each field, stopping when it says so.
type Visitor<'v> = dyn FnMut(FieldId, ValueRef<'_>) + 'v;

/// The envelope's values that are text only when somebody looks.
pub(crate) struct EnvelopeTexts {
    id: String,
    community_id: String,
}

impl EnvelopeTexts {
    pub(crate) fn of(event: &Event) -> EnvelopeTexts {
        EnvelopeTexts {
            id: if event.id.sensor.is_empty() { String::new() } else { event.id.to_string() },
            community_id: event.flow.as_ref().map(|flow| flow.community_id.to_string()).unwrap_or_default(),
        }
    }
}

impl Event {
    /// `event.dataset` as text.
    pub fn dataset_name(&self) -> &'static str {
        Catalogue::current().dataset(self.dataset).map_or("", |d| d.name.as_str())
    }

    /// Calls `visit` for every field, envelope and body, in no particular order. This is the only way downstream code
    /// reads events, so that it needs no knowledge of any protocol.
    pub fn visit(&self, visit: &mut Visitor<'_>) {
        let texts = EnvelopeTexts::of(self);
        for (id, value) in self.entries(&texts) {
            visit(id, value);
        }
    }

    /// Every field, envelope and body, in no particular order. An event that has not been through a sensor's spool has
    /// neither observer nor id.
    pub(crate) fn entries<'a>(&'a self, texts: &'a EnvelopeTexts) -> Vec<(FieldId, ValueRef<'a>)> {
        const ENVELOPE_MAX: usize = 16;
        let ids = EnvelopeIds::get();
        let mut all = Vec::with_capacity(self.fields.len() + ENVELOPE_MAX);
        all.push((ids.TIMESTAMP, ValueRef::Time(self.time_ns)));
        all.push((ids.DATASET, ValueRef::Str(self.dataset_name())));
        let kind = if self.dataset_name() == ALERT_DATASET { ALERT_DATASET } else { "event" };
        all.push((ids.KIND, ValueRef::Str(kind)));
        if !self.id.sensor.is_empty() {
            all.push((ids.OBSERVER, ValueRef::Str(&self.id.sensor)));
            all.push((ids.ID, ValueRef::Str(&texts.id)));
        }
        if let Some(flow) = &self.flow {
            all.push((ids.SOURCE_IP, ValueRef::Ip(flow.source.0)));
            all.push((ids.SOURCE_PORT, ValueRef::U64(flow.source.1.into())));
            all.push((ids.DESTINATION_IP, ValueRef::Ip(flow.destination.0)));
            all.push((ids.DESTINATION_PORT, ValueRef::U64(flow.destination.1.into())));
            all.push((ids.TRANSPORT, ValueRef::Str(flow.transport.name())));
            all.push((ids.COMMUNITY_ID, ValueRef::Str(&texts.community_id)));
            all.extend(flow.vlan.map(|vlan| (ids.VLAN, ValueRef::U64(vlan.into()))));
            all.extend(flow.protocol.as_deref().map(|protocol| (ids.PROTOCOL, ValueRef::Str(protocol))));
        }
        all.extend(self.fields.iter().map(|(id, value)| (*id, value.borrow())));
        all
    }

    /// The value of one field by number, or nothing where the event does not have it.
    pub fn get(&self, id: FieldId) -> Option<Value> {
        if let Some((_, value)) = self.fields.iter().find(|(f, _)| *f == id) {
            return Some(value.clone());
        }
        let mut found = None;
        self.visit(&mut |field, value| {
            if field == id && found.is_none() {
                found = Some(to_owned(value));
            }
        });
        found
    }

    /// The value of one field by name (`source.ip`).
    pub fn get_named(&self, name: &str) -> Option<Value> {
        self.get(Catalogue::current().field_id(name)?)
    }
}

pub(crate) fn to_owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Bool(v) => Value::Bool(v),
        ValueRef::U64(v) => Value::U64(v),
        ValueRef::I64(v) => Value::I64(v),
        ValueRef::F64(v) => Value::F64(v),
        ValueRef::Str(v) => Value::Str(v.into()),
        ValueRef::Ip(v) => Value::Ip(v),
        ValueRef::Time(v) => Value::Time(v),
        ValueRef::Bytes(v) => Value::Bytes(v.into()),
        ValueRef::List(v) => Value::List(v.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the Community ID specification's reference implementation.
    /// RSVP has no ports; the value is the one that the reference implementation gives.
    #[test]
    fn community_ids_of_protocols_without_ports_hash_none() {
        let (a, b) = (("10.1.24.4".parse().unwrap(), 0), ("10.1.12.1".parse().unwrap(), 0));
        let id = CommunityId::new(a, b, Transport(46), false);
        assert_eq!(id.to_string(), "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=");
    }

    #[test]
    fn community_id_is_the_specifications() {
        let id = CommunityId::new(
            ("128.232.110.120".parse().unwrap(), 34855),
            ("66.35.250.204".parse().unwrap(), 80),
            Transport::TCP,
            false,
        );
        assert_eq!(id.to_string(), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        let reversed = CommunityId::new(
            ("66.35.250.204".parse().unwrap(), 80),
            ("128.232.110.120".parse().unwrap(), 34855),
            Transport::TCP,
            false,
        );
        assert_eq!(id, reversed);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(
            ["", "1:", "2:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:LQU9"].iter().all(|no| no.parse::<CommunityId>().is_err())
        );
    }

    #[test]
    fn event_id_reads_back() {
        let id = EventId { sensor: "dc:1".into(), sequence: 42 };
        assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
        assert!("no-number".parse::<EventId>().is_err());
    }
}
