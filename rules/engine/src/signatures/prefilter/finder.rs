//! Finds which of many byte patterns stand in some bytes, whatever their case.
//!
//! Of each pattern four neighbouring bytes are chosen that are rare in traffic and among the other patterns. A table of
//! bits says of four bytes whether they may be chosen ones; nearly all places are passed over with that one look. Where the
//! table says yes, the patterns with these four bytes are compared. Patterns of two or three bytes have a table of pairs.
//! Where nothing is found, nothing but the bits is touched (compare Wu and Manber, "A fast algorithm for multi-pattern
//! searching", 1994).

/// Sets the bit that tells upper from lower case letters, in eight bytes at once. Some other bytes become the same too.
const FOLD: u64 = 0x2020_2020_2020_2020;
/// Bytes of a table of bits: it stays in the nearest cache.
const BITS_BYTES: usize = 1 << 14;
/// Places for each key in the table of groups, about: most keys that only look like one meet an empty group.
const GROUPS_EACH: usize = 4;
const GROUPS_MAX_BITS: u32 = 20;
/// Spreads neighbouring keys (2^32 divided by the golden ratio).
const SPREAD: u32 = 0x9e37_79b1;
/// The shortest pattern that has four bytes to choose.
const GRAM: usize = 4;
/// The shortest pattern.
const PAIR: usize = 2;

/// Patterns, ready to be looked for.
#[derive(Debug, Default)]
pub struct Finder {
    /// All patterns, one after the other, in lower case.
    bytes: Vec<u8>,
    /// Where each begins and ends.
    places: Vec<(u32, u32)>,
    grams: Option<Table<GRAM>>,
    pairs: Option<Table<PAIR>>,
}

/// Patterns by a key that is made of some of their bytes, as many as `WIDTH`.
#[derive(Debug)]
struct Table<const WIDTH: usize> {
    bits: Box<[u8; BITS_BYTES]>,
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

/// Which patterns were found already; used again and again.
#[derive(Debug, Default)]
pub struct Seen {
    round: u32,
    rounds: Vec<u32>,
}

impl Seen {
    fn begin(&mut self, patterns: usize) {
        if self.round == u32::MAX {
            (self.round, self.rounds) = (0, Vec::new());
        }
        self.round += 1;
        if self.rounds.len() < patterns {
            self.rounds.resize(patterns, 0);
        }
    }

    fn has(&self, pattern: usize) -> bool {
        self.rounds.get(pattern).is_some_and(|last| *last == self.round)
    }

    fn add(&mut self, pattern: usize) {
        if let Some(last) = self.rounds.get_mut(pattern) {
            *last = self.round;
        }
    }
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
            let width = if pattern.len() < GRAM { PAIR } else { GRAM };
            // Equal bytes are chosen of a pattern that has no others: so the first of a row is the place to look at.
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

    /// Hands over each pattern that is there, once.
    pub fn find(&self, bytes: &[u8], seen: &mut Seen, mut found: impl FnMut(usize)) {
        seen.begin(self.places.len());
        if let Some(table) = &self.grams {
            table.places(bytes, |at, key| self.look(table, bytes, at, key, seen, &mut found));
        }
        if let Some(table) = &self.pairs {
            table.places(bytes, |at, key| self.look(table, bytes, at, key, seen, &mut found));
        }
    }

