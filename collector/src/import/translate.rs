//! Lines of other programs in our names, after tables (`eve.toml`, `zeek.toml`).
//!
//! Comes in: one parsed line. Goes out: an event in our text form with flat names. What a table does not name is not
//! lost: the line itself goes along as `event.original`, whose words can be searched. A new name, kind of line or program
//! is a line in a table; nothing in here knows any protocol.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use luytre_events::{Catalogue, Kind};
use serde::Deserialize;
use serde_json::{Map, Number, Value as Json};

/// The longest line that is kept beside the event, in bytes.
const ORIGINAL_MAX_BYTES: usize = 8192;
/// The dataset of lines that have no other.
const OTHER: &str = "log";
/// What a table says of every line.
const EVERY: &str = "every";

/// A program whose lines are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Suricata, EVE JSON.
    Suricata,
    /// Zeek, JSON logs.
    Zeek,
}

impl Program {
    /// Whose line this is, if one of theirs.
    pub fn of(line: &Map<String, Json>) -> Option<Program> {
        if line.contains_key("event_type") && line.contains_key("timestamp") {
            return Some(Program::Suricata);
        }
        let zeek =
            line.contains_key("ts") && ["_path", "uid", "fuid", "id.orig_h"].iter().any(|key| line.contains_key(*key));
        zeek.then_some(Program::Zeek)
    }

    /// The name in `event.module`.
    pub fn name(self) -> &'static str {
        match self {
            Program::Suricata => "suricata",
            Program::Zeek => "zeek",
        }
    }

    fn table(self) -> &'static Table {
        static TABLES: OnceLock<[Table; 2]> = OnceLock::new();
        let [suricata, zeek] =
            TABLES.get_or_init(|| [Table::parse(include_str!("eve.toml")), Table::parse(include_str!("zeek.toml"))]);
        match self {
            Program::Suricata => suricata,
            Program::Zeek => zeek,
        }
    }
}

/// How a value changes on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum How {
    /// As it is.
    Plain,
    /// RFC 3339, with or without an offset, or seconds since 1970-01-01.
    Time,
    /// Seconds with a fraction, to nanoseconds.
    Seconds,
    /// The name of a transport protocol.
    Transport,
    /// What stands behind the last slash.
    AfterSlash,
    /// `TLS 1.2` and `TLSv12` are `1.2`.
    TlsVersion,
    /// Upper-case with hyphens, as ECS writes hardware addresses.
    Mac,
    /// Digits without colons, in small letters.
    NoColons,
    /// Asking and answering: `query`, `answer`.
    DnsType,
    /// A number that may be written as text, also with `0x` before it.
    Number,
    /// What stands behind the last slash or backslash.
    FileName,
    /// The SHA-256 of `MD5=..,SHA256=..`.
    Sha256,
    /// An address, also an IPv4 one within IPv6; of anything else nothing.
    Address,
    /// `failure` where the text speaks of one, else `success`.
    Outcome,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Plain(String, String),
    How(String, String, How),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    datasets: HashMap<String, String>,
    fields: HashMap<String, Vec<Line>>,
}

/// One field of theirs.
#[derive(Debug)]
struct Rule {
    theirs: Vec<String>,
    whole: String,
    ours: String,
    how: How,
    kind: Kind,
    list: bool,
}

/// How the lines of one program get our names.
#[derive(Debug)]
pub struct Table {
    datasets: HashMap<String, String>,
    rules: HashMap<String, Vec<Rule>>,
}

impl Table {
    /// Event logs of Windows, as Winlogbeat sends them.
    pub fn windows() -> &'static Table {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| Table::parse(include_str!("windows.toml")))
    }

    /// Puts in our fields what a line of some kind says under its own names; later lines of the table win.
    pub fn apply(&self, kind: &str, line: &Json, put: &mut dyn FnMut(&str, Json)) {
        for rule in [EVERY, kind].iter().filter_map(|kind| self.rules.get(*kind)).flatten() {
            if let Some(value) = rule.value(line) {
                put(&rule.ours, value);
            }
        }
    }

    /// # Panics
    /// When a table of this program is wrong, which a test rules out.
    fn parse(text: &str) -> Table {
        let written: Written = toml::from_str(text).expect("the committed table is right");
        let rules = written.fields.into_iter().map(|(kind, lines)| (kind, lines.into_iter().map(Rule::of).collect()));
        Table { datasets: written.datasets, rules: rules.collect() }
    }
}

