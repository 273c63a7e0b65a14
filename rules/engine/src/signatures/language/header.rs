//! Addresses, ports and directions of a rule's header, with variables and groups.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;

use super::Reason;

/// How deep groups and variables may stand inside each other.
const DEPTH_MAX: u8 = 16;
/// Longer groups are read each time they are met: they hardly come again.
const KNOWN_MAX_BYTES: usize = 256;
/// The most entries of one group, variables taken apart.
const ENTRIES_MAX: usize = 65_536;

/// Named groups of addresses and ports.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
    /// Groups that were read before: most rules name the same few.
    known: RefCell<HashMap<String, AddressSet>>,
}

impl Variables {
    /// The groups that rules published for everybody count on, with the private networks as one's own.
    pub fn usual() -> Variables {
        let mut variables = Variables::default();
        for line in include_str!("usual_variables.txt").lines() {
            if let Some((name, value)) = line.split_once('=') {
                variables.set(name.trim(), value.trim());
            }
        }
        variables
    }

    /// Gives a name a value, written as in a rule.
    pub fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
        self.known.borrow_mut().clear();
    }

    /// Names and values, by name.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Which way a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrow {
    /// From the first to the second.
    Forward,
    /// Both ways.
    Both,
    /// Requests and answers of one transaction together.
    Transaction,
}

/// The header of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The protocol as written, without a hook behind a colon.
    pub protocol: String,
    /// The hook behind the colon.
    pub hook: Option<String>,
    /// Addresses of the sender.
    pub source: AddressSet,
    /// Ports of the sender.
    pub source_ports: PortSet,
    /// Which way.
    pub arrow: Arrow,
    /// Addresses of the receiver.
    pub destination: AddressSet,
    /// Ports of the receiver.
    pub destination_ports: PortSet,
}

impl Header {
    /// Reads the words of a header.
    pub fn parse(words: &[String], variables: &Variables) -> Result<Header, Reason> {
        let protocol = words.first().ok_or("the protocol is missing")?.to_ascii_lowercase();
        let (protocol, hook) = match protocol.split_once(':') {
            Some((protocol, hook)) => (protocol.to_owned(), Some(hook.to_owned())),
            None => (protocol, None),
        };
        let any = || AddressSet::parse("any", variables);
        let (source, source_ports, arrow, destination, destination_ports) = match words {
            [_] => (any()?, PortSet::default(), Arrow::Both, any()?, PortSet::default()),
            [_, source, source_ports, arrow, destination, destination_ports] => {
                let arrow = match arrow.as_str() {
                    "->" => Arrow::Forward,
                    "<>" => Arrow::Both,
                    "=>" => Arrow::Transaction,
                    other => return Err(format!("{other} is no direction (->, <>, =>)")),
                };
                let source = AddressSet::parse(source, variables)?;
                let source_ports = PortSet::parse(source_ports, variables)?;
                let destination = AddressSet::parse(destination, variables)?;
                (source, source_ports, arrow, destination, PortSet::parse(destination_ports, variables)?)
            }
            _ => return Err(format!("a header has 6 parts after the action, this one {}", words.len())),
        };
        Ok(Header { protocol, hook, source, source_ports, arrow, destination, destination_ports })
    }
}

/// Addresses: those in `within` that are not in `without`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressSet {
    /// Empty means any. Shared by all rules that name the same group.
    within: Arc<[IpNet]>,
    without: Arc<[IpNet]>,
}

impl AddressSet {
    /// Reads `any`, an address, a network, a range, a variable, or a group of them.
    pub fn parse(text: &str, variables: &Variables) -> Result<AddressSet, Reason> {
        if text.len() > KNOWN_MAX_BYTES {
            return AddressSet::read(text, variables);
        }
        if let Some(known) = variables.known.borrow().get(text) {
            return Ok(known.clone());
        }
        let set = AddressSet::read(text, variables)?;
        variables.known.borrow_mut().insert(text.to_owned(), set.clone());
        Ok(set)
    }

    fn read(text: &str, variables: &Variables) -> Result<AddressSet, Reason> {
        let (mut within, mut without) = (Vec::new(), Vec::new());
        let mut any = false;
        walk(text, false, variables, 0, &mut |item, negated| {
            if item.eq_ignore_ascii_case("any") {
                if negated {
                    return Err("!any leaves no address".into());
                }
                any = true;
                return Ok(());
            }
            let list = if negated { &mut without } else { &mut within };
            list.extend(networks(item)?);
            if list.len() > ENTRIES_MAX { Err(format!("more than {ENTRIES_MAX} networks")) } else { Ok(()) }
        })?;
        if any {
            within.clear();
        }
        Ok(AddressSet { within: IpNet::aggregate(&within).into(), without: IpNet::aggregate(&without).into() })
    }

    /// Whether every address is in it.
    pub fn is_any(&self) -> bool {
        self.within.is_empty() && self.without.is_empty()
    }

    /// The networks of which it has no more than these; empty means that it may have any.
    pub fn within(&self) -> &[IpNet] {
        &self.within
    }

