//! What stands in a message behind its header: variables, names, results.

use super::names;
use super::record::S7Job;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// First byte of a message.
pub const MARK: u8 = 0x32;
/// Variables of a job that are told; packets hold about twenty.
const MAX_ITEMS: usize = 64;
/// Bytes of a name that are told.
const MAX_NAME_BYTES: usize = 64;

/// Takes in the parameters of a job.
pub fn job(record: &mut S7Job, function: u8, parameters: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(parameters);
    r.skip(1)?;
    match function {
        0x04 | 0x05 => {
            let count = usize::from(r.u8()?);
            for _ in 0..count.min(MAX_ITEMS) {
                let told = item(&mut r)?;
                record.items.push(told);
            }
        }
        // Status and places without meaning, then the name of a block.
        0x1a..=0x1d => {
            r.skip(7)?;
            record.name = Some(text::text(r.part8()?.rest(), MAX_NAME_BYTES));
        }
        // Places without meaning, arguments, then the name of the service.
        0x28 => {
            r.skip(7)?;
            r.part16()?;
            record.name = Some(text::text(r.part8()?.rest(), MAX_NAME_BYTES));
        }
        0x29 => {
            r.skip(5)?;
            record.name = Some(text::text(r.part8()?.rest(), MAX_NAME_BYTES));
        }
        0xf0 => {
            r.skip(5)?;
            record.pdu_size_bytes = Some(r.u16()?);
        }
        _ => {}
    }
    Ok(())
}

/// A variable: `DB1 4.0 BYTE x10` for ten bytes of data block 1 from byte 4 on.
fn item(r: &mut Reader<'_>) -> Result<String, Short> {
    r.skip(1)?;
    let mut part = r.part8()?;
    let syntax = part.u8()?;
    if syntax != 0x10 {
        return Ok(format!("syntax-{syntax:02x}"));
    }
    let (kind, count, block) = (names::kind(part.u8()?), part.u16()?, part.u16()?);
    let (area, address) = (part.u8()?, part.u24()?);
    let area = match names::area(area) {
        Some("DB") => format!("DB{block}"),
        Some(name) => name.to_owned(),
        None => format!("area-{area:02x}"),
    };
    Ok(format!("{area} {}.{} {kind} x{count}", address >> 3, address & 7))
}

/// Takes in the answer to a job.
pub fn answer(record: &mut S7Job, function: u8, parameters: &[u8], data: &[u8]) -> Result<(), Short> {
    match function {
        0x04 => {
            let count = usize::from(*parameters.get(1).ok_or(Short)?);
            let mut r = Reader::new(data);
            for number in 0..count.min(MAX_ITEMS) {
                record.results.push(names::result(r.u8()?));
                let (kind, length) = (r.u8()?, usize::from(r.u16()?));
                // Lengths of bits, bytes and integers are in bits, others in bytes; all but the last are even.
                let bytes = if matches!(kind, 3..=5) { length.div_ceil(8) } else { length };
                let last = number + 1 == count;
                r.skip(if last { bytes } else { bytes.next_multiple_of(2) })?;
            }
        }
        0x05 => {
            let count = usize::from(*parameters.get(1).ok_or(Short)?);
            let results = data.get(..count).ok_or(Short)?;
            record.results = results.iter().take(MAX_ITEMS).map(|code| names::result(*code)).collect();
        }
        0xf0 => {
            let mut r = Reader::new(parameters);
            r.skip(6)?;
            record.pdu_size_bytes = Some(r.u16()?);
        }
        _ => {}
    }
    Ok(())
}

/// What user data is: whether it asks, its group and what it does in it.
pub fn user_data(parameters: &[u8]) -> Result<(bool, u8, u8), Short> {
    let mut r = Reader::new(parameters);
    // A fixed head, a length and the method.
    r.skip(5)?;
    let (group, sub_function) = (r.u8()?, r.u8()?);
    Ok((group >> 4 == 4, group, sub_function))
}

/// The list that user data asks for: result, type and length stand before its number.
pub fn state_list(data: &[u8]) -> Option<String> {
    let mut r = Reader::new(data);
    r.skip(4).ok()?;
    Some(format!("{:04x}", r.u16().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_told_as_programmers_write_them() {
        let mut record = S7Job::default();
        let one = [0x12, 0x0a, 0x10, 2, 0, 10, 0, 1, 0x84, 0, 0, 0x20];
        let two = [0x12, 0x0a, 0x10, 1, 0, 1, 0, 0, 0x83, 0, 0, 0x53];
        job(&mut record, 4, &[&[4, 2][..], &one, &two].concat()).unwrap();
        assert_eq!(record.items, ["DB1 4.0 BYTE x10", "M 10.3 BIT x1"]);
        answer(&mut record, 4, &[4, 2], &[0xff, 4, 0, 8, 7, 0, 0x0a, 0, 0, 0]).unwrap();
        assert_eq!(record.results, ["success", "does not exist"]);
        assert!(job(&mut record, 4, &[4, 3, 0x12]).is_err());
    }
}
