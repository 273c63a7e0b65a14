//! What a file is, told from its first bytes and never from its name: a media type. What is not known is
//! `application/octet-stream`.

/// What a beginning says, and where it stands.
const BEGINNINGS: &[(usize, &[u8], &str)] = &[
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"BZh", "application/x-bzip2"),
    (257, b"ustar", "application/x-tar"),
    (0, b"ElfFile\x00", "application/x-ms-evtx"),
    (0, b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (0, b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (0, b"\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"),
    (0, b"\x4d\x3c\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (0, b"\xa1\xb2\x3c\x4d", "application/vnd.tcpdump.pcap"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"SQLite format 3\x00", "application/vnd.sqlite3"),
];

/// The media type of what begins like this.
pub fn of(beginning: &[u8]) -> &'static str {
    let known =
        BEGINNINGS.iter().find(|(at, bytes, _)| beginning.get(*at..).is_some_and(|from| from.starts_with(bytes)));
    if let Some((.., kind)) = known {
        return kind;
    }
    if beginning.starts_with(b"\xff\xfe") || beginning.starts_with(b"\xfe\xff") {
        return "text/plain";
    }
    let text = match std::str::from_utf8(beginning) {
        Ok(text) => text,
        // The beginning may end within a letter.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(beginning.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return "application/octet-stream",
    };
    let strange = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{1b}');
    if text.is_empty() || text.chars().any(strange) {
        return "application/octet-stream";
    }
    match text.trim_start_matches('\u{feff}').trim_start().as_bytes() {
        [b'{' | b'[', ..] => "application/json",
        [b'<', b'?', b'x', b'm', b'l', ..] => "application/xml",
        _ => "text/plain",
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn content_says_what_a_file_is() {
        assert_eq!(of(b"MZ\x90\x00\x03"), "application/vnd.microsoft.portable-executable");
        assert_eq!(of(b"ElfFile\x00\x00\x00"), "application/x-ms-evtx");
        assert_eq!(of(b"\x7fELF\x02"), "application/x-elf");
        assert_eq!(of("2026-11-22 10:42:07 đăng nhập thất bại".as_bytes()), "text/plain");
        assert_eq!(of(b"\n {\"a\": 1}"), "application/json");
        assert_eq!(of(b"plain\x00not"), "application/octet-stream");
        assert_eq!(of(b""), "application/octet-stream");
        let mut tar = vec![b'a'; 300];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(of(&tar), "application/x-tar");
    }

    #[test]
    fn a_letter_that_is_cut_is_still_text() {
        let text = "nhật ký ".repeat(10);
        assert_eq!(of(&text.as_bytes()[..text.len() - 2]), "text/plain");
    }
}
