//! Capture filters in the language of tcpdump: compiled to classic BPF, run by the kernel or by [`machine`].
//!
//! Comes in: a text such as `not (host 192.0.2.1 and tcp port 873)`. Goes out: one program for each kind of link header,
//! attached to the ring's socket, or run here where packets come from a file or one by one; the same program in both
//! places, so both let the same packets through. [`syntax`] says what of the language is understood: what is not is an
//! error that names the place, never a guess.
//!
//! Two things differ from tcpdump on purpose. VLAN tags are looked through, because mirror ports have them or not as they
//! like. And a packet that is too short for a question answers it with no, so that `not port 53` lets a mangled packet
//! through instead of hiding it.

mod assembler;
mod expression;
pub mod machine;
mod program;
mod syntax;
mod words;

use super::{LinkType, Packet};
use machine::Program;

/// Longest text of a filter, in bytes.
pub const TEXT_MAX_BYTES: usize = 4096;

/// Why a text is no filter. The message names the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {column}: {reason}")]
pub struct FilterError {
    /// Which character, from 1.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
}

/// Where the network layer is told of in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// An EtherType at this offset, what it tells of behind it; destination and source address of Ethernet before it or not.
    EtherType { at: u32, has_addresses: bool },
    /// IP from the first byte on.
    Ip,
}

impl Link {
    fn of(link: LinkType) -> Option<Link> {
        match link.0 {
            1 => Some(Link::EtherType { at: 12, has_addresses: true }),
            113 => Some(Link::EtherType { at: 14, has_addresses: false }),
            12 | 14 | 101 | 228 | 229 => Some(Link::Ip),
            _ => None,
        }
    }
}

/// A filter, ready for every kind of link header that it can be asked about.
#[derive(Debug, Clone)]
pub struct Filter {
    text: String,
    ethernet: Program,
    cooked: Program,
    raw: Program,
}

impl Filter {
    /// Reads and compiles a text; an empty one is no filter.
    pub fn parse(text: &str) -> Result<Option<Filter>, FilterError> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        if text.len() > TEXT_MAX_BYTES {
            let reason = format!("the filter is longer than {TEXT_MAX_BYTES} characters");
            return Err(FilterError { column: TEXT_MAX_BYTES, reason });
        }
        let expression = syntax::parse(text)?;
        let compile = |link| {
            let too_long = |reason| FilterError { column: 1, reason };
            program::compile(&expression, link).map_err(too_long)
        };
        Ok(Some(Filter {
            text: text.to_owned(),
            ethernet: compile(Link::EtherType { at: 12, has_addresses: true })?,
            cooked: compile(Link::EtherType { at: 14, has_addresses: false })?,
            raw: compile(Link::Ip)?,
        }))
    }

    /// The text it was made from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The program for a kind of link header; none where the filter cannot find its way.
    pub fn program(&self, link: LinkType) -> Option<&Program> {
        Some(match Link::of(link)? {
            Link::EtherType { has_addresses: true, .. } => &self.ethernet,
            Link::EtherType { .. } => &self.cooked,
            Link::Ip => &self.raw,
        })
    }

    /// Whether a packet passes. One whose link header is of a kind that the filter does not know does: it is for others
    /// to say what becomes of it.
    pub fn passes(&self, packet: &Packet<'_>) -> bool {
        self.program(packet.link).is_none_or(|program| program.passes(packet))
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Filter) -> bool {
        self.text == other.text
    }
}

#[cfg(test)]
mod tests;
