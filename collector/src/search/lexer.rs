//! Query text into tokens, each with its place in characters.
//!
//! | token | form |
//! | --- | --- |
//! | word | anything without spaces, quotes, round brackets and bars; `\` takes the next character as it is |
//! | quoted | `"..."`, with `\"` and `\\` |
//! | expression | `~"..."`, straight after `field:`; a backslash stays but before `"` |
//! | sign | `(` `)` `|` `,` (a comma only after a bar), `-` or `!` before a term |
//! | range | `[a TO b]`, `{a TO b}` and mixes, straight after `field:` |

/// A piece of the query.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Where it begins, in characters.
    pub at: u32,
    /// What it is.
    pub kind: TokenKind,
}

/// The kinds of tokens.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    /// `name:` straight before a value.
    Field(String),
    /// A bare word.
    Word(Vec<Char>),
    /// Quoted text.
    Quoted(String),
    /// `~"..."`.
    Expression(String),
    /// `[a TO b]`.
    Range {
        /// The lower end as written.
        from: String,
        /// Whether the lower end belongs to the range.
        from_included: bool,
        /// The upper end as written.
        to: String,
        /// Whether the upper end belongs to the range.
        to_included: bool,
    },
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// `|`.
    Bar,
    /// `,` between names after a bar.
    Comma,
    /// `-` or `!` before a term.
    Minus,
    /// The end of the query.
    End,
}

/// A character of a bare word; an escaped one has no special meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Char {
    /// The character.
    pub c: char,
    /// Whether a backslash stood before it.
    pub escaped: bool,
}

/// The plain text of a bare word.
pub fn plain(word: &[Char]) -> String {
    word.iter().map(|c| c.c).collect()
}

/// A query that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// Where, in characters from 0.
    pub position: u32,
    /// What is wrong and what was expected, for people.
    pub message: String,
}

impl QueryError {
    /// An error at a place.
    pub fn at(position: u32, message: impl Into<String>) -> Self {
        QueryError { position, message: message.into() }
    }
}

/// The longest query, in characters.
pub const QUERY_MAX_CHARS: usize = 16_384;

