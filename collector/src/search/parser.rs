//! Tokens into a [`Query`]: recursive descent, every error with its place and what was expected.
//!
//! ```text
//! query = [or] { "|" "join" name "(" or ")" } { "|" stage }
//! stage = measure { "," measure } ["by" names] | "top" N | "rare" N | "table" names | "timeline" STEP
//! measure = "count" | "first" | "last" | ("sum" | "avg" | "min" | "max" | "distinct" | "p1" .. "p99") name
//! or    = and { "OR" and }              and   = unary { ["AND"] unary }
//! unary = ("NOT" | "-" | "!") unary | "(" or ")" | field ":" value | word | quoted
//! value = word | quoted | "~" quoted | range | (">" | ">=" | "<" | "<=") word | "(" or-of-values ")" | "*"
//! ```
//! `AND` binds tighter than `OR`; terms that stand side by side are joined by `AND`.

use luytre_events::catalogue::{Catalogue, Field};
use luytre_events::{IndexHint, Kind};

use super::lexer::{Char, QueryError, Token, TokenKind, plain, tokens};
use super::query::{FieldRef, Join, Measure, Node, Order, Query, Stage, TOP_DEFAULT, TOP_MAX};
use super::values;

/// The deepest nesting of brackets and negations.
const DEPTH_MAX: usize = 40;
/// The most tests in a query.
const TESTS_MAX: usize = 1024;
/// The most fields grouped by.
const GROUP_FIELDS_MAX: usize = 4;
/// The most measures of a table.
const MEASURES_MAX: usize = 8;
/// The most columns of a table of events.
const COLUMNS_MAX: usize = 50;
/// The most other queries that events must share values with.
const JOINS_MAX: usize = 3;
/// What can stand after a bar.
const STAGES: &str = "count, sum, avg, min, max, p95, distinct, first, last, top, rare, table, timeline or join";
/// The longest step of a timeline, in milliseconds (a leap year).
const STEP_MAX_MS: u64 = 366 * 86_400_000;

/// What a query may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// The fields there are.
    pub catalogue: &'c Catalogue,
    /// What `now` means, nanoseconds since 1970-01-01 UTC.
    pub now_ns: i64,
}

/// Reads a query.
pub fn parse(text: &str, context: Context<'_>) -> Result<Query, QueryError> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, context, depth: 0, tests: 0 };
    let filter = match parser.peek() {
        TokenKind::End | TokenKind::Bar => Node::All,
        _ => parser.or(None)?,
    };
    let (joins, stage) = parser.stages()?;
    match parser.peek() {
        TokenKind::End => Ok(Query { filter, joins, stage }),
        TokenKind::Close => Err(parser.error("this bracket closes nothing; expected the end or a `|`")),
        _ => Err(parser.error("expected the end of the query or a `|`")),
    }
}

/// Finds a field by name, or says which one was probably meant.
pub fn find_field<'c>(catalogue: &'c Catalogue, name: &str) -> Result<&'c Field, String> {
    if let Some(field) = catalogue.field_id(name).and_then(|id| catalogue.field(id)) {
        return Ok(field);
    }
    let nearest = catalogue
        .fields()
        .iter()
        .map(|field| (strsim::damerau_levenshtein(name, &field.name), &field.name))
        .filter(|(distance, known)| *distance <= known.len() / 2)
        .min();
    Err(match nearest {
        Some((_, known)) => format!("no field is called `{name}`; did you mean `{known}`?"),
        None => format!("no field is called `{name}`; to search for this text, put it in quotation marks"),
    })
}

struct Parser<'c> {
    tokens: Vec<Token>,
    next: usize,
    context: Context<'c>,
    depth: usize,
    tests: usize,
}

impl<'c> Parser<'c> {
    fn peek(&self) -> &TokenKind {
        self.tokens.get(self.next).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn place(&self) -> u32 {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |token| token.at)
    }

    fn error(&self, message: impl Into<String>) -> QueryError {
        QueryError::at(self.place(), message)
    }

