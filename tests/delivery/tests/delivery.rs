//! Nothing acknowledged is lost and nothing is doubled, whoever dies when; and only those who may speak are heard.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use luytre_collector::intake::{Answer, Next, PacketsError};
use luytre_delivery_check::{Collector, Line, Sensor, until};
use luytre_events::CommunityId;
use luytre_events::wire::{PACKETS_PIECE_BYTES, PacketsWish};
use luytre_sensor::capture::{LinkType, Packet};
use luytre_sensor::packets::shelf::Limits;
use luytre_sensor::packets::{Extraction, FOLDER, Keeper, Member, PacketSettings, Query, Shelf, StoreKey};
use luytre_sensor::uplink::UplinkSettings;
use sha2::{Digest, Sha256};

fn state_of(collector: &Collector, name: &str) -> String {
    collector.fleet.sensor(name).map(|sensor| format!("{:?}", sensor.state)).unwrap_or_default()
}

#[test]
fn nothing_is_lost_or_doubled_over_broken_lines_and_restarts_of_both_sides() {
    let (data, edge) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut collector = Collector::start(data.path());
    Sensor::enroll(collector.address, &collector.token("dc-1"), edge.path()).unwrap();
    let line = Line::to(collector.address, &[2_000, 4_000, 7_000, 9_000, 3_000, 5_000]);
    let mut sensor = Sensor::start(edge.path(), line.address);
    let mut mark = 0;
    for round in 0..12 {
        for _ in 0..20 {
            sensor.push(mark..mark + 50);
            mark += 50;
            // Many small batches, so that lines break between them.
            sensor.spool.flush();
        }
        match round {
            2 | 7 => {
                collector.kill();
                collector = Collector::start(data.path());
                line.lead_to(collector.address);
            }
            4 | 9 => {
                sensor.kill();
                sensor = Sensor::start(edge.path(), line.address);
            }
            _ => {}
        }
    }
    until("the collector has everything", || sensor.spool.stages().spool.counts.held == 0);
    until("what was left over has arrived too", || sensor.spool.stages().backlog.counts.held == 0);
    let expected = mark;
    until("the lines have broken", || line.connections.load(Ordering::Relaxed) >= 6);
    sensor.stop().unwrap();
    let events = collector.events();
    assert!(events.keys().all(|(sensor, _)| sensor == "dc-1"));
    let marks: BTreeSet<i64> = events.values().copied().collect();
    assert_eq!(marks.len(), events.len(), "an event has two numbers");
    assert_eq!(marks, (0..expected).collect());
    until("the last word was heard", || {
        collector.ledger.stages("dc-1").0.iter().all(|stage| stage.stage == "journal" || stage.held == 0)
    });
    let (stages, unaccounted) = collector.ledger.stages("dc-1");
    assert_eq!(unaccounted, 0, "{stages:#?}");
    // The restarted collector knows how far it was.
    let durable = collector.journal.durable("dc-1");
    collector.kill();
    assert_eq!(Collector::start(data.path()).journal.durable("dc-1"), durable);
}

#[test]
fn a_planned_exit_brings_everything_and_the_remainder_is_zero() {
    let (data, edge) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Collector::start(data.path());
    Sensor::enroll(collector.address, &collector.token("dc-1"), edge.path()).unwrap();
    let sensor = Sensor::start(edge.path(), collector.address);
    sensor.push(0..25_000);
    sensor.stop().unwrap();
    assert_eq!(collector.events().len(), 25_000);
    until("the last word was heard", || {
        collector.ledger.stages("dc-1").0.iter().any(|stage| stage.stage == "spool" && stage.given == 25_000)
    });
    assert_eq!(collector.ledger.stages("dc-1").1, 0);
    until("the sensor is known to be gone", || state_of(&collector, "dc-1") == "Silent");
}

