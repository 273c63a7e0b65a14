//! Detail given up and taken up again at any moment: flow records count the same as without, and the ledger adds up.

use luytre_events::{Event, Value};
use luytre_sensor::capture::{FileSource, Next, PacketSource as _, SourceCounts};
use luytre_sensor::decode::Checksums;
use luytre_sensor::flow::FlowLimits;
use luytre_sensor::pipeline::{Front, Inline, Shards, worker_stages};
use luytre_sensor::worker::{Detail, EventSink, Spared, WorkerSettings};
use proptest::prelude::*;

/// Our own recording of a story with scans, web, DNS, TLS, files and a tunnel.
const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/demo/story.pcapng");

#[derive(Default)]
struct Events(Vec<Event>);

impl EventSink for Events {
    fn event(&mut self, event: Event) {
        self.0.push(event);
    }
}

/// The story's events, with detail switched at these packets in turn.
fn play(switches: &[(u64, Detail)]) -> (Vec<Event>, Spared) {
    let settings = WorkerSettings::reading(FlowLimits::default());
    let mut back = Inline { shards: Shards::single(&settings, 1), sink: Events::default() };
    let mut front = Front::new(1, 0, Checksums::Ignore);
    let mut source = FileSource::open(STORY.as_ref()).unwrap();
    while let Next::Packet(packet) = source.next().unwrap() {
        if let Some((_, detail)) = switches.iter().find(|(at, _)| *at == front.packets()) {
            back.shards.set_detail(*detail);
        }
        front.packet(&packet, &mut back);
    }
    front.finish(&mut back);
    let counts = back.shards.counts();
    let mut stages = front.stages(SourceCounts::default());
    stages.extend(worker_stages(&counts, 0));
    let snapshot = luytre_events::ledger::Snapshot { stages, ..Default::default() };
    assert_eq!(snapshot.unaccounted(), 0, "{snapshot:?}");
    (back.sink.0, counts.spared)
}

/// What a flow record counts, in words; not what only a look into the flow can tell.
fn counted(events: &[Event]) -> Vec<String> {
    const FIELDS: [&str; 13] = [
        "network.bytes",
        "event.start",
        "event.end",
        "event.duration",
        "source.bytes",
        "source.packets",
        "destination.bytes",
        "destination.packets",
        "network.packets",
        "flow.state",
        "flow.end_reason",
        "tcp.flags.source",
        "tcp.flags.destination",
    ];
    let flows = events.iter().filter(|event| event.dataset_name() == "flow");
    let line = |event: &Event| {
        let values: Vec<_> = FIELDS.iter().map(|name| event.get_named(name)).collect();
        assert!(values.iter().flatten().count() > 8, "the fields have other names now");
        let flow = event.flow.as_ref().unwrap();
        format!("{:?} {:?} {} {values:?}", flow.source, flow.destination, flow.community_id)
    };
    let mut lines: Vec<String> = flows.map(line).collect();
    lines.sort();
    lines
}

fn of(events: &[Event], dataset: &str) -> usize {
    events.iter().filter(|event| event.dataset_name() == dataset).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn flow_records_count_the_same_whenever_detail_goes(at in proptest::collection::vec((0..10_000u64, 0..3u8), 1..12)) {
        let (whole, _) = play(&[]);
        let details = [Detail::All, Detail::Known, Detail::None];
        let switches: Vec<_> = at.iter().map(|(at, detail)| (*at, details[usize::from(*detail)])).collect();
        let (events, spared) = play(&switches);
        prop_assert_eq!(counted(&events), counted(&whole));
        let marked = |text: &str| {
            let value = Some(Value::Str(text.into()));
            events.iter().filter(|event| event.get_named("flow.detail") == value).count() as u64
        };
        prop_assert_eq!(marked("none") + marked("part"), spared.flows);
    }
}

#[test]
fn the_first_step_keeps_what_has_begun_and_the_last_keeps_nothing() {
    let (whole, spared) = play(&[]);
    assert_eq!(spared, Spared::default());
    let (none, spared) = play(&[(0, Detail::None)]);
    assert_eq!(of(&none, "flow"), of(&whole, "flow"));
    assert_eq!((of(&none, "http"), of(&none, "tls"), of(&none, "file")), (0, 0, 0));
    assert_eq!(spared.flows as usize, of(&whole, "flow"));
    assert_eq!(spared.packets_known, 0);
    let middle = 5_000;
    let (known, new_only) = play(&[(middle, Detail::Known)]);
    let (all, both) = play(&[(middle, Detail::None)]);
    assert!(of(&known, "http") >= of(&all, "http") && of(&known, "http") < of(&whole, "http"));
    assert_eq!(new_only.packets_known, 0, "flows that have begun go on");
    assert_eq!(both.packets_new, new_only.packets_new);
    assert!(new_only.flows > 0 && both.flows >= new_only.flows);
}
