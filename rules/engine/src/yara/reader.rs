//! Reads the headers of YARA rules (name, tags, metadata) without understanding the rest.
//!
//! A small scanner that knows comments, strings and regular expressions well enough not to stumble over braces in them.
//! On text that is not YARA it finds nothing; the scanner's compiler says what is wrong.

/// The most metadata entries kept of one rule.
const META_MAX: usize = 64;

/// What stands above a rule's strings and condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub name: String,
    pub line: u32,
    pub private: bool,
    pub tags: Vec<String>,
    pub meta: Vec<(String, String)>,
}

/// One word or sign of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

/// The headers of all rules of a source, in order.
pub(super) fn headers(text: &str) -> Vec<Header> {
    let mut tokens = Tokens { rest: text, line: 1, after_value: false };
    let mut found = Vec::new();
    let mut private = false;
    while let Some(token) = tokens.next() {
        match &token {
            Token::Word(w) if w == "private" => private = true,
            Token::Word(w) if w == "global" => {}
            Token::Word(w) if w == "rule" => {
                let line = tokens.line;
                if let Some(header) = read_rule(&mut tokens, line, private) {
                    found.push(header);
                }
                private = false;
            }
            _ => private = false,
        }
    }
    found
}

/// From behind the word `rule` to the closing brace.
fn read_rule(tokens: &mut Tokens<'_>, line: u32, private: bool) -> Option<Header> {
    let Token::Word(name) = tokens.next()? else { return None };
    let mut header = Header { name, line, private, ..Header::default() };
    loop {
        match tokens.next()? {
            Token::Sign('{') => break,
            Token::Word(tag) => header.tags.push(tag),
            _ => {}
        }
    }
    let mut depth = 1;
    let mut in_meta = false;
    let mut key: Option<String> = None;
    while depth > 0 {
        // A rule that is cut off has a name all the same.
        let Some(token) = tokens.next() else { break };
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => depth -= 1,
            Token::Word(w) if depth == 1 && w == "meta" => in_meta = true,
            Token::Word(w) if depth == 1 && (w == "strings" || w == "condition") => in_meta = false,
            Token::Word(w) if in_meta => match key.take() {
                Some(k) => push(&mut header, k, w),
                None => key = Some(w),
            },
            Token::Text(value) if in_meta => {
                if let Some(k) = key.take() {
                    push(&mut header, k, value);
                }
            }
            _ => {}
        }
    }
    Some(header)
}

fn push(header: &mut Header, key: String, value: String) {
    if header.meta.len() < META_MAX {
        header.meta.push((key, value));
    }
}

struct Tokens<'t> {
    rest: &'t str,
    line: u32,
    /// Whether a `/` here would divide rather than open a regular expression.
    after_value: bool,
}

impl Tokens<'_> {
    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn skip_through(&mut self, end: &str) {
        let stop = self.rest.find(end).map_or(self.rest.len(), |at| at + end.len());
        let (passed, rest) = self.rest.split_at(stop);
        self.line += u32::try_from(passed.matches('\n').count()).unwrap_or(u32::MAX);
        self.rest = rest;
    }

    fn next(&mut self) -> Option<Token> {
        loop {
            if self.rest.starts_with("//") {
                self.skip_through("\n");
                continue;
            }
            if self.rest.starts_with("/*") {
                self.skip_through("*/");
                continue;
            }
            let c = self.take()?;
            if c.is_whitespace() {
                continue;
            }
            let after_value = std::mem::replace(&mut self.after_value, false);
            return Some(match c {
                '"' => {
                    self.after_value = true;
                    Token::Text(self.quoted('"'))
                }
                '/' if !after_value => {
                    self.quoted('/');
                    Token::Sign('/')
                }
                c if c.is_alphanumeric() || c == '_' || c == '$' || c == '-' => {
                    self.after_value = true;
                    Token::Word(self.word(c))
                }
                c => Token::Sign(c),
            });
        }
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while let Some(c) = self.rest.chars().next().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '.')) {
            word.push(c);
            self.take();
        }
        word
    }

    /// To the closing mark; a line end closes it too, because neither form spans lines.
    fn quoted(&mut self, mark: char) -> String {
        let mut text = String::new();
        while let Some(c) = self.take() {
            match c {
                c if c == mark || c == '\n' => break,
                '\\' => match self.take() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(other) => text.push(other),
                    None => break,
                },
                c => text.push(c),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tags_and_metadata_are_found_between_comments_and_braces() {
        let source = r#"
            import "pe"
            /* rule not_this { condition: true } */
            // rule nor_this { condition: true }
            rule First : tag_a tag_b {
                meta:
                    description = "says \"hello\" { brace"
                    score = 75
                    ok = true
                strings:
                    $a = { 4D 5A [2-4] 90 }
                    $b = /rule [a-z]{2,}\/x }/ nocase
                condition:
                    $a and filesize / 2 < 10 and $b
            }
            private rule Second { condition: true }
        "#;
        let found = headers(source);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].name, "First");
        assert_eq!(found[0].line, 5);
        assert_eq!(found[0].tags, ["tag_a", "tag_b"]);
        let meta: Vec<(&str, &str)> = found[0].meta.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(meta, [("description", "says \"hello\" { brace"), ("score", "75"), ("ok", "true")]);
        assert_eq!((found[1].name.as_str(), found[1].private), ("Second", true));
    }

    #[test]
    fn cut_or_strange_text_ends_quietly() {
        assert_eq!(headers("rule Cut { meta: a = \"b").len(), 1);
        assert!(headers("rule").is_empty());
        assert!(headers("\u{0}{}{}{{{{ \"").is_empty());
    }
}
