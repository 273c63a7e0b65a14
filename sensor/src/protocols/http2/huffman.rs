//! The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B), decoded bit by bit from the lengths of its codes: it
//! is canonical, codes of one length follow each other in the order of their symbols.

use super::hpack::HpackError;

/// Bits of the code of each byte value (RFC 7541 appendix B).
#[rustfmt::skip]
const BITS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];
/// The longest code.
const MAX_BITS: usize = 30;
/// Bits that may be left over at the end: the padding is shorter than a byte.
const MAX_PADDING_BITS: usize = 7;

/// What decoding needs: for each length the first code, how many codes there are, and where their symbols begin.
struct Code {
    first: [u32; MAX_BITS + 1],
    count: [u32; MAX_BITS + 1],
    start: [u32; MAX_BITS + 1],
    symbols: [u8; 256],
}

static CODE: Code = Code::new();

impl Code {
    const fn new() -> Code {
        let mut code =
            Code { first: [0; MAX_BITS + 1], count: [0; MAX_BITS + 1], start: [0; MAX_BITS + 1], symbols: [0; 256] };
        let (mut next, mut placed, mut bits) = (0u32, 0u32, 1);
        while bits <= MAX_BITS {
            next <<= 1;
            code.first[bits] = next;
            code.start[bits] = placed;
            let mut symbol = 0;
            while symbol < BITS.len() {
                if BITS[symbol] as usize == bits {
                    code.symbols[placed as usize] = symbol as u8;
                    code.count[bits] += 1;
                    placed += 1;
                    next += 1;
                }
                symbol += 1;
            }
            bits += 1;
        }
        code
    }

    /// The symbol of a code of this many bits, if there is one.
    fn symbol(&self, value: u32, bits: usize) -> Option<u8> {
        let place = value.checked_sub(*self.first.get(bits)?)?;
        if place >= *self.count.get(bits)? {
            return None;
        }
        let at = usize::try_from(self.start.get(bits)?.checked_add(place)?).ok()?;
        self.symbols.get(at).copied()
    }
}

/// Decodes a string. It becomes at most 8/5 as long as it was.
pub fn decode(bytes: &[u8]) -> Result<Vec<u8>, HpackError> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 2);
    let (mut value, mut bits) = (0u32, 0usize);
    for byte in bytes {
        for shift in (0..8).rev() {
            value = value << 1 | u32::from(byte >> shift & 1);
            bits += 1;
            if let Some(symbol) = CODE.symbol(value, bits) {
                out.push(symbol);
                (value, bits) = (0, 0);
            } else if bits >= MAX_BITS {
                // The end-of-string symbol must not be sent.
                return Err(HpackError);
            }
        }
    }
    // Padding is made of ones.
    let ones = (1u32 << bits) - 1;
    if bits > MAX_PADDING_BITS || value != ones { Err(HpackError) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_the_standards_examples() {
        // RFC 7541 appendix C.4.1, C.4.2 and C.6.1
        assert_eq!(decode(&hex::decode("f1e3c2e5f23a6ba0ab90f4ff").unwrap()).unwrap(), b"www.example.com");
        assert_eq!(decode(&hex::decode("a8eb10649cbf").unwrap()).unwrap(), b"no-cache");
        let date = hex::decode("d07abe941054d444a8200595040b8166e082a62d1bff").unwrap();
        assert_eq!(decode(&date).unwrap(), b"Mon, 21 Oct 2013 20:13:21 GMT");
        assert_eq!(decode(b"").unwrap(), b"");
    }

    #[test]
    fn bad_padding_and_the_end_symbol_are_errors() {
        assert!(decode(&[0xff]).is_err());
        assert!(decode(&[0xff; 4]).is_err());
        // A letter (`0`, five bits of zero) and padding that is not ones.
        assert!(decode(&[0x00]).is_err());
        assert_eq!(decode(&[0x07]).unwrap(), b"0");
    }
}
