//! Whose addresses are whose: the networks that a sensor watches over, and the agencies that they belong to.
//!
//! Comes in: `[networks]` of `sensor.toml`, and the two addresses of each event's flow. Goes out: `network.direction`, and
//! `organization.id` and `organization.name` where an agency's range is known. A sensor knows what the collector cannot:
//! private addresses mean another agency on each agency's own link. Where it says nothing, the collector goes by its own
//! table. The longest prefix counts; where both sides belong to an agency, the one that opened the flow is named, as the
//! collector does.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use luytre_events::{Catalogue, FieldId, FlowContext, Value};
use serde::Deserialize;

/// Most ranges in all.
const RANGES_MAX: usize = 10_000;
/// Longest id and name of an agency, in bytes.
const NAME_MAX_BYTES: usize = 200;

/// `[networks]` of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSettings {
    /// Ranges of the networks that are watched over. Those of agencies are theirs as well.
    pub home: Vec<IpNet>,
    /// Ranges by agency.
    pub agency: Vec<AgencySettings>,
}

/// One agency's ranges, written as in the collector's `agencies.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencySettings {
    /// `organization.id`.
    pub id: String,
    /// `organization.name`.
    pub name: String,
    /// Its ranges.
    pub networks: Vec<IpNet>,
}

impl NetworkSettings {
    /// What is wrong with settings that are well-formed.
    pub fn check(&self) -> Result<(), String> {
        let mut seen = std::collections::HashMap::new();
        for agency in &self.agency {
            for text in [&agency.id, &agency.name] {
                if text.is_empty() || text.len() > NAME_MAX_BYTES {
                    return Err(format!("networks: id and name of an agency have 1 to {NAME_MAX_BYTES} bytes"));
                }
            }
            for network in &agency.networks {
                if let Some(other) = seen.insert(network.trunc(), &agency.id).filter(|other| *other != &agency.id) {
                    return Err(format!("networks: {network} belongs to the agencies {other} and {}", agency.id));
                }
            }
        }
        let ranges = self.home.len() + self.agency.iter().map(|agency| agency.networks.len()).sum::<usize>();
        if ranges > RANGES_MAX {
            return Err(format!("networks: {ranges} ranges, at most {RANGES_MAX} are possible"));
        }
        Ok(())
    }
}

/// Who owns a range.
#[derive(Debug, Clone)]
struct Owner {
    id: Arc<str>,
    name: Arc<str>,
}

/// From an address on, up to the next entry: whether it is ours, and whose.
#[derive(Debug, Clone)]
struct Stretch {
    start: u128,
    home: bool,
    owner: Option<Owner>,
}

/// The ranges, ready to be asked for every event.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    v4: Vec<Stretch>,
    v6: Vec<Stretch>,
    fields: Option<Fields>,
}

#[derive(Debug, Clone, Copy)]
struct Fields {
    direction: FieldId,
    id: FieldId,
    name: FieldId,
}

impl Networks {
    /// Those of the settings.
    pub fn new(settings: &NetworkSettings) -> Networks {
        let mut ranges: Vec<(IpNet, Option<Owner>)> = settings.home.iter().map(|net| (net.trunc(), None)).collect();
        for agency in &settings.agency {
            let owner = Owner { id: agency.id.as_str().into(), name: agency.name.as_str().into() };
            ranges.extend(agency.networks.iter().map(|net| (net.trunc(), Some(owner.clone()))));
        }
        if ranges.is_empty() {
            return Networks::default();
        }
        let catalogue = Catalogue::current();
        let field = |name| catalogue.field_id(name);
        let fields = (|| {
            let (id, name) = (field("organization.id")?, field("organization.name")?);
            Some(Fields { direction: field("network.direction")?, id, name })
        })();
        let of = |v4: bool| ranges.iter().filter(move |(net, _)| net.addr().is_ipv4() == v4).cloned().collect();
        Networks { v4: stretches(of(true)), v6: stretches(of(false)), fields }
    }

