//! What turns a rule away at first sight: transport, family of addresses, protocol and direction, as a few bits.

use std::collections::HashMap;

use super::super::rule::Rule;
use super::super::ruleset::InForce;
use super::super::scene::{Scene, is_spoken, transport_fits};

/// Protocols that rules of one set ask for; those beyond have no bit and are looked at more closely.
const PROTOCOLS_MAX: usize = 255;
/// Protocol numbers that rules name, each with its bit; all others share the last.
const TRANSPORTS: [u8; 7] = [6, 17, 1, 58, 132, 2, 50];

/// Bits of one rule.
#[derive(Debug, Clone, Copy)]
struct Gate {
    /// Transports in the lower half, families of addresses in the upper.
    below: u16,
    /// Bit 0: to the server; bit 1: to the client.
    ways: u8,
    /// Its protocol; 0 for any.
    protocol: u8,
}

/// The gates of all rules of a set.
#[derive(Debug, Default)]
pub struct Gates {
    rules: Vec<Gate>,
    protocols: Vec<String>,
}

/// What gates are asked of.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    transport: u16,
    family: u16,
    way: u8,
    spoken: [u64; 4],
}

/// Which protocols of rules are spoken, by what the sensor says is spoken.
pub type Spoken = HashMap<&'static str, [u64; 4]>;

impl Gates {
    /// For rules in their order.
    pub fn new(rules: &[InForce]) -> Gates {
        let mut gates = Gates::default();
        for rule in rules {
            let gate = gates.gate(rule);
            gates.rules.push(gate);
        }
        gates
    }

    fn gate(&mut self, rule: &Rule) -> Gate {
        let fits = |transport: u8, ipv4: bool| transport_fits(&rule.header.protocol, transport, ipv4);
        let mut below = 0;
        for (bit, number) in TRANSPORTS.into_iter().chain([0]).enumerate() {
            for (ipv4, family) in [(true, 0x100), (false, 0x200)] {
                if fits(number, ipv4) {
                    below |= 1 << bit | family;
                }
            }
        }
        let ways = match (rule.flow.to_server, rule.flow.to_client) {
            (true, false) => 1,
            (false, true) => 2,
            _ => 3,
        };
        Gate { below, ways, protocol: rule.protocol.as_deref().map_or(0, |name| self.number(name)) }
    }

    fn number(&mut self, name: &str) -> u8 {
        let at = self.protocols.iter().position(|other| other == name);
        let at = at.or_else(|| {
            self.protocols.push(name.to_owned());
            Some(self.protocols.len() - 1)
        });
        at.filter(|at| *at < PROTOCOLS_MAX).and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0)
    }

    /// What the rules are asked of.
    pub fn moment(&self, scene: &Scene<'_>, spoken: &mut Spoken) -> Moment {
        let bit = TRANSPORTS.iter().position(|number| *number == scene.transport).unwrap_or(TRANSPORTS.len());
        let spoken = match scene.protocol {
            None => [1, 0, 0, 0],
            Some(protocol) => *spoken.entry(protocol).or_insert_with(|| self.spoken(protocol)),
        };
        Moment {
            transport: 1 << bit,
            family: if scene.source.0.is_ipv4() { 0x100 } else { 0x200 },
            way: if scene.to_server { 1 } else { 2 },
            spoken,
        }
    }

    fn spoken(&self, protocol: &str) -> [u64; 4] {
        let mut bits = [1, 0, 0, 0];
        for (wanted, number) in self.protocols.iter().take(PROTOCOLS_MAX).zip(1usize..) {
            if is_spoken(wanted, protocol)
                && let Some(word) = bits.get_mut(number / 64)
            {
                *word |= 1 << (number % 64);
            }
        }
        bits
    }

    /// Whether a rule may have to do with this moment.
    pub fn lets_through(&self, rule: u32, moment: &Moment) -> bool {
        let Some(gate) = self.rules.get(rule as usize) else { return false };
        let spoken = moment
            .spoken
            .get(usize::from(gate.protocol / 64))
            .is_some_and(|word| word >> (gate.protocol % 64) & 1 != 0);
        gate.below & moment.transport != 0 && gate.below & moment.family != 0 && gate.ways & moment.way != 0 && spoken
    }
}
