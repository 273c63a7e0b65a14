//! Lines of syslog as events: RFC 5424, RFC 3164 as devices write it, and JSON of programs we know behind either header.
//!
//! Comes in: one message and when it was received. Goes out: an event in our text form with flat names. Nothing is refused:
//! of a line that is no syslog the text itself is the message.

use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};

use crate::import::known_line;

/// Facilities by number (RFC 5424, table 1).
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
/// Severities by number (RFC 5424, table 2).
const SEVERITIES: [&str; 8] =
    ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"];
/// The longest line that is kept beside the event, in bytes.
const ORIGINAL_MAX_BYTES: usize = 8192;
/// A line without a year is not of the future by more than this.
const AHEAD_MAX_S: i64 = 86_400;

/// The event of a message.
pub fn event(line: &[u8], received_ns: i64) -> Json {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let mut event = Map::new();
    let (priority, rest) = priority(text).map_or((None, text), |(priority, rest)| (Some(priority), rest));
    if let Some(priority) = priority {
        let (facility, severity) = (usize::from(priority / 8), usize::from(priority % 8));
        put(&mut event, "log.syslog.priority", priority);
        put(&mut event, "log.syslog.facility.code", facility);
        put(&mut event, "log.syslog.severity.code", severity);
        put(&mut event, "log.syslog.facility.name", FACILITIES.get(facility).copied().unwrap_or_default());
        put(&mut event, "log.syslog.severity.name", SEVERITIES.get(severity).copied().unwrap_or_default());
    }
    let message = match priority {
        Some(_) => modern(rest, &mut event).unwrap_or_else(|| old(rest, &mut event, received_ns)),
        None => rest,
    };
    // A program that writes JSON says more than its header.
    if let Some(Ok(known)) = message.starts_with('{').then(|| known_line(message.as_bytes())).flatten() {
        return known;
    }
    put(&mut event, "event.dataset", "syslog");
    put(&mut event, "message", message);
    // Its words can be searched; those of `message` are only shown.
    put(&mut event, "event.original", cut(text, ORIGINAL_MAX_BYTES));
    if !event.contains_key("@timestamp") {
        put(&mut event, "@timestamp", luytre_events::json::time_text(received_ns));
    }
    Json::Object(event)
}

fn put(event: &mut Map<String, Json>, name: &str, value: impl Into<Json>) {
    event.insert(name.to_owned(), value.into());
}

/// The beginning of a text.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

fn priority(text: &str) -> Option<(u8, &str)> {
    let (number, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_plain = number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|number| is_plain && *number <= 191)?;
    Some((number, rest))
}

/// `VERSION TIME HOST APP PROCESS MESSAGE-ID DATA MESSAGE`; answers the message.
fn modern<'t>(text: &'t str, event: &mut Map<String, Json>) -> Option<&'t str> {
    let mut parts = text.splitn(7, ' ');
    let version = parts.next().filter(|version| *version == "1")?;
    let time = parts.next()?;
    let stamp = match time {
        "-" => None,
        time => Some(time.parse::<jiff::Timestamp>().ok()?),
    };
    let names = ["log.syslog.hostname", "log.syslog.appname", "log.syslog.procid", "log.syslog.msgid"];
    let values: Vec<&str> = names.iter().filter_map(|_| parts.next()).collect();
    let rest = parts.next()?;
    if let Some(stamp) = stamp {
        put(event, "@timestamp", format!("{stamp:.9}"));
    }
    put(event, "log.syslog.version", version);
    for (name, value) in names.into_iter().zip(values).filter(|(_, value)| *value != "-") {
        put(event, name, value);
    }
    let end = data_end(rest)?;
    Some(rest.get(end..)?.trim_start_matches(' ').trim_start_matches('\u{feff}'))
}

/// Where the structured data ends: `-`, or elements in brackets whose values may hold escaped ones.
fn data_end(text: &str) -> Option<usize> {
    if text.starts_with('-') {
        return Some(1);
    }
    let (mut is_open, mut in_quotes, mut is_escaped) = (false, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_quotes => is_escaped = true,
            '"' => in_quotes = !in_quotes,
            '[' if !in_quotes => is_open = true,
            ']' if !in_quotes => is_open = false,
            _ if !is_open => return Some(at),
            _ => {}
        }
    }
    (!is_open).then_some(text.len())
}

