//! The table of flows against a plain model, from packets to `flow` events: which packets belong together, what is counted
//! of them, which flow goes when the table is full, and when silence ends one. Time is packet time.

use std::collections::HashMap;

use luytre_events::{Event, Value};
use luytre_sensor::capture::{LinkType, Packet};
use luytre_sensor::decode::Checksums;
use luytre_sensor::flow::FlowLimits;
use luytre_sensor::pipeline::{Front, Inline, Shards};
use luytre_sensor::worker::{EventSink, WorkerSettings};
use proptest::prelude::*;

const RAW: LinkType = LinkType(101);
const SECOND_NS: i64 = 1_000_000_000;
const START_NS: i64 = 1_795_000_000 * SECOND_NS;
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// With these flags and this sequence number.
    Tcp(u8, u32),
    Udp,
    /// A question where the first host sends it, an answer where the second does.
    Echo,
    /// A protocol without ports.
    Other,
}

/// A packet between the two hosts of a flow, some time after the one before it.
#[derive(Debug, Clone)]
struct Step {
    flow: u8,
    kind: Kind,
    back: bool,
    after_ns: i64,
    size: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![
        2 => Just(Kind::Tcp(SYN, 100)),
        1 => Just(Kind::Tcp(SYN, 200)),
        2 => Just(Kind::Tcp(SYN | ACK, 300)),
        3 => Just(Kind::Tcp(ACK, 101)),
        1 => Just(Kind::Tcp(RST, 0)),
        5 => Just(Kind::Udp),
        3 => Just(Kind::Echo),
        2 => Just(Kind::Other),
    ];
    let after_ns = prop_oneof![
        6 => 0i64..100_000_000,
        3 => prop::sample::select(vec![400_000_000i64, SECOND_NS, 2_500_000_000, 4_999_999_999]),
        1 => prop::sample::select(vec![7 * SECOND_NS, 11 * SECOND_NS, 30 * SECOND_NS]),
        1 => Just(-700_000_000i64),
    ];
    let step = (0u8..5, kind, any::<bool>(), after_ns, 0usize..64)
        .prop_map(|(flow, kind, back, after_ns, size)| Step { flow, kind, back, after_ns, size });
    prop::collection::vec(step, 1..120)
}

fn limits(flows: usize) -> FlowLimits {
    FlowLimits {
        flows,
        tcp_new_s: 5,
        tcp_open_s: 20,
        tcp_closed_s: 2,
        udp_new_s: 4,
        udp_open_s: 10,
        icmp_s: 3,
        other_s: 6,
        ..FlowLimits::default()
    }
}

/// The flow's hosts: the first sends what is not sent back.
fn hosts(flow: u8) -> ([u8; 4], [u8; 4]) {
    // Sometimes the first has the lower address, sometimes the higher one.
    let hosts = ([192, 0, 2, 10 + flow], [198, 51, 100, 7]);
    if flow.is_multiple_of(2) { hosts } else { (hosts.1, hosts.0) }
}

fn frame(step: &Step) -> Vec<u8> {
    let (first, second) = hosts(step.flow);
    let (source, destination) = if step.back { (second, first) } else { (first, second) };
    let ports = if step.back { (7000u16, 5000 + u16::from(step.flow)) } else { (5000 + u16::from(step.flow), 7000) };
    let ports = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    // No payload: what is said in a flow does not matter here. The frame is padded instead, as Ethernet does.
    let (protocol, segment) = match step.kind {
        Kind::Tcp(flags, sequence) => {
            let head = [&ports[..], &sequence.to_be_bytes(), &[0; 4], &[0x50, flags, 0x40, 0, 0, 0, 0, 0]].concat();
            (6, head)
        }
        Kind::Udp => (17, [&ports[..], &[0, 8, 0, 0]].concat()),
        Kind::Echo => (1, vec![if step.back { 0 } else { 8 }, 0, 0, 0, 0, 1, 0, 1]),
        Kind::Other => (89, vec![0; 8]),
    };
    let length = (20 + segment.len() as u16).to_be_bytes();
    let head = [0x45, 0, length[0], length[1], 0, 1, 0x40, 0, 60, protocol, 0, 0];
    let padding = vec![0; step.size];
    [&head[..], &source, &destination, &segment, &padding].concat()
}

/// What a `flow` event says; the flow by its model's name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    client: [u8; 4],
    transport: String,
    start_ns: i64,
    end_ns: i64,
    source: (u64, u64),
    destination: (u64, u64),
    reason: String,
}

/// Gathers `flow` events.
#[derive(Default)]
struct Gather(Vec<Told>);

