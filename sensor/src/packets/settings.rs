//! `[packets]` of the configuration: how much is kept, and how much of each flow.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::protocols::{ENCRYPTED, PROTOCOLS};

/// How much of an encrypted flow is kept where nothing else is said, in megabytes: the handshake, and what follows it.
const ENCRYPTED_MB: u64 = 1;
/// The smallest quota that is of any use, in megabytes.
const QUOTA_MIN_MB: u64 = 16;

/// What is kept of packets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PacketSettings {
    /// Whether packets are kept at all (default true).
    pub enabled: bool,
    /// Room for them on disk, in megabytes, all capture threads together (default 10,240); the oldest go first.
    pub quota_mb: u64,
    /// How many days they are kept at most (default 7).
    pub keep_days: u32,
    /// How many megabytes of each flow are kept, from its beginning (default 10).
    pub cutoff_mb: u64,
    /// The same by `network.protocol`. Encrypted protocols that are not named here have 1.
    pub cutoff: BTreeMap<String, u64>,
    /// Whether they are compressed (default false): saves room where much is in the clear, costs processor time.
    pub compress: bool,
    /// How much of the disk must stay free for everything else, in megabytes (default 1,024); packets make room first.
    pub free_mb: u64,
}

impl Default for PacketSettings {
    fn default() -> Self {
        PacketSettings {
            enabled: true,
            quota_mb: 10_240,
            keep_days: 7,
            cutoff_mb: 10,
            cutoff: BTreeMap::new(),
            compress: false,
            free_mb: 1024,
        }
    }
}

impl PacketSettings {
    /// What is wrong with settings that are well-formed.
    pub fn check(&self) -> Result<(), String> {
        if self.enabled && self.quota_mb < QUOTA_MIN_MB {
            return Err(format!("packets: quota_mb must be at least {QUOTA_MIN_MB}; enabled = false keeps none"));
        }
        if self.keep_days == 0 {
            return Err("packets: keep_days must be at least 1; enabled = false keeps none".to_owned());
        }
        let known = |name: &String| PROTOCOLS.iter().any(|protocol| protocol.name == name);
        if let Some(name) = self.cutoff.keys().find(|name| !known(name)) {
            let known: Vec<&str> = PROTOCOLS.iter().map(|protocol| protocol.name).collect();
            return Err(format!("packets: there is no protocol {name} to cut off; there are: {}", known.join(", ")));
        }
        Ok(())
    }

    /// How much of each flow is kept.
    pub fn cutoffs(&self) -> Cutoffs {
        let bytes = |mb: u64| mb.saturating_mul(1 << 20);
        let encrypted = ENCRYPTED.iter().map(|name| (*name, bytes(ENCRYPTED_MB.min(self.cutoff_mb))));
        let mut named: BTreeMap<&'static str, u64> = encrypted.collect();
        for protocol in PROTOCOLS {
            if let Some(mb) = self.cutoff.get(protocol.name) {
                named.insert(protocol.name, bytes(*mb));
            }
        }
        let other = bytes(self.cutoff_mb);
        let smallest = named.values().copied().fold(other, u64::min);
        Cutoffs { smallest, other, named }
    }
}

/// How many bytes of a flow are kept, by protocol.
#[derive(Debug, Clone)]
pub struct Cutoffs {
    smallest: u64,
    other: u64,
    named: BTreeMap<&'static str, u64>,
}

impl Cutoffs {
    /// Whether a packet that comes after so many bytes of its flow is kept.
    pub fn keeps(&self, before_bytes: u64, protocol: Option<&'static str>) -> bool {
        if before_bytes < self.smallest {
            return true;
        }
        let limit = protocol.and_then(|name| self.named.get(name)).copied().unwrap_or(self.other);
        before_bytes < limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_flows_are_cut_off_earlier_unless_it_is_said_otherwise() {
        let encrypted = *ENCRYPTED.first().unwrap();
        let cutoffs = PacketSettings::default().cutoffs();
        assert!(cutoffs.keeps((10 << 20) - 1, None) && !cutoffs.keeps(10 << 20, None));
        assert!(cutoffs.keeps((1 << 20) - 1, Some(encrypted)) && !cutoffs.keeps(1 << 20, Some(encrypted)));
        let named = PacketSettings { cutoff: [(encrypted.to_owned(), 20)].into(), ..PacketSettings::default() };
        assert!(named.cutoffs().keeps(19 << 20, Some(encrypted)));
        assert!(!named.cutoffs().keeps(19 << 20, None));
    }

    #[test]
    fn a_protocol_that_does_not_exist_cannot_be_cut_off() {
        let wrong = PacketSettings { cutoff: [("tsl".to_owned(), 1)].into(), ..PacketSettings::default() };
        assert!(wrong.check().unwrap_err().contains("no protocol tsl"));
        assert!(PacketSettings { quota_mb: 1, ..PacketSettings::default() }.check().is_err());
        assert!(PacketSettings::default().check().is_ok());
    }
}
