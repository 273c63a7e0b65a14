//! The data of records as text, close to the presentation form of zone files.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::message::{Data, Resource};
use super::names::type_name;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Characters kept of one record's data.
const MAX_TEXT: usize = 2048;
/// Bytes shown of data without a form of its own.
const MAX_HEX_BYTES: usize = 64;

/// The data as text. Data that does not fit its type is shown as hexadecimal.
pub fn data_text(record: &Resource<'_>) -> String {
    let mut out = typed(record.kind, record.data).unwrap_or_else(|Short| hex_text(record.data.bytes()));
    if out.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|&at| out.is_char_boundary(at)).unwrap_or(0);
        out.truncate(end);
        out.push('…');
    }
    out
}

/// Records as lists that stand beside each other: names, types, data.
#[derive(Debug, Default)]
pub struct Lists {
    /// Names.
    pub names: Vec<String>,
    /// Types.
    pub types: Vec<String>,
    /// Data as text.
    pub data: Vec<String>,
}

/// Names, types and data of records.
pub fn lists<'r, 'a: 'r>(records: impl IntoIterator<Item = &'r Resource<'a>>) -> Lists {
    let mut lists = Lists::default();
    for record in records {
        lists.names.push(record.name.clone());
        lists.types.push(type_name(record.kind));
        lists.data.push(data_text(record));
    }
    lists
}

/// The address in an A or AAAA record.
pub fn address(record: &Resource<'_>) -> Option<IpAddr> {
    let bytes = record.data.bytes();
    match record.kind {
        1 => <[u8; 4]>::try_from(bytes).ok().map(|b| Ipv4Addr::from(b).into()),
        28 => <[u8; 16]>::try_from(bytes).ok().map(|b| Ipv6Addr::from(b).into()),
        _ => None,
    }
}

fn typed(kind: u16, data: Data<'_>) -> Result<String, Short> {
    let mut r = Reader::new(data.bytes());
    Ok(match kind {
        1 => Ipv4Addr::from(r.array::<4>()?).to_string(),
        28 => Ipv6Addr::from(r.array::<16>()?).to_string(),
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME
        2..=5 | 7..=9 | 12 | 39 => data.name_at(0)?.0,
        6 => soa(data)?,
        // MX, AFSDB
        15 | 18 => format!("{} {}", r.u16()?, data.name_at(2)?.0),
        13 | 16 | 99 => strings(data.bytes())?,
        17 => rp(data)?,
        33 => format!("{} {} {} {}", r.u16()?, r.u16()?, r.u16()?, data.name_at(6)?.0),
        35 => naptr(data)?,
        43 | 59 => format!("{} {} {} {}", r.u16()?, r.u8()?, r.u8()?, hex_text(r.rest())),
        44 => format!("{} {} {}", r.u8()?, r.u8()?, hex_text(r.rest())),
        46 => rrsig(data)?,
        47 => data.name_at(0)?.0,
        48 | 60 => format!("{} {} {} {}", r.u16()?, r.u8()?, r.u8()?, luytre_events::json::base64_text(r.rest())),
        52 | 53 => format!("{} {} {} {}", r.u8()?, r.u8()?, r.u8()?, hex_text(r.rest())),
        64 | 65 => svcb(data)?,
        249 | 250 => data.name_at(0)?.0,
        256 => format!("{} {} \"{}\"", r.u16()?, r.u16()?, text::text(r.rest(), MAX_TEXT)),
        257 => caa(&mut r)?,
        _ => hex_text(data.bytes()),
    })
}

fn soa(data: Data<'_>) -> Result<String, Short> {
    let (primary, next) = data.name_at(0)?;
    let (mailbox, next) = data.name_at(next)?;
    let mut r = Reader::new(data.bytes());
    r.skip(next)?;
    let (serial, refresh, retry, expire, minimum) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?, r.u32()?);
    Ok(format!("{primary} {mailbox} {serial} {refresh} {retry} {expire} {minimum}"))
}

fn rp(data: Data<'_>) -> Result<String, Short> {
    let (mailbox, next) = data.name_at(0)?;
    Ok(format!("{mailbox} {}", data.name_at(next)?.0))
}

/// Character strings, joined as one: long texts (SPF, keys, tunnels) are cut into pieces of 255 only by the format.
fn strings(bytes: &[u8]) -> Result<String, Short> {
    let mut r = Reader::new(bytes);
    let mut whole = Vec::with_capacity(bytes.len());
    while !r.is_empty() {
        whole.extend_from_slice(r.part8()?.rest());
    }
    Ok(text::text(&whole, MAX_TEXT))
}

