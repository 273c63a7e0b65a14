//! `byte_test`, `byte_jump`, `byte_extract`, `byte_math`.

use super::super::language::{Reason, number};
use super::super::rule::{
    ByteExtract, ByteJump, ByteMath, ByteTest, Condition, MathOperator, Notation, NumberAt, Operand, TestHow,
};
use super::Draft;

/// The most that a number is multiplied with.
const MULTIPLIER_MAX: u64 = 65_535;

impl Draft {
    /// Takes a keyword of this family.
    pub fn bytes(&mut self, keyword: &str, value: Option<&str>) -> Option<Result<(), Reason>> {
        let value = value.unwrap_or("");
        let done = match keyword {
            "byte_test" => self.byte_test(value),
            "byte_jump" => self.byte_jump(value),
            "byte_extract" => self.byte_extract(value),
            "byte_math" => self.byte_math(value),
            _ => return None,
        };
        self.addresses_only = false;
        Some(done)
    }

    fn byte_test(&mut self, value: &str) -> Result<(), Reason> {
        let parts: Vec<&str> = value.split(',').map(str::trim).collect();
        let [bytes, sign, other, offset, options @ ..] = parts.as_slice() else {
            return Err("it wants bytes, comparison, value and offset".into());
        };
        let (sign, negated) = match sign.strip_prefix('!') {
            Some("") => ("=", true),
            Some(sign) => (sign.trim(), true),
            None => (*sign, false),
        };
        let how = comparison(sign)?;
        let mut number = self.number_at(bytes, offset)?;
        for option in options {
            if !shared_option(option, &mut number)? {
                return Err(format!("{option} is unknown"));
            }
        }
        let value = self.lists.operand(other)?;
        let condition = Condition::ByteTest(ByteTest { number, how, value, negated });
        self.lists.push(condition, number.relative)
    }

    fn byte_jump(&mut self, value: &str) -> Result<(), Reason> {
        let parts: Vec<&str> = value.split(',').map(str::trim).collect();
        let [bytes, offset, options @ ..] = parts.as_slice() else {
            return Err("it wants bytes and offset".into());
        };
        let mut jump = ByteJump {
            number: self.number_at(bytes, offset)?,
            multiplier: 1,
            align: false,
            from_beginning: false,
            from_end: false,
            post_offset: Operand::Fixed(0),
        };
        for option in options {
            match option.split_once(' ').unwrap_or((option, "")) {
                ("multiplier", value) => jump.multiplier = multiplier(value)?,
                ("align", _) => jump.align = true,
                ("from_beginning", _) => jump.from_beginning = true,
                ("from_end", _) => jump.from_end = true,
                ("post_offset", value) => jump.post_offset = self.lists.operand(value)?,
                // The version of the language that is spoken here does not know it.
                ("bitmask", _) => {
                    return Err("a jump takes no bitmask (byte_math does, and remembers what it finds)".into());
                }
                _ if shared_option(option, &mut jump.number)? => {}
                _ => return Err(format!("{option} is unknown")),
            }
        }
        self.lists.push(Condition::ByteJump(jump), jump.number.relative)
    }

    fn byte_extract(&mut self, value: &str) -> Result<(), Reason> {
        let parts: Vec<&str> = value.split(',').map(str::trim).collect();
        let [bytes, offset, name, options @ ..] = parts.as_slice() else {
            return Err("it wants bytes, offset and a name".into());
        };
        let mut extract = ByteExtract { number: self.number_at(bytes, offset)?, multiplier: 1, align: 0, variable: 0 };
        for option in options {
            match option.split_once(' ').unwrap_or((option, "")) {
                ("multiplier", value) => extract.multiplier = multiplier(value)?,
                ("align", "2") => extract.align = 2,
                ("align", "4") => extract.align = 4,
                _ if shared_option(option, &mut extract.number)? => {}
                _ => return Err(format!("{option} is unknown")),
            }
        }
        variable_name(name)?;
        extract.variable = self.lists.define(name);
        self.lists.push(Condition::ByteExtract(extract), extract.number.relative)
    }

