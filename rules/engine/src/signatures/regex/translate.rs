//! From Perl's dialect of regular expressions to that of our engines.
//!
//! Both leave out what a finite automaton cannot do, or spell some things otherwise: a bracket in a class, a brace that
//! repeats nothing, escapes of the terminal. Meaning is kept; what cannot be kept is refused.

use super::{Flags, Reason};

/// For whom the expression is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The automaton, on bytes.
    Linear,
    /// The backtracking engine, on characters.
    Backtracking,
}

/// An expression in our engines' dialect.
#[derive(Debug)]
pub struct Translated {
    /// It.
    pub text: String,
    /// It looks around, refers back or holds on to what it has.
    pub looks_around: bool,
}

/// Translates an expression.
pub fn translate(source: &str, flags: Flags, dialect: Dialect) -> Result<Translated, Reason> {
    let mut walk = Walk {
        rest: source.chars().collect::<Vec<_>>(),
        at: 0,
        out: String::new(),
        flags,
        dialect,
        looks_around: false,
    };
    walk.expression()?;
    Ok(Translated { text: walk.out, looks_around: walk.looks_around })
}

struct Walk {
    rest: Vec<char>,
    at: usize,
    out: String,
    flags: Flags,
    dialect: Dialect,
    looks_around: bool,
}

