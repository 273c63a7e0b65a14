//! Finds which of many byte patterns stand in some bytes, whatever their case.
//!
//! Of each pattern four neighbouring bytes are chosen that are rare in traffic and among the other patterns. A table of
//! bits says of four bytes whether they may be chosen ones; nearly all places are passed over with that one look. Where the
//! table says yes, the patterns with these four bytes are compared. Patterns of two or three bytes have a table of pairs.
//! Beside an automaton for the same patterns this takes a tenth of the memory, and none of it but the bits is touched
//! where nothing is found (compare Wu and Manber, "A fast algorithm for multi-pattern searching", 1994).

/// Sets the bit that tells upper from lower case letters, in eight bytes at once. Some other bytes become the same too.
const FOLD: u64 = 0x2020_2020_2020_2020;
/// Bits of the table for each pattern, about: so few other places look like one.
const BITS_EACH: usize = 16;
const TABLE_MIN_BITS: u32 = 10;
const TABLE_MAX_BITS: u32 = 20;
/// Spreads neighbouring keys (2^32 divided by the golden ratio).
const SPREAD: u32 = 0x9e37_79b1;
/// The shortest pattern that has four bytes to choose.
const GRAM: usize = 4;

/// Patterns, ready to be looked for.
#[derive(Debug, Default)]
pub struct Finder {
    /// All patterns, one after the other, in lower case.
    bytes: Vec<u8>,
    /// Where each begins and ends.
    places: Vec<(u32, u32)>,
    grams: Table,
    pairs: Table,
}

/// Patterns by a key that is made of some of their bytes.
#[derive(Debug, Default)]
struct Table {
    bits: Vec<u64>,
    shift: u32,
    /// Where the entries of a group begin; the entries of one key are in one group.
    starts: Vec<u32>,
    start_shift: u32,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u32,
    pattern: u32,
    /// How many bytes of the pattern come before the key.
    before: u8,
}

impl Finder {
    /// For patterns of two to 255 bytes in lower case.
    pub fn new(patterns: &[Vec<u8>]) -> Finder {
        let mut finder = Finder::default();
        let mut shared = std::collections::HashMap::new();
        for pattern in patterns {
            for gram in pattern.windows(GRAM) {
                *shared.entry(key(gram)).or_insert(0u32) += 1;
            }
        }
        let (mut grams, mut pairs) = (Vec::new(), Vec::new());
        for (pattern, number) in patterns.iter().zip(0u32..) {
            let begin = finder.bytes.len() as u32;
            finder.bytes.extend_from_slice(pattern);
            finder.places.push((begin, finder.bytes.len() as u32));
            let width = if pattern.len() < GRAM { 2 } else { GRAM };
            let cost = |part: &[u8]| common(part) + 3 * shared.get(&key(part)).map_or(0, |shared| shared.ilog2());
            let windows = pattern.windows(width).zip(0u8..=u8::MAX);
            let Some((part, before)) = windows.min_by_key(|(part, _)| cost(part)) else { continue };
            let entry = Entry { key: key(part), pattern: number, before };
            if width == GRAM { grams.push(entry) } else { pairs.push(entry) }
        }
        finder.grams = Table::new(grams);
        finder.pairs = Table::new(pairs);
        finder
    }

    /// Hands over the patterns that are there, some perhaps more than once.
    pub fn find(&self, bytes: &[u8], mut found: impl FnMut(usize)) {
        let mut look = |table: &Table, at: usize, key: u32| {
            for entry in table.of(key) {
                if self.is_at(bytes, at, entry) {
                    found(entry.pattern as usize);
                }
            }
        };
        if !self.grams.entries.is_empty() {
            each_gram(bytes, &self.grams, &mut look);
        }
        if !self.pairs.entries.is_empty() {
            for (pair, at) in bytes.windows(2).zip(0..) {
                let key = key(pair);
                if self.pairs.may_be(key) {
                    look(&self.pairs, at, key);
                }
            }
        }
    }

    fn is_at(&self, bytes: &[u8], at: usize, entry: &Entry) -> bool {
        let there = || {
            let (begin, end) = *self.places.get(entry.pattern as usize)?;
            let pattern = self.bytes.get(begin as usize..end as usize)?;
            let from = at.checked_sub(usize::from(entry.before))?;
            Some(bytes.get(from..from + pattern.len())?.eq_ignore_ascii_case(pattern))
        };
        there().unwrap_or(false)
    }
}

/// Looks at each four bytes, eight bytes at a time.
fn each_gram(bytes: &[u8], table: &Table, look: &mut impl FnMut(&Table, usize, u32)) {
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let folded = u64::from_le_bytes(*eight) | FOLD;
        let keys = [folded as u32, (folded >> 8) as u32, (folded >> 16) as u32, (folded >> 24) as u32];
        if keys.iter().fold(0, |any, key| any | table.bit(*key)) & 1 != 0 {
            for (key, more) in keys.into_iter().zip(0..) {
                if table.may_be(key) {
                    look(table, at + more, key);
                }
            }
        }
        at += 4;
    }
    for (gram, more) in bytes.get(at..).unwrap_or(&[]).windows(GRAM).zip(0..) {
        let key = key(gram);
        if table.may_be(key) {
            look(table, at + more, key);
        }
    }
}

