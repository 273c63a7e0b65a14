//! Numbers in options: `10`, `>5`, `2-8`, `!3`, `0x1f`.

use super::Reason;

/// A comparison with constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal(u64),
    /// Not equal.
    Not(u64),
    /// Greater.
    Above(u64),
    /// Less.
    Below(u64),
    /// Greater than the first and less than the second.
    Between(u64, u64),
    /// Not between the two, both included or not as [`Comparison::Between`] would take them.
    Outside(u64, u64),
    /// All of these bits are set.
    Bits(u64),
    /// Not all of these bits are set.
    NotBits(u64),
    /// One of these bits is set.
    SomeBits(u64),
    /// Of the first bits exactly the second are set.
    Masked(u64, u64),
    /// The same, but not so.
    NotMasked(u64, u64),
}

/// What an option asks of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberTest(pub Comparison);

impl NumberTest {
    /// Reads what an option says; bounds of a range are excluded, as for most keywords.
    pub fn parse(text: &str) -> Result<NumberTest, Reason> {
        NumberTest::parse_with(text, &|word| number(word))
    }

    /// The same where words stand for numbers.
    pub fn parse_with(text: &str, named: &dyn Fn(&str) -> Option<u64>) -> Result<NumberTest, Reason> {
        let text = text.trim();
        let value = |word: &str| {
            let word = word.trim();
            named(word).or_else(|| number(word)).ok_or_else(|| format!("{word} is no number"))
        };
        if let Some(masked) = text.strip_prefix('&').and_then(|rest| rest.split_once('=')) {
            let (bits, negated) = masked.0.strip_suffix('!').map_or((masked.0, false), |bits| (bits, true));
            let (bits, wanted) = (value(bits)?, value(masked.1)?);
            if wanted & !bits != 0 {
                return Err(format!("{text} can never hold"));
            }
            let make = if negated { Comparison::NotMasked } else { Comparison::Masked };
            return Ok(NumberTest(make(bits, wanted)));
        }
        for (sign, make) in SIGNS {
            if let Some(rest) = text.strip_prefix(sign) {
                let rest = rest.trim();
                if *sign == "!" && range(rest).is_some() {
                    break;
                }
                return Ok(NumberTest(make(value(rest)?)));
            }
        }
        let (text, negated) = match text.strip_prefix('!') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        if let Some((low, high)) = range(text)
            && let (Ok(low), Ok(high)) = (value(low), value(high))
        {
            if low >= high {
                return Err(format!("the range {text} is empty"));
            }
            return Ok(NumberTest(if negated {
                Comparison::Outside(low, high)
            } else {
                Comparison::Between(low, high)
            }));
        }
        let number = value(text)?;
        Ok(NumberTest(Comparison::Equal(number)))
    }

    /// Reads names of bits, `fin,!comp`: all of those named, none of those negated. A sign before them asks for more
    /// (`+` and others, `*` any of them, `-` not all of them, `=` only them). A number or comparison will do as well.
    pub fn parse_bits(text: &str, named: &dyn Fn(&str) -> Option<u64>) -> Result<NumberTest, Reason> {
        let text = text.trim();
        let (sign, names) = match text.chars().next() {
            Some(sign @ ('+' | '*' | '-' | '=')) => (sign, text.get(1..).unwrap_or("")),
            _ => (' ', text),
        };
        let (mut bits, mut wanted) = (0, 0);
        for name in names.split(',').map(str::trim) {
            let (name, negated) = name.strip_prefix('!').map_or((name, false), |name| (name.trim(), true));
            let Some(bit) = named(name) else { return NumberTest::parse_with(text, named) };
            bits |= bit;
            wanted |= if negated { 0 } else { bit };
        }
        Ok(NumberTest(match sign {
            '+' => Comparison::Bits(bits),
            '*' => Comparison::SomeBits(bits),
            '-' => Comparison::NotBits(bits),
            '=' => Comparison::Equal(bits),
            _ => Comparison::Masked(bits, wanted),
        }))
    }

    /// Whether a number is what was asked for.
    pub fn accepts(&self, number: u64) -> bool {
        match self.0 {
            Comparison::Equal(n) => number == n,
            Comparison::Not(n) => number != n,
            Comparison::Above(n) => number > n,
            Comparison::Below(n) => number < n,
            Comparison::Between(low, high) => low < number && number < high,
            Comparison::Outside(low, high) => !(low < number && number < high),
            Comparison::Bits(bits) => number & bits == bits,
            Comparison::NotBits(bits) => number & bits != bits,
            Comparison::SomeBits(bits) => number & bits != 0,
            Comparison::Masked(bits, wanted) => number & bits == wanted,
            Comparison::NotMasked(bits, wanted) => number & bits != wanted,
        }
    }
}

type Make = fn(u64) -> Comparison;

const SIGNS: &[(&str, Make)] = &[
    (">=", |n| match n.checked_sub(1) {
        Some(n) => Comparison::Above(n),
        None => Comparison::Not(u64::MAX),
    }),
    ("<=", |n| Comparison::Below(n.saturating_add(1))),
    ("!=", Comparison::Not),
    (">", Comparison::Above),
    ("<", Comparison::Below),
    ("=", Comparison::Equal),
    ("!&", Comparison::NotBits),
    ("&", Comparison::Bits),
    ("!", Comparison::Not),
];

fn range(text: &str) -> Option<(&str, &str)> {
    text.split_once("<>").or_else(|| text.split_once('-'))
}

/// A number in decimal, or in hexadecimal with `0x`; a size may end in `kb`, `mb` or `gb`.
pub fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok();
    }
    let lower = text.to_ascii_lowercase();
    let units = [("kib", 10), ("mib", 20), ("gib", 30), ("kb", 10), ("mb", 20), ("gb", 30)];
    for (unit, shift) in units {
        if let Some(digits) = lower.strip_suffix(unit) {
            return digits.trim().parse::<u64>().ok()?.checked_mul(1 << shift);
        }
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_what_they_accept() {
        for (text, yes, no) in [
            ("7", 7, 8),
            (">7", 8, 7),
            ("<7", 6, 7),
            (">=7", 7, 6),
            ("<= 7", 7, 8),
            ("!7", 8, 7),
            ("2-5", 3, 5),
            ("2<>5", 4, 2),
            ("!2-5", 5, 3),
            ("0x10", 16, 10),
            ("1kb", 1024, 1000),
            (">=0", 0, u64::MAX),
            ("&0x0c", 12, 4),
            ("&0x0c=4", 5, 12),
            ("&0x0c!=4", 12, 5),
        ] {
            let test = NumberTest::parse(text).unwrap();
            assert!(test.accepts(yes) && !test.accepts(no), "{text}");
        }
        for text in ["", "x", "5-2", ">", "1-", "--"] {
            assert!(NumberTest::parse(text).is_err(), "{text}");
        }
    }
}
