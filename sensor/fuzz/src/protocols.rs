//! Target: one parser of the table, fed whatever the script says. A new protocol is in it from its line in [`PROTOCOLS`] on.
//!
//! Script: two bytes that choose the protocol (the one whose name's number is nearest, so that old scripts still mean the
//! same when the table grows), one for the transport, then [`Step`]s: bytes of a side, holes, time that passes.
//!
//! Must hold: no panic, from probes either; the bytes of files only between their beginning and their end, and none open at
//! the end; what is kept and told is bounded by what came in.

use std::collections::BTreeSet;

use luytre_events::{DatasetId, FieldId, Transport, Value};
use luytre_sensor::protocols::{
    Direction, End, Expected, FileMeta, FilePlace, FileToken, Output, PROTOCOLS, Parser, Progress, Protocol,
};

use super::input::Input;
use super::memory;

/// Steps of a script that are played.
const STEPS_MAX: usize = 2_000;
/// A parser keeps no more than this ...
const KEPT_MAX_BYTES: i64 = 4 << 20;
/// ... and of little input no more than so much for each byte, beside what its tables take when they begin.
const KEPT_PER_BYTE: i64 = 96;
const KEPT_AT_FIRST_BYTES: i64 = 384 << 10;
/// The shortest message that is told as an event of its own has about two bytes.
const EVENTS_AT_FIRST: u64 = 16;

/// Something that happens in a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A side sends bytes.
    Data(Direction, Vec<u8>),
    /// Bytes of a side are missing.
    Gap(Direction, u64),
    /// Time passes, in nanoseconds.
    Time(i64),
}

impl Step {
    /// The next step of a script: a byte (bit 0: the direction; bits 1 and 2: what), and what it needs.
    pub fn read(input: &mut Input<'_>) -> Step {
        let head = input.u8();
        let direction = if head & 1 == 0 { Direction::ToServer } else { Direction::ToClient };
        match head >> 1 & 3 {
            0 => {
                let length = input.u8().into();
                Step::Data(direction, input.take(length).to_vec())
            }
            1 => {
                let length = input.u16().into();
                Step::Data(direction, input.take(length).to_vec())
            }
            2 => Step::Gap(direction, u64::from(input.u16()) + 1),
            _ => Step::Time(input.step_ns()),
        }
    }

    /// The same as bytes of a script.
    pub fn write(&self, out: &mut Vec<u8>) {
        let bit = |direction: &Direction| u8::from(*direction == Direction::ToClient);
        match self {
            Step::Data(direction, bytes) => {
                let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
                out.push(bit(direction) | 1 << 1);
                out.extend(length.to_le_bytes());
                out.extend(&bytes[..length.into()]);
            }
            Step::Gap(direction, length) => {
                out.push(bit(direction) | 2 << 1);
                out.extend(u16::try_from(length - 1).unwrap_or(u16::MAX).to_le_bytes());
            }
            Step::Time(_) => out.extend([3 << 1, 1 << 5]),
        }
    }
}

/// A number for a name.
pub fn number(name: &str) -> u16 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ hash >> 16) as u16
}

/// The protocol and transport that a script begins with, of the protocols that some transport carries.
pub fn chosen(input: &mut Input<'_>, only: Option<Transport>) -> (&'static Protocol, Transport) {
    let (wanted, transport) = (input.u16(), input.u8());
    let carried = |p: &&&'static Protocol| only.is_none_or(|only| p.transports.contains(&only));
    let near = PROTOCOLS.iter().filter(carried).min_by_key(|protocol| number(protocol.name) ^ wanted);
    let protocol = near.expect("the table is not empty");
    let transport = only.unwrap_or(protocol.transports[usize::from(transport) % protocol.transports.len()]);
    (protocol, transport)
}

/// Plays a script.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let (protocol, transport) = chosen(&mut input, None);
    let before = memory::live_bytes();
    let mut parser = (protocol.parser)(transport);
    let mut sink = Sink::new(false);
    let mut fed = 0i64;
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        let step = Step::read(&mut input);
        if let Step::Data(direction, bytes) = &step {
            for on_port in [false, true] {
                (protocol.probe)(*direction, bytes, on_port);
            }
            fed += bytes.len() as i64;
        }
        let room = step_bytes(&step);
        let progress = play(parser.as_mut(), transport, &step, &mut sink);
        let kept = memory::live_bytes() - before - room - sink.own_bytes();
        let most = KEPT_MAX_BYTES.min(KEPT_AT_FIRST_BYTES + fed * KEPT_PER_BYTE);
        assert!(kept <= most, "{} keeps {kept} bytes of {fed}", protocol.name);
        assert!(
            sink.events <= EVENTS_AT_FIRST + fed as u64,
            "{} tells {} events of {fed} bytes",
            protocol.name,
            sink.events
        );
        if progress == Progress::Done {
            break;
        }
    }
    parser.finish(&mut sink);
    assert!(sink.open.is_empty(), "{} leaves a file open", protocol.name);
    assert!(
        sink.events <= 2 * EVENTS_AT_FIRST + 2 * fed as u64,
        "{} tells {} events of {fed} bytes",
        protocol.name,
        sink.events
    );
}

