//! Reads the values that events are grouped by: from a column where the field has one, else from the stored event.

use luytre_events::Kind;
use tantivy::columnar::{Column, StrColumn};
use tantivy::schema::{Field, Value as _};
use tantivy::store::StoreReader;
use tantivy::{DocId, SegmentReader, TantivyDocument};

use super::query::FieldRef;
use crate::index::Mapping;

/// A value that events are grouped by. The order is that of values with equal counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Text, an address, a moment.
    Text(String),
    /// A whole number.
    Number(u64),
    /// A floating point number, by its bits.
    Float(u64),
    /// True or false.
    Boolean(bool),
}

impl Group {
    /// As JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Group::Text(text) => text.as_str().into(),
            Group::Number(number) => (*number).into(),
            Group::Float(bits) => f64::from_bits(*bits).into(),
            Group::Boolean(yes) => (*yes).into(),
        }
    }

    /// As it would be written in a query.
    pub fn to_text(&self) -> String {
        match self {
            Group::Text(text) => text.clone(),
            Group::Number(number) => number.to_string(),
            Group::Float(bits) => f64::from_bits(*bits).to_string(),
            Group::Boolean(yes) => yes.to_string(),
        }
    }

    fn from_json(value: &serde_json::Value) -> Option<Group> {
        Some(match value {
            serde_json::Value::String(text) => Group::Text(text.clone()),
            serde_json::Value::Bool(yes) => Group::Boolean(*yes),
            serde_json::Value::Number(number) => match number.as_u64() {
                Some(number) => Group::Number(number),
                None => Group::Float(number.as_f64()?.to_bits()),
            },
            _ => return None,
        })
    }
}

/// One field of one segment. Values are raw numbers until [`ValueReader::group`] turns the few that matter into text.
pub enum ValueReader {
    /// Keywords: the raw number is the term's place in the dictionary.
    Text(StrColumn),
    /// Whole numbers.
    Long(Column<u64>),
    /// Moments.
    Time(Column<i64>),
    /// Floating point numbers.
    Float(Column<f64>),
    /// True or false.
    Boolean(Column<bool>),
    /// Addresses.
    Ip(Column<std::net::Ipv6Addr>),
    /// No column: read from the stored events.
    Source(SourceReader),
    /// The segment has no event with the field.
    Missing,
}

impl ValueReader {
    /// The reader of a field in a segment.
    pub fn open(segment: &SegmentReader, mapping: &Mapping, field: &FieldRef) -> tantivy::Result<ValueReader> {
        let columns = segment.fast_fields();
        if field.name == "@timestamp" {
            return Ok(ValueReader::Time(columns.i64("_time")?));
        }
        let Some(column) = mapping.column(&field.name).filter(|column| column.fast) else {
            return Ok(ValueReader::Source(SourceReader::open(segment, mapping, &field.name)?));
        };
        let name = field.name.as_str();
        Ok(match column.kind {
            Kind::Long => columns.column_opt::<u64>(name)?.map_or(ValueReader::Missing, ValueReader::Long),
            Kind::Date => columns.column_opt::<i64>(name)?.map_or(ValueReader::Missing, ValueReader::Time),
            Kind::Float => columns.column_opt::<f64>(name)?.map_or(ValueReader::Missing, ValueReader::Float),
            Kind::Boolean => columns.column_opt::<bool>(name)?.map_or(ValueReader::Missing, ValueReader::Boolean),
            Kind::Ip => columns.column_opt::<std::net::Ipv6Addr>(name)?.map_or(ValueReader::Missing, ValueReader::Ip),
            Kind::Keyword | Kind::Text | Kind::Bytes => {
                columns.str(name)?.map_or(ValueReader::Missing, ValueReader::Text)
            }
        })
    }

    /// Whether each event costs a read of the store.
    pub fn is_slow(&self) -> bool {
        matches!(self, ValueReader::Source(_))
    }

