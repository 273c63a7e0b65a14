//! `content`, `pcre` and what stands behind them.

use std::sync::Arc;

use super::super::buffer::{self, BufferId};
use super::super::language::{NumberTest, Reason};
use super::super::regex::{Flags, Pattern};
use super::super::rule::{Base64, Condition, Content, EntropyHow, EntropyTest, Operand, Regex};
use super::Draft;
use super::lists::Current;

/// The longest content.
const CONTENT_MAX_BYTES: usize = 2048;
/// The furthest place that a rule may speak of.
const PLACE_MAX: u64 = 1 << 20;

impl Draft {
    /// Takes a keyword of this family.
    pub fn content(&mut self, keyword: &str, value: Option<&str>) -> Option<Result<(), Reason>> {
        if let Some(id) = buffer::by_modifier(keyword) {
            if value.is_some() {
                return Some(Err("it takes no value".into()));
            }
            return Some(self.lists.move_last(id).map(|()| self.addresses_only = false));
        }
        let done = match keyword {
            "content" => self.add_content(value, None),
            "fileext" => self.extension(value.unwrap_or("")),
            "uricontent" => self.add_content(value, Some(buffer::HTTP_URI)),
            "pcre" => self.pcre(value.unwrap_or("")),
            "nocase" => self.lists.last_content().map(|content| {
                content.nocase = true;
                content.bytes.make_ascii_lowercase();
            }),
            "rawbytes" => self.lists.last_content().map(|content| content.raw = true),
            "startswith" => self.lists.last_content().and_then(|content| {
                if content.is_relative() || content.offset.is_some() || content.depth.is_some() {
                    return Err("it cannot stand beside offset, depth, distance or within".into());
                }
                content.at_start = true;
                content.offset = Some(Operand::Fixed(0));
                content.depth = Some(Operand::Fixed(i64::try_from(content.bytes.len()).unwrap_or(i64::MAX)));
                Ok(())
            }),
            "endswith" => self.lists.last_content().map(|content| content.at_end = true),
            "offset" | "depth" | "distance" | "within" => self.place(keyword, value.unwrap_or("")),
            "fast_pattern" => self.fast_pattern(value),
            "isdataat" => self.is_data_at(value.unwrap_or("")),
            "bsize" => {
                NumberTest::parse(value.unwrap_or("")).and_then(|test| self.lists.push(Condition::Size(test), false))
            }
            "urilen" => self.uri_length(value.unwrap_or("")),
            "absent" => self.absent(value),
            "entropy" => entropy(value.unwrap_or("")).and_then(|test| self.lists.push(Condition::Entropy(test), false)),
            "base64_decode" => self.base64_decode(value.unwrap_or("")),
            "base64_data" => {
                self.lists.begin(Current::Decoded);
                Ok(())
            }
            _ => return None,
        };
        self.addresses_only = false;
        Some(done)
    }

    fn add_content(&mut self, value: Option<&str>, id: Option<BufferId>) -> Result<(), Reason> {
        let condition = Condition::Content(content(value.ok_or("it wants a value")?)?);
        match id {
            Some(id) => self.lists.push_to(id, condition),
            None => self.lists.push(condition, false),
        }
    }

    /// A file's name ends with a dot and this.
    fn extension(&mut self, value: &str) -> Result<(), Reason> {
        let mut content = content(value)?;
        content.bytes.insert(0, b'.');
        content.bytes.make_ascii_lowercase();
        (content.nocase, content.at_end) = (true, true);
        self.lists.push_to(buffer::FILE_NAME, Condition::Content(content))
    }

    fn place(&mut self, keyword: &str, value: &str) -> Result<(), Reason> {
        let operand = self.lists.operand(value)?;
        let content = self.lists.last_content()?;
        if let (Operand::Fixed(number), "depth" | "within") = (operand, keyword)
            && number < i64::try_from(content.bytes.len()).unwrap_or(i64::MAX)
        {
            return Err(format!("{number} bytes are less than the content has"));
        }
        if let Operand::Fixed(number) = operand
            && number.unsigned_abs() > PLACE_MAX
        {
            return Err(format!("{number} is further away than any place can be (at most {PLACE_MAX})"));
        }
        let slot = match keyword {
            "offset" => &mut content.offset,
            "depth" => &mut content.depth,
            "distance" => &mut content.distance,
            _ => &mut content.within,
        };
        if slot.replace(operand).is_some() {
            return Err("it stands twice behind the same content".into());
        }
        Ok(())
    }