impl EventSink for Gather {
    fn event(&mut self, event: Event) {
        assert_eq!(event.dataset_name(), "flow");
        let flow = event.flow.as_ref().unwrap();
        let number = |name| match event.get_named(name) {
            Some(Value::U64(number)) => number,
            other => panic!("{name} is {other:?}"),
        };
        let time = |name| match event.get_named(name) {
            Some(Value::Time(time_ns)) => time_ns,
            other => panic!("{name} is {other:?}"),
        };
        let std::net::IpAddr::V4(client) = flow.source.0 else { panic!("IPv4 only") };
        let Some(Value::Str(reason)) = event.get_named("flow.end_reason") else { panic!("no reason") };
        self.0.push(Told {
            client: client.octets(),
            transport: flow.transport.name().to_owned(),
            start_ns: time("event.start"),
            end_ns: time("event.end"),
            source: (number("source.packets"), number("source.bytes")),
            destination: (number("destination.packets"), number("destination.bytes")),
            reason: reason.to_string(),
        });
    }
}

/// How long a flow may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    TcpNew,
    TcpOpen,
    TcpClosed,
    UdpNew,
    UdpOpen,
    Icmp,
    Other,
}

/// What tells flows apart in the model.
type Key = (u8, &'static str);

/// A flow of the model.
struct Plain {
    key: Key,
    number: usize,
    start_ns: i64,
    last_ns: i64,
    /// Packets and bytes, of the first host and of the second.
    sent: [(u64, u64); 2],
    flags: [u8; 2],
    syn: [Option<u32>; 2],
    reset: bool,
    client_back: bool,
    class: Class,
    /// When it was last put at the end of the list: to the second.
    listed_ns: i64,
}

impl Plain {
    fn class(&self) -> Class {
        let answered = self.sent.iter().all(|(packets, _)| *packets > 0);
        match (self.key.1, answered) {
            ("tcp", _) if self.reset => Class::TcpClosed,
            ("tcp", true) => Class::TcpOpen,
            ("tcp", false) => Class::TcpNew,
            ("udp", true) => Class::UdpOpen,
            ("udp", false) => Class::UdpNew,
            ("icmp", _) => Class::Icmp,
            _ => Class::Other,
        }
    }

    fn told(self, ended: &'static str) -> Told {
        let (first, second) = hosts(self.key.0);
        let [of_first, of_second] = self.sent;
        let reason = if self.reset && ended != "evicted" { "rst" } else { ended };
        let (source, destination) = if self.client_back { (of_second, of_first) } else { (of_first, of_second) };
        Told {
            client: if self.client_back { second } else { first },
            transport: self.key.1.to_owned(),
            start_ns: self.start_ns,
            end_ns: self.last_ns,
            source,
            destination,
            reason: reason.to_owned(),
        }
    }

    /// A SYN that cannot belong to this connection any more: it is over, or so silent that it may be.
    fn begins_anew(&self, back: bool, flags: u8, sequence: u32, time_ns: i64) -> bool {
        let syn = self.syn[usize::from(back)];
        let both_spoke = self.flags[0] & self.flags[1] & ACK != 0;
        flags & (SYN | ACK | RST | FIN) == SYN
            && ((self.reset && syn != Some(sequence))
                || (both_spoke && syn.is_some_and(|syn| syn != sequence) && time_ns - self.last_ns >= 10 * SECOND_NS))
    }
}

/// The model: flows in the order in which they were last listed, found by key.
struct Model {
    flows: Vec<Plain>,
    limits: FlowLimits,
    clock_ns: i64,
    told: Vec<Told>,
    evicted: u64,
}

impl Model {
    fn silence_ns(&self, class: Class) -> i64 {
        let seconds = match class {
            Class::TcpNew => self.limits.tcp_new_s,
            Class::TcpOpen => self.limits.tcp_open_s,
            Class::TcpClosed => self.limits.tcp_closed_s,
            Class::UdpNew => self.limits.udp_new_s,
            Class::UdpOpen => self.limits.udp_open_s,
            Class::Icmp => self.limits.icmp_s,
            Class::Other => self.limits.other_s,
        };
        // Lists are kept to the second.
        i64::from(seconds + 1) * SECOND_NS
    }

    fn expire(&mut self, now_ns: i64) {
        let mut ended = Vec::new();
        let mut at = 0;
        while let Some(flow) = self.flows.get(at) {
            if now_ns - flow.listed_ns >= self.silence_ns(flow.class) {
                ended.push(self.flows.remove(at));
            } else {
                at += 1;
            }
        }
        self.report(ended, "timeout");
    }

    fn report(&mut self, mut ended: Vec<Plain>, reason: &'static str) {
        ended.sort_by_key(|flow| flow.number);
        self.told.extend(ended.into_iter().map(|flow| flow.told(reason)));
    }

    /// Of the flows that have been silent longest in their class, the one that was listed first.
    fn evict(&mut self) {
        let mut fronts: HashMap<String, usize> = HashMap::new();
        for (at, flow) in self.flows.iter().enumerate() {
            fronts.entry(format!("{:?}", flow.class)).or_insert(at);
        }
        let oldest = fronts.into_values().min_by_key(|at| (self.flows[*at].listed_ns, self.flows[*at].number)).unwrap();
        let flow = self.flows.remove(oldest);
        self.evicted += 1;
        self.report(vec![flow], "evicted");
    }

    fn packet(&mut self, number: usize, step: &Step, time_ns: i64, bytes: u64) {
        if time_ns > self.clock_ns {
            if time_ns.div_euclid(SECOND_NS) > self.clock_ns.div_euclid(SECOND_NS) {
                self.expire(time_ns);
            }
            self.clock_ns = time_ns;
        }
        let (name, flags, sequence) = match step.kind {
            Kind::Tcp(flags, sequence) => ("tcp", flags, sequence),
            Kind::Udp => ("udp", 0, 0),
            Kind::Echo => ("icmp", 0, 0),
            Kind::Other => ("ospf", 0, 0),
        };
        let key = (step.flow, name);
        let mut place = self.flows.iter().position(|flow| flow.key == key);
        if let Some(at) = place.filter(|at| self.flows[*at].begins_anew(step.back, flags, sequence, time_ns)) {
            let flow = self.flows.remove(at);
            self.report(vec![flow], "timeout");
            place = None;
        }
        let at = place.unwrap_or_else(|| {
            while self.flows.len() >= self.limits.flows {
                self.evict();
            }
            self.flows.push(Plain {
                key,
                number,
                start_ns: time_ns,
                last_ns: time_ns,
                sent: [(0, 0); 2],
                flags: [0; 2],
                syn: [None; 2],
                reset: false,
                client_back: step.back != (flags & (SYN | ACK) == SYN | ACK),
                class: Class::Other,
                listed_ns: i64::MIN,
            });
            self.flows.len() - 1
        });
        let mut flow = self.flows.remove(at);
        let side = usize::from(step.back);
        flow.last_ns = flow.last_ns.max(time_ns);
        flow.sent[side].0 += 1;
        flow.sent[side].1 += bytes;
        flow.flags[side] |= flags;
        if flags & SYN != 0 {
            flow.syn[side].get_or_insert(sequence);
        }
        flow.reset |= flags & RST != 0;
        let class = flow.class();
        if class != flow.class || self.clock_ns.saturating_sub(flow.listed_ns) >= SECOND_NS {
            (flow.class, flow.listed_ns) = (class, self.clock_ns);
            self.flows.push(flow);
        } else {
            self.flows.insert(at, flow);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn flows_are_those_of_a_plain_model(steps in steps(), room in 1usize..9) {
        let limits = limits(room);
        let settings = WorkerSettings::reading(limits);
        let mut back = Inline { shards: Shards::single(&settings, 1), sink: Gather::default() };
        let mut front = Front::new(1, 0, Checksums::Ignore);
        let mut model =
            Model { flows: Vec::new(), limits, clock_ns: i64::MIN, told: Vec::new(), evicted: 0 };
        let mut time_ns = START_NS;
        for (number, step) in steps.iter().enumerate() {
            time_ns += step.after_ns;
            let bytes = frame(step);
            let original_length = bytes.len() as u32;
            front.packet(&Packet { time_ns, link: RAW, original_length, vlan: None, bytes: &bytes }, &mut back);
            model.packet(number, step, time_ns, bytes.len() as u64);
            prop_assert_eq!(&back.sink.0, &model.told, "after packet {}", number);
            prop_assert_eq!(back.shards.flows(), model.flows.len());
        }
        front.finish(&mut back);
        let left = std::mem::take(&mut model.flows);
        model.report(left, "shutdown");
        prop_assert_eq!(&back.sink.0, &model.told);
        let counts = back.shards.counts();
        prop_assert_eq!(counts.evicted, model.evicted);
        prop_assert_eq!((counts.packets, counts.flows), (steps.len() as u64, model.told.len() as u64));
        let packets: u64 = back.sink.0.iter().map(|told| told.source.0 + told.destination.0).sum();
        prop_assert_eq!(packets, steps.len() as u64, "a packet was lost or counted twice");
    }
}
