//! The store of packets against a plain list, and against what breaks: torn files, full disks, wrong keys, damaged bytes.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use luytre_events::CommunityId;
use proptest::prelude::*;

use luytre_sensor::capture::{FileSource, LinkType, Next, Packet, PacketSource};
use luytre_sensor::decode::fragments::FragmentLimits;
use luytre_sensor::decode::{Checksums, Decoder};
use luytre_sensor::packets::index::{Index, IndexFile};
use luytre_sensor::packets::settings::Cutoffs;
use luytre_sensor::packets::shelf::{Limits, Shelf, index_path, numbers, segment_path};
use luytre_sensor::packets::{Extraction, FOLDER, Keeper, Member, PacketSettings, Query, StoreKey, block, extract};

const EVER: (i64, i64) = (i64::MIN, i64::MAX);

/// A store in a folder of its own.
struct Rig {
    folder: tempfile::TempDir,
    key: StoreKey,
}

/// A packet of the plain list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plain {
    flow: u8,
    time_ns: i64,
    bytes: Vec<u8>,
}

impl Rig {
    fn new() -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let key = StoreKey::load_or_make(folder.path()).unwrap();
        Rig { folder, key }
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    fn root(&self) -> std::path::PathBuf {
        self.data().join(FOLDER)
    }

    fn shelf(&self, limits: Limits) -> Arc<Shelf> {
        Arc::new(Shelf::open_on(self.data(), self.key.clone(), limits, |_| Ok(u64::MAX)).unwrap())
    }

    fn ask(
        &self,
        flow: Option<CommunityId>,
        (from_ns, to_ns): (i64, i64),
        limit_bytes: u64,
    ) -> (Vec<u8>, extract::Summary) {
        let query = Query { flow, from_ns, to_ns, limit_bytes };
        let mut extraction = Extraction::start(&self.root(), &self.key, query).unwrap();
        let mut file = Vec::new();
        while let Some(piece) = extraction.next_piece(1000) {
            file.extend(piece);
        }
        (file, extraction.summary().clone())
    }

    /// Times and bytes of a flow's packets.
    fn packets(&self, flow: u8, span: (i64, i64)) -> Vec<(i64, Vec<u8>)> {
        let (file, summary) = self.ask(Some(name(flow)), span, u64::MAX);
        assert_eq!((summary.passed_over, summary.cut), (0, false));
        let packets = read(&file);
        assert_eq!(packets.len() as u64, summary.packets);
        packets
    }
}

fn limits(segment_bytes: u64) -> Limits {
    let (quota_bytes, age) = (u64::MAX, Duration::from_secs(3600));
    Limits { quota_bytes, segment_bytes, age, free_bytes: 0, level: None }
}

fn cutoffs() -> Cutoffs {
    PacketSettings::default().cutoffs()
}

fn name(flow: u8) -> CommunityId {
    CommunityId([flow + 1; 20])
}

fn member(flow: u8, before_bytes: u64) -> Member {
    Member { community_id: name(flow), before_bytes, protocol: None }
}

fn packet(time_ns: i64, bytes: &[u8]) -> Packet<'_> {
    Packet { time_ns, link: LinkType::ETHERNET, original_length: bytes.len() as u32, vlan: None, bytes }
}

/// Reads a file back with the sensor's own reader.
fn read(file: &[u8]) -> Vec<(i64, Vec<u8>)> {
    let mut packets = Vec::new();
    if file.is_empty() {
        return packets;
    }
    let mut source =
        FileSource::from_stream(Path::new("answer"), Box::new(std::io::Cursor::new(file.to_vec()))).unwrap();
    loop {
        match source.next().unwrap() {
            Next::Packet(packet) => packets.push((packet.time_ns, packet.bytes.to_vec())),
            Next::Idle => {}
            Next::End => return packets,
        }
    }
}

fn settle(keeper: &Keeper) {
    while keeper.counts().held > 0 {
        std::thread::yield_now();
    }
}

