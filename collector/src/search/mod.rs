//! Search: one query language for people, the console and the command line.
//!
//! Comes in: a [`SearchRequest`]. Goes out: a [`SearchAnswer`], or a [`SearchError`] that points at the character. A
//! search runs on blocking threads over the partitions that its time range touches, newest first. Limits: rows, groups,
//! bars, stored events read, time ([`SearchSettings`]), searches at a time; each is said in the answer when it cuts. A
//! partition that cannot be read is named in `partial` and the others go on.

mod columns;
mod compile;
mod complete;
mod count;
pub mod export;
mod gather;
pub mod lexer;
mod limits;
mod measures;
pub mod parser;
pub mod plain;
pub mod query;
mod values;
pub mod walk;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use luytre_collector_api::{
    EventDocument, Facet, FacetValue, SearchAnswer, SearchRequest, Table, Timeline, TimelineBar,
};
use luytre_events::catalogue::Catalogue;
use tantivy::schema::Value as _;
use tantivy::{Searcher, TantivyDocument};

use self::gather::{
    BARS_MAX, GROUPS_MAX, Gather, Gathered, HEAVY_GROUPS_MAX, Key, Plan, SOURCE_READS_MAX, TablePlan, merge_groups,
};
use self::lexer::QueryError;
use self::limits::Limits;
use self::measures::Tally;
use self::query::{FieldRef, Join, Measure, Node, Order, Query, Stage};
use crate::import::IMPORTED;
use crate::index::rollup::MINUTE_NS;
use crate::index::{LIVE, Partition, Store};

/// Rows when the request does not say.
const LIMIT_DEFAULT: u32 = 100;
/// Most rows a request may ask for.
const LIMIT_MAX: u32 = 10_000;
/// Most bars a request may ask for.
const TIMELINE_BARS_MAX: u32 = 1000;
/// Most facets a request may ask for.
const FACETS_MAX: usize = 16;
/// Most values that events are joined on.
const JOINED_MAX: usize = 50_000;
/// Values answered for a facet.
const FACET_VALUES: usize = 20;

/// Limits of searches.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchSettings {
    /// A search is given up after this time, in milliseconds.
    pub timeout_ms: u64,
    /// Searches that run at a time; more wait.
    pub at_a_time: usize,
    /// Words that the wildcards of one search may stand for, all partitions together; further ones are not looked for.
    pub terms: u64,
}

impl Default for SearchSettings {
    fn default() -> Self {
        SearchSettings { timeout_ms: 10_000, at_a_time: 4, terms: 2_000_000 }
    }
}

/// Why a search has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The query is not one.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The request is not one.
    #[error("{0}")]
    Request(String),
    /// There is no such data set.
    #[error("there is no data set called `{0}`")]
    Set(String),
    /// It took too long.
    #[error("the search took longer than {} s; choose a shorter time range or add a term", .0 / 1000)]
    Late(u64),
    /// The engine refused the query.
    #[error("{0}")]
    Engine(String),
}

/// Answers searches over a store.
#[derive(Debug, Clone)]
pub struct Search {
    store: Arc<Store>,
    settings: SearchSettings,
}

/// A partition with the view in which something was found.
struct Part {
    partition: Arc<Partition>,
    searcher: Searcher,
}

/// What all partitions found so far.
#[derive(Default)]
struct Found {
    all: Gathered,
    parts: Vec<Part>,
    /// The newest events, each with the number of its part.
    hits: Vec<(Key, usize, tantivy::DocAddress)>,
    failed: Vec<(Arc<Partition>, String)>,
    refused: Option<String>,
}

impl Found {
    /// Adds what a partition found.
    fn add(&mut self, part: Part, mut found: Gathered, plan: &Plan) {
        let number = self.parts.len();
        self.hits.extend(std::mem::take(&mut found.hits).into_iter().map(|(key, at)| (key, number, at)));
        self.hits.sort_by(|a, b| b.0.cmp(&a.0));
        self.hits.truncate(plan.hits);
        self.all.tables.resize_with(plan.tables.len(), Default::default);
        for (mine, theirs) in self.all.tables.iter_mut().zip(std::mem::take(&mut found.tables)) {
            self.all.groups_cut |= merge_groups(mine, theirs, plan.groups_max);
        }
        self.all.merge(found);
        self.parts.push(part);
    }
}