    /// Adds to the fields of an event what is known of its flow's addresses.
    pub fn tell(&self, flow: &FlowContext, fields: &mut Vec<(FieldId, Value)>) {
        let Some(ids) = self.fields else { return };
        let (source, destination) = (self.of(flow.source.0), self.of(flow.destination.0));
        let is_home = |side: Option<&Stretch>| side.is_some_and(|stretch| stretch.home);
        // What goes to a group or to everybody stays on the link.
        let stays = is_home(destination) || (is_home(source) && is_local_group(flow.destination.0));
        let direction = match (is_home(source), stays) {
            (true, true) => "internal",
            (true, false) => "outbound",
            (false, true) => "inbound",
            (false, false) => "external",
        };
        fields.push((ids.direction, Value::Str(direction.into())));
        let owner = |side: Option<&Stretch>| side.and_then(|stretch| stretch.owner.clone());
        if let Some(Owner { id, name }) = owner(source).or_else(|| owner(destination)) {
            fields.push((ids.id, Value::Str((&*id).into())));
            fields.push((ids.name, Value::Str((&*name).into())));
        }
    }

    fn of(&self, address: IpAddr) -> Option<&Stretch> {
        let (stretches, number) = match address {
            IpAddr::V4(address) => (&self.v4, u128::from(address.to_bits())),
            IpAddr::V6(address) => (&self.v6, address.to_bits()),
        };
        let behind = stretches.partition_point(|stretch| stretch.start <= number);
        stretches.get(behind.checked_sub(1)?)
    }
}

/// Multicast, and broadcast to one's own link.
fn is_local_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}

