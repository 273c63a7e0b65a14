//! Packets that carried others: rules look at each of them, as at any packet; nothing else is told of them.
//!
//! Comes in: what decode took off on the way to the innermost packet, where there are rules. Goes out: their alerts. What
//! is IP in IP, and datagrams of tunnels, are flows of their own here, at most [`CARRIERS_MAX`] of all shards; the one that
//! was silent longest makes room and is counted. Other protocols have no flows for rules.

use luytre_events::Transport;

use super::{EventSink, Shared, Worker, begin, class};
use crate::flow::table::{Place, Table};
use crate::flow::{Flow, FlowLimits};
use crate::pipeline::Routed;

/// The most flows of carriers, all shards together.
const CARRIERS_MAX: usize = 16_384;

/// The flows of one shard.
pub struct Carriers {
    table: Table<()>,
}

impl Carriers {
    /// None yet; the ceiling is a `1/parts` share.
    pub fn new(limits: &FlowLimits, parts: usize) -> Carriers {
        Carriers { table: Table::new(limits, CARRIERS_MAX / parts) }
    }

    /// Finds the flow of a carrier or begins one; says how many others had to go for it.
    fn place(&mut self, routed: &Routed<'_>) -> (Place, u64) {
        let silent: Vec<Place> = self.table.expired(routed.clock_ns).map(|(_, place)| place).collect();
        for place in silent {
            self.table.remove(place);
        }
        if let Some(place) = self.table.find(&routed.key) {
            return (place, 0);
        }
        let full = self.table.is_full();
        if full && let Some(oldest) = self.table.oldest() {
            self.table.remove(oldest);
        }
        let flow = begin(routed, ());
        let class = class(&flow);
        (self.table.insert(routed.key, flow, class, routed.clock_ns), u64::from(full))
    }
}

impl Worker {
    /// Lets rules look at a packet that carried another one.
    pub fn carrier(&mut self, routed: &Routed<'_>, out: &mut dyn EventSink) {
        let known = matches!(routed.packet.transport, Transport::UDP | Transport(4 | 41));
        if !known {
            look(&mut begin(routed, ()), routed, &mut self.shared, out);
            return;
        }
        let (place, evicted) = self.carriers.place(routed);
        self.shared.anomaly("flow.carrier_limit", evicted);
        let Some(flow) = self.carriers.table.get_mut(place) else { return };
        look(flow, routed, &mut self.shared, out);
        let class = class(flow);
        self.carriers.table.touch(place, class, routed.clock_ns);
    }
}

fn look(flow: &mut Flow<()>, routed: &Routed<'_>, shared: &mut Shared, out: &mut dyn EventSink) {
    let Routed { time_ns, side, packet, .. } = routed;
    let (time_ns, side) = (*time_ns, *side);
    flow.last_ns = flow.last_ns.max(time_ns);
    let sent = flow.sent.of_mut(side);
    sent.packets += u64::from(packet.packets);
    sent.bytes += packet.bytes;
    shared.signatures.enter(&mut flow.inspection);
    let alerts = shared.signatures.packet(flow, side, packet, time_ns, true);
    shared.alerts(time_ns, &mut flow.identity, alerts, out);
}
