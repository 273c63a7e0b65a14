//! From the catalogue to the index: which field becomes which column, and an event's document.
//!
//! Comes in: [`Event`]s. Goes out: documents whose fields are typed after the catalogue. A partition keeps the schema it
//! was made with; [`Mapping::from_schema`] reads it back, so that a partition of an older release stays searchable: what
//! it does not have matches nothing. Nothing in here knows any dataset.
//!
//! Beside the catalogue's fields every document has: `_time` (nanoseconds), `_sequence` (the event id's number),
//! `_source` (the event's JSON, kept in compressed blocks), `_words` (every word of its texts, for bare words), and
//! `_present` (names of fields that it has and that are no column, so that `field:*` can be answered).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use luytre_events::catalogue::Catalogue;
use luytre_events::{Event, FieldId, IndexHint, Kind, Value, ValueRef};
use tantivy::TantivyDocument;
use tantivy::schema::{
    BytesOptions, Field, FieldType, IndexRecordOption, IpAddrOptions, NumericOptions, Schema, SchemaBuilder,
    TextFieldIndexing, TextOptions,
};

use super::words;

/// Name of the keyword tokenizer in an index.
pub const KEYWORD: &str = "luytre_keyword";
/// Name of the word tokenizer in an index.
pub const WORDS: &str = "luytre_words";

/// How a field is kept in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The field in the partition's schema.
    pub field: Field,
    /// The type of its values.
    pub kind: Kind,
    /// Whether it has a column, so that it can be counted and its presence seen.
    pub fast: bool,
}

/// The fields of one partition.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The partition's schema.
    pub schema: Schema,
    /// `_time`.
    pub time: Field,
    /// `_sequence`.
    pub sequence: Field,
    /// `_source`.
    pub source: Field,
    /// `_words`.
    pub words: Field,
    /// `_present`.
    pub present: Field,
    columns: HashMap<String, Column>,
    /// By position in the current catalogue.
    by_id: Vec<Slot>,
}

/// What to do with a field of the current catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    column: Option<Column>,
    /// Part of every event's envelope: not worth a place among the words.
    envelope: bool,
}

/// A partition's schema lacks something that every partition has.
#[derive(Debug, thiserror::Error)]
#[error("the partition has no field {0}")]
pub struct NotOurs(&'static str);

/// Fields of the envelope that stand elsewhere in the document.
const ELSEWHERE: [&str; 2] = ["@timestamp", "event.id"];

impl Mapping {
    /// The mapping for new partitions.
    pub fn current() -> Result<Mapping, NotOurs> {
        let mut builder = Schema::builder();
        builder.add_i64_field("_time", NumericOptions::default().set_fast());
        builder.add_u64_field("_sequence", NumericOptions::default().set_fast().set_indexed());
        builder.add_bytes_field("_source", BytesOptions::default().set_stored());
        builder.add_text_field("_words", text(WORDS, IndexRecordOption::WithFreqsAndPositions));
        builder.add_text_field("_present", text(KEYWORD, IndexRecordOption::Basic));
        for field in Catalogue::current().fields() {
            if !ELSEWHERE.contains(&field.name.as_str()) && field.index != IndexHint::Stored {
                add_field(&mut builder, &field.name, field.kind, field.index == IndexHint::Column);
            }
        }
        Mapping::from_schema(builder.build())
    }

    /// The mapping of a partition that exists.
    pub fn from_schema(schema: Schema) -> Result<Mapping, NotOurs> {
        let ours = |name: &'static str| schema.get_field(name).map_err(|_| NotOurs(name));
        let columns: HashMap<String, Column> = schema
            .fields()
            .filter(|(_, entry)| !entry.name().starts_with('_'))
            .filter_map(|(field, entry)| Some((entry.name().to_owned(), column(field, entry.field_type())?)))
            .collect();
        let catalogue = Catalogue::current();
        let by_id = catalogue
            .fields()
            .iter()
            .map(|field| Slot {
                column: columns.get(&field.name).filter(|c| c.kind == field.kind).copied(),
                envelope: is_envelope(&field.name),
            })
            .collect();
        Ok(Mapping {
            time: ours("_time")?,
            sequence: ours("_sequence")?,
            source: ours("_source")?,
            words: ours("_words")?,
            present: ours("_present")?,
            columns,
            by_id,
            schema,
        })
    }

    /// The column of a catalogue field in this partition, if it has one.
    pub fn column(&self, name: &str) -> Option<Column> {
        self.columns.get(name).copied()
    }

    /// Every column of addresses.
    pub fn addresses(&self) -> impl Iterator<Item = Column> + '_ {
        self.columns.values().filter(|column| column.kind == Kind::Ip).copied()
    }

    /// The document of an event.
    pub fn document(&self, event: &Event) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_i64(self.time, event.time_ns);
        document.add_u64(self.sequence, event.id.sequence);
        let mut source = Vec::with_capacity(768);
        luytre_events::json::write_event(event, &mut source);
        document.add_bytes(self.source, &source);
        let mut texts = Vec::new();
        event.visit(&mut |id, value| self.add(&mut document, id, value, &mut texts));
        for text in distinct(texts) {
            document.add_text(self.words, text);
        }
        document
    }

    fn add(&self, document: &mut TantivyDocument, id: FieldId, value: ValueRef<'_>, texts: &mut Vec<String>) {
        let Some(slot) = self.by_id.get(usize::from(id.0)) else {
            return;
        };
        if !slot.column.is_some_and(|c| c.fast)
            && let Some(field) = Catalogue::current().field(id)
            && !ELSEWHERE.contains(&field.name.as_str())
        {
            document.add_text(self.present, &field.name);
        }
        add_value(document, *slot, value, texts);
    }
}

