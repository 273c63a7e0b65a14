//! Values as they are sent (RESP 2 and 3): a sign, a line, and for texts the bytes it announces. Values nest; they are
//! counted instead of followed inwards, so that depth costs nothing.

/// Parts of a value that are kept.
pub const MAX_PARTS: usize = 16;
/// Bytes of a part that are kept.
pub const MAX_PART_BYTES: usize = 512;
/// The longest line.
const MAX_LINE_BYTES: usize = 64 << 10;
/// The longest text (the limit of servers), and the most items of a list that are believed.
const MAX_COUNT: u64 = 1 << 30;

/// A value with its beginning.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its sign; of a plain line zero.
    pub sign: u8,
    /// Items of a list.
    pub items: u64,
    /// The texts in it, the first of them, each cut.
    pub parts: Vec<Vec<u8>>,
    /// Its bytes.
    pub bytes: u64,
    /// Nothing: a text or list of the length -1, or the sign for it.
    pub null: bool,
}

/// What was found in the bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A value is over.
    Item(Item),
    /// These are no values; told once.
    Lost,
}

/// One direction.
#[derive(Debug, Default)]
pub struct Values {
    line: Vec<u8>,
    /// Bytes of a text that are still to come, its line end included.
    text_left: u64,
    /// Bytes of it that are kept.
    part_left: usize,
    /// Values that are still to come until the outermost is over.
    left: u64,
    item: Item,
    /// The sign of the outermost value is known: what is said about it may stand before it.
    signed: bool,
    lost: bool,
    /// After a gap: what comes next begins a value only where a piece begins with a sign.
    searching: bool,
}

impl Values {
    /// The next value in `input`, which is moved forward; nothing when all of it was used up.
    pub fn next(&mut self, input: &mut &[u8], lines: bool) -> Option<Step> {
        while !input.is_empty() && !self.lost {
            if self.searching {
                let begins = if lines { begins_command(input) == Some(true) } else { begins_reply(input) };
                if !begins {
                    *input = &[];
                    return None;
                }
                self.searching = false;
            }
            let over = if self.text_left > 0 { self.text(input) } else { self.in_line(input, lines) };
            match over {
                Some(true) => {
                    self.signed = false;
                    return Some(Step::Item(std::mem::take(&mut self.item)));
                }
                Some(false) => {}
                None => {
                    *self = Values { lost: true, ..Values::default() };
                    *input = &[];
                    return Some(Step::Lost);
                }
            }
        }
        *input = &[];
        None
    }

    /// Whether the stream can no longer be followed.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Bytes are missing: within a text they are passed over, elsewhere the next value must be found again. Says whether
    /// a value was lost.
    pub fn gap(&mut self, length: u64) -> bool {
        if length <= self.text_left.saturating_sub(2) {
            self.text_left -= length;
            self.part_left = 0;
            return false;
        }
        *self = Values { lost: self.lost, searching: true, ..Values::default() };
        true
    }

    /// Reads on in a text; whether the outermost value is over.
    fn text(&mut self, input: &mut &[u8]) -> Option<bool> {
        let here = usize::try_from(self.text_left).unwrap_or(usize::MAX).min(input.len());
        let (bytes, rest) = input.split_at_checked(here)?;
        let kept = bytes.get(..self.part_left).unwrap_or(bytes);
        if let Some(part) = self.item.parts.last_mut() {
            part.extend_from_slice(kept);
        }
        self.part_left -= kept.len();
        self.text_left -= here as u64;
        self.item.bytes += here as u64;
        *input = rest;
        Some(self.text_left == 0 && self.left == 0)
    }

    /// Reads on in a line; whether the outermost value is over, nothing if it is no value.
    fn in_line(&mut self, input: &mut &[u8], lines: bool) -> Option<bool> {
        let end = input.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let (bytes, rest) = input.split_at_checked(end.unwrap_or(input.len()))?;
        if self.line.len() + bytes.len() > MAX_LINE_BYTES {
            return None;
        }
        self.line.extend_from_slice(bytes);
        *input = rest;
        if end.is_none() {
            // What is no sign cannot become a value, however long it gets. Blanks may become an empty line.
            let sign = self.line.first().is_some_and(|sign| is_sign(*sign)) || self.line.trim_ascii().is_empty();
            return (sign || lines && self.left == 0).then_some(false);
        }
        let line = std::mem::take(&mut self.line);
        self.item.bytes += line.len() as u64;
        self.value(line.trim_ascii_end(), lines)
    }

