//! A running sensor on a cable of its own: what it gives up under load, new settings while packets flow, filters, canaries,
//! and the limits of a small machine. Needs root.

mod cable;

use std::path::Path;
use std::process::Stdio;

use cable::{Cable, Capture, INTERFACE, Sensor, Status, sent};
use etherparse::PacketBuilder;
use luytre_events::{Event, Value};

/// Our own recording of a story with scans, web, DNS, TLS, files and a tunnel.
const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/demo/story.pcapng");
/// What is recommended for a small branch.
const SMALL: &str = include_str!("../../../deploy/etc/sensor-small.toml");

/// Whose addresses the datagrams below are between.
const NETWORKS: &str =
    "[networks]\n[[networks.agency]]\nid = \"so-a\"\nname = \"S\u{1edf} A\"\nnetworks = [\"10.0.0.0/8\"]\n";

/// A datagram of a flow of its own.
fn datagram(flow: u32, port: u16, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = flow.to_be_bytes();
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, a, b, c], [192, 0, 2, 53], 60);
    builder.udp(40_000, port).write(&mut frame, payload).unwrap();
    frame
}

/// A question for a name server.
fn question(flow: u32) -> Vec<u8> {
    let name = format!("host{flow}");
    let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.len() as u8];
    query.extend_from_slice(name.as_bytes());
    query.extend([0, 0, 1, 0, 1]);
    datagram(flow, 53, &query)
}

fn adds_up(status: &Status, packets: u64) {
    assert_eq!(status.get("sensor_unaccounted"), 0, "{status:?}");
    assert_eq!(status.get("sensor_capture_taken_packets_total"), packets, "{status:?}");
}

fn config(more: &str) -> String {
    format!("[[source]]\ninterface = \"{INTERFACE}\"\n{more}\n[packets]\nquota_mb = 64\nfree_mb = 0\n")
}

fn dataset<'e>(events: &'e [Event], name: &str) -> Vec<&'e Event> {
    events.iter().filter(|event| event.dataset_name() == name).collect()
}

