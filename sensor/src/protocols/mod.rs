//! Application protocols: found by content, parsed from reassembled bytes, turned into events.
//!
//! Comes in: in-order stream bytes (TCP) or datagrams (UDP) of one flow, with gaps stated. Goes out: events through
//! [`Output`]. A protocol is one folder and one line in [`PROTOCOLS`]; the golden test, catalogue entry, counters and
//! manual page follow from that line. On overload a parser gives up with [`Progress::Done`]: the flow goes on being
//! counted. Parsers do no I/O, keep no clock of their own and bound everything they keep.

pub mod anomaly;
pub mod arp;
pub mod asn1;
pub mod bacnet;
pub mod bittorrent;
pub mod dcerpc;
pub mod detection;
pub mod dhcp;
pub mod dhcpv6;
pub mod dnp3;
pub mod dns;
pub mod dtls;
pub mod enip;
pub mod framing;
pub mod ftp;
pub mod gss;
pub mod http;
pub mod http2;
pub mod ike;
pub mod imap;
pub mod internet_message;
pub mod kerberos;
pub mod ldap;
pub mod llmnr;
pub mod mdns;
pub mod modbus;
pub mod mongodb;
pub mod mqtt;
pub mod mysql;
pub mod nbns;
pub mod nfs;
pub mod ntlm;
pub mod ntp;
pub mod onvif;
pub mod openvpn;
pub mod outstanding;
pub mod pop3;
pub mod postgresql;
pub mod quic;
pub mod radius;
pub mod rdp;
pub mod reader;
pub mod redis;
pub mod rfb;
pub mod rtsp;
pub mod s7comm;
pub mod sip;
pub mod smb;
pub mod smtp;
pub mod snmp;
pub mod soap;
pub mod socks;
pub mod sql;
pub mod ssh;
pub mod stratum;
pub mod sunrpc;
pub mod syslog;
pub mod tds;
pub mod telnet;
pub mod text;
pub mod tftp;
pub mod tls;
pub mod tns;
pub mod tunnel;
pub mod websocket;
pub mod wireguard;
pub mod wsdiscovery;

use std::net::IpAddr;

use luytre_events::{DatasetDef, DatasetId, FieldId, Transport, Value};
pub use luytre_rules_engine::signatures::buffer::{self, BufferId};

/// Who sent the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the side that opened the flow.
    ToServer,
    /// From the side that was called.
    ToClient,
}

/// What a protocol says of the first bytes of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// It is this protocol.
    Yes,
    /// It is this protocol, but the flow was picked up so that client and server are the other way round.
    YesReversed,
    /// It is not.
    No,
    /// More bytes are needed to tell.
    More,
}

/// Whether a parser wants to see more of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Go on.
    Continue,
    /// Nothing more to learn (encrypted from here on, or hopelessly malformed): bytes are no longer handed over.
    Done,
}

