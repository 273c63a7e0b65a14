//! A query as it is understood: a tree of typed tests on catalogue fields, then stages. Comes out of the parser, goes
//! into the compiler; knows neither text nor index.

use std::net::IpAddr;
use std::ops::Bound;

use ipnet::IpNet;
use luytre_events::{Kind, ValueRef};

/// A whole query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Which events.
    pub filter: Node,
    /// What to make of them; nothing means the events themselves.
    pub stage: Option<Stage>,
}

/// A condition on an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Every event.
    All,
    /// All of them hold.
    And(Vec<Node>),
    /// At least one holds.
    Or(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// A test of one field: some value of it passes.
    Field(FieldRef, Test),
    /// The words stand one after the other in some text of the event.
    Words(Vec<String>),
    /// Some word of some text of the event is like this.
    WordPattern(Pattern),
    /// Some address of the event is this, or in this network.
    Address(IpNet),
}

/// A field of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRef {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The field is there.
    Exists,
    /// A keyword in lower case.
    Keyword(String),
    /// A keyword pattern in lower case.
    Pattern(Pattern),
    /// Words of prose, one after the other.
    Words(Vec<String>),
    /// An address in a network (a single address is a network of one).
    Network(IpNet),
    /// An address in a range.
    Addresses(Bound<IpAddr>, Bound<IpAddr>),
    /// A number in a range.
    Long(Bound<u64>, Bound<u64>),
    /// A floating point number in a range.
    Float(Bound<f64>, Bound<f64>),
    /// A moment in a range, nanoseconds.
    Time(Bound<i64>, Bound<i64>),
    /// True or false.
    Boolean(bool),
    /// The event's own id.
    Id(luytre_events::EventId),
}

/// A keyword with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Its parts in order.
    pub parts: Vec<PatternPart>,
}

/// A piece of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternPart {
    /// This text.
    Text(String),
    /// Any one character (`?`).
    One,
    /// Any characters (`*`).
    Many,
}

impl Pattern {
    /// The pattern as an anchored regular expression.
    pub fn to_regex(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                PatternPart::Text(text) => regex::escape(text),
                PatternPart::One => "(.|\n)".to_owned(),
                PatternPart::Many => "(.|\n)*".to_owned(),
            })
            .collect()
    }
}

/// What is made of the events.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// `| count by a, b | top 20`.
    Count {
        /// The fields grouped by; none counts everything.
        by: Vec<FieldRef>,
        /// A field whose values are summed instead of counting events (`| sum network.bytes by a`).
        sum: Option<FieldRef>,
        /// At most this many rows.
        top: usize,
    },
    /// `| timeline 5m`.
    Timeline {
        /// Width of a bar, in milliseconds.
        step_ms: u64,
    },
}

/// Rows of a table when the query does not say.
pub const TOP_DEFAULT: usize = 20;
/// Most rows that a query may ask for.
pub const TOP_MAX: usize = 10_000;

/// The text by which a value is grouped and shown: what a person would write in a query.
pub fn group_text(value: ValueRef<'_>) -> String {
    value.to_text()
}