/// Cuts a query into tokens; the last one is [`TokenKind::End`].
pub fn tokens(query: &str) -> Result<Vec<Token>, QueryError> {
    let chars: Vec<char> = query.chars().collect();
    if chars.len() > QUERY_MAX_CHARS {
        return Err(QueryError::at(0, format!("the query is longer than {QUERY_MAX_CHARS} characters")));
    }
    let mut lexer = Lexer { chars, at: 0, after_bar: false, after_field: false, in_values: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let is_end = token.kind == TokenKind::End;
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    after_bar: bool,
    /// A value stands here: signs that begin a term have no meaning, ranges have.
    after_field: bool,
    /// How deep in the brackets of a field's values: colons are part of values there.
    in_values: usize,
}

impl Lexer {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn place(&self) -> u32 {
        u32::try_from(self.at).unwrap_or(u32::MAX)
    }

    fn next(&mut self) -> Result<Token, QueryError> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let at = self.place();
        let after_field = std::mem::take(&mut self.after_field);
        let follows = self.chars.get(self.at + 1).copied();
        let sign = match self.peek() {
            None => return Ok(Token { at, kind: TokenKind::End }),
            Some('(') => Some(TokenKind::Open),
            Some(')') => Some(TokenKind::Close),
            Some('|') => Some(TokenKind::Bar),
            Some(',') if self.after_bar => Some(TokenKind::Comma),
            Some('-' | '!') if !after_field && follows.is_some_and(|c| !c.is_whitespace()) => Some(TokenKind::Minus),
            _ => None,
        };
        if let Some(kind) = sign {
            self.at += 1;
            self.after_bar |= kind == TokenKind::Bar;
            match kind {
                TokenKind::Open if after_field || self.in_values > 0 => self.in_values += 1,
                TokenKind::Close => self.in_values = self.in_values.saturating_sub(1),
                _ => {}
            }
            return Ok(Token { at, kind });
        }
        let kind = match self.peek() {
            Some('"') => self.quoted()?,
            Some('~') if follows == Some('"') && (after_field || self.in_values > 0) => self.expression()?,
            Some('[' | '{') if after_field || self.in_values > 0 => self.range()?,
            _ => self.word_or_field(after_field || self.in_values > 0)?,
        };
        Ok(Token { at, kind })
    }

    fn quoted(&mut self) -> Result<TokenKind, QueryError> {
        let start = self.place();
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(QueryError::at(start, "this quotation mark is never closed; expected another \"")),
                Some('"') => break,
                Some('\\') => {
                    self.at += 1;
                    text.extend(self.peek());
                }
                Some(c) => text.push(c),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(TokenKind::Quoted(text))
    }

    fn expression(&mut self) -> Result<TokenKind, QueryError> {
        let start = self.place();
        self.at += 2;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(QueryError::at(start, "this expression is never closed; expected another \"")),
                Some('"') => break,
                // A backslash belongs to the expression, but for the one that keeps a quotation mark from ending it.
                Some('\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some('"') => text.push('"'),
                        other => text.extend(['\\'].into_iter().chain(other)),
                    }
                }
                Some(c) => text.push(c),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(TokenKind::Expression(text))
    }

    fn range(&mut self) -> Result<TokenKind, QueryError> {
        let start = self.place();
        let from_included = self.peek() == Some('[');
        self.at += 1;
        let inner_start = self.at;
        while self.peek().is_some_and(|c| !matches!(c, ']' | '}')) {
            self.at += 1;
        }
        let Some(end) = self.peek() else {
            return Err(QueryError::at(start, "this range is never closed; expected [a TO b]"));
        };
        let inner: String = self.chars.get(inner_start..self.at).unwrap_or_default().iter().collect();
        self.at += 1;
        let Some((from, to)) = inner.split_once(" TO ") else {
            return Err(QueryError::at(start, "a range is written [a TO b]; expected ` TO ` inside the brackets"));
        };
        let unquoted = |text: &str| text.trim().trim_matches('"').to_owned();
        Ok(TokenKind::Range { from: unquoted(from), from_included, to: unquoted(to), to_included: end == ']' })
    }

    fn word_or_field(&mut self, is_value: bool) -> Result<TokenKind, QueryError> {
        let mut word = Vec::new();
        while let Some(c) = self.peek() {
            if c.is_whitespace() || matches!(c, '(' | ')' | '"' | '|') || (c == ',' && self.after_bar) {
                break;
            }
            if c == '\\' {
                self.at += 1;
                let Some(c) = self.peek() else {
                    return Err(QueryError::at(self.place(), "expected a character after the backslash"));
                };
                word.push(Char { c, escaped: true });
            } else if c == ':' && !is_value && names_field(&word) && !self.is_address(&word) {
                self.at += 1;
                if self.peek().is_none_or(char::is_whitespace) {
                    let name = plain(&word);
                    return Err(QueryError::at(self.place(), format!("expected a value straight after `{name}:`")));
                }
                self.after_field = true;
                return Ok(TokenKind::Field(plain(&word)));
            } else {
                word.push(Char { c, escaped: false });
            }
            self.at += 1;
        }
        Ok(TokenKind::Word(word))
    }

    /// Whether the whole word around the colon is an IPv6 address or network, which looks like a field at first.
    fn is_address(&self, before: &[Char]) -> bool {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let whole: String = before
            .iter()
            .map(|c| c.c)
            .chain(rest.iter().copied().take_while(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"' | '|')))
            .collect();
        whole.parse::<std::net::IpAddr>().is_ok() || whole.parse::<ipnet::IpNet>().is_ok()
    }
}

/// Whether the characters before a colon can be a field's name.
fn names_field(word: &[Char]) -> bool {
    let starts = word.first().is_some_and(|c| !c.escaped && (c.c.is_ascii_alphabetic() || matches!(c.c, '@' | '_')));
    starts && word.iter().all(|c| !c.escaped && (c.c.is_ascii_alphanumeric() || matches!(c.c, '@' | '_' | '.' | '-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(query: &str) -> Vec<TokenKind> {
        tokens(query).unwrap().into_iter().map(|t| t.kind).collect()
    }

    #[test]
    fn addresses_are_words_and_names_are_fields() {
        assert!(matches!(kinds("fe80::1").as_slice(), [TokenKind::Word(_), TokenKind::End]));
        assert!(matches!(kinds("source.ip:2001:db8::/32").as_slice(), [TokenKind::Field(_), TokenKind::Word(_), _]));
        assert!(matches!(kinds("1:LQU9qZ=").as_slice(), [TokenKind::Word(_), TokenKind::End]));
        let many = kinds("event.id:(dc:1 OR wan:2) url.path:/a");
        assert_eq!(many.iter().filter(|kind| matches!(kind, TokenKind::Field(_))).count(), 2);
    }

    #[test]
    fn places_count_characters_not_bytes() {
        let tokens = tokens("\"Sở Y tế\" AND x").unwrap();
        assert_eq!(tokens.iter().map(|t| t.at).collect::<Vec<_>>(), [0, 10, 14, 15]);
    }

    #[test]
    fn what_is_left_open_is_pointed_at() {
        assert_eq!(tokens("a \"b").unwrap_err().position, 2);
        assert_eq!(tokens("a:[1 TO 2").unwrap_err().position, 2);
        assert_eq!(tokens("a:[1 2]").unwrap_err().position, 2);
        assert_eq!(tokens("a: b").unwrap_err().position, 2);
    }
}
