//! What a textual request body tells, with passwords taken out.

use crate::protocols::text;

use super::url::percent_decoded;

/// Bytes of a request body that are kept as text.
pub const MAX_KEPT_BYTES: usize = 4096;
/// What stands for a password.
const STARS: &str = "***";
/// Names of fields that hold a password, or a part of such a name.
const SECRET: [&str; 7] = ["pass", "pwd", "matkhau", "mat_khau", "mat-khau", "secret", "otp"];

/// Whether a field's name says that it holds a password.
pub fn secret_name(name: &[u8]) -> bool {
    let name = percent_decoded(name).to_ascii_lowercase();
    SECRET.iter().any(|part| name.windows(part.len()).any(|window| window == part.as_bytes()))
}

/// The text of a form body with the values of password fields replaced, and whether there were any.
pub fn without_passwords(body: &[u8], mime_type: Option<&str>) -> (String, bool) {
    match mime_type {
        Some(t) if t.contains("json") => json(body),
        Some(t) if t.contains("x-www-form-urlencoded") => pairs(body),
        None if body.contains(&b'=') => pairs(body),
        _ => (text::text(body, MAX_KEPT_BYTES), false),
    }
}

fn pairs(body: &[u8]) -> (String, bool) {
    let mut out = String::with_capacity(body.len());
    let mut found = false;
    for (i, pair) in body.split(|&b| b == b'&').enumerate() {
        if i > 0 {
            out.push('&');
        }
        let equals = pair.iter().position(|&b| b == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(equals).unwrap_or((pair, &[]));
        text::push(&mut out, name);
        if value.len() > 1 && secret_name(name) {
            found = true;
            out.push('=');
            out.push_str(STARS);
        } else {
            text::push(&mut out, value);
        }
    }
    (out, found)
}

/// Members named like a password lose their text value. The body may be cut, so it is scanned rather than parsed.
fn json(body: &[u8]) -> (String, bool) {
    let mut out = String::with_capacity(body.len());
    let mut found = false;
    let mut secret = false;
    let mut rest = body;
    while let Some(at) = rest.iter().position(|&b| b == b'"') {
        let (before, quoted) = rest.split_at_checked(at + 1).unwrap_or((rest, &[]));
        text::push(&mut out, before);
        let end = string_end(quoted);
        let (inside, after) = quoted.split_at_checked(end).unwrap_or((quoted, &[]));
        let is_name = after.get(1..).is_some_and(|a| a.trim_ascii_start().starts_with(b":"));
        if secret && !is_name {
            found = true;
            out.push_str(STARS);
        } else {
            text::push(&mut out, inside);
        }
        secret = is_name && secret_name(inside);
        if !after.is_empty() {
            out.push('"');
        }
        rest = after.get(1..).unwrap_or(&[]);
    }
    text::push(&mut out, rest);
    (out, found)
}

/// Where a JSON string ends: at the quote that no backslash stands before.
fn string_end(quoted: &[u8]) -> usize {
    let mut escaped = false;
    for (at, &byte) in quoted.iter().enumerate() {
        match byte {
            b'"' if !escaped => return at,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    quoted.len()
}

/// User and presence of a password in Basic credentials (RFC 7617): gives the user only.
pub fn basic_user(credentials: &[u8]) -> Option<String> {
    use base64::Engine as _;
    let decoded = base64::engine::general_purpose::STANDARD.decode(credentials.trim_ascii()).ok()?;
    let colon = decoded.iter().position(|&b| b == b':')?;
    Some(text::text(decoded.get(..colon)?, 256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_never_stay() {
        let (out, found) =
            without_passwords(b"user=an&mat%4bhau=Bi-Mat&x=1", Some("application/x-www-form-urlencoded"));
        assert_eq!((out.as_str(), found), ("user=an&mat%4bhau=***&x=1", true));
        let (out, found) = without_passwords(br#"{"user":"an","password": "a\"b","n":1}"#, Some("application/json"));
        assert_eq!((out.as_str(), found), (r#"{"user":"an","password": "***","n":1}"#, true));
        let (out, found) = without_passwords(br#"{"password":"cut of"#, Some("application/json"));
        assert_eq!((out.as_str(), found), (r#"{"password":"***"#, true));
        assert!(!without_passwords(b"hello=1", Some("text/plain")).1);
    }

    #[test]
    fn basic_gives_the_user_only() {
        assert_eq!(basic_user(b"YW46c2VjcmV0").as_deref(), Some("an"));
        assert_eq!(basic_user(b"???"), None);
    }
}
