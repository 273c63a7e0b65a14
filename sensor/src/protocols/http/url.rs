//! The target of a request and what its parts are.

use crate::protocols::text;

/// Scheme of an address without TLS.
pub const SCHEME: &str = "http";
/// Bytes of a target that are kept.
pub const MAX_URL_BYTES: usize = 8192;

/// A target taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// As sent.
    pub original: String,
    /// Path, if it has one.
    pub path: Option<String>,
    /// What follows the question mark.
    pub query: Option<String>,
    /// Extension of the last part of the path, in lower case.
    pub extension: Option<String>,
    /// Last part of the path.
    pub file_name: Option<String>,
    /// Host in lower case: the target's own, else the Host field's.
    pub domain: Option<String>,
    /// Port, where one is named.
    pub port: Option<u16>,
    /// Scheme and host in front of the path.
    pub full: Option<String>,
    /// Percent-encoding undone.
    pub decoded: Option<String>,
}

/// Takes a request's target apart; `host` is the Host field.
pub fn target(method: &[u8], raw: &[u8], host: Option<&[u8]>) -> Target {
    let original = text::text(raw, MAX_URL_BYTES);
    let mut target = Target::default();
    let (authority, rest) = if method == b"CONNECT" { (Some(original.as_str()), "") } else { absolute(&original) };
    let field = host.map(|h| text::text(h, 256));
    if let Some((name, port)) = authority.filter(|a| !a.is_empty()).or(field.as_deref()).map(host_port) {
        target.domain = (!name.is_empty()).then(|| name.to_ascii_lowercase());
        target.port = port;
    }
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (rest, None),
    };
    let last = path.rsplit('/').next().unwrap_or("");
    target.file_name = (!last.is_empty()).then(|| last.to_owned());
    target.extension = extension(last);
    target.path = (!path.is_empty()).then(|| path.to_owned());
    target.query = query;
    target.full = match (&target.domain, authority, field) {
        _ if method == b"CONNECT" => None,
        (_, Some(_), _) => Some(original.clone()),
        (Some(_), None, Some(field)) => Some([SCHEME, "://", &field.to_ascii_lowercase(), &original].concat()),
        _ => None,
    };
    target.decoded = decoded(raw);
    target.original = original;
    target
}

/// Authority and the rest of `http://authority/rest`; no authority when the target is only a path.
fn absolute(original: &str) -> (Option<&str>, &str) {
    let Some((scheme, after)) = original.split_once("://") else { return (None, original) };
    if !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+') {
        return (None, original);
    }
    let end = after.find(['/', '?']).unwrap_or(after.len());
    let (authority, rest) = after.split_at(end);
    (Some(authority.rsplit('@').next().unwrap_or(authority)), rest)
}

/// Splits `name:port` and `[v6]:port`.
fn host_port(authority: &str) -> (&str, Option<u16>) {
    if let Some(inner) = authority.strip_prefix('[') {
        let (name, after) = inner.split_once(']').unwrap_or((inner, ""));
        return (name, after.strip_prefix(':').and_then(|p| p.parse().ok()));
    }
    match authority.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => (name, port.parse().ok()),
        _ => (authority, None),
    }
}

/// Extension of a file name, in lower case, if it looks like one.
pub fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let fits =
        !stem.is_empty() && (1..=12).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| extension.to_ascii_lowercase())
}

/// Whether a percent sign is itself encoded, so that what is meant comes out only after a second round.
pub fn is_encoded_twice(raw: &[u8]) -> bool {
    raw.contains(&b'%')
        && raw.windows(5).any(|part| part.starts_with(b"%25") && part.iter().skip(3).all(u8::is_ascii_hexdigit))
}

/// Percent-encoding undone, twice where it was done twice, with plus signs of the query as spaces; nothing when there
/// was nothing to undo.
fn decoded(raw: &[u8]) -> Option<String> {
    let raw = raw.get(..MAX_URL_BYTES).unwrap_or(raw);
    let query = raw.iter().position(|&b| b == b'?').unwrap_or(raw.len());
    if !raw.contains(&b'%') && !raw.iter().skip(query).any(|&b| b == b'+') {
        return None;
    }
    let spaced: Vec<u8> = raw.iter().enumerate().map(|(i, &b)| if i > query && b == b'+' { b' ' } else { b }).collect();
    let once = percent_decoded(&spaced);
    let twice = percent_decoded(&once);
    Some(text::text(&twice, MAX_URL_BYTES))
}

/// Percent-encoding undone once; what is no encoding stays.
pub fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            out.push(first);
            continue;
        }
        match (after.first().and_then(hex_digit), after.get(1).and_then(hex_digit)) {
            (Some(high), Some(low)) => {
                out.push(high << 4 | low);
                rest = after.get(2..).unwrap_or(&[]);
            }
            _ => out.push(first),
        }
    }
    out
}

fn hex_digit(byte: &u8) -> Option<u8> {
    char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_hosts() {
        let t = target(b"GET", b"/a/B.PHP?x=1", Some(b"Cong.Tinh.example:8080"));
        assert_eq!(t.domain.as_deref(), Some("cong.tinh.example"));
        assert_eq!((t.port, t.path.as_deref(), t.query.as_deref()), (Some(8080), Some("/a/B.PHP"), Some("x=1")));
        assert_eq!(t.extension.as_deref(), Some("php"));
        assert_eq!(t.full.as_deref(), Some("http://cong.tinh.example:8080/a/B.PHP?x=1"));
        let t = target(b"GET", b"http://u@[2001:db8::1]:81/x", None);
        assert_eq!((t.domain.as_deref(), t.port), (Some("2001:db8::1"), Some(81)));
        let t = target(b"CONNECT", b"a.example:443", Some(b"a.example"));
        assert_eq!((t.domain.as_deref(), t.port, t.full), (Some("a.example"), Some(443), None));
    }

    #[test]
    fn double_encoding_is_undone() {
        let t = target(b"GET", b"/%252e%252e/etc?id=1%27+or+1%3d1", None);
        assert_eq!(t.decoded.as_deref(), Some("/../etc?id=1' or 1=1"));
        assert_eq!(target(b"GET", b"/plain+path", None).decoded, None);
        assert_eq!(percent_decoded(b"100%"), b"100%");
    }
}
