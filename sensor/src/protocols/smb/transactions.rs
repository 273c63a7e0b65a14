//! Reads the words of SMB 1's transactions ([MS-CIFS] sections 2.2.4.33, 2.2.4.46 and 2.2.4.62): where their setup,
//! parameters and data stand.

use super::body::Span;
use crate::protocols::reader::{Reader, Short};

/// Setup words that are read.
const MAX_SETUP: usize = 8;

/// The parts of a transaction.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// What is asked for.
    pub setup: Vec<u16>,
    /// Its parameters.
    pub parameters: Span,
    /// Its data.
    pub data: Span,
}

/// A request of TRANSACTION or TRANSACTION2; parts without a place of their own are taken as empty.
pub fn request(words: &[u8], bytes_at: usize) -> Result<Transaction, Short> {
    let mut r = Reader::new(words);
    r.skip(2 + 2 + 2 + 2 + 1 + 1 + 2 + 4 + 2)?;
    let parameters = span16(&mut r)?;
    let data = span16(&mut r)?;
    let count = usize::from(r.u8()?);
    r.skip(1)?;
    let setup = std::iter::from_fn(|| r.u16_le().ok()).take(count.min(MAX_SETUP)).collect();
    let or_empty = |span: Span| if span.start < bytes_at { Span { start: bytes_at, length: 0 } } else { span };
    Ok(Transaction { setup, parameters: or_empty(parameters), data: or_empty(data) })
}

/// Function of a request of NT_TRANSACT.
pub fn nt_function(words: &[u8]) -> Result<u16, Short> {
    let mut r = Reader::new(words);
    r.skip(1 + 2 + 8 * 4 + 1)?;
    r.u16_le()
}

/// Data of an answer of TRANSACTION.
pub fn response_data(words: &[u8]) -> Result<Span, Short> {
    let mut r = Reader::new(words);
    r.skip(2 + 2 + 2 + 2 + 2 + 2)?;
    span16(&mut r)
}

/// A length and a place, two bytes each.
fn span16(r: &mut Reader<'_>) -> Result<Span, Short> {
    let (length, start) = (r.u16_le()?, r.u16_le()?);
    Ok(Span { start: start.into(), length: length.into() })
}
