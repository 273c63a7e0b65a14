//! Numbers in the bytes: `byte_test`, `byte_jump`, `byte_extract`, `byte_math`.

use super::rule::{ByteExtract, ByteJump, ByteMath, ByteTest, MathOperator, Notation, NumberAt, Operand, TestHow};

/// The most digits that are read where a rule gives no length.
const DIGITS_MAX: usize = 23;

/// What an operand stands for.
pub fn value(operand: Operand, variables: &[i64]) -> i64 {
    match operand {
        Operand::Fixed(value) => value,
        Operand::Variable(place) => variables.get(place).copied().unwrap_or(0),
    }
}

/// The number that a buffer of numbers holds.
pub fn whole(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// A number, and where it ends.
fn read(at: &NumberAt, bytes: &[u8], cursor: usize, variables: &[i64]) -> Option<(u64, usize)> {
    let begin = if at.relative { i64::try_from(cursor).ok()? } else { 0 };
    let begin = usize::try_from(begin.checked_add(value(at.offset, variables))?).ok()?;
    let size = usize::try_from(value(at.bytes, variables)).ok()?;
    let end = begin.checked_add(size)?;
    let part = match at.notation {
        // Digits of no given length go as far as there are some.
        Notation::Digits(_) if size == 0 => {
            let rest = bytes.get(begin..)?;
            rest.get(..DIGITS_MAX).unwrap_or(rest)
        }
        _ => bytes.get(begin..end)?,
    };
    let mut number = match at.notation {
        Notation::BigEndian if size <= 8 => part.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte)),
        Notation::LittleEndian if size <= 8 => part.iter().rev().fold(0u64, |n, byte| n << 8 | u64::from(*byte)),
        Notation::Digits(base) => digits(part, base)?,
        _ => return None,
    };
    if let Some(mask) = at.mask {
        number = (number & mask).checked_shr(mask.trailing_zeros()).unwrap_or(0);
    }
    Some((number, end))
}

/// Digits behind blanks and a sign, as far as they go.
fn digits(part: &[u8], base: u32) -> Option<u64> {
    let text = part.trim_ascii_start();
    let (text, negative) = match text {
        [b'-', rest @ ..] => (rest, true),
        [b'+', rest @ ..] => (rest, false),
        _ => (text, false),
    };
    let (text, base) = match (base, text) {
        (16 | 0, [b'0', b'x' | b'X', rest @ ..]) if rest.first().is_some_and(u8::is_ascii_hexdigit) => (rest, 16),
        (0, [b'0', ..]) => (text, 8),
        (0, _) => (text, 10),
        _ => (text, base),
    };
    let mut number: Option<u64> = None;
    for byte in text {
        let Some(digit) = char::from(*byte).to_digit(base) else { break };
        number = Some(number.unwrap_or(0).checked_mul(u64::from(base))?.checked_add(u64::from(digit))?);
    }
    number.map(|number| if negative { number.wrapping_neg() } else { number })
}

/// `byte_test`.
pub fn test(test: &ByteTest, bytes: &[u8], cursor: usize, variables: &[i64]) -> bool {
    let Some((number, _)) = read(&test.number, bytes, cursor, variables) else { return false };
    compare(number, test.how, value(test.value, variables).cast_unsigned()) != test.negated
}

/// How two numbers compare.
pub fn compare(number: u64, how: TestHow, other: u64) -> bool {
    match how {
        TestHow::Equal => number == other,
        TestHow::Below => number < other,
        TestHow::Above => number > other,
        TestHow::AtMost => number <= other,
        TestHow::AtLeast => number >= other,
        TestHow::And => number & other != 0,
        TestHow::Or => number ^ other != 0,
    }
}

