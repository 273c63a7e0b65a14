//! The wire form between a sensor and its collector: frames on a mutually authenticated TLS connection.
//!
//! A frame is a 4-byte big-endian length (RFC 8446 lengths are the same order) and a [`postcard`] body; the body's enum
//! order is the contract, so variants are only ever added at the end. Events travel in zstd-compressed batches whose
//! field numbers are those of the sender's catalogue; the greeting names that catalogue by digest, and the collector
//! asks for its text once if it has never seen it. So a collector reads sensors one release older or newer.
//!
//! Nothing in here trusts a length: frames, batches and catalogues have limits.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, DatasetId, FieldId};
use crate::event::{CommunityId, Event, EventId, FlowContext, Transport};
use crate::ledger::Snapshot;
use crate::value::Value;

/// Version of the frames; a peer with another one is told so and let go.
pub const PROTOCOL_VERSION: u16 = 1;
/// The largest frame either side accepts, in bytes.
pub const FRAME_MAX_BYTES: usize = 16 << 20;
/// The largest batch after decompression, in bytes.
pub const BATCH_MAX_BYTES: usize = 64 << 20;
/// The most events in a batch.
pub const BATCH_MAX_EVENTS: usize = 50_000;
/// The DNS name in every collector's certificate: what a sensor expects, at whatever address it finds its collector. The
/// authority signs for one collector only, so a further name would prove nothing.
pub const COLLECTOR_NAME: &str = "collector.luytre.internal";
/// The largest carved file that is sent, in bytes.
pub const FILE_MAX_BYTES: usize = 10 << 20;
/// The largest piece of an answer of packets, in bytes (one packet may make it longer by as much as a packet can be).
pub const PACKETS_PIECE_BYTES: usize = 256 << 10;
/// How many pieces of an answer of packets a sensor sends before the collector asks for more.
pub const PACKETS_PIECES: u32 = 4;

/// What a sensor says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SensorFrame {
    /// First frame of a sensor that has no certificate yet.
    Enroll {
        /// The one-time token's secret, base64url as in the token's text ([`crate::token`]).
        secret: String,
        /// A PKCS#10 certificate request (RFC 2986), PEM.
        csr_pem: String,
    },
    /// First frame of an enrolled sensor.
    Hello {
        /// [`PROTOCOL_VERSION`] of the sensor.
        version: u16,
        /// The program's version, for people.
        program: String,
        /// Digest of the catalogue its batches are numbered by.
        catalogue_digest: [u8; 32],
        /// The sensor's clock, nanoseconds since 1970-01-01 UTC, for skew.
        time_ns: i64,
        /// The first sequence number of the program's present run: what was counted can be told from what was left over.
        run_first: u64,
    },
    /// The text of the catalogue, when asked for.
    Catalogue {
        /// `catalogue.json`.
        json: String,
    },
    /// Some events in sequence.
    Batch(Batch),
    /// The sensor's counters.
    Ledger(Snapshot),
    /// One carved file, because the collector asked for it.
    File {
        /// SHA-256 of the content.
        sha256: [u8; 32],
        /// The content, or nothing where the sensor no longer has it.
        content: Option<Vec<u8>>,
    },
    /// A sign of life.
    Ping,
    /// A sensor whose certificate will lapse soon asks for the next one.
    Renew {
        /// A PKCS#10 certificate request (RFC 2986) for a new key, PEM.
        csr_pem: String,
    },
    /// A piece of the answer to [`CollectorFrame::WantPackets`]: the pieces together are one pcapng file.
    Packets {
        /// The number of the request.
        request: u64,
        /// The next bytes of the file.
        piece: Vec<u8>,
    },
    /// The end of an answer.
    PacketsEnd {
        /// The number of the request.
        request: u64,
        /// How it ended.
        end: PacketsEnd,
    },
}

