//! What a field is: its name, type, meaning and how it should be indexed. Written once, beside the parser that fills it.

use serde::{Deserialize, Serialize};

/// The type of a field's value, in Elastic Common Schema terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Exact text: compared, counted and searched whole or by wildcard.
    Keyword,
    /// Prose: searched by word, Vietnamese diacritics ignored.
    Text,
    /// An IPv4 or IPv6 address.
    Ip,
    /// An unsigned 64-bit number (ECS `long`).
    Long,
    /// A 64-bit floating point number.
    Float,
    /// True or false.
    Boolean,
    /// A moment, in nanoseconds since 1970-01-01 UTC.
    Date,
    /// Raw bytes, base64 in text form.
    Bytes,
}

/// How the index should treat a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndexHint {
    /// A column of its own: filtered and counted by every screen.
    Column,
    /// Searchable, but too rare or too random to deserve a column.
    Term,
    /// Kept with the event, not searchable.
    Stored,
}

/// One field as its parser declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldDef {
    /// Elastic Common Schema name where ECS has one, else the protocol's own name (`dns.question.name`).
    pub name: &'static str,
    /// The type of the value, or of each item when `list`.
    pub kind: Kind,
    /// Whether the value is a list.
    pub list: bool,
    /// How to index it.
    pub index: IndexHint,
    /// One sentence for people.
    pub doc: &'static str,
}

/// One dataset (a kind of event) as its parser declares it.
#[derive(Debug, Clone, Copy)]
pub struct DatasetDef {
    /// `event.dataset`, for example `dns`.
    pub name: &'static str,
    /// One sentence for people.
    pub doc: &'static str,
    /// The fields of its body.
    pub fields: &'static [FieldDef],
}
