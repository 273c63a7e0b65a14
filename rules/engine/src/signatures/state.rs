//! What rules remember of flows and hosts: bits and numbers (`flowbits`, `flowint`, `xbits`, `hostbits`).
//!
//! A flow's memory lives and dies with it. That of hosts and pairs has a ceiling ([`HOST_BITS_MAX`]): beyond, expired
//! bits go first, and what still finds no room is counted and forgotten. Time is packet time.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::numbers::compare;
use super::rule::{Keeper, NumberChange, StateChange, StateTest};

/// The most bits of hosts and pairs.
pub const HOST_BITS_MAX: usize = 262_144;
/// The most bits and numbers of one flow.
const FLOW_ENTRIES_MAX: usize = 512;

/// What is remembered of one flow.
#[derive(Debug, Default)]
pub struct FlowMemory {
    bits: Vec<u32>,
    numbers: BTreeMap<u32, u64>,
}

/// What is remembered of hosts and pairs.
#[derive(Debug, Default)]
pub struct HostMemory {
    bits: HashMap<(Keeper, IpAddr, IpAddr, u32), i64>,
    /// Bits that found no room.
    pub refused: u64,
}

/// Whose memory is meant.
pub struct Memory<'m> {
    /// The flow's.
    pub flow: &'m mut FlowMemory,
    /// That of hosts.
    pub hosts: &'m mut HostMemory,
    /// Sender and receiver.
    pub addresses: (IpAddr, IpAddr),
    /// Now.
    pub time_ns: i64,
}

impl Memory<'_> {
    /// Whether what a rule asks is so.
    pub fn test(&self, test: &StateTest) -> bool {
        match test {
            StateTest::Bits { keeper, names, set } => names.iter().any(|name| self.bit(*keeper, *name)) == *set,
            StateTest::Number { name, how, value, negated } => {
                self.flow.numbers.get(name).is_some_and(|number| compare(*number, *how, *value) != *negated)
            }
            StateTest::Known { name, known } => self.flow.numbers.contains_key(name) == *known,
        }
    }

    /// Remembers what a rule wants remembered.
    pub fn change(&mut self, change: &StateChange) {
        match change {
            StateChange::Set { keeper, name, seconds } => self.set(*keeper, *name, *seconds),
            StateChange::Unset { keeper, name } => self.unset(*keeper, *name),
            StateChange::Toggle { keeper, name, seconds } => {
                if self.bit(*keeper, *name) {
                    self.unset(*keeper, *name);
                } else {
                    self.set(*keeper, *name, *seconds);
                }
            }
            StateChange::Number { name, change } => {
                if self.flow.numbers.len() >= FLOW_ENTRIES_MAX && !self.flow.numbers.contains_key(name) {
                    self.hosts.refused += 1;
                    return;
                }
                let number = self.flow.numbers.entry(*name).or_default();
                *number = match change {
                    NumberChange::Become(value) => *value,
                    NumberChange::Grow(by) => number.saturating_add(*by),
                    NumberChange::Shrink(by) => number.saturating_sub(*by),
                };
            }
        }
    }

    fn bit(&self, keeper: Keeper, name: u32) -> bool {
        match self.key(keeper, name) {
            None => self.flow.bits.contains(&name),
            Some(key) => self.hosts.bits.get(&key).is_some_and(|until| *until > self.time_ns),
        }
    }

    fn set(&mut self, keeper: Keeper, name: u32, seconds: u32) {
        let Some(key) = self.key(keeper, name) else {
            if self.flow.bits.contains(&name) {
                return;
            }
            if self.flow.bits.len() < FLOW_ENTRIES_MAX {
                self.flow.bits.push(name);
            } else {
                self.hosts.refused += 1;
            }
            return;
        };
        if self.hosts.bits.len() >= HOST_BITS_MAX {
            let now = self.time_ns;
            self.hosts.bits.retain(|_, until| *until > now);
        }
        if self.hosts.bits.len() >= HOST_BITS_MAX {
            self.hosts.refused += 1;
            return;
        }
        let until = self.time_ns.saturating_add(i64::from(seconds) * 1_000_000_000);
        self.hosts.bits.insert(key, until);
    }

    fn unset(&mut self, keeper: Keeper, name: u32) {
        match self.key(keeper, name) {
            None => self.flow.bits.retain(|bit| *bit != name),
            Some(key) => {
                self.hosts.bits.remove(&key);
            }
        }
    }

    /// Where a bit of hosts is kept; bits of flows are not.
    fn key(&self, keeper: Keeper, name: u32) -> Option<(Keeper, IpAddr, IpAddr, u32)> {
        let (source, destination) = self.addresses;
        match keeper {
            Keeper::Flow => None,
            Keeper::Source => Some((Keeper::Source, source, source, name)),
            Keeper::Destination => Some((Keeper::Source, destination, destination, name)),
            Keeper::Pair => Some((Keeper::Pair, source.min(destination), source.max(destination), name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_flows_hosts_and_pairs() {
        let (mut flow, mut hosts) = (FlowMemory::default(), HostMemory::default());
        let (a, b): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut memory = Memory { flow: &mut flow, hosts: &mut hosts, addresses: (a, b), time_ns: 0 };
        let asks = |keeper, names: &[u32]| StateTest::Bits { keeper, names: names.to_vec(), set: true };
        memory.change(&StateChange::Set { keeper: Keeper::Flow, name: 1, seconds: 0 });
        memory.change(&StateChange::Set { keeper: Keeper::Source, name: 2, seconds: 10 });
        memory.change(&StateChange::Toggle { keeper: Keeper::Pair, name: 3, seconds: 10 });
        assert!(memory.test(&asks(Keeper::Flow, &[7, 1])) && !memory.test(&asks(Keeper::Flow, &[7])));
        // The other way round, the sender is the receiver.
        let mut memory = Memory { flow: &mut flow, hosts: &mut hosts, addresses: (b, a), time_ns: 5_000_000_000 };
        assert!(memory.test(&asks(Keeper::Destination, &[2])) && !memory.test(&asks(Keeper::Source, &[2])));
        assert!(memory.test(&asks(Keeper::Pair, &[3])));
        memory.change(&StateChange::Toggle { keeper: Keeper::Pair, name: 3, seconds: 10 });
        assert!(!memory.test(&asks(Keeper::Pair, &[3])));
        memory.time_ns = 10_000_000_000;
        assert!(!memory.test(&asks(Keeper::Destination, &[2])), "it was for ten seconds");
    }

    #[test]
    fn numbers_of_flows() {
        let (mut flow, mut hosts) = (FlowMemory::default(), HostMemory::default());
        let a: IpAddr = "192.0.2.1".parse().unwrap();
        let mut memory = Memory { flow: &mut flow, hosts: &mut hosts, addresses: (a, a), time_ns: 0 };
        assert!(memory.test(&StateTest::Known { name: 1, known: false }));
        memory.change(&StateChange::Number { name: 1, change: NumberChange::Grow(3) });
        memory.change(&StateChange::Number { name: 1, change: NumberChange::Shrink(5) });
        let zero = StateTest::Number { name: 1, how: super::super::rule::TestHow::Equal, value: 0, negated: false };
        assert!(memory.test(&zero));
    }
}
