//! The text form: one nested Elastic Common Schema object on a line, times in RFC 3339 UTC with nanoseconds.

use std::io::Write as _;

use base64::Engine as _;

use crate::catalogue::Catalogue;
use crate::event::Event;
use crate::value::ValueRef;
use crate::{FieldId, Value};

/// Appends the event as one JSON object, without a newline.
pub fn write_event(event: &Event, out: &mut Vec<u8>) {
    let catalogue = Catalogue::current();
    let mut fields: Vec<(FieldId, Value)> = Vec::with_capacity(event.fields.len() + 16);
    event.visit(&mut |id, value| fields.push((id, owned(value))));
    fields.sort_by_key(|(id, _)| *id);
    let mut nesting = Nesting::new(out);
    for (id, value) in &fields {
        if let Some(field) = catalogue.field(*id) {
            nesting.name(&field.name);
            write_value(value.borrow(), nesting.out);
        }
    }
    nesting.finish();
}

/// The event as a JSON value, for programs that go on working with it.
pub fn event_value(event: &Event) -> serde_json::Value {
    let mut text = Vec::new();
    write_event(event, &mut text);
    serde_json::from_slice(&text).unwrap_or_default()
}

fn owned(value: ValueRef<'_>) -> Value {
    crate::event::to_owned(value)
}

/// Writes dotted names, given in name order, as nested objects.
struct Nesting<'a> {
    out: &'a mut Vec<u8>,
    /// Names of the objects that are open.
    open: Vec<String>,
    first: bool,
}

impl<'a> Nesting<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Nesting { out, open: Vec::new(), first: true }
    }

    /// Closes and opens objects as needed and writes the last part of the name.
    fn name(&mut self, dotted: &str) {
        let parts = dotted.split('.').count();
        let shared = self
            .open
            .iter()
            .zip(dotted.split('.').take(parts - 1))
            .take_while(|(open, part)| open == part)
            .count();
        while self.open.len() > shared {
            self.open.pop();
            self.out.push(b'}');
            self.first = false;
        }
        for part in dotted.split('.').skip(shared).take(parts - 1 - shared) {
            self.key(part);
            self.out.push(b'{');
            self.open.push(part.to_owned());
            self.first = true;
        }
        self.key(dotted.rsplit('.').next().unwrap_or(dotted));
        self.first = false;
    }

    fn key(&mut self, part: &str) {
        if !self.first {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(part.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn finish(self) {
        self.out.extend(std::iter::repeat_n(b'}', self.open.len() + 1));
    }
}

/// Appends one value as JSON.
pub fn write_value(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Bool(v) => out.extend_from_slice(if v { b"true" } else { b"false" }),
        ValueRef::U64(v) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
        ValueRef::I64(v) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
        ValueRef::F64(v) if v.is_finite() => out.extend_from_slice(ryu::Buffer::new().format(v).as_bytes()),
        ValueRef::F64(_) => out.extend_from_slice(b"null"),
        ValueRef::Str(v) => write_text(v, out),
        ValueRef::Ip(v) => {
            // Writing to a Vec cannot fail.
            let _ = write!(out, "\"{v}\"");
        }
        ValueRef::Time(v) => {
            out.push(b'"');
            write_time(v, out);
            out.push(b'"');
        }
        ValueRef::Bytes(v) => write_text(&base64_text(v), out),
        ValueRef::List(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(item.borrow(), out);
            }
            out.push(b']');
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    let plain = text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\');
    if plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to a Vec cannot fail.
        let _ = serde_json::to_writer(out, text);
    }
}

/// Standard base64 (RFC 4648 section 4).
pub fn base64_text(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// RFC 3339 in UTC with nine digits of a second.
pub fn time_text(time_ns: i64) -> String {
    let mut out = Vec::with_capacity(30);
    write_time(time_ns, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

const SECOND_NS: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

fn write_time(time_ns: i64, out: &mut Vec<u8>) {
    let seconds = time_ns.div_euclid(SECOND_NS);
    let nanos = time_ns.rem_euclid(SECOND_NS);
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY_S));
    let of_day = seconds.rem_euclid(DAY_S);
    let mut digits = |value: i64, width: u32, after: u8| {
        for place in (0..width).rev() {
            let digit = value / 10_i64.pow(place) % 10;
            out.push(b'0' + u8::try_from(digit).unwrap_or(0));
        }
        out.push(after);
    };
    digits(year, 4, b'-');
    digits(month, 2, b'-');
    digits(day, 2, b'T');
    digits(of_day / 3600, 2, b':');
    digits(of_day / 60 % 60, 2, b':');
    digits(of_day % 60, 2, b'.');
    digits(nanos, 9, b'Z');
}

/// Year, month and day of a day count since 1970-01-01 in the proleptic Gregorian calendar: shifts the year to begin in
/// March, so that the leap day is its last, and counts in 400-year eras of 146,097 days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_agree_with_a_calendar_library() {
        for time_ns in [0, -1, 951_782_400_000_000_001, 1_795_348_799_999_999_999, 4_102_444_800_000_000_000] {
            let expected = jiff::Timestamp::from_nanosecond(time_ns.into()).unwrap();
            assert_eq!(time_text(time_ns), format!("{expected:.9}"));
        }
    }

    #[test]
    fn dotted_names_nest() {
        let mut out = Vec::new();
        let mut nesting = Nesting::new(&mut out);
        for name in ["a", "b.c.d", "b.c.e", "b.f", "g.h"] {
            nesting.name(name);
            write_value(ValueRef::U64(1), nesting.out);
        }
        nesting.finish();
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":1,"b":{"c":{"d":1,"e":1},"f":1},"g":{"h":1}}"#);
    }
}
