//! The highest rate on a virtual cable at which no packet is lost: by a running sensor with everything on, and by a ring that
//! only counts.
//!
//! Two network namespaces and the cable between them are made and removed. A generator (sensor/examples/wire.rs) sends for a
//! few seconds at a rate, and whoever listens says how many packets it took and lost; the rate is narrowed down from there.
//! Packets that are neither taken nor counted as lost went astray before the ring and are told. Needs root.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::{steps, tools, workspace};

const LISTENER: &str = "lt-bench-listen";
const SENDER: &str = "lt-bench-send";
const INTERFACE: &str = "lt0";
const METRICS: &str = "127.0.0.1:9743";
/// Sizes of packets, with the checksum that a card would add.
const SIZES: [u32; 3] = [64, 512, 1500];
/// How long each try lasts.
const TRY_S: u64 = 3;
/// How often the interval between a rate that worked and one that did not is halved.
const HALVINGS: u32 = 6;
/// How long counters may take until they have settled.
const SETTLE: Duration = Duration::from_secs(10);
/// So many packets of the cable's own (neighbour discovery and the like) may come in between.
const FOREIGN: u64 = 50;

/// What came of a try.
#[derive(Debug, Clone, Copy)]
struct Try {
    /// Packets a second that went out.
    rate: f64,
    sent: u64,
    taken: u64,
    lost: u64,
}

impl Try {
    fn is_whole(&self) -> bool {
        self.lost == 0 && self.taken >= self.sent
    }
}

/// The namespaces; dropping removes them.
struct Cable;

impl Cable {
    fn lay() -> Result<Cable> {
        let cable = Cable;
        cable.remove();
        for namespace in [LISTENER, SENDER] {
            ip(&["netns", "add", namespace])?;
        }
        ip(&["-n", LISTENER, "link", "add", INTERFACE, "type", "veth", "peer", "name", INTERFACE, "netns", SENDER])?;
        for namespace in [LISTENER, SENDER] {
            let silence = format!("net.ipv6.conf.{INTERFACE}.disable_ipv6=1");
            ip(&["netns", "exec", namespace, "sysctl", "-qw", &silence])?;
            ip(&["-n", namespace, "link", "set", "lo", "up"])?;
            ip(&["-n", namespace, "link", "set", INTERFACE, "up"])?;
        }
        Ok(cable)
    }

