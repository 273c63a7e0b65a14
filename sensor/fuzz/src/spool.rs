//! Target: the spool's log on a disk that somebody or something changed, and batches that are none.
//!
//! Script: a byte that says what is played.
//!
//! - even: a byte for the number of batches, then what happens to the disk: a byte (1: power is lost; else a bit is
//!   flipped), and a place of three bytes; then the spool is opened and read as after a start.
//! - odd: the rest is taken for the body of a batch, and for a batch.
//!
//! Must hold: what is read was written, in rising order, each number once; opening and reading end; a batch says no more
//! events than it is allowed to, in memory that is bounded.

use std::sync::Arc;

use luytre_events::wire::{self, Batch, Translation};
use luytre_events::{Catalogue, DatasetId, Event, EventId};
use luytre_segments::memory::Memory;
use luytre_sensor::spool::{Spool, SpoolLimits};

use super::input::Input;
use super::memory;

/// Batches of a script.
const BATCHES_MAX: u8 = 12;
/// Events of a batch.
const EVENTS: i64 = 3;
/// Where numbers begin.
const START_US: u64 = 1_000_000;
/// A batch may hold 64 MiB unpacked, and its events a few times as much.
const KEPT_MAX_BYTES: i64 = 512 << 20;

/// Plays a script.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    if input.u8() & 1 == 0 { disk(&mut input) } else { batch(input.0) }
}

fn event(mark: i64) -> Event {
    let id = EventId { sensor: "".into(), sequence: 0 };
    Event { id, time_ns: mark, dataset: DatasetId(0), flow: None, fields: Vec::new() }
}

fn disk(input: &mut Input<'_>) {
    let disk = Memory::default();
    let batches = i64::from(input.u8() % BATCHES_MAX);
    let (writer, reader) =
        Spool::open_on(Arc::new(disk.clone()), SpoolLimits::default(), START_US).expect("a new spool can be opened");
    for number in 0..batches {
        writer.push((number * EVENTS..(number + 1) * EVENTS).map(event).collect());
        writer.flush();
    }
    drop((writer, reader));
    let unharmed = input.is_empty();
    while !input.is_empty() {
        let what = input.u8();
        let place = usize::from(input.u16()) | usize::from(input.u8()) << 16;
        let sizes = disk.sizes();
        let Some((name, size)) = sizes.iter().nth(usize::from(what >> 1) % sizes.len().max(1)) else { return };
        match what {
            1 => disk.crash(|unsynced| unsynced.min(place)),
            _ => disk.flip(name, place % (size * 8).max(1)),
        }
    }
    let found = read(&disk);
    let numbers: Vec<u64> = found.iter().map(|(number, _)| *number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "a number comes twice: {numbers:?}");
    for (number, mark) in &found {
        let right = number.checked_sub(START_US).is_some_and(|nth| *mark == nth as i64 && *mark < batches * EVENTS);
        assert!(right, "event {number} with mark {mark} was never written");
    }
    if unharmed {
        assert_eq!(found.len() as i64, batches * EVENTS);
    }
}

/// What a start finds: numbers and marks of all events.
fn read(disk: &Memory) -> Vec<(u64, i64)> {
    let (writer, mut reader) = Spool::open_on(Arc::new(disk.clone()), SpoolLimits::default(), START_US)
        .expect("a disk that works can be opened");
    let ours = Translation::from(Catalogue::current());
    let mut found = Vec::new();
    while let Some(batch) = reader.next().expect("a disk that works can be read") {
        let (events, _) = batch.unpack(&"s".into(), &ours).expect("what checks can be unpacked");
        found.extend(events.iter().map(|event| (event.id.sequence, event.time_ns)));
        reader.acknowledge(batch.last);
    }
    drop(writer);
    found
}

fn batch(bytes: &[u8]) {
    let before = memory::live_bytes();
    let ours = Translation::from(Catalogue::current());
    let whole: Option<Batch> = wire::decode(bytes).ok();
    let mut packed = Vec::new();
    for count in [1, u32::from(bytes.first().copied().unwrap_or(0))] {
        let body = zstd_stored(bytes);
        packed.push(Batch { first: 1, last: u64::MAX, count, body });
    }
    for batch in whole.iter().chain(&packed) {
        if let Ok((events, _)) = batch.unpack(&"s".into(), &ours) {
            assert_eq!(events.len() as u64, u64::from(batch.count));
        }
        let kept = memory::live_bytes() - before;
        assert!(kept <= KEPT_MAX_BYTES, "{kept} bytes are kept of a batch");
    }
}

/// Bytes as a frame of Zstandard that packs nothing (RFC 8878 section 3.1.1): one raw block.
fn zstd_stored(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[..bytes.len().min(100_000)];
    let length = bytes.len() as u32;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend(length.to_le_bytes());
    frame.extend(&(length << 3 | 1).to_le_bytes()[..3]);
    frame.extend(bytes);
    frame
}
