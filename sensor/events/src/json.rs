//! The text form: one nested Elastic Common Schema object on a line, times in RFC 3339 UTC with nanoseconds.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::OnceLock;

use base64::Engine as _;

use crate::FieldId;
use crate::catalogue::Catalogue;
use crate::event::{EnvelopeTexts, Event};
use crate::value::ValueRef;

/// Appends the event as one JSON object, without a newline.
pub fn write_event(event: &Event, out: &mut Vec<u8>) {
    let texts = EnvelopeTexts::of(event);
    let fields = event.entries(&texts);
    // Small keys are sorted in place of the entries: field number above, place below.
    let mut order: Vec<u32> =
        fields.iter().zip(0..).map(|((id, _), at): (_, u32)| u32::from(id.0) << 16 | at & 0xffff).collect();
    order.sort_unstable();
    let mut nesting = Nesting { layout: Layout::current(), out, open: &[], first: true };
    nesting.out.push(b'{');
    for key in order {
        let Some((id, value)) = fields.get((key & 0xffff) as usize) else { continue };
        if nesting.field(*id) {
            write_value(*value, nesting.out);
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

/// How the fields of the catalogue nest, made ready once.
struct Layout {
    /// By field number.
    fields: Vec<FieldLayout>,
    /// `"name":{` of each object, by its number.
    objects: Vec<Box<[u8]>>,
}

struct FieldLayout {
    /// Numbers of the objects that the field is in, outermost first.
    path: Box<[u16]>,
    /// `"name":`
    key: Box<[u8]>,
}

impl Layout {
    fn current() -> &'static Layout {
        static CURRENT: OnceLock<Layout> = OnceLock::new();
        CURRENT.get_or_init(|| Layout::new(Catalogue::current().fields().iter().map(|field| field.name.as_str())))
    }

    fn new<'n>(names: impl Iterator<Item = &'n str>) -> Layout {
        let mut layout = Layout { fields: Vec::new(), objects: Vec::new() };
        let mut numbers: HashMap<&str, u16> = HashMap::new();
        for name in names {
            let mut path = Vec::new();
            for (dot, _) in name.match_indices('.') {
                let object = name.get(..dot).unwrap_or(name);
                let number = *numbers.entry(object).or_insert_with(|| {
                    layout.objects.push(format!("\"{}\":{{", last_part(object)).into_bytes().into());
                    // A catalogue has at most 65,535 names.
                    u16::try_from(layout.objects.len() - 1).unwrap_or(u16::MAX)
                });
                path.push(number);
            }
            let key = format!("\"{}\":", last_part(name)).into_bytes().into();
            layout.fields.push(FieldLayout { path: path.into(), key });
        }
        layout
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Writes fields, given in name order, as nested objects.
struct Nesting<'a> {
    layout: &'a Layout,
    out: &'a mut Vec<u8>,
    /// Numbers of the objects that are open.
    open: &'a [u16],
    first: bool,
}

impl Nesting<'_> {
    /// Closes and opens objects as needed and writes the field's key; false for a field that the catalogue does not have.
    fn field(&mut self, id: FieldId) -> bool {
        let Some(field) = self.layout.fields.get(usize::from(id.0)) else { return false };
        let shared = self.open.iter().zip(&field.path).take_while(|(open, wanted)| open == wanted).count();
        self.close(self.open.len() - shared);
        for object in field.path.iter().skip(shared) {
            self.comma();
            let key = self.layout.objects.get(usize::from(*object));
            self.out.extend_from_slice(key.map_or(b"", |key| key));
            self.first = true;
        }
        self.open = &field.path;
        self.comma();
        self.out.extend_from_slice(&field.key);
        self.first = false;
        true
    }

    fn close(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(b'}', count));
        self.first &= count == 0;
    }

    fn comma(&mut self) {
        if !self.first {
            self.out.push(b',');
        }
    }

    fn finish(mut self) {
        self.close(self.open.len() + 1);
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
        ValueRef::Ip(IpAddr::V4(v)) => {
            let mut before = b'"';
            for octet in v.octets() {
                out.push(std::mem::replace(&mut before, b'.'));
                out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
            }
            out.push(b'"');
        }
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
    // In blocks, of which the compiler compares all bytes at once.
    let odd = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
    let (blocks, rest) = text.as_bytes().as_chunks::<16>();
    let plain = !blocks.iter().any(|block| block.iter().fold(false, |any, b| any | odd(b))) && !rest.iter().any(odd);
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

/// The bytes of such a text, where it is one.
pub fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(text).ok()
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
    let mut digits = |value: i64, width: usize, after: u8| {
        let mut text = [b'0'; 9];
        let mut rest = u32::try_from(value).unwrap_or(0);
        for digit in text.iter_mut().take(width).rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        out.extend_from_slice(text.get(..width).unwrap_or(&text));
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
        let layout = Layout::new(["a", "b.c.d", "b.c.e", "b.f", "g.h"].into_iter());
        let written = |ids: &[u16]| {
            let mut out = vec![b'{'];
            let mut nesting = Nesting { layout: &layout, out: &mut out, open: &[], first: true };
            for id in ids {
                assert!(nesting.field(FieldId(*id)));
                write_value(ValueRef::U64(1), nesting.out);
            }
            assert!(!nesting.field(FieldId(99)));
            nesting.finish();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(&[0, 1, 2, 3, 4]), r#"{"a":1,"b":{"c":{"d":1,"e":1},"f":1},"g":{"h":1}}"#);
        assert_eq!(written(&[1, 4]), r#"{"b":{"c":{"d":1}},"g":{"h":1}}"#);
        assert_eq!(written(&[]), "{}");
    }
}
