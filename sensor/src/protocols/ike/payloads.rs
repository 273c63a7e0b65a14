//! The chain of payloads (RFC 2408 section 3, RFC 7296 section 3).

use super::names;
use super::parser::Header;
use super::record::IkeMessage;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Payloads of a message, transforms of a proposal, vendors and so on that are told.
pub const MAX_ITEMS: usize = 64;
/// Bytes of an identity or a vendor's mark that are told.
const MAX_BYTES: usize = 64;

/// Adds what the payloads say.
pub fn tell(record: &mut IkeMessage, header: &Header, mut r: Reader<'_>) -> Result<(), Short> {
    let mut kind = header.first_payload;
    while kind != 0 {
        let next = r.u8()?;
        r.skip(1)?;
        let length = usize::from(r.u16()?).checked_sub(4).ok_or(Short)?;
        let body = Reader::new(r.take(length)?);
        keep(&mut record.payloads, names::payload(header.major, kind));
        match (header.major, kind) {
            (2, 33) => proposals(record, body)?,
            (1, 1) => association(record, body)?,
            (2, 34) => record.key_group = Some(names::group(Reader::new(body.rest()).u16()?)),
            (2, 41) | (1, 11) => notification(record, header.major, body)?,
            (2, 43) | (1, 13) => keep(&mut record.vendors, names::vendor(body.rest())),
            (1, 5) => identity(record, body)?,
            // What follows is encrypted; its next payload is the first one inside (RFC 7296 section 3.14).
            (2, 46 | 53) => {
                record.encrypted = Some(true);
                return Ok(());
            }
            // A fragment of version 1 is the whole rest.
            (1, 132) => return Ok(()),
            _ => {}
        }
        kind = next;
    }
    Ok(())
}

/// Version 2: proposals of transforms (RFC 7296 section 3.3).
fn proposals(record: &mut IkeMessage, mut r: Reader<'_>) -> Result<(), Short> {
    while !r.is_empty() {
        r.skip(2)?;
        let length = usize::from(r.u16()?).checked_sub(4).ok_or(Short)?;
        let mut proposal = Reader::new(r.take(length)?);
        proposal.skip(2)?;
        let spi_bytes = proposal.u8()?;
        proposal.skip(1 + usize::from(spi_bytes))?;
        while !proposal.is_empty() {
            proposal.skip(2)?;
            let length = usize::from(proposal.u16()?).checked_sub(4).ok_or(Short)?;
            transform(record, Reader::new(proposal.take(length)?))?;
        }
    }
    Ok(())
}

fn transform(record: &mut IkeMessage, mut r: Reader<'_>) -> Result<(), Short> {
    let kind = r.u8()?;
    r.skip(1)?;
    let number = r.u16()?;
    match kind {
        1 => {
            let mut name = names::encryption(number);
            // The only attribute there is: the length of the key.
            if r.u16() == Ok(0x800e) {
                name = format!("{name}-{}", r.u16()?);
            }
            keep(&mut record.encryption, name);
        }
        2 => keep(&mut record.pseudo_random, names::pseudo_random(number)),
        3 => keep(&mut record.integrity, names::integrity(number)),
        4 => keep(&mut record.groups, names::group(number)),
        _ => {}
    }
    Ok(())
}

/// Version 1: a domain of interpretation, a situation, proposals, whose transforms are lists of attributes (RFC 2408
/// section 3.4, RFC 2409 appendix A).
fn association(record: &mut IkeMessage, mut r: Reader<'_>) -> Result<(), Short> {
    r.skip(8)?;
    loop {
        let more = r.u8()?;
        r.skip(1)?;
        let length = usize::from(r.u16()?).checked_sub(4).ok_or(Short)?;
        let mut proposal = Reader::new(r.take(length)?);
        proposal.skip(2)?;
        let spi_bytes = usize::from(proposal.u8()?);
        let transforms = proposal.u8()?;
        proposal.skip(spi_bytes)?;
        for _ in 0..transforms {
            proposal.skip(2)?;
            let length = usize::from(proposal.u16()?).checked_sub(4).ok_or(Short)?;
            let mut attributes = Reader::new(proposal.take(length)?);
            attributes.skip(4)?;
            attribute_list(record, attributes)?;
        }
        if more == 0 {
            return Ok(());
        }
    }
}

fn attribute_list(record: &mut IkeMessage, mut r: Reader<'_>) -> Result<(), Short> {
    let (mut cipher, mut key_bits) = (None, None);
    while !r.is_empty() {
        let kind = r.u16()?;
        let value = r.u16()?;
        if kind & 0x8000 == 0 {
            // A longer value, whose length this was.
            r.skip(value.into())?;
            continue;
        }
        match kind & 0x7fff {
            1 => cipher = Some(names::encryption1(value)),
            2 => keep(&mut record.integrity, names::hash1(value)),
            3 => keep(&mut record.authentication, names::authentication1(value)),
            4 => keep(&mut record.groups, names::group(value)),
            14 => key_bits = Some(value),
            _ => {}
        }
    }
    let name = cipher.map(|cipher| key_bits.map_or_else(|| cipher.clone(), |bits| format!("{cipher}-{bits}")));
    if let Some(name) = name {
        keep(&mut record.encryption, name);
    }
    Ok(())
}

fn notification(record: &mut IkeMessage, major: u8, mut r: Reader<'_>) -> Result<(), Short> {
    // Version 1 names its domain of interpretation first.
    r.skip(if major == 1 { 4 } else { 0 })?;
    r.skip(2)?;
    let number = r.u16()?;
    keep(&mut record.notifications, names::notification(major, number));
    Ok(())
}

/// RFC 2407 section 4.6.2: kind, protocol, port, then the identity.
fn identity(record: &mut IkeMessage, mut r: Reader<'_>) -> Result<(), Short> {
    let kind = r.u8()?;
    r.skip(3)?;
    record.identity = Some(match (kind, <[u8; 4]>::try_from(r.rest())) {
        (1, Ok(address)) => std::net::Ipv4Addr::from(address).to_string(),
        (2 | 3, _) => text::text(r.rest(), MAX_BYTES),
        _ => text::hex(r.rest(), MAX_BYTES),
    });
    Ok(())
}

/// Adds an item unless the list is full.
fn keep(list: &mut Vec<String>, item: String) {
    if list.len() < MAX_ITEMS {
        list.push(item);
    }
}
