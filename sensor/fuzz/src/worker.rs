//! Target: frames through the whole of the sensor, from decoding to events.
//!
//! Script: a byte of settings (bit 0: frames as they are, or conversations; bit 1: little room for flows; bit 2: checksums
//! are verified). Frames follow as in [`decode`](super::decode); conversations as [`Talk`] makes them.
//!
//! Must hold: the ledger adds up; the same events, in the same order, from one worker and from three; the table of flows
//! keeps its ceiling and is empty at the end; what is kept and told is bounded by what came in.

use luytre_events::ledger::Snapshot;
use luytre_events::{Event, json};
use luytre_sensor::capture::{LinkType, Packet, SourceCounts};
use luytre_sensor::decode::Checksums;
use luytre_sensor::flow::FlowLimits;
use luytre_sensor::pipeline::{
    Back, Front, Inline, OrderKey, OrderedSink, Routed, RoutedArp, RoutedOdd, Shards, worker_stages,
};
use luytre_sensor::worker::{EventSink, SHARDS, WorkerSettings};

use super::decode::LINKS;
use super::input::Input;
use super::memory;
use super::talk::Talk;

/// Into how many workers the shards are divided the second time.
const WORKERS: usize = 3;
/// Frames of a script that are played.
const FRAMES_MAX: usize = 3_000;
/// Flows of a shard where there is little room.
const FEW_FLOWS: usize = 2;
/// A script keeps no more than this for each of its frames and bytes, beside tables.
const KEPT_AT_FIRST_BYTES: i64 = 4 << 20;
const KEPT_PER_FRAME: i64 = 16 << 10;
const KEPT_PER_BYTE: i64 = 128;

/// A frame with its time and link type.
pub struct Frame {
    /// When, nanoseconds since 1970-01-01 UTC.
    pub time_ns: i64,
    /// What it begins with.
    pub link: LinkType,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Plays a script.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let settings = input.u8();
    let frames = if settings & 1 == 0 { as_they_are(&mut input) } else { Talk::frames(&mut input, FRAMES_MAX) };
    let flows = if settings & 2 == 0 { FlowLimits::default().flows } else { SHARDS * FEW_FLOWS };
    let limits = FlowLimits { flows, ..FlowLimits::default() };
    let checksums = if settings & 4 == 0 { Checksums::Ignore } else { Checksums::Verify };
    let settings = WorkerSettings::reading(limits);

    let one = inline(&frames, &settings, checksums);
    let mut parts = Parts::new(&settings);
    feed(&frames, checksums, &mut parts);
    assert_eq!(one, parts.told(), "{WORKERS} workers say something else than one");
}

fn as_they_are(input: &mut Input<'_>) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut time_ns = 1_795_000_000_000_000_000;
    while !input.is_empty() && frames.len() < FRAMES_MAX {
        let link = LinkType(input.choose(&LINKS));
        time_ns += input.step_ns();
        let length = input.u16().into();
        frames.push(Frame { time_ns, link, bytes: input.take(length).to_vec() });
    }
    frames
}

fn packet(frame: &Frame) -> Packet<'_> {
    let original_length = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
    Packet { time_ns: frame.time_ns, link: frame.link, original_length, vlan: None, bytes: &frame.bytes }
}

fn feed(frames: &[Frame], checksums: Checksums, back: &mut dyn Back) -> Front {
    let mut front = Front::new(SHARDS, 0, checksums);
    front.set_rules(true);
    for frame in frames {
        front.packet(&packet(frame), back);
    }
    front.finish(back);
    front
}

/// The events of one worker as text; looks at memory and counters on the way.
fn inline(frames: &[Frame], settings: &WorkerSettings, checksums: Checksums) -> Vec<String> {
    let before = memory::live_bytes();
    let mut front = Front::new(SHARDS, 0, checksums);
    front.set_rules(true);
    let mut back = Inline { shards: Shards::new(settings, 0, 1), sink: Told::default() };
    let (mut fed, mut most) = (0i64, KEPT_AT_FIRST_BYTES);
    for frame in frames {
        front.packet(&packet(frame), &mut back);
        fed += frame.bytes.len() as i64;
        most += KEPT_PER_FRAME;
        let kept = memory::live_bytes() - before - back.sink.own_bytes;
        assert!(kept <= most + fed * KEPT_PER_BYTE, "{kept} bytes are kept of {fed}");
        assert!(back.shards.flows() <= settings.flow.flows.max(SHARDS), "more flows than there may be");
    }
    front.finish(&mut back);
    assert_eq!(back.shards.flows(), 0, "a flow is left over");
    let counts = back.shards.counts();
    let told = back.sink.lines.len() as u64;
    assert_eq!(counts.events_total(), told);
    assert!(told <= 2 * (frames.len() as u64 + fed as u64) + 64, "{told} events of {fed} bytes");
    let mut stages = front.stages(SourceCounts::default());
    stages.extend(worker_stages(&counts, 0));
    let snapshot = Snapshot { stages, ..Snapshot::default() };
    assert_eq!(snapshot.unaccounted(), 0, "the ledger does not add up: {snapshot:?}");
    back.sink.lines.into_iter().map(|(_, line)| line).collect()
}

/// Events as text, under their place in the order.
#[derive(Default)]
struct Told {
    key: OrderKey,
    lines: Vec<(OrderKey, String)>,
    own_bytes: i64,
}

impl EventSink for Told {
    fn event(&mut self, event: Event) {
        let before = memory::live_bytes();
        let mut line = Vec::new();
        json::write_event(&event, &mut line);
        self.lines.push((self.key, String::from_utf8(line).expect("JSON is text")));
        self.own_bytes += memory::live_bytes() - before;
    }
}

impl OrderedSink for Told {
    fn order(&mut self, key: OrderKey) {
        self.key = key;
    }
}

/// Shards divided among workers, as threads would have them.
struct Parts(Vec<(Shards, Told)>);

impl Parts {
    fn new(settings: &WorkerSettings) -> Parts {
        Parts((0..WORKERS).map(|first| (Shards::new(settings, first, WORKERS), Told::default())).collect())
    }

    /// All events in one order.
    fn told(self) -> Vec<String> {
        let mut lines: Vec<_> = self.0.into_iter().flat_map(|(_, told)| told.lines).collect();
        lines.sort_by_key(|(key, _)| *key);
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

impl Back for Parts {
    fn tick(&mut self, number: u64, clock_ns: i64) {
        self.0.iter_mut().for_each(|(shards, told)| shards.tick(number, clock_ns, told));
    }

    fn packet(&mut self, routed: &Routed<'_>) {
        for (shards, told) in &mut self.0 {
            if shards.has(routed.shard) {
                shards.packet(routed, told);
            }
        }
    }

    fn arp(&mut self, routed: &RoutedArp) {
        for (shards, told) in &mut self.0 {
            if shards.has(routed.shard) {
                shards.arp(routed, told);
            }
        }
    }

    fn odd(&mut self, routed: &RoutedOdd) {
        for (shards, told) in &mut self.0 {
            if shards.has(routed.shard) {
                shards.odd(routed, told);
            }
        }
    }

    fn finish(&mut self, number: u64) {
        self.0.iter_mut().for_each(|(shards, told)| shards.finish(number, told));
    }
}
