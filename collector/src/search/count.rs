//! Counting by one field, the way most questions count: a block of events at a time, without a tally for each.
//!
//! Comes in: blocks of events of one segment. Goes out: how many events have each value. The numbers of words are small and
//! count into an array; other values into a hash map. An event with several values counts once for each different one.
//! [`super::gather`] does the same for whatever else is wanted, one event after the other; both must agree.

use std::collections::HashMap;
use std::net::Ipv6Addr;

use tantivy::DocId;
use tantivy::columnar::Column;

use super::columns::ValueReader;

/// A column whose words are more than these is counted through a hash map.
const WORDS_MAX: usize = 1 << 22;

/// Counts one field of one segment.
pub struct Counter {
    values: Values,
    counts: Counts,
    several: Vec<u128>,
}

enum Values {
    Numbers(Column<u64>, Vec<Option<u64>>),
    Addresses(Column<Ipv6Addr>, Vec<Option<Ipv6Addr>>),
}

enum Counts {
    Words(Vec<u64>),
    Any(HashMap<u128, u64, ahash::RandomState>),
}

impl Counts {
    fn add(&mut self, raw: u128) {
        match self {
            Counts::Words(counts) => {
                if let Some(count) = usize::try_from(raw).ok().and_then(|at| counts.get_mut(at)) {
                    *count += 1;
                }
            }
            Counts::Any(counts) => *counts.entry(raw).or_default() += 1,
        }
    }
}

impl Counter {
    /// For a reader whose values can be counted so.
    pub fn of(reader: &ValueReader) -> Option<Counter> {
        let any = || Counts::Any(HashMap::default());
        let (values, counts) = match reader {
            ValueReader::Text(column) => {
                let words = column.num_terms();
                let counts = if words <= WORDS_MAX { Counts::Words(vec![0; words]) } else { any() };
                (Values::Numbers(column.ords().clone(), Vec::new()), counts)
            }
            ValueReader::Long(column) => (Values::Numbers(column.clone(), Vec::new()), any()),
            ValueReader::Ip(column) => (Values::Addresses(column.clone(), Vec::new()), any()),
            _ => return None,
        };
        Some(Counter { values, counts, several: Vec::new() })
    }

    /// Counts a block of events.
    pub fn add(&mut self, events: &[DocId]) {
        let Counter { values, counts, several } = self;
        match values {
            Values::Numbers(column, found) => each(column, found, several, events, |value| u128::from(*value), counts),
            Values::Addresses(column, found) => {
                each(column, found, several, events, |value| u128::from(*value), counts)
            }
        }
    }

    /// Raw values with their counts; of more than `most` the most frequent. The second says whether some were left out.
    pub fn finish(self, most: usize) -> (Vec<(u128, u64)>, bool) {
        let mut counted: Vec<(u128, u64)> = match self.counts {
            Counts::Words(counts) => (0..).zip(counts).filter(|(_, count)| *count > 0).collect(),
            Counts::Any(counts) => counts.into_iter().collect(),
        };
        let is_cut = counted.len() > most;
        if is_cut {
            counted.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            counted.truncate(most);
        }
        // Words are looked up in their order.
        counted.sort_unstable_by_key(|(raw, _)| *raw);
        (counted, is_cut)
    }
}

fn each<T: Copy + PartialOrd + std::fmt::Debug + Send + Sync + 'static>(
    column: &Column<T>,
    found: &mut Vec<Option<T>>,
    several: &mut Vec<u128>,
    events: &[DocId],
    raw: impl Fn(&T) -> u128,
    counts: &mut Counts,
) {
    if column.get_cardinality().is_multivalue() {
        for event in events {
            several.clear();
            several.extend(column.values_for_doc(*event).map(|value| raw(&value)));
            several.sort_unstable();
            several.dedup();
            several.iter().for_each(|value| counts.add(*value));
        }
        return;
    }
    found.clear();
    found.resize(events.len(), None);
    column.first_vals(events, found);
    found.iter().flatten().for_each(|value| counts.add(raw(value)));
}
