//! What is told of a flow that has ended, from what was kept of it.

use luytre_events::Transport;
use luytre_events::value::TimeNs;

use super::{Conversation, class};
use crate::flow::record::FlowRecord;
use crate::flow::table::Class;
use crate::flow::tcp::flag;
use crate::flow::{EndReason, Flow, Side};

/// The event of a flow.
pub(super) fn record(flow: &Flow<Conversation>, reason: EndReason) -> FlowRecord {
    let client = flow.identity.client();
    let (source, destination) = (flow.sent.of(client), flow.sent.of(client.other()));
    let is_tcp = flow.identity.transport() == Transport::TCP;
    let source_first = flow.shape.first_bytes(client);
    let destination_first = flow.shape.first_bytes(client.other());
    let streams = [Side::A, Side::B].map(|side| flow.tcp.streams.of(side).counts);
    let sum = |count: fn(&crate::flow::reassembly::StreamCounts) -> u64| {
        Some(streams.iter().map(count).sum()).filter(|sum: &u64| *sum > 0)
    };
    FlowRecord {
        start: Some(TimeNs(flow.start_ns)),
        end: Some(TimeNs(flow.last_ns)),
        duration_ns: flow.last_ns.saturating_sub(flow.start_ns).unsigned_abs(),
        source_bytes: source.bytes,
        source_packets: source.packets,
        destination_bytes: destination.bytes,
        destination_packets: destination.packets,
        bytes: source.bytes + destination.bytes,
        packets: source.packets + destination.packets,
        state: match class(flow) {
            Class::TcpClosed => "closed",
            _ if flow.answered() => "established",
            _ => "new",
        },
        end_reason: reason.name(),
        source_flags: flag_names(*flow.tcp.flags.of(client)),
        destination_flags: flag_names(*flow.tcp.flags.of(client.other())),
        history: is_tcp.then(|| flow.tcp.history.text(client)),
        round_trip_ns: flow.tcp.round_trip_ns(),
        first_sizes: flow.shape.sizes(),
        first_directions: flow.shape.directions(client),
        first_gaps_us: flow.shape.gaps_us(),
        source_entropy: source_first.as_ref().map(|(_, entropy)| *entropy),
        destination_entropy: destination_first.as_ref().map(|(_, entropy)| *entropy),
        source_first_bytes: source_first.map(|(bytes, _)| bytes),
        destination_first_bytes: destination_first.map(|(bytes, _)| bytes),
        missed_bytes: sum(|c| c.missed),
        retransmitted_bytes: sum(|c| c.retransmitted),
        midstream: flow.tcp.midstream.then_some(true),
        tunnel: flow.tunnel.map(|tunnel| tunnel.name()),
        detail: flow.detail.name(),
    }
}

fn flag_names(flags: u8) -> Vec<&'static str> {
    (0..).zip(flag::NAMES).filter(|(bit, _)| flags & (1 << bit) != 0).map(|(_, name)| name).collect()
}