/// How an answer of packets ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PacketsEnd {
    /// Everything was sent; without any piece there are no such packets.
    Whole {
        /// Packets in the answer.
        packets: u64,
        /// Whether there is more than the limit allowed.
        cut: bool,
        /// Segments and blocks of the store that could not be read.
        passed_over: u64,
    },
    /// Nothing more comes; the reason is for people.
    Failed {
        /// Why, and what to do.
        reason: String,
    },
}

/// What a collector says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CollectorFrame {
    /// The new sensor's certificate and the authority's, PEM.
    Enrolled {
        /// The name that the token was made for.
        name: String,
        /// The sensor's certificate.
        certificate_pem: String,
        /// The authority that signs sensors and collector.
        authority_pem: String,
    },
    /// The greeting is accepted.
    Welcome {
        /// The highest sequence number that is durable; the sensor goes on with the next one.
        acknowledged: u64,
        /// Whether the collector wants the catalogue's text first.
        need_catalogue: bool,
    },
    /// Everything up to this number is durable in the journal.
    Ack {
        /// Highest durable sequence number.
        sequence: u64,
    },
    /// Please send this carved file.
    WantFile {
        /// SHA-256 of the content.
        sha256: [u8; 32],
    },
    /// The conversation ends; the reason is for people.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
    /// Answer to [`SensorFrame::Ping`].
    Pong,
    /// Answer to [`SensorFrame::Renew`]: to be used from the next connection on.
    Renewed {
        /// The sensor's new certificate, PEM.
        certificate_pem: String,
    },
    /// Please send the packets of a flow: at most [`PACKETS_PIECES`] pieces, then as many as are asked for.
    WantPackets {
        /// A number that answers will bear; not used twice in a connection.
        request: u64,
        /// What is wanted.
        wish: PacketsWish,
    },
    /// A piece was taken: please send one more.
    MorePackets {
        /// The number of the request.
        request: u64,
    },
    /// Nobody waits for the rest any more.
    EnoughPackets {
        /// The number of the request.
        request: u64,
    },
}

/// Which packets are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketsWish {
    /// The flow.
    pub flow: CommunityId,
    /// The earliest, nanoseconds since 1970-01-01 UTC.
    pub from_ns: i64,
    /// The latest.
    pub to_ns: i64,
    /// The answer may not be longer.
    pub limit_bytes: u64,
}

/// Events in rising sequence, compressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Sequence number of the first event.
    pub first: u64,
    /// Sequence number of the last event. Numbers between may be missing: what a full spool dropped.
    pub last: u64,
    /// How many events.
    pub count: u32,
    /// zstd over the postcard form of the events.
    pub body: Vec<u8>,
}

/// One event as it goes out, without a copy: the same bytes as a [`WireEvent`].
#[derive(Debug, Serialize)]
struct OutEvent<'e> {
    sequence: u64,
    time_ns: i64,
    dataset: u16,
    flow: Option<OutFlow<'e>>,
    fields: &'e [(FieldId, Value)],
}

#[derive(Debug, Serialize)]
struct OutFlow<'e> {
    source: (IpAddr, u16),
    destination: (IpAddr, u16),
    transport: u8,
    vlan: Option<u16>,
    community_id: [u8; 20],
    protocol: Option<&'e str>,
}

/// One event as it comes in: ids are the sender's.
#[derive(Debug, Deserialize)]
struct WireEvent {
    sequence: u64,
    time_ns: i64,
    dataset: u16,
    flow: Option<WireFlow>,
    fields: Vec<(u16, Value)>,
}

#[derive(Debug, Deserialize)]
struct WireFlow {
    source: (IpAddr, u16),
    destination: (IpAddr, u16),
    transport: u8,
    vlan: Option<u16>,
    community_id: [u8; 20],
    protocol: Option<Box<str>>,
}

