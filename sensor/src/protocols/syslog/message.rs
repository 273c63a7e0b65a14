//! One message of either form.

use super::record::SyslogMessage;
use crate::protocols::text;

/// Bytes of a message that are looked at and told.
pub const MAX_MESSAGE_BYTES: usize = 8192;
/// Bytes of the text that are told.
const MAX_TEXT_BYTES: usize = 2048;
/// Bytes of any other value that are told.
const MAX_VALUE_BYTES: usize = 255;
/// Facilities times eight.
const PRIORITY_MAX: u16 = 191;

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// What stands behind a length and a space (RFC 6587 section 3.4.1).
pub fn without_length(bytes: &[u8]) -> Option<&[u8]> {
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = bytes.get(digits..)?.strip_prefix(b" ")?;
    (1..=6).contains(&digits).then_some(rest)
}

/// Whether a message begins here.
pub fn begins(bytes: &[u8], on_port: bool) -> bool {
    let Some((_, rest)) = priority(bytes) else { return false };
    on_port || version(rest).is_some() || stamp(rest).is_some()
}

/// Priority and what follows its angle.
fn priority(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let rest = bytes.strip_prefix(b"<")?;
    let close = rest.iter().take(4).position(|b| *b == b'>')?;
    let digits = rest.get(..close).filter(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))?;
    let number = std::str::from_utf8(digits).ok()?.parse().ok().filter(|number| *number <= PRIORITY_MAX)?;
    Some((number, rest.get(close + 1..)?))
}

/// Version and what follows it: `1 2026-` of the newer form.
fn version(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (number, rest) = word(bytes);
    let digits = (1..=2).contains(&number.len()) && number.iter().all(u8::is_ascii_digit);
    let dated = rest.starts_with(b"- ") || (rest.first().is_some_and(u8::is_ascii_digit) && rest.get(4) == Some(&b'-'));
    (digits && dated).then_some((number, rest))
}

/// Date and time of the older form, `Nov 22 09:00:00`, and what follows; some devices put a year into it.
fn stamp(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let bytes = bytes.trim_ascii_start();
    // Some put the newer form's date into the older one: 2026-11-22T09:00:00+07:00.
    let (date, rest) = word(bytes);
    if let Some([a, b, c, d, b'-', _, _, b'-', _, _, b'T', ..]) = date.get(..19)
        && [a, b, c, d].into_iter().all(u8::is_ascii_digit)
    {
        return Some((date, rest));
    }
    if !MONTHS.iter().any(|month| bytes.starts_with(month)) {
        return None;
    }
    let colon = bytes.iter().take(24).position(|b| *b == b':')?;
    let end = colon + bytes.get(colon..)?.iter().position(|b| matches!(b, b' ' | b'\n'))?;
    Some((bytes.get(..end)?, bytes.get(end..)?))
}

/// The next word and what follows the space behind it.
fn word(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|b| *b == b' ').unwrap_or(bytes.len());
    (bytes.get(..end).unwrap_or(&[]), bytes.get(end + 1..).unwrap_or(&[]))
}

/// What a message says.
pub fn read(bytes: &[u8]) -> SyslogMessage {
    let kept = bytes.get(..MAX_MESSAGE_BYTES).unwrap_or(bytes);
    let mut record = SyslogMessage::default();
    let mut rest = kept;
    if let Some((number, behind)) = priority(kept) {
        record.priority = Some(number.into());
        record.facility_code = Some((number / 8).into());
        record.severity_code = Some((number % 8).into());
        record.facility = facility(number / 8);
        record.severity = severity(number % 8);
        rest = behind;
    }
    let text = match version(rest) {
        Some((number, behind)) => {
            record.version = value(number);
            newer(&mut record, behind)
        }
        None => older(&mut record, rest),
    };
    let text = text.trim_ascii_end();
    let text = text.strip_suffix(&[0]).unwrap_or(text);
    record.cut = (bytes.len() > kept.len() || text.len() > MAX_TEXT_BYTES).then_some(true);
    record.message = (!text.is_empty()).then(|| text::text(text, MAX_TEXT_BYTES));
    record
}

/// RFC 5424 section 6: time, host, program, process, kind, values; a hyphen stands for nothing.
fn newer<'a>(record: &mut SyslogMessage, bytes: &'a [u8]) -> &'a [u8] {
    let mut rest = bytes;
    for place in [
        &mut record.timestamp,
        &mut record.hostname,
        &mut record.program,
        &mut record.process_id,
        &mut record.message_id,
    ] {
        let (next, behind) = word(rest);
        *place = value(next);
        rest = behind;
    }
    let (values, text) = structured(rest);
    record.structured_data = (!values.is_empty()).then(|| text::text(values, MAX_TEXT_BYTES));
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

