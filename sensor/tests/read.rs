//! `read` as a whole: the same events for any number of workers, nothing unaccounted, and the program's manners.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use etherparse::PacketBuilder;
use luytre_sensor::decode::Checksums;
use luytre_sensor::flow::FlowLimits;
use luytre_sensor::read::{Destination, ReadOptions, Summary, read};

/// Our own recording of a story with scans, web, DNS, TLS, files and a tunnel.
const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/demo/story.pcapng");

/// Classic pcap in nanoseconds.
struct Capture(Vec<u8>);

impl Capture {
    fn new() -> Capture {
        let header = [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 65535, 1];
        Capture(header.iter().flat_map(|word| word.to_le_bytes()).collect())
    }

    fn add(&mut self, time_ns: u64, frame: &[u8]) {
        let (seconds, nanos) = (time_ns / 1_000_000_000, time_ns % 1_000_000_000);
        let length = frame.len() as u64;
        for word in [seconds, nanos, length, length] {
            self.0.extend(u32::try_from(word).unwrap().to_le_bytes());
        }
        self.0.extend_from_slice(frame);
    }
}

fn ethernet() -> etherparse::PacketBuilderStep<etherparse::Ethernet2Header> {
    PacketBuilder::ethernet2([2; 6], [4; 6])
}

fn tcp(flow: u32, up: bool, sequence: u32, flags: &str, payload: &[u8]) -> Vec<u8> {
    let client = [198, 51, (flow >> 8) as u8, flow as u8];
    let (source, destination, ports) =
        if up { (client, [203, 0, 113, 9], (20_000, 80)) } else { ([203, 0, 113, 9], client, (80, 20_000)) };
    let mut step = ethernet().ipv4(source, destination, 60).tcp(ports.0, ports.1, sequence, 1000);
    for flag in flags.chars() {
        step = match flag {
            'S' => step.syn(),
            'F' => step.fin(),
            'R' => step.rst(),
            _ => step.ack(if up { 9001 } else { 1 }),
        };
    }
    let mut frame = Vec::new();
    step.write(&mut frame, payload).unwrap();
    frame
}

fn dns(flow: u32, name: &str) -> Vec<u8> {
    let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.len() as u8];
    query.extend_from_slice(name.as_bytes());
    query.extend([0, 0, 1, 0, 1]);
    let mut frame = Vec::new();
    let client = [198, 51, (flow >> 8) as u8, flow as u8];
    ethernet().ipv4(client, [192, 0, 2, 53], 60).udp(5353, 53).write(&mut frame, &query).unwrap();
    frame
}

/// Many flows that overlap in time, end in all ways, arrive out of order, and fall silent for long.
fn busy_capture() -> Vec<u8> {
    let mut capture = Capture::new();
    let mut time_ns = 1_700_000_000_000_000_000;
    for round in 0u32..40 {
        for step in 0..5u32 {
            for flow in (0..60).map(|f| round * 37 + f) {
                time_ns += 400_000;
                let request = format!("GET /{flow} HTTP/1.1\r\nHost: {flow}.example\r\n\r\n");
                let (head, tail) = request.as_bytes().split_at(10);
                let frame = match step {
                    0 if flow % 5 == 0 => dns(flow, "portal"),
                    0 => tcp(flow, true, 0, "S", b""),
                    1 => tcp(flow, false, 9000, "SA", b""),
                    2 => tcp(flow, true, 11, "A", tail),
                    3 => tcp(flow, true, 1, "A", head),
                    _ if flow % 3 == 0 => tcp(flow, true, 1 + request.len() as u32, "R", b""),
                    _ => tcp(flow, true, 1 + request.len() as u32, "FA", b""),
                };
                capture.add(time_ns, &frame);
            }
        }
        time_ns += 25_000_000_000 * u64::from(round % 4);
    }
    capture.0
}

fn read_all(files: &[PathBuf], workers: usize, limits: FlowLimits) -> (BTreeMap<String, Vec<u8>>, Summary) {
    let folder = tempfile::tempdir().unwrap();
    let destination = Destination::Directory(folder.path().to_owned());
    let summary = read(ReadOptions {
        probe: None,
        files: files.to_vec(),
        workers,
        destination,
        limits,
        checksums: Checksums::Ignore,
        filter: None,
        rules: None,
    })
    .unwrap();
    let lines = std::fs::read_dir(folder.path()).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())
    });
    (lines.collect(), summary)
}

fn same_for_any_workers(files: &[PathBuf], limits: FlowLimits) -> Summary {
    let (expected, summary) = read_all(files, 1, limits);
    assert_eq!(summary.unaccounted(), 0);
    for workers in [2, 4, 16] {
        let (lines, other) = read_all(files, workers, limits);
        assert!(lines == expected, "{workers} workers give other events");
        assert_eq!((&other.stages, &other.counts), (&summary.stages, &summary.counts));
    }
    summary
}

