//! What a group of events adds up to: counts, sums, means, extremes, percentiles, numbers of different values, first and
//! last moments. Every tally can be joined with that of another segment or partition; its size is bounded whatever comes.

use std::collections::{BTreeMap, HashSet};

use luytre_events::Kind;
use serde_json::Value as Json;

use super::columns::Group;
use super::query::{FieldRef, Measure};

/// What one group adds up to so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Number of events.
    pub count: u64,
    /// One for each measure of the table.
    cells: Box<[Cell]>,
}

/// One measure of one group.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Count,
    Sum { whole: u128, float: f64 },
    Mean { sum: f64, values: u64 },
    Least(Extreme),
    Most(Extreme),
    Percentile(Sketch, u8),
    Distinct(Distinct),
    First(i64),
    Last(i64),
}

/// The greatest or least of whole numbers and of floating point ones; a field has one kind of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Extreme {
    whole: Option<u64>,
    float: Option<f64>,
}

/// A value of an event as a measure takes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// A whole number.
    Whole(u64),
    /// A floating point number.
    Float(f64),
    /// Any value, by its hash.
    Hash(u64),
}

impl Measured {
    /// What a measure wants of a value; nothing where it wants none.
    pub fn of(measure: &Measure, value: &Group) -> Option<Measured> {
        match (measure, value) {
            (Measure::Distinct(_), value) => Some(Measured::Hash(hash(value))),
            (_, Group::Number(number)) => Some(Measured::Whole(*number)),
            (_, Group::Float(bits)) => Some(Measured::Float(f64::from_bits(*bits))),
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "means and percentiles are rounded anyway")]
    fn float(self) -> f64 {
        match self {
            Measured::Whole(number) | Measured::Hash(number) => number as f64,
            Measured::Float(number) => number,
        }
    }
}

/// The same in every segment and partition of a search.
fn hash(value: &Group) -> u64 {
    ahash::RandomState::with_seeds(1, 2, 3, 4).hash_one(value)
}

impl Tally {
    /// Of no event yet.
    pub fn new(measures: &[Measure]) -> Tally {
        let cell = |measure: &Measure| match measure {
            Measure::Count => Cell::Count,
            Measure::Sum(_) => Cell::Sum { whole: 0, float: 0.0 },
            Measure::Mean(_) => Cell::Mean { sum: 0.0, values: 0 },
            Measure::Least(_) => Cell::Least(Extreme::default()),
            Measure::Most(_) => Cell::Most(Extreme::default()),
            Measure::Percentile(_, share) => Cell::Percentile(Sketch::default(), *share),
            Measure::Distinct(_) => Cell::Distinct(Distinct::default()),
            Measure::First => Cell::First(i64::MAX),
            Measure::Last => Cell::Last(i64::MIN),
        };
        Tally { count: 0, cells: measures.iter().map(cell).collect() }
    }

    /// Adds an event: its time, and for each measure its values.
    pub fn add(&mut self, time_ns: i64, values: &[Vec<Measured>]) {
        self.count += 1;
        let none = Vec::new();
        for (cell, values) in self.cells.iter_mut().zip(values.iter().chain(std::iter::repeat(&none))) {
            match cell {
                Cell::First(first) => *first = time_ns.min(*first),
                Cell::Last(last) => *last = time_ns.max(*last),
                cell => values.iter().for_each(|value| cell.add(*value)),
            }
        }
    }

    /// Adds what another part of the same group adds up to.
    pub fn merge(&mut self, other: Tally) {
        self.count += other.count;
        if self.cells.len() < other.cells.len() {
            self.cells = other.cells;
            return;
        }
        for (mine, theirs) in self.cells.iter_mut().zip(other.cells) {
            mine.merge(theirs);
        }
    }

    /// A measure's value, for ordering.
    pub fn weight(&self, number: usize) -> f64 {
        match self.cells.get(number) {
            Some(cell) => cell.weight(self.count),
            None => to_float(self.count),
        }
    }

