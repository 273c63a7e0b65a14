//! Reads fragments ([C706] chapter 12): version 5 over connections, version 4 in datagrams.

use crate::protocols::framing::Length;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a fragment's common header.
pub const HEADER_BYTES: usize = 16;
/// Bytes of a datagram's header.
const DATAGRAM_HEADER_BYTES: usize = 80;
/// Interfaces of a bind that are told.
pub const MAX_INTERFACES: usize = 32;
/// Ways of encoding that a client may offer for an interface.
const MAX_SYNTAXES: u8 = 32;
/// Bytes of the trailer before a token.
const TRAILER_BYTES: usize = 8;

/// Kinds of fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(pub u8);

impl Kind {
    pub const REQUEST: Kind = Kind(0);
    pub const RESPONSE: Kind = Kind(2);
    pub const FAULT: Kind = Kind(3);
    pub const BIND: Kind = Kind(11);
    pub const BIND_ACK: Kind = Kind(12);
    pub const BIND_NAK: Kind = Kind(13);
    pub const ALTER_CONTEXT: Kind = Kind(14);
    pub const ALTER_CONTEXT_RESPONSE: Kind = Kind(15);
    pub const AUTH3: Kind = Kind(16);

    /// Whether a client sends it.
    pub fn is_request(self) -> bool {
        matches!(self, Kind::REQUEST | Kind::BIND | Kind::ALTER_CONTEXT | Kind::AUTH3 | Kind(18 | 19))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::REQUEST => "REQUEST",
            Kind::RESPONSE => "RESPONSE",
            Kind::FAULT => "FAULT",
            Kind::BIND => "BIND",
            Kind::BIND_ACK => "BIND_ACK",
            Kind::BIND_NAK => "BIND_NAK",
            Kind::ALTER_CONTEXT => "ALTER_CONTEXT",
            Kind::ALTER_CONTEXT_RESPONSE => "ALTER_CONTEXT_RESPONSE",
            Kind::AUTH3 => "AUTH3",
            _ => "OTHER",
        }
    }
}

/// An interface that a client wants to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The number by which calls refer to it.
    pub context: u16,
    /// Its UUID.
    pub uuid: String,
    /// Its version: 3.0.
    pub version: String,
    /// What the server said of it: 0 is yes.
    pub result: Option<u16>,
}

/// What the kind of a fragment adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Interfaces that a client wants.
    Bind(Vec<Interface>),
    /// What the server says of each: result, and reason.
    BindAck(Vec<u16>),
    /// The server refuses, and why.
    BindNak(u16),
    /// Arguments of a call.
    Request { context: u16, operation: u16, stub_bytes: u64 },
    /// Results of a call.
    Response { stub_bytes: u64 },
    /// The call failed, and why.
    Fault(u32),
    /// Nothing that is told.
    Other,
}

/// One fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The first of its message.
    pub first: bool,
    /// The last of its message.
    pub last: bool,
    /// What a call and its answer have in common.
    pub call: u32,
    /// What its kind adds.
    pub body: Body,
    /// How it is signed or sealed: type and level.
    pub security: Option<(u8, u8)>,
    /// Token of a log-in.
    pub token: &'a [u8],
}

/// Kind of the fragment that begins here, if it surely is one.
pub fn begins(bytes: &[u8]) -> Option<Kind> {
    let [5, 0 | 1, kind, _, order, float, 0, 0, rest @ ..] = bytes else { return None };
    let [a, b, c, d]: [u8; 4] = *rest.first_chunk()?;
    let number = if little(*order) { u16::from_le_bytes } else { u16::from_be_bytes };
    let (length, token) = (number([a, b]), number([c, d]));
    let known = matches!(kind, 0 | 2 | 3 | 11..=19) && matches!(order, 0 | 1 | 0x10 | 0x11) && *float <= 3;
    (known && usize::from(length) >= HEADER_BYTES && token < length).then_some(Kind(*kind))
}