    /// An address that is in it.
    pub fn example(&self) -> Option<IpAddr> {
        let usual: [IpAddr; 3] =
            [Ipv4Addr::new(192, 0, 2, 10).into(), Ipv4Addr::new(10, 1, 2, 3).into(), Ipv6Addr::LOCALHOST.into()];
        let own = self.within.iter().flat_map(|net| [net.network(), net.broadcast()]);
        usual.into_iter().chain(own).find(|address| self.contains(*address))
    }

    /// How many networks it names.
    pub fn len(&self) -> usize {
        self.within.len() + self.without.len()
    }

    /// Whether it names none, which are all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether some addresses are taken out of it.
    pub fn is_negated(&self) -> bool {
        !self.without.is_empty()
    }

    /// Whether it holds an address: what is nearer to it decides, so that a group may take out a part of a network and
    /// another give back a part of that.
    pub fn contains(&self, address: IpAddr) -> bool {
        if self.without.is_empty() {
            return self.within.is_empty() || self.within.iter().any(|net| net.contains(&address));
        }
        let nearest = |list: &[IpNet]| list.iter().filter(|net| net.contains(&address)).map(IpNet::prefix_len).max();
        match (nearest(&self.within), nearest(&self.without)) {
            (_, None) if self.within.is_empty() => true,
            (Some(within), Some(without)) => within > without,
            (within, None) => within.is_some(),
            (None, Some(_)) => false,
        }
    }
}

fn networks(item: &str) -> Result<Vec<IpNet>, Reason> {
    let wrong = || format!("{item} is no address, network or range");
    if let Ok(address) = item.parse::<IpAddr>() {
        return Ok(vec![IpNet::from(address)]);
    }
    if let Some((low, high)) = item.split_once('-') {
        let (low, high): (IpAddr, IpAddr) =
            (low.trim().parse().map_err(|_| wrong())?, high.trim().parse().map_err(|_| wrong())?);
        return match (low, high) {
            (IpAddr::V4(low), IpAddr::V4(high)) if low <= high => {
                Ok(ipnet::Ipv4Subnets::new(low, high, 0).map(IpNet::V4).collect())
            }
            (IpAddr::V6(low), IpAddr::V6(high)) if low <= high => {
                Ok(ipnet::Ipv6Subnets::new(low, high, 0).map(IpNet::V6).collect())
            }
            _ => Err(wrong()),
        };
    }
    if let Some((address, mask)) = item.split_once('/')
        && let (Ok(address), Ok(mask)) = (address.parse::<IpAddr>(), mask.parse::<IpAddr>())
    {
        return IpNet::with_netmask(address, mask).map(|net| vec![net.trunc()]).map_err(|_| wrong());
    }
    item.parse::<IpNet>().map(|net| vec![net.trunc()]).map_err(|_| wrong())
}

/// Ports, as ranges in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortSet {
    /// Empty means any.
    ranges: Vec<(u16, u16)>,
}

impl PortSet {
    /// Reads `any`, a port, a range (`1024:`), a variable, or a group of them.
    pub fn parse(text: &str, variables: &Variables) -> Result<PortSet, Reason> {
        let (mut within, mut without) = (Vec::new(), Vec::new());
        walk(text, false, variables, 0, &mut |item, negated| {
            let range = port_range(item)?;
            let list = if negated { &mut without } else { &mut within };
            list.push(range);
            if list.len() > ENTRIES_MAX { Err(format!("more than {ENTRIES_MAX} ports")) } else { Ok(()) }
        })?;
        if within.is_empty() {
            within.push((0, u16::MAX));
        }
        let ranges = subtract(&within, &without);
        if ranges.is_empty() {
            return Err(format!("{text} leaves no port"));
        }
        if ranges == [(0, u16::MAX)] {
            return Ok(PortSet::default());
        }
        Ok(PortSet { ranges })
    }

    /// Whether every port is in it.
    pub fn is_any(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ports that are in it, where there are no more than so many.
    pub fn few(&self, most: usize) -> Option<Vec<u16>> {
        let count: usize = self.ranges.iter().map(|(low, high)| usize::from(high - low) + 1).sum();
        let all = || self.ranges.iter().flat_map(|(low, high)| *low..=*high).collect();
        (!self.is_any() && count <= most).then(all)
    }

    /// A port that is in it.
    pub fn example(&self) -> u16 {
        self.ranges.first().map_or(40_000, |(low, _)| *low)
    }

    /// Whether it holds a port.
    pub fn contains(&self, port: u16) -> bool {
        if self.ranges.is_empty() {
            return true;
        }
        let after = self.ranges.partition_point(|(low, _)| *low <= port);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|(_, high)| port <= *high)
    }
}

