//! The description of a call (RFC 8866): lines of one letter and a value.

use std::net::IpAddr;

use super::record::SipMessage;
use crate::protocols::text;

/// Bytes of one line that are told.
const MAX_LINE_BYTES: usize = 512;
/// Streams of one call that are told.
const MAX_MEDIA: usize = 32;

/// Adds what a description says.
pub fn tell(record: &mut SipMessage, body: &[u8]) {
    for line in body.split(|b| *b == b'\n').map(|line| line.trim_ascii_end()) {
        let Some((kind, value)) = line.split_first_chunk::<2>() else { continue };
        match kind {
            b"o=" => record.sdp_origin = Some(text::text(value, MAX_LINE_BYTES)),
            b"s=" => record.sdp_session = Some(text::text(value, MAX_LINE_BYTES)),
            b"m=" if record.sdp_media.len() < MAX_MEDIA => record.sdp_media.push(text::text(value, MAX_LINE_BYTES)),
            b"c=" => {
                let known = connection(value).filter(|address| !record.sdp_addresses.contains(address));
                record.sdp_addresses.extend(known.filter(|_| record.sdp_addresses.len() < MAX_MEDIA));
            }
            _ => {}
        }
    }
}

/// `IN IP4 192.0.2.1`, where the address may be followed by a lifetime.
fn connection(value: &[u8]) -> Option<IpAddr> {
    let address = value.rsplit(|b| *b == b' ').next()?.split(|b| *b == b'/').next()?;
    std::str::from_utf8(address).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_their_places_are_told() {
        let mut record = SipMessage::default();
        tell(&mut record, b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP4 203.0.113.7/127\r\nm=audio 4000 RTP/AVP 0 8\r\nc=IN IP4 203.0.113.7\r\nx");
        assert_eq!(record.sdp_origin.as_deref(), Some("- 1 1 IN IP4 192.0.2.1"));
        assert_eq!(record.sdp_addresses, [IpAddr::from([203, 0, 113, 7])]);
        assert_eq!(record.sdp_media, ["audio 4000 RTP/AVP 0 8"]);
    }
}
