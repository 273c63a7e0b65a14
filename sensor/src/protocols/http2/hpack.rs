//! Header compression of HTTP/2 (RFC 7541): a block of fields is decoded with the table that the blocks before it built.
//!
//! Bounds: the table holds at most [`MAX_TABLE_BYTES`], whatever was negotiated; a sender that wants more is an error,
//! and after an error the table is worth nothing: the connection cannot be followed. Fields are handed out one by one,
//! so that a block of references to large entries costs no memory here.

use std::collections::VecDeque;

use super::huffman;
use super::static_table::FIELDS;
use crate::protocols::reader::{Reader, Short};

/// Bytes of the table that a sender may ask for, counted as the standard counts them.
const MAX_TABLE_BYTES: usize = 64 * 1024;
/// Bytes of the table before a sender asks for another size (RFC 9113 section 6.5.2).
const INITIAL_TABLE_BYTES: usize = 4096;
/// What an entry costs besides its name and value (RFC 7541 section 4.1).
const ENTRY_BYTES: usize = 32;
/// Continuation bytes of an integer: four carry more than anything here may be.
const MAX_INTEGER_BYTES: u32 = 4;

/// The block makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header block cannot be decoded")]
pub struct HpackError;

impl From<Short> for HpackError {
    fn from(_: Short) -> Self {
        HpackError
    }
}

/// The decoder of one direction.
pub struct Decoder {
    /// Newest first.
    entries: VecDeque<(Vec<u8>, Vec<u8>)>,
    size_bytes: usize,
    limit_bytes: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder { entries: VecDeque::new(), size_bytes: 0, limit_bytes: INITIAL_TABLE_BYTES }
    }
}

impl Decoder {
    /// Decodes a whole block; hands out each field's name and value in order.
    pub fn decode(&mut self, block: &[u8], field: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), HpackError> {
        let mut r = Reader::new(block);
        while !r.is_empty() {
            let first = r.u8()?;
            match first {
                0x80.. => {
                    let (name, value) = self.entry(integer(&mut r, first, 7)?)?;
                    field(name, value);
                }
                0x40..0x80 => {
                    let (name, value) = self.literal(&mut r, (first, 6))?;
                    field(&name, &value);
                    self.insert(name, value);
                }
                0x20..0x40 => self.resize(integer(&mut r, first, 5)?)?,
                // Not indexed, and never indexed.
                _ => {
                    let (name, value) = self.literal(&mut r, (first, 4))?;
                    field(&name, &value);
                }
            }
        }
        Ok(())
    }

    /// A field whose name is in a table or follows, and whose value follows; `index` is the byte its index begins in
    /// and the bits of it that belong to the index.
    fn literal(&self, r: &mut Reader<'_>, index: (u8, u32)) -> Result<(Vec<u8>, Vec<u8>), HpackError> {
        let name = match integer(r, index.0, index.1)? {
            0 => string(r)?,
            index => self.entry(index)?.0.to_vec(),
        };
        Ok((name, string(r)?))
    }

    fn entry(&self, index: usize) -> Result<(&[u8], &[u8]), HpackError> {
        let at = index.checked_sub(1).ok_or(HpackError)?;
        if let Some((name, value)) = FIELDS.get(at) {
            return Ok((name.as_bytes(), value.as_bytes()));
        }
        let (name, value) = self.entries.get(at - FIELDS.len()).ok_or(HpackError)?;
        Ok((name, value))
    }

    fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let cost = name.len() + value.len() + ENTRY_BYTES;
        self.shrink(self.limit_bytes.saturating_sub(cost));
        // One that does not fit at all empties the table and is no error (RFC 7541 section 4.4).
        if cost <= self.limit_bytes {
            self.size_bytes += cost;
            self.entries.push_front((name, value));
        }
    }

    fn resize(&mut self, limit_bytes: usize) -> Result<(), HpackError> {
        if limit_bytes > MAX_TABLE_BYTES {
            return Err(HpackError);
        }
        self.limit_bytes = limit_bytes;
        self.shrink(limit_bytes);
        Ok(())
    }

    /// Drops the oldest entries until no more than this many bytes are left.
    fn shrink(&mut self, to_bytes: usize) {
        while self.size_bytes > to_bytes {
            let Some((name, value)) = self.entries.pop_back() else { return };
            self.size_bytes -= name.len() + value.len() + ENTRY_BYTES;
        }
    }
}

/// An integer that begins in the low bits of `first` (RFC 7541 section 5.1).
fn integer(r: &mut Reader<'_>, first: u8, prefix_bits: u32) -> Result<usize, HpackError> {
    let mask = (1u8 << prefix_bits) - 1;
    let mut value = usize::from(first & mask);
    if first & mask != mask {
        return Ok(value);
    }
    for place in 0..MAX_INTEGER_BYTES {
        let byte = r.u8()?;
        value += usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(HpackError)
}

/// A string, Huffman-coded or plain (RFC 7541 section 5.2).
fn string(r: &mut Reader<'_>) -> Result<Vec<u8>, HpackError> {
    let first = r.u8()?;
    let length = integer(r, first, 7)?;
    let bytes = r.take(length)?;
    if first & 0x80 != 0 { huffman::decode(bytes) } else { Ok(bytes.to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(decoder: &mut Decoder, block: &str) -> Vec<String> {
        let mut fields = Vec::new();
        let mut keep = |name: &[u8], value: &[u8]| {
            fields.push(format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)));
        };
        decoder.decode(&hex::decode(block).unwrap(), &mut keep).unwrap();
        fields
    }

    #[test]
    fn requests_of_the_standards_examples() {
        // RFC 7541 appendix C.4
        let mut decoder = Decoder::default();
        let first = decoded(&mut decoder, "828684418cf1e3c2e5f23a6ba0ab90f4ff");
        assert_eq!(first, [":method=GET", ":scheme=http", ":path=/", ":authority=www.example.com"]);
        let second = decoded(&mut decoder, "828684be5886a8eb10649cbf");
        assert_eq!(second[3..], [":authority=www.example.com", "cache-control=no-cache"]);
        let third = decoded(&mut decoder, "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf");
        assert_eq!(third[3..], [":authority=www.example.com", "custom-key=custom-value"]);
        assert_eq!(decoder.size_bytes, 164);
    }

    #[test]
    fn the_table_stays_within_its_limit() {
        let mut decoder = Decoder::default();
        for number in 0..300u32 {
            let block = [&[0x40, 4][..], &number.to_be_bytes(), &[0x7f, 0x91, 0x01], &[b'x'; 272]].concat();
            decoder.decode(&block, &mut |_, _| ()).unwrap();
            assert!(decoder.size_bytes <= INITIAL_TABLE_BYTES);
        }
        assert!(!decoder.entries.is_empty());
        // A size update to nothing, then to the largest there may be, then to one more.
        decoder.decode(&[0x20], &mut |_, _| ()).unwrap();
        assert!(decoder.entries.is_empty());
        decoder.decode(&[0x3f, 0xe1, 0xff, 0x03], &mut |_, _| ()).unwrap();
        assert_eq!(decoder.limit_bytes, MAX_TABLE_BYTES);
        assert_eq!(decoder.decode(&[0x3f, 0xe2, 0xff, 0x03], &mut |_, _| ()), Err(HpackError));
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for block in [&[0x80][..], &[0xbe], &[0xff, 0xff, 0xff, 0xff, 0xff, 0x01], &[0x40], &[0x40, 5, b'a'], &[0x7f]] {
            assert_eq!(Decoder::default().decode(block, &mut |_, _| ()), Err(HpackError), "{block:?}");
        }
    }
}
