//! Two network namespaces with a cable between them, a sensor at one end and a sender at the other.
//!
//! Needs root, `ip` and Python; without them a test fails and says so. What the sensor has to say is asked through its
//! control socket, which no namespace stands before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use luytre_events::wire::Translation;
use luytre_events::{Catalogue, Event};
use luytre_sensor::capture::{FileSource, Next, PacketSource as _};
use luytre_sensor::spool::{Spool, SpoolLimits};

/// The interface at either end.
pub const INTERFACE: &str = "wire0";
const PROGRAM: &str = env!("CARGO_BIN_EXE_luytre-sensor");
/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The namespaces.
pub struct Cable {
    pub listener: String,
    pub sender: String,
}

impl Cable {
    pub fn lay(name: &str) -> Cable {
        let named = |end| format!("luytre-{name}-{}-{end}", std::process::id());
        let cable = Cable { listener: named("listen"), sender: named("send") };
        for namespace in [&cable.listener, &cable.sender] {
            ip(&["netns", "add", namespace]);
        }
        ip(&[
            "-n",
            &cable.listener,
            "link",
            "add",
            INTERFACE,
            "type",
            "veth",
            "peer",
            INTERFACE,
            "netns",
            &cable.sender,
        ]);
        for namespace in [&cable.listener, &cable.sender] {
            // The ends have nothing to say themselves: only what is sent is on the cable.
            let silence = format!("net.ipv6.conf.{INTERFACE}.disable_ipv6=1");
            run(&["ip", "netns", "exec", namespace, "sysctl", "-qw", &silence]);
            ip(&["-n", namespace, "link", "set", "lo", "up"]);
            ip(&["-n", namespace, "link", "set", INTERFACE, "mtu", "9000", "up"]);
        }
        cable
    }

    /// A command that will run at the sender's end.
    pub fn at_sender(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.sender, program]);
        command
    }

    /// Sends a file; says how many frames went out and how many seconds it took.
    pub fn send(&self, path: &Path, arguments: &[&str]) -> (u64, f64) {
        sent(self.sending(path, arguments).wait_with_output().unwrap())
    }

    /// Begins to send a file.
    pub fn sending(&self, path: &Path, arguments: &[&str]) -> Child {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire/send.py");
        let mut command = self.at_sender("python3");
        command.args([script, INTERFACE]).arg(path).args(arguments).stdout(Stdio::piped()).spawn().unwrap()
    }
}

/// What a sender printed.
pub fn sent(output: Output) -> (u64, f64) {
    assert!(output.status.success(), "the sender failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let (frames, seconds) = text.trim().split_once(' ').unwrap();
    (frames.parse().unwrap(), seconds.parse().unwrap())
}

impl Drop for Cable {
    fn drop(&mut self) {
        for namespace in [&self.listener, &self.sender] {
            let _ = Command::new("ip").args(["netns", "delete", namespace]).status();
        }
    }
}

fn ip(arguments: &[&str]) {
    run(&[&["ip"], arguments].concat());
}

fn run(words: &[&str]) {
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {message} (this test needs root, iproute2 and Python)", words.join(" "));
}

/// A running sensor and its data.
pub struct Sensor {
    pub folder: tempfile::TempDir,
    process: Child,
}

impl Sensor {
    /// Starts a sensor at the listening end; `before` are words that its command begins with, outside of the namespace.
    pub fn start(cable: &Cable, before: &[&str], config: &str) -> Sensor {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sensor.toml"), config).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let config = folder.path().join("sensor.toml");
        let there = ["ip", "netns", "exec", &cable.listener, PROGRAM, "run", "--config"];
        let words = [before, &there].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(config);
        command.arg("--data").arg(folder.path().join("data")).stderr(log);
        let process = command.spawn().unwrap();
        let mut sensor = Sensor { folder, process };
        sensor.wait_until("the sensor runs", |sensor| sensor.log().contains("the sensor is running"));
        sensor
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Writes another configuration.
    pub fn configure(&self, config: &str) {
        std::fs::write(self.folder.path().join("sensor.toml"), config).unwrap();
    }

    /// A command of the sensor's program on this data folder.
    pub fn command(&self, words: &[&str]) -> Output {
        Command::new(PROGRAM).args(words).arg("--data").arg(self.data()).output().unwrap()
    }

    /// What the sensor counts, by name and label.
    pub fn status(&self) -> Status {
        let output = self.command(&["status"]);
        assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), self.log());
        let text = String::from_utf8(output.stdout).unwrap();
        let pair = |line: &str| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap()));
        Status(text.lines().filter_map(pair).collect())
    }

    /// Waits for something to come true.
    pub fn wait_until(&mut self, what: &str, mut done: impl FnMut(&Sensor) -> bool) {
        let began = Instant::now();
        while !done(self) {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("the sensor ended with {status}: {}", self.log());
            }
            assert!(began.elapsed() < PATIENCE, "waited in vain until {what}: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until so many packets came.
    pub fn took(&mut self, packets: u64) -> Status {
        self.wait_until("all packets were taken", |sensor| {
            sensor.status().get("sensor_capture_taken_packets_total") >= packets
        });
        self.status()
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.id().to_string()]).status().unwrap().success());
    }

    /// Ends the sensor and gives the events of its spool.
    pub fn events(mut self) -> Vec<Event> {
        self.signal("-TERM");
        assert!(self.process.wait().unwrap().success(), "{}", self.log());
        let (_, mut reader) = Spool::open(&self.data().join("spool"), SpoolLimits::default()).unwrap();
        let ours = Translation::from(Catalogue::current());
        let mut events = Vec::new();
        while let Some(batch) = reader.next().unwrap() {
            events.extend(batch.unpack(&"s".into(), &ours).unwrap().0);
            reader.acknowledge(batch.last);
        }
        events
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Counters by name.
#[derive(Debug)]
pub struct Status(BTreeMap<String, f64>);

impl Status {
    /// A counter; zero where there is none.
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0.0) as u64
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What a stage dropped for a reason.
    pub fn dropped(&self, stage: &str, reason: &str) -> u64 {
        self.get(&format!("sensor_{stage}_dropped_packets_total{{reason=\"{reason}\"}}"))
    }
}

/// Classic pcap in nanoseconds.
pub struct Capture(Vec<u8>);

impl Capture {
    pub fn new() -> Capture {
        let header = [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 65535, 1];
        Capture(header.iter().flat_map(|word| word.to_le_bytes()).collect())
    }

    pub fn add(&mut self, frame: &[u8]) {
        let length = frame.len() as u32;
        for word in [1_700_000_000, 0, length, length] {
            self.0.extend(word.to_le_bytes());
        }
        self.0.extend_from_slice(frame);
    }

    /// Whatever a capture file holds.
    pub fn of(path: &Path) -> Capture {
        let (mut source, mut capture) = (FileSource::open(path).unwrap(), Capture::new());
        while let Next::Packet(packet) = source.next().unwrap() {
            capture.add(packet.bytes);
        }
        capture
    }

    pub fn write(&self, path: &Path) {
        std::fs::write(path, &self.0).unwrap();
    }
}
