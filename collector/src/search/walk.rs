//! Every event that a filter matches, oldest first: for what must see events in their order, such as rules.
//!
//! Comes in: a query without stages and a time range. Goes out: events, one at a time. Memory is bounded by the places of
//! the events of one slice of time ([`SLICE_NS`]; at most [`SLICE_MAX`] of them, further ones are told as cut), never by how
//! many there are. The caller says when it has had enough.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use luytre_events::text::read_event;
use luytre_events::{Catalogue, Event, EventId};
use serde_json::Value as Json;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::schema::Value as _;
use tantivy::{DocAddress, DocId, Score, Searcher, SegmentOrdinal, SegmentReader, TantivyDocument};

use super::limits::Limits;
use super::{Search, SearchError, compile, moment, parser};
use crate::index::{LIVE, Partition};

/// Events are put in order within so much time.
const SLICE_NS: i64 = 3_600_000_000_000;
/// The most events of one slice.
const SLICE_MAX: usize = 5_000_000;

/// What a walk came past.
#[derive(Debug, Clone, Default)]
pub struct Walked {
    /// Events that were handed on.
    pub events: u64,
    /// What could not be handed on, for people.
    pub partial: Vec<String>,
    /// The time of the newest event, nanoseconds.
    pub reached_ns: Option<i64>,
}

/// What is walked over.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    /// Which events; nothing means all.
    pub query: String,
    /// From this moment on.
    pub from: Option<String>,
    /// Until this moment.
    pub to: Option<String>,
    /// A named data set instead of the live one.
    pub set: Option<String>,
    /// It ends after this time.
    pub time_max: Duration,
}

impl Search {
    /// Hands over every event, oldest first, until `visit` answers false or the time is over.
    pub fn walk(&self, walk: &Walk, now_ns: i64, visit: &mut dyn FnMut(Event) -> bool) -> Result<Walked, SearchError> {
        let context = parser::Context { catalogue: Catalogue::current(), now_ns };
        let query = parser::parse(&walk.query, context)?;
        if query.stage.is_some() || !query.joins.is_empty() {
            return Err(SearchError::Request(
                "only which events is asked here: leave out what stands behind |".to_owned(),
            ));
        }
        let set = walk.set.as_deref().unwrap_or(LIVE);
        let partitions = self.store.partitions(set).ok_or_else(|| SearchError::Set(set.to_owned()))?;
        let end = |text: &Option<String>, open: i64| text.as_ref().map_or(Ok(open), |text| moment(text, now_ns));
        let (from_ns, to_ns) = (end(&walk.from, i64::MIN)?, end(&walk.to, i64::MAX)?);
        let limits = Arc::new(Limits::new(Instant::now() + walk.time_max, self.settings.terms));
        let mut walked = Walked::default();
        // Partitions of one day may overlap; events of different ones are in order but for that.
        for partition in partitions.iter().filter(|partition| partition.overlaps(from_ns, to_ns)) {
            let searcher = partition.searcher();
            let first = from_ns.max(partition.min_ns());
            let last = to_ns.min(partition.max_ns().saturating_add(1));
            let mut slice = first;
            while slice < last {
                let next = slice.saturating_add(SLICE_NS).min(last);
                let one = || slice_of(&searcher, partition, &query.filter, (slice, next), &limits);
                let found = std::panic::catch_unwind(AssertUnwindSafe(one));
                let found = found
                    .unwrap_or_else(|_| Err(tantivy::TantivyError::InternalError("its files are damaged".to_owned())));
                match found {
                    Ok(found) if found.len() > SLICE_MAX => {
                        walked
                            .partial
                            .push(format!("more than {SLICE_MAX} events within an hour of {}", partition.name));
                    }
                    Ok(found) => {
                        for (_, at) in found {
                            if limits.look() || !hand_over(&searcher, partition, at, &mut walked, visit) {
                                return Ok(walked);
                            }
                        }
                    }
                    Err(tantivy::TantivyError::InvalidArgument(reason)) => return Err(SearchError::Engine(reason)),
                    Err(error) => walked.partial.push(format!("events of {}: {error}", partition.name)),
                }
                if limits.is_late() {
                    return Ok(walked);
                }
                slice = next;
            }
        }
        Ok(walked)
    }
}

fn hand_over(
    searcher: &Searcher,
    partition: &Partition,
    at: DocAddress,
    walked: &mut Walked,
    visit: &mut dyn FnMut(Event) -> bool,
) -> bool {
    let read = || -> Result<Event, String> {
        let document: TantivyDocument = searcher.doc(at).map_err(|error| error.to_string())?;
        let source = document.get_first(partition.mapping.source).and_then(|value| value.as_bytes());
        let json: Json = serde_json::from_slice(source.ok_or("it has no text")?).map_err(|error| error.to_string())?;
        let id = json.pointer("/event/id").and_then(Json::as_str).and_then(|id| id.parse::<EventId>().ok());
        let id = id.ok_or("it has no id")?;
        read_event(&json, id, 0).map(|read| read.event).map_err(|error| error.to_string())
    };
    match read() {
        Ok(event) => {
            walked.events += 1;
            walked.reached_ns = Some(event.time_ns);
            visit(event)
        }
        Err(reason) => {
            if walked.partial.len() < 10 {
                walked.partial.push(format!("an event of {}: {reason}", partition.name));
            }
            true
        }
    }
}

fn slice_of(
    searcher: &Searcher,
    partition: &Partition,
    filter: &super::query::Node,
    range_ns: (i64, i64),
    limits: &Arc<Limits>,
) -> tantivy::Result<Vec<(i64, DocAddress)>> {
    let query = compile::compile(filter, range_ns, &partition.mapping, limits)?;
    let places = Places(Arc::default());
    searcher.search(&*query, &places)?;
    let mut found = std::mem::take(&mut *places.0.lock().unwrap_or_else(PoisonError::into_inner));
    found.sort_unstable();
    Ok(found)
}

/// Collects time and place of what matches.
struct Places(Arc<Mutex<Vec<(i64, DocAddress)>>>);

struct SegmentPlaces {
    all: Arc<Mutex<Vec<(i64, DocAddress)>>>,
    mine: Vec<(i64, DocAddress)>,
    segment: SegmentOrdinal,
    times: Column<i64>,
}

impl Collector for Places {
    type Fruit = ();
    type Child = SegmentPlaces;

    fn for_segment(&self, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<SegmentPlaces> {
        Ok(SegmentPlaces { all: self.0.clone(), mine: Vec::new(), segment, times: reader.fast_fields().i64("_time")? })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, _: Vec<()>) -> tantivy::Result<()> {
        Ok(())
    }
}

impl SegmentCollector for SegmentPlaces {
    type Fruit = ();

    fn collect(&mut self, doc: DocId, _: Score) {
        // One more than allowed tells that there were too many.
        if self.mine.len() <= SLICE_MAX {
            let time_ns = self.times.first(doc).unwrap_or_default();
            self.mine.push((time_ns, DocAddress::new(self.segment, doc)));
        }
    }

    fn harvest(self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).extend(self.mine);
    }
}