/// Up to four bytes as a number, whatever their case.
fn key(part: &[u8]) -> u32 {
    part.iter().rev().fold(0, |key, byte| key << 8 | u32::from(byte | FOLD as u8))
}

/// How common bytes are in traffic, roughly: twice the logarithm.
fn common(part: &[u8]) -> u32 {
    let each = |byte: &u8| match byte | FOLD as u8 {
        b' ' => 12,
        b'e' | b't' | b'a' | b'o' | b'n' | b'i' | b's' | b'r' | b'-' | b'*' => 9,
        b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'=' | b'"' | b':' | b'<' | b'>' => 7,
        0xff | b'\x21'..=b'\x7e' => 4,
        _ => 2,
    };
    let same = part.iter().all(|byte| Some(byte) == part.first());
    part.iter().map(each).sum::<u32>() + if same { 12 } else { 0 }
}

impl Table {
    fn new(mut entries: Vec<Entry>) -> Table {
        if entries.is_empty() {
            return Table::default();
        }
        let size = |each: usize, most: u32| {
            (entries.len() * each).next_power_of_two().ilog2().clamp(TABLE_MIN_BITS, most.max(TABLE_MIN_BITS))
        };
        let (bits, groups) = (size(BITS_EACH, TABLE_MAX_BITS), size(1, TABLE_MAX_BITS));
        let mut table = Table {
            bits: vec![0; 1 << (bits - 6)],
            shift: u32::BITS - bits,
            starts: Vec::with_capacity((1 << groups) + 1),
            start_shift: u32::BITS - groups,
            entries: Vec::new(),
        };
        for entry in &entries {
            let at = spread(entry.key) >> table.shift;
            if let Some(word) = table.bits.get_mut(at as usize / 64) {
                *word |= 1 << (at % 64);
            }
        }
        entries.sort_by_key(|entry| (spread(entry.key) >> table.start_shift, entry.key, entry.pattern));
        let mut done = 0;
        for group in 0..1u32 << groups {
            table.starts.push(done as u32);
            let rest = entries.get(done..).unwrap_or(&[]);
            done += rest.iter().take_while(|entry| spread(entry.key) >> table.start_shift == group).count();
        }
        table.starts.push(done as u32);
        entries.shrink_to_fit();
        table.entries = entries;
        table
    }

    /// The lowest bit says whether a key may be one of ours.
    fn bit(&self, key: u32) -> u64 {
        let at = spread(key) >> self.shift;
        self.bits.get(at as usize / 64).map_or(0, |word| word >> (at % 64))
    }

    fn may_be(&self, key: u32) -> bool {
        self.bit(key) & 1 != 0
    }

    fn of(&self, key: u32) -> impl Iterator<Item = &Entry> {
        let group = (spread(key) >> self.start_shift) as usize;
        let place = |at: usize| self.starts.get(at).map_or(0, |place| *place as usize);
        let entries = self.entries.get(place(group)..place(group + 1)).unwrap_or(&[]);
        entries.iter().filter(move |entry| entry.key == key)
    }
}

fn spread(key: u32) -> u32 {
    key.wrapping_mul(SPREAD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(patterns: &[Vec<u8>], bytes: &[u8]) -> Vec<usize> {
        let mut all = Vec::new();
        Finder::new(patterns).find(bytes, |pattern| all.push(pattern));
        all.sort_unstable();
        all.dedup();
        all
    }

    #[test]
    fn patterns_of_all_lengths_are_found_at_both_ends_whatever_their_case() {
        let patterns: Vec<Vec<u8>> = ["ab", "abc", "abcd", "bcdefghijk", "xyz", "\u{0}\u{0}\u{0}\u{0}"]
            .map(|one| one.as_bytes().to_vec())
            .into();
        assert_eq!(found(&patterns, b"ABCDEFGHIJK"), [0, 1, 2, 3]);
        assert_eq!(found(&patterns, b"...xYz"), [4]);
        assert_eq!(found(&patterns, b"    \0\0\0"), [0usize; 0], "what only looks alike is compared");
        assert_eq!(found(&patterns, b"1\0\0\0\0"), [5]);
        assert_eq!(found(&patterns, b"a"), [0usize; 0]);
        assert_eq!(found(&[], b"abc"), [0usize; 0]);
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_stands_there(
            patterns in proptest::collection::vec(proptest::collection::vec(prop_oneof![0u8..4, 97u8..100], 2..9), 0..40),
            bytes in proptest::collection::vec(prop_oneof![0u8..4, 32u8..36, 65u8..68, 97u8..100], 0..200),
        ) {
            let stands = |pattern: &Vec<u8>| bytes.windows(pattern.len()).any(|part| part.eq_ignore_ascii_case(pattern));
            let expected: Vec<usize> = (0..patterns.len()).filter(|at| stands(&patterns[*at])).collect();
            prop_assert_eq!(found(&patterns, &bytes), expected);
        }
    }
}
