//! What is odd about a packet, under the names that rules know it by (`decode-event`).
//!
//! Comes in: headers as they are taken off. Goes out: at most [`NAMES_MAX`] names a packet, each once. Nothing here decides
//! what becomes of the packet.

mod icmp;
mod ip;
mod link;
mod transport;

use std::net::IpAddr;

/// The most names that are noted of one packet.
const NAMES_MAX: usize = 8;

/// What was noticed of one packet.
#[derive(Debug, Default, Clone, Copy)]
pub struct Odd {
    /// Whether anybody asks.
    wanted: bool,
    names: [&'static str; NAMES_MAX],
    count: usize,
    /// Sender and receiver, as far as they could be read.
    pub addresses: Option<(IpAddr, IpAddr)>,
}

impl Odd {
    /// For packets of which somebody asks, or nobody: then nothing is looked at.
    pub fn new(wanted: bool) -> Odd {
        Odd { wanted, ..Odd::default() }
    }

    /// Whether anybody asks.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether there is something to tell.
    pub fn is_something(&self) -> bool {
        self.count > 0
    }

    /// Notes something.
    pub fn note(&mut self, name: &'static str) {
        if self.wanted
            && !self.names().contains(&name)
            && let Some(place) = self.names.get_mut(self.count)
        {
            *place = name;
            self.count += 1;
        }
    }

    /// What was noted.
    pub fn names(&self) -> &[&'static str] {
        self.names.get(..self.count).unwrap_or(&[])
    }
}
