//! What hides another packet: GRE and its kin, and the tunnels that run over UDP.

use super::Tunnel;
use crate::protocols::reader::{Reader, Short};

/// What a tunnel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inner<'a> {
    /// An IP packet.
    Ip(&'a [u8]),
    /// An Ethernet frame.
    Ethernet(&'a [u8]),
    /// What stands behind this EtherType.
    EtherType(u16, &'a [u8]),
    /// A PPP frame.
    Ppp(&'a [u8]),
}

const ERSPAN_I_II: u16 = 0x88be;
const ERSPAN_III: u16 = 0x22eb;

/// GRE version 0 (RFC 2784, RFC 2890) and 1 (RFC 2637, PPTP), with ERSPAN inside; nothing where it is malformed.
pub fn gre(bytes: &[u8]) -> Option<(Tunnel, Inner<'_>)> {
    read_gre(&mut Reader::new(bytes)).ok().flatten()
}

fn read_gre<'a>(r: &mut Reader<'a>) -> Result<Option<(Tunnel, Inner<'a>)>, Short> {
    let flags = r.u16()?;
    let kind = r.u16()?;
    let has = |bit: u16| flags & bit != 0;
    if flags & 7 == 1 {
        r.skip(4)?;
        let optional = usize::from(has(0x1000)) + usize::from(has(0x0080));
        r.skip(4 * optional)?;
        return Ok((!r.is_empty()).then(|| (Tunnel::Gre, Inner::Ppp(r.rest()))));
    }
    // Checksum and routing share a word; routing itself is obsolete and not followed.
    let optional = usize::from(has(0x8000) || has(0x4000)) + usize::from(has(0x2000)) + usize::from(has(0x1000));
    r.skip(4 * optional)?;
    if has(0x4000) {
        return Ok(None);
    }
    Ok(Some(match kind {
        ERSPAN_I_II => {
            // Type I has no sequence number and no header of its own.
            r.skip(if has(0x1000) { 8 } else { 0 })?;
            (Tunnel::Erspan, Inner::Ethernet(r.rest()))
        }
        ERSPAN_III => {
            let header = r.take(12)?;
            let subheader = header.last().is_some_and(|b| b & 1 == 1);
            r.skip(if subheader { 8 } else { 0 })?;
            (Tunnel::Erspan, Inner::Ethernet(r.rest()))
        }
        kind => (Tunnel::Gre, Inner::EtherType(kind, r.rest())),
    }))
}

/// A tunnel over UDP by port and shape; what does not look like one is left to the flow table.
pub fn over_udp(ports: (u16, u16), payload: &[u8]) -> Option<(Tunnel, Inner<'_>)> {
    let on = |port: u16| ports.0 == port || ports.1 == port;
    match payload.first()? {
        _ if on(4789) || on(8472) => vxlan(payload),
        _ if on(6081) => geneve(payload).ok().flatten(),
        _ if on(2152) => gtp_u(payload).ok().flatten(),
        _ if on(3544) => teredo(payload).ok().flatten(),
        _ => None,
    }
}

/// RFC 7348: flags with only the "I" bit, reserved bytes, a network id.
fn vxlan(payload: &[u8]) -> Option<(Tunnel, Inner<'_>)> {
    let (header, frame) = payload.split_first_chunk::<8>()?;
    let [flags, _, _, _, _, _, _, reserved] = header;
    (flags & 0x08 != 0 && *reserved == 0).then_some((Tunnel::Vxlan, Inner::Ethernet(frame)))
}

/// RFC 8926: version 0, options counted in words, an EtherType.
fn geneve(payload: &[u8]) -> Result<Option<(Tunnel, Inner<'_>)>, Short> {
    let mut r = Reader::new(payload);
    let first = r.u8()?;
    let reserved = r.u8()? & 0x3f;
    let kind = r.u16()?;
    r.skip(4 + usize::from(first & 0x3f) * 4)?;
    if first >> 6 != 0 || reserved != 0 {
        return Ok(None);
    }
    Ok(Some((Tunnel::Geneve, Inner::EtherType(kind, r.rest()))))
}

/// 3GPP TS 29.281 section 5: version 1, a message that carries a packet (G-PDU), optional fields, extension headers
/// counted in words.
fn gtp_u(payload: &[u8]) -> Result<Option<(Tunnel, Inner<'_>)>, Short> {
    const USER_PACKET: u8 = 255;
    let mut r = Reader::new(payload);
    let flags = r.u8()?;
    let kind = r.u8()?;
    let length = usize::from(r.u16()?);
    r.skip(4)?;
    if flags >> 4 != 0b0011 || kind != USER_PACKET || length > r.rest().len() {
        return Ok(None);
    }
    if flags & 0b111 != 0 {
        r.skip(3)?;
        let mut next = r.u8()?;
        while flags & 0b100 != 0 && next != 0 {
            let words = usize::from(r.u8()?);
            if words == 0 {
                return Ok(None);
            }
            r.skip(words * 4 - 2)?;
            next = r.u8()?;
        }
    }
    match r.rest().first().map(|b| b >> 4) {
        Some(4 | 6) => Ok(Some((Tunnel::GtpU, Inner::Ip(r.rest())))),
        _ => Ok(None),
    }
}

/// RFC 4380 section 5.1.1: authentication and origin may stand before the IPv6 packet. A bubble (an IPv6 header with
/// nothing behind it) is left as the datagram it is.
fn teredo(payload: &[u8]) -> Result<Option<(Tunnel, Inner<'_>)>, Short> {
    let mut r = Reader::new(payload);
    for _ in 0..2 {
        if r.rest().starts_with(&[0, 1]) {
            r.skip(2)?;
            let (id, auth) = (r.u8()?, r.u8()?);
            r.skip(usize::from(id) + usize::from(auth) + 9)?;
        } else if r.rest().starts_with(&[0, 0]) {
            r.skip(8)?;
        }
    }
    const NO_NEXT_HEADER: u8 = 59;
    match r.rest() {
        [first, _, _, _, high, low, next, ..] if first >> 4 == 6 && *next != NO_NEXT_HEADER => {
            let fits = usize::from(u16::from_be_bytes([*high, *low])) + 40 == r.rest().len();
            Ok(fits.then_some((Tunnel::Teredo, Inner::Ip(r.rest()))))
        }
        _ => Ok(None),
    }
}