    fn fast_pattern(&mut self, value: Option<&str>) -> Result<(), Reason> {
        let content = self.lists.last_content()?;
        content.fast = true;
        match value {
            None => {}
            Some("only") => content.fast_only = true,
            Some(part) => {
                let wrong = || format!("{part} is no part of the content");
                let (offset, length) = part.split_once(',').ok_or_else(wrong)?;
                let offset: usize = offset.trim().parse().map_err(|_| wrong())?;
                let length: usize = length.trim().parse().map_err(|_| wrong())?;
                content.bytes.get(offset..offset.saturating_add(length)).ok_or_else(wrong)?;
                content.fast_part = Some((offset, length));
            }
        }
        Ok(())
    }

    fn is_data_at(&mut self, value: &str) -> Result<(), Reason> {
        let (value, negated) = negation(value);
        let mut parts = value.split(',').map(str::trim);
        let at = self.lists.operand(parts.next().unwrap_or(""))?;
        let (mut relative, mut raw) = (false, false);
        for part in parts {
            match part {
                "relative" => relative = true,
                "rawbytes" => raw = true,
                other => return Err(format!("{other} is unknown")),
            }
        }
        let condition = Condition::IsDataAt { at, relative, negated };
        if raw { self.lists.push_to(buffer::PAYLOAD, condition) } else { self.lists.push(condition, relative) }
    }

    fn uri_length(&mut self, value: &str) -> Result<(), Reason> {
        let (value, raw) = match value.split_once(',') {
            Some((value, which)) => (value, which.trim() == "raw"),
            None => (value, false),
        };
        let id = if raw { buffer::HTTP_URI_RAW } else { buffer::HTTP_URI };
        self.lists.push_to(id, Condition::Size(NumberTest::parse(value)?))
    }

    fn absent(&mut self, value: Option<&str>) -> Result<(), Reason> {
        let or_else = match value.map(str::trim) {
            None => false,
            Some("or_else") => true,
            Some(other) => return Err(format!("{other} is unknown")),
        };
        self.lists.push(Condition::Absent { or_else }, false)
    }

    fn base64_decode(&mut self, value: &str) -> Result<(), Reason> {
        let mut base64 = Base64 { bytes: None, offset: 0, relative: false, inside: Vec::new() };
        for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, number) = part.split_once(' ').unwrap_or((part, ""));
            let number = number.trim().parse::<usize>();
            match (name, number) {
                ("relative", _) => base64.relative = true,
                ("bytes", Ok(number)) if number > 0 => base64.bytes = Some(number),
                ("offset", Ok(number)) if number <= 65_535 => base64.offset = number,
                _ => return Err(format!("{part} is unknown")),
            }
        }
        let relative = base64.relative;
        self.lists.push(Condition::Base64(base64), relative)
    }

    fn pcre(&mut self, value: &str) -> Result<(), Reason> {
        let (value, negated) = negation(value);
        let value = unquoted(value);
        let (value, negated) = match negation(value) {
            (value, true) => (value, true),
            (value, false) => (value, negated),
        };
        let body = value.strip_prefix('/').ok_or("an expression begins with a slash")?;
        let end = body.rfind('/').ok_or("an expression ends with a slash")?;
        let (source, letters) = (body.get(..end).unwrap_or(""), body.get(end + 1..).unwrap_or(""));
        let mut flags = Flags::default();
        let (mut relative, mut id) = (false, None);
        // Names of variables may stand behind the flags.
        for letter in letters.split(',').next().unwrap_or("").chars().filter(|c| !c.is_whitespace()) {
            match letter {
                'i' => flags.nocase = true,
                'm' => flags.lines = true,
                's' => flags.dot_all = true,
                'x' => flags.blanks = true,
                'A' => flags.anchored = true,
                'E' => flags.dollar_end = true,
                'G' => flags.swapped = true,
                'R' => relative = true,
                'O' => {}
                letter => id = Some(buffer_of(letter).ok_or_else(|| format!("the flag {letter} is unknown"))?),
            }
        }
        let pattern = Arc::new(Pattern::new(source, flags)?);
        let condition = Condition::Regex(Regex { pattern, negated, relative });
        match id {
            Some(id) => self.lists.push_to(id, condition),
            None => self.lists.push(condition, relative),
        }
    }
}

/// The buffer of a flag of `pcre`.
fn buffer_of(letter: char) -> Option<BufferId> {
    Some(match letter {
        'U' => buffer::HTTP_URI,
        'I' => buffer::HTTP_URI_RAW,
        'P' => buffer::HTTP_REQUEST_BODY,
        'Q' => buffer::HTTP_RESPONSE_BODY,
        'H' => buffer::HTTP_HEADER,
        'D' => buffer::HTTP_HEADER_RAW,
        'M' => buffer::HTTP_METHOD,
        'C' => buffer::HTTP_COOKIE,
        'S' => buffer::HTTP_STATUS_CODE,
        'Y' => buffer::HTTP_STATUS_MESSAGE,
        'V' => buffer::HTTP_USER_AGENT,
        'W' => buffer::HTTP_HOST,
        'Z' => buffer::HTTP_HOST_RAW,
        'B' => buffer::PAYLOAD,
        _ => return None,
    })
}