/// Ranges lie in each other or apart: they are laid flat from their starts, and after the end of one the one around it
/// goes on.
fn stretches(mut ranges: Vec<(IpNet, Option<Owner>)>) -> Vec<Stretch> {
    // Of equal ranges the one with an owner comes last and so counts.
    ranges.sort_by_key(|(net, owner)| (first(net), net.prefix_len(), owner.is_some()));
    let mut flat = vec![Stretch { start: 0, home: false, owner: None }];
    // The ranges around the current place: owner, and the last address.
    let mut around: Vec<(Option<Owner>, u128)> = Vec::new();
    let close = |until: Option<u128>, around: &mut Vec<(Option<Owner>, u128)>, flat: &mut Vec<Stretch>| {
        while let Some((_, last)) = around.last().filter(|(_, last)| until.is_none_or(|until| *last < until)) {
            let next = last.checked_add(1);
            around.pop();
            let Some(start) = next else { continue };
            let outer = around.last();
            flat.push(Stretch { start, home: outer.is_some(), owner: outer.and_then(|(owner, _)| owner.clone()) });
        }
    };
    for (net, owner) in ranges {
        let (start, last) = (first(&net), last(&net));
        close(Some(start), &mut around, &mut flat);
        // A home range inside of an agency's belongs to the agency.
        let owner = owner.or_else(|| around.last().and_then(|(owner, _)| owner.clone()));
        flat.push(Stretch { start, home: true, owner: owner.clone() });
        around.push((owner, last));
    }
    close(None, &mut around, &mut flat);
    // Of those that begin at the same place the last one holds.
    flat.reverse();
    flat.dedup_by_key(|stretch| stretch.start);
    flat.reverse();
    flat
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn first(net: &IpNet) -> u128 {
    number(net.network())
}

fn last(net: &IpNet) -> u128 {
    number(net.broadcast())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use luytre_events::{CommunityId, Transport};

    use super::*;

    fn settings(text: &str) -> NetworkSettings {
        toml::from_str(text).unwrap()
    }

    fn told(networks: &Networks, source: &str, destination: &str) -> Vec<String> {
        let end = |text: &str| (text.parse().unwrap(), 1);
        let flow = FlowContext {
            source: end(source),
            destination: end(destination),
            transport: Transport::UDP,
            vlan: None,
            community_id: CommunityId([0; 20]),
            protocol: None,
        };
        let mut fields = Vec::new();
        networks.tell(&flow, &mut fields);
        let text = |(_, value): (FieldId, Value)| match value {
            Value::Str(text) => text.to_string(),
            other => format!("{other:?}"),
        };
        fields.into_iter().map(text).collect()
    }

    const RANGES: &str = r#"
        home = ["192.0.2.0/24", "2001:db8::/32"]
        [[agency]]
        id = "so-a"
        name = "Sở A"
        networks = ["198.51.100.0/24", "2001:db8:a::/48"]
        [[agency]]
        id = "so-b"
        name = "Sở B"
        networks = ["198.51.100.128/25"]
    "#;

    #[test]
    fn directions_and_agencies_are_told_by_the_longest_prefix() {
        let networks = Networks::new(&settings(RANGES));
        let told = |source, destination| told(&networks, source, destination).join(" ");
        assert_eq!(told("192.0.2.1", "203.0.113.9"), "outbound");
        assert_eq!(told("203.0.113.9", "192.0.2.1"), "inbound");
        assert_eq!(told("203.0.113.9", "203.0.113.10"), "external");
        assert_eq!(told("192.0.2.1", "198.51.100.5"), "internal so-a Sở A");
        assert_eq!(told("198.51.100.200", "198.51.100.5"), "internal so-b Sở B");
        assert_eq!(told("2001:db8:a::1", "2001:db8:b::1"), "internal so-a Sở A");
        assert_eq!(told("2001:db8:b::1", "2001:db9::1"), "outbound");
        assert_eq!(told("192.0.2.1", "224.0.0.251"), "internal");
        assert_eq!(told("203.0.113.1", "224.0.0.251"), "external");
    }

    #[test]
    fn without_ranges_nothing_is_told() {
        assert!(told(&Networks::new(&NetworkSettings::default()), "192.0.2.1", "192.0.2.2").is_empty());
    }

    #[test]
    fn a_range_of_two_agencies_is_an_error() {
        let twice = format!("{RANGES}[[agency]]\nid = \"so-c\"\nname = \"C\"\nnetworks = [\"198.51.100.130/25\"]");
        assert!(settings(&twice).check().unwrap_err().contains("so-b and so-c"));
        assert!(settings(RANGES).check().is_ok());
    }

    proptest! {
        #[test]
        fn the_flat_table_answers_like_the_list(
            home in proptest::collection::vec((any::<u32>(), 0..=32u8), 0..12),
            owned in proptest::collection::vec((any::<u32>(), 0..=32u8), 0..12),
            asked in proptest::collection::vec(any::<u32>(), 20),
        ) {
            // Few bits, so that ranges meet.
            let net = |(bits, prefix): &(u32, u8)| -> IpNet {
                ipnet::Ipv4Net::new((bits & 0xe000_0007).into(), *prefix).unwrap().trunc().into()
            };
            let home: Vec<IpNet> = home.iter().map(net).collect();
            let mut agency: Vec<AgencySettings> = Vec::new();
            for net in owned.iter().map(net) {
                if agency.iter().all(|known| known.networks != [net]) {
                    agency.push(AgencySettings { id: net.to_string(), name: "x".into(), networks: vec![net] });
                }
            }
            let networks = Networks::new(&NetworkSettings { home: home.clone(), agency: agency.clone() });
            for bits in asked.iter().flat_map(|bits| [bits & 0xe000_0007, bits | 0x1fff_fff8]) {
                let address = IpAddr::V4(bits.into());
                let stretch = networks.of(address);
                let theirs = agency.iter().filter(|a| a.networks[0].contains(&address));
                let owner = theirs.max_by_key(|a| a.networks[0].prefix_len()).map(|a| a.id.as_str());
                let found = stretch.and_then(|s| s.owner.as_ref()).map(|o| &*o.id);
                prop_assert_eq!(found, owner, "{}", address);
                let is_home = owner.is_some() || home.iter().any(|net| net.contains(&address));
                prop_assert_eq!(stretch.is_some_and(|s| s.home), is_home, "{}", address);
            }
        }
    }
}