impl Found {
    /// Whether all that is wanted was found, and nothing in a partition can be newer.
    fn has_newer(&self, plan: &Plan, partition: &Partition) -> bool {
        let oldest = self.hits.get(plan.hits.wrapping_sub(1)).map(|(key, ..)| key.time_ns);
        oldest.is_some_and(|oldest_ns| partition.max_ns() < oldest_ns)
    }
}

/// The range without the ends beyond which the partition has no event.
fn open_range(range_ns: (i64, i64), searcher: &Searcher) -> tantivy::Result<(i64, i64)> {
    if range_ns == (i64::MIN, i64::MAX) {
        return Ok(range_ns);
    }
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    for segment in searcher.segment_readers() {
        let times = segment.fast_fields().i64("_time")?;
        (first, last) = (first.min(times.min_value()), last.max(times.max_value()));
    }
    let from = if range_ns.0 <= first { i64::MIN } else { range_ns.0 };
    let to = if range_ns.1 > last { i64::MAX } else { range_ns.1 };
    Ok((from, to))
}

/// A timeline of everything comes from the partition's minutes, where its bars are made of whole ones.
fn rolled_up(
    partition: &Partition,
    searcher: &Searcher,
    filter: &Node,
    range_ns: (i64, i64),
    plan: &Plan,
) -> tantivy::Result<Option<Gathered>> {
    let step_ns = plan.step_ns.filter(|step_ns| *step_ns > 0 && step_ns % MINUTE_NS == 0);
    let (Some(step_ns), Node::All, (i64::MIN, i64::MAX)) = (step_ns, filter, range_ns) else { return Ok(None) };
    if plan.hits > 0 || !plan.tables.is_empty() {
        return Ok(None);
    }
    let Some(minutes) = partition.minutes(searcher)? else { return Ok(None) };
    let mut found = Gathered::default();
    for (minute, count) in minutes.iter() {
        let bar = minute.saturating_mul(MINUTE_NS).div_euclid(step_ns);
        *found.bars.entry(bar).or_default() += count;
        found.total += count;
    }
    found.bars_cut = found.bars.len() > BARS_MAX;
    Ok(Some(found))
}

impl Search {
    /// Over this store.
    pub fn new(store: Arc<Store>, settings: SearchSettings) -> Search {
        Search { store, settings }
    }

    /// Searches at a time.
    pub fn at_a_time(&self) -> usize {
        self.settings.at_a_time.max(1)
    }

    /// Answers a request; blocks the thread.
    pub fn run(&self, request: &SearchRequest, now_ns: i64) -> Result<SearchAnswer, SearchError> {
        self.answer(request, now_ns, false)
    }

    /// A further page of events: partitions that are newer or older than all of them are not looked into, and the total is
    /// of those that were.
    pub fn page(&self, request: &SearchRequest, now_ns: i64) -> Result<SearchAnswer, SearchError> {
        self.answer(request, now_ns, true)
    }

