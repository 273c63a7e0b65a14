//! One pass over what a filter matches: counts, the newest events, facets, bars and groups together.
//!
//! Everything is bounded: rows by the plan, different groups of all tables together by [`GROUPS_MAX`], bars by
//! [`BARS_MAX`], reads of stored events by [`SOURCE_READS_MAX`], time by the search's [`Limits`]. The groups of a segment
//! go into those of its partition as soon as it is done, and those into the search's, so that no more than a few such
//! tables are in memory, however many partitions there are. What a limit cut is said in [`Gathered`].

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader};

use super::columns::{Group, ValueReader};
use super::count::Counter;
use super::limits::Limits;
use super::measures::{Measured, Tally};
use super::query::{FieldRef, Measure};
use crate::index::Mapping;

/// Most different groups that a search tells apart, all of its tables together.
pub const GROUPS_MAX: usize = 200_000;
/// The same where a group can take some kilobytes: percentiles and numbers of different values.
pub const HEAVY_GROUPS_MAX: usize = 2_000;
/// Most values of a measured field that are remembered.
const KNOWN_MAX: usize = 100_000;
/// Most bars of a timeline.
pub const BARS_MAX: usize = 10_000;
/// Most stored events that are read to group by a field without a column.
pub const SOURCE_READS_MAX: u64 = 100_000;
/// The clock is looked at once in so many events.
const DEADLINE_EVERY: u32 = 4096;

/// Where an event stands among all: newest first is the greatest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Key {
    /// Its time.
    pub time_ns: i64,
    /// Its sequence number.
    pub sequence: u64,
    /// Its sensor.
    pub sensor: String,
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Plan {
    /// This many of the newest events.
    pub hits: usize,
    /// Only events before this one.
    pub after: Option<Key>,
    /// One table of groups each.
    pub tables: Vec<TablePlan>,
    /// Width of the bars, where bars are wanted.
    pub step_ns: Option<i64>,
    /// Most different groups of one table.
    pub groups_max: usize,
    /// Only the newest events matter: partitions that cannot have any of them are left out, and so are their counts.
    pub only_hits: bool,
    /// What it may cost.
    pub limits: Arc<Limits>,
}

/// Groups that are wanted.
#[derive(Debug, Clone)]
pub struct TablePlan {
    /// The fields grouped by.
    pub by: Vec<FieldRef>,
    /// What each group adds up to, beside the number of its events.
    pub measures: Vec<Measure>,
}

/// The groups of one table.
pub type Groups = HashMap<Vec<Group>, Tally>;

/// What was found.
#[derive(Debug, Default)]
pub struct Gathered {
    /// How many events match.
    pub total: u64,
    /// The newest events, newest first.
    pub hits: Vec<(Key, DocAddress)>,
    /// One for each table of the plan.
    pub tables: Vec<Groups>,
    /// Events by bar number (time divided by the step).
    pub bars: HashMap<i64, u64>,
    /// More groups than can be told apart.
    pub groups_cut: bool,
    /// More stored events than may be read.
    pub reads_cut: bool,
    /// More bars than a timeline may have.
    pub bars_cut: bool,
}

impl Gathered {
    /// Joins what two segments or partitions found, hits and groups apart.
    pub fn merge(&mut self, other: Gathered) {
        self.total += other.total;
        for (bar, count) in other.bars {
            *self.bars.entry(bar).or_default() += count;
        }
        self.bars_cut |= other.bars_cut || self.bars.len() > BARS_MAX;
        self.groups_cut |= other.groups_cut;
        self.reads_cut |= other.reads_cut;
    }
}

/// Adds groups to a table of at most `groups_max`. Answers whether some had no room.
pub fn merge_groups(mine: &mut Groups, theirs: Groups, groups_max: usize) -> bool {
    let mut is_cut = false;
    for (group, tally) in theirs {
        if mine.len() >= groups_max && !mine.contains_key(&group) {
            is_cut = true;
            continue;
        }
        match mine.entry(group) {
            Entry::Occupied(mut sum) => sum.get_mut().merge(tally),
            Entry::Vacant(place) => {
                place.insert(tally);
            }
        }
    }
    is_cut
}

