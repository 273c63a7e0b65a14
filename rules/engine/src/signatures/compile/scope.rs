//! When a rule is looked at, settled once all its keywords are known.

use super::super::buffer::{self, Sender, When};
use super::super::language::Reason;
use super::super::rule::{Condition, PacketTest, Rule, Scope};
use super::events::{listed, state_list};
use super::headers::of_packet;

/// Protocols below the application.
const TRANSPORTS: &[&str] = &[
    "ip",
    "ip4",
    "ip6",
    "ipv4",
    "ipv6",
    "tcp",
    "tcp-pkt",
    "tcp-stream",
    "udp",
    "icmp",
    "icmpv4",
    "icmpv6",
    "sctp",
    "pkthdr",
    "igmp",
    "ether",
    "esp",
];

/// Settles protocol, direction and scope.
pub fn settle(rule: &mut Rule, wants_packet: bool, addresses_only: bool) -> Result<(), Reason> {
    let below = TRANSPORTS.contains(&rule.header.protocol.as_str());
    if !below {
        rule.protocol = Some(rule.header.protocol.clone());
    }
    // Only versions of the language know it that came after the one spoken here (`requires` tells which it is).
    if listed("newer", &rule.header.protocol).is_some() {
        let why = "newer than the version of the language that is spoken here";
        rule.unsupported.push(format!("{}: {why}", rule.header.protocol));
    }
    hook(rule, below);
    direction(rule)?;
    let of_transaction = rule.lists.iter().any(|list| list.buffer.buffer().when == When::Transaction);
    let payload = rule.lists.iter().any(|list| list.buffer == buffer::PAYLOAD);
    let headers = rule.lists.iter().any(|list| of_packet(list.buffer));
    let odd = rule.packet.iter().any(|test| matches!(test, PacketTest::Event(_)));
    rule.scope = if odd && !of_transaction {
        Scope::Event
    } else if of_transaction {
        if below && rule.protocol.is_none() {
            let protocols = rule.lists.iter().filter_map(|list| list.buffer.buffer().protocol());
            rule.protocol = protocols.map(str::to_owned).next();
        }
        Scope::Transaction
    } else if payload {
        payload_scope(rule, wants_packet || headers)
    } else if headers {
        Scope::Packet
    } else if recognised_only(rule, addresses_only) {
        Scope::Recognised
    } else if addresses_only && below && rule.spoken.is_empty() && ports_are_any(rule) && rule.packet.is_empty() {
        Scope::Addresses
    } else {
        Scope::Packet
    };
    Ok(())
}

/// A hook asks for the moment at which one side of a protocol has come to a state. Buffers have such a moment of their own.
fn hook(rule: &mut Rule, below: bool) {
    let Some(name) = rule.header.hook.clone().filter(|_| !below) else { return };
    if rule.lists.iter().any(|list| list.buffer.buffer().when == When::Transaction) {
        return;
    }
    match state_list(&rule.header.protocol, &name, None, false) {
        Ok(list) => rule.lists.push(list),
        Err(why) => rule.unsupported.push(why),
    }
}

fn ports_are_any(rule: &Rule) -> bool {
    rule.header.source_ports.is_any() && rule.header.destination_ports.is_any()
}

/// It only asks which protocol was recognised.
fn recognised_only(rule: &Rule, addresses_only: bool) -> bool {
    addresses_only && !rule.spoken.is_empty() && rule.packet.is_empty() && rule.protocol.is_none()
}

/// TCP is looked at as a stream; as packets too where a place in the payload is asked for, and only as packets where
/// a keyword asks for packets.
fn payload_scope(rule: &Rule, wants_packet: bool) -> Scope {
    match rule.header.protocol.as_str() {
        "tcp-pkt" => return Scope::Packet,
        "tcp-stream" => return if wants_packet { Scope::PacketAndStream } else { Scope::Stream },
        _ => {}
    }
    if wants_packet || rule.flow.no_stream {
        return Scope::Packet;
    }
    if rule.flow.only_stream {
        return Scope::Stream;
    }
    let placed = |condition: &Condition| matches!(condition, Condition::Content(content) if content.offset.is_some() || content.depth.is_some());
    let payload = rule.lists.iter().filter(|list| list.buffer == buffer::PAYLOAD);
    if payload.flat_map(|list| &list.conditions).any(placed) { Scope::PacketAndStream } else { Scope::Stream }
}

/// Buffers of one sender say which way the rule looks.
fn direction(rule: &mut Rule) -> Result<(), Reason> {
    let senders: Vec<Sender> = rule.lists.iter().map(|list| list.buffer.buffer().sender).collect();
    let (client, server) = (senders.contains(&Sender::Client), senders.contains(&Sender::Server));
    if rule.header.arrow == super::super::language::Arrow::Transaction {
        return Ok(());
    }
    if client && server {
        return Err("buffers of requests and of answers do not come together (=> asks for both)".into());
    }
    if (client && rule.flow.to_client) || (server && rule.flow.to_server) {
        return Err("flow asks for the direction in which a buffer never goes".into());
    }
    rule.flow.to_server |= client;
    rule.flow.to_client |= server;
    Ok(())
}
