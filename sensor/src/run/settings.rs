//! The configuration of `luytre-sensor run`.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use crate::canary::watch::CanarySettings;
use crate::capture::filter::{Filter, FilterError};
use crate::capture::replay::Speed;
use crate::decode::Checksums;
use crate::flow::FlowLimits;
use crate::flow::overlap::Overlap;
use crate::networks::NetworkSettings;
use crate::packets::PacketSettings;
use crate::protocols::{ANOMALY_STAGES, PROTOCOLS};
use crate::spool::SpoolLimits;
use crate::uplink::UplinkSettings;
use crate::worker::Muted;

/// `sensor.toml`. Everything has a default: without sources the sensor captures on every interface that is up.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Signatures: rule files, and folders whose rule files are loaded.
    pub rules: Vec<PathBuf>,
    /// What is changed about signatures without touching them: files of ours (`.toml`) or like `threshold.config`.
    pub tuning: Vec<PathBuf>,
    /// Where packets come from.
    pub source: Vec<SourceSettings>,
    /// What is made of headers.
    pub decode: DecodeSettings,
    /// Limits of the flow table.
    pub flow: FlowLimits,
    /// How the systems of this network settle overlapping TCP segments.
    pub overlap: Overlap,
    /// Whose addresses are whose.
    pub networks: NetworkSettings,
    /// Which protocols are parsed.
    pub protocols: ProtocolSettings,
    /// Which anomalies are told.
    pub anomalies: AnomalySettings,
    /// How often a canary must come.
    pub canary: CanarySettings,
    /// The disk queue.
    pub spool: SpoolLimits,
    /// Files cut out of flows.
    pub files: FileSettings,
    /// Packets kept for later.
    pub packets: PacketSettings,
    /// The way to the collector.
    pub uplink: UplinkSettings,
    /// Counters for a monitoring system.
    pub metrics: MetricsSettings,
    /// What is given up once everything is open.
    pub privileges: PrivilegeSettings,
}

/// What is made of headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecodeSettings {
    /// Whether packets with a wrong checksum are refused.
    pub checksums: Checksums,
}

/// Which protocols are parsed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProtocolSettings {
    /// Those that are recognised and named, but not parsed.
    pub off: Vec<String>,
}

/// Which anomalies are told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnomalySettings {
    /// Names that are counted, not told as events; what stands before the dot mutes all that begin with it.
    pub off: Vec<String>,
}

/// What a sensor that was started as root gives up once everything is open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrivilegeSettings {
    /// The user that it goes on as; empty: it stays who it is.
    pub user: String,
}

/// One source: an interface or a file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSettings {
    /// Name of an interface to capture on.
    pub interface: String,
    /// How its packets are read.
    pub method: Method,
    /// Threads that share its flows.
    pub queues: usize,
    /// Size of each thread's ring, in megabytes.
    pub ring_mb: usize,
    /// Whether to ask for frames that are not addressed to this machine.
    pub promiscuous: bool,
    /// Which packets are looked at, in the language of tcpdump; all where it is empty.
    pub filter: String,
    /// A capture file to play as if it were live, instead of an interface.
    pub file: PathBuf,
    /// How fast the file is played.
    pub speed: Speed,
    /// Whether the file's times are moved to the present.
    pub shift_to_now: bool,
}

/// How packets are read from an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Through a ring shared with the kernel.
    #[default]
    Ring,
    /// One by one: slower, but works wherever packets can be captured at all.
    Datalink,
}

/// What is kept of carved files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileSettings {
    /// Room for their contents, in megabytes; the oldest go first.
    pub quota_mb: u64,
}

impl Default for FileSettings {
    fn default() -> Self {
        FileSettings { quota_mb: 1024 }
    }
}

/// The metrics listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsSettings {
    /// Whether there is one.
    pub enabled: bool,
    /// Where it listens.
    pub listen: SocketAddr,
}

impl Default for SourceSettings {
    fn default() -> Self {
        SourceSettings {
            interface: String::new(),
            method: Method::default(),
            queues: 1,
            ring_mb: 64,
            promiscuous: true,
            filter: String::new(),
            file: PathBuf::new(),
            speed: Speed::default(),
            shift_to_now: false,
        }
    }
}

impl Default for MetricsSettings {
    fn default() -> Self {
        MetricsSettings { enabled: true, listen: SocketAddr::from(([127, 0, 0, 1], 9743)) }
    }
}

impl SourceSettings {
    /// How many threads it takes.
    pub fn lanes(&self) -> usize {
        if self.is_file() { 1 } else { self.queues }
    }

    /// What it is called where its packets are kept.
    pub fn name(&self) -> String {
        match self.file.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => self.interface.clone(),
        }
    }

    /// Its filter, if it has one.
    pub fn parsed_filter(&self) -> Result<Option<Filter>, FilterError> {
        Filter::parse(&self.filter)
    }

    /// Whether it is a capture file.
    pub fn is_file(&self) -> bool {
        !self.file.as_os_str().is_empty()
    }
}

/// The error names those there are.
fn known_protocol(name: &str) -> Result<(), String> {
    let names = || PROTOCOLS.iter().map(|protocol| protocol.name);
    if names().any(|known| known == name) { Ok(()) } else { Err(names().collect::<Vec<_>>().join(", ")) }
}