    /// A measure's value, as the answer shows it.
    pub fn shown(&self, number: usize, measure: &Measure) -> Json {
        match (self.cells.get(number), measure) {
            (None | Some(Cell::Count), _) => self.count.into(),
            (Some(Cell::Sum { float, .. }), Measure::Sum(FieldRef { kind: Kind::Float, .. })) => (*float).into(),
            (Some(Cell::Sum { whole, .. }), _) => u64::try_from(*whole).unwrap_or(u64::MAX).into(),
            (Some(Cell::Mean { values: 0, .. }), _) => Json::Null,
            (Some(Cell::Mean { sum, values }), _) => (sum / to_float(*values)).into(),
            (Some(Cell::Least(extreme) | Cell::Most(extreme)), _) => match (extreme.whole, extreme.float) {
                (Some(whole), _) => whole.into(),
                (None, Some(float)) => float.into(),
                (None, None) => Json::Null,
            },
            (Some(Cell::Percentile(sketch, share)), _) => sketch.percentile(*share).into(),
            (Some(Cell::Distinct(distinct)), _) => distinct.count().into(),
            (Some(Cell::First(i64::MAX) | Cell::Last(i64::MIN)), _) => Json::Null,
            (Some(Cell::First(at) | Cell::Last(at)), _) => luytre_events::json::time_text(*at).into(),
        }
    }
}

impl Cell {
    fn add(&mut self, value: Measured) {
        match (self, value) {
            (Cell::Sum { whole, .. }, Measured::Whole(number)) => *whole = whole.saturating_add(number.into()),
            (Cell::Sum { float, .. }, Measured::Float(number)) => *float += number,
            (Cell::Mean { sum, values }, value) => {
                *sum += value.float();
                *values += 1;
            }
            (Cell::Least(extreme), Measured::Whole(n)) => extreme.whole = Some(extreme.whole.map_or(n, |w| w.min(n))),
            (Cell::Least(extreme), Measured::Float(n)) => extreme.float = Some(extreme.float.map_or(n, |f| f.min(n))),
            (Cell::Most(extreme), Measured::Whole(n)) => extreme.whole = Some(extreme.whole.map_or(n, |w| w.max(n))),
            (Cell::Most(extreme), Measured::Float(n)) => extreme.float = Some(extreme.float.map_or(n, |f| f.max(n))),
            (Cell::Percentile(sketch, _), value) => sketch.add(value.float()),
            (Cell::Distinct(distinct), Measured::Hash(hash)) => distinct.add(hash),
            _ => {}
        }
    }

    fn merge(&mut self, other: Cell) {
        match (self, other) {
            (Cell::Sum { whole, float }, Cell::Sum { whole: other_whole, float: other_float }) => {
                *whole = whole.saturating_add(other_whole);
                *float += other_float;
            }
            (Cell::Mean { sum, values }, Cell::Mean { sum: other_sum, values: other_values }) => {
                *sum += other_sum;
                *values += other_values;
            }
            (cell @ (Cell::Least(_) | Cell::Most(_)), Cell::Least(other) | Cell::Most(other)) => {
                other.whole.into_iter().for_each(|whole| cell.add(Measured::Whole(whole)));
                other.float.into_iter().for_each(|float| cell.add(Measured::Float(float)));
            }
            (Cell::Percentile(sketch, _), Cell::Percentile(other, _)) => sketch.merge(&other),
            (Cell::Distinct(distinct), Cell::Distinct(other)) => distinct.merge(other),
            (Cell::First(first), Cell::First(other)) => *first = other.min(*first),
            (Cell::Last(last), Cell::Last(other)) => *last = other.max(*last),
            _ => {}
        }
    }

