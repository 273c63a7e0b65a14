//! The head of one message (RFC 2326 sections 6 and 7).

use base64::Engine as _;

use super::record::RtspRequest;
use crate::protocols::text;

/// Bytes of a value that are told.
const MAX_VALUE_BYTES: usize = 512;
/// Lines of a head that are looked at.
const MAX_LINES: usize = 128;
/// The longest first line.
const MAX_FIRST_BYTES: usize = 2048;
/// Streams of a description that are told.
const MAX_MEDIA: usize = 16;
/// Methods that begin a connection in practice.
const METHODS: [&[u8]; 11] = [
    b"OPTIONS",
    b"DESCRIBE",
    b"ANNOUNCE",
    b"SETUP",
    b"PLAY",
    b"PAUSE",
    b"TEARDOWN",
    b"GET_PARAMETER",
    b"SET_PARAMETER",
    b"REDIRECT",
    b"RECORD",
];

/// What a message is by its first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// A client's, or a server's own.
    Request,
    /// What answers it.
    Response,
}

/// What begins here, once the first line is there.
pub fn begins(bytes: &[u8]) -> Option<First> {
    if bytes.starts_with(b"RTSP/1.") || bytes.starts_with(b"RTSP/2.") {
        return Some(First::Response);
    }
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..end)?.trim_ascii_end();
    let version = line.rsplit(|byte| *byte == b' ').next()?;
    let versioned = version.starts_with(b"RTSP/") && line.len() > version.len() + 2;
    (versioned && line.first().is_some_and(u8::is_ascii_uppercase)).then_some(First::Request)
}

/// Whether a first line stands here whose end did not come yet.
pub fn may_begin(bytes: &[u8]) -> bool {
    let word = bytes.split(|byte| *byte == b' ').next().unwrap_or(bytes);
    let whole = word.len() < bytes.len();
    let known = METHODS.iter().any(|method| if whole { *method == word } else { method.starts_with(word) });
    let answer = b"RTSP/1.0".starts_with(bytes);
    (known && bytes.len() <= MAX_FIRST_BYTES && !bytes.contains(&b'\n')) || answer
}

/// What a head says besides what is told.
#[derive(Debug)]
pub struct Head {
    /// What it is.
    pub first: First,
    /// Bytes behind it.
    pub body_bytes: u64,
    /// What is told.
    pub record: RtspRequest,
}

/// Reads a head; nothing where this is none.
pub fn read(bytes: &[u8]) -> Option<Head> {
    let mut head = Head { first: begins(bytes)?, body_bytes: 0, record: RtspRequest::default() };
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).take(MAX_LINES);
    first_line(&mut head, lines.next()?);
    for line in lines.filter(|line| !line.is_empty()) {
        match line.iter().position(|byte| *byte == b':') {
            Some(colon) => {
                let (name, value) = line.split_at_checked(colon)?;
                header(&mut head, &name.to_ascii_lowercase(), value.get(1..)?.trim_ascii());
            }
            None => head.record.malformed = Some(true),
        }
    }
    Some(head)
}

fn told(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| text::text(bytes, MAX_VALUE_BYTES))
}

fn first_line(head: &mut Head, line: &[u8]) {
    let record = &mut head.record;
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let (one, two, three) = (words.next(), words.next(), words.next());
    let version = if head.first == First::Response { one } else { three };
    record.version = version.and_then(|version| version.strip_prefix(b"RTSP/")).and_then(told);
    if head.first == First::Response {
        record.status = two.and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
        record.outcome = record.status.map(|status| if status < 400 { "success" } else { "failure" });
        record.reason = three.and_then(told);
        record.malformed = record.status.is_none().then_some(true);
    } else {
        record.method = one.and_then(told);
        record.url = two.and_then(|url| told(&without_user(record, url)));
    }
}