/// Length of the fragment that begins here.
pub fn length(bytes: &[u8]) -> Length {
    match *bytes {
        [5, 0 | 1, kind, _, order, _, _, _, a, b, ..] if kind <= 19 => {
            let length = if little(order) { u16::from_le_bytes([a, b]) } else { u16::from_be_bytes([a, b]) };
            if usize::from(length) < HEADER_BYTES { Length::Broken } else { Length::Bytes(length.into()) }
        }
        [5, 0 | 1, kind, ..] if kind <= 19 && bytes.len() < 10 => Length::Unknown,
        [] | [5] | [5, 0 | 1] => Length::Unknown,
        _ => Length::Broken,
    }
}

fn little(order: u8) -> bool {
    order & 0x10 != 0
}

/// Numbers in the sender's order.
struct Ordered<'a> {
    r: Reader<'a>,
    little: bool,
}

impl Ordered<'_> {
    fn u16(&mut self) -> Result<u16, Short> {
        if self.little { self.r.u16_le() } else { self.r.u16() }
    }

    fn u32(&mut self) -> Result<u32, Short> {
        if self.little { self.r.u32_le() } else { self.r.u32() }
    }

    fn uuid(&mut self) -> Result<String, Short> {
        let mut bytes: [u8; 16] = self.r.array()?;
        if !self.little {
            let (first, rest) = bytes.split_at_mut(4);
            let (second, rest) = rest.split_at_mut(2);
            first.reverse();
            second.reverse();
            if let Some(third) = rest.get_mut(..2) {
                third.reverse();
            }
        }
        Ok(text::uuid(&bytes))
    }
}

/// Reads a fragment of `length` bytes, of which `bytes` are the beginning.
pub fn fragment(bytes: &[u8], length: usize) -> Result<Fragment<'_>, Short> {
    let mut o = Ordered { r: Reader::new(bytes), little: bytes.get(4).is_some_and(|order| little(*order)) };
    o.r.skip(2)?;
    let kind = Kind(o.r.u8()?);
    let flags = o.r.u8()?;
    o.r.skip(4 + 2)?;
    let token_bytes = usize::from(o.u16()?);
    let call = o.u32()?;
    let trailer = if token_bytes > 0 { token_bytes + TRAILER_BYTES } else { 0 };
    let end = length.saturating_sub(trailer);
    let mut security = None;
    let mut token: &[u8] = &[];
    if trailer > 0
        && let Some([kind, level, _, _, _, _, _, _, rest @ ..]) = bytes.get(end..)
    {
        security = Some((*kind, *level));
        token = rest;
    }
    // Bytes of arguments: what follows the fields of its kind, without padding (which a trailer counts) and trailer.
    let padding = bytes.get(end..).filter(|_| trailer > 0).and_then(|t| t.get(2)).map_or(0, |pad| usize::from(*pad));
    let stub = |position: usize| end.saturating_sub(padding).saturating_sub(position) as u64;
    let body = match kind {
        Kind::BIND | Kind::ALTER_CONTEXT => Body::Bind(interfaces(&mut o)?),
        Kind::BIND_ACK | Kind::ALTER_CONTEXT_RESPONSE => Body::BindAck(results(&mut o).unwrap_or_default()),
        Kind::BIND_NAK => Body::BindNak(o.u16()?),
        Kind::REQUEST => {
            o.r.skip(4)?;
            let (context, operation) = (o.u16()?, o.u16()?);
            // A call on an object names it.
            o.r.skip(if flags & 0x80 != 0 { 16 } else { 0 })?;
            Body::Request { context, operation, stub_bytes: stub(o.r.position()) }
        }
        Kind::RESPONSE => {
            o.r.skip(8)?;
            Body::Response { stub_bytes: stub(o.r.position()) }
        }
        Kind::FAULT => {
            o.r.skip(8)?;
            Body::Fault(o.u32()?)
        }
        _ => Body::Other,
    };
    Ok(Fragment { kind, first: flags & 1 != 0, last: flags & 2 != 0, call, body, security, token })
}

