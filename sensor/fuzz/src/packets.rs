//! Target: the store of packets: index files, segments, and what somebody changed in a folder.
//!
//! Script: a byte that says what is played.
//!
//! - 0: the rest is an index file; the checksum of its head is put right, so that what lies behind it is reached.
//! - 1: the rest is a segment; checksums of heads are put right. It is opened and asked like any other.
//! - else: packets are kept (a byte for the flow, one of time, one of length; ends with a byte of 255), then bytes of the
//!   files are changed (a byte for the file, three for the place, one to change it by; a change of nothing cuts the file
//!   there), and everything is asked for again.
//!
//! Must hold: little is kept whatever a file says of itself; what comes out of a changed store was put in, byte for byte,
//! and belongs to the flow that was asked for.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use luytre_events::CommunityId;
use luytre_sensor::capture::{FileSource, LinkType, Next, Packet, PacketSource};
use luytre_sensor::packets::index::IndexFile;
use luytre_sensor::packets::shelf::{Limits, Shelf, index_path, segment_path};
use luytre_sensor::packets::{Extraction, FOLDER, Keeper, Member, PacketSettings, Query, StoreKey};

use super::input::Input;
use super::memory;

/// Where the heads of segments and blocks have their checksums, and how long they are.
const HEAD_BYTES: usize = 64;
/// What looking into files may take: a block, its packets, and buffers.
const KEPT_MAX_BYTES: i64 = 16 << 20;
const FLOWS: u8 = 4;

/// Plays a script.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let folder = tempfile::tempdir().expect("a folder for the store");
    let before = memory::live_bytes();
    match input.u8() {
        0 => index(folder.path(), input.0),
        1 => segment(folder.path(), input.0),
        _ => changed(folder.path(), &mut input),
    }
    let kept = memory::live_bytes() - before;
    assert!(kept <= KEPT_MAX_BYTES, "{kept} bytes are kept of a store");
}

/// Puts the checksum at the end of a head right.
fn sum(head: &mut [u8]) {
    if head.len() == HEAD_BYTES {
        let sum = crc32fast::hash(&head[..HEAD_BYTES - 4]);
        head[HEAD_BYTES - 4..].copy_from_slice(&sum.to_le_bytes());
    }
}

fn index(folder: &Path, bytes: &[u8]) {
    let path = folder.join("0.idx");
    let mut bytes = bytes.to_vec();
    let head = bytes.len().min(HEAD_BYTES);
    sum(&mut bytes[..head]);
    fs::write(&path, &bytes).expect("write the index");
    let Ok(index) = IndexFile::open(&path) else { return };
    let tags = bytes.chunks_exact(8).take(64).map(|tag| u64::from_le_bytes(tag.try_into().expect("eight bytes")));
    for tag in tags.map(Some).chain([None, Some(0), Some(u64::MAX)]) {
        if let Ok(places) = index.find(tag, i64::MIN, i64::MAX) {
            assert!(places.len() * 4 <= bytes.len(), "more places than the file can hold");
        }
    }
}

fn limits() -> Limits {
    let (quota_bytes, age) = (u64::MAX, Duration::from_secs(3600));
    Limits { quota_bytes, segment_bytes: 1 << 20, age, free_bytes: 0, level: None }
}

fn key(folder: &Path) -> StoreKey {
    StoreKey::load_or_make(folder).expect("a key of the store")
}

fn open(folder: &Path) -> Shelf {
    Shelf::open_on(folder, key(folder), limits(), |_| Ok(u64::MAX)).expect("the folder can be read")
}

fn segment(folder: &Path, bytes: &[u8]) {
    let key = key(folder);
    let root = folder.join(FOLDER);
    fs::create_dir_all(&root).expect("make the folder");
    let mut bytes = bytes.to_vec();
    if bytes.len() >= HEAD_BYTES {
        // A segment of this store: else it is passed over at its first byte.
        bytes[..8].copy_from_slice(b"LTPKT\x00\x00\x01");
        bytes[8..16].copy_from_slice(&0u64.to_le_bytes());
        bytes[32..40].copy_from_slice(&key.id());
        sum(&mut bytes[..HEAD_BYTES]);
    }
    // The first block's head too.
    if bytes.len() >= 2 * HEAD_BYTES {
        bytes[HEAD_BYTES..HEAD_BYTES + 4].copy_from_slice(b"LTPB");
        sum(&mut bytes[HEAD_BYTES..2 * HEAD_BYTES]);
    }
    fs::write(segment_path(&root, 0), &bytes).expect("write the segment");
    for _ in 0..2 {
        // The first time without an index, as after a crash; then finished.
        let (packets, _) = ask(folder, None);
        assert!(packets.is_empty(), "packets out of nothing");
        drop(open(folder));
    }
}

