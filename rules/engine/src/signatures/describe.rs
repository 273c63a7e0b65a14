//! Conditions in words, near to how rules write them.

use super::rule::{Condition, Content, Operand};

/// Most bytes that are shown.
const BYTES_MAX: usize = 64;

/// One condition.
pub fn condition(condition: &Condition) -> String {
    let not = |negated: bool| if negated { "!" } else { "" };
    match condition {
        Condition::Content(one) => content(one),
        Condition::Regex(one) => {
            let relative = if one.relative { " behind what was found before" } else { "" };
            format!("pcre {}{}{relative}", not(one.negated), one.pattern.text())
        }
        Condition::IsDataAt { at, relative, negated } => {
            format!("isdataat {}{}{}", not(*negated), operand(*at), if *relative { ", relative" } else { "" })
        }
        Condition::Size(test) => format!("bsize {test:?}"),
        Condition::Number(tests) => format!("number {tests:?}"),
        Condition::Numbers(test) => format!("numbers {test:?}"),
        Condition::ByteTest(test) => format!(
            "byte_test {}{} bytes at {}, {:?} {}",
            not(test.negated),
            operand(test.number.bytes),
            operand(test.number.offset),
            test.how,
            operand(test.value)
        ),
        Condition::ByteJump(jump) => {
            format!("byte_jump {} bytes at {}", operand(jump.number.bytes), operand(jump.number.offset))
        }
        Condition::ByteExtract(one) => {
            format!("byte_extract {} bytes at {}", operand(one.number.bytes), operand(one.number.offset))
        }
        Condition::ByteMath(one) => {
            format!("byte_math {} bytes at {}", operand(one.number.bytes), operand(one.number.offset))
        }
        Condition::Base64(one) => {
            let inside: Vec<String> = one.inside.iter().map(self::condition).collect();
            format!("base64_data with {}", inside.join(", "))
        }
        Condition::Entropy(test) => format!("entropy {:?} {}", test.how, test.value),
        Condition::OneOf(words) => format!("one of {}", words.join(", ")),
        Condition::Modbus(test) => format!("modbus {test:?}"),
        Condition::Set(_) => "dataset".to_owned(),
        Condition::Absent { or_else } => if *or_else { "absent, or else" } else { "absent" }.to_owned(),
    }
}

/// Whether a place is told of a condition that holds.
pub fn has_place(condition: &Condition) -> bool {
    match condition {
        Condition::Content(content) => !content.negated,
        Condition::Regex(regex) => !regex.negated,
        _ => false,
    }
}

fn content(content: &Content) -> String {
    let mut said = format!("content {}{}", if content.negated { "!" } else { "" }, bytes(&content.bytes));
    if content.nocase {
        said.push_str(", nocase");
    }
    let places = [
        ("offset", content.offset),
        ("depth", content.depth),
        ("distance", content.distance),
        ("within", content.within),
    ];
    for (name, value) in places {
        if let Some(value) = value {
            said.push_str(&format!(", {name} {}", operand(value)));
        }
    }
    if content.at_end {
        said.push_str(", endswith");
    }
    said
}

fn operand(operand: Operand) -> String {
    match operand {
        Operand::Fixed(number) => number.to_string(),
        Operand::Variable(place) => format!("what was extracted ({place})"),
    }
}

/// Bytes as rules write them, at most their beginning.
pub fn bytes(bytes: &[u8]) -> String {
    let shown = bytes.get(..BYTES_MAX).unwrap_or(bytes);
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'|' | b'"');
    let mut said = String::from("\"");
    for run in shown.chunk_by(|a, b| plain(a) == plain(b)) {
        if run.first().is_some_and(plain) {
            said.extend(run.iter().map(|byte| char::from(*byte)));
        } else {
            let digits: Vec<String> = run.iter().map(|byte| format!("{byte:02x}")).collect();
            said.push_str(&format!("|{}|", digits.join(" ")));
        }
    }
    said.push('"');
    if bytes.len() > shown.len() {
        said.push_str("...");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_look_as_rules_write_them() {
        assert_eq!(bytes(b"GET /\r\n\"x|"), "\"GET /|0d 0a 22|x|7c|\"");
        assert!(bytes(&[b'a'; 100]).ends_with("\"..."));
    }
}