impl Rule {
    fn of(line: Line) -> Rule {
        let (whole, ours, how) = match line {
            Line::Plain(theirs, ours) => (theirs, ours, How::Plain),
            Line::How(theirs, ours, how) => (theirs, ours, how),
        };
        let catalogue = Catalogue::current();
        let field = catalogue.field_id(&ours).and_then(|id| catalogue.field(id));
        let field = field.unwrap_or_else(|| panic!("no event has the field {ours}"));
        let theirs = whole.split('.').map(str::to_owned).collect();
        Rule { theirs, whole: whole.replace("[]", ""), kind: field.kind, list: field.list, ours, how }
    }

    /// The value in our form, if the line has one.
    fn value(&self, line: &Json) -> Option<Json> {
        let mut found = Vec::new();
        match line.get(&self.whole) {
            // Names with dots may be written as they are.
            Some(flat) => found.extend(flat.as_array().map_or_else(|| vec![flat], |items| items.iter().collect())),
            None => gather(line, &self.theirs, &mut found),
        }
        let mut values =
            found.into_iter().filter_map(|value| changed(value, self.how)).map(|value| self.of_kind(value));
        if self.list {
            let all: Vec<Json> = values.collect();
            return (!all.is_empty()).then_some(Json::Array(all));
        }
        values.next()
    }

    fn of_kind(&self, value: Json) -> Json {
        match (self.kind, value) {
            (Kind::Keyword | Kind::Text, Json::Number(number)) => Json::String(number.to_string()),
            (Kind::Keyword | Kind::Text, Json::Bool(yes)) => Json::String(yes.to_string()),
            (Kind::Long, Json::Number(number)) => {
                let whole = number.as_f64().filter(|n| !number.is_u64() && *n >= 0.0 && *n < u64::MAX as f64);
                whole.map_or(Json::Number(number), |n| Json::Number(Number::from(n as u64)))
            }
            (Kind::Boolean, Json::String(text)) => match text.as_str() {
                "true" | "T" => Json::Bool(true),
                "false" | "F" => Json::Bool(false),
                _ => Json::String(text),
            },
            (_, value) => value,
        }
    }
}

/// Follows a path; a step that ends in `[]` goes through a list.
fn gather<'j>(json: &'j Json, path: &[String], found: &mut Vec<&'j Json>) {
    let Some((step, rest)) = path.split_first() else {
        if !json.is_null() && !json.is_object() {
            found.push(json);
        }
        return;
    };
    let name = step.trim_end_matches("[]");
    match json.get(name) {
        Some(Json::Array(items)) => items.iter().for_each(|item| gather(item, rest, found)),
        Some(one) => gather(one, rest, found),
        None => {}
    }
}

fn changed(value: &Json, how: How) -> Option<Json> {
    let text = value.as_str();
    match how {
        How::Plain => Some(value.clone()).filter(|_| text != Some("")),
        How::Time => match text {
            Some(text) => {
                let offset = text.parse::<jiff::Timestamp>();
                let time = offset.or_else(|_| format!("{text}Z").parse::<jiff::Timestamp>()).ok()?;
                Some(Json::String(format!("{time:.9}")))
            }
            None => Some(Json::String(luytre_events::json::time_text(nanoseconds(value)?))),
        },
        How::Seconds => Some(Json::Number(Number::from(nanoseconds(value)?.max(0)))),
        How::Transport => {
            let name = text?.to_ascii_lowercase();
            let name = if name == "icmpv6" || name == "icmp6" { "ipv6-icmp".to_owned() } else { name };
            let known = luytre_events::Transport::named(&name).is_some();
            Some(Json::String(if known { name } else { "other".to_owned() }))
        }
        How::AfterSlash => Some(Json::String(text?.rsplit('/').next()?.to_owned())),
        How::TlsVersion => {
            let digits: String = text?.chars().filter(char::is_ascii_digit).collect();
            let version = match digits.as_str() {
                "10" | "11" | "12" | "13" | "20" | "30" => format!("{}.{}", digits.get(..1)?, digits.get(1..)?),
                "2" | "3" => format!("{digits}.0"),
                _ => return None,
            };
            Some(Json::String(version))
        }
        How::Mac => Some(Json::String(text?.replace(':', "-").to_ascii_uppercase())),
        How::NoColons => Some(Json::String(text?.replace(':', "").to_ascii_lowercase())),
        How::DnsType => Some(Json::String(match text? {
            "query" | "request" => "query".to_owned(),
            "answer" | "response" => "answer".to_owned(),
            _ => return None,
        })),
        How::Number => match text {
            None => Some(value.clone()).filter(Json::is_u64),
            Some(text) => {
                let number = text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| u64::from_str_radix(hex, 16));
                number.ok().map(Json::from)
            }
        },
        How::FileName => text?.rsplit(['\\', '/']).next().map(Json::from),
        How::Sha256 => {
            let digest = text?.split(',').find_map(|part| part.trim().strip_prefix("SHA256="))?;
            Some(Json::String(digest.to_ascii_lowercase()))
        }
        How::Address => {
            let address: std::net::IpAddr = text?.trim().parse().ok()?;
            Some(Json::String(address.to_canonical().to_string()))
        }
        How::Outcome => {
            Some(Json::from(if text?.to_ascii_lowercase().contains("failure") { "failure" } else { "success" }))
        }
    }
}