/// An address without the user and password that may stand in it (RFC 3986 section 3.2.1).
fn without_user(record: &mut RtspRequest, url: &[u8]) -> Vec<u8> {
    let start = url.windows(3).position(|window| window == b"://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at_checked(start).unwrap_or((&[], url));
    let host = rest.split(|byte| *byte == b'/').next().unwrap_or(rest);
    let Some(at) = host.iter().rposition(|byte| *byte == b'@').filter(|_| start > 0) else { return url.to_vec() };
    let mut parts = host.get(..at).unwrap_or(&[]).splitn(2, |byte| *byte == b':');
    record.user = parts.next().and_then(told);
    record.password_seen = parts.next().is_some_and(|password| !password.is_empty()).then_some(true);
    [scheme, rest.get(at + 1..).unwrap_or(&[])].concat()
}

fn header(head: &mut Head, name: &[u8], value: &[u8]) {
    let record = &mut head.record;
    match name {
        b"cseq" => record.sequence = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok()),
        b"content-length" => {
            head.body_bytes = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok()).unwrap_or(0);
        }
        b"session" => record.session = value.split(|byte| *byte == b';').next().and_then(told),
        b"transport" => record.transport = told(value),
        b"user-agent" => record.user_agent = told(value),
        b"server" => record.server = told(value),
        b"authorization" => credentials(record, value),
        b"www-authenticate" => scheme(record, value),
        _ => {}
    }
}

fn scheme(record: &mut RtspRequest, value: &[u8]) {
    let scheme = value.split(u8::is_ascii_whitespace).next().and_then(told);
    if let Some(scheme) = scheme.filter(|scheme| record.auth.len() < 4 && !record.auth.contains(scheme)) {
        record.auth.push(scheme);
    }
}

/// Who logs in (RFC 7616, RFC 7617).
fn credentials(record: &mut RtspRequest, value: &[u8]) {
    scheme(record, value);
    let (word, rest) = value.split_at_checked(6).unwrap_or((value, &[]));
    if word.eq_ignore_ascii_case(b"basic ") {
        let Ok(clear) = base64::engine::general_purpose::STANDARD.decode(rest.trim_ascii()) else { return };
        let mut parts = clear.splitn(2, |byte| *byte == b':');
        record.user = parts.next().and_then(told);
        record.password_seen = parts.next().is_some_and(|password| !password.is_empty()).then_some(true);
        return;
    }
    const NAME: &[u8] = b"username=\"";
    let Some(at) = value.windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME)) else { return };
    let name = value.get(at + NAME.len()..).unwrap_or(&[]);
    record.user = name.split(|byte| *byte == b'"').next().and_then(told);
}

/// What a description says (RFC 8866): its name and its streams.
pub fn description(record: &mut RtspRequest, body: &[u8]) {
    for line in body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).take(MAX_LINES) {
        match line.split_first_chunk() {
            Some((b"s=", name)) => record.title = record.title.take().or_else(|| told(name)),
            Some((b"m=", media)) if record.media.len() < MAX_MEDIA => record.media.extend(told(media)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_noticed_and_left_out() {
        let basic = b"DESCRIBE rtsp://an:bimat@192.0.2.7:554/kenh1 RTSP/1.0\r\nCSeq: 2\r\n\
            Authorization: Basic YW46YmltYXQ=\r\n\r\n";
        let head = read(basic).unwrap();
        assert_eq!((head.first, head.record.sequence), (First::Request, Some(2)));
        assert_eq!(head.record.url.as_deref(), Some("rtsp://192.0.2.7:554/kenh1"));
        assert_eq!((head.record.user.as_deref(), head.record.password_seen), (Some("an"), Some(true)));
        let digest = b"PLAY rtsp://192.0.2.7/ RTSP/1.0\r\nAuthorization: Digest username=\"an\", nonce=\"1\"\r\n\r\n";
        let record = read(digest).unwrap().record;
        assert_eq!(
            (record.user.as_deref(), record.password_seen, record.auth),
            (Some("an"), None, vec!["Digest".into()])
        );
    }

    #[test]
    fn beginnings_are_told_from_other_things() {
        assert_eq!(begins(b"RTSP/1.0 200 OK\r\n"), Some(First::Response));
        assert_eq!((begins(b"OPTIONS * RTSP/1.0"), may_begin(b"OPTIONS * RTSP/1.0")), (None, true));
        assert_eq!((begins(b"OPTIONS * HTTP/1.1\r\n"), may_begin(b"OPTIONS * HTTP/1.1\r\n")), (None, false));
    }
}
