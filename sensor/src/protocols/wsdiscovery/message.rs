//! Reads a message: an envelope of SOAP, of which the texts of a few elements are looked for.

use super::record::DiscoveryMessage;
use crate::protocols::soap::elements;
use crate::protocols::text;

/// Bytes of a message that are looked at.
const MAX_MESSAGE_BYTES: usize = 16 << 10;
/// Bytes of a text that are told.
const MAX_TEXT_BYTES: usize = 256;
/// Items of a list that are told.
const MAX_ITEMS: usize = 16;
/// Elements that are looked at.
const MAX_ELEMENTS: usize = 512;

/// How the scopes of ONVIF begin (ONVIF core specification section 7.3.3.2).
const ONVIF: &str = "onvif://www.onvif.org/";

/// The message; nothing where this is none.
pub fn read(bytes: &[u8]) -> Option<DiscoveryMessage> {
    let bytes = bytes.get(..MAX_MESSAGE_BYTES).unwrap_or(bytes);
    if !bytes.trim_ascii_start().starts_with(b"<") && !bytes.starts_with(b"\xef\xbb\xbf<") {
        return None;
    }
    let mut record = DiscoveryMessage::default();
    for element in elements(bytes).take(MAX_ELEMENTS) {
        let content = element.text;
        match element.name {
            b"Action" => record.action = action(content)?,
            b"MessageID" => record.message_id = one(content),
            b"RelatesTo" => record.relates_to = one(content),
            b"Address" if content.starts_with(b"urn:") || content.starts_with(b"uuid:") => {
                record.endpoint = record.endpoint.or_else(|| one(content));
            }
            b"Types" => add(&mut record.types, content, true),
            b"Scopes" => add(&mut record.scopes, content, false),
            b"XAddrs" => add(&mut record.addresses, content, false),
            _ => {}
        }
    }
    let said = |what: &str| {
        let scope = record.scopes.iter().find_map(|scope| scope.strip_prefix(ONVIF)?.strip_prefix(what));
        scope.map(plain).filter(|scope| !scope.is_empty())
    };
    let (name, hardware, location) = (said("name/"), said("hardware/"), said("location/"));
    (record.name, record.hardware, record.location) = (name, hardware, location);
    (!record.action.is_empty()).then_some(record)
}

/// What is done, by the last word of its address; nothing for words of others.
fn action(content: &[u8]) -> Option<&'static str> {
    let place = content.windows(11).position(|window| window == b"/discovery/")?;
    Some(match content.get(place + 11..)? {
        b"Hello" => "hello",
        b"Bye" => "bye",
        b"Probe" => "probe",
        b"ProbeMatches" => "probe_matches",
        b"Resolve" => "resolve",
        b"ResolveMatches" => "resolve_matches",
        _ => return None,
    })
}

fn one(content: &[u8]) -> Option<String> {
    (!content.is_empty()).then(|| text::text(content, MAX_TEXT_BYTES))
}

/// Adds the words of a list, each once; `short` leaves their prefixes out.
fn add(list: &mut Vec<String>, content: &[u8], short: bool) {
    for word in content.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        let word = if short { word.rsplit(|byte| *byte == b':').next().unwrap_or(word) } else { word };
        let word = text::text(word, MAX_TEXT_BYTES);
        if list.len() < MAX_ITEMS && !list.contains(&word) {
            list.push(word);
        }
    }
}

/// A part of an address in plain words (RFC 3986 section 2.1).
fn plain(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or(&[]);
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    text::text(&bytes, MAX_TEXT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_says_what_it_is() {
        let bytes = b"<?xml version=\"1.0\"?><e:Envelope><e:Header>\
            <w:Action e:mustUnderstand=\"1\">http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</w:Action></e:Header>\
            <d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>\
            <d:Scopes>onvif://www.onvif.org/name/Cam%20c%E1%BB%95ng onvif://www.onvif.org/hardware/T1</d:Scopes>\
            <d:XAddrs>http://192.0.2.7/onvif/device_service</d:XAddrs></e:Envelope>";
        let record = read(bytes).unwrap();
        assert_eq!((record.action, record.types.len()), ("probe_matches", 2));
        assert_eq!((record.name.as_deref(), record.hardware.as_deref()), (Some("Cam cổng"), Some("T1")));
        assert!(read(b"<html><body>/discovery/Probe</body></html>").is_none());
    }
}
