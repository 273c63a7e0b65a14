//! A query as it is understood: a tree of typed tests on catalogue fields, then stages. Comes out of the parser, goes
//! into the compiler; knows neither text nor index.

use std::net::IpAddr;
use std::ops::Bound;
use std::sync::Arc;

use ipnet::IpNet;
use luytre_events::{Kind, ValueRef};

use super::columns::Group;

/// A whole query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Which events.
    pub filter: Node,
    /// Other events that must share a value with them.
    pub joins: Vec<Join>,
    /// What to make of them; nothing means the events themselves.
    pub stage: Option<Stage>,
}

/// `| join field (query)`: only events whose field has a value that some event of the other query has too.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// The field with the shared value.
    pub field: FieldRef,
    /// The other events.
    pub filter: Node,
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
    /// Some value of the field is one of these.
    In(FieldRef, Arc<Vec<Group>>),
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
    /// A regular expression that the lower-case keyword, or a word of a text, matches as a whole.
    Regex(String),
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
    /// `| count, sum network.bytes by a, b | top 20`.
    Groups {
        /// What is told of each group; the first one gives the order.
        measures: Vec<Measure>,
        /// The fields grouped by; none makes one group of everything.
        by: Vec<FieldRef>,
        /// Which groups come first.
        order: Order,
        /// At most this many rows.
        rows: usize,
    },
    /// `| timeline 5m`.
    Timeline {
        /// Width of a bar, in milliseconds.
        step_ms: u64,
    },
    /// `| table a, b`: these fields of the newest events.
    Columns(Vec<FieldRef>),
}

/// Which groups come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The greatest: `| top 20`.
    Most,
    /// The least: `| rare 20`.
    Least,
}

/// What is told of a group of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// How many they are.
    Count,
    /// The sum of a field's values.
    Sum(FieldRef),
    /// Their mean.
    Mean(FieldRef),
    /// The least of them.
    Least(FieldRef),
    /// The greatest of them.
    Most(FieldRef),
    /// What so many hundredths of them do not exceed.
    Percentile(FieldRef, u8),
    /// How many different values a field has.
    Distinct(FieldRef),
    /// Time of the first event.
    First,
    /// Time of the last event.
    Last,
}

impl Measure {
    /// The field it looks at, if any.
    pub fn field(&self) -> Option<&FieldRef> {
        match self {
            Measure::Count | Measure::First | Measure::Last => None,
            Measure::Sum(field)
            | Measure::Mean(field)
            | Measure::Least(field)
            | Measure::Most(field)
            | Measure::Percentile(field, _)
            | Measure::Distinct(field) => Some(field),
        }
    }

    /// Name of its column.
    pub fn column(&self) -> String {
        match self {
            Measure::Count => "count".to_owned(),
            Measure::Sum(field) => format!("sum({})", field.name),
            Measure::Mean(field) => format!("avg({})", field.name),
            Measure::Least(field) => format!("min({})", field.name),
            Measure::Most(field) => format!("max({})", field.name),
            Measure::Percentile(field, share) => format!("p{share}({})", field.name),
            Measure::Distinct(field) => format!("distinct({})", field.name),
            Measure::First => "first".to_owned(),
            Measure::Last => "last".to_owned(),
        }
    }

    /// Whether a group of it can take much memory.
    pub fn is_heavy(&self) -> bool {
        matches!(self, Measure::Percentile(..) | Measure::Distinct(_))
    }
}

/// Rows of a table when the query does not say.
pub const TOP_DEFAULT: usize = 20;
/// Most rows that a query may ask for.
pub const TOP_MAX: usize = 10_000;

/// The text by which a value is grouped and shown: what a person would write in a query.
pub fn group_text(value: ValueRef<'_>) -> String {
    value.to_text()
}