    fn keyword(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Word(w) if w.iter().all(|c| !c.escaped) && plain(w) == word)
    }

    fn or(&mut self, field: Option<&'c Field>) -> Result<Node, QueryError> {
        let mut nodes = vec![self.and(field)?];
        while self.keyword("OR") {
            self.next += 1;
            nodes.push(self.and(field)?);
        }
        Ok(joined(nodes, Node::Or))
    }

    fn and(&mut self, field: Option<&'c Field>) -> Result<Node, QueryError> {
        let mut nodes = vec![self.unary(field)?];
        loop {
            if self.keyword("AND") {
                self.next += 1;
            } else if self.keyword("OR") || matches!(self.peek(), TokenKind::End | TokenKind::Close | TokenKind::Bar) {
                return Ok(joined(nodes, Node::And));
            }
            nodes.push(self.unary(field)?);
        }
    }

    fn unary(&mut self, field: Option<&'c Field>) -> Result<Node, QueryError> {
        if self.keyword("NOT") || *self.peek() == TokenKind::Minus {
            self.next += 1;
            self.deeper()?;
            let node = self.unary(field)?;
            self.depth -= 1;
            return Ok(Node::Not(Box::new(node)));
        }
        self.tests += 1;
        if self.tests > TESTS_MAX {
            return Err(self.error(format!("the query has more than {TESTS_MAX} terms; expected fewer")));
        }
        let at = self.place();
        match (self.peek().clone(), field) {
            (TokenKind::Open, _) => {
                self.next += 1;
                self.deeper()?;
                let node = self.or(field)?;
                self.depth -= 1;
                if *self.peek() != TokenKind::Close {
                    return Err(self.error("expected `)`"));
                }
                self.next += 1;
                Ok(node)
            }
            (TokenKind::Field(name), None) => {
                let field = find_field(self.context.catalogue, &name).map_err(|message| QueryError::at(at, message))?;
                self.next += 1;
                match self.peek() {
                    TokenKind::Open
                    | TokenKind::Word(_)
                    | TokenKind::Quoted(_)
                    | TokenKind::Expression(_)
                    | TokenKind::Range { .. } => self.value_or_group(field),
                    _ => Err(self.error(format!("expected a value after `{name}:`"))),
                }
            }
            // The lexer reads everything inside a field's brackets as values.
            (TokenKind::Field(_), Some(_)) => Err(self.error("expected a value")),
            (TokenKind::Word(word), None) => {
                if ["AND", "OR"].iter().any(|w| self.keyword(w)) {
                    return Err(self.error(format!("expected a term before `{}`", plain(&word))));
                }
                self.next += 1;
                values::bare(&word).map_err(|message| QueryError::at(at, message))
            }
            (TokenKind::Quoted(text), None) => {
                self.next += 1;
                values::bare_quoted(&text).map_err(|message| QueryError::at(at, message))
            }
            (
                TokenKind::Word(_) | TokenKind::Quoted(_) | TokenKind::Expression(_) | TokenKind::Range { .. },
                Some(field),
            ) => self.value(field),
            (TokenKind::Expression(_), None) => {
                Err(self.error("expected a field before the expression, as in `field:~\"...\"`"))
            }
            (TokenKind::Range { .. }, None) => {
                Err(self.error("expected a field before the range, as in `field:[a TO b]`"))
            }
            (TokenKind::Close, _) => Err(self.error("expected a term before `)`")),
            (TokenKind::Bar, _) => Err(self.error("expected a term before `|`")),
            (TokenKind::End, _) => Err(self.error("expected a term, found the end of the query")),
            (TokenKind::Comma | TokenKind::Minus, _) => Err(self.error("expected a term")),
        }
    }

    fn deeper(&mut self) -> Result<(), QueryError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("nested more than {DEPTH_MAX} deep; expected a simpler query")));
        }
        Ok(())
    }

    fn value_or_group(&mut self, field: &'c Field) -> Result<Node, QueryError> {
        if *self.peek() == TokenKind::Open { self.unary(Some(field)) } else { self.value(field) }
    }

    /// One value of a field.
    fn value(&mut self, field: &'c Field) -> Result<Node, QueryError> {
        let at = self.place();
        let token = self.peek().clone();
        self.next += 1;
        let place = |message: String| QueryError::at(at, message);
        if matches!(&token, TokenKind::Word(word) if matches!(word.as_slice(), [Char { c: '*', escaped: false }])) {
            return Ok(values::exists(field));
        }
        if field.index == IndexHint::Stored || field.kind == Kind::Bytes {
            let name = &field.name;
            return Err(place(format!("`{name}` is kept with the event but not searchable; only `{name}:*` works")));
        }
        match token {
            TokenKind::Word(word) => values::word(field, &word, self.context.now_ns).map_err(place),
            TokenKind::Quoted(text) => values::exact(field, &text, self.context.now_ns).map_err(place),
            TokenKind::Expression(text) => values::expression(field, &text).map_err(place),
            TokenKind::Range { from, from_included, to, to_included } => {
                let now_ns = self.context.now_ns;
                values::range(field, (&from, from_included), (&to, to_included), now_ns).map_err(place)
            }
            _ => Err(place("expected a value".to_owned())),
        }
    }

    fn stages(&mut self) -> Result<(Vec<Join>, Option<Stage>), QueryError> {
        let (mut joins, mut stage) = (Vec::new(), None);
        while *self.peek() == TokenKind::Bar {
            self.next += 1;
            let at = self.place();
            let place = |message: &str| QueryError::at(at, message);
            let TokenKind::Word(word) = self.peek().clone() else {
                return Err(self.error(format!("expected {STAGES} after `|`")));
            };
            let word = plain(&word);
            stage = match (word.as_str(), stage) {
                ("join", None) => {
                    joins.push(self.join()?);
                    if joins.len() > JOINS_MAX {
                        return Err(QueryError::at(at, format!("expected at most {JOINS_MAX} joins")));
                    }
                    None
                }
                ("join", Some(_)) => return Err(place("expected `join` before the other stages")),
                ("top" | "rare", Some(Stage::Groups { measures, by, .. })) => {
                    self.next += 1;
                    let order = if word == "top" { Order::Most } else { Order::Least };
                    Some(Stage::Groups { measures, by, order, rows: self.rows(&word)? })
                }
                ("top" | "rare", _) => {
                    return Err(place("expected `count` or another measure before `top` and `rare`"));
                }
                ("timeline", None) => {
                    self.next += 1;
                    Some(Stage::Timeline { step_ms: self.step()? })
                }
                ("table", None) => {
                    self.next += 1;
                    Some(Stage::Columns(self.names(COLUMNS_MAX, "shown")?))
                }
                (_, None) => {
                    let measures = self.measures()?;
                    Some(Stage::Groups { measures, by: self.by()?, order: Order::Most, rows: TOP_DEFAULT })
                }
                (_, Some(_)) => {
                    return Err(place("only one table or timeline can be made; expected the end, `top` or `rare`"));
                }
            };
        }
        Ok((joins, stage))
    }

    fn join(&mut self) -> Result<Join, QueryError> {
        self.next += 1;
        let at = self.place();
        let field = self.field_name()?;
        if !matches!(field.kind, Kind::Keyword | Kind::Ip | Kind::Long) {
            let message = format!("`{}` cannot be shared; expected a keyword, an address or a number", field.name);
            return Err(QueryError::at(at, message));
        }
        if *self.peek() != TokenKind::Open {
            return Err(self.error(format!("expected a query in brackets, as in `join {} (...)`", field.name)));
        }
        Ok(Join { field, filter: self.unary(None)? })
    }

    fn measures(&mut self) -> Result<Vec<Measure>, QueryError> {
        let mut measures = vec![self.measure()?];
        while *self.peek() == TokenKind::Comma {
            self.next += 1;
            measures.push(self.measure()?);
        }
        match measures.len() > MEASURES_MAX {
            true => Err(self.error(format!("expected at most {MEASURES_MAX} measures"))),
            false => Ok(measures),
        }
    }

    fn measure(&mut self) -> Result<Measure, QueryError> {
        let at = self.place();
        let unknown = || QueryError::at(at, format!("expected {STAGES} after `|`"));
        let TokenKind::Word(word) = self.peek().clone() else { return Err(unknown()) };
        self.next += 1;
        let word = plain(&word);
        let share = word.strip_prefix('p').and_then(|digits| digits.parse().ok()).filter(|n: &u8| (1..100).contains(n));
        Ok(match (word.as_str(), share) {
            ("count", _) => Measure::Count,
            ("first", _) => Measure::First,
            ("last", _) => Measure::Last,
            ("sum", _) => Measure::Sum(self.number()?),
            ("avg", _) => Measure::Mean(self.number()?),
            ("min", _) => Measure::Least(self.number()?),
            ("max", _) => Measure::Most(self.number()?),
            ("distinct", _) => Measure::Distinct(self.field_name()?),
            (_, Some(share)) => Measure::Percentile(self.number()?, share),
            _ => return Err(unknown()),
        })
    }

    fn by(&mut self) -> Result<Vec<FieldRef>, QueryError> {
        if !self.keyword("by") {
            return match self.peek() {
                TokenKind::End | TokenKind::Bar => Ok(Vec::new()),
                _ => Err(self.error("expected `by` and field names")),
            };
        }
        self.next += 1;
        self.names(GROUP_FIELDS_MAX, "counted by")
    }

    fn names(&mut self, most: usize, purpose: &str) -> Result<Vec<FieldRef>, QueryError> {
        let mut fields = vec![self.field_name()?];
        while *self.peek() == TokenKind::Comma {
            self.next += 1;
            fields.push(self.field_name()?);
        }
        match fields.len() > most {
            true => Err(self.error(format!("at most {most} fields can be {purpose}"))),
            false => Ok(fields),
        }
    }

    fn field_name(&mut self) -> Result<FieldRef, QueryError> {
        let TokenKind::Word(word) = self.peek().clone() else { return Err(self.error("expected a field's name")) };
        let field = find_field(self.context.catalogue, &plain(&word)).map_err(|message| self.error(message))?;
        self.next += 1;
        Ok(FieldRef { name: field.name.clone(), kind: field.kind })
    }

    fn number(&mut self) -> Result<FieldRef, QueryError> {
        let at = self.place();
        let field = self.field_name()?;
        if !matches!(field.kind, Kind::Long | Kind::Float) {
            return Err(QueryError::at(at, format!("`{}` is not a number; expected a field that is one", field.name)));
        }
        Ok(field)
    }

    fn rows(&mut self, word: &str) -> Result<usize, QueryError> {
        let wanted = self.stage_word(&format!("a number after `{word}`"))?;
        let number = wanted.parse().ok().filter(|n| (1..=TOP_MAX).contains(n));
        let number =
            number.ok_or_else(|| self.error(format!("expected a number from 1 to {TOP_MAX} after `{word}`")))?;
        self.next += 1;
        Ok(number)
    }

    fn step(&mut self) -> Result<u64, QueryError> {
        let wanted = self.stage_word("a step after `timeline`, for example 5m")?;
        let step = values::duration_ms(&wanted).filter(|step| (1..=STEP_MAX_MS).contains(step));
        let step = step.ok_or_else(|| self.error("expected a step such as 30s, 5m, 1h or 1d after `timeline`"))?;
        self.next += 1;
        Ok(step)
    }

    fn stage_word(&self, expected: &str) -> Result<String, QueryError> {
        match self.peek() {
            TokenKind::Word(word) => Ok(plain(word)),
            _ => Err(self.error(format!("expected {expected}"))),
        }
    }
}

fn joined(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    match (nodes.pop(), nodes.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            nodes.extend(last);
            join(nodes)
        }
    }
}
