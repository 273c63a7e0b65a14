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
    /// An EtherType at an offset, and what it tells of at another; with Ethernet's two addresses at the start, or not.
    EtherType { at: u32, network: u32, has_addresses: bool },
    /// IP from this offset on.
    Ip { at: u32 },
}

/// The link headers that filters know: number of the link type, and where to look.
const LINKS: [(u32, Link); 10] = [
    (1, Link::EtherType { at: 12, network: 14, has_addresses: true }),
    (113, Link::EtherType { at: 14, network: 16, has_addresses: false }),
    (276, Link::EtherType { at: 0, network: 20, has_addresses: false }),
    (101, Link::Ip { at: 0 }),
    (12, Link::Ip { at: 0 }),
    (14, Link::Ip { at: 0 }),
    (228, Link::Ip { at: 0 }),
    (229, Link::Ip { at: 0 }),
    (0, Link::Ip { at: 4 }),
    (108, Link::Ip { at: 4 }),
];

/// A filter, ready for every kind of link header that it can be asked about.
#[derive(Debug, Clone)]
pub struct Filter {
    text: String,
    programs: Vec<(Link, Program)>,
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
        let mut programs: Vec<(Link, Program)> = Vec::new();
        for (_, link) in LINKS {
            if programs.iter().all(|(known, _)| *known != link) {
                let too_long = |reason| FilterError { column: 1, reason };
                programs.push((link, program::compile(&expression, link).map_err(too_long)?));
            }
        }
        Ok(Some(Filter { text: text.to_owned(), programs }))
    }

    /// The text it was made from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The program for a kind of link header; none where the filter cannot find its way.
    pub fn program(&self, link: LinkType) -> Option<&Program> {
        let (_, wanted) = LINKS.iter().find(|(number, _)| *number == link.0)?;
        self.programs.iter().find(|(known, _)| known == wanted).map(|(_, program)| program)
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