    fn answer(&self, request: &SearchRequest, now_ns: i64, only_hits: bool) -> Result<SearchAnswer, SearchError> {
        let started = Instant::now();
        let context = parser::Context { catalogue: Catalogue::current(), now_ns };
        let query = within(parser::parse(&request.query, context)?, request.agencies.as_deref());
        let set = request.set.as_deref().unwrap_or(LIVE);
        let partitions = self.store.partitions(set).ok_or_else(|| SearchError::Set(set.to_owned()))?;
        let mut range_ns = range(request, now_ns)?;
        if let Some(after) = request.cursor.as_deref().filter(|_| only_hits).map(read_cursor).transpose()? {
            range_ns.1 = range_ns.1.min(after.time_ns.saturating_add(1));
        }
        let partitions: Vec<_> = partitions.into_iter().rev().filter(|p| p.overlaps(range_ns.0, range_ns.1)).collect();
        let mut plan = self.plan(request, &query, range_ns, &partitions, started)?;
        plan.only_hits = only_hits && plan.hits > 0 && plan.tables.is_empty() && plan.step_ns.is_none();
        let mut answer = SearchAnswer::default();
        let filter = self.joined(set, &query, range_ns, &plan, &partitions, &mut answer.partial)?;
        let Found { all, parts, hits, .. } =
            self.gather(set, &filter, range_ns, &plan, partitions, &mut answer.partial)?;
        if plan.limits.is_late() {
            return Err(SearchError::Late(self.settings.timeout_ms));
        }
        self.notes(&all, &plan, &mut answer.partial);
        answer.total = all.total;
        answer.cursor =
            hits.last().filter(|_| hits.len() == plan.hits && plan.hits > 0).map(|(key, ..)| cursor_text(key));
        for (_, number, at) in hits {
            let Some(part) = parts.get(number) else { continue };
            match fetch(part, at) {
                Ok(event) => answer.events.push(event),
                Err(reason) => answer.partial.push(format!("an event of {}: {reason}", part.partition.name)),
            }
        }
        shape(&mut answer, request, &query, &plan, all, range_ns)?;
        answer.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(answer)
    }

    /// One event by its id, from the live set or a named one.
    pub fn event(&self, id: &luytre_events::EventId) -> Result<Option<EventDocument>, SearchError> {
        let query = format!("event.id:\"{}\"", id.to_string().replace('\\', "\\\\").replace('"', "\\\""));
        let set = id.sensor.strip_prefix(IMPORTED).map(str::to_owned);
        let request = SearchRequest { query, set, limit: Some(1), ..SearchRequest::default() };
        Ok(self.run(&request, 0)?.events.into_iter().next())
    }