/// The collector of one partition.
pub struct Gather<'p> {
    /// What is wanted.
    pub plan: Arc<Plan>,
    /// The partition's fields.
    pub mapping: &'p Mapping,
    /// Stored events read so far, over all partitions.
    pub source_reads: Arc<AtomicU64>,
    /// Groups of the segments that are done, a table each.
    pub tables: Arc<Mutex<Vec<Groups>>>,
}

struct TableReader {
    by: Vec<ValueReader>,
    measures: Vec<MeasureReader>,
    empty: Tally,
    groups: HashMap<Vec<u128>, Tally>,
    /// Counts instead, where nothing else is wanted of one field.
    counter: Option<Counter>,
}

impl TableReader {
    /// How often each value came, where only that was counted.
    fn counted(&mut self, groups_max: usize) -> Option<(Groups, bool)> {
        let (counted, is_cut) = self.counter.take()?.finish(groups_max);
        let (Some(reader), empty) = (self.by.first(), &self.empty) else { return None };
        let mut groups = Groups::with_capacity(counted.len());
        reader.each_group(&counted, &mut |group, count| {
            let mut tally = empty.clone();
            tally.count = count;
            groups.insert(vec![group], tally);
        });
        Some((groups, is_cut))
    }
}

/// Reads what a measure wants.
struct MeasureReader {
    measure: Measure,
    reader: Option<ValueReader>,
    /// What raw values stand for: they come again and again.
    known: HashMap<u128, Option<Measured>>,
    raw: Vec<u128>,
}

impl MeasureReader {
    fn values(&mut self, doc: DocId) -> Vec<Measured> {
        let Some(reader) = &mut self.reader else { return Vec::new() };
        self.raw.clear();
        reader.values(doc, &mut self.raw);
        let mut values = Vec::with_capacity(self.raw.len());
        for raw in &self.raw {
            let value = match self.known.get(raw) {
                Some(value) => *value,
                None => {
                    if self.known.len() >= KNOWN_MAX {
                        self.known.clear();
                    }
                    let value = reader.group(*raw).and_then(|group| Measured::of(&self.measure, &group));
                    self.known.insert(*raw, value);
                    value
                }
            };
            values.extend(value);
        }
        values
    }
}

/// The collector of one segment.
pub struct SegmentGather {
    plan: Arc<Plan>,
    segment: SegmentOrdinal,
    times: Column<i64>,
    sequences: Column<u64>,
    sensors: Option<StrColumn>,
    tables: Vec<TableReader>,
    newest: BinaryHeap<Reverse<(i64, u64, u64, DocId)>>,
    found: Gathered,
    source_reads: Arc<AtomicU64>,
    done: Arc<Mutex<Vec<Groups>>>,
    until_clock: u32,
    raw: Vec<Vec<u128>>,
    /// The bar that is being filled, and how far.
    bar: Option<(i64, u64)>,
    block_times: Vec<Option<i64>>,
}