#[test]
fn a_revoked_sensor_is_no_longer_heard() {
    let (data, edge) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Collector::start(data.path());
    Sensor::enroll(collector.address, &collector.token("dc-1"), edge.path()).unwrap();
    let sensor = Sensor::start(edge.path(), collector.address);
    sensor.push(0..10);
    until("the first events are there", || collector.events().len() == 10);
    assert_eq!(state_of(&collector, "dc-1"), "Connected");
    collector.fleet.revoke("dc-1").unwrap();
    assert_eq!(state_of(&collector, "dc-1"), "Revoked");
    sensor.push(10..20);
    sensor.stop().unwrap();
    // A new connection is greeted with a refusal.
    let sensor = Sensor::start(edge.path(), collector.address);
    sensor.stop().unwrap();
    assert_eq!(collector.events().len(), 10);
    // With a new token the same machine may come back and brings what it kept.
    Sensor::enroll(collector.address, &collector.token("dc-1"), edge.path()).unwrap();
    let sensor = Sensor::start(edge.path(), collector.address);
    until("what was kept has arrived", || collector.events().len() == 20);
    sensor.stop().unwrap();
}

#[test]
fn a_collector_of_another_authority_gets_nothing() {
    let (data, other, edge) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (collector, stranger) = (Collector::start(data.path()), Collector::start(other.path()));
    let token = collector.token("dc-1");
    let error = format!("{:#}", Sensor::enroll(stranger.address, &token, edge.path()).unwrap_err());
    assert!(error.contains("this is not the collector that the sensor knows"), "{error}");
    Sensor::enroll(collector.address, &token, edge.path()).unwrap();
    let sensor = Sensor::start(edge.path(), stranger.address);
    sensor.push(0..10);
    sensor.stop().unwrap();
    assert!(stranger.events().is_empty());
    let sensor = Sensor::start(edge.path(), collector.address);
    until("the right collector has them", || collector.events().len() == 10);
    sensor.stop().unwrap();
}

#[test]
fn a_token_enrols_one_sensor_and_refusals_say_what_to_do() {
    let (data, edge) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Collector::start(data.path());
    let (token, second) = (collector.token("dc-1"), collector.token("dc-1"));
    assert_eq!(Sensor::enroll(collector.address, &token, edge.path()).unwrap(), "dc-1");
    let refused = |token: &str| {
        let folder = tempfile::tempdir().unwrap();
        let error = Sensor::enroll(collector.address, token, folder.path()).unwrap_err();
        assert!(!folder.path().join("identity").exists());
        format!("{error:#}")
    };
    let used = refused(&token);
    assert!(used.contains("has been used already") && used.contains("token create"), "{used}");
    let taken = refused(&second);
    assert!(taken.contains("enrolled already; revoke it first"), "{taken}");
    let cut = refused(&token[..20]);
    assert!(cut.contains("copy all of what"), "{cut}");
}

#[test]
fn files_come_when_asked_for_and_only_if_they_are_what_was_asked_for() {
    let (data, edge) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Collector::start(data.path());
    Sensor::enroll(collector.address, &collector.token("dc-1"), edge.path()).unwrap();
    let content = vec![7; 300_000];
    let digest = |content: &[u8]| -> [u8; 32] { Sha256::digest(content).into() };
    let name = |sha256: [u8; 32]| sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let folder = edge.path().join("files");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join(name(digest(&content))), &content).unwrap();
    std::fs::write(folder.join(name(digest(b"true"))), b"false").unwrap();
    assert!(collector.fetch("dc-1", digest(&content)).unwrap_err().contains("not connected"));
    let sensor = Sensor::start(edge.path(), collector.address);
    until("the sensor is there", || {
        !collector.fetch("dc-1", digest(&content)).is_err_and(|e| e.contains("not connected"))
    });
    assert_eq!(collector.fetch("dc-1", digest(&content)).unwrap(), content);
    assert!(collector.fetch("dc-1", digest(b"gone")).unwrap_err().contains("no longer has"));
    assert!(collector.fetch("dc-1", digest(b"true")).unwrap_err().contains("no longer has"));
    sensor.stop().unwrap();
}