/// A packet: its flow, when, its bytes.
type Kept = (u8, i64, Vec<u8>);

fn name(flow: u8) -> CommunityId {
    CommunityId([flow + 1; 20])
}

fn changed(folder: &Path, input: &mut Input<'_>) {
    let mut all: Vec<Kept> = Vec::new();
    let mut keeper = Keeper::start(Arc::new(open(folder)), PacketSettings::default().cutoffs(), "eth0", true)
        .expect("a thread for the keeper");
    let mut time_ns = 1_795_000_000_000_000_000;
    while !input.is_empty() {
        let flow = input.u8();
        if flow == u8::MAX {
            break;
        }
        time_ns += input.step_ns();
        let bytes = vec![flow ^ 0x5a; usize::from(input.u8())];
        let packet = Packet {
            time_ns,
            link: LinkType::ETHERNET,
            original_length: bytes.len() as u32,
            vlan: None,
            bytes: &bytes,
        };
        let flow = flow % FLOWS;
        let member = Member { community_id: name(flow), before_bytes: 0, protocol: None };
        keeper.packet(&packet, Some(&member), None);
        all.push((flow, time_ns, bytes));
    }
    keeper.finish();
    drop(keeper);
    let untouched = input.is_empty();
    change(&folder.join(FOLDER), input);
    for flow in 0..FLOWS {
        let (packets, passed_over) = ask(folder, Some(name(flow)));
        let mine: Vec<(i64, Vec<u8>)> =
            all.iter().filter(|(of, ..)| *of == flow).map(|(_, time_ns, bytes)| (*time_ns, bytes.clone())).collect();
        assert!(packets.iter().all(|packet| mine.contains(packet)), "packets that were never kept");
        if untouched {
            assert_eq!((packets.len(), passed_over), (mine.len(), 0), "packets are missing");
        }
    }
    drop(open(folder));
}

fn change(root: &Path, input: &mut Input<'_>) {
    while !input.is_empty() {
        let file = if input.u8() & 1 == 0 { segment_path(root, 0) } else { index_path(root, 0) };
        let place = usize::from(input.u16()) | usize::from(input.u8()) << 16;
        let by = input.u8();
        let Ok(mut bytes) = fs::read(&file) else { continue };
        if bytes.is_empty() {
            continue;
        }
        let place = place % bytes.len();
        match by {
            0 => bytes.truncate(place),
            by => bytes[place] ^= by,
        }
        fs::write(&file, bytes).expect("change a file");
    }
}

/// All packets of a flow, and how much was passed over.
fn ask(folder: &Path, flow: Option<CommunityId>) -> (Vec<(i64, Vec<u8>)>, u64) {
    let query = Query { flow, from_ns: i64::MIN, to_ns: i64::MAX, limit_bytes: 1 << 20 };
    let Ok(mut extraction) = Extraction::start(&folder.join(FOLDER), &key(folder), query) else {
        return (Vec::new(), 1);
    };
    let mut file = Vec::new();
    while let Some(piece) = extraction.next_piece(4096) {
        file.extend(piece);
    }
    let (told, passed_over) = (extraction.summary().packets, extraction.summary().passed_over);
    let packets = read(file);
    assert_eq!(packets.len() as u64, told);
    (packets, passed_over)
}

fn read(file: Vec<u8>) -> Vec<(i64, Vec<u8>)> {
    let mut packets = Vec::new();
    if file.is_empty() {
        return packets;
    }
    let source = FileSource::from_stream(Path::new("answer"), Box::new(Cursor::new(file)));
    let mut source = source.expect("an answer begins like a capture");
    while let Next::Packet(packet) = source.next().expect("an answer is a whole capture") {
        packets.push((packet.time_ns, packet.bytes.to_vec()));
    }
    packets
}