    fn weight(&self, count: u64) -> f64 {
        let extreme = |e: &Extreme| e.whole.map(to_float).or(e.float).unwrap_or(f64::NEG_INFINITY);
        match self {
            Cell::Count => to_float(count),
            #[expect(clippy::cast_precision_loss, reason = "only the order is wanted")]
            Cell::Sum { whole, float } => *whole as f64 + float,
            Cell::Mean { values: 0, .. } => f64::NEG_INFINITY,
            Cell::Mean { sum, values } => sum / to_float(*values),
            Cell::Least(e) | Cell::Most(e) => extreme(e),
            Cell::Percentile(sketch, share) => sketch.percentile(*share).unwrap_or(f64::NEG_INFINITY),
            Cell::Distinct(distinct) => to_float(distinct.count()),
            #[expect(clippy::cast_precision_loss, reason = "only the order is wanted")]
            Cell::First(at) | Cell::Last(at) => *at as f64,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 may be rounded")]
fn to_float(number: u64) -> f64 {
    number as f64
}

/// How much greater each bucket's end is than its beginning: percentiles are right within 1 % of their value.
const BUCKET_RATIO: f64 = 1.02;
/// The smallest number told apart from nothing.
const SMALLEST: f64 = 1e-9;

/// Numbers by size in buckets of equal ratio (Masson, Rim and Lee, "DDSketch", 2019), for percentiles. Numbers below zero
/// count as nothing: no field has them. At most some 3,300 buckets can be, from 1e-9 to 2^64.
#[derive(Debug, Clone, Default, PartialEq)]
struct Sketch {
    nothing: u64,
    buckets: BTreeMap<i32, u64>,
}

impl Sketch {
    fn add(&mut self, number: f64) {
        if number < SMALLEST || !number.is_finite() {
            self.nothing += 1;
            return;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm of a finite number is small")]
        let bucket = (number.ln() / BUCKET_RATIO.ln()).ceil() as i32;
        *self.buckets.entry(bucket).or_default() += 1;
    }

    fn merge(&mut self, other: &Sketch) {
        self.nothing += other.nothing;
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
    }

    /// The number that this share of all (in hundredths) do not exceed.
    fn percentile(&self, share: u8) -> Option<f64> {
        let all = self.nothing + self.buckets.values().sum::<u64>();
        let wanted = all.checked_mul(share.into())?.div_ceil(100).max(1);
        if all == 0 {
            return None;
        }
        let mut reached = self.nothing;
        if reached >= wanted {
            return Some(0.0);
        }
        for (bucket, count) in &self.buckets {
            reached += count;
            if reached >= wanted {
                // The middle of the bucket, by ratio.
                return Some(2.0 * BUCKET_RATIO.powi(*bucket) / (BUCKET_RATIO + 1.0));
            }
        }
        None
    }
}

/// Up to so many different values are counted exactly.
const EXACT_MAX: usize = 1024;
/// Bits of the hash that choose a register.
const REGISTER_BITS: u32 = 12;

/// How many different values there were: exactly while they are few, then by HyperLogLog (Flajolet and others, 2007) with
/// 4,096 registers, right within some 2 %.
#[derive(Debug, Clone, PartialEq)]
enum Distinct {
    Exact(HashSet<u64>),
    Registers(Box<[u8]>),
}

impl Default for Distinct {
    fn default() -> Distinct {
        Distinct::Exact(HashSet::new())
    }
}

impl Distinct {
    fn add(&mut self, hash: u64) {
        match self {
            Distinct::Exact(values) => {
                values.insert(hash);
                if values.len() > EXACT_MAX {
                    let mut registers = Distinct::Registers(vec![0; 1 << REGISTER_BITS].into());
                    values.iter().for_each(|hash| registers.add(*hash));
                    *self = registers;
                }
            }
            Distinct::Registers(registers) => {
                let place = usize::try_from(hash >> (64 - REGISTER_BITS)).unwrap_or_default();
                let rank = ((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))).leading_zeros() + 1;
                if let Some(register) = registers.get_mut(place) {
                    *register = (*register).max(u8::try_from(rank).unwrap_or(u8::MAX));
                }
            }
        }
    }

    fn merge(&mut self, other: Distinct) {
        match other {
            Distinct::Exact(values) => values.into_iter().for_each(|hash| self.add(hash)),
            Distinct::Registers(theirs) => {
                if let Distinct::Exact(values) = self {
                    let mut registers = Distinct::Registers(theirs);
                    values.iter().for_each(|hash| registers.add(*hash));
                    *self = registers;
                } else if let Distinct::Registers(mine) = self {
                    mine.iter_mut().zip(&theirs).for_each(|(mine, theirs)| *mine = (*mine).max(*theirs));
                }
            }
        }
    }

    fn count(&self) -> u64 {
        let registers = match self {
            Distinct::Exact(values) => return values.len() as u64,
            Distinct::Registers(registers) => registers,
        };
        let size = to_float(registers.len() as u64);
        let sum: f64 = registers.iter().map(|register| 0.5f64.powi((*register).into())).sum();
        let estimate = 0.7213 / (1.0 + 1.079 / size) * size * size / sum;
        let empty = registers.iter().filter(|register| **register == 0).count() as u64;
        // While many registers are empty, their number tells more.
        let estimate =
            if estimate <= 2.5 * size && empty > 0 { size * (size / to_float(empty)).ln() } else { estimate };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate of a count")]
        {
            estimate.round() as u64
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field() -> FieldRef {
        FieldRef { name: "network.bytes".to_owned(), kind: Kind::Long }
    }

    fn measures() -> Vec<Measure> {
        let field = field();
        vec![
            Measure::Count,
            Measure::Sum(field.clone()),
            Measure::Mean(field.clone()),
            Measure::Least(field.clone()),
            Measure::Most(field.clone()),
            Measure::Percentile(field.clone(), 95),
            Measure::Distinct(field),
            Measure::First,
            Measure::Last,
        ]
    }

    fn tally(numbers: &[u64]) -> Tally {
        let measures = measures();
        let mut tally = Tally::new(&measures);
        for (time, number) in (0..).zip(numbers) {
            let value = Group::Number(*number);
            let values: Vec<Vec<Measured>> =
                measures.iter().map(|measure| Measured::of(measure, &value).into_iter().collect()).collect();
            tally.add(time, &values);
        }
        tally
    }

    fn shown(tally: &Tally) -> Vec<Json> {
        measures().iter().enumerate().map(|(number, measure)| tally.shown(number, measure)).collect()
    }

    proptest! {
        #[test]
        fn measures_agree_with_plain_arithmetic(numbers in prop::collection::vec(0u64..1_000_000, 1..500), cut in 0usize..500) {
            let cut = cut.min(numbers.len());
            let mut parts = tally(&numbers[..cut]);
            let rest = tally(&numbers[cut..]);
            parts.merge(rest);
            let whole = tally(&numbers);
            let (mut together, alone) = (shown(&parts), shown(&whole));
            // The parts were added with times of their own.
            together.truncate(7);
            prop_assert_eq!(&together[..], &alone[..7]);
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            prop_assert_eq!(&alone[0], &Json::from(numbers.len()));
            prop_assert_eq!(&alone[1], &Json::from(numbers.iter().sum::<u64>()));
            let mean = numbers.iter().sum::<u64>() as f64 / numbers.len() as f64;
            prop_assert!((alone[2].as_f64().unwrap() - mean).abs() <= mean * 1e-9);
            prop_assert_eq!((&alone[3], &alone[4]), (&sorted[0].into(), &sorted[sorted.len() - 1].into()));
            let exact = sorted[(numbers.len() * 95).div_ceil(100) - 1] as f64;
            prop_assert!((alone[5].as_f64().unwrap() - exact).abs() <= exact * 0.0101, "{} for {exact}", alone[5]);
            sorted.dedup();
            prop_assert_eq!(&alone[6], &Json::from(sorted.len()));
        }
    }

    #[test]
    fn many_different_values_are_estimated() {
        for size in [2_000u64, 50_000, 1_000_000] {
            let mut distinct = Distinct::default();
            for number in 0..size {
                distinct.add(hash(&Group::Number(number)));
                distinct.add(hash(&Group::Number(number)));
            }
            let off = to_float(distinct.count().abs_diff(size)) / to_float(size);
            assert!(off < 0.05, "{} for {size}", distinct.count());
        }
    }

    #[test]
    fn a_group_without_values_shows_none() {
        let mut tally = Tally::new(&measures());
        tally.add(5, &[]);
        let shown = shown(&tally);
        assert_eq!(shown[..2], [Json::from(1), Json::from(0)]);
        assert!(shown[2..6].iter().all(Json::is_null), "{shown:?}");
        assert_eq!(shown[6], 0);
    }
}