    fn plan(
        &self,
        request: &SearchRequest,
        query: &Query,
        range_ns: (i64, i64),
        partitions: &[Arc<Partition>],
        started: Instant,
    ) -> Result<Plan, SearchError> {
        if request.facets.len() > FACETS_MAX {
            return Err(SearchError::Request(format!("at most {FACETS_MAX} facets can be asked for")));
        }
        let mut tables = Vec::new();
        for name in &request.facets {
            let field = parser::find_field(Catalogue::current(), name).map_err(SearchError::Request)?;
            let by = vec![FieldRef { name: field.name.clone(), kind: field.kind }];
            tables.push(TablePlan { by, measures: Vec::new() });
        }
        let mut step_ns = bars_step(request, range_ns, partitions);
        match &query.stage {
            Some(Stage::Groups { measures, by, .. }) => {
                tables.push(TablePlan { by: by.clone(), measures: measures.clone() });
            }
            Some(Stage::Timeline { step_ms }) => {
                step_ns = Some(i64::try_from(step_ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX));
            }
            Some(Stage::Columns(_)) | None => {}
        }
        let hits = match query.stage {
            Some(Stage::Groups { .. } | Stage::Timeline { .. }) => 0,
            Some(Stage::Columns(_)) | None => request.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX) as usize,
        };
        let after = request.cursor.as_deref().map(read_cursor).transpose()?;
        let deadline = started + Duration::from_millis(self.settings.timeout_ms);
        let limits = Arc::new(Limits::new(deadline, self.settings.terms));
        let is_heavy = tables.iter().flat_map(|table| &table.measures).any(Measure::is_heavy);
        let groups_max = if is_heavy { HEAVY_GROUPS_MAX } else { GROUPS_MAX };
        Ok(Plan {
            hits,
            after,
            groups_max: groups_max / tables.len().max(1),
            tables,
            step_ns,
            only_hits: false,
            limits,
        })
    }

    /// The filter with the values that other events must share put in.
    fn joined(
        &self,
        set: &str,
        query: &Query,
        range_ns: (i64, i64),
        plan: &Plan,
        partitions: &[Arc<Partition>],
        partial: &mut Vec<String>,
    ) -> Result<Node, SearchError> {
        let mut nodes = vec![query.filter.clone()];
        for Join { field, filter } in &query.joins {
            let shared = Plan {
                hits: 0,
                after: None,
                tables: vec![TablePlan { by: vec![field.clone()], measures: Vec::new() }],
                step_ns: None,
                groups_max: JOINED_MAX,
                only_hits: false,
                limits: plan.limits.clone(),
            };
            let mut found = self.gather(set, filter, range_ns, &shared, partitions.to_vec(), partial)?.all;
            if found.groups_cut {
                partial.push(format!("only {JOINED_MAX} values of {} were joined on", field.name));
            }
            if found.reads_cut {
                partial.push(format!("only the first {SOURCE_READS_MAX} events were looked at for {}", field.name));
            }
            let groups = found.tables.pop().unwrap_or_default();
            let values = groups.into_keys().filter_map(|mut group| group.pop()).collect();
            nodes.push(Node::In(field.clone(), Arc::new(values)));
        }
        Ok(if nodes.len() == 1 { query.filter.clone() } else { Node::And(nodes) })
    }

    /// Runs the plan on every partition, a few at a time.
    fn gather(
        &self,
        set: &str,
        filter: &Node,
        range_ns: (i64, i64),
        plan: &Plan,
        partitions: Vec<Arc<Partition>>,
        partial: &mut Vec<String>,
    ) -> Result<Found, SearchError> {
        let plan = Arc::new(plan.clone());
        let source_reads = Arc::new(AtomicU64::new(0));
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Found::default());
        let work = || {
            while let Some(partition) = partitions.get(next.fetch_add(1, Ordering::Relaxed)) {
                if plan.limits.look() {
                    return;
                }
                if plan.only_hits && found.lock().unwrap_or_else(PoisonError::into_inner).has_newer(&plan, partition) {
                    continue;
                }
                let gather = Gather {
                    plan: plan.clone(),
                    mapping: &partition.mapping,
                    source_reads: source_reads.clone(),
                    tables: Arc::default(),
                };
                // A damaged file can make the engine panic; that is a damaged partition, not a broken collector.
                let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
                    let searcher = partition.searcher();
                    // Where all events are within the range nobody has to ask each of them.
                    let range_ns = open_range(range_ns, &searcher)?;
                    if let Some(found) = rolled_up(partition, &searcher, filter, range_ns, &plan)? {
                        return Ok((searcher, found));
                    }
                    let query = compile::compile(filter, range_ns, &partition.mapping, &plan.limits)?;
                    let found = searcher.search(&*query, &gather)?;
                    Ok::<_, tantivy::TantivyError>((searcher, found))
                }));
                let mut all = found.lock().unwrap_or_else(PoisonError::into_inner);
                let partition = partition.clone();
                match result {
                    Ok(Ok((searcher, found))) => all.add(Part { partition, searcher }, found, &plan),
                    Ok(Err(tantivy::TantivyError::InvalidArgument(reason))) => all.refused = Some(reason),
                    Ok(Err(error)) => all.failed.push((partition, error.to_string())),
                    Err(_) => all.failed.push((partition, "its files are damaged".to_owned())),
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(partitions.len());
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = found.refused.take() {
            return Err(SearchError::Engine(reason));
        }
        for (partition, reason) in std::mem::take(&mut found.failed) {
            partial.push(format!("events of {} could not be searched: {reason}", partition.name));
            self.examine(set, &partition, &reason);
        }
        Ok(found)
    }

    /// After a failed search: a partition whose files are damaged is set aside.
    fn examine(&self, set: &str, partition: &Partition, reason: &str) {
        let verified = std::panic::catch_unwind(AssertUnwindSafe(|| partition.verify()));
        if !matches!(verified, Ok(Ok(damaged)) if damaged.is_empty()) {
            self.store.set_aside(set, partition, reason);
        }
    }

    fn notes(&self, all: &Gathered, plan: &Plan, partial: &mut Vec<String>) {
        if plan.limits.is_cut() {
            let terms = self.settings.terms;
            partial.push(format!(
                "the patterns stand for more than {terms} different words: further ones were not looked for"
            ));
        }
        if all.groups_cut {
            let groups = plan.groups_max;
            partial.push(format!("more than {groups} different values: what came after them is not counted"));
        }
        if all.reads_cut {
            partial.push(format!("only the first {SOURCE_READS_MAX} events were counted by a field without a column"));
        }
    }
}