    /// A whole line.
    fn value(&mut self, line: &[u8], lines: bool) -> Option<bool> {
        let sign = line.first().copied();
        let outermost = self.left == 0 || self.left == 1 && !self.signed;
        if outermost {
            self.left = 1;
            self.signed = sign != Some(b'|');
            self.item.parts.clear();
        }
        match (sign, line.get(1..)) {
            (Some(sign @ (b'*' | b'>' | b'~' | b'%' | b'|')), Some(count)) => {
                let count = number(count)?;
                if outermost {
                    (self.item.sign, self.item.null) = (sign, count.is_none());
                    self.item.items = count.unwrap_or(0);
                }
                let values = count.unwrap_or(0) * if matches!(sign, b'%' | b'|') { 2 } else { 1 };
                // What is said about a value comes before it and is none itself.
                let own = u64::from(sign != b'|');
                self.left = (self.left + values).checked_sub(own)?;
            }
            (Some(sign @ (b'$' | b'=' | b'!')), Some(count)) => {
                let count = number(count)?;
                if outermost {
                    (self.item.sign, self.item.null) = (sign, count.is_none());
                }
                self.left -= 1;
                if let Some(count) = count {
                    self.text_left = count + 2;
                    self.part(&[]);
                    self.part_left = usize::try_from(count).unwrap_or(usize::MAX).min(self.part_left);
                    return Some(false);
                }
            }
            (Some(sign @ (b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(')), Some(said)) if !(lines && outermost) => {
                if outermost {
                    (self.item.sign, self.item.null) = (sign, sign == b'_');
                }
                self.left -= 1;
                self.part(said);
            }
            _ if lines && outermost => {
                self.left = 0;
                for word in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
                    self.item.items += 1;
                    self.part(word);
                }
                // An empty line is nothing.
                if self.item.items == 0 {
                    self.item = Item::default();
                    return Some(false);
                }
            }
            (None, _) if outermost => {
                (self.left, self.item) = (0, Item::default());
                return Some(false);
            }
            _ => return None,
        }
        Some(self.left == 0)
    }

    /// Begins a part with these bytes.
    fn part(&mut self, bytes: &[u8]) {
        self.part_left = 0;
        if self.item.parts.len() < MAX_PARTS {
            let kept = bytes.get(..MAX_PART_BYTES).unwrap_or(bytes);
            self.item.parts.push(kept.to_vec());
            // One more than is told, so that a cut shows.
            self.part_left = MAX_PART_BYTES + 1 - kept.len();
        }
    }
}

fn is_sign(byte: u8) -> bool {
    b"*>~%|$=!+-:_#,(".contains(&byte)
}

/// A count: nothing for -1, an error for what is none.
fn number(digits: &[u8]) -> Option<Option<u64>> {
    if digits == b"-1" {
        return Some(None);
    }
    let count: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (count <= MAX_COUNT).then_some(Some(count))
}

/// Whether a client's command begins here: a list whose first value is a text; nothing while that cannot be told.
pub fn begins_command(bytes: &[u8]) -> Option<bool> {
    let Some(rest) = bytes.strip_prefix(b"*") else { return Some(false) };
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let first = digits(rest);
    let expected = match rest.get(first..) {
        _ if first > 7 || first == 0 && !rest.is_empty() => return Some(false),
        Some(after) => after,
        None => return None,
    };
    for (place, wanted) in b"\r\n$".iter().enumerate() {
        match expected.get(place) {
            Some(byte) if byte == wanted => {}
            Some(_) => return Some(false),
            None => return None,
        }
    }
    let rest = expected.get(3..)?;
    let second = digits(rest);
    match rest.get(second) {
        Some(b'\r') if (1..=4).contains(&second) => Some(true),
        None if second <= 4 => None,
        _ => Some(false),
    }
}

/// Whether a server's reply begins here, as far as its first line tells.
pub fn begins_reply(bytes: &[u8]) -> bool {
    let Some(line) = bytes.split(|byte| *byte == b'\n').next().and_then(|line| line.strip_suffix(b"\r")) else {
        return false;
    };
    match line.split_first() {
        Some((b'+', word)) => matches!(word, b"OK" | b"PONG" | b"QUEUED") || word.starts_with(b"FULLRESYNC "),
        Some((b'-', words)) => words.first().is_some_and(u8::is_ascii_uppercase),
        Some((b'*' | b'$' | b'%' | b'>' | b'~', count)) => number(count).is_some(),
        Some((b':', count)) => !count.is_empty() && count.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(bytes: &[u8], lines: bool) -> Vec<Item> {
        let mut values = Values::default();
        let mut found = Vec::new();
        let mut input = bytes;
        while let Some(Step::Item(item)) = values.next(&mut input, lines) {
            found.push(item);
        }
        assert_eq!(values.left, 0);
        found
    }

    #[test]
    fn nested_values_end_where_they_end() {
        let found =
            items(b"*2\r\n*2\r\n:1\r\n$3\r\na\r\n\r\n%1\r\n+k\r\n_\r\n|1\r\n+x\r\n+y\r\n+OK\r\n$-1\r\n*0\r\n", false);
        assert_eq!(found.len(), 4);
        assert_eq!((found[0].sign, found[0].items, found[0].parts[1].as_slice()), (b'*', 2, &b"a\r\n"[..]));
        assert_eq!((found[2].sign, found[2].null, found[3].null), (b'$', true, false));
    }

    #[test]
    fn lines_are_commands_too() {
        let found = items(b"\r\nSET a  b\r\n*1\r\n$4\r\nPING\r\n", true);
        assert_eq!((found[0].parts.len(), found[1].parts[0].as_slice()), (3, &b"PING"[..]));
    }

    #[test]
    fn beginnings_are_told_from_other_things() {
        assert_eq!(begins_command(b"*1\r\n$4\r\nPING\r\n"), Some(true));
        assert_eq!((begins_command(b"*1\r\n$"), begins_command(b"*")), (None, None));
        assert_eq!((begins_command(b"*1\n$4\n"), begins_command(b"**")), (Some(false), Some(false)));
    }
}
