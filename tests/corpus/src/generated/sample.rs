//! One text that a regular expression matches, the plainest that is found.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// The longest sample.
const SAMPLE_MAX_BYTES: usize = 4096;

/// A sample and where it must stand.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Only at the beginning of what is searched.
    pub at_start: bool,
    /// Only at its end.
    pub at_end: bool,
}

/// Reads an expression as the engine does and makes a sample; nothing where it is too large or cannot be read.
pub fn sample(expression: &str, nocase: bool, dot_all: bool, blanks: bool) -> Option<Sample> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .case_insensitive(nocase)
        .dot_matches_new_line(dot_all)
        .ignore_whitespace(blanks)
        .build()
        .parse(expression)
        .ok()?;
    let mut sample = Sample::default();
    write(&hir, &mut sample).then_some(sample)
}

fn write(hir: &Hir, sample: &mut Sample) -> bool {
    if sample.bytes.len() > SAMPLE_MAX_BYTES {
        return false;
    }
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Literal(literal) => {
            sample.bytes.extend_from_slice(&literal.0);
            true
        }
        HirKind::Class(class) => match byte_of(class) {
            Some(byte) => {
                sample.bytes.push(byte);
                true
            }
            None => false,
        },
        HirKind::Look(look) => {
            match look {
                Look::Start | Look::StartLF => sample.at_start |= sample.bytes.is_empty(),
                Look::End | Look::EndLF => sample.at_end = true,
                // Whether it holds is seen when the sample is tried.
                _ => {}
            }
            true
        }
        HirKind::Repetition(repetition) => (0..repetition.min).all(|_| write(&repetition.sub, sample)),
        HirKind::Capture(capture) => write(&capture.sub, sample),
        HirKind::Concat(parts) => parts.iter().all(|part| write(part, sample)),
        HirKind::Alternation(parts) => parts.first().is_none_or(|part| write(part, sample)),
    }
}

/// A byte of a class: one that text has, where there is one.
fn byte_of(class: &Class) -> Option<u8> {
    let holds = |byte: u8| match class {
        Class::Bytes(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&byte)),
        Class::Unicode(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&char::from(byte))),
    };
    let liked = (b'a'..=b'z').chain(b'0'..=b'9').chain(b' '..=b'~');
    liked.chain(0..=u8::MAX).find(|byte| holds(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_what_the_expression_asks_for() {
        let of = |text: &str| sample(text, false, false, false).unwrap();
        assert_eq!(of(r"^id=\d{3}[^&]$"), Sample { bytes: b"id=000a".to_vec(), at_start: true, at_end: true });
        assert_eq!(of(r"(?:ab|cd)x*[\x00-\x08]{2}").bytes, b"ab\x00\x00");
        assert_eq!(sample("(", false, false, false), None);
        assert_eq!(sample("a{9999}b", false, false, false), None);
    }
}