fn negation(value: &str) -> (&str, bool) {
    match value.trim().strip_prefix('!') {
        Some(rest) => (rest.trim_start(), true),
        None => (value.trim(), false),
    }
}

/// Without the quotation marks around it.
pub fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// Reads `!"text|0d 0a|"`.
pub fn content(value: &str) -> Result<Content, Reason> {
    let (value, negated) = negation(value);
    let bytes = content_bytes(unquoted(value))?;
    if bytes.is_empty() {
        return Err("it is empty".into());
    }
    if bytes.len() > CONTENT_MAX_BYTES {
        return Err(format!("it is longer than {CONTENT_MAX_BYTES} bytes"));
    }
    Ok(Content {
        bytes,
        nocase: false,
        negated,
        offset: None,
        depth: None,
        distance: None,
        within: None,
        at_end: false,
        fast: false,
        fast_only: false,
        fast_part: None,
        at_start: false,
        raw: false,
    })
}

fn content_bytes(text: &str) -> Result<Vec<u8>, Reason> {
    let mut bytes = Vec::new();
    let (mut escaped, mut in_hex, mut high) = (false, false, None);
    for c in text.chars() {
        match c {
            '|' if !escaped => {
                if high.is_some() {
                    return Err("half a byte stands between the bars".into());
                }
                in_hex = !in_hex;
            }
            _ if in_hex => match (c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()), high) {
                (None, _) if c.is_whitespace() => {}
                (None, _) => return Err(format!("{c} is no hexadecimal digit")),
                (Some(digit), None) => high = Some(digit),
                (Some(digit), Some(before)) => {
                    bytes.push(before << 4 | digit);
                    high = None;
                }
            },
            '\\' if !escaped => escaped = true,
            c => {
                if escaped && !matches!(c, '"' | ';' | '\\' | ':' | '|') {
                    return Err(format!("\\{c} is no escape"));
                }
                escaped = false;
                bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            }
        }
    }
    match (in_hex, escaped) {
        (true, _) => Err("a bar is never closed".into()),
        (_, true) => Err("it ends with a backslash".into()),
        _ => Ok(bytes),
    }
}

fn entropy(value: &str) -> Result<EntropyTest, Reason> {
    let mut test = EntropyTest { bytes: None, offset: 0, how: EntropyHow::Equal, value: 0.0 };
    let mut valued = false;
    for part in value.split(',').map(str::trim) {
        let (name, rest) = part.split_once(' ').unwrap_or((part, ""));
        let rest = rest.trim();
        match name {
            "bytes" => test.bytes = Some(rest.parse().map_err(|_| format!("{rest} is no number"))?),
            "offset" => test.offset = rest.parse().map_err(|_| format!("{rest} is no number"))?,
            "value" => {
                let signs = [
                    (">=", EntropyHow::AtLeast),
                    ("<=", EntropyHow::AtMost),
                    ("!=", EntropyHow::Not),
                    (">", EntropyHow::Above),
                    ("<", EntropyHow::Below),
                    ("=", EntropyHow::Equal),
                ];
                let (sign, how) =
                    signs.into_iter().find(|(sign, _)| rest.starts_with(sign)).unwrap_or(("", EntropyHow::Equal));
                let number = rest.strip_prefix(sign).unwrap_or(rest).trim();
                let parse = |number: &str| number.trim().parse().map_err(|_| format!("{number} is no number"));
                let (number, outside) = number.strip_prefix('!').map_or((number, false), |number| (number, true));
                match number.split_once('-') {
                    Some((low, high)) => {
                        test.value = parse(low)?;
                        let high = parse(high)?;
                        test.how = if outside { EntropyHow::Outside(high) } else { EntropyHow::Between(high) };
                    }
                    None => {
                        test.value = parse(number)?;
                        test.how = if outside { EntropyHow::Not } else { how };
                    }
                }
                valued = true;
            }
            other => return Err(format!("{other} is unknown")),
        }
    }
    if valued { Ok(test) } else { Err("it wants a value".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_read_as_they_are_written() {
        for (text, bytes) in [
            (r#""a|0d 0A|b""#, &b"a\r\nb"[..]),
            (r#""a\"\;\\b""#, b"a\";\\b"),
            ("plain", b"plain"),
            (r#""WWW\:x""#, b"WWW:x"),
        ] {
            assert_eq!(content(text).unwrap().bytes, bytes, "{text}");
        }
        assert!(content(r#"!"x""#).unwrap().negated);
        for text in [r#""""#, r#""|0|""#, r#""|0g|""#, r#""|00""#, r#""a\x""#] {
            assert!(content(text).is_err(), "{text}");
        }
    }
}
