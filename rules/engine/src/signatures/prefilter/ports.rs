//! Rules without a content to look for, found by port.
//!
//! Most of them watch one service. A rule is filed under the ports of the end that names few; rules that name none, or many,
//! are asked always.

use std::collections::HashMap;

use super::super::language::Arrow;
use super::super::rule::Rule;

/// A rule for more ports than these is asked always.
const PORTS_MAX: usize = 64;

/// The rules by port.
#[derive(Debug, Default)]
pub struct PortIndex {
    all: Vec<u32>,
    always: Vec<u32>,
    by_source: HashMap<u16, Vec<u32>>,
    by_destination: HashMap<u16, Vec<u32>>,
}

impl PortIndex {
    /// Files a rule.
    pub fn add(&mut self, number: u32, rule: &Rule) {
        self.all.push(number);
        let header = &rule.header;
        let either = header.arrow != Arrow::Forward;
        let destinations = header.destination_ports.few(PORTS_MAX);
        let (ports, of_destination) = match (destinations, header.source_ports.few(PORTS_MAX)) {
            (Some(ports), _) => (ports, true),
            (None, Some(ports)) => (ports, false),
            (None, None) => return self.always.push(number),
        };
        for port in ports {
            if either || of_destination {
                self.by_destination.entry(port).or_default().push(number);
            }
            if either || !of_destination {
                self.by_source.entry(port).or_default().push(number);
            }
        }
    }

    /// Hands over the rules that these ports may concern, some perhaps more than once; where there are no ports, all.
    pub fn candidates(&self, ports: Option<(u16, u16)>, mut take: impl FnMut(u32)) {
        let Some((source, destination)) = ports else { return self.all.iter().copied().for_each(take) };
        let of_source = self.by_source.get(&source).into_iter().flatten();
        let of_destination = self.by_destination.get(&destination).into_iter().flatten();
        self.always.iter().chain(of_source).chain(of_destination).copied().for_each(&mut take);
    }
}