/// Why bytes are not what they should be.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Not the postcard form of a frame or batch.
    #[error("decode a frame or batch")]
    Decode(#[from] postcard::Error),
    /// Not zstd, or larger than [`BATCH_MAX_BYTES`].
    #[error("decompress a batch (at most {BATCH_MAX_BYTES} bytes)")]
    Decompress(#[source] std::io::Error),
    /// Could not be compressed.
    #[error("compress a batch")]
    Compress(#[source] std::io::Error),
    /// More events than allowed, or not as many as announced.
    #[error("a batch announces {announced} events and holds {held}")]
    Count {
        /// What its header says.
        announced: u32,
        /// What is inside.
        held: usize,
    },
    /// Sequence numbers that do not rise.
    #[error("sequence numbers in a batch do not rise within {first}..={last}")]
    Order {
        /// What the header says.
        first: u64,
        /// What the header says.
        last: u64,
    },
}

/// The postcard form of a frame (without the length).
pub fn encode<F: Serialize>(frame: &F) -> Result<Vec<u8>, WireError> {
    Ok(postcard::to_stdvec(frame)?)
}

/// Reads the postcard form of a frame (without the length); leftovers are an error.
pub fn decode<'a, F: Deserialize<'a>>(bytes: &'a [u8]) -> Result<F, WireError> {
    let (frame, rest) = postcard::take_from_bytes(bytes)?;
    if rest.is_empty() { Ok(frame) } else { Err(WireError::Decode(postcard::Error::DeserializeBadEncoding)) }
}

impl Batch {
    /// Packs events of this program's catalogue. Returns nothing for no events.
    pub fn pack(events: &[Event]) -> Result<Option<Batch>, WireError> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(None) };
        let wire: Vec<OutEvent<'_>> = events.iter().map(to_wire).collect();
        let plain = postcard::to_stdvec(&wire)?;
        let body = zstd::bulk::compress(&plain, 1).map_err(WireError::Compress)?;
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        Ok(Some(Batch { first: first.id.sequence, last: last.id.sequence, count, body }))
    }

    /// Unpacks events of the sensor, translating ids from its catalogue to ours. Fields whose names we do not know are
    /// counted in the second result and left out of the events.
    pub fn unpack(&self, sensor: &std::sync::Arc<str>, theirs: &Translation) -> Result<(Vec<Event>, u64), WireError> {
        let plain = zstd::bulk::decompress(&self.body, BATCH_MAX_BYTES).map_err(WireError::Decompress)?;
        let wire: Vec<WireEvent> = decode(&plain)?;
        if wire.len() > BATCH_MAX_EVENTS || u32::try_from(wire.len()) != Ok(self.count) {
            return Err(WireError::Count { announced: self.count, held: wire.len() });
        }
        let rises = wire.windows(2).all(|pair| matches!(pair, [a, b] if a.sequence < b.sequence));
        let fits =
            wire.first().map(|e| e.sequence) == Some(self.first) && wire.last().map(|e| e.sequence) == Some(self.last);
        if !rises || !fits {
            return Err(WireError::Order { first: self.first, last: self.last });
        }
        let mut unknown = 0;
        let events = wire.into_iter().map(|e| from_wire(e, sensor, theirs, &mut unknown)).collect();
        Ok((events, unknown))
    }
}

/// From the numbers of a sender's catalogue to ours, by name.
#[derive(Debug, Clone)]
pub struct Translation {
    fields: Vec<Option<FieldId>>,
    datasets: Vec<Option<DatasetId>>,
}

impl Translation {
    /// How to read batches numbered by `theirs`.
    pub fn from(theirs: &Catalogue) -> Translation {
        let ours = Catalogue::current();
        let same_kind = |f: &crate::catalogue::Field| {
            ours.field_id(&f.name).filter(|id| ours.field(*id).is_some_and(|o| o.kind == f.kind && o.list == f.list))
        };
        Translation {
            fields: theirs.fields().iter().map(same_kind).collect(),
            datasets: theirs.datasets().iter().map(|d| ours.dataset_id(&d.name)).collect(),
        }
    }
}

fn to_wire(event: &Event) -> OutEvent<'_> {
    OutEvent {
        sequence: event.id.sequence,
        time_ns: event.time_ns,
        dataset: event.dataset.0,
        flow: event.flow.as_ref().map(|flow| OutFlow {
            source: flow.source,
            destination: flow.destination,
            transport: flow.transport.0,
            vlan: flow.vlan,
            community_id: flow.community_id.0,
            protocol: flow.protocol.as_deref(),
        }),
        fields: &event.fields,
    }
}

