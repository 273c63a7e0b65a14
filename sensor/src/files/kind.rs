//! The type of a file by its content.

/// Bytes at the start in which something printable is believed to be text.
const TEXT_BYTES: usize = 1024;

/// Beginnings that matter to us and that the general table does not know. Compared in lower case, after blanks.
const SCRIPTS: [(&[u8], &str); 10] = [
    (b"<?php", "text/x-php"),
    (b"<?=", "text/x-php"),
    (b"<%@ page", "text/x-jsp"),
    (b"<%@page", "text/x-jsp"),
    (b"<%@ webhandler", "text/x-aspx"),
    (b"<%", "text/x-jsp"),
    (b"{\\rtf", "text/rtf"),
    (b"<?xml", "text/xml"),
    (b"<!doctype html", "text/html"),
    (b"@echo off", "text/x-msdos-batch"),
];

/// The type of a file that begins like this, as a MIME type.
pub fn of(head: &[u8]) -> &'static str {
    if let Some(kind) = script(head) {
        return kind;
    }
    if let Some(kind) = infer::get(head) {
        return kind.mime_type();
    }
    let head = head.get(..TEXT_BYTES).unwrap_or(head);
    match text(head) {
        true if head.trim_ascii_start().first().is_some_and(|b| *b == b'{' || *b == b'[') => "application/json",
        true => "text/plain",
        false => "application/octet-stream",
    }
}

fn script(head: &[u8]) -> Option<&'static str> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins = |with: &[u8]| head.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let (_, kind) = SCRIPTS.iter().find(|(with, _)| begins(with))?;
    // ASP.NET pages begin like JSP pages and name another language.
    let line = head.get(..200).unwrap_or(head).to_ascii_lowercase();
    let aspx = [&b"language=\"c#\""[..], b"language=\"vb\"", b"language=\"jscript\""];
    let is_aspx = *kind == "text/x-jsp" && aspx.iter().any(|l| line.windows(l.len()).any(|w| w == *l));
    Some(if is_aspx { "text/x-aspx" } else { kind })
}

/// UTF-8 (perhaps cut inside a character) without control characters other than blanks and line ends.
fn text(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    valid && !bytes.is_empty() && bytes.iter().all(|&b| b >= 0x20 || matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))
}

/// Whether files of this type are what web pages and services consist of: markup, data, pictures, sound, fonts.
pub fn is_page_part(kind: &str) -> bool {
    let media = ["image/", "audio/", "video/", "font/", "application/font"].iter().any(|part| kind.starts_with(part));
    media || matches!(kind, "text/html" | "text/xml" | "application/json")
}

/// Extension of a file name, in lower case.
pub fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let fits = !stem.is_empty() && (1..=12).contains(&extension.len());
    (fits && extension.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn content_decides() {
        assert_eq!(of(b"<?php echo 1;"), "text/x-php");
        assert_eq!(of(b"\xef\xbb\xbf\n<?PHP echo 1;"), "text/x-php");
        assert_eq!(of(b"<%@ Page Language=\"C#\" %>"), "text/x-aspx");
        assert_eq!(of(b"<%@ page import=\"java.io.*\" %>"), "text/x-jsp");
        assert_eq!(of(b"\x89PNG\r\n\x1a\n"), "image/png");
        assert_eq!(of(b"MZ\x90\0\x03\0\0\0"), "application/vnd.microsoft.portable-executable");
        assert_eq!(of("công văn".as_bytes()), "text/plain");
        assert_eq!(of(b"{\"a\":1}"), "application/json");
        assert_eq!(of(b"\0\x01\x02\x03"), "application/octet-stream");
    }
}