/// `byte_jump`: where the place is then.
pub fn jump(jump: &ByteJump, bytes: &[u8], cursor: usize, variables: &[i64]) -> Option<usize> {
    let (number, end) = read(&jump.number, bytes, cursor, variables)?;
    let mut by = i64::try_from(number.checked_mul(jump.multiplier)?).ok()?;
    if jump.align {
        by = by.checked_add((4 - by.rem_euclid(4)) % 4)?;
    }
    by = by.checked_add(value(jump.post_offset, variables))?;
    let base = match (jump.from_beginning, jump.from_end) {
        (true, _) => 0,
        (_, true) => bytes.len(),
        _ => end,
    };
    // What would lie before the buffer is its beginning; behind it there is nothing.
    let place = usize::try_from(i64::try_from(base).ok()?.checked_add(by)?.max(0)).ok()?;
    (place < bytes.len()).then_some(place)
}

/// `byte_extract`: the number, and where it ends.
pub fn extract(extract: &ByteExtract, bytes: &[u8], cursor: usize, variables: &[i64]) -> Option<(i64, usize)> {
    let (number, end) = read(&extract.number, bytes, cursor, variables)?;
    let mut number = number.checked_mul(extract.multiplier)?;
    if extract.align > 1 {
        number = number.checked_next_multiple_of(extract.align)?;
    }
    Some((number.cast_signed(), end))
}

/// `byte_math`: the result, and where the number ends.
pub fn math(math: &ByteMath, bytes: &[u8], cursor: usize, variables: &[i64]) -> Option<(i64, usize)> {
    let (number, end) = read(&math.number, bytes, cursor, variables)?;
    let other = value(math.value, variables).cast_unsigned();
    let shift = u32::try_from(other).unwrap_or(u32::MAX);
    let result = match math.operator {
        MathOperator::Add => number.wrapping_add(other),
        MathOperator::Subtract => number.wrapping_sub(other),
        MathOperator::Multiply => number.wrapping_mul(other),
        MathOperator::Divide => number.checked_div(other)?,
        MathOperator::ShiftLeft => number.checked_shl(shift).unwrap_or(0),
        MathOperator::ShiftRight => number.checked_shr(shift).unwrap_or(0),
    };
    Some((result.cast_signed(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(bytes: i64, offset: i64, notation: Notation) -> NumberAt {
        NumberAt { bytes: Operand::Fixed(bytes), offset: Operand::Fixed(offset), relative: false, notation, mask: None }
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for (number, bytes, read_as) in [
            (at(2, 0, Notation::BigEndian), &b"\x01\x02"[..], Some(0x0102)),
            (at(2, 0, Notation::LittleEndian), b"\x01\x02", Some(0x0201)),
            (at(3, 1, Notation::Digits(10)), b"x 42", Some(42)),
            (at(4, 0, Notation::Digits(16)), b"0x1f", Some(31)),
            (at(4, 0, Notation::BigEndian), b"\x01\x02", None),
            (at(9, 0, Notation::BigEndian), b"123456789", None),
            (at(2, 0, Notation::Digits(10)), b"ab", None),
        ] {
            assert_eq!(read(&number, bytes, 0, &[]).map(|(n, _)| n), read_as, "{number:?}");
        }
        let masked = NumberAt { mask: Some(0xf0), ..at(1, 0, Notation::BigEndian) };
        assert_eq!(read(&masked, b"\xab", 0, &[]), Some((0xa, 1)));
    }

    #[test]
    fn jumps_end_inside_the_buffer_or_nowhere() {
        let one = |from_end, post, align| ByteJump {
            number: at(1, 0, Notation::BigEndian),
            multiplier: 1,
            align,
            from_beginning: false,
            from_end,
            post_offset: Operand::Fixed(post),
        };
        let bytes = b"\x02abcdef";
        assert_eq!(jump(&one(false, 0, false), bytes, 0, &[]), Some(3));
        assert_eq!(jump(&one(false, 0, true), bytes, 0, &[]), Some(5));
        assert_eq!(jump(&one(false, 9, false), bytes, 0, &[]), None);
        assert_eq!(jump(&one(false, -9, false), bytes, 0, &[]), Some(0));
        assert_eq!(jump(&one(true, -4, false), bytes, 0, &[]), Some(5));
    }
}
