//! Sets of values that rules ask (`dataset`, `datarep`): loaded from files, and changed while packets go by.
//!
//! What a file holds is shared by all workers; what rules add or take out is kept by each of them, up to
//! [`CHANGES_MAX`] values a set, and counted beyond.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::language::{NumberTest, Reason};
use super::ruleset::Reported;

/// The largest file that is loaded.
const FILE_MAX_BYTES: u64 = 256 << 20;
/// The most values that rules add to a set, or take out of it.
pub const CHANGES_MAX: usize = 100_000;
/// Lines of a file that are left out and told of.
const LEFT_OUT_MAX: usize = 20;
/// The longest value that rules add.
const VALUE_MAX_BYTES: usize = 4096;

/// What a row of a set's table takes, as rules with `memcap` and `hashsize` reckon.
const ROW_BYTES: u64 = 64;
/// What a value takes besides its own bytes, by the same reckoning.
const VALUE_BYTES: u64 = 104;
/// Rows of a table of which no rule says how many it has.
const ROWS: u64 = 4096;
/// Values that a table has places for from the beginning.
const PLACES: u64 = 1000;

/// The memory that a rule gives a set (`memcap`, `hashsize`). Ours takes less; rules are written for tables with places
/// made ahead, and a set that could not have them is refused there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes at most, where a rule says so.
    pub bytes: Option<u64>,
    /// Rows of the table.
    pub rows: Option<u64>,
}

/// How values are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Base64.
    Text,
    /// A digest in hexadecimal: 16 or 32 bytes.
    Digest(usize),
    /// Addresses; IPv4 as IPv6 (`::ffff:a.b.c.d`).
    Address,
}

/// A set.
#[derive(Debug)]
pub struct ValueSet {
    /// Its name in rules.
    pub name: String,
    /// Its place among the sets of a rule set.
    pub number: usize,
    /// How its values are written.
    pub kind: Kind,
    /// Values with their reputation, where they have one.
    values: HashMap<Vec<u8>, u64>,
    /// Lines of the file that were left out, and why; the first of them.
    pub left_out: Vec<Reported>,
    /// What its memory still holds of values that rules add.
    room_bytes: u64,
}

/// What a rule asks of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The value is in it.
    In,
    /// The value is not in it.
    NotIn,
    /// The value is put into it; true when it is new.
    Add,
    /// The value is taken out; true when it was there.
    Remove,
    /// The value's reputation compares so.
    Reputation(NumberTest),
}

/// Where values stand in a file of JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Json {
    /// The file is one document, else each line is one.
    pub whole: bool,
    /// Path of keys, with dots, to the list of a document; empty where the document is it.
    pub array: String,
    /// Path of keys to the value in an item.
    pub value: String,
}

impl ValueSet {
    fn empty(name: &str, number: usize, kind: Kind) -> ValueSet {
        let name = name.to_owned();
        ValueSet { name, number, kind, values: HashMap::new(), left_out: Vec::new(), room_bytes: u64::MAX }
    }

    /// The set in the memory that its rule gives it; refused where that does not hold what was loaded.
    pub fn within(mut self, memory: Memory) -> Result<ValueSet, Reason> {
        let Some(bytes) = memory.bytes.filter(|bytes| *bytes > 0) else { return Ok(self) };
        let rows = memory.rows.filter(|rows| *rows > 0).unwrap_or(ROWS);
        let values: u64 = self.values.keys().map(|value| self.kind.own_bytes(value)).sum();
        let places = PLACES.max(self.values.len() as u64);
        let needed = rows.saturating_mul(ROW_BYTES).saturating_add(places * VALUE_BYTES + values);
        self.room_bytes = bytes.checked_sub(needed).ok_or_else(|| {
            format!("memcap {bytes}: a table of {rows} rows with {} values needs {needed}", self.values.len())
        })?;
        Ok(self)
    }

    fn leave_out(&mut self, file: &Path, line: u32, why: &str) {
        if self.left_out.len() < LEFT_OUT_MAX {
            let (file, what) = (file.display().to_string().into(), format!("{why}; the other values are used"));
            self.left_out.push(Reported { file, line, what });
        }
    }