    fn remove(&self) {
        for namespace in [LISTENER, SENDER] {
            let _ = Command::new("ip").args(["netns", "delete", namespace]).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.remove();
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    steps::quiet(Command::new("ip").args(arguments)).context("network namespaces need root")
}

fn inside(namespace: &str, program: &Path) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(program);
    command
}

/// Measures and prints a row for each size of packets.
pub fn run(sensor: &Path) -> Result<()> {
    tools::require(&[("ip", "iproute2")])?;
    ensure!(tools::is_root(), "measuring on a cable needs root, for network namespaces");
    steps::step("build the generator (release)", || {
        let build = ["build", "--release", "-p", "luytre-sensor", "--example", "wire"];
        steps::show(workspace::cargo().args(build))
    })?;
    let wire = workspace::target()?.join("release/examples/wire");
    println!("| bytes | listener | packets/s without loss | Gbit/s | first rate with loss | lost there |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for size in SIZES {
        let _cable = Cable::lay()?;
        row(size, "a ring that counts", |rate| counted(&wire, size, rate))?;
        let running = Running::start(sensor, &wire)?;
        row(size, "the sensor, everything on", |rate| running.sensed(&wire, size, rate))?;
    }
    Ok(())
}

/// Narrows the rate down and prints what was found.
fn row(size: u32, listener: &str, attempt: impl Fn(u64) -> Result<Try>) -> Result<()> {
    let fastest = attempt(0)?;
    let (mut good, mut bad) = (None, None);
    if fastest.is_whole() {
        good = Some(fastest);
    } else {
        let (mut low, mut high) = (0, fastest.rate as u64);
        bad = Some(fastest);
        for _ in 0..HALVINGS {
            let tried = attempt((low + high) / 2)?;
            if tried.is_whole() {
                low = (low + high) / 2;
                good = Some(tried);
            } else {
                high = (low + high) / 2;
                bad = Some(tried);
            }
        }
    }
    let rate = good.map_or(0.0, |good| good.rate);
    let gigabits = rate * f64::from(size) * 8.0 / 1e9;
    let limit = match bad {
        Some(bad) => {
            let astray = bad.sent.saturating_sub(bad.taken + bad.lost);
            format!("{:.0} | {} in the ring, {astray} before it, of {}", bad.rate, bad.lost, bad.sent)
        }
        None => "the generator sends no faster | ".to_owned(),
    };
    println!("| {size} | {listener} | {rate:.0} | {gigabits:.2} | {limit} |");
    Ok(())
}

/// Sends for a while; packets that went out, and how many a second.
fn send(wire: &Path, size: u32, rate: u64) -> Result<(u64, f64)> {
    let mut command = inside(SENDER, wire);
    command.args(["send", INTERFACE, &size.to_string(), &rate.to_string(), &TRY_S.to_string()]);
    let text = String::from_utf8_lossy(&steps::capture(&mut command)?).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    let ["sent", sent, "in", seconds] = words[..] else { bail!("the generator said: {text}") };
    let (sent, seconds): (u64, f64) = (sent.parse()?, seconds.parse()?);
    Ok((sent, sent as f64 / seconds))
}

/// A try with the ring that only counts.
fn counted(wire: &Path, size: u32, rate: u64) -> Result<Try> {
    let seconds = (TRY_S + 2).to_string();
    let mut listener =
        inside(LISTENER, wire).args(["count", INTERFACE, &seconds]).stdout(Stdio::piped()).spawn().context("count")?;
    // It says one line when its ring is open.
    let mut output = std::io::BufReader::new(listener.stdout.take().context("a piped output is there")?);
    let mut line = String::new();
    std::io::BufRead::read_line(&mut output, &mut line)?;
    let (sent, rate) = send(wire, size, rate)?;
    line.clear();
    std::io::BufRead::read_line(&mut output, &mut line)?;
    ensure!(listener.wait()?.success(), "the counting ring failed");
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["taken", taken, "lost", lost] = words[..] else { bail!("the counting ring said: {line}") };
    Ok(Try { rate, sent, taken: taken.parse()?, lost: lost.parse()? })
}

/// A sensor at work, as it is installed: every protocol, files carved, packets kept, events spooled.
struct Running {
    child: Child,
    folder: PathBuf,
    wire: PathBuf,
}

impl Running {
    fn start(sensor: &Path, wire: &Path) -> Result<Running> {
        let folder = workspace::target()?.join("bench/live");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let config = folder.join("sensor.toml");
        let settings = format!(
            "[[source]]\ninterface = \"{INTERFACE}\"\n[metrics]\nlisten = \"{METRICS}\"\n[packets]\nquota_mb = 1024\nfree_mb = 16\n"
        );
        std::fs::write(&config, settings)?;
        let log = std::fs::File::create(folder.join("log"))?;
        let mut command = inside(LISTENER, sensor);
        command.arg("run").arg("--config").arg(&config).arg("--data").arg(folder.join("data")).stderr(log);
        let child = command.spawn().context("start the sensor")?;
        let running = Running { child, folder, wire: wire.to_owned() };
        let began = Instant::now();
        while running.counts().is_err() {
            let log = std::fs::read_to_string(running.folder.join("log")).unwrap_or_default();
            ensure!(began.elapsed() < SETTLE, "the sensor does not answer: {log}");
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(running)
    }

    /// Packets that the sensor has taken, and lost, so far.
    fn counts(&self) -> Result<(u64, u64)> {
        let mut command = inside(LISTENER, &self.wire);
        command.args(["ask", METRICS]).stderr(Stdio::null());
        let output = command.output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse::<u64>().ok()
        };
        let given = value("sensor_capture_given_packets_total").context("the sensor names no packets")?;
        Ok((given, value("sensor_capture_dropped_packets_total{reason=\"ring_full\"}").unwrap_or(0)))
    }

    /// A try with the sensor.
    fn sensed(&self, wire: &Path, size: u32, rate: u64) -> Result<Try> {
        let before = self.settled()?;
        let (sent, rate) = send(wire, size, rate)?;
        let after = self.settled()?;
        Ok(Try { rate, sent, taken: after.0 - before.0, lost: after.1 - before.1 })
    }

    /// The counters once nothing moves any more.
    fn settled(&self) -> Result<(u64, u64)> {
        let began = Instant::now();
        let mut counts = self.counts()?;
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.counts()?;
            if now.0 - counts.0 <= FOREIGN && now.1 == counts.1 {
                return Ok(now);
            }
            ensure!(began.elapsed() < SETTLE, "the sensor's counters do not come to rest");
            counts = now;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; its folder is of no use to anybody.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