    /// Appends the raw values of an event.
    pub fn values(&mut self, doc: DocId, out: &mut Vec<u128>) {
        match self {
            ValueReader::Text(column) => out.extend(column.term_ords(doc).map(u128::from)),
            ValueReader::Long(column) => out.extend(column.values_for_doc(doc).map(u128::from)),
            ValueReader::Time(column) => {
                out.extend(column.values_for_doc(doc).map(|v| u128::from(v.cast_unsigned())));
            }
            ValueReader::Float(column) => out.extend(column.values_for_doc(doc).map(|v| u128::from(v.to_bits()))),
            ValueReader::Boolean(column) => out.extend(column.values_for_doc(doc).map(u128::from)),
            ValueReader::Ip(column) => out.extend(column.values_for_doc(doc).map(u128::from)),
            ValueReader::Source(source) => source.values(doc, out),
            ValueReader::Missing => {}
        }
    }

    /// What raw values stand for, in rising order; words are read one after the other.
    pub fn each_group(&self, counted: &[(u128, u64)], visit: &mut dyn FnMut(Group, u64)) {
        let ValueReader::Text(column) = self else {
            counted.iter().for_each(|(raw, count)| {
                if let Some(group) = self.group(*raw) {
                    visit(group, *count);
                }
            });
            return;
        };
        let words: Vec<u64> = counted.iter().filter_map(|(raw, _)| u64::try_from(*raw).ok()).collect();
        let mut counts = counted.iter().map(|(_, count)| *count);
        // A dictionary that breaks off leaves the rest uncounted; the partition's checksums tell of it.
        let read = column.dictionary().sorted_ords_to_term_cb(&words, |word| {
            if let Some(count) = counts.next() {
                visit(Group::Text(String::from_utf8_lossy(word).into_owned()), count);
            }
        });
        if let Err(error) = read {
            tracing::warn!(%error, "read the words of a column");
        }
    }

    /// What a raw value stands for.
    pub fn group(&self, raw: u128) -> Option<Group> {
        let word = u64::try_from(raw).ok();
        Some(match self {
            ValueReader::Text(column) => {
                let mut text = String::new();
                column.ord_to_str(word?, &mut text).ok()?.then_some(Group::Text(text))?
            }
            ValueReader::Long(_) => Group::Number(word?),
            ValueReader::Time(_) => Group::Text(luytre_events::json::time_text(word?.cast_signed())),
            ValueReader::Float(_) => Group::Float(word?),
            ValueReader::Boolean(_) => Group::Boolean(raw != 0),
            ValueReader::Ip(_) => Group::Text(std::net::Ipv6Addr::from(raw).to_canonical().to_string()),
            ValueReader::Source(source) => source.groups.get(usize::try_from(raw).ok()?)?.clone(),
            ValueReader::Missing => return None,
        })
    }
}

/// Values out of stored events.
pub struct SourceReader {
    store: StoreReader,
    source: Field,
    path: Vec<String>,
    groups: Vec<Group>,
    numbers: std::collections::HashMap<Group, usize>,
}

impl SourceReader {
    fn open(segment: &SegmentReader, mapping: &Mapping, name: &str) -> tantivy::Result<SourceReader> {
        let store = segment.get_store_reader(4)?;
        let path = name.split('.').map(str::to_owned).collect();
        Ok(SourceReader { store, source: mapping.source, path, groups: Vec::new(), numbers: Default::default() })
    }

    fn values(&mut self, doc: DocId, out: &mut Vec<u128>) {
        let Ok(document) = self.store.get::<TantivyDocument>(doc) else { return };
        let Some(source) = document.get_first(self.source).and_then(|v| v.as_bytes()) else { return };
        let Ok(event) = serde_json::from_slice::<serde_json::Value>(source) else { return };
        let Some(value) = self.path.iter().try_fold(&event, |at, part| at.get(part)) else { return };
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for group in items.iter().filter_map(Group::from_json) {
            let next = self.groups.len();
            let number = *self.numbers.entry(group.clone()).or_insert(next);
            if number == next {
                self.groups.push(group);
            }
            out.push(number as u128);
        }
    }
}