/// Values in brackets, in which quotes hide brackets; and what follows.
fn structured(bytes: &[u8]) -> (&[u8], &[u8]) {
    if !bytes.starts_with(b"[") {
        let (nothing, text) = word(bytes);
        return if nothing == b"-" { (&[], text) } else { (&[], bytes) };
    }
    let (mut quoted, mut escaped, mut open) = (false, false, false);
    let mut end = bytes.len();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' if !quoted => open = true,
            b']' if !quoted => open = false,
            b' ' if !quoted && !open => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    (bytes.get(..end).unwrap_or(&[]), bytes.get(end + 1..).unwrap_or(&[]))
}

/// RFC 3164 section 4.1: time, host, then the program before a colon or a bracket. Many devices leave some of it out.
fn older<'a>(record: &mut SyslogMessage, bytes: &'a [u8]) -> &'a [u8] {
    let Some((time, rest)) = stamp(bytes) else { return bytes };
    record.timestamp = value(time);
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let (host, behind) = word(rest);
    if host.ends_with(b":") || host.contains(&b'[') {
        return program(record, rest);
    }
    record.hostname = value(host);
    program(record, behind)
}

fn program<'a>(record: &mut SyslogMessage, bytes: &'a [u8]) -> &'a [u8] {
    let (tag, _) = word(bytes);
    let Some(tag) = tag.strip_suffix(b":").filter(|tag| !tag.is_empty() && tag.len() <= 64) else { return bytes };
    let text = bytes.get(tag.len() + 1..).unwrap_or(&[]);
    let open = tag.iter().position(|b| *b == b'[').filter(|_| tag.ends_with(b"]"));
    let (name, process) = tag.split_at_checked(open.unwrap_or(tag.len())).unwrap_or((tag, &[]));
    record.program = value(name);
    record.process_id = process.get(1..process.len().saturating_sub(1)).and_then(value);
    text.trim_ascii_start()
}

fn value(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty() && bytes != b"-").then(|| text::text(bytes, MAX_VALUE_BYTES))
}

fn facility(number: u16) -> Option<&'static str> {
    const NAMES: [&str; 24] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftpd", "ntpd",
        "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ];
    NAMES.get(usize::from(number)).copied()
}

fn severity(number: u16) -> Option<&'static str> {
    const NAMES: [&str; 8] = ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"];
    NAMES.get(usize::from(number)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let old = read(b"<38>Nov 22 09:00:00 may1 sshd[411]: Failed password for an\n");
        assert_eq!((old.facility, old.severity), (Some("auth"), Some("informational")));
        assert_eq!(
            (old.hostname.as_deref(), old.program.as_deref(), old.process_id.as_deref()),
            (Some("may1"), Some("sshd"), Some("411"))
        );
        assert_eq!(old.message.as_deref(), Some("Failed password for an"));
        let new = read(b"<165>1 2026-11-22T09:00:00Z may1 app 7 ID47 [x@1 a=\"] \\\" \"][y@1] \xef\xbb\xbfxong");
        assert_eq!((new.version.as_deref(), new.message_id.as_deref()), (Some("1"), Some("ID47")));
        assert_eq!(new.structured_data.as_deref(), Some("[x@1 a=\"] \\\" \"][y@1]"));
        assert_eq!(new.message.as_deref(), Some("xong"));
    }

    #[test]
    fn what_devices_leave_out_is_not_made_up() {
        let bare = read(b"<13>something happened");
        assert_eq!((bare.hostname, bare.program), (None, None));
        assert_eq!(bare.message.as_deref(), Some("something happened"));
        let hostless = read(b"<13>Nov  2 09:00:00 cron[7]: run");
        assert_eq!((hostless.hostname, hostless.program.as_deref()), (None, Some("cron")));
    }

    #[test]
    fn the_newer_date_may_stand_in_the_older_form() {
        let mixed = read(b"<167>2026-11-22T09:00:00.9+07:00 may1 slapd[7]: tim");
        assert_eq!((mixed.hostname.as_deref(), mixed.program.as_deref()), (Some("may1"), Some("slapd")));
        assert_eq!(
            (mixed.timestamp.as_deref(), mixed.message.as_deref()),
            (Some("2026-11-22T09:00:00.9+07:00"), Some("tim"))
        );
    }

    #[test]
    fn other_ports_want_more_proof() {
        assert!(begins(b"<13>x", true) && !begins(b"<13>x", false));
        assert!(begins(b"<13>Nov 22 09:00:00 x", false) && begins(b"<13>1 - x", false));
        assert!(!begins(b"<192>x", true) && !begins(b"<>x", true) && !begins(b"<html>", true));
        assert_eq!(without_length(b"12 <13>x"), Some(&b"<13>x"[..]));
    }
}