fn from_wire(wire: WireEvent, sensor: &std::sync::Arc<str>, theirs: &Translation, unknown: &mut u64) -> Event {
    let dataset = theirs.datasets.get(usize::from(wire.dataset)).copied().flatten();
    if dataset.is_none() {
        *unknown += 1;
    }
    let mut fields = Vec::with_capacity(wire.fields.len());
    for (id, value) in wire.fields {
        match theirs.fields.get(usize::from(id)).copied().flatten() {
            Some(id) => fields.push((id, value)),
            None => *unknown += 1,
        }
    }
    Event {
        id: EventId { sensor: sensor.clone(), sequence: wire.sequence },
        time_ns: wire.time_ns,
        // A dataset that we do not know yet has a number past the end: its name is empty, its known fields remain.
        dataset: dataset.unwrap_or(DatasetId(u16::MAX)),
        flow: wire.flow.map(|flow| FlowContext {
            source: flow.source,
            destination: flow.destination,
            transport: Transport(flow.transport),
            vlan: flow.vlan,
            community_id: CommunityId(flow.community_id),
            protocol: flow.protocol,
        }),
        fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sequence: u64, flow: bool) -> Event {
        let flow = flow.then(|| FlowContext {
            source: ("192.0.2.1".parse().unwrap(), 1234),
            destination: ("2001:db8::1".parse().unwrap(), 443),
            transport: Transport::TCP,
            vlan: Some(7),
            community_id: CommunityId([3; 20]),
            protocol: Some("tls".into()),
        });
        let fields = (0..4).map(|id| {
            let list = vec![Value::U64(sequence), Value::Str("câu hỏi".into()), Value::Bytes(Box::new([0, 255]))];
            (FieldId(id), Value::List(list))
        });
        let id = EventId { sensor: "dc-1".into(), sequence };
        Event { id, time_ns: -5, dataset: DatasetId(0), flow, fields: fields.collect() }
    }

    #[test]
    fn a_batch_reads_back() {
        let events = vec![event(3, true), event(4, false), event(9, true)];
        let batch = Batch::pack(&events).unwrap().unwrap();
        assert_eq!((batch.first, batch.last, batch.count), (3, 9, 3));
        let batch: Batch = decode(&encode(&batch).unwrap()).unwrap();
        let ours = Translation::from(Catalogue::current());
        assert_eq!(batch.unpack(&"dc-1".into(), &ours).unwrap(), (events, 0));
        assert_eq!(Batch::pack(&[]).unwrap(), None);
    }

    #[test]
    fn what_a_newer_sensor_adds_is_counted_and_left_out() {
        let batch = Batch::pack(&[event(1, false)]).unwrap().unwrap();
        let nothing = Translation { fields: Vec::new(), datasets: Vec::new() };
        let (events, unknown) = batch.unpack(&"dc-1".into(), &nothing).unwrap();
        assert_eq!((events.len(), events[0].fields.len(), unknown), (1, 0, 5));
    }

    #[test]
    fn batches_that_lie_are_errors() {
        let batch = Batch::pack(&[event(1, false), event(2, false)]).unwrap().unwrap();
        let ours = Translation::from(Catalogue::current());
        let unpack = |batch: Batch| batch.unpack(&"dc-1".into(), &ours).map(|_| ()).unwrap_err();
        assert!(matches!(unpack(Batch { count: 3, ..batch.clone() }), WireError::Count { announced: 3, held: 2 }));
        assert!(matches!(unpack(Batch { last: 3, ..batch.clone() }), WireError::Order { .. }));
        assert!(matches!(unpack(Batch { body: vec![0; 9], ..batch.clone() }), WireError::Decompress(_)));
        let falling = Batch::pack(&[event(2, false), event(1, false)]).unwrap().unwrap();
        assert!(matches!(unpack(falling), WireError::Order { .. }));
    }
}