#[test]
fn the_recorded_story_reads_the_same_with_any_number_of_workers() {
    let summary = same_for_any_workers(&[STORY.into()], FlowLimits::default());
    assert!(["dns", "http", "tls", "file", "flow"].iter().all(|name| summary.counts.events[name] > 0));
}

#[test]
fn evictions_and_timeouts_read_the_same_with_any_number_of_workers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("busy.pcap");
    std::fs::write(&file, busy_capture()).unwrap();
    let plain = same_for_any_workers(std::slice::from_ref(&file), FlowLimits::default());
    assert_eq!(plain.counts.evicted, 0);
    let tight = FlowLimits { flows: 320, reassembly_bytes: 16 << 10, ..FlowLimits::default() };
    let tight = same_for_any_workers(&[file], tight);
    assert!(tight.counts.evicted > 0);
}

#[test]
fn what_is_kept_of_unknown_protocols_has_a_ceiling_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slow.pcap");
    let mut capture = Capture::new();
    // Something unknown that nobody answers, over many connections at once: the answer might still tell.
    for client in 1..=200 {
        capture.add(10_000_000_000, &tcp(client, true, 0, "S", b""));
        capture.add(10_000_000_000, &tcp(client, true, 1, "A", &[0xee; 900]));
    }
    std::fs::write(&file, &capture.0).unwrap();
    let plain = same_for_any_workers(std::slice::from_ref(&file), FlowLimits::default());
    assert_eq!(plain.counts.anomalies.get("flow.undecided_limit"), None);
    let tight = FlowLimits { undecided_bytes: 64 << 10, ..FlowLimits::default() };
    let tight = same_for_any_workers(&[file], tight);
    assert!(tight.counts.anomalies["flow.undecided_limit"] > 0);
    assert_eq!(tight.counts.flows, 200);
}

#[test]
fn files_are_one_capture_unless_time_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("1.pcap"), folder.path().join("2.pcap"));
    let mut capture = Capture::new();
    capture.add(10_000_000_000, &tcp(1, true, 0, "S", b""));
    std::fs::write(&first, &capture.0).unwrap();
    let mut capture = Capture::new();
    capture.add(11_000_000_000, &tcp(1, false, 9000, "SA", b""));
    std::fs::write(&second, &capture.0).unwrap();
    let (_, rotated) = read_all(&[first.clone(), second.clone()], 1, FlowLimits::default());
    assert_eq!(rotated.counts.flows, 1);
    let (_, unrelated) = read_all(&[second, first], 1, FlowLimits::default());
    assert_eq!(unrelated.counts.flows, 2);
}

fn sensor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_luytre-sensor")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn standard_output_has_a_json_object_a_line_and_a_summary_follows() {
    let output = sensor(&["read", STORY]);
    assert_eq!(output.status.code(), Some(0));
    for line in text(&output.stdout).lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["@timestamp"].is_string() && event["event"]["dataset"].is_string());
        assert!(event["event"]["id"].is_null(), "only a spool numbers events");
    }
    let summary = text(&output.stderr);
    assert!(summary.trim_end().ends_with(" 0 unaccounted"), "{summary}");
}

#[test]
fn a_cut_capture_is_read_as_far_as_it_goes_and_the_others_too() {
    let folder = tempfile::tempdir().unwrap();
    let (cut, absent) = (folder.path().join("cut.pcap"), folder.path().join("absent.pcap"));
    let whole = busy_capture();
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let path = |path: &Path| path.display().to_string();
    let output = sensor(&["read", &path(&cut), &path(&absent), STORY]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.contains("cut.pcap: the file ends within a packet"), "{errors}");
    assert!(errors.contains("absent.pcap: No such file"), "{errors}");
    assert!(errors.contains("damaged 1") && errors.contains(" 0 unaccounted"), "{errors}");
    assert!(text(&output.stdout).lines().count() > 1000);
}

#[test]
fn wrong_usage_is_two() {
    let output = sensor(&["read", STORY, "--rules", "/nonexistent"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("read /nonexistent: No such file"), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
    assert_eq!(sensor(&["read"]).status.code(), Some(2));
    assert_eq!(sensor(&["read", STORY, "--worker", "2"]).status.code(), Some(2));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sensor.toml");
    std::fs::write(&config, "[flow]\nflow = 3\n").unwrap();
    let output = sensor(&["run", "--config", &config.display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean `flows`?"), "{}", text(&output.stderr));
}

#[test]
fn a_reader_that_goes_away_ends_the_work_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_luytre-sensor"))
        .args(["read", STORY, STORY, STORY])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}