/// `Nov  2 08:00:00 HOST TAG[PROCESS]: MESSAGE`, any part of which may be missing; answers the message.
fn old<'t>(text: &'t str, event: &mut Map<String, Json>, received_ns: i64) -> &'t str {
    let Some((stamp, rest)) = text
        .split_at_checked(15)
        .and_then(|(stamp, rest)| Some((old_time(stamp, received_ns)?, rest.strip_prefix(' ')?)))
    else {
        return text;
    };
    put(event, "@timestamp", luytre_events::json::time_text(stamp));
    let Some((host, rest)) = rest.split_once(' ').filter(|(host, _)| !host.ends_with(':')) else { return rest };
    put(event, "log.syslog.hostname", host);
    let Some((tag, message)) = rest.split_once(": ").filter(|(tag, _)| !tag.contains(' ') && tag.len() <= 64) else {
        return rest;
    };
    match tag.strip_suffix(']').and_then(|tag| tag.split_once('[')) {
        Some((name, process)) => {
            put(event, "log.syslog.appname", name);
            put(event, "log.syslog.procid", process);
        }
        None => put(event, "log.syslog.appname", tag),
    }
    message
}

/// A time without year and zone: the zone is ours, the year the one that brings it nearest to the receipt.
fn old_time(text: &str, received_ns: i64) -> Option<i64> {
    let received = jiff::Timestamp::from_nanosecond(received_ns.into()).ok()?.to_zoned(TimeZone::system());
    let text = text.replacen("  ", " ", 1);
    let of_year = |year: i16| {
        let moment = jiff::civil::DateTime::strptime("%Y %b %d %H:%M:%S", format!("{year} {text}")).ok()?;
        Some(moment.to_zoned(TimeZone::system()).ok()?.timestamp())
    };
    let stamp = of_year(received.year())
        .filter(|stamp| stamp.as_second() <= received.timestamp().as_second().saturating_add(AHEAD_MAX_S))
        .or_else(|| of_year(received.year().checked_sub(1)?))?;
    i64::try_from(stamp.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use luytre_events::EventId;
    use luytre_events::text::read_event;

    use super::*;

    const RECEIVED_NS: i64 = 1_795_305_600_000_000_000;

    fn read(line: &str) -> Json {
        let flat = event(line.as_bytes(), RECEIVED_NS);
        let read = read_event(&flat, EventId { sensor: "s".into(), sequence: 1 }, RECEIVED_NS).unwrap();
        assert_eq!(read.left_out, [], "{line}");
        flat
    }

    #[test]
    fn both_forms_and_the_one_behind_none_are_read() {
        let new =
            read("<165>1 2026-11-22T01:02:03.000004+07:00 fw.example sshd 811 ID47 [a@1 b=\"]\\\"\"][c] đã từ chối");
        assert_eq!(new["message"], "đã từ chối");
        assert_eq!(new["@timestamp"], "2026-11-21T18:02:03.000004000Z");
        assert_eq!(new["log.syslog.facility.name"], "local4");
        assert_eq!(new["log.syslog.severity.code"], 5);
        assert_eq!((&new["log.syslog.appname"], &new["log.syslog.procid"]), (&"sshd".into(), &"811".into()));
        let old = read("<34>Nov  2 08:00:01 router su[77]: failed for root");
        assert_eq!((&old["log.syslog.hostname"], &old["message"]), (&"router".into(), &"failed for root".into()));
        assert_eq!(old["log.syslog.procid"], "77");
        let bare = read("<13>just words: and more");
        assert_eq!((&bare["message"], &bare["log.syslog.priority"]), (&"just words: and more".into(), &13.into()));
        assert_eq!(read("no header at all")["message"], "no header at all");
    }

    #[test]
    fn a_day_of_december_that_comes_in_january_is_of_last_year() {
        let january = "2027-01-01T10:00:00Z".parse::<jiff::Timestamp>().unwrap();
        let received_ns = i64::try_from(january.as_nanosecond()).unwrap();
        let stamp = old_time("Dec 31 12:00:00", received_ns).unwrap();
        assert!((0..3 * 86_400).contains(&((received_ns - stamp) / 1_000_000_000)));
    }

    #[test]
    fn json_of_programs_we_know_is_their_event() {
        let eve = r#"<13>Nov 22 08:00:00 ids suricata: {"timestamp":"2026-11-22T08:00:00+0700","event_type":"dns","src_ip":"192.0.2.1","src_port":5353,"dest_ip":"192.0.2.53","dest_port":53,"proto":"UDP","dns":{"type":"query","rrname":"mot-cua.example"}}"#;
        assert_eq!(read(eve)["dns.question.name"], "mot-cua.example");
    }

    #[test]
    fn no_bytes_are_too_odd() {
        for line in [
            &b""[..],
            b"<",
            b"<999>x",
            b"<13>",
            b"<13>1",
            b"<13>1 - - - - -",
            b"<13>1 - - - - - [",
            b"\xff\xfe<13>\xc3",
        ] {
            assert!(event(line, RECEIVED_NS).is_object());
        }
    }
}