fn step_bytes(step: &Step) -> i64 {
    match step {
        Step::Data(_, bytes) => bytes.capacity() as i64,
        _ => 0,
    }
}

/// Hands a step to a parser. Datagrams have no holes between them.
pub fn play(parser: &mut dyn Parser, transport: Transport, step: &Step, sink: &mut Sink) -> Progress {
    match step {
        Step::Data(direction, bytes) if !bytes.is_empty() => parser.data(sink, *direction, bytes),
        Step::Gap(direction, length) if transport == Transport::TCP => parser.gap(sink, *direction, *length),
        Step::Time(step_ns) => {
            sink.time_ns = sink.time_ns.saturating_add(*step_ns);
            Progress::Continue
        }
        _ => Progress::Continue,
    }
}

/// Takes what a parser says. Keeps it only where it is to be compared.
pub struct Sink {
    /// Events so far.
    pub events: u64,
    /// What was told, where it is kept: events and files, in order.
    pub told: Option<Vec<String>>,
    open: BTreeSet<u32>,
    /// What open files hold, and their names, where that is kept.
    contents: Vec<(u32, String, u32)>,
    next: u32,
    /// Packet time.
    pub time_ns: i64,
}

impl Sink {
    /// An empty one; `keeps` says whether what was told is kept.
    pub fn new(keeps: bool) -> Sink {
        Sink {
            events: 0,
            told: keeps.then(Vec::new),
            open: BTreeSet::new(),
            contents: Vec::new(),
            next: 0,
            time_ns: 1_795_000_000_000_000_000,
        }
    }

    /// Whether a file is open.
    pub fn has_open_file(&self) -> bool {
        !self.open.is_empty()
    }

    /// About the memory that it takes itself.
    fn own_bytes(&self) -> i64 {
        self.open.len() as i64 * 16
    }
}

impl Output for Sink {
    fn time_ns(&self) -> i64 {
        self.time_ns
    }

    fn event(&mut self, body: (DatasetId, Vec<(FieldId, Value)>)) {
        self.events += 1;
        if let Some(told) = &mut self.told {
            told.push(format!("{body:?}"));
        }
    }

    fn anomaly(&mut self, name: &'static str) {
        assert!(name.contains('.'), "an oddity has a full name");
    }

    fn ends(&self) -> (End, End) {
        (([192, 0, 2, 10].into(), 40_000), ([198, 51, 100, 7].into(), 80))
    }

    fn expect(&mut self, expected: Expected) {
        assert!(!expected.protocol.is_empty());
    }

    fn file_open(&mut self, meta: FileMeta) -> Option<FileToken> {
        self.next += 1;
        // Now and then there are too many.
        if self.next.is_multiple_of(7) {
            return None;
        }
        self.open.insert(self.next);
        if self.told.is_some() {
            self.contents.push((self.next, format!("{meta:?}"), 0));
        }
        Some(FileToken(self.next))
    }

    fn file_place(&mut self, file: FileToken, place: FilePlace) {
        assert!(self.open.contains(&file.0), "the place of a file that is not open");
        if let Some((_, name, _)) = self.contents.iter_mut().find(|(number, ..)| *number == file.0) {
            name.push_str(&format!("{place:?}"));
        }
    }

    fn file_data(&mut self, file: FileToken, bytes: &[u8]) {
        assert!(self.open.contains(&file.0), "bytes of a file that is not open");
        if let Some((.., sum)) = self.contents.iter_mut().find(|(number, ..)| *number == file.0) {
            let mut hash = crc32fast::Hasher::new_with_initial(*sum);
            hash.update(bytes);
            *sum = hash.finalize();
        }
    }

    fn file_close(&mut self, file: FileToken, complete: bool) {
        assert!(self.open.remove(&file.0), "the end of a file that is not open");
        if let Some(at) = self.contents.iter().position(|(number, ..)| *number == file.0) {
            let (_, name, sum) = self.contents.remove(at);
            if let Some(told) = &mut self.told {
                told.push(format!("{name} {sum:08x} {complete}"));
            }
        }
    }
}
