//! What stands behind the number of a function, in requests and in responses (Modbus application protocol 1.1b3).

use super::names;
use super::record::ModbusTransaction;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Values that are told; the format allows 125 registers or 2,000 coils.
const MAX_VALUES: usize = 128;
/// Objects of an identification that are told.
const MAX_OBJECTS: usize = 16;
/// Bytes of such an object that are told.
const MAX_OBJECT_BYTES: usize = 128;

/// Bytes of a request behind its header and function, where the function fixes them.
pub fn request_bytes(function: u8, body: &[u8]) -> Option<usize> {
    match function {
        1..=6 => Some(4),
        7 | 11 | 12 | 17 => Some(0),
        15 | 16 => Some(5 + usize::from(*body.get(4)?)),
        22 => Some(6),
        23 => Some(9 + usize::from(*body.get(8)?)),
        24 => Some(2),
        _ => None,
    }
}

/// Takes in a request's body.
pub fn request(record: &mut ModbusTransaction, body: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(body);
    match record.function_code {
        1..=4 => {
            record.address = Some(r.u16()?);
            record.quantity = Some(r.u16()?);
        }
        5 => {
            record.address = Some(r.u16()?);
            record.written = vec![u16::from(r.u16()? == 0xff00)];
        }
        6 => {
            record.address = Some(r.u16()?);
            record.written = vec![r.u16()?];
        }
        8 => record.sub_function = Some(names::diagnostic(r.u16()?)),
        15 => {
            record.address = Some(r.u16()?);
            let quantity = r.u16()?;
            record.quantity = Some(quantity);
            record.written = coils(r.part8()?.rest(), quantity);
        }
        16 => {
            record.address = Some(r.u16()?);
            record.quantity = Some(r.u16()?);
            record.written = registers(r.part8()?.rest());
        }
        22 => {
            record.address = Some(r.u16()?);
            record.written = vec![r.u16()?, r.u16()?];
        }
        23 => {
            record.address = Some(r.u16()?);
            record.quantity = Some(r.u16()?);
            record.write_address = Some(r.u16()?);
            r.skip(2)?;
            record.written = registers(r.part8()?.rest());
        }
        24 => record.address = Some(r.u16()?),
        43 => record.sub_function = Some(names::encapsulated(r.u8()?)),
        _ => {}
    }
    Ok(())
}

/// Takes in a response's body.
pub fn response(record: &mut ModbusTransaction, body: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(body);
    match record.function_code {
        1 | 2 => {
            let values = r.part8()?;
            let quantity =
                record.quantity.unwrap_or_else(|| u16::try_from(values.rest().len() * 8).unwrap_or(u16::MAX));
            record.read = coils(values.rest(), quantity);
        }
        3 | 4 | 23 => record.read = registers(r.part8()?.rest()),
        7 => record.read = vec![r.u8()?.into()],
        17 => {
            let said = r.part8()?;
            record.device = vec![format!("server_id={}", text::text(said.rest(), MAX_OBJECT_BYTES))];
        }
        24 => {
            r.skip(4)?;
            record.read = registers(r.rest());
        }
        43 if r.u8()? == 14 => identification(record, &mut r)?,
        _ => {}
    }
    Ok(())
}

/// Objects behind code, conformity, more follows, next object and their number (section 6.21).
fn identification(record: &mut ModbusTransaction, r: &mut Reader<'_>) -> Result<(), Short> {
    r.skip(4)?;
    let count = r.u8()?;
    for _ in 0..usize::from(count).min(MAX_OBJECTS) {
        let name = names::identification(r.u8()?);
        let value = text::text(r.part8()?.rest(), MAX_OBJECT_BYTES);
        record.device.push(format!("{name}={value}"));
    }
    Ok(())
}

fn registers(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk());
    pairs.take(MAX_VALUES).map(|pair| u16::from_be_bytes(*pair)).collect()
}

/// Bits from the lowest of the first byte on.
fn coils(bytes: &[u8], quantity: u16) -> Vec<u16> {
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| u16::from(byte >> bit & 1)));
    bits.take(usize::from(quantity).min(MAX_VALUES)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(function_code: u8) -> ModbusTransaction {
        ModbusTransaction { function_code, ..ModbusTransaction::default() }
    }

    #[test]
    fn coils_are_bits_from_the_lowest_on() {
        let mut one = record(15);
        request(&mut one, &[0, 19, 0, 10, 2, 0xcd, 1]).unwrap();
        assert_eq!((one.address, one.written), (Some(19), vec![1, 0, 1, 1, 0, 0, 1, 1, 1, 0]));
        assert!(request(&mut record(15), &[0, 19, 0, 10, 2, 0xcd]).is_err());
    }

    #[test]
    fn a_device_names_itself() {
        let mut one = record(43);
        response(&mut one, b"\x0e\x01\x01\x00\x00\x02\x00\x03ABC\x04\x02P7").unwrap();
        assert_eq!(one.device, ["vendor=ABC", "product_name=P7"]);
    }
}