/// The sensor is held up while its ring fills, round after round a little more, until the last step has been reached.
#[test]
fn under_load_detail_goes_and_flows_stay_exact() {
    let cable = Cable::lay("load");
    let mut sensor = Sensor::start(&cable, &[], &config("ring_mb = 64"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flows.pcap");
    let (mut packets, mut round, mut size) = (0, 0, 20_000);
    let entered = |status: &Status, step: &str| status.get(&format!("sensor_load_entered_total{{step=\"{step}\"}}"));
    let mut status = sensor.status();
    while entered(&status, "detail") == 0 {
        assert!(round < 12, "the ring never came to be full enough: {status:?}");
        let mut capture = Capture::new();
        (0..size).for_each(|flow| capture.add(&datagram((round << 20) + flow, 9999, &[7; 1400])));
        capture.write(&file);
        sensor.signal("-STOP");
        packets += cable.send(&file, &[]).0;
        sensor.signal("-CONT");
        status = sensor.took(packets);
        adds_up(&status, packets);
        // Each packet is a flow of its own: what reached the sensor is known exactly, whatever was given up.
        assert_eq!(status.get("sensor_flows_total"), status.get("sensor_capture_given_packets_total"));
        (round, size) = (round + 1, size + size / 8);
    }
    for step in ["packets", "new_detail", "detail"] {
        assert!(entered(&status, step) > 0, "{step} was not reached before detail: {status:?}");
    }
    let lost = (status.dropped("packets", "load"), status.dropped("detail", "load_new_flow"));
    assert!(lost.0 > 0 && lost.1 > 0, "{status:?}");
    assert!(lost.0 >= lost.1, "packets go before detail: {lost:?}");

    // It becomes calm, and everything comes back.
    sensor.wait_until("nothing is given up", |sensor| sensor.status().get("sensor_load_step") == 0);
    let before = sensor.status();
    let mut capture = Capture::new();
    (0..100).for_each(|flow| capture.add(&question((40 << 20) + flow)));
    capture.write(&file);
    packets += cable.send(&file, &[]).0;
    let after = sensor.took(packets);
    adds_up(&after, packets);
    assert_eq!(after.dropped("detail", "load_new_flow"), before.dropped("detail", "load_new_flow"));
    assert_eq!(after.dropped("packets", "load"), before.dropped("packets", "load"));
    let flows = after.get("sensor_flows_total");
    let events = sensor.events();
    assert_eq!(dataset(&events, "flow").len() as u64, flows, "every flow has its record");
    assert_eq!(dataset(&events, "dns").len(), 100);
    let none = Some(Value::Str("none".into()));
    let marked = dataset(&events, "flow").iter().filter(|event| event.get_named("flow.detail") == none).count();
    assert_eq!(marked as u64, lost.1, "each flow that was not looked into says so");
    let steps: Vec<_> = dataset(&events, "load").iter().filter_map(|event| event.get_named("load.step")).collect();
    let named = |name: &str| Value::Str(name.into());
    assert_eq!(steps.last(), Some(&named("nothing")));
    assert!(steps.windows(3).any(|s| s == [named("packets"), named("new_detail"), named("detail")]), "{steps:?}");
}

/// Questions flow all the time; on the way the sensor is told to look at other things, and once something wrong.
#[test]
fn new_settings_are_taken_up_between_two_packets() {
    let cable = Cable::lay("reload");
    let mut sensor = Sensor::start(&cable, &[], &config(""));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("questions.pcap");
    let mut capture = Capture::new();
    (0..30_000).for_each(|flow| capture.add(&question(flow)));
    capture.write(&file);
    // 30,000 of some 70 bytes at 4 Mbit/s: about four seconds.
    let sending = cable.sending(&file, &["4"]);
    let taken = |sensor: &Sensor| sensor.status().get("sensor_capture_taken_packets_total");
    sensor.wait_until("packets flow", |sensor| taken(sensor) > 1000);

    sensor.configure(&config("filtre = \"udp\""));
    let wrong = sensor.command(&["reload"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("did you mean `filter`?"), "{wrong:?}");
    sensor.configure(&config("filter = \"udp and port dns\""));
    let wrong = sensor.command(&["reload"]);
    assert_eq!(wrong.status.code(), Some(2));
    let message = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(message.contains("source 1: filter: at character 14") && message.contains("`dns`"), "{message}");
    assert_eq!(sensor.status().get("sensor_settings_number"), 1, "a wrong file changes nothing");

    sensor.configure(&(config("") + NETWORKS + "[protocols]\noff = [\"dns\"]\n[spool]\nsync_ms = 100\n"));
    let answer = sensor.command(&["reload"]);
    assert!(answer.status.success(), "{answer:?}");
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(answer.contains("in force; only a restart changes: spool"), "{answer}");
    let between = taken(&sensor);
    assert!(between < 29_000, "the packets were over before the settings came");
    let (packets, _) = sent(sending.wait_with_output().unwrap());
    let status = sensor.took(packets);
    adds_up(&status, packets);
    assert_eq!(status.get("sensor_flows_total"), packets, "not one was lost");

    // SIGHUP does the same; now the kernel leaves the questions out.
    sensor.configure(&(config("filter = \"not udp port 53\"") + NETWORKS));
    sensor.signal("-HUP");
    sensor.wait_until("the filter is there", |sensor| {
        sensor.status().names().any(|name| name.contains("not udp port 53"))
    });
    sensor.wait_until("it is taken up", |sensor| sensor.status().get("sensor_settings_number") == 3);
    let mut capture = Capture::new();
    (0..100).for_each(|flow| capture.add(&question((50 << 16) + flow)));
    (0..10).for_each(|flow| capture.add(&datagram((51 << 16) + flow, 123, b"x")));
    capture.write(&file);
    cable.send(&file, &[]);
    let status = sensor.took(packets + 10);
    adds_up(&status, packets + 10);
    let events = sensor.events();
    let questions = dataset(&events, "dns").len() as u64;
    assert!(questions > 0 && questions < packets, "{questions} of {packets}");
    let of_dns = |event: &&&Event| event.get_named("network.protocol") == Some(Value::Str("dns".into()));
    assert_eq!(dataset(&events, "flow").iter().filter(of_dns).count() as u64, packets, "it is still recognised");
    for (field, value) in
        [("network.direction", "outbound"), ("organization.id", "so-a"), ("organization.name", "Sở A")]
    {
        let has = |event: &&&Event| event.get_named(field) == Some(Value::Str(value.into()));
        assert_eq!(dataset(&events, "flow").iter().filter(has).count() as u64, packets + 10, "{field}");
        // Those of questions that came before the networks were known do not say so.
        assert_eq!(dataset(&events, "dns").iter().filter(has).count(), 0, "{field}");
    }
}

/// Every question sets off the rule of the set that is in force; the set is replaced while questions flow.
#[test]
fn rules_are_taken_up_between_two_packets() {
    let cable = Cable::lay("rules");
    let folder = tempfile::tempdir().unwrap();
    let (file, rules) = (folder.path().join("questions.pcap"), folder.path().join("local.rules"));
    let rule = |sid: u32| format!("alert udp any any -> any 53 (msg:\"question\"; content:\"host\"; sid:{sid};)\n");
    std::fs::write(&rules, rule(1)).unwrap();
    let mut sensor = Sensor::start(&cable, &[], &format!("rules = [{rules:?}]\n{}", config("")));
    let mut capture = Capture::new();
    (0..20_000).for_each(|flow| capture.add(&question(flow)));
    capture.write(&file);
    let sending = cable.sending(&file, &["4"]);
    let taken = |sensor: &Sensor| sensor.status().get("sensor_capture_taken_packets_total");
    sensor.wait_until("packets flow", |sensor| taken(sensor) > 1000);

    let moved = folder.path().join("moved.rules");
    std::fs::rename(&rules, &moved).unwrap();
    let wrong = sensor.command(&["reload"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("local.rules"), "{wrong:?}");
    assert_eq!(sensor.status().get("sensor_settings_number"), 1, "without its file nothing changes");

    std::fs::write(&rules, format!("{}alert udp any any -> any 53 (content:\"half a rule; sid:3;)\n", rule(2)))
        .unwrap();
    let answer = sensor.command(&["reload"]);
    assert!(answer.status.success(), "{answer:?}");
    assert!(taken(&sensor) < 19_000, "the packets were over before the rules came");
    let (packets, _) = sent(sending.wait_with_output().unwrap());
    let status = sensor.took(packets);
    adds_up(&status, packets);
    assert!(sensor.log().contains("rules that cannot be used are passed over"), "{}", sensor.log());
    let events = sensor.events();
    let of = |sid: &str| {
        let is = |event: &&&Event| event.get_named("rule.id") == Some(Value::Str(sid.into()));
        dataset(&events, "alert").iter().filter(is).count() as u64
    };
    let (before, after) = (of("1"), of("2"));
    assert!(before > 0 && after > 0, "{before} by the first set, {after} by the second");
    // Each question is a flow of its own; what the ring had no room for under load was seen by nobody.
    let seen = dataset(&events, "flow").len() as u64;
    assert!(seen > 1000 && seen <= packets, "{seen} of {packets}");
    assert_eq!(before + after, seen, "each packet is looked at by one whole set");
}

#[test]
fn the_kernel_lets_through_what_the_same_filter_lets_through_here() {
    let cable = Cable::lay("filter");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("story.pcap");
    Capture::of(Path::new(STORY)).write(&file);
    for filter in [
        "tcp port 80 or 443",
        "not (host 203.0.113.37 and tcp)",
        "udp and (dst port 53 or src net 192.0.2.0/24)",
        "tcp[tcpflags] & tcp-syn != 0 and less 80",
        "arp or icmp",
    ] {
        let mut sensor = Sensor::start(&cable, &[], &config(&format!("filter = \"{filter}\"")));
        cable.send(&file, &[]);
        let read = std::process::Command::new(env!("CARGO_BIN_EXE_luytre-sensor"))
            .args(["read", "--stats", "--filter", filter])
            .arg(&file)
            .stdout(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8(read.stderr).unwrap();
        let passed = text.lines().find_map(|line| line.strip_prefix("decode: ")?.split(' ').next()?.parse().ok());
        let passed: u64 = passed.unwrap_or_else(|| panic!("{text}"));
        let status = sensor.took(passed);
        assert!(passed > 0, "{filter} lets nothing through");
        adds_up(&status, passed);
    }
}

#[test]
fn canaries_that_are_sent_are_seen_and_those_that_are_not_are_missed() {
    let cable = Cable::lay("canary");
    let sensor = Sensor::start(&cable, &[], &config(""));
    for (namespace, address) in [(&cable.sender, "198.51.100.1/24"), (&cable.listener, "198.51.100.2/24")] {
        let words = ["-n", namespace, "addr", "add", address, "dev", INTERFACE];
        assert!(std::process::Command::new("ip").args(words).status().unwrap().success());
    }
    let send = |more: &[&str]| {
        let mut command = cable.at_sender(env!("CARGO_BIN_EXE_luytre-sensor"));
        command.args(["canary", "send", "--to", "198.51.100.2:9", "--interval-ms", "5"]).args(more);
        command.arg("--data").arg(sensor.data()).output().unwrap()
    };
    let seen = send(&["--count", "20", "--expect"]);
    assert!(seen.status.success(), "{seen:?}");
    assert!(String::from_utf8_lossy(&seen.stdout).starts_with("20 of 20 canaries were seen, after "), "{seen:?}");

    // Another key: nobody can pretend.
    let other = tempfile::tempdir().unwrap();
    let key = other.path().join("key");
    std::fs::write(&key, "11".repeat(32)).unwrap();
    assert!(send(&["--count", "3", "--key-file", key.to_str().unwrap()]).status.success());

    // A run that is expected and never sent.
    let run = "ab".repeat(16);
    let missed = sensor.command(&["canary", "expect", "--run", &run, "--count", "4", "--within-s", "2"]);
    assert_eq!(missed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missed.stdout).starts_with("0 of 4 canaries were seen"), "{missed:?}");
    let status = sensor.status();
    let counts = ["seen", "lost", "forged", "missing"].map(|name| status.get(&format!("sensor_canaries_{name}_total")));
    assert_eq!(counts, [20, 4, 3, 1]);

    let events = sensor.events();
    let outcomes: Vec<_> = dataset(&events, "canary").iter().filter_map(|e| e.get_named("canary.outcome")).collect();
    assert_eq!(outcomes, ["arrived", "missing"].map(|outcome| Value::Str(outcome.into())));
    let arrived = dataset(&events, "canary")[0];
    assert_eq!(arrived.get_named("canary.lost"), Some(Value::U64(0)));
    assert_eq!(arrived.flow.as_ref().unwrap().destination.0.to_string(), "198.51.100.2");
}

/// The story, over and over between other hosts, at 50 Mbit/s for about 20 seconds: one processor, which nobody else may
/// take away, and 256 MB.
#[test]
fn a_small_branch_needs_one_processor_and_256_mb() {
    const LIMIT_BYTES: u64 = 256 << 20;
    let cable = Cable::lay("small");
    let config = SMALL.replace("interface = \"eth1\"", &format!("interface = \"{INTERFACE}\""));
    assert!(config.contains(INTERFACE));
    let group = Group::limit(LIMIT_BYTES);
    let enter = group.enter();
    let mut sensor =
        Sensor::start(&cable, &["sh", "-c", &enter, "sh", "taskset", "-c", "0", "chrt", "-f", "1"], &config);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("story.pcap");
    let capture = Capture::of(Path::new(STORY));
    capture.write(&file);
    let size_bytes = std::fs::metadata(&file).unwrap().len();
    let times = (20 * 50_000_000 / 8 / size_bytes).clamp(2, 250).to_string();
    let (packets, seconds) = cable.send(&file, &["50", &times]);
    let status = sensor.took(packets);
    adds_up(&status, packets);
    assert_eq!(status.dropped("capture", "ring_full"), 0, "after {seconds} s: {status:?}");
    assert_eq!(status.get("sensor_load_entered_total{step=\"packets\"}"), 0, "{status:?}");
    let process = std::fs::read_to_string(format!("/proc/{}/status", sensor.id())).unwrap();
    let peak = process.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let peak_bytes = peak.unwrap().trim().parse::<u64>().unwrap() << 10;
    println!("{packets} packets in {seconds} s, at most {} MB, {group}", peak_bytes >> 20);
    assert!(peak_bytes < LIMIT_BYTES, "{} MB at most", peak_bytes >> 20);
}

/// A control group that takes memory beyond a limit away, where this machine has one that can be written to.
struct Group(Option<std::path::PathBuf>);

impl Group {
    fn limit(bytes: u64) -> Group {
        let name = format!("luytre-test-{}", std::process::id());
        for (root, limit) in [("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")] {
            let folder = Path::new(root).join(&name);
            if std::fs::create_dir(&folder).is_err() {
                continue;
            }
            let group = Group(Some(folder.clone()));
            if folder.join("cgroup.procs").exists() && std::fs::write(folder.join(limit), bytes.to_string()).is_ok() {
                return group;
            }
        }
        Group(None)
    }

    /// What a shell does before it becomes the sensor.
    fn enter(&self) -> String {
        let enter = self.0.as_ref().map(|folder| format!("echo $$ > {} && ", folder.join("cgroup.procs").display()));
        enter.unwrap_or_default() + "exec \"$@\""
    }
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "held by a control group"
        } else {
            "measured only: no control group can be made"
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The sensor has ended before: it was made later.
        if let Some(folder) = &self.0 {
            let _ = std::fs::remove_dir(folder);
        }
    }
}