    /// A set with what a file of JSON holds.
    pub fn load_json(name: &str, number: usize, kind: Kind, file: &Path, json: &Json) -> Result<ValueSet, Reason> {
        let mut set = ValueSet::empty(name, number, kind);
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = text_of(file)?;
        let documents: Vec<serde_json::Value> = if json.whole {
            vec![serde_json::from_str(&text).map_err(|error| told(&error))?]
        } else {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.map(serde_json::from_str).collect::<Result<_, _>>().map_err(|error| told(&error))?
        };
        let pointer = |path: &str| if path.is_empty() { String::new() } else { format!("/{}", path.replace('.', "/")) };
        for document in &documents {
            let list = document.pointer(&pointer(&json.array)).ok_or_else(|| told(&"there is no such list"))?;
            let items = list.as_array().map_or_else(|| std::slice::from_ref(list), Vec::as_slice);
            for item in items {
                let value = item.pointer(&pointer(&json.value)).and_then(serde_json::Value::as_str);
                let value =
                    value.and_then(|text| kind.read_plain(text)).ok_or_else(|| told(&"an item has no such value"))?;
                set.values.insert(value, 0);
            }
        }
        Ok(set)
    }

    /// A set with what a file holds, if there is one.
    pub fn load(name: &str, number: usize, kind: Kind, file: Option<&Path>) -> Result<ValueSet, Reason> {
        let mut set = ValueSet::empty(name, number, kind);
        let Some(file) = file else { return Ok(set) };
        let text = text_of(file)?;
        for (line, number) in text.lines().zip(1u32..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (value, reputation) = line.split_once(',').unwrap_or((line, "0"));
            // Lists of digests may have names of files behind them.
            let word = value.split_whitespace().next().filter(|_| matches!(kind, Kind::Digest(_)));
            let value = kind.read(word.unwrap_or(value.trim()));
            match (value, reputation.trim().parse()) {
                (Some(value), Ok(reputation)) => _ = set.values.insert(value, reputation),
                // The other values of a file are good all the same.
                (None, _) => set.leave_out(file, number, "this is no value of the type that the rule names"),
                (_, Err(_)) => set.leave_out(file, number, "the reputation of this value is no number"),
            }
        }
        Ok(set)
    }
}

fn text_of(file: &Path) -> Result<String, Reason> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let size = file.metadata().map_err(|error| told(&error))?.len();
    if size > FILE_MAX_BYTES {
        return Err(told(&format!("larger than {FILE_MAX_BYTES} bytes")));
    }
    std::fs::read_to_string(file).map_err(|error| told(&error))
}

impl Kind {
    /// What a value takes beside its place: only text has a length of its own.
    fn own_bytes(self, value: &[u8]) -> u64 {
        if self == Kind::Text { value.len() as u64 } else { 0 }
    }

    /// A value as JSON has it: text stands for itself.
    fn read_plain(self, text: &str) -> Option<Vec<u8>> {
        if self == Kind::Text { Some(text.as_bytes().to_vec()) } else { self.read(text) }
    }

    /// The kind of a name.
    pub fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "string" => Kind::Text,
            "md5" => Kind::Digest(16),
            "sha256" => Kind::Digest(32),
            "ipv4" | "ipv6" | "ip" => Kind::Address,
            _ => return None,
        })
    }

    fn read(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Kind::Text => {
                let whole = text.len().is_multiple_of(4) && !text.is_empty();
                whole.then(|| super::base64::decode(text.as_bytes(), false))
            }
            Kind::Digest(length) => hex::decode(text).ok().filter(|bytes| bytes.len() == length),
            Kind::Address => text.parse().ok().map(address),
        }
    }
}