fn naptr(data: Data<'_>) -> Result<String, Short> {
    let mut r = Reader::new(data.bytes());
    let (order, preference) = (r.u16()?, r.u16()?);
    let mut parts = [String::new(), String::new(), String::new()];
    for part in &mut parts {
        *part = text::text(r.part8()?.rest(), MAX_TEXT);
    }
    let [flags, service, pattern] = parts;
    let replacement = data.name_at(r.position())?.0;
    Ok(format!("{order} {preference} \"{flags}\" \"{service}\" \"{pattern}\" {replacement}"))
}

/// Without the signature itself: what it covers, with which key, by whom (RFC 4034 section 3).
fn rrsig(data: Data<'_>) -> Result<String, Short> {
    let mut r = Reader::new(data.bytes());
    let covered = type_name(r.u16()?);
    let (algorithm, labels, ttl_s) = (r.u8()?, r.u8()?, r.u32()?);
    let (expiration, inception, key_tag) = (r.u32()?, r.u32()?, r.u16()?);
    let signer = data.name_at(r.position())?.0;
    Ok(format!("{covered} {algorithm} {labels} {ttl_s} {expiration} {inception} {key_tag} {signer}"))
}

fn caa(r: &mut Reader<'_>) -> Result<String, Short> {
    let flags = r.u8()?;
    let tag = text::text(r.part8()?.rest(), 255);
    Ok(format!("{flags} {tag} \"{}\"", text::text(r.rest(), MAX_TEXT)))
}

/// SVCB and HTTPS (RFC 9460).
fn svcb(data: Data<'_>) -> Result<String, Short> {
    let mut r = Reader::new(data.bytes());
    let priority = r.u16()?;
    let (target, next) = data.name_at(2)?;
    let mut out = format!("{priority} {}", if target.is_empty() { "." } else { &target });
    r.skip(next.saturating_sub(2))?;
    while !r.is_empty() {
        let key = r.u16()?;
        let value = r.part16()?;
        out.push(' ');
        parameter(&mut out, key, value)?;
    }
    Ok(out)
}

fn parameter(out: &mut String, key: u16, mut value: Reader<'_>) -> Result<(), Short> {
    let mut items: Vec<String> = Vec::new();
    let name = match key {
        1 => {
            while !value.is_empty() {
                items.push(text::text(value.part8()?.rest(), 255));
            }
            "alpn"
        }
        2 => "no-default-alpn",
        3 => {
            items.push(value.u16()?.to_string());
            "port"
        }
        4 => {
            while !value.is_empty() {
                items.push(Ipv4Addr::from(value.array::<4>()?).to_string());
            }
            "ipv4hint"
        }
        5 => {
            items.push(hex_text(value.rest()));
            "ech"
        }
        6 => {
            while !value.is_empty() {
                items.push(Ipv6Addr::from(value.array::<16>()?).to_string());
            }
            "ipv6hint"
        }
        _ => {
            // Writing to a String cannot fail.
            let _ = write!(out, "key{key}={}", hex_text(value.rest()));
            return Ok(());
        }
    };
    out.push_str(name);
    if !items.is_empty() {
        out.push('=');
        out.push_str(&items.join(","));
    }
    Ok(())
}

fn hex_text(bytes: &[u8]) -> String {
    match bytes.get(..MAX_HEX_BYTES) {
        Some(kept) if bytes.len() > MAX_HEX_BYTES => format!("{}…", hex::encode(kept)),
        _ => hex::encode(bytes),
    }
}

/// The network in an EDNS client-subnet option (RFC 7871), from the data of an OPT record.
pub fn client_subnet(data: &[u8]) -> Option<String> {
    let mut r = Reader::new(data);
    while !r.is_empty() {
        let code = r.u16().ok()?;
        let mut value = r.part16().ok()?;
        if code != 8 {
            continue;
        }
        let (family, prefix) = (value.u16().ok()?, value.u8().ok()?);
        value.skip(1).ok()?;
        let network: IpAddr = match family {
            1 => Ipv4Addr::from(padded::<4>(value.rest())?).into(),
            2 => Ipv6Addr::from(padded::<16>(value.rest())?).into(),
            _ => return None,
        };
        return Some(format!("{network}/{prefix}"));
    }
    None
}

fn padded<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut whole = [0; N];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(whole)
}