    /// Compares the patterns of a key.
    #[inline(never)]
    fn look<const WIDTH: usize>(
        &self,
        table: &Table<WIDTH>,
        bytes: &[u8],
        at: usize,
        key: u32,
        seen: &mut Seen,
        found: &mut dyn FnMut(usize),
    ) {
        let entries = table.group(key);
        if entries.is_empty() {
            return;
        }
        // In a row of equal bytes the first place is as good as any: see `cost`.
        let row = at.checked_sub(1).and_then(|before| bytes.get(before..at + WIDTH));
        if row.is_some_and(|row| row.iter().all(|byte| Some(byte) == row.first())) {
            return;
        }
        for entry in entries.iter().filter(|entry| entry.key == key) {
            let pattern = entry.pattern as usize;
            if !seen.has(pattern) && self.is_at(bytes, at, entry) {
                seen.add(pattern);
                found(pattern);
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
    part.iter().map(each).sum::<u32>() + if same { 1000 } else { 0 }
}

impl<const WIDTH: usize> Table<WIDTH> {
    fn new(mut entries: Vec<Entry>) -> Option<Table<WIDTH>> {
        if entries.is_empty() {
            return None;
        }
        let groups = (entries.len() * GROUPS_EACH).next_power_of_two().ilog2().min(GROUPS_MAX_BITS);
        let start_shift = u32::BITS - groups;
        let group = |entry: &Entry| spread(entry.key) >> start_shift;
        let mut bits = Box::new([0; BITS_BYTES]);
        for entry in &entries {
            let (byte, bit) = place(entry.key);
            bits[byte] |= 1 << bit;
        }
        entries.sort_by_key(|entry| (group(entry), entry.key, entry.pattern));
        entries.shrink_to_fit();
        let (mut starts, mut done) = (Vec::with_capacity((1 << groups) + 1), 0);
        for number in 0..1u32 << groups {
            starts.push(done as u32);
            let rest = entries.get(done..).unwrap_or(&[]);
            done += rest.iter().take_while(|entry| group(entry) == number).count();
        }
        starts.push(done as u32);
        Some(Table { bits, starts, start_shift, entries })
    }

    /// Hands over the places whose key may be one of ours, with the key; eight bytes are in sight at a time.
    fn places(&self, bytes: &[u8], mut look: impl FnMut(usize, u32)) {
        let (bits, mut at) = (&*self.bits, 0);
        let mask = if WIDTH == GRAM { u32::MAX } else { 0xffff };
        for eight in bytes.windows(8).step_by(4) {
            let Some(eight) = eight.first_chunk() else { break };
            let folded = u64::from_le_bytes(*eight) | FOLD;
            let key = |more: u32| (folded >> (8 * more)) as u32 & mask;
            let may = |more: u32| u32::from(bit(bits, key(more)) & 1) << more;
            let mut any = may(0) | may(1) | may(2) | may(3);
            while any != 0 {
                let more = any.trailing_zeros();
                look(at + more as usize, key(more));
                any &= any - 1;
            }
            at += 4;
        }
        for (part, more) in bytes.get(at..).unwrap_or(&[]).windows(WIDTH).zip(0..) {
            let key = key(part);
            if bit(bits, key) & 1 != 0 {
                look(at + more, key);
            }
        }
    }

    fn group(&self, key: u32) -> &[Entry] {
        let group = (spread(key) >> self.start_shift) as usize;
        match self.starts.get(group..group + 2) {
            Some([from, to]) => self.entries.get(*from as usize..*to as usize).unwrap_or(&[]),
            _ => &[],
        }
    }
}

fn spread(key: u32) -> u32 {
    key.wrapping_mul(SPREAD)
}

/// The lowest bit says whether a key may be one of those.
#[inline(always)]
fn bit(bits: &[u8; BITS_BYTES], key: u32) -> u8 {
    let (byte, bit) = place(key);
    bits[byte] >> bit
}

/// Which bit of which byte belongs to a key.
#[inline(always)]
fn place(key: u32) -> (usize, u32) {
    let spread = spread(key);
    ((spread >> 18) as usize, spread >> 15 & 7)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(patterns: &[Vec<u8>], bytes: &[u8]) -> Vec<usize> {
        let (mut all, mut seen) = (Vec::new(), Seen::default());
        let finder = Finder::new(patterns);
        finder.find(b"what was seen before does not matter: abcdxyz", &mut seen, |_| ());
        finder.find(bytes, &mut seen, |pattern| all.push(pattern));
        all.sort_unstable();
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