    fn byte_math(&mut self, value: &str) -> Result<(), Reason> {
        let (mut bytes, mut offset, mut operator, mut other, mut result) = (None, None, None, None, None);
        let mut options = Vec::new();
        for part in value.split(',').map(str::trim) {
            match part.split_once(' ').map(|(name, value)| (name, value.trim())).unwrap_or((part, "")) {
                ("bytes", value) => bytes = Some(value),
                ("offset", value) => offset = Some(value),
                ("oper", value) => operator = Some(math_operator(value)?),
                ("rvalue", value) => other = Some(self.lists.operand(value)?),
                ("result", value) => result = Some(value),
                _ => options.push(part),
            }
        }
        let missing = |what: &str| format!("{what} is missing");
        let bytes = bytes.ok_or_else(|| missing("bytes"))?;
        let mut number = self.number_at(bytes, offset.ok_or_else(|| missing("offset"))?)?;
        for option in options {
            let option = match option.split_once(' ') {
                Some(("endian", which)) => which,
                Some(("string", base)) => base,
                _ => option,
            };
            if !shared_option(option, &mut number)? {
                return Err(format!("{option} is unknown"));
            }
        }
        let value = other.ok_or_else(|| missing("rvalue"))?;
        let operator = operator.ok_or_else(|| missing("oper"))?;
        if operator == MathOperator::Divide && value == Operand::Fixed(0) {
            return Err("nothing can be divided by 0".into());
        }
        let name = result.ok_or_else(|| missing("result"))?;
        variable_name(name)?;
        let variable = self.lists.define(name);
        self.lists.push(Condition::ByteMath(ByteMath { number, operator, value, variable }), number.relative)
    }

    fn number_at(&self, bytes: &str, offset: &str) -> Result<NumberAt, Reason> {
        let bytes = self.lists.operand(bytes)?;
        if let Operand::Fixed(count) = bytes
            && !(0..=23).contains(&count)
        {
            return Err(format!("{count} is no number of bytes"));
        }
        let offset = self.lists.operand(offset)?;
        Ok(NumberAt { bytes, offset, relative: false, notation: Notation::BigEndian, mask: None })
    }
}

/// Options that all of them take; false for another one.
fn shared_option(option: &str, number_at: &mut NumberAt) -> Result<bool, Reason> {
    let (name, value) = option.split_once(' ').unwrap_or((option, ""));
    match name {
        "relative" => number_at.relative = true,
        "big" => number_at.notation = Notation::BigEndian,
        // Peers of this protocol say which it is; nearly all say little.
        "little" | "dce" => number_at.notation = Notation::LittleEndian,
        "string" => {
            if !matches!(number_at.notation, Notation::Digits(_)) {
                number_at.notation = Notation::Digits(0);
            }
        }
        "hex" => number_at.notation = Notation::Digits(16),
        "dec" => number_at.notation = Notation::Digits(10),
        "oct" => number_at.notation = Notation::Digits(8),
        "bitmask" => {
            let mask = number(value).ok_or_else(|| format!("{value} is no mask"))?;
            number_at.mask = Some(mask).filter(|mask| *mask != 0);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn variable_name(name: &str) -> Result<(), Reason> {
    let good = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if good { Ok(()) } else { Err(format!("{name} is no name for a variable")) }
}

fn multiplier(value: &str) -> Result<u64, Reason> {
    number(value)
        .filter(|value| (1..=MULTIPLIER_MAX).contains(value))
        .ok_or_else(|| format!("{value} is no number to multiply with"))
}

/// The sign of a comparison.
pub fn comparison(sign: &str) -> Result<TestHow, Reason> {
    Ok(match sign {
        "=" | "==" => TestHow::Equal,
        "<" => TestHow::Below,
        ">" => TestHow::Above,
        "<=" => TestHow::AtMost,
        ">=" => TestHow::AtLeast,
        "&" => TestHow::And,
        "^" => TestHow::Or,
        other => return Err(format!("{other} is no comparison")),
    })
}

fn math_operator(sign: &str) -> Result<MathOperator, Reason> {
    Ok(match sign {
        "+" => MathOperator::Add,
        "-" => MathOperator::Subtract,
        "*" => MathOperator::Multiply,
        "/" => MathOperator::Divide,
        "<<" => MathOperator::ShiftLeft,
        ">>" => MathOperator::ShiftRight,
        other => return Err(format!("{other} cannot be calculated")),
    })
}