/// An address as sets keep it.
pub fn address(address: std::net::IpAddr) -> Vec<u8> {
    match address {
        std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().octets().to_vec(),
        std::net::IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// Values that rules have put into a set and taken from it.
#[derive(Debug, Default)]
struct Changed {
    added: HashSet<Vec<u8>>,
    added_bytes: u64,
    removed: HashSet<Vec<u8>>,
}

/// What rules have changed, set by set.
#[derive(Debug, Default)]
pub struct SetChanges {
    sets: HashMap<usize, Changed>,
    /// Values that found no room.
    pub refused: u64,
}

impl SetChanges {
    /// Answers what a rule asks.
    pub fn ask(&mut self, set: &Arc<ValueSet>, ask: &Ask, value: &[u8]) -> bool {
        let value: std::borrow::Cow<'_, [u8]> = match (set.kind, value) {
            (Kind::Address, [a, b, c, d]) => address(std::net::IpAddr::from([*a, *b, *c, *d])).into(),
            (Kind::Digest(length), value) if value.len() == length * 2 => match hex::decode(value) {
                Ok(bytes) => bytes.into(),
                Err(_) => return false,
            },
            (_, value) => value.into(),
        };
        let Changed { added, added_bytes, removed } = self.sets.entry(set.number).or_default();
        let loaded = set.values.contains_key(value.as_ref());
        let there = added.contains(value.as_ref()) || (loaded && !removed.contains(value.as_ref()));
        match ask {
            Ask::In => there,
            Ask::NotIn => !there,
            Ask::Reputation(test) => set.values.get(value.as_ref()).is_some_and(|number| test.accepts(*number)),
            Ask::Add if there => false,
            Ask::Remove if !there => false,
            Ask::Add | Ask::Remove
                if added.len().max(removed.len()) >= CHANGES_MAX || value.len() > VALUE_MAX_BYTES =>
            {
                self.refused += 1;
                false
            }
            Ask::Add if loaded => removed.remove(value.as_ref()),
            Ask::Add => {
                let taken = added_bytes.saturating_add(set.kind.own_bytes(&value));
                if taken > set.room_bytes {
                    self.refused += 1;
                    return false;
                }
                *added_bytes = taken;
                added.insert(value.into_owned())
            }
            Ask::Remove => {
                if added.remove(value.as_ref()) {
                    *added_bytes = added_bytes.saturating_sub(set.kind.own_bytes(&value));
                }
                !loaded || removed.insert(value.into_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_loaded_asked_and_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("names.csv");
        std::fs::write(&file, "YS5leGFtcGxl,7\n# no\nYi5leGFtcGxl\n").unwrap();
        let set = Arc::new(ValueSet::load("names", 0, Kind::Text, Some(&file)).unwrap());
        let mut changes = SetChanges::default();
        let above = Ask::Reputation(NumberTest::parse(">6").unwrap());
        assert!(changes.ask(&set, &Ask::In, b"a.example") && changes.ask(&set, &above, b"a.example"));
        assert!(!changes.ask(&set, &above, b"b.example") && changes.ask(&set, &Ask::NotIn, b"c.example"));
        assert!(changes.ask(&set, &Ask::Add, b"c.example") && !changes.ask(&set, &Ask::Add, b"c.example"));
        assert!(changes.ask(&set, &Ask::Remove, b"a.example") && !changes.ask(&set, &Ask::In, b"a.example"));
        std::fs::write(&file, "!!\nYS5leGFtcGxl\n").unwrap();
        let set = Arc::new(ValueSet::load("names", 0, Kind::Text, Some(&file)).unwrap());
        assert_eq!((set.left_out.len(), set.left_out[0].line), (1, 1));
        assert!(SetChanges::default().ask(&set, &Ask::In, b"a.example"), "one bad line does not spoil the others");
    }

    #[test]
    fn a_set_keeps_to_the_memory_that_its_rule_gives_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("names.csv");
        std::fs::write(&file, "YS5leGFtcGxl\n").unwrap();
        let loaded = |bytes| {
            let set = ValueSet::load("names", 0, Kind::Text, Some(&file)).unwrap();
            set.within(Memory { bytes: Some(bytes), rows: Some(1) })
        };
        let needed = 64 + 1000 * 104 + 9;
        let told = loaded(needed - 1).unwrap_err();
        assert!(told.contains("with 1 values needs 104073"), "{told}");
        let set = Arc::new(loaded(needed + 10).unwrap());
        let mut changes = SetChanges::default();
        assert!(changes.ask(&set, &Ask::Add, b"b.example"));
        assert!(!changes.ask(&set, &Ask::Add, b"c.example"), "no room is left");
        assert_eq!(changes.refused, 1);
        assert!(changes.ask(&set, &Ask::Remove, b"b.example") && changes.ask(&set, &Ask::Add, b"c.example"));
    }
}