fn add_value(document: &mut TantivyDocument, slot: Slot, value: ValueRef<'_>, texts: &mut Vec<String>) {
    if let ValueRef::List(items) = value {
        items.iter().for_each(|item| add_value(document, slot, item.borrow(), texts));
        return;
    }
    let Some(column) = slot.column else { return };
    match (column.kind, value) {
        (Kind::Keyword | Kind::Text, ValueRef::Str(text)) => {
            document.add_text(column.field, words::cut(text));
            if !slot.envelope {
                texts.push(words::cut(text).to_owned());
            }
        }
        (Kind::Ip, ValueRef::Ip(ip)) => document.add_ip_addr(column.field, ip_term(ip)),
        (Kind::Long, ValueRef::U64(number)) => document.add_u64(column.field, number),
        // Negative numbers in an unsigned column are kept in the event, not in the index.
        (Kind::Long, ValueRef::I64(number)) => {
            if let Ok(number) = u64::try_from(number) {
                document.add_u64(column.field, number);
            }
        }
        (Kind::Float, ValueRef::F64(number)) if number.is_finite() => document.add_f64(column.field, number),
        (Kind::Boolean, ValueRef::Bool(yes)) => document.add_bool(column.field, yes),
        (Kind::Date, ValueRef::Time(time_ns)) => document.add_i64(column.field, time_ns),
        // A value that is not of its field's kind is kept in the event, not in the index.
        _ => {}
    }
}

/// The texts without those whose words all stand, in the same order, in another one: the path of a URL is in the URL.
fn distinct(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    let mut kept: Vec<String> = Vec::with_capacity(texts.len());
    for text in texts {
        if !kept.iter().any(|longer| holds(longer, &text)) {
            kept.push(text);
        }
    }
    kept
}

/// Whether a text stands in a longer one without cutting through a word.
fn holds(longer: &str, text: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii() && !c.is_ascii_alphanumeric());
    longer.match_indices(text).next().is_some_and(|(at, _)| {
        let before = longer.get(..at).and_then(|s| s.chars().next_back());
        let after = longer.get(at + text.len()..).and_then(|s| s.chars().next());
        edge(before) && edge(after)
    })
}

/// The form in which addresses are indexed: IPv4 mapped into IPv6 (RFC 4291 section 2.5.5.2).
pub fn ip_term(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// The values that a field of an event is indexed by: items of a list one by one.
pub fn each_value<'v>(value: &'v Value, visit: &mut dyn FnMut(ValueRef<'v>)) {
    match value {
        Value::List(items) => items.iter().for_each(|item| each_value(item, visit)),
        single => visit(single.borrow()),
    }
}

/// Whether every event can have the field.
pub fn is_envelope(name: &str) -> bool {
    luytre_events::event::ENVELOPE.fields.iter().any(|f| f.name == name)
}

fn text(tokenizer: &str, option: IndexRecordOption) -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default().set_tokenizer(tokenizer).set_fieldnorms(false).set_index_option(option),
    )
}

fn add_field(builder: &mut SchemaBuilder, name: &str, kind: Kind, is_column: bool) {
    let number = NumericOptions::default().set_fast();
    match kind {
        Kind::Keyword if is_column => {
            builder.add_text_field(name, text(KEYWORD, IndexRecordOption::Basic).set_fast("raw"));
        }
        Kind::Keyword => {
            builder.add_text_field(name, text(KEYWORD, IndexRecordOption::Basic));
        }
        Kind::Text => {
            builder.add_text_field(name, text(WORDS, IndexRecordOption::WithFreqsAndPositions));
        }
        Kind::Ip => {
            builder.add_ip_addr_field(name, IpAddrOptions::default().set_fast().set_indexed());
        }
        Kind::Long => {
            builder.add_u64_field(name, number.set_indexed());
        }
        Kind::Float => {
            builder.add_f64_field(name, number);
        }
        Kind::Boolean => {
            builder.add_bool_field(name, number.set_indexed());
        }
        Kind::Date => {
            builder.add_i64_field(name, number);
        }
        Kind::Bytes => {}
    }
}

/// Reads back what [`add_field`] wrote.
fn column(field: Field, field_type: &FieldType) -> Option<Column> {
    let kind = match field_type {
        FieldType::Str(options) => match options.get_indexing_options().map(TextFieldIndexing::tokenizer) {
            Some(WORDS) => Kind::Text,
            _ => Kind::Keyword,
        },
        FieldType::U64(_) => Kind::Long,
        FieldType::I64(_) => Kind::Date,
        FieldType::F64(_) => Kind::Float,
        FieldType::Bool(_) => Kind::Boolean,
        FieldType::IpAddr(_) => Kind::Ip,
        _ => return None,
    };
    Some(Column { field, kind, fast: field_type.is_fast() })
}
