//! What a filter says, taken apart: questions about a packet, joined by and, or and not.

use ipnet::{IpNet, Ipv6Net};

/// What a filter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Both.
    And(Box<Expression>, Box<Expression>),
    /// Either.
    Or(Box<Expression>, Box<Expression>),
    /// The contrary.
    Not(Box<Expression>),
    /// One question.
    Ask(Question),
}

/// Which end of a packet is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// The sender.
    Source,
    /// The receiver.
    Destination,
    /// One of them.
    Either,
    /// Both of them.
    Both,
}

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// =
    Equal,
    /// !=
    Unequal,
    /// >
    Greater,
    /// >=
    AtLeast,
    /// <
    Less,
    /// <=
    AtMost,
}

/// Where bytes are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The frame.
    Link,
    /// The header of a network protocol with this EtherType.
    Network(u16),
    /// The header of the transport protocol with this number.
    Transport(u8),
}

/// One question about a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Whether its network protocol has this EtherType.
    EtherType(u16),
    /// Whether it carries this transport, over a network protocol of this EtherType or over any.
    Protocol(Option<u16>, u8),
    /// Whether an address lies in a network; with an EtherType, only over that network protocol.
    Network(Option<u16>, Ends, IpNet),
    /// Whether a port lies in a range, of one transport or of any that has ports.
    Ports(Option<u8>, Ends, u16, u16),
    /// Whether an Ethernet address is this one.
    Station(Ends, [u8; 6]),
    /// Whether the receiver's Ethernet address is one of a group (or of all, which begins like one).
    Group,
    /// Whether it is in a VLAN, in a certain one if there is a number.
    Vlan(Option<u16>),
    /// Whether its length on the wire is so.
    Length(Relation, u32),
    /// Whether so many bytes at an offset, masked, are so.
    Bytes(Layer, u32, u8, u32, Relation, u32),
}

/// A network in words of four bytes: what of each counts, and what must stand there.
pub fn masked_words(net: &IpNet) -> Vec<(u32, u32)> {
    fn words(address: &[u8], mask: &[u8]) -> Vec<(u32, u32)> {
        let word = |bytes: &[u8]| bytes.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
        mask.chunks(4).zip(address.chunks(4)).map(|(mask, address)| (word(mask), word(address))).collect()
    }
    match net {
        IpNet::V4(net) => words(&net.network().octets(), &net.netmask().octets()),
        IpNet::V6(net) => words(&Ipv6Net::network(net).octets(), &net.netmask().octets()),
    }
}