fn port_range(item: &str) -> Result<(u16, u16), Reason> {
    let port = |text: &str| text.trim().parse::<u16>().map_err(|_| format!("{item} is no port"));
    if item.eq_ignore_ascii_case("any") {
        return Ok((0, u16::MAX));
    }
    match item.split_once(':') {
        None => port(item).map(|port| (port, port)),
        Some((low, high)) => {
            let low = if low.trim().is_empty() { 0 } else { port(low)? };
            let high = if high.trim().is_empty() { u16::MAX } else { port(high)? };
            if low > high { Err(format!("the range {item} is empty")) } else { Ok((low, high)) }
        }
    }
}

/// What is left of some ranges without others, joined and in order.
fn subtract(within: &[(u16, u16)], without: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let without = joined(without);
    let mut left = Vec::new();
    for (low, high) in joined(within) {
        let mut from = u32::from(low);
        for (cut_low, cut_high) in without.iter().filter(|(cut_low, cut_high)| *cut_high >= low && *cut_low <= high) {
            if let (Ok(from), Some(before)) = (u16::try_from(from), cut_low.checked_sub(1))
                && from <= before
            {
                left.push((from, before));
            }
            from = from.max(u32::from(*cut_high) + 1);
        }
        if let Ok(from) = u16::try_from(from)
            && from <= high
        {
            left.push((from, high));
        }
    }
    left
}

/// Ranges in order; those that touch are one.
fn joined(ranges: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable();
    let mut out: Vec<(u16, u16)> = Vec::new();
    for (low, high) in sorted {
        match out.last_mut() {
            Some((_, last)) if u32::from(low) <= u32::from(*last) + 1 => *last = high.max(*last),
            _ => out.push((low, high)),
        }
    }
    out
}

/// Hands over each plain item of a group with whether it is negated; variables are taken apart.
fn walk(
    text: &str,
    negated: bool,
    variables: &Variables,
    depth: u8,
    take: &mut dyn FnMut(&str, bool) -> Result<(), Reason>,
) -> Result<(), Reason> {
    if depth > DEPTH_MAX {
        return Err(format!("groups and variables stand more than {DEPTH_MAX} deep inside each other"));
    }
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('!') {
        return walk(rest, !negated, variables, depth + 1, take);
    }
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or_else(|| format!("the bracket of {text} is never closed"))?;
        if inner.trim().is_empty() {
            return Err("the group is empty".into());
        }
        return items(inner)?.iter().try_for_each(|item| walk(item, negated, variables, depth + 1, take));
    }
    if let Some(name) = text.strip_prefix('$') {
        let value = variables.values.get(name).ok_or_else(|| format!("the variable ${name} is not set"))?;
        return walk(value, negated, variables, depth + 1, take);
    }
    if text.is_empty() {
        return Err("an item is empty".into());
    }
    take(text, negated)
}

/// Splits at commas outside of brackets.
fn items(text: &str) -> Result<Vec<&str>, Reason> {
    let (mut items, mut depth, mut begin) = (Vec::new(), 0i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                items.push(text.get(begin..at).unwrap_or(""));
                begin = at + 1;
            }
            _ => {}
        }
    }
    if depth != 0 {
        return Err(format!("the brackets of [{text}] do not match"));
    }
    items.push(text.get(begin..).unwrap_or(""));
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> AddressSet {
        AddressSet::parse(text, &Variables::usual()).unwrap()
    }

    #[test]
    fn groups_of_addresses() {
        let set = addresses("[192.0.2.0/24,!192.0.2.7,2001:db8::/32,198.51.100.1-198.51.100.3]");
        for (address, inside) in [
            ("192.0.2.1", true),
            ("192.0.2.7", false),
            ("2001:db8::1", true),
            ("198.51.100.3", true),
            ("198.51.100.4", false),
            ("203.0.113.1", false),
        ] {
            assert_eq!(set.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!(addresses("$HOME_NET").contains("10.1.2.3".parse().unwrap()));
        assert!(!addresses("!$HOME_NET").contains("10.1.2.3".parse().unwrap()));
        assert!(addresses("$EXTERNAL_NET").contains("203.0.113.1".parse().unwrap()));
        assert!(addresses("[any]").is_any());
    }

    #[test]
    fn groups_of_ports() {
        let variables = Variables::usual();
        let set = PortSet::parse("[80,1024:2000,!1500:1600]", &variables).unwrap();
        assert!(set.contains(80) && set.contains(1499) && set.contains(1601));
        assert!(!set.contains(1500) && !set.contains(81));
        assert!(PortSet::parse("!80", &variables).unwrap().contains(81));
        assert!(PortSet::parse("65535:", &variables).unwrap().contains(65535));
        assert!(PortSet::parse("$HTTP_PORTS", &variables).unwrap().contains(80));
        for wrong in ["70000", "[80", "[]", "9:8", "$NOBODY", "!any"] {
            assert!(PortSet::parse(wrong, &variables).is_err(), "{wrong}");
        }
    }

    #[test]
    fn groups_inside_themselves_end() {
        let mut variables = Variables::default();
        variables.set("A", "[$B]");
        variables.set("B", "[$A]");
        assert!(AddressSet::parse("$A", &variables).is_err());
        assert!(AddressSet::parse(&"[".repeat(1000), &variables).is_err());
    }
}
