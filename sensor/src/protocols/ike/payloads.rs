//! The chain of payloads (RFC 2408 section 3, RFC 7296 section 3).

use std::collections::BTreeSet;

use super::names;
use super::parser::Header;
use super::record::IkeMessage;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, buffer, text};

/// Payloads of a message, transforms of a proposal, vendors and so on that are told.
pub const MAX_ITEMS: usize = 64;
/// Bytes of an identity or a vendor's mark that are told.
const MAX_BYTES: usize = 64;

/// Adds what the payloads say.
pub fn tell(
    record: &mut IkeMessage,
    odd: &mut BTreeSet<&'static str>,
    (out, way): (&mut dyn Output, Direction),
    header: &Header,
    mut r: Reader<'_>,
) -> Result<(), Short> {
    let mut kind = header.first_payload;
    while kind != 0 {
        let next = r.u8()?;
        r.skip(1)?;
        let length = usize::from(r.u16()?).checked_sub(4).ok_or(Short)?;
        let body = Reader::new(r.take(length)?);
        keep(&mut record.payloads, names::payload(header.major, kind));
        match (header.major, kind) {
            (2, 33) => {
                if out.inspects() {
                    weak(odd, Reader::new(body.rest()))?;
                }
                proposals(record, body)?;
            }
            (1, 1) => {
                if way == Direction::ToClient {
                    chosen(out, Reader::new(body.rest()))?;
                }
                association(record, body)?;
            }
            (2, 34) | (1, 4) if out.inspects() && record.payloads.len() < MAX_ITEMS => {
                if header.major == 2 {
                    record.key_group = Some(names::group(Reader::new(body.rest()).u16()?));
                }
                // Version 2 says first which group it is of.
                let key = body.rest().get(if header.major == 2 { 4 } else { 0 }..).unwrap_or(&[]);
                out.inspect(way, buffer::IKE_KEY, key);
                out.inspect_number(way, buffer::IKE_KEY_LENGTH, key.len() as u64);
            }
            (2, 40) | (1, 10) => {
                out.inspect(way, buffer::IKE_NONCE, body.rest());
                out.inspect_number(way, buffer::IKE_NONCE_LENGTH, body.rest().len() as u64);
            }
            (2, 34) => record.key_group = Some(names::group(Reader::new(body.rest()).u16()?)),
            (2, 41) | (1, 11) => notification(record, header.major, body)?,
            (2, 43) | (1, 13) => {
                if out.inspects() {
                    out.inspect(way, buffer::IKE_VENDOR, hex::encode(body.rest()).as_bytes());
                }
                keep(&mut record.vendors, names::vendor(body.rest()));
            }
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

/// The attributes that an answer of version 1 has chosen: for signatures each is one number, its kind in the upper half.
fn chosen(out: &mut dyn Output, mut r: Reader<'_>) -> Result<(), Short> {
    if !out.inspects() {
        return Ok(());
    }
    // Domain and situation, then the one proposal with its one transform.
    r.skip(8 + 4 + 2)?;
    let spi_bytes = usize::from(r.u8()?);
    r.skip(1 + spi_bytes + 8)?;
    while !r.is_empty() {
        let (kind, value) = (r.u16()?, r.u16()?);
        let number = if kind & 0x8000 == 0 {
            let bytes = r.take(value.into())?;
            bytes.iter().fold(0u64, |number, byte| (number << 8 | u64::from(*byte)) & u64::from(u32::MAX))
        } else {
            value.into()
        };
        out.inspect_number(Direction::ToClient, buffer::IKE_CHOSEN, u64::from(kind & 0x7fff) << 32 | number);
    }
    Ok(())
}

/// What is weak about the proposals of version 2, by the numbers of their transforms (RFC 8247 says which should go).
fn weak(odd: &mut BTreeSet<&'static str>, mut r: Reader<'_>) -> Result<(), Short> {
    while !r.is_empty() {
        r.skip(2)?;
        let length = usize::from(r.u16()?).checked_sub(4).ok_or(Short)?;
        let mut proposal = Reader::new(r.take(length)?);
        proposal.skip(2)?;
        let spi_bytes = proposal.u8()?;
        proposal.skip(1 + usize::from(spi_bytes))?;
        let (mut group, mut integrity, mut whole) = (false, false, false);
        while !proposal.is_empty() {
            proposal.skip(2)?;
            let length = usize::from(proposal.u16()?).checked_sub(4).ok_or(Short)?;
            let mut transform = Reader::new(proposal.take(length)?);
            let kind = transform.u8()?;
            transform.skip(1)?;
            match (kind, transform.u16()?) {
                (1, 1..=9 | 11) => _ = odd.insert("ikev2.weak_crypto_enc"),
                // What encrypts and proves at once needs no proof beside it.
                (1, 14..=16 | 18..=20 | 25..=28) => whole = true,
                (2, 0..=2) => _ = odd.insert("ikev2.weak_crypto_prf"),
                (3, 0) => {}
                (3, number) => {
                    integrity = true;
                    if matches!(number, 1..=4 | 6 | 7) {
                        odd.insert("ikev2.weak_crypto_auth");
                    }
                }
                (4, 0) => {}
                (4, number) => {
                    group = true;
                    if matches!(number, 1 | 2 | 5 | 22) {
                        odd.insert("ikev2.weak_crypto_dh");
                    }
                }
                _ => {}
            }
        }
        if !group {
            odd.insert("ikev2.weak_crypto_no_dh");
        }
        if !integrity && !whole {
            odd.insert("ikev2.weak_crypto_no_auth");
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_proposals_are_noticed() {
        // One proposal: 3DES, HMAC-SHA1 twice, group 2.
        let transforms = [[1, 3], [2, 2], [3, 2], [4, 2]];
        let mut proposal = vec![0, 0, 0, 8 + 8 * 4, 1, 1, 0, 4];
        for [kind, number] in transforms {
            proposal.extend([3, 0, 0, 8, kind, 0, 0, number]);
        }
        let mut odd = BTreeSet::new();
        weak(&mut odd, Reader::new(&proposal)).unwrap();
        let names = ["auth", "dh", "enc", "prf"].map(|what| format!("ikev2.weak_crypto_{what}"));
        assert!(odd.iter().copied().eq(names.iter().map(String::as_str)));
        // AES-GCM without a group.
        odd.clear();
        weak(&mut odd, Reader::new(&[0, 0, 0, 16, 1, 1, 0, 1, 0, 0, 0, 8, 1, 0, 0, 20])).unwrap();
        assert!(odd.into_iter().eq(["ikev2.weak_crypto_no_dh"]));
        assert!(weak(&mut BTreeSet::new(), Reader::new(&proposal[..20])).is_err());
    }
}