/// Seconds with a fraction, as nanoseconds.
fn nanoseconds(seconds: &Json) -> Option<i64> {
    let seconds = seconds.as_f64().filter(|s| s.is_finite() && s.abs() < 9e9)?;
    // Whole seconds apart: a float of nanoseconds would lose the last three digits.
    let whole = seconds.floor();
    let micros = ((seconds - whole) * 1e6).round();
    (whole as i64).checked_mul(1_000_000_000)?.checked_add(micros as i64 * 1000)
}

/// Translates the lines of one file.
#[derive(Debug)]
pub struct Translation {
    program: Program,
    /// What the file's name says of its lines: `dns` of `dns.log` and `dns.00:00:00-01:00:00.log.gz`.
    named: String,
}

impl Translation {
    /// For a file of a program.
    pub fn new(program: Program, path: &Path) -> Translation {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Translation { program, named: name.split(['.', '-']).next().unwrap_or_default().to_owned() }
    }

    /// The event of a line, with flat names; the error says why there is none.
    pub fn event(&mut self, json: &Json, line: &[u8]) -> Result<Json, String> {
        let object = json.as_object().ok_or("not a JSON object")?;
        let table = self.program.table();
        let kind = match self.program {
            Program::Suricata => json.get("event_type").and_then(Json::as_str).ok_or("no event_type")?,
            Program::Zeek => {
                object.get("ts").ok_or("no ts")?;
                json.get("_path").and_then(Json::as_str).unwrap_or(&self.named)
            }
        };
        let mut event = Map::new();
        let mut put = |name: &str, value: Json| {
            event.insert(name.to_owned(), value);
        };
        let dataset = table.datasets.get(kind).map_or(OTHER, String::as_str);
        put("event.dataset", Json::String(dataset.to_owned()));
        put("event.module", Json::String(self.program.name().to_owned()));
        let line = String::from_utf8_lossy(line.trim_ascii());
        put(
            "event.original",
            Json::String(line.get(..floor(&line, ORIGINAL_MAX_BYTES)).unwrap_or_default().to_owned()),
        );
        table.apply(kind, json, &mut |name, value| {
            event.insert(name.to_owned(), value);
        });
        if !event.contains_key("@timestamp") {
            return Err("no time that can be understood".to_owned());
        }
        Ok(Json::Object(event))
    }
}