/// Fills in tables, facets and timeline.
fn shape(
    answer: &mut SearchAnswer,
    request: &SearchRequest,
    query: &Query,
    plan: &Plan,
    mut all: Gathered,
    range_ns: (i64, i64),
) -> Result<(), SearchError> {
    if let Some(step_ns) = plan.step_ns {
        answer.timeline = Some(timeline(&all, step_ns, range_ns)?);
    }
    all.tables.resize_with(plan.tables.len(), Default::default);
    match &query.stage {
        Some(Stage::Groups { measures, by, order, rows }) => {
            let mut groups = all.tables.pop().unwrap_or_default();
            if by.is_empty() {
                // Of no event there is still a number.
                groups.entry(Vec::new()).or_insert_with(|| Tally::new(measures));
            }
            let mut groups: Vec<_> = groups.into_iter().map(|(group, tally)| (tally.weight(0), group, tally)).collect();
            groups.sort_by(|a, b| {
                let by_weight = match order {
                    Order::Most => b.0.total_cmp(&a.0),
                    Order::Least => a.0.total_cmp(&b.0),
                };
                by_weight.then_with(|| a.1.cmp(&b.1))
            });
            groups.truncate(*rows);
            let columns = by.iter().map(|field| field.name.clone()).chain(measures.iter().map(Measure::column));
            let rows = groups.iter().map(|(_, group, tally)| {
                let shown = measures.iter().enumerate().map(|(number, measure)| tally.shown(number, measure));
                group.iter().map(columns::Group::to_json).chain(shown).collect::<Vec<serde_json::Value>>()
            });
            answer.table = Some(Table { columns: columns.collect(), rows: rows.collect() });
        }
        Some(Stage::Columns(fields)) => {
            let row = |event: &EventDocument| fields.iter().map(|field| event_value(event, &field.name)).collect();
            let rows = std::mem::take(&mut answer.events).iter().map(row).collect();
            answer.table = Some(Table { columns: fields.iter().map(|field| field.name.clone()).collect(), rows });
        }
        Some(Stage::Timeline { .. }) | None => {}
    }
    for (field, groups) in request.facets.iter().zip(all.tables) {
        let mut values: Vec<_> = groups.into_iter().collect();
        values.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(&b.0)));
        let values = values
            .into_iter()
            .take(FACET_VALUES)
            .filter_map(|(group, tally)| Some(FacetValue { value: group.first()?.to_text(), count: tally.count }));
        answer.facets.push(Facet { field: field.clone(), values: values.collect() });
    }
    Ok(())
}

/// The value of a field in an event's text form; null where it has none.
fn event_value(event: &EventDocument, name: &str) -> serde_json::Value {
    let mut parts = name.split('.');
    let first = parts.next().and_then(|part| event.0.get(part));
    let value = first.and_then(|first| parts.try_fold(first, |value, part| value.get(part)));
    value.cloned().unwrap_or_default()
}

/// Bars in time order, empty ones included.
fn timeline(all: &Gathered, step_ns: i64, range_ns: (i64, i64)) -> Result<Timeline, SearchError> {
    let too_many =
        || SearchError::Request(format!("the timeline would have more than {BARS_MAX} bars; choose a longer step"));
    if all.bars_cut {
        return Err(too_many());
    }
    let bounded = |at: i64| (at != i64::MIN && at != i64::MAX).then_some(at);
    let first = bounded(range_ns.0).map(|at| at.div_euclid(step_ns)).or_else(|| all.bars.keys().min().copied());
    let last = bounded(range_ns.1).map(|at| (at - 1).div_euclid(step_ns)).or_else(|| all.bars.keys().max().copied());
    let mut bars = Vec::new();
    if let (Some(first), Some(last)) = (first, last) {
        if usize::try_from(last.saturating_sub(first)).is_ok_and(|n| n >= BARS_MAX) {
            return Err(too_many());
        }
        for bar in first..=last {
            let start = luytre_events::json::time_text(bar.saturating_mul(step_ns));
            bars.push(TimelineBar { start, count: all.bars.get(&bar).copied().unwrap_or_default() });
        }
    }
    Ok(Timeline { step_ms: u64::try_from(step_ns / 1_000_000).unwrap_or_default(), bars })
}