impl Walk {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        Some(c)
    }

    fn expression(&mut self) -> Result<(), Reason> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '*' | '+' | '?' => self.quantifier(c),
                '{' => self.brace(),
                '}' | ']' => self.literal(c),
                '$' => self.dollar(),
                c if c.is_ascii() => self.out.push(c),
                c => self.literal(c),
            }
        }
        Ok(())
    }

    /// A character that stands for itself.
    fn literal(&mut self, c: char) {
        let mut bytes = [0; 4];
        if c.is_ascii() {
            self.byte(c as u8);
        } else if u32::from(c) < 256 && self.dialect == Dialect::Backtracking {
            self.byte(u8::try_from(u32::from(c)).unwrap_or(0));
        } else {
            for byte in c.encode_utf8(&mut bytes).bytes() {
                self.byte(byte);
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        if byte.is_ascii_alphanumeric() {
            self.out.push(char::from(byte));
        } else {
            self.out.push_str(&format!("\\x{byte:02X}"));
        }
    }

    fn dollar(&mut self) {
        self.out.push_str(match (self.flags.lines, self.flags.dollar_end) {
            (true, _) => "(?:$)",
            (false, true) => "\\z",
            (false, false) => "(?:\\n?\\z)",
        });
    }

    fn quantifier(&mut self, c: char) {
        self.out.push(c);
        self.after_quantifier();
    }

    /// Lazy or possessive.
    fn after_quantifier(&mut self) {
        match self.peek(0) {
            Some('?') => {
                self.at += 1;
                self.out.push('?');
            }
            Some('+') => {
                self.at += 1;
                self.out.push('+');
                self.looks_around = true;
            }
            _ => {}
        }
    }

    /// A repetition, or a brace that stands for itself.
    fn brace(&mut self) {
        let text: String = self.rest.iter().skip(self.at).take(16).take_while(|c| **c != '}').collect();
        let closed = self.peek(text.chars().count()) == Some('}');
        let (low, high) = text.split_once(',').unwrap_or((&text, ""));
        let number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        if closed && number(low) && (high.is_empty() || number(high)) {
            self.out.push_str(&format!("{{{text}}}"));
            self.at += text.chars().count() + 1;
            self.after_quantifier();
        } else {
            self.literal('{');
        }
    }

    fn group(&mut self) -> Result<(), Reason> {
        if self.peek(0) != Some('?') {
            self.out.push('(');
            return Ok(());
        }
        match (self.peek(1), self.peek(2)) {
            (Some('#'), _) => {
                while self.next().is_some_and(|c| c != ')') {}
                return Ok(());
            }
            (Some('=' | '!' | '>'), _) | (Some('<'), Some('=' | '!')) => {
                self.looks_around = true;
                let length = if self.peek(1) == Some('<') { 3 } else { 2 };
                self.out.push('(');
                for _ in 0..length {
                    if let Some(c) = self.next() {
                        self.out.push(c);
                    }
                }
                return Ok(());
            }
            (Some('P'), Some('=')) => {
                self.looks_around = true;
                let name: String = self.rest.iter().skip(self.at + 3).take_while(|c| **c != ')').collect();
                self.at += 4 + name.chars().count();
                self.out.push_str(&format!("(?P={name})"));
                return Ok(());
            }
            (Some('P'), Some('>')) | (Some('|' | '(' | '&' | 'R' | '0'..='9'), _) => {
                return Err("groups that refer to others are not supported".into());
            }
            (Some('P' | '<' | '\''), _) => {
                return self.named_group();
            }
            _ => {}
        }
        self.out.push('(');
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?'name'`.
    fn named_group(&mut self) -> Result<(), Reason> {
        while self.next().is_some_and(|c| c != '<' && c != '\'') {}
        let mut name = String::new();
        loop {
            match self.next() {
                Some('>' | '\'') => break,
                Some(c) if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                _ => return Err("the name of a group is never closed".into()),
            }
        }
        self.out.push_str(&format!("(?P<{name}>"));
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Reason> {
        let Some(c) = self.next() else { return Err("it ends with a backslash".into()) };
        if let Some(class) = shorthand(c) {
            self.out.push_str(&format!("[{class}]"));
            return Ok(());
        }
        match c {
            '1'..='9' => {
                self.looks_around = true;
                self.out.push('\\');
                self.out.push(c);
            }
            'A' | 'z' | 'b' | 'B' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'G' => self.out.push_str("\\A"),
            'Z' => self.out.push_str("(?:\\n?\\z)"),
            'R' => self.out.push_str("(?:\\r\\n|[\\n-\\r])"),
            'N' => self.out.push_str("[^\\n]"),
            'Q' => self.quoted(),
            'E' => {}
            'K' | 'g' | 'k' | 'p' | 'P' | 'X' | 'C' => return Err(format!("\\{c} is not supported")),
            _ => {
                let byte = self.escaped_byte(c)?;
                match byte {
                    Some(byte) => self.byte(byte),
                    None => self.literal(c),
                }
            }
        }
        Ok(())
    }

    fn quoted(&mut self) {
        while let Some(c) = self.next() {
            if c == '\\' && self.peek(0) == Some('E') {
                self.at += 1;
                return;
            }
            self.literal(c);
        }
    }

    /// An escape that stands for one byte.
    fn escaped_byte(&mut self, c: char) -> Result<Option<u8>, Reason> {
        Ok(Some(match c {
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'f' => 0x0c,
            'a' => 0x07,
            'e' => 0x1b,
            '0' => self.digits(8, 2)?,
            'x' => {
                if self.peek(0) == Some('{') {
                    self.at += 1;
                    let byte = self.digits(16, 4)?;
                    if self.next() != Some('}') {
                        return Err("\\x{ is never closed".into());
                    }
                    byte
                } else {
                    self.digits(16, 2)?
                }
            }
            'c' => match self.next() {
                Some(c) if c.is_ascii() => (c.to_ascii_uppercase() as u8) ^ 0x40,
                _ => return Err("\\c stands without a character".into()),
            },
            c if c.is_ascii_alphanumeric() => return Err(format!("\\{c} is not supported")),
            _ => return Ok(None),
        }))
    }

    fn digits(&mut self, base: u32, most: usize) -> Result<u8, Reason> {
        let mut value = 0u32;
        for _ in 0..most {
            let Some(digit) = self.peek(0).and_then(|c| c.to_digit(base)) else { break };
            value = value * base + digit;
            self.at += 1;
        }
        u8::try_from(value).map_err(|_| format!("{value} is no byte"))
    }

    fn class(&mut self) -> Result<(), Reason> {
        self.out.push('[');
        if self.peek(0) == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        let mut first = true;
        let mut after_shorthand = false;
        while let Some(c) = self.next() {
            let was_shorthand = std::mem::take(&mut after_shorthand);
            match c {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if self.peek(0) == Some(':') && self.posix() => after_shorthand = true,
                '\\' => after_shorthand = self.class_escape()?,
                '-' => {
                    let next = self.peek(0);
                    let shorthand_next = next == Some('\\') && self.peek(1).is_some_and(|c| shorthand(c).is_some());
                    if first || was_shorthand || shorthand_next || matches!(next, Some(']')) {
                        self.out.push_str("\\-");
                    } else {
                        self.out.push('-');
                    }
                }
                c => self.literal(c),
            }
            first = false;
        }
        Err("a class is never closed".into())
    }

    /// `[:alpha:]` and its like.
    fn posix(&mut self) -> bool {
        let text: String = self.rest.iter().skip(self.at + 1).take(12).take_while(|c| **c != ':').collect();
        let end = self.at + 1 + text.chars().count();
        let closed = self.rest.get(end) == Some(&':') && self.rest.get(end + 1) == Some(&']');
        let name = text.strip_prefix('^').unwrap_or(&text);
        if !closed || !name.chars().all(|c| c.is_ascii_lowercase()) {
            return false;
        }
        self.out.push_str(&format!("[:{text}:]"));
        self.at = end + 2;
        true
    }

    /// Says whether it was a class of its own.
    fn class_escape(&mut self) -> Result<bool, Reason> {
        let Some(c) = self.next() else { return Err("it ends with a backslash".into()) };
        if let Some(class) = shorthand(c) {
            self.out.push_str(&format!("[{class}]"));
            return Ok(true);
        }
        match c {
            'b' => self.byte(0x08),
            '1'..='7' => {
                self.at -= 1;
                let byte = self.digits(8, 3)?;
                self.byte(byte);
            }
            _ => match self.escaped_byte(c) {
                Ok(Some(byte)) => self.byte(byte),
                // Letters without a meaning stand for themselves in a class.
                Ok(None) | Err(_) => self.literal(c),
            },
        }
        Ok(false)
    }
}

/// What a class of one letter holds.
fn shorthand(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "0-9",
        'D' => "^0-9",
        'w' => "0-9A-Za-z_",
        'W' => "^0-9A-Za-z_",
        's' => "\\t-\\r\\x20",
        'S' => "^\\t-\\r\\x20",
        'h' => "\\t\\x20",
        'H' => "^\\t\\x20",
        'v' => "\\n-\\r",
        'V' => "^\\n-\\r",
        _ => return None,
    })
}