/// Keeps packets of one flow in a sensor's data folder, about four megabytes.
fn keep_packets(data: &Path, flow: CommunityId) {
    let settings = PacketSettings { free_mb: 0, ..PacketSettings::default() };
    let key = StoreKey::load_or_make(data).unwrap();
    let shelf = Arc::new(Shelf::open(data, key, Limits::new(&settings, 1)).unwrap());
    let mut keeper = Keeper::start(shelf, settings.cutoffs(), "eth0", true).unwrap();
    let bytes = [7; 1000];
    for time_ns in 0..4000 {
        let packet = Packet { time_ns, link: LinkType::ETHERNET, original_length: 1000, vlan: None, bytes: &bytes };
        let member = Member { community_id: flow, before_bytes: 0, protocol: None };
        keeper.packet(&packet, Some(&member), None);
    }
}

#[test]
fn packets_come_in_pieces_and_a_reader_that_rests_holds_up_nobody() {
    let (data, edge) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Collector::start(data.path());
    let flow = CommunityId([5; 20]);
    let wish = PacketsWish { flow, from_ns: i64::MIN, to_ns: i64::MAX, limit_bytes: u64::MAX };
    assert_eq!(collector.ask("dc-1", wish).err(), Some(PacketsError::Absent("dc-1".into())));
    Sensor::enroll(collector.address, &collector.token("dc-1"), edge.path()).unwrap();
    keep_packets(edge.path(), flow);
    let sensor = Sensor::start(edge.path(), collector.address);
    until("the sensor is there", || collector.ask("dc-1", wish).is_ok());

    // Two answers are begun and left alone; a third one comes whole, and so do events.
    let mut resting: Vec<Answer> = (0..2).map(|_| collector.ask("dc-1", wish).unwrap()).collect();
    for answer in &mut resting {
        assert!(matches!(collector.next(answer), Ok(Next::Piece(_))));
    }
    let mut answer = collector.ask("dc-1", wish).unwrap();
    let (file, packets) = take(&collector, &mut answer);
    let query = Query { flow: Some(flow), from_ns: i64::MIN, to_ns: i64::MAX, limit_bytes: u64::MAX };
    let key = StoreKey::load(edge.path()).unwrap();
    let mut direct = Extraction::start(&edge.path().join(FOLDER), &key, query).unwrap();
    let whole: Vec<u8> = std::iter::from_fn(|| direct.next_piece(1 << 20)).flatten().collect();
    assert_eq!((file.len(), packets), (whole.len(), 4000));
    assert!(file == whole, "the same bytes as from the store itself");
    sensor.push(0..10);
    until("events are not held up", || collector.events().len() == 10);

    // More at a time than a sensor answers.
    resting.extend((0..2).map(|_| collector.ask("dc-1", wish).unwrap()));
    assert!(matches!(collector.next(&mut resting[3]), Ok(Next::Piece(_))));
    let mut refused = collector.ask("dc-1", wish).unwrap();
    assert_eq!(collector.next(&mut refused), Err(PacketsError::Busy("dc-1".into())));
    // Whoever goes makes room, and whoever stays gets all of it.
    let mut stayed = resting.remove(0);
    drop(resting);
    let (rest, _) = take(&collector, &mut stayed);
    assert!(whole.ends_with(&rest) && rest.len() < whole.len());
    until("there is room again", || {
        let mut answer = collector.ask("dc-1", wish).unwrap();
        matches!(collector.next(&mut answer), Ok(Next::Piece(_)))
    });

    // Nothing there, and a sensor that dies in the middle.
    let mut none = collector.ask("dc-1", PacketsWish { flow: CommunityId([6; 20]), ..wish }).unwrap();
    assert_eq!(collector.next(&mut none), Ok(Next::Whole { packets: 0, cut: false, passed_over: 0 }));
    let mut broken = collector.ask("dc-1", wish).unwrap();
    assert!(matches!(collector.next(&mut broken), Ok(Next::Piece(_))));
    sensor.kill();
    let error = loop {
        match collector.next(&mut broken) {
            Ok(Next::Piece(_)) => {}
            Ok(Next::Whole { .. }) => panic!("a sensor that died sent everything"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, PacketsError::Absent("dc-1".into()));
}

/// Everything that is still to come of an answer.
fn take(collector: &Collector, answer: &mut Answer) -> (Vec<u8>, u64) {
    let mut file = Vec::new();
    loop {
        match collector.next(answer).unwrap() {
            Next::Piece(piece) => {
                assert!(piece.len() < 2 * PACKETS_PIECE_BYTES);
                file.extend(piece);
            }
            Next::Whole { packets, .. } => return (file, packets),
        }
    }
}

#[test]
fn a_sensor_that_keeps_no_packets_says_so() {
    let (data, edge) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Collector::start(data.path());
    Sensor::enroll(collector.address, &collector.token("dc-1"), edge.path()).unwrap();
    std::fs::remove_file(edge.path().join("identity/packets.key")).unwrap();
    let _sensor = Sensor::start(edge.path(), collector.address);
    let wish = PacketsWish { flow: CommunityId([5; 20]), from_ns: 0, to_ns: 1, limit_bytes: 1 };
    until("the sensor is there", || collector.ask("dc-1", wish).is_ok());
    let mut answer = collector.ask("dc-1", wish).unwrap();
    let error = collector.next(&mut answer).unwrap_err();
    assert!(error.to_string().contains("sensor dc-1 sends no packets: read the key"), "{error}");
}

#[test]
fn the_newer_of_two_connections_wins() {
    let (data, edge, twin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Collector::start(data.path());
    Sensor::enroll(collector.address, &collector.token("dc-1"), edge.path()).unwrap();
    let older = Sensor::start(edge.path(), collector.address);
    older.push(0..10);
    until("the older is heard", || collector.events().len() == 10);
    // A copy of the machine, restored from a backup, say.
    copy_identity(edge.path(), twin.path());
    let newer = Sensor::start(twin.path(), collector.address);
    newer.push(10..20);
    until("the newer is heard", || collector.events().len() == 20);
    newer.stop().unwrap();
    older.kill();
}

#[test]
fn a_certificate_is_renewed_before_it_lapses_and_the_old_one_is_over() {
    let (data, edge, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Collector::start(data.path());
    Sensor::enroll(collector.address, &collector.token("dc-1"), edge.path()).unwrap();
    let certificate = |folder: &std::path::Path| std::fs::read(folder.join("identity/certificate.pem")).unwrap();
    let old = certificate(edge.path());
    copy_identity(edge.path(), copy.path());
    let early = UplinkSettings { renew_days: 365, ..UplinkSettings::default() };
    let sensor = Sensor::start_with(edge.path(), collector.address, early);
    until("there is a new certificate", || {
        std::fs::read(edge.path().join("identity/certificate.pem")).is_ok_and(|now| now != old)
    });
    sensor.stop().unwrap();
    // Until the new one is used, a sensor that lost it may come with the old one.
    let sensor = Sensor::start(copy.path(), collector.address);
    sensor.push(0..10);
    until("the old one is still good", || collector.events().len() == 10);
    sensor.stop().unwrap();
    let sensor = Sensor::start(edge.path(), collector.address);
    sensor.push(10..20);
    until("the new one is good", || collector.events().len() == 20);
    sensor.stop().unwrap();
    let sensor = Sensor::start(copy.path(), collector.address);
    sensor.push(20..30);
    sensor.stop().unwrap();
    assert_eq!(collector.events().len(), 20);
}

fn copy_identity(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to.join("identity")).unwrap();
    for entry in std::fs::read_dir(from.join("identity")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join("identity").join(entry.file_name())).unwrap();
    }
}