impl Collector for Gather<'_> {
    type Fruit = Gathered;
    type Child = SegmentGather;

    fn for_segment(&self, ordinal: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentGather> {
        let columns = segment.fast_fields();
        let open = |field: &FieldRef| ValueReader::open(segment, self.mapping, field);
        let mut tables = Vec::with_capacity(self.plan.tables.len());
        for table in &self.plan.tables {
            let by = table.by.iter().map(open).collect::<tantivy::Result<Vec<_>>>()?;
            let is_counted = table.measures.iter().all(|measure| matches!(measure, Measure::Count));
            let counter = match &by[..] {
                [reader] if is_counted => Counter::of(reader),
                _ => None,
            };
            tables.push(TableReader {
                by,
                counter,
                measures: table
                    .measures
                    .iter()
                    .map(|measure| {
                        let reader = measure.field().map(open).transpose()?;
                        Ok(MeasureReader { measure: measure.clone(), reader, known: HashMap::new(), raw: Vec::new() })
                    })
                    .collect::<tantivy::Result<_>>()?,
                empty: Tally::new(&table.measures),
                groups: HashMap::new(),
            });
        }
        Ok(SegmentGather {
            plan: self.plan.clone(),
            segment: ordinal,
            times: columns.i64("_time")?,
            sequences: columns.u64("_sequence")?,
            sensors: columns.str("observer.name")?,
            tables,
            newest: BinaryHeap::new(),
            found: Gathered::default(),
            source_reads: self.source_reads.clone(),
            done: self.tables.clone(),
            until_clock: 0,
            raw: Vec::new(),
            bar: None,
            block_times: Vec::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<Gathered>) -> tantivy::Result<Gathered> {
        let mut all = Gathered::default();
        for mut found in segments {
            all.hits.append(&mut found.hits);
            all.merge(found);
        }
        all.hits.sort_by(|a, b| b.0.cmp(&a.0));
        all.hits.truncate(self.plan.hits);
        all.tables = std::mem::take(&mut *self.tables.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(all)
    }
}

impl SegmentCollector for SegmentGather {
    type Fruit = Gathered;

    fn collect(&mut self, doc: DocId, _score: Score) {
        self.collect_block(&[doc]);
    }

    fn collect_block(&mut self, docs: &[DocId]) {
        if self.must_stop(docs.len()) {
            return;
        }
        self.found.total += docs.len() as u64;
        let mut times = std::mem::take(&mut self.block_times);
        times.clear();
        times.resize(docs.len(), None);
        self.times.first_vals(docs, &mut times);
        for time_ns in &times {
            self.collect_bar(time_ns.unwrap_or_default());
        }
        let mut tables = std::mem::take(&mut self.tables);
        for table in &mut tables {
            match &mut table.counter {
                Some(counter) => counter.add(docs),
                None => self.collect_groups(table, docs, &times),
            }
        }
        self.tables = tables;
        if self.plan.hits > 0 {
            for (doc, time_ns) in docs.iter().zip(&times) {
                self.collect_newest(*doc, time_ns.unwrap_or_default());
            }
        }
        self.block_times = times;
    }

    fn harvest(mut self) -> Gathered {
        self.end_bar();
        let newest = std::mem::take(&mut self.newest).into_sorted_vec();
        for Reverse((time_ns, sequence, sensor, doc)) in newest {
            let key = Key { time_ns, sequence, sensor: self.sensor_name(sensor) };
            self.found.hits.push((key, DocAddress::new(self.segment, doc)));
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.resize_with(self.plan.tables.len(), Groups::new);
        for (mut table, done) in std::mem::take(&mut self.tables).into_iter().zip(done.iter_mut()) {
            if let Some((groups, is_cut)) = table.counted(self.plan.groups_max) {
                self.found.groups_cut |= is_cut;
                self.found.groups_cut |= merge_groups(done, groups, self.plan.groups_max);
                continue;
            }
            let resolve = |raw: &Vec<u128>| -> Option<Vec<Group>> {
                table.by.iter().zip(raw).map(|(reader, raw)| reader.group(*raw)).collect()
            };
            let groups = table.groups.iter().filter_map(|(raw, tally)| Some((resolve(raw)?, tally.clone()))).collect();
            self.found.groups_cut |= merge_groups(done, groups, self.plan.groups_max);
        }
        drop(done);
        self.found
    }
}

impl SegmentGather {
    fn must_stop(&mut self, docs: usize) -> bool {
        self.until_clock = self.until_clock.saturating_sub(u32::try_from(docs).unwrap_or(u32::MAX));
        if self.until_clock == 0 {
            self.until_clock = DEADLINE_EVERY;
            self.plan.limits.look();
        }
        self.plan.limits.is_late()
    }

    /// Events come nearly in the order of time, so the bar is nearly always the one before.
    fn collect_bar(&mut self, time_ns: i64) {
        let Some(step_ns) = self.plan.step_ns else { return };
        let bar = time_ns.div_euclid(step_ns.max(1));
        match &mut self.bar {
            Some((known, count)) if *known == bar => *count += 1,
            _ => {
                self.end_bar();
                self.bar = Some((bar, 1));
            }
        }
    }

    fn end_bar(&mut self) {
        let Some((bar, count)) = self.bar.take() else { return };
        if self.found.bars.len() >= BARS_MAX && !self.found.bars.contains_key(&bar) {
            self.found.bars_cut = true;
            return;
        }
        *self.found.bars.entry(bar).or_default() += count;
    }

    fn collect_groups(&mut self, table: &mut TableReader, docs: &[DocId], times: &[Option<i64>]) {
        let measured = table.measures.iter().filter_map(|measure| measure.reader.as_ref());
        let is_slow = table.by.iter().chain(measured).any(ValueReader::is_slow);
        for (doc, time_ns) in docs.iter().zip(times) {
            if is_slow && self.source_reads.fetch_add(1, Ordering::Relaxed) >= SOURCE_READS_MAX {
                self.found.reads_cut = true;
                return;
            }
            self.collect_table(table, *doc, time_ns.unwrap_or_default());
        }
    }

    fn collect_table(&mut self, table: &mut TableReader, doc: DocId, time_ns: i64) {
        self.raw.resize_with(table.by.len(), Vec::new);
        for (reader, values) in table.by.iter_mut().zip(&mut self.raw) {
            values.clear();
            reader.values(doc, values);
            // An event counts once for each different value.
            values.sort_unstable();
            values.dedup();
        }
        let values: Vec<Vec<Measured>> = table.measures.iter_mut().map(|measure| measure.values(doc)).collect();
        let groups_max = self.plan.groups_max;
        let (groups, empty) = (&mut table.groups, &table.empty);
        let cut = &mut self.found.groups_cut;
        each_combination(&self.raw, &mut Vec::with_capacity(self.raw.len()), &mut |group| {
            let is_full = groups.len() >= groups_max;
            match groups.get_mut(group) {
                Some(tally) => tally.add(time_ns, &values),
                None if is_full => *cut = true,
                None => {
                    let mut tally = empty.clone();
                    tally.add(time_ns, &values);
                    groups.insert(group.to_vec(), tally);
                }
            }
        });
    }

    fn collect_newest(&mut self, doc: DocId, time_ns: i64) {
        let is_full = self.newest.len() >= self.plan.hits;
        if is_full && self.newest.peek().is_some_and(|Reverse((oldest, ..))| time_ns < *oldest) {
            return;
        }
        if self.plan.after.as_ref().is_some_and(|after| time_ns > after.time_ns) {
            return;
        }
        let sequence = self.sequences.first(doc).unwrap_or_default();
        let sensor = self.sensors.as_ref().and_then(|column| column.term_ords(doc).next()).unwrap_or(u64::MAX);
        if let Some(after) = &self.plan.after {
            let before_cursor = (time_ns, sequence) < (after.time_ns, after.sequence)
                || ((time_ns, sequence) == (after.time_ns, after.sequence) && self.sensor_name(sensor) < after.sensor);
            if !before_cursor {
                return;
            }
        }
        self.newest.push(Reverse((time_ns, sequence, sensor, doc)));
        if self.newest.len() > self.plan.hits {
            self.newest.pop();
        }
    }

    fn sensor_name(&self, ordinal: u64) -> String {
        let mut name = String::new();
        if let Some(column) = &self.sensors {
            // A number that is not in the dictionary leaves the name empty.
            let _ = column.ord_to_str(ordinal, &mut name);
        }
        name
    }
}

/// Calls `visit` with every combination of one value of each list.
fn each_combination(lists: &[Vec<u128>], chosen: &mut Vec<u128>, visit: &mut dyn FnMut(&[u128])) {
    let Some((first, rest)) = lists.split_first() else { return visit(chosen) };
    for value in first {
        chosen.push(*value);
        each_combination(rest, chosen, visit);
        chosen.pop();
    }
}
