//! What one search may cost, over all of its partitions and threads: time, and how many words its wildcards may stand
//! for.
//!
//! A wildcard is looked up in the dictionary of each segment, which may hold millions of words. [`PatternQuery`] walks it
//! with an automaton that knows the search's [`Limits`]: when the time is over or too many words were found it leads
//! nowhere any more, so the walk ends at once, wherever it is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tantivy::query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::Field;
use tantivy::{BitSet, DocId, DocSet as _, Score, SegmentReader, TantivyError};
use tantivy_fst::{Automaton, Regex};

use crate::index::partition::PRESENCE;

/// The clock is looked at once in so many steps through a dictionary.
const DEADLINE_EVERY: u32 = 4096;

/// What one search has used of what it may.
#[derive(Debug)]
pub struct Limits {
    deadline: Instant,
    terms_max: u64,
    terms: AtomicU64,
    steps: AtomicU32,
    is_late: AtomicBool,
    is_cut: AtomicBool,
    /// Automata by expression: made once for all partitions.
    automata: Mutex<HashMap<String, Arc<Regex>>>,
}

impl Limits {
    /// Limits of a search that must be over by a moment and whose wildcards may stand for so many words.
    pub fn new(deadline: Instant, terms_max: u64) -> Limits {
        Limits {
            deadline,
            terms_max,
            terms: AtomicU64::new(0),
            steps: AtomicU32::new(0),
            is_late: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
            automata: Mutex::default(),
        }
    }

    /// Whether the time was found to be over.
    pub fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }

    /// Whether a wildcard stands for more words than were looked at.
    pub fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Relaxed)
    }

    /// Looks at the clock.
    pub fn look(&self) -> bool {
        if Instant::now() >= self.deadline {
            self.is_late.store(true, Ordering::Relaxed);
        }
        self.is_late()
    }

    /// One step more, if there is time.
    fn has_time(&self) -> bool {
        if self.steps.fetch_add(1, Ordering::Relaxed).is_multiple_of(DEADLINE_EVERY) {
            self.look();
        }
        !self.is_late()
    }

    /// Takes one word more, if that is allowed.
    fn take_term(&self) -> bool {
        let is_over = self.terms.fetch_add(1, Ordering::Relaxed) >= self.terms_max;
        if is_over {
            self.is_cut.store(true, Ordering::Relaxed);
        }
        !is_over
    }

    /// The automaton of an expression; nothing when the time is over.
    fn automaton(&self, expression: String) -> tantivy::Result<Option<Arc<Regex>>> {
        let mut automata = self.automata.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = automata.get(&expression) {
            return Ok(Some(known.clone()));
        }
        if self.look() {
            return Ok(None);
        }
        let made = Regex::new(&expression)
            .map_err(|error| TantivyError::InvalidArgument(format!("a pattern cannot be used: {error}")))?;
        let made = Arc::new(made);
        automata.insert(expression, made.clone());
        Ok(Some(made))
    }
}

/// Events with a word of a field that matches an expression as a whole.
#[derive(Debug, Clone)]
pub struct PatternQuery {
    field: Field,
    bounded: Bounded,
}

impl PatternQuery {
    /// The query; nothing when the search's time is over.
    pub fn new(expression: String, field: Field, limits: &Arc<Limits>) -> tantivy::Result<Option<PatternQuery>> {
        let regex = limits.automaton(expression)?;
        Ok(regex.map(|regex| PatternQuery { field, bounded: Bounded { regex, limits: limits.clone() } }))
    }
}

impl Query for PatternQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for PatternQuery {
    /// Collects the events of every word before the first is handed on.
    fn scorer(&self, segment: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let limits = &self.bounded.limits;
        let mut events = BitSet::with_max_value(segment.max_doc());
        let index = segment.inverted_index(self.field)?;
        let mut words = index.terms().search(&self.bounded).without_keys().into_stream()?;
        while words.advance() && limits.take_term() {
            let mut postings = index.read_block_postings_from_terminfo(words.value(), PRESENCE)?;
            while !postings.docs().is_empty() && limits.has_time() {
                for event in postings.docs() {
                    events.insert(*event);
                }
                postings.advance();
            }
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(events), boost)))
    }

    fn explain(&self, segment: &SegmentReader, event: DocId) -> tantivy::Result<Explanation> {
        let is_there = self.scorer(segment, 1.0)?.seek(event) == event;
        Ok(Explanation::new("pattern", if is_there { 1.0 } else { 0.0 }))
    }
}

/// An automaton that leads nowhere once the limits are reached.
#[derive(Debug, Clone)]
struct Bounded {
    regex: Arc<Regex>,
    limits: Arc<Limits>,
}

impl Automaton for Bounded {
    type State = Option<usize>;

    fn start(&self) -> Option<usize> {
        self.regex.start()
    }

    fn is_match(&self, state: &Option<usize>) -> bool {
        self.regex.is_match(state)
    }

    fn can_match(&self, state: &Option<usize>) -> bool {
        self.regex.can_match(state)
    }

    fn accept(&self, state: &Option<usize>, byte: u8) -> Option<usize> {
        if self.limits.has_time() && !self.limits.is_cut() { self.regex.accept(state, byte) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// How far words lead, of all that are walked one after the other.
    fn walk(limits: Limits, words: u32) -> usize {
        let regex = Arc::new(Regex::new("(.|\n)*n(.|\n)*q(.|\n)*").unwrap());
        let automaton = Bounded { regex, limits: Arc::new(limits) };
        let led_somewhere = |word: u32| {
            let end = word.to_string().bytes().fold(automaton.start(), |state, byte| automaton.accept(&state, byte));
            automaton.can_match(&end)
        };
        (0..words).filter(|word| led_somewhere(*word)).count()
    }

    #[test]
    fn a_walk_through_a_dictionary_ends_with_the_time_of_the_search() {
        let hour = Duration::from_secs(3600);
        assert_eq!(walk(Limits::new(Instant::now() + hour, u64::MAX), 10_000), 10_000);
        assert_eq!(walk(Limits::new(Instant::now(), u64::MAX), 10_000), 0);
    }

    #[test]
    fn no_automaton_is_made_when_the_time_is_over() {
        assert!(Limits::new(Instant::now(), 1).automaton("(.|\n)*".to_owned()).unwrap().is_none());
    }
}