impl Settings {
    /// What is wrong with settings that are well-formed.
    pub fn check(&self) -> Result<(), String> {
        for (number, source) in (1..).zip(&self.source) {
            let (interface, file) = (!source.interface.is_empty(), source.is_file());
            if interface == file {
                return Err(format!("source {number} must name an interface or a file, one of the two"));
            }
            if source.queues == 0 || source.queues > 64 {
                return Err(format!("source {number}: queues must be 1 to 64"));
            }
            if source.ring_mb < 2 || source.ring_mb > 2048 {
                return Err(format!("source {number}: ring_mb must be 2 to 2048"));
            }
            source.parsed_filter().map_err(|error| format!("source {number}: filter: {error}"))?;
        }
        for name in &self.protocols.off {
            known_protocol(name).map_err(|known| format!("protocols: off: there is no {name}; there are: {known}"))?;
        }
        for name in &self.anomalies.off {
            let (stage, _) = name.split_once('.').unwrap_or((name, ""));
            if !ANOMALY_STAGES.contains(&stage) {
                let wrong = |known| format!("anomalies: off: nothing begins with {stage}; there are: {known}");
                known_protocol(stage).map_err(wrong)?;
            }
        }
        self.networks.check()?;
        self.packets.check()
    }

    /// What is switched off.
    pub fn muted(&self) -> Muted {
        Muted { protocols: self.protocols.off.clone(), anomalies: self.anomalies.off.clone() }
    }

    /// Of new settings, those that a running sensor can take up, and the sections whose change needs a restart: of these the
    /// old ones stay.
    pub fn taken_up(&self, new: &Settings) -> (Settings, Vec<&'static str>) {
        let mut next = new.clone();
        let mut restart = Vec::new();
        let mut keep = |section, differs: bool| {
            if differs {
                restart.push(section);
            }
            differs
        };
        let shape = |settings: &Settings| -> Vec<SourceSettings> {
            let all = settings.source.iter().cloned();
            all.map(|source| SourceSettings { filter: String::new(), ..source }).collect()
        };
        if keep("source (all but filter)", shape(self) != shape(new)) {
            next.source.clone_from(&self.source);
        }
        let flow_of =
            |packets: &PacketSettings| PacketSettings { cutoff_mb: 0, cutoff: Default::default(), ..packets.clone() };
        if keep("packets (all but cutoff_mb and cutoff)", flow_of(&self.packets) != flow_of(&new.packets)) {
            let (cutoff_mb, cutoff) = (new.packets.cutoff_mb, new.packets.cutoff.clone());
            next.packets = PacketSettings { cutoff_mb, cutoff, ..self.packets.clone() };
        }
        if keep("spool", self.spool != new.spool) {
            next.spool = self.spool.clone();
        }
        if keep("files", self.files != new.files) {
            next.files = self.files;
        }
        if keep("uplink", self.uplink != new.uplink) {
            next.uplink = self.uplink.clone();
        }
        if keep("metrics", self.metrics != new.metrics) {
            next.metrics = self.metrics;
        }
        if keep("privileges", self.privileges != new.privileges) {
            next.privileges = self.privileges.clone();
        }
        (next, restart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_source_is_an_interface_or_a_file() {
        let parse = |text| luytre_settings::parse::<Settings>(text, Path::new("sensor.toml")).unwrap();
        assert!(parse("[[source]]\ninterface = \"eth0\"").check().is_ok());
        assert!(parse("[[source]]\nfile = \"a.pcap\"\nspeed = \"max\"").check().is_ok());
        assert!(parse("[[source]]\n").check().unwrap_err().contains("source 1"));
        assert!(parse("").check().is_ok());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let check = |text: &str| luytre_settings::parse::<Settings>(text, Path::new("sensor.toml")).unwrap().check();
        let first = "[[source]]\ninterface = \"eth0\"\n";
        let filter = format!("{first}[[source]]\ninterface = \"eth1\"\nfilter = \"tcp prot 80\"");
        let error = check(&filter).unwrap_err();
        assert!(error.starts_with("source 2: filter: at character 5: "), "{error}");
        assert!(check("[protocols]\noff = [\"htpt\"]").unwrap_err().contains("there is no htpt; there are: "));
        assert!(check("[anomalies]\noff = [\"tpc.gap\"]").unwrap_err().contains("nothing begins with tpc"));
        assert_eq!(check("[anomalies]\noff = [\"tcp.gap\", \"flow\"]"), Ok(()));
    }

    #[test]
    fn what_needs_a_restart_is_named_and_stays_as_it_is() {
        let parse = |text| luytre_settings::parse::<Settings>(text, Path::new("sensor.toml")).unwrap();
        let old = parse("[[source]]\ninterface = \"eth0\"\n[packets]\nquota_mb = 100\n[flow]\nflows = 10");
        let new = parse(
            "[[source]]\ninterface = \"eth0\"\nfilter = \"udp\"\n[packets]\nquota_mb = 200\ncutoff_mb = 3\n\
             [flow]\nflows = 20\n[metrics]\nenabled = false",
        );
        let (taken, restart) = old.taken_up(&new);
        assert_eq!(restart, ["packets (all but cutoff_mb and cutoff)", "metrics"]);
        assert_eq!((taken.packets.quota_mb, taken.packets.cutoff_mb, taken.metrics.enabled), (100, 3, true));
        assert_eq!((taken.flow.flows, taken.source[0].filter.as_str()), (20, "udp"));
        let more = parse("[[source]]\ninterface = \"eth0\"\nfilter = \"udp\"\n[[source]]\ninterface = \"eth1\"");
        let (taken, restart) = old.taken_up(&more);
        assert_eq!((taken.source.len(), restart[0]), (1, "source (all but filter)"));
    }
}
