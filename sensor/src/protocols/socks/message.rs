//! The messages of SOCKS 4 (with the names of 4a) and 5.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Longest user name and host name; those of version 5 are bounded by their format.
const MAX_NAME_BYTES: usize = 255;

/// Where a request leads.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// An address.
    Ip(IpAddr),
    /// A name that the proxy is to look up.
    Domain(String),
}

/// A request of version 4.
#[derive(Debug, PartialEq, Eq)]
pub struct Request4 {
    /// 1: connect, 2: bind.
    pub command: u8,
    /// The place.
    pub place: Place,
    /// Its port.
    pub port: u16,
    /// Who asks.
    pub user: Vec<u8>,
    /// Bytes of the message.
    pub length: usize,
}

/// Reads a request of version 4: a name follows when the address is 0.0.0.x (4a).
pub fn request4(bytes: &[u8]) -> Result<Request4, Short> {
    let mut r = Reader::new(bytes);
    r.skip(1)?;
    let (command, port) = (r.u8()?, r.u16()?);
    let address = Ipv4Addr::from(r.array::<4>()?);
    let user = word(&mut r)?.to_vec();
    let place = match address.octets() {
        [0, 0, 0, last] if last != 0 => Place::Domain(text::text(word(&mut r)?, MAX_NAME_BYTES)),
        _ => Place::Ip(address.into()),
    };
    Ok(Request4 { command, place, port, user, length: r.position() })
}

/// Whether a request of version 4 makes sense: short texts that can be read, and a port.
pub fn plausible4(request: &Request4, on_port: bool) -> bool {
    let name = match &request.place {
        Place::Domain(name) => name.contains('.') && !name.contains("\\x"),
        Place::Ip(ip) => !ip.is_unspecified() && !ip.is_multicast(),
    };
    let user = request.user.len() <= 64 && request.user.iter().all(|b| (0x21..0x7f).contains(b));
    name && user && request.port != 0 && (on_port || request.length < 128)
}

/// Bytes up to the next zero.
fn word<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    let end = r.rest().iter().position(|&b| b == 0).filter(|end| *end <= MAX_NAME_BYTES).ok_or(Short)?;
    let word = r.take(end)?;
    r.skip(1)?;
    Ok(word)
}

/// The address in a request or reply of version 5 (RFC 1928 section 5); nothing for a type that is not known.
pub fn place5(r: &mut Reader<'_>) -> Result<Option<(Place, u16)>, Short> {
    let place = match r.u8()? {
        1 => Place::Ip(Ipv4Addr::from(r.array::<4>()?).into()),
        3 => Place::Domain(text::text(r.part8()?.rest(), MAX_NAME_BYTES)),
        4 => Place::Ip(Ipv6Addr::from(r.array::<16>()?).into()),
        _ => return Ok(None),
    };
    Ok(Some((place, r.u16()?)))
}

/// Name of a command, the same in both versions.
pub fn command(number: u8) -> Option<&'static str> {
    match number {
        1 => Some("connect"),
        2 => Some("bind"),
        3 => Some("udp-associate"),
        _ => None,
    }
}

/// Name of a way of logging in (RFC 1928 section 3).
pub fn method(number: u8) -> String {
    match number {
        0 => "none".to_owned(),
        1 => "gssapi".to_owned(),
        2 => "password".to_owned(),
        0xff => "no acceptable methods".to_owned(),
        other => format!("method-{other}"),
    }
}

/// Name of a reply of version 5 (RFC 1928 section 6).
pub fn reply5(number: u8) -> String {
    let known = match number {
        0 => "succeeded",
        1 => "general failure",
        2 => "not allowed",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "ttl expired",
        7 => "command not supported",
        8 => "address type not supported",
        other => return format!("reply-{other}"),
    };
    known.to_owned()
}

/// Name of a reply of version 4.
pub fn reply4(number: u8) -> String {
    let known = match number {
        90 => "succeeded",
        91 => "rejected",
        92 => "no identd",
        93 => "identd disagrees",
        other => return format!("reply-{other}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_version_four_may_carry_names() {
        let plain = request4(b"\x04\x01\x00\x50\xc6\x33\x64\x07an\0rest").unwrap();
        assert_eq!((plain.place, plain.port, plain.length), (Place::Ip([198, 51, 100, 7].into()), 80, 11));
        let named = request4(b"\x04\x01\x00\x50\0\0\0\x01\0cong.example\0").unwrap();
        assert_eq!(named.place, Place::Domain("cong.example".into()));
        assert_eq!(request4(b"\x04\x01\x00\x50\0\0\0\x01\0cong.example"), Err(Short));
    }
}
