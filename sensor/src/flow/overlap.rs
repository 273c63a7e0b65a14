//! How the systems of this network settle overlapping TCP segments: part of `sensor.toml`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

use super::reassembly::Policy;

/// `[overlap]`: a default, and networks whose systems do otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overlap {
    /// For every receiver that no network below has.
    pub policy: Policy,
    /// The first that has the receiver counts.
    pub networks: Vec<OverlapNetworks>,
}

/// Networks whose systems settle overlaps alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlapNetworks {
    /// What they do.
    pub policy: Policy,
    /// Where they are.
    pub addresses: Vec<IpNet>,
}

impl Overlap {
    /// What the system at an address does.
    pub fn of(&self, receiver: IpAddr) -> Policy {
        let listed = self.networks.iter().find(|n| n.addresses.iter().any(|network| network.contains(&receiver)));
        listed.map_or(self.policy, |networks| networks.policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_network_that_has_the_receiver_counts() {
        let overlap: Overlap = toml::from_str(
            "policy = \"linux\"\n[[networks]]\npolicy = \"windows\"\naddresses = [\"192.0.2.0/24\", \"2001:db8::/32\"]",
        )
        .unwrap();
        assert_eq!(overlap.of([192, 0, 2, 9].into()), Policy::Windows);
        assert_eq!(overlap.of("2001:db8::9".parse().unwrap()), Policy::Windows);
        assert_eq!(overlap.of([198, 51, 100, 9].into()), Policy::Linux);
    }
}
