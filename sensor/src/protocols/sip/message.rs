//! The head of one message (RFC 3261 section 7).

use super::record::SipMessage;
use crate::protocols::text;

/// Bytes of one value that are told.
const MAX_VALUE_BYTES: usize = 1024;
/// Lines of a head that are looked at.
const MAX_LINES: usize = 256;
/// Hosts on the way that are told.
const MAX_VIA: usize = 16;
/// The longest method that is believed.
const MAX_METHOD_BYTES: usize = 32;

/// Empty lines between messages keep connections open (RFC 5626 section 4.4.1).
pub fn without_leading_breaks(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or(&[])
}

/// Whether a method stands here, as far as one can see.
pub fn may_begin_request(bytes: &[u8]) -> bool {
    let method = bytes.split(|b| *b == b' ').next().unwrap_or(bytes);
    let letters = method.iter().all(|b| b.is_ascii_uppercase() || b"-_.!%*+`'~".contains(b) || b.is_ascii_digit());
    letters && method.first().is_some_and(u8::is_ascii_uppercase) && method.len() <= MAX_METHOD_BYTES
}

/// Method, target and version of a request's first line.
pub fn request_line(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let line = line.trim_ascii_end();
    let (method, rest) = split_at(line, line.iter().position(|b| *b == b' ')?);
    let (target, version) = split_at(rest, rest.iter().rposition(|b| *b == b' ')?);
    (version.starts_with(b"SIP/") && may_begin_request(method)).then_some((method, target, version))
}

/// What stands before and behind one byte.
fn split_at(bytes: &[u8], at: usize) -> (&[u8], &[u8]) {
    (bytes.get(..at).unwrap_or(&[]), bytes.get(at + 1..).unwrap_or(&[]))
}

/// Reads a head; gives what it says and the length of the body that it promises.
pub fn read(head: &[u8]) -> (SipMessage, Option<u64>) {
    let mut lines = lines(head).into_iter();
    let mut record = SipMessage::default();
    first_line(&mut record, &lines.next().unwrap_or_default());
    let mut length = None;
    for line in lines {
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            record.malformed = Some(true);
            continue;
        };
        let (name, value) = split_at(&line, colon);
        header(&mut record, &mut length, &name.trim_ascii().to_ascii_lowercase(), value.trim_ascii());
    }
    record.body_bytes = length.filter(|length| *length > 0);
    (record, length)
}

/// The lines of a head; one that begins with a space goes on where the one before ended.
pub fn lines(head: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in head.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        if let Some(last) = lines.last_mut().filter(|_| folded) {
            last.push(b' ');
            last.extend_from_slice(line.trim_ascii());
        } else if !line.is_empty() && lines.len() < MAX_LINES {
            lines.push(line.to_vec());
        }
    }
    lines
}

fn first_line(record: &mut SipMessage, line: &[u8]) {
    if let Some((method, target, version)) = request_line(line) {
        record.kind = "request";
        record.method = Some(value(method));
        record.uri = Some(value(target));
        record.version = Some(value(version));
        return;
    }
    record.kind = "response";
    let (version, rest) = split_at(line, line.iter().position(|b| *b == b' ').unwrap_or(line.len()));
    let (code, reason) = split_at(rest, rest.iter().position(|b| *b == b' ').unwrap_or(rest.len()));
    record.version = Some(value(version));
    record.status_code = std::str::from_utf8(code).ok().and_then(|code| code.parse().ok());
    record.reason = (!reason.is_empty()).then(|| value(reason));
    record.malformed = record.status_code.is_none().then_some(true);
}

