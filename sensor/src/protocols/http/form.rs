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
        Some(t) if t.contains("xml") => markup(body),
        None if body.trim_ascii_start().starts_with(b"<") => markup(body),
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

/// Elements and attributes named like a password lose their value. The body may be cut or broken, so it is scanned.
fn markup(body: &[u8]) -> (String, bool) {
    let mut out = String::with_capacity(body.len());
    let mut found = false;
    for part in body.split_inclusive(|&b| b == b'>') {
        // What stands before the tag is the text of the one before; a part without a tag is the end of the body.
        let tag = part.iter().position(|&b| b == b'<').unwrap_or(part.len());
        let (text, tag) = part.split_at_checked(tag).unwrap_or((part, &[]));
        let secret = out.rfind('<').and_then(|at| out.get(at + 1..)).is_some_and(|open| {
            let name = open.split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or("");
            !name.starts_with('/') && !open.ends_with("/>") && secret_name(name.as_bytes())
        });
        if secret && !text.trim_ascii().is_empty() {
            found = true;
            out.push_str(STARS);
        } else {
            text::push(&mut out, text);
        }
        found |= attributes(tag, &mut out);
    }
    (out, found)
}

/// Writes a tag; values of attributes named like a password are left out. Says whether there were any.
fn attributes(tag: &[u8], out: &mut String) -> bool {
    let mut found = false;
    let mut rest = tag;
    while let Some(at) = rest.iter().position(|&b| matches!(b, b'"' | b'\'')) {
        let (before, quoted) = rest.split_at_checked(at + 1).unwrap_or((rest, &[]));
        text::push(out, before);
        let quote = before.last().copied().unwrap_or(b'"');
        let end = quoted.iter().position(|&b| b == quote).unwrap_or(quoted.len());
        let (value, after) = quoted.split_at_checked(end).unwrap_or((quoted, &[]));
        let name = before.get(..before.len().saturating_sub(1)).unwrap_or(&[]).trim_ascii_end();
        let name = name.strip_suffix(b"=").unwrap_or(&[]).trim_ascii_end();
        let name = name.rsplit(u8::is_ascii_whitespace).next().unwrap_or(name);
        // Addresses name the kind of a password, not one.
        if secret_name(name) && !value.is_empty() && !name.starts_with(b"xmlns") {
            found = true;
            out.push_str(STARS);
        } else {
            text::push(out, value);
        }
        rest = after;
        if let Some((quote, after)) = rest.split_first() {
            text::push(out, &[*quote]);
            rest = after;
        }
    }
    text::push(out, rest);
    found
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
        let soap =
            b"<w:User>an</w:User><w:Password Type=\"x#PasswordText\">bi<mat</w:Password><a pwd='x' b=\"y\"/><c>d</c>";
        let (out, found) = without_passwords(soap, Some("application/soap+xml"));
        assert!(found && !out.contains("bi") && !out.contains("'x'"), "{out}");
        assert!(out.starts_with("<w:User>an</w:User><w:Password") && out.ends_with("b=\"y\"/><c>d</c>"), "{out}");
        assert_eq!(without_passwords(b"<password>cut of", None), ("<password>***".to_owned(), true));
    }

    #[test]
    fn basic_gives_the_user_only() {
        assert_eq!(basic_user(b"YW46c2VjcmV0").as_deref(), Some("an"));
        assert_eq!(basic_user(b"???"), None);
    }
}