/// The longest whole part of a text with at most so many bytes.
fn floor(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use luytre_events::EventId;
    use luytre_events::text::read_event;

    use super::*;

    /// The event of a line; nothing may be left out of it.
    fn event(program: Program, file: &str, line: &str) -> Json {
        let json: Json = serde_json::from_str(line).unwrap();
        assert_eq!(Program::of(json.as_object().unwrap()), Some(program));
        let flat = Translation::new(program, Path::new(file)).event(&json, line.as_bytes()).unwrap();
        let read = read_event(&flat, EventId { sensor: "".into(), sequence: 1 }, 0).unwrap();
        assert_eq!(read.left_out, []);
        luytre_events::json::event_value(&read.event)
    }

    #[test]
    fn every_line_of_the_tables_names_a_field_and_a_dataset_of_ours() {
        for program in [Program::Suricata, Program::Zeek] {
            let table = program.table();
            for dataset in table.datasets.values() {
                assert!(Catalogue::current().dataset_id(dataset).is_some(), "{dataset}");
            }
            for kind in table.rules.keys() {
                assert!(kind == EVERY || table.datasets.contains_key(kind), "{kind} has fields and no dataset");
            }
        }
    }

    #[test]
    fn suricatas_lines_get_our_names() {
        let line = r#"{"timestamp":"2026-11-22T08:00:00.123456+0700","event_type":"dns","src_ip":"192.0.2.1","src_port":5353,
            "dest_ip":"192.0.2.53","dest_port":53,"proto":"UDP","vlan":[7,8],"dns":{"version":3,"type":"response","id":4660,
            "rcode":"NOERROR","queries":[{"rrname":"mot-cua.example","rrtype":"A"}],
            "answers":[{"rrname":"mot-cua.example","rrtype":"A","ttl":60,"rdata":"198.51.100.7"}]}}"#;
        let event = event(Program::Suricata, "eve.json", line);
        let at = |pointer: &str| event.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(at("/@timestamp"), "2026-11-22T01:00:00.123456000Z");
        assert_eq!(at("/dns/question/name"), "mot-cua.example");
        assert_eq!(at("/dns/answers/data"), serde_json::json!(["198.51.100.7"]));
        assert_eq!(at("/dns/answers/ttl"), serde_json::json!([60]));
        assert_eq!((at("/dns/type"), at("/network/vlan/id")), ("answer".into(), 7.into()));
        assert_eq!((at("/source/port"), at("/network/transport")), (5353.into(), "udp".into()));
        assert!(at("/event/original").as_str().unwrap().contains("\"rcode\":\"NOERROR\""));
    }

    #[test]
    fn zeeks_lines_get_our_names() {
        let line = r#"{"ts":1763800000.25,"uid":"C1","id.orig_h":"192.0.2.9","id.orig_p":40000,"id.resp_h":"203.0.113.5",
            "id.resp_p":443,"proto":"tcp","duration":1.5,"orig_ip_bytes":1200,"resp_ip_bytes":3400,"history":"ShADadFf"}"#;
        let conn = event(Program::Zeek, "conn.10:00:00-11:00:00.log.gz", line);
        assert_eq!(conn.pointer("/event/dataset"), Some(&"flow".into()));
        assert_eq!(conn.pointer("/event/duration"), Some(&1_500_000_000.into()));
        assert_eq!(conn.pointer("/@timestamp"), Some(&"2025-11-22T08:26:40.250000000Z".into()));
        let line = r#"{"_path":"ssl","ts":"2026-11-22T01:00:00.5Z","uid":"C2","id.orig_h":"192.0.2.9","id.orig_p":1,
            "id.resp_h":"203.0.113.5","id.resp_p":443,"version":"TLSv12","server_name":"mot-cua.example","resumed":false}"#;
        let tls = event(Program::Zeek, "anything.json", line);
        assert_eq!(tls.pointer("/tls/version"), Some(&"1.2".into()));
        assert_eq!(tls.pointer("/tls/client/server_name"), Some(&"mot-cua.example".into()));
    }

    #[test]
    fn a_kind_of_line_that_no_table_names_is_kept_as_a_log() {
        let line = r#"{"timestamp":"2026-11-22T08:00:00Z","event_type":"weather","src_ip":"192.0.2.1","weather":{"sky":"grey"}}"#;
        let event = event(Program::Suricata, "eve.json", line);
        assert_eq!(event.pointer("/event/dataset"), Some(&"log".into()));
        assert!(event.pointer("/event/original").unwrap().as_str().unwrap().contains("grey"));
    }

    #[test]
    fn lines_that_are_no_events_say_why() {
        let mut translation = Translation::new(Program::Suricata, Path::new("eve.json"));
        let mut reason = |text: &str| translation.event(&serde_json::from_str(text).unwrap(), b"").unwrap_err();
        assert_eq!(reason("[1]"), "not a JSON object");
        assert_eq!(reason("{}"), "no event_type");
        assert_eq!(reason(r#"{"event_type":"dns","timestamp":"yesterday"}"#), "no time that can be understood");
    }
}