/// What happens to the store.
#[derive(Debug, Clone)]
enum Step {
    Packet { lane: usize, flow: u8, time_ns: i64, length: usize },
    HandOver { lane: usize },
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let packet = (0..2usize, 0..5u8, 0..1000i64, 0..600usize).prop_map(|(lane, flow, time_ns, length)| Step::Packet {
        lane,
        flow,
        time_ns,
        length,
    });
    let step = prop_oneof![
        20 => packet,
        3 => (0..2usize).prop_map(|lane| Step::HandOver { lane }),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_flow_is_found_whole_whatever_the_order_and_the_rotation(
        steps in steps(),
        segment_bytes in 1..6000u64,
        compress in any::<bool>(),
        span in (0..1000i64, 0..1000i64),
    ) {
        let rig = Rig::new();
        let limits = Limits { level: compress.then_some(1), ..limits(segment_bytes) };
        let start = || {
            let shelf = rig.shelf(limits.clone());
            [0, 1].map(|lane| Keeper::start(shelf.clone(), cutoffs(), &format!("lane {lane}"), true).unwrap())
        };
        let mut keepers = start();
        let mut list: Vec<Plain> = Vec::new();
        for step in &steps {
            match step {
                Step::Packet { lane, flow, time_ns, length } => {
                    let bytes = vec![list.len() as u8; *length];
                    keepers[*lane].packet(&packet(*time_ns, &bytes), Some(&member(*flow, 0)), None);
                    list.push(Plain { flow: *flow, time_ns: *time_ns, bytes });
                }
                Step::HandOver { lane } => keepers[*lane].hand_over(),
                Step::Restart => {
                    drop(keepers);
                    keepers = start();
                }
            }
        }
        for keeper in &mut keepers {
            keeper.hand_over();
            settle(keeper);
        }
        // Once while the last segments are open, once when all are finished.
        for span in [EVER, (span.0.min(span.1), span.0.max(span.1))] {
            for flow in 0..5 {
                prop_assert_eq!(sorted(rig.packets(flow, span)), plain(&list, flow, span));
            }
        }
        let counts = keepers.iter_mut().map(|keeper| { keeper.finish(); keeper.counts() });
        for counts in counts {
            prop_assert_eq!((counts.taken, counts.held), (counts.given, 0));
        }
        drop(keepers);
        for flow in 0..5 {
            prop_assert_eq!(sorted(rig.packets(flow, span)), plain(&list, flow, span));
        }
        let (all, _) = rig.ask(None, EVER, u64::MAX);
        prop_assert_eq!(read(&all).len(), list.len());
    }

    #[test]
    fn the_index_on_disk_answers_like_the_one_in_memory(
        blocks in proptest::collection::vec((proptest::collection::btree_set(0..400u64, 0..60), 0..100i64, 0..100i64), 0..60),
        span in (0..100i64, 0..100i64),
        spread in prop_oneof![Just(1u64), Just(u64::MAX / 400)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (mut index, mut offset) = (Index::default(), 64);
        for (number, (tags, first, length)) in blocks.iter().enumerate() {
            let mut block = block::Block::default();
            block.add(&packet(*first, b"a"), None, None);
            block.add(&packet(first + length, b"b"), None, None);
            let keys = StoreKey::generate().unwrap().segment(&[0; 16], 0).unwrap();
            let (bytes, head) = block.seal(&keys, number as u32, "", None).unwrap();
            let tags: Vec<u64> = tags.iter().map(|tag| tag * spread).collect();
            index.add(&head.head, &tags, offset);
            offset += bytes.len() as u64;
        }
        let path = folder.path().join("index");
        index.write(&path, 9).unwrap();
        let file = IndexFile::open(&path).unwrap();
        prop_assert_eq!(file.number, 9);
        for (from, to) in [EVER, span] {
            for tag in (0..400).map(|tag| Some(tag * spread)).chain([None, Some(u64::MAX)]) {
                prop_assert_eq!(file.find(tag, from, to).unwrap(), index.find(tag, from, to));
            }
        }
    }
}

fn sorted(mut packets: Vec<(i64, Vec<u8>)>) -> Vec<(i64, Vec<u8>)> {
    packets.sort();
    packets
}

fn plain(list: &[Plain], flow: u8, (from, to): (i64, i64)) -> Vec<(i64, Vec<u8>)> {
    let here = list.iter().filter(|one| one.flow == flow && one.time_ns >= from && one.time_ns <= to);
    sorted(here.map(|one| (one.time_ns, one.bytes.clone())).collect())
}

/// A store with one segment of so many blocks, a packet of each of three flows in every block.
fn filled(rig: &Rig, blocks: i64) {
    let mut keeper = Keeper::start(rig.shelf(limits(u64::MAX)), cutoffs(), "eth0", true).unwrap();
    for block in 0..blocks {
        for flow in 0..3 {
            keeper.packet(&packet(block, &[flow; 100]), Some(&member(flow, 0)), None);
        }
        keeper.hand_over();
    }
}

#[test]
fn answers_come_in_the_order_of_time_and_name_their_interface() {
    let rig = Rig::new();
    filled(&rig, 5);
    let times: Vec<i64> = rig.packets(1, EVER).iter().map(|(time_ns, _)| *time_ns).collect();
    assert_eq!(times, [0, 1, 2, 3, 4]);
    assert_eq!(rig.packets(1, (1, 3)).len(), 3);
    let (file, summary) = rig.ask(Some(name(2)), EVER, u64::MAX);
    assert!(file.windows(4).any(|bytes| bytes == b"eth0"));
    assert_eq!((summary.packets, summary.blocks, summary.segments), (5, 5, 1));
    assert_eq!(
        rig.ask(Some(name(77)), EVER, u64::MAX),
        (Vec::new(), extract::Summary { segments: 1, ..Default::default() })
    );
}

#[test]
fn an_answer_ends_at_its_limit_and_says_so() {
    let rig = Rig::new();
    filled(&rig, 50);
    let (whole, _) = rig.ask(Some(name(0)), EVER, u64::MAX);
    let (file, summary) = rig.ask(Some(name(0)), EVER, 1000);
    assert!(summary.cut && file.len() <= 1000 && !read(&file).is_empty());
    assert_eq!(file[..], whole[..file.len()]);
    let (file, summary) = rig.ask(Some(name(0)), EVER, whole.len() as u64);
    assert_eq!((file, summary.cut), (whole, false));
}

#[test]
fn a_segment_that_was_torn_anywhere_is_read_up_to_its_last_whole_block() {
    let rig = Rig::new();
    filled(&rig, 4);
    let path = segment_path(&rig.root(), 0);
    let whole = fs::read(&path).unwrap();
    let block = (whole.len() - 64) / 4;
    for length in (64 + block..=whole.len()).step_by(37) {
        fs::write(&path, &whole[..length]).unwrap();
        let _ = fs::remove_file(index_path(&rig.root(), 0));
        let blocks = (length - 64) / block;
        // As left by a killed sensor, and after the next start.
        assert_eq!(rig.packets(1, EVER).len(), blocks);
        let shelf = rig.shelf(limits(u64::MAX));
        assert_eq!(shelf.usage().bytes as usize, 64 + blocks * block);
        assert_eq!(rig.packets(1, EVER).len(), blocks);
    }
    // Zeros where the end was not written yet before the power went, and a segment with no whole block.
    let mut holes = whole.clone();
    holes[64 + 3 * block..].fill(0);
    fs::write(&path, &holes).unwrap();
    let _ = fs::remove_file(index_path(&rig.root(), 0));
    rig.shelf(limits(u64::MAX));
    assert_eq!(rig.packets(1, EVER).len(), 3);
    fs::write(&path, &whole[..64]).unwrap();
    fs::remove_file(index_path(&rig.root(), 0)).unwrap();
    assert_eq!(rig.shelf(limits(u64::MAX)).usage().segments, 0);
    assert!(!path.exists());
}

#[test]
fn a_new_run_never_writes_to_an_old_segment() {
    let rig = Rig::new();
    filled(&rig, 2);
    let before = fs::read(segment_path(&rig.root(), 0)).unwrap();
    filled(&rig, 2);
    assert_eq!(numbers(&rig.root()).unwrap(), [0, 1]);
    assert_eq!(fs::read(segment_path(&rig.root(), 0)).unwrap(), before);
    assert_eq!(rig.packets(0, EVER).len(), 4);
}

#[test]
fn nothing_in_the_clear_says_who_spoke_or_what() {
    let rig = Rig::new();
    filled(&rig, 2);
    for path in [segment_path(&rig.root(), 0), index_path(&rig.root(), 0)] {
        let bytes = fs::read(path).unwrap();
        for flow in 0..3 {
            assert!(!bytes.windows(20).any(|part| part == name(flow).0));
            assert!(!bytes.windows(8).any(|part| part == [flow; 8] && flow > 0));
        }
    }
}

#[test]
fn the_oldest_segments_make_room_and_are_counted() {
    let rig = Rig::new();
    let quota_bytes = 20_000;
    let shelf = rig.shelf(Limits { quota_bytes, ..limits(1500) });
    let mut keeper = Keeper::start(shelf.clone(), cutoffs(), "eth0", true).unwrap();
    for number in 0..200 {
        keeper.packet(&packet(number, &[1; 300]), Some(&member(0, 0)), None);
        keeper.hand_over();
    }
    keeper.finish();
    let usage = shelf.usage();
    assert!(usage.bytes <= quota_bytes && usage.bytes > quota_bytes / 2, "{usage:?}");
    let on_disk: u64 =
        numbers(&rig.root()).unwrap().iter().map(|n| fs::metadata(segment_path(&rig.root(), *n)).unwrap().len()).sum();
    assert_eq!(on_disk, usage.bytes);
    let times: Vec<i64> = rig.packets(0, EVER).iter().map(|(time_ns, _)| *time_ns).collect();
    let expected: Vec<i64> = (200 - times.len() as i64..200).collect();
    assert_eq!(times, expected, "the newest are there, without a hole");
    assert!(usage.removed_segments > 0 && usage.removed_bytes > 0);
    assert_eq!(keeper.counts().given, 200);
    // Age.
    shelf.expire(SystemTime::now() + Duration::from_secs(7200));
    assert_eq!((shelf.usage().segments, shelf.usage().bytes), (0, 0));
    assert!(numbers(&rig.root()).unwrap().is_empty());
}

#[test]
fn a_quota_without_room_for_anything_costs_packets_only() {
    let rig = Rig::new();
    let mut keeper =
        Keeper::start(rig.shelf(Limits { quota_bytes: 100, ..limits(1000) }), cutoffs(), "eth0", true).unwrap();
    keeper.packet(&packet(0, &[1; 300]), Some(&member(0, 0)), None);
    keeper.finish();
    let counts = keeper.counts();
    assert_eq!((counts.taken, counts.given, counts.held, counts.dropped["quota"]), (1, 0, 0, 1));
}

#[test]
fn a_full_disk_stops_packets_first_and_they_are_counted() {
    let rig = Rig::new();
    filled(&rig, 3);
    // The disk has less room than must stay free: what is there makes room, then nothing more is kept.
    let limits = Limits { free_bytes: 1 << 20, ..limits(u64::MAX) };
    let shelf = Arc::new(Shelf::open_on(rig.data(), rig.key.clone(), limits, |_| Ok(1 << 19)).unwrap());
    let mut keeper = Keeper::start(shelf.clone(), cutoffs(), "eth0", true).unwrap();
    for _ in 0..3 {
        keeper.packet(&packet(0, &[1; 300]), None, None);
        keeper.hand_over();
    }
    keeper.finish();
    let counts = keeper.counts();
    assert_eq!((counts.taken, counts.given, counts.held, counts.dropped["disk_full"]), (3, 0, 0, 3));
    assert_eq!((shelf.usage().segments, shelf.usage().removed_segments), (0, 1));
    assert_eq!(counts.clone().stage().counts.unaccounted(), 0);
}

#[test]
fn a_folder_that_is_gone_costs_packets_only_until_it_is_back() {
    let rig = Rig::new();
    let mut keeper = Keeper::start(rig.shelf(limits(1)), cutoffs(), "eth0", true).unwrap();
    fs::remove_dir(rig.root()).unwrap();
    keeper.packet(&packet(0, &[1; 300]), Some(&member(0, 0)), None);
    keeper.hand_over();
    settle(&keeper);
    assert_eq!(keeper.counts().dropped["disk_error"], 1);
    fs::create_dir(rig.root()).unwrap();
    keeper.packet(&packet(1, &[1; 300]), Some(&member(0, 0)), None);
    keeper.finish();
    assert_eq!((keeper.counts().given, rig.packets(0, EVER).len()), (1, 1));
}

#[test]
fn a_flow_is_cut_off_by_its_protocol_and_counted_by_it() {
    let rig = Rig::new();
    let mut keeper = Keeper::start(rig.shelf(limits(u64::MAX)), cutoffs(), "eth0", true).unwrap();
    let encrypted = luytre_sensor::protocols::ENCRYPTED.first().copied();
    for (before_bytes, protocol) in [(0, None), (2 << 20, None), (2 << 20, encrypted), (11 << 20, None)] {
        keeper.packet(&packet(0, b"abc"), Some(&Member { protocol, ..member(0, before_bytes) }), None);
    }
    keeper.finish();
    let counts = keeper.counts();
    assert_eq!((counts.taken, counts.given), (4, 2));
    assert_eq!(counts.dropped, [("cutoff".to_owned(), 1), (format!("cutoff_{}", encrypted.unwrap()), 1)].into());
}

#[test]
fn damage_and_foreign_keys_are_passed_over_and_counted() {
    let rig = Rig::new();
    filled(&rig, 3);
    let index = index_path(&rig.root(), 0);
    let whole = fs::read(&index).unwrap();
    for length in [0, 10, 64, whole.len() - 1] {
        fs::write(&index, &whole[..length]).unwrap();
        assert_eq!(rig.packets(1, EVER).len(), 3, "without its index the segment itself is read");
    }
    fs::write(&index, &whole).unwrap();
    let path = segment_path(&rig.root(), 0);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let (file, summary) = rig.ask(Some(name(1)), EVER, u64::MAX);
    assert_eq!((read(&file).len(), summary.passed_over), (2, 1));
    let other = Rig { key: StoreKey::generate().unwrap(), ..rig };
    assert_eq!(other.ask(Some(name(1)), EVER, u64::MAX).1.passed_over, 1);
}

#[test]
fn a_vlan_tag_that_the_card_took_out_is_put_back() {
    let rig = Rig::new();
    let mut keeper = Keeper::start(rig.shelf(limits(u64::MAX)), cutoffs(), "eth0", true).unwrap();
    let frame: Vec<u8> = (0..60).collect();
    keeper.packet(&Packet { vlan: Some(300), ..packet(5, &frame) }, Some(&member(0, 0)), None);
    keeper.finish();
    let (_, bytes) = rig.packets(0, EVER).remove(0);
    assert_eq!((&bytes[..12], &bytes[12..16], &bytes[16..]), (&frame[..12], &[0x81, 0, 1, 44][..], &frame[12..]));
}

/// An IPv4 packet (RFC 791) that is a fragment of a UDP datagram.
fn fragment(identification: u8, offset: u8, more: bool, payload: &[u8]) -> Vec<u8> {
    let length = 20 + payload.len() as u16;
    let mut bytes = vec![0x45, 0, (length >> 8) as u8, length as u8, 0, identification];
    bytes.extend([if more { 0x20 } else { 0 }, offset / 8, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    bytes.extend(payload);
    bytes
}

#[test]
fn the_fragments_of_a_flow_are_found_with_it() {
    let rig = Rig::new();
    let mut keeper = Keeper::start(rig.shelf(limits(1)), cutoffs(), "tun0", true).unwrap();
    let mut decoder = Decoder::new(FragmentLimits::default(), Checksums::Ignore);
    let udp = [&[0x30, 0x39, 0, 53, 0, 24, 0, 0][..], &[7; 16]].concat();
    // Two datagrams between each other; the fragments stand in different segments.
    let parts = [
        fragment(1, 0, true, &udp[..8]),
        fragment(2, 0, true, &udp[..8]),
        fragment(1, 8, true, &udp[8..16]),
        fragment(2, 8, false, &udp[8..]),
        fragment(1, 16, false, &udp[16..]),
    ];
    let raw = LinkType(101);
    for (time_ns, bytes) in (0..).zip(&parts) {
        let part = Packet { link: raw, ..packet(time_ns, bytes) };
        let flow = decoder.decode(&part, &mut Vec::new()).is_ok().then_some(bytes[5]);
        keeper.packet(&part, flow.map(|flow| member(flow, 0)).as_ref(), decoder.datagram());
        keeper.hand_over();
    }
    keeper.finish();
    let times = |flow| rig.packets(flow, EVER).into_iter().map(|(time_ns, _)| time_ns).collect::<Vec<_>>();
    assert_eq!((times(1), times(2)), (vec![0, 2, 4], vec![1, 3]));
}
