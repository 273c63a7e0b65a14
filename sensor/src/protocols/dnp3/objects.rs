//! Objects behind the head of a message (IEEE 1815 clauses 4.2.2.7 and 11, annex A): group, variation, which points, and
//! where the function has them, their values.

use super::names;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Objects of a message that are told.
const MAX_OBJECTS: usize = 64;
/// Commands of a message that are told.
const MAX_OPERATIONS: usize = 64;
/// Points of a message that a station may have.
const MAX_POINTS: u64 = 16_384;
/// Bytes of a file's name that are told.
const MAX_NAME_BYTES: usize = 256;

/// What stands in a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// Group and variation.
    pub names: Vec<String>,
    /// Points of each.
    pub counts: Vec<u64>,
    /// Commands to outputs.
    pub operations: Vec<String>,
    /// Names of files.
    pub files: Vec<String>,
    /// Not all could be read.
    pub incomplete: bool,
    /// What is odd about them.
    pub odd: Option<&'static str>,
}

/// Which points an object has.
struct Points {
    count: u64,
    /// Index of the first one, where they follow each other.
    start: u64,
    /// Bytes before each point: its index, or its size.
    prefix: Prefix,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefix {
    None,
    Index(usize),
    Size(usize),
}

/// How large a point is.
enum Size {
    Bytes(usize),
    /// Bits of so many.
    Bits(u64),
    /// Says so itself.
    Told,
    Unknown,
}

/// Reads the objects of a message; `function` decides whether values follow.
pub fn read(function: u8, body: &[u8]) -> Objects {
    let mut objects = Objects::default();
    let mut r = Reader::new(body);
    while !r.is_empty() {
        let read = object(&mut objects, function, &mut r);
        let points = objects.counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
        if points > MAX_POINTS {
            objects.odd = Some("dnp3.too_many_points");
        }
        let odd = match read {
            Ok(true) if objects.names.len() >= MAX_OBJECTS && !r.is_empty() => "dnp3.too_many_objects",
            Ok(true) => continue,
            Ok(false) => "dnp3.objects_unread",
            Err(Short) => "dnp3.malformed",
        };
        objects.odd.get_or_insert(odd);
        objects.incomplete = true;
        break;
    }
    objects
}

/// One object; says whether what follows it can be found.
fn object(objects: &mut Objects, function: u8, r: &mut Reader<'_>) -> Result<bool, Short> {
    let (group, variation, qualifier) = (r.u8()?, r.u8()?, r.u8()?);
    objects.names.push(format!("g{group}v{variation}"));
    let points = points(qualifier, r)?;
    let Some(points) = points else {
        objects.counts.push(0);
        return Ok(false);
    };
    objects.counts.push(points.count);
    // Requests that only name points: READ, the freezes, classes and the like.
    let values = matches!(function, 2..=6 | 25..=33 | 129..=131);
    if points.prefix == Prefix::None && (!values || qualifier & 0x0f == 6) {
        return Ok(true);
    }
    // The value of one point at least must be there, or the count is a lie that costs time.
    let size = match (points.prefix, values) {
        (Prefix::Size(_), _) => Size::Told,
        (_, false) => Size::Bytes(0),
        (_, true) => size(group, variation, points.count),
    };
    match size {
        Size::Unknown => Ok(false),
        Size::Bits(count) => {
            r.skip(usize::try_from(count.div_ceil(8)).map_err(|_| Short)?)?;
            Ok(true)
        }
        Size::Bytes(0) if points.prefix == Prefix::None => Ok(true),
        Size::Bytes(bytes) => {
            for number in 0..points.count {
                let index = match points.prefix {
                    Prefix::Index(bytes) => little(r, bytes)?,
                    _ => points.start.saturating_add(number),
                };
                operation(objects, (group, variation), index, r.take(bytes)?);
            }
            Ok(true)
        }
        Size::Told => {
            let Prefix::Size(prefix) = points.prefix else { return Ok(false) };
            for _ in 0..points.count {
                let bytes = usize::try_from(little(r, prefix)?).map_err(|_| Short)?;
                file(objects, (group, variation), r.take(bytes)?);
            }
            Ok(true)
        }
    }
}

/// The range behind a qualifier (clause 4.2.2.7.3).
fn points(qualifier: u8, r: &mut Reader<'_>) -> Result<Option<Points>, Short> {
    let prefix = match qualifier >> 4 & 7 {
        0 => Prefix::None,
        code @ 1..=3 => Prefix::Index(1 << (code - 1)),
        code @ 4..=6 => Prefix::Size(1 << (code - 4)),
        _ => return Ok(None),
    };
    let width = |code: u8| 1usize << code;
    let (start, count) = match qualifier & 0x0f {
        code @ 0..=2 => {
            let (start, stop) = (little(r, width(code))?, little(r, width(code))?);
            let Some(count) = stop.checked_sub(start) else { return Ok(None) };
            (start, count.saturating_add(1))
        }
        6 => (0, 0),
        code @ 7..=9 => (0, little(r, width(code - 7))?),
        11 => (0, little(r, 1)?),
        _ => return Ok(None),
    };
    Ok(Some(Points { count, start, prefix }))
}

fn little(r: &mut Reader<'_>, bytes: usize) -> Result<u64, Short> {
    Ok(r.take(bytes)?.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// Bytes of a point's value (annex A).
fn size(group: u8, variation: u8, count: u64) -> Size {
    let table: &[usize] = match group {
        1 | 10 if variation == 1 => return Size::Bits(count),
        3 if variation == 1 => return Size::Bits(count.saturating_mul(2)),
        12 if variation == 3 => return Size::Bits(count),
        80 if variation == 1 => return Size::Bits(count),
        // The variation of a string is its length.
        110..=113 => return Size::Bytes(variation.into()),
        1 | 3 | 10 => &[0, 1],
        2 | 4 => &[1, 7, 3],
        11 | 13 => &[1, 7],
        12 => &[11, 11],
        20 => &[5, 3, 5, 3, 4, 2, 4, 2],
        21 => &[5, 3, 5, 3, 11, 9, 11, 9, 4, 2, 4, 2],
        22 | 23 => &[5, 3, 5, 3, 11, 9, 11, 9],
        30 => &[5, 3, 4, 2, 5, 9],
        31 => &[5, 3, 11, 9, 4, 2, 5, 9],
        32 | 33 | 42 | 43 => &[5, 3, 11, 9, 5, 9, 11, 15],
        34 => &[2, 4, 4],
        40 | 41 => &[5, 3, 5, 9],
        50 => &[6, 10, 6, 11],
        51 => &[6, 6],
        52 => &[2, 2],
        81 => &[3],
        101 => &[2, 4, 8],
        102 => &[1],
        _ => &[],
    };
    match variation.checked_sub(1).and_then(|at| table.get(usize::from(at))) {
        Some(bytes) => Size::Bytes(*bytes),
        None => Size::Unknown,
    }
}

/// Commands to relays and to analog outputs.
fn operation(objects: &mut Objects, (group, variation): (u8, u8), index: u64, value: &[u8]) {
    if objects.operations.len() >= MAX_OPERATIONS {
        return;
    }
    let mut r = Reader::new(value);
    let told = match (group, variation) {
        (12, 1) => r.u8().map(names::control),
        (41, 1) => r.array().map(|bytes| i32::from_le_bytes(bytes).to_string()),
        (41, 2) => r.array().map(|bytes| i16::from_le_bytes(bytes).to_string()),
        (41, 3) => r.array().map(|bytes| f32::from_le_bytes(bytes).to_string()),
        (41, 4) => r.array().map(|bytes| f64::from_le_bytes(bytes).to_string()),
        _ => return,
    };
    if let Ok(told) = told {
        objects.operations.push(format!("g{group}v{variation}[{index}] {told}"));
    }
}

/// The name in a file command or descriptor (group 70 variations 3 and 7: place and length of the name come first).
fn file(objects: &mut Objects, (group, variation): (u8, u8), value: &[u8]) {
    if group != 70 || !matches!(variation, 3 | 7) || objects.files.len() >= MAX_OBJECTS {
        return;
    }
    let mut r = Reader::new(value);
    let (Ok(at), Ok(length)) = (little(&mut r, 2), little(&mut r, 2)) else { return };
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let name = value.get(at..).and_then(|rest| rest.get(..length)).filter(|name| !name.is_empty());
    objects.files.extend(name.map(|name| text::text(name, MAX_NAME_BYTES)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_named_without_points() {
        let objects = read(1, &[60, 2, 6, 60, 3, 6]);
        assert_eq!((objects.names, objects.counts), (vec!["g60v2".to_owned(), "g60v3".to_owned()], vec![0, 0]));
        assert!(!objects.incomplete);
    }

    #[test]
    fn a_command_tells_its_point() {
        let body = [12, 1, 0x28, 1, 0, 7, 0, 0x41, 1, 100, 0, 0, 0, 100, 0, 0, 0, 0];
        let objects = read(4, &body);
        assert_eq!(objects.operations, ["g12v1[7] PULSE_ON CLOSE"]);
        assert!(!objects.incomplete);
        assert!(read(4, &body[..12]).incomplete);
    }

    #[test]
    fn a_count_without_points_costs_nothing() {
        let objects = read(2, &[0, 254, 0x09, 0xff, 0xff, 0xff, 0xff]);
        assert!(objects.incomplete);
        let objects = read(129, &[110, 0, 0x09, 0xff, 0xff, 0xff, 0xff]);
        assert!(!objects.incomplete && objects.odd == Some("dnp3.too_many_points"));
        let objects = read(129, &[60, 1, 0x29, 0xff, 0xff, 0xff, 0xff]);
        assert!(objects.incomplete);
    }
}