/// Steps that people can read, in milliseconds.
const STEPS_MS: [i64; 19] = [
    1,
    10,
    100,
    1000,
    2000,
    5000,
    10_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    1_800_000,
    3_600_000,
    7_200_000,
    21_600_000,
    43_200_000,
    86_400_000,
    604_800_000,
];

/// The width of about as many bars as wanted over the range, or over what there is when the range is open.
fn bars_step(request: &SearchRequest, range_ns: (i64, i64), partitions: &[Arc<Partition>]) -> Option<i64> {
    let wanted = i64::from(request.timeline_bars?.clamp(1, TIMELINE_BARS_MAX));
    let first = partitions.iter().map(|p| p.min_ns()).min()?;
    let last = partitions.iter().map(|p| p.max_ns()).max()?;
    let from = if range_ns.0 == i64::MIN { first } else { range_ns.0 };
    let to = if range_ns.1 == i64::MAX { last } else { range_ns.1 };
    let span_ms = to.saturating_sub(from).max(1) / 1_000_000;
    let exact_ms = span_ms / wanted + 1;
    let step_ms = STEPS_MS.into_iter().find(|step| *step >= exact_ms).unwrap_or(exact_ms);
    step_ms.checked_mul(1_000_000)
}

/// Cuts a query down to the events of these agencies. It is done on the tree that was understood and not on the text, so that
/// nothing that can be written gets around it; what events are joined with is cut down too.
fn within(mut query: Query, agencies: Option<&[String]>) -> Query {
    let Some(agencies) = agencies else { return query };
    let field = FieldRef { name: "organization.id".to_owned(), kind: luytre_events::Kind::Keyword };
    let of = |id: &String| Node::Field(field.clone(), query::Test::Keyword(crate::index::words::keyword(id)));
    let only = match agencies {
        [] => Node::Not(Box::new(Node::All)),
        ids => Node::Or(ids.iter().map(of).collect()),
    };
    let cut = |filter: Node| Node::And(vec![filter, only.clone()]);
    query.filter = cut(query.filter);
    query.joins = query.joins.into_iter().map(|join| Join { filter: cut(join.filter), field: join.field }).collect();
    query
}

/// A moment as a search takes it (RFC 3339, a day, or `now-1h`), nanoseconds since 1970-01-01 UTC.
pub fn moment(text: &str, now_ns: i64) -> Result<i64, SearchError> {
    values::time_span(text, now_ns).map(|(start, _)| start).map_err(SearchError::Request)
}

fn range(request: &SearchRequest, now_ns: i64) -> Result<(i64, i64), SearchError> {
    let read = |text: &Option<String>, open: i64| match text {
        Some(text) => moment(text, now_ns),
        None => Ok(open),
    };
    Ok((read(&request.from, i64::MIN)?, read(&request.to, i64::MAX)?))
}

fn fetch(part: &Part, at: tantivy::DocAddress) -> Result<EventDocument, String> {
    let document: TantivyDocument = part.searcher.doc(at).map_err(|e| e.to_string())?;
    let source = document.get_first(part.partition.mapping.source).and_then(|value| value.as_bytes());
    let source = source.ok_or("it has no text")?;
    serde_json::from_slice(source).map(EventDocument).map_err(|e| e.to_string())
}

fn cursor_text(key: &Key) -> String {
    let json = serde_json::to_vec(key).unwrap_or_default();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json)
}

fn read_cursor(text: &str) -> Result<Key, SearchError> {
    let bad = || SearchError::Request("the cursor is not one that an answer gave; search again without it".to_owned());
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
    serde_json::from_slice(&json).map_err(|_| bad())
}

#[cfg(test)]
pub(crate) mod tests;
