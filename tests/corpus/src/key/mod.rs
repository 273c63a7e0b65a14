//! What of an event is compared: one line of text made of the same facts on both sides.
//!
//! A protocol is one file here and one line in [`COMPARED`].

mod anomaly;
mod arp;
mod dcerpc;
mod dhcp;
mod dnp3;
mod dns;
mod file;
mod flow;
mod ftp;
mod ftp_data;
mod http;
mod ike;
mod kerberos;
mod ldap;
mod mdns;
mod modbus;
mod mqtt;
mod nfs;
mod pop3;
mod postgresql;
mod quic;
mod rdp;
mod rfb;
mod rtsp;
mod sip;
mod smb;
mod smtp;
mod snmp;
mod ssh;
mod tls;
mod websocket;

use serde_json::Value;

/// One protocol's comparison: facts of our event and of the reference's, as the same line of text.
pub struct Compared {
    /// `event.dataset` of ours, and the name in the report.
    pub ours: &'static str,
    /// `event_type` of the reference.
    pub theirs: &'static str,
    /// Facts of our event; `None` leaves it out.
    pub of_ours: fn(&Value) -> Option<String>,
    /// Facts of the reference's event; `None` leaves it out.
    pub of_theirs: fn(&Value) -> Option<String>,
}

static COMPARED: &[&Compared] = &[
    &anomaly::COMPARED,
    &arp::COMPARED,
    &dcerpc::COMPARED,
    &dcerpc::IN_PIPES,
    &dhcp::COMPARED,
    &dnp3::COMPARED,
    &dns::COMPARED,
    &file::COMPARED,
    &flow::COMPARED,
    &ftp::COMPARED,
    &ftp_data::COMPARED,
    &http::COMPARED,
    &ike::COMPARED,
    &kerberos::COMPARED,
    &mdns::COMPARED,
    &mqtt::COMPARED,
    &nfs::COMPARED,
    &pop3::COMPARED,
    &postgresql::COMPARED,
    &quic::COMPARED,
    &modbus::COMPARED,
    &rdp::COMPARED,
    &rfb::COMPARED,
    &rtsp::COMPARED,
    &sip::COMPARED,
    &smb::COMPARED,
    &smtp::COMPARED,
    &snmp::COMPARED,
    &ssh::COMPARED,
    &tls::COMPARED,
    &websocket::COMPARED,
    &ldap::COMPARED,
];

/// Protocols whose facts are compared once for each capture: one side tells packets or messages, the other connections.
pub static ONCE: &[&str] = &["anomaly", "quic"];

/// What is compared of an event: the protocol, or what of it is added up; the key; how much the event adds to it.
pub type Fact = (&'static str, String, usize);

/// Every compared protocol.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMPARED.iter().map(|compared| compared.ours).chain(flow::SUMS)
}

/// Facts of a sensor's event, if it is of a compared protocol.
pub fn of_ours(event: &Value) -> Vec<Fact> {
    let dataset = text(event, "/event/dataset");
    let compared = COMPARED.iter().find(|compared| compared.ours == dataset);
    let fact = compared.and_then(|compared| Some((compared.ours, (compared.of_ours)(event)?, 1)));
    let sums = if dataset == flow::COMPARED.ours { flow::sums_of_ours(event) } else { Vec::new() };
    fact.into_iter().chain(sums).collect()
}

/// Facts of an event in EVE format.
pub fn of_eve(event: &Value) -> Vec<Fact> {
    let kind = text(event, "/event_type");
    // One event there may tell what are two of ours: the command of a carrier, and what it carries.
    let mut compared = COMPARED.iter().filter(|compared| compared.theirs == kind);
    let fact = compared.find_map(|compared| Some((compared.ours, (compared.of_theirs)(event)?, 1)));
    let sums = if kind == flow::COMPARED.theirs { flow::sums_of_theirs(event) } else { Vec::new() };
    fact.into_iter().chain(sums).collect()
}

/// A text field; empty where it is missing.
fn text<'a>(event: &'a Value, pointer: &str) -> &'a str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// A number as text; a dash where it is missing.
fn number(event: &Value, pointer: &str) -> String {
    event.pointer(pointer).filter(|v| v.is_number()).map_or_else(|| "-".to_owned(), Value::to_string)
}

/// The items of a list.
fn list<'a>(event: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    event.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// Control characters as we write them.
fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_control() { format!("\\x{:02x}", u32::from(c)) } else { c.to_string() })
        .collect()
}