/// Names have a short form (RFC 3261 section 7.3.3).
fn header(record: &mut SipMessage, length: &mut Option<u64>, name: &[u8], bytes: &[u8]) {
    match name {
        b"from" | b"f" => first(&mut record.from, address(bytes)),
        b"to" | b"t" => first(&mut record.to, address(bytes)),
        b"call-id" | b"i" => first(&mut record.call_id, value(bytes)),
        b"contact" | b"m" => first(&mut record.contact, address(bytes)),
        b"cseq" => {
            let method = bytes.rsplit(|b| *b == b' ').next().filter(|_| record.kind == "response");
            record.method = record.method.take().or_else(|| method.map(value));
            first(&mut record.sequence, value(bytes));
        }
        b"via" | b"v" => {
            for hop in bytes.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
                if record.via.len() < MAX_VIA {
                    record.via.push(value(hop));
                }
            }
        }
        b"user-agent" => first(&mut record.user_agent, value(bytes)),
        b"server" => first(&mut record.server, value(bytes)),
        b"content-type" | b"c" => first(&mut record.content_type, value(bytes)),
        b"content-length" | b"l" => *length = length.or_else(|| std::str::from_utf8(bytes).ok()?.parse().ok()),
        b"expires" => record.expires_s = std::str::from_utf8(bytes).ok().and_then(|seconds| seconds.parse().ok()),
        b"authorization" | b"proxy-authorization" => {
            record.user = record.user.take().or_else(|| parameter(bytes, b"username"));
            record.realm = record.realm.take().or_else(|| parameter(bytes, b"realm"));
        }
        b"www-authenticate" | b"proxy-authenticate" => {
            record.realm = record.realm.take().or_else(|| parameter(bytes, b"realm"));
        }
        _ => {}
    }
}

fn first(place: &mut Option<String>, value: String) {
    place.get_or_insert(value);
}

fn value(bytes: &[u8]) -> String {
    text::text(bytes, MAX_VALUE_BYTES)
}

/// The address in `"Name" <sip:user@host;x=y>;tag=z`: what stands between the angles, else what stands before the
/// parameters.
fn address(bytes: &[u8]) -> String {
    let open = bytes.iter().position(|b| *b == b'<');
    let inner = open.and_then(|open| {
        let rest = bytes.get(open + 1..)?;
        rest.get(..rest.iter().position(|b| *b == b'>')?)
    });
    value(inner.unwrap_or_else(|| bytes.split(|b| *b == b';').next().unwrap_or(bytes)).trim_ascii())
}

/// The value of `name="value"` or `name=value` among parameters.
fn parameter(bytes: &[u8], name: &[u8]) -> Option<String> {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|b| *b == b'=') {
        let (before, behind) = split_at(rest, at);
        let named = before.trim_ascii_end();
        let start = named.iter().rposition(|b| matches!(b, b' ' | b',' | b'\t')).map_or(0, |at| at + 1);
        let behind = behind.trim_ascii_start();
        let (content, next) = match behind.strip_prefix(b"\"") {
            Some(quoted) => split_at(quoted, quoted.iter().position(|b| *b == b'"').unwrap_or(quoted.len())),
            None => split_at(behind, behind.iter().position(|b| *b == b',').unwrap_or(behind.len())),
        };
        if named.get(start..).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return Some(value(content));
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_folded_lines_are_understood() {
        let head = b"INVITE sip:b@tinh.example SIP/2.0\r\nf: \"An, B\" <sip:an@tinh.example;x=1>;tag=7\r\nt: sip:b@tinh.example;x\r\n\
            i: 7@192.0.2.1\r\nv: SIP/2.0/UDP 192.0.2.1:5060,\r\n SIP/2.0/UDP 192.0.2.2\r\nl: 12\r\nCSeq: 1 INVITE\r\n\
            Authorization: Digest realm=\"t = x\", username=\"an\", uri=\"sip:x\"\r\n";
        let (record, length) = read(head);
        assert_eq!((record.kind, record.method.as_deref(), length), ("request", Some("INVITE"), Some(12)));
        assert_eq!(record.from.as_deref(), Some("sip:an@tinh.example;x=1"));
        assert_eq!(record.to.as_deref(), Some("sip:b@tinh.example"));
        assert_eq!(record.via, ["SIP/2.0/UDP 192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.2"]);
        assert_eq!((record.user.as_deref(), record.realm.as_deref()), (Some("an"), Some("t = x")));
    }

    #[test]
    fn a_response_takes_its_method_from_the_sequence() {
        let (record, length) = read(b"SIP/2.0 486 Busy Here\r\nCSeq: 2 INVITE\r\nno colon\r\n");
        assert_eq!((record.status_code, record.reason.as_deref()), (Some(486), Some("Busy Here")));
        assert_eq!((record.method.as_deref(), length, record.malformed), (Some("INVITE"), None, Some(true)));
    }

    #[test]
    fn first_lines_are_told_from_those_of_others() {
        assert!(request_line(b"OPTIONS sip:a SIP/2.0\r").is_some());
        assert!(request_line(b"OPTIONS * HTTP/1.1").is_none());
        assert!(request_line(b"NOTIFY * HTTP/1.1").is_none());
        assert!(!may_begin_request(b"\x16\x03\x01"));
    }
}