/// What a parser may know and do while it looks at bytes.
pub trait Output {
    /// Time of the packet that completed these bytes, nanoseconds since 1970-01-01 UTC.
    fn time_ns(&self) -> i64;
    /// Emits an event of this flow, stamped with [`Output::time_ns`]: what `Record::into_body()` gives.
    fn event(&mut self, body: (DatasetId, Vec<(FieldId, Value)>));
    /// Something odd under a short fixed name (`dns.truncated`): counted each time, and told as an event of the
    /// `anomaly` dataset the first time in a flow.
    fn anomaly(&mut self, name: &'static str);
    /// Address and port of client and server.
    fn ends(&self) -> (End, End);
    /// Announces another flow of the same two hosts, which a parser that is ready will follow.
    fn expect(&mut self, expected: Expected);
    /// Begins a file that the flow carries; its bytes follow by [`Output::file_data`]. `None` when files are not wanted
    /// (turned off, or too many open).
    fn file_open(&mut self, meta: FileMeta) -> Option<FileToken>;
    /// Says of a file that has just begun which piece it is of what its address ([`FileMeta::url`]) stands for.
    fn file_place(&mut self, _file: FileToken, _place: FilePlace) {}
    /// More bytes of an open file, in order.
    fn file_data(&mut self, file: FileToken, bytes: &[u8]);
    /// Whether signatures look into buffers at all: what only they need need not be kept otherwise.
    fn inspects(&self) -> bool {
        false
    }
    /// A buffer of the transaction under way in one direction, for signatures.
    fn inspect(&mut self, _direction: Direction, _buffer: BufferId, _bytes: &[u8]) {}
    /// A number for signatures, as [`Output::inspect`].
    fn inspect_number(&mut self, direction: Direction, buffer: BufferId, number: u64) {
        self.inspect(direction, buffer, &number.to_be_bytes());
    }
    /// More of a buffer that comes in parts.
    fn inspect_part(&mut self, _direction: Direction, _buffer: BufferId, _bytes: &[u8]) {}
    /// Whether rules look into a buffer.
    fn wants(&self, _buffer: BufferId) -> bool {
        false
    }
    /// Something odd about the transaction under way, under the name that rules know it by. It is told once a flow too.
    fn notice(&mut self, _direction: Direction, _name: &'static str) {}
    /// The same, as a transaction of its own.
    fn notice_alone(&mut self, _direction: Direction, _name: &'static str) {}
    /// The same for rules only: what is too common to be told to people.
    fn hint(&mut self, _direction: Direction, _name: &'static str) {}
    /// Rules know what is spoken under this name from now on.
    fn dialect(&mut self, _name: &'static str) {}
    /// A frame that rules can ask for.
    fn frame(&mut self, _direction: Direction, _frame: BufferId, _bytes: &[u8]) {}
    /// The transaction is complete in one direction: signatures look at its buffers, which are then forgotten.
    fn transaction(&mut self, _direction: Direction) {}
    /// Ends a file: `complete` says whether every byte was seen. The hash event (`file` dataset) follows by itself.
    fn file_close(&mut self, file: FileToken, complete: bool);
}

/// Address and port of one end of a flow.
pub type End = (IpAddr, u16);

/// A flow that another one has announced (RFC 959: the data connection of FTP).
pub struct Expected {
    /// Who will be called; the caller is the other host of the announcing flow.
    pub server: End,
    /// Over which transport.
    pub transport: Transport,
    /// `network.protocol` of that flow.
    pub protocol: &'static str,
    /// What will follow it.
    pub parser: Box<dyn Parser>,
}

/// What is known of a file when it begins.
#[derive(Debug, Clone, Default)]
pub struct FileMeta {
    /// Name, if the protocol gives one.
    pub name: Option<String>,
    /// Type that the sender claims (`Content-Type`).
    pub claimed_type: Option<String>,
    /// Where it came from (`url.full`), if the protocol says.
    pub url: Option<String>,
    /// Which way it travels.
    pub direction: Option<Direction>,
}

/// Where a piece of a file belongs (RFC 9110 section 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePlace {
    /// Bytes of the whole before it.
    pub start: u64,
    /// Bytes of the whole.
    pub total: u64,
}

/// An open file of this flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileToken(pub u32);

/// One flow's parser.
pub trait Parser: Send {
    /// In-order bytes of one side (TCP), or one datagram (UDP). The parser keeps what it needs of an unfinished message;
    /// all bytes handed over count as read.
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress;

    /// `length` bytes of one side are missing for good (never for UDP).
    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress;

    /// The flow ends (closed, reset, timed out, capture over): emit what is still open.
    fn finish(&mut self, out: &mut dyn Output);
}

/// One protocol: everything that the rest of the sensor knows about it.
pub struct Protocol {
    /// `network.protocol`.
    pub name: &'static str,
    /// The transports it is looked for on.
    pub transports: &'static [Transport],
    /// Ports where it is looked for first; only a hint.
    pub ports: &'static [u16],
    /// The smallest number of bytes a probe can say yes to.
    pub probe_min_bytes: usize,
    /// Looks at the first bytes of one direction of a flow; `on_port` says that the flow uses one of `ports`.
    pub probe: fn(direction: Direction, bytes: &[u8], on_port: bool) -> Probe,
    /// A parser for a new flow.
    pub parser: fn(transport: Transport) -> Box<dyn Parser>,
    /// What its records look like: one entry per record type.
    pub datasets: &'static [DatasetDef],
}

/// Every protocol, in the order in which they are tried. The only list of protocols there is.
pub static PROTOCOLS: &[&Protocol] = &[
    // Known by fixed first bytes.
    &ssh::PROTOCOL,
    &rfb::PROTOCOL,
    &smb::PROTOCOL,
    &rdp::PROTOCOL,
    &dhcp::PROTOCOL,
    &quic::PROTOCOL,
    &tftp::PROTOCOL,
    &s7comm::PROTOCOL,
    &dnp3::PROTOCOL,
    &bacnet::PROTOCOL,
    // Known by the form of a message.
    &kerberos::PROTOCOL,
    &dcerpc::PROTOCOL,
    &ldap::PROTOCOL,
    &snmp::PROTOCOL,
    &ike::PROTOCOL,
    &postgresql::PROTOCOL,
    &mysql::PROTOCOL,
    &tds::PROTOCOL,
    &tns::PROTOCOL,
    &redis::PROTOCOL,
    &mongodb::PROTOCOL,
    &nfs::PROTOCOL,
    &sunrpc::PROTOCOL,
    &dtls::PROTOCOL,
    &wsdiscovery::PROTOCOL,
    &mqtt::PROTOCOL,
    &radius::PROTOCOL,
    &bittorrent::PROTOCOL,
    &wireguard::PROTOCOL,
    &openvpn::PROTOCOL,
    &stratum::PROTOCOL,
    &mdns::PROTOCOL,
    &llmnr::PROTOCOL,
    &nbns::PROTOCOL,
    &dns::PROTOCOL,
    &sip::PROTOCOL,
    &http::PROTOCOL,
    &http2::PROTOCOL,
    &rtsp::PROTOCOL,
    &websocket::PROTOCOL,
    &smtp::PROTOCOL,
    &ftp::PROTOCOL,
    &pop3::PROTOCOL,
    &imap::PROTOCOL,
    &tls::PROTOCOL,
    // Known by little.
    &dhcpv6::PROTOCOL,
    &ntp::PROTOCOL,
    &syslog::PROTOCOL,
    &socks::PROTOCOL,
    &modbus::PROTOCOL,
    &enip::PROTOCOL,
    &telnet::PROTOCOL,
];

pub use arp::Teller as ArpTeller;

/// Datasets of what has no flow and therefore no place in [`PROTOCOLS`].
pub static LINK_DATASETS: &[DatasetDef] = &[arp::record::ArpSeen::DATASET];

/// What the names of anomalies begin with that are of no protocol in [`PROTOCOLS`].
pub static ANOMALY_STAGES: &[&str] = &["flow", "tcp", "arp", "email", "canary"];

/// Those whose content cannot be read: beyond the handshake, little is gained from keeping their packets.
pub static ENCRYPTED: &[&str] = &[
    tls::PROTOCOL.name,
    dtls::PROTOCOL.name,
    quic::PROTOCOL.name,
    ssh::PROTOCOL.name,
    ike::PROTOCOL.name,
    openvpn::PROTOCOL.name,
    wireguard::PROTOCOL.name,
];
