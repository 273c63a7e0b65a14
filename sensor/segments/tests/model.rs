//! The log against a plain model: a list of records that were promised and a list of those that were not.

use std::sync::Arc;

use luytre_segments::memory::Memory;
use luytre_segments::{Cursor, Disk, Log, Position, Recovery, Step, View};
use proptest::prelude::*;

const SEGMENT_BYTES: u64 = 400;

#[derive(Debug, Clone)]
enum Act {
    /// Append a record of this many bytes beyond its number.
    Append(usize),
    Sync,
    /// Append while the disk has only this much room.
    AppendWithRoom(usize, u64),
    FailingSync,
    /// Lose power; of what was not durable this share (of 255) stays.
    Crash(u8),
    /// Remove what lies before the n-th readable record.
    Remove(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0usize..150).prop_map(Act::Append),
        3 => Just(Act::Sync),
        1 => (0usize..150, 0u64..200).prop_map(|(size, room)| Act::AppendWithRoom(size, room)),
        1 => Just(Act::FailingSync),
        1 => any::<u8>().prop_map(Act::Crash),
        1 => (0usize..20).prop_map(Act::Remove),
    ]
}

fn record(number: u32, size: usize) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(4 + size, 0x5a);
    bytes
}

fn read_all(view: &View) -> (Vec<Vec<u8>>, u64) {
    let mut cursor = Cursor::new(view.clone(), Position::default());
    let (mut records, mut damaged) = (Vec::new(), 0);
    loop {
        match cursor.next().unwrap() {
            Step::Record(bytes, _) => records.push(bytes),
            Step::Damaged { bytes } => damaged += bytes,
            Step::End => return (records, damaged),
        }
    }
}

fn open(disk: &Memory) -> (Log, Recovery) {
    Log::open(Arc::new(disk.clone()), SEGMENT_BYTES).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_promised_is_lost_and_nothing_comes_back(acts in prop::collection::vec(act(), 1..80)) {
        let disk = Memory::default();
        let (mut log, _) = open(&disk);
        let (mut promised, mut hoped): (Vec<Vec<u8>>, Vec<Vec<u8>>) = Default::default();
        let mut number = 0;
        for act in acts {
            match act {
                Act::Append(size) | Act::AppendWithRoom(size, _) => {
                    if let Act::AppendWithRoom(_, room) = act {
                        disk.set_room(Some(room));
                    }
                    number += 1;
                    let record = record(number, size);
                    let before = log.view().end();
                    let appended = log.append(&record, || b"header".to_vec());
                    if log.view().end() != before {
                        // A new segment was begun: everything before it was made durable.
                        promised.append(&mut hoped);
                    }
                    if appended.is_ok() {
                        hoped.push(record);
                    }
                    disk.set_room(None);
                }
                Act::Sync => {
                    log.sync().unwrap();
                    promised.append(&mut hoped);
                }
                Act::FailingSync => {
                    disk.fail_syncs(1);
                    let failed = log.sync().is_err();
                    prop_assert_eq!(failed, !hoped.is_empty());
                    disk.fail_syncs(0);
                    hoped.clear();
                }
                Act::Crash(share) => {
                    disk.crash(|unsynced| unsynced * usize::from(share) / 255);
                    log = open(&disk).0;
                    let (found, damaged) = read_all(&log.view());
                    prop_assert_eq!(damaged, 0);
                    prop_assert!(found.len() >= promised.len());
                    let all: Vec<_> = promised.iter().chain(&hoped).cloned().collect();
                    prop_assert_eq!(&found[..], &all[..found.len()]);
                    promised = found;
                    hoped.clear();
                }
                Act::Remove(n) => {
                    let mut cursor = Cursor::new(log.view(), Position::default());
                    for _ in 0..n {
                        cursor.next().unwrap();
                    }
                    log.view().remove_before(cursor.position(), |_, _| true).unwrap();
                    let (found, _) = read_all(&log.view());
                    prop_assert!(promised.len() - found.len() <= n);
                    promised.drain(..promised.len() - found.len());
                }
            }
            prop_assert_eq!(&read_all(&log.view()).0, &promised);
        }
    }

    #[test]
    fn a_flip_loses_one_record_and_says_so(
        sizes in prop::collection::vec(0usize..150, 3..30),
        segment in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(),
    ) {
        let disk = Memory::default();
        let (mut log, _) = open(&disk);
        for (number, size) in (0..).zip(&sizes) {
            log.append(&record(number, *size), || b"header".to_vec()).unwrap();
            log.sync().unwrap();
        }
        let files: Vec<_> = disk.sizes().into_iter().collect();
        let (name, size) = segment.get(&files);
        disk.flip(name, bit.index(size * 8));
        let (log, recovery) = open(&disk);
        let (found, damaged) = read_all(&log.view());
        let all: Vec<_> = (0..).zip(&sizes).map(|(number, size)| record(number, *size)).collect();
        // Every record that is found is a true one, in order, and at most one is missing.
        prop_assert!(found.len() + 1 >= all.len());
        let mut rest = all.iter();
        prop_assert!(found.iter().all(|record| rest.any(|r| r == record)));
        prop_assert!(damaged > 0 || recovery.cut_bytes > 0);
    }
}

#[test]
fn a_full_disk_is_an_error_and_then_goes_on_by_itself() {
    let disk = Memory::default();
    let (mut log, _) = open(&disk);
    log.append(b"one", Vec::new).unwrap();
    log.sync().unwrap();
    disk.set_room(Some(10));
    let error = log.append(b"two", Vec::new).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    disk.set_room(Some(1000));
    log.append(b"three", Vec::new).unwrap();
    log.sync().unwrap();
    assert_eq!(read_all(&log.view()).0, [b"one".to_vec(), b"three".to_vec()]);
}

#[test]
fn a_real_folder_keeps_its_records_and_header_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let disk = luytre_segments::Folder::open(folder.path()).unwrap();
        Log::open(Arc::new(disk), 200).unwrap()
    };
    let (mut log, recovery) = open();
    assert_eq!(recovery, Recovery::default());
    for number in 0..20 {
        log.append(&record(number, 30), || format!("before {number}").into_bytes()).unwrap();
    }
    log.sync().unwrap();
    drop(log);
    let (log, recovery) = open();
    assert_eq!(recovery.header.as_deref(), Some(&b"before 18"[..]));
    assert_eq!(read_all(&log.view()).0.len(), 20);
    let disk = luytre_segments::Folder::open(folder.path()).unwrap();
    let newest = disk.list().unwrap().into_iter().max().unwrap();
    disk.write(&newest, disk.size(&newest).unwrap(), b"LTR1torn").unwrap();
    drop(log);
    let (log, recovery) = open();
    assert_eq!(recovery.cut_bytes, 8);
    assert_eq!(read_all(&log.view()).0.len(), 20);
}