fn interfaces(o: &mut Ordered<'_>) -> Result<Vec<Interface>, Short> {
    o.r.skip(2 + 2 + 4)?;
    let count = usize::from(o.r.u8()?);
    o.r.skip(3)?;
    let mut interfaces = Vec::new();
    for _ in 0..count.min(MAX_INTERFACES) {
        let Ok(interface) = interface(o) else { break };
        interfaces.push(interface);
    }
    Ok(interfaces)
}

fn interface(o: &mut Ordered<'_>) -> Result<Interface, Short> {
    let context = o.u16()?;
    let syntaxes = o.r.u8()?;
    o.r.skip(1)?;
    let uuid = o.uuid()?;
    let version = o.u32()?;
    // The upper half of the number is the minor version.
    let version = format!("{}.{}", version & 0xffff, version >> 16);
    o.r.skip(usize::from(syntaxes.min(MAX_SYNTAXES)) * 20)?;
    Ok(Interface { context, uuid, version, result: None })
}

fn results(o: &mut Ordered<'_>) -> Result<Vec<u16>, Short> {
    o.r.skip(2 + 2 + 4)?;
    let address = usize::from(o.u16()?);
    o.r.skip(address)?;
    // What follows the address begins at a multiple of four.
    o.r.skip((4 - o.r.position() % 4) % 4)?;
    let count = usize::from(o.r.u8()?);
    o.r.skip(3)?;
    let mut results = Vec::new();
    for _ in 0..count.min(MAX_INTERFACES) {
        let Ok(result) = o.u16() else { break };
        results.push(result);
        if o.r.skip(2 + 20).is_err() {
            break;
        }
    }
    Ok(results)
}

/// A datagram of version 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// Its kind: 0 is a request, 2 a response.
    pub kind: u8,
    /// UUID of the interface.
    pub interface: String,
    /// Version of the interface.
    pub version: String,
    /// What is called.
    pub operation: u16,
    /// Which call it belongs to.
    pub activity: [u8; 16],
    /// Number of the call in that activity.
    pub sequence: u32,
    /// Bytes of arguments or results.
    pub stub_bytes: u64,
    /// Status of a refusal.
    pub status: Option<u32>,
    /// More datagrams of the same message follow.
    pub more: bool,
}

impl Datagram {
    /// Whether a client sends it.
    pub fn is_request(&self) -> bool {
        matches!(self.kind, 0 | 1 | 7 | 8)
    }
}

/// Reads a datagram; nothing when it is none.
pub fn datagram(bytes: &[u8]) -> Option<Datagram> {
    let [4, kind @ 0..=10, flags, flags2, order @ (0 | 0x10), 0..=3, 0, ..] = *bytes else { return None };
    if flags2 & 0xfc != 0 {
        return None;
    }
    let mut o = Ordered { r: Reader::new(bytes), little: little(order) };
    o.r.skip(8 + 16).ok()?;
    let interface = o.uuid().ok()?;
    let activity = o.r.array().ok()?;
    o.r.skip(4).ok()?;
    let version = o.u32().ok()?;
    let sequence = o.u32().ok()?;
    let operation = o.u16().ok()?;
    o.r.skip(4).ok()?;
    let length = o.u16().ok()?;
    o.r.skip(4).ok()?;
    let whole = bytes.len() == DATAGRAM_HEADER_BYTES + usize::from(length);
    // Fault and reject say why.
    let status = if matches!(kind, 3 | 6) { o.u32().ok() } else { None };
    let version = format!("{}.{}", version & 0xffff, version >> 16);
    let more = flags & 0x04 != 0 && flags & 0x02 == 0;
    let stub_bytes = length.into();
    whole.then_some(Datagram { kind, interface, version, operation, activity, sequence, stub_bytes, status, more })
}
