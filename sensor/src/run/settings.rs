//! The configuration of `luytre-sensor run`.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use crate::capture::replay::Speed;
use crate::decode::Checksums;
use crate::flow::FlowLimits;
use crate::flow::overlap::Overlap;
use crate::packets::PacketSettings;
use crate::spool::SpoolLimits;
use crate::uplink::UplinkSettings;

/// `sensor.toml`. Everything has a default: without sources the sensor captures on every interface that is up.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where packets come from.
    pub source: Vec<SourceSettings>,
    /// What is made of headers.
    pub decode: DecodeSettings,
    /// Limits of the flow table.
    pub flow: FlowLimits,
    /// How the systems of this network settle overlapping TCP segments.
    pub overlap: Overlap,
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

/// What a sensor that was started as root gives up once everything is open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrivilegeSettings {
    /// The user that it goes on as; empty: it stays who it is.
    pub user: String,
}

/// One source: an interface or a file.
#[derive(Debug, Clone, Deserialize)]
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

    /// Whether it is a capture file.
    pub fn is_file(&self) -> bool {
        !self.file.as_os_str().is_empty()
    }
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
        }
        self.packets.check()
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
}
