//! How the bytes of a part are carried (RFC 2045 section 6), undone as they stream by.

/// The decoder of one part.
#[derive(Debug, Default)]
pub enum Decoder {
    /// 7bit, 8bit, binary.
    #[default]
    Plain,
    /// base64: bits that do not make a byte yet, and how many.
    Base64 {
        /// The bits.
        bits: u32,
        /// Their number.
        count: u8,
    },
    /// quoted-printable: what came after an equals sign.
    Quoted(Quoted),
}

/// Where quoted-printable stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Quoted {
    /// In the text.
    #[default]
    Text,
    /// After an equals sign.
    Equals,
    /// After an equals sign and this digit.
    Digit(u8),
    /// After an equals sign and a carriage return.
    Return,
}

impl Decoder {
    /// For a part with this Content-Transfer-Encoding.
    pub fn new(name: &[u8]) -> Decoder {
        match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"base64" => Decoder::Base64 { bits: 0, count: 0 },
            b"quoted-printable" => Decoder::Quoted(Quoted::Text),
            _ => Decoder::Plain,
        }
    }

    /// Appends what these bytes stand for.
    pub fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Decoder::Plain => out.extend_from_slice(bytes),
            Decoder::Base64 { bits, count } => {
                for byte in bytes {
                    let Some(value) = base64_value(*byte) else {
                        if *byte == b'=' {
                            (*bits, *count) = (0, 0);
                        }
                        continue;
                    };
                    *bits = *bits << 6 | u32::from(value);
                    *count += 6;
                    if *count >= 8 {
                        *count -= 8;
                        out.extend(u8::try_from(*bits >> *count & 0xff));
                    }
                }
            }
            Decoder::Quoted(state) => {
                for byte in bytes {
                    *state = quoted(*state, *byte, out);
                }
            }
        }
    }
}

fn base64_value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// What is no escape stays as it is, as mail programs do.
fn quoted(state: Quoted, byte: u8, out: &mut Vec<u8>) -> Quoted {
    let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match (state, digit) {
        (Quoted::Text, _) if byte == b'=' => return Quoted::Equals,
        (Quoted::Text, _) => out.push(byte),
        (Quoted::Equals, Some(_)) => return Quoted::Digit(byte),
        (Quoted::Equals, None) if byte == b'\r' => return Quoted::Return,
        (Quoted::Equals | Quoted::Return, None) if byte == b'\n' => {}
        (Quoted::Equals, None) => out.extend([b'=', byte]),
        (Quoted::Return, _) => out.push(byte),
        (Quoted::Digit(first), Some(low)) => {
            let high = char::from(first).to_digit(16).and_then(|high| u8::try_from(high).ok()).unwrap_or(0);
            out.push(high << 4 | low);
        }
        (Quoted::Digit(first), None) => out.extend([b'=', first, byte]),
    }
    Quoted::Text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(name: &[u8], bytes: &[u8], size: usize) -> Vec<u8> {
        let (mut decoder, mut out) = (Decoder::new(name), Vec::new());
        for piece in bytes.chunks(size) {
            decoder.decode(piece, &mut out);
        }
        out
    }

    #[test]
    fn parts_are_decoded_however_they_are_cut() {
        for size in 1..10 {
            assert_eq!(decode(b"Base64 ", b"VOG7iW5o\r\nIEE=\r\nQg==", size), "Tỉnh AB".as_bytes());
            assert_eq!(decode(b"quoted-printable", b"a=3D=\r\nb=C4=91 =x\r\n", size), "a=bđ =x\r\n".as_bytes());
            assert_eq!(decode(b"8bit", b"=3D", size), b"=3D");
        }
    }
}
