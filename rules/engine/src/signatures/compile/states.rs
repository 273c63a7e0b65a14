//! Keywords about what is remembered: `flowbits`, `flowint`, `xbits`, `hostbits`, `dataset`, `datarep`.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::buffer::{self, BufferId};
use super::super::language::{NumberTest, Reason, number};
use super::super::rule::{Condition, Keeper, NumberChange, SetTest, StateChange, StateTest};
use super::super::sets::{Ask, Json, Kind, Memory, ValueSet};
use super::bytes::comparison;
use super::{Compiler, Draft};

/// How long bits of hosts last where a rule does not say it, in seconds.
const BIT_SECONDS: u32 = 30;
/// `hostbits` say nothing of time and last longer.
const HOST_BIT_SECONDS: u32 = 300;

impl Compiler {
    /// Takes a keyword of this family.
    pub(super) fn states(
        &mut self,
        draft: &mut Draft,
        keyword: &str,
        value: Option<&str>,
    ) -> Option<Result<(), Reason>> {
        let value = value.unwrap_or("").trim();
        Some(match keyword {
            "flowbits" => self.flow_bits(draft, value),
            "hostbits" => self.host_bits(draft, value),
            "xbits" => self.x_bits(draft, value),
            "flowint" => {
                draft.addresses_only = false;
                self.flow_number(draft, value)
            }
            "filemd5" => self.digests(draft, value, buffer::FILE_MD5, 16),
            "filesha1" => self.digests(draft, value, buffer::FILE_SHA1, 20),
            "filesha256" => self.digests(draft, value, buffer::FILE_SHA256, 32),
            "dataset" => {
                draft.addresses_only = false;
                self.data_set(draft, value)
            }
            "datarep" => {
                draft.addresses_only = false;
                self.reputation(draft, value)
            }
            _ => return None,
        })
    }

    fn flow_bits(&mut self, draft: &mut Draft, value: &str) -> Result<(), Reason> {
        let (what, names) = value.split_once(',').unwrap_or((value, ""));
        if what.trim() == "noalert" {
            draft.rule.silent = true;
            return Ok(());
        }
        self.bits(draft, what.trim(), names, Keeper::Flow, 0)
    }

    fn host_bits(&mut self, draft: &mut Draft, value: &str) -> Result<(), Reason> {
        let mut parts = value.split(',').map(str::trim);
        let what = parts.next().unwrap_or("");
        let name = parts.next().unwrap_or("");
        let keeper = match parts.next() {
            None | Some("src") => Keeper::Source,
            Some("dst") => Keeper::Destination,
            Some("both") => Keeper::Pair,
            Some(other) => return Err(format!("{other} is no host")),
        };
        self.bits(draft, what, name, keeper, HOST_BIT_SECONDS)
    }

    fn x_bits(&mut self, draft: &mut Draft, value: &str) -> Result<(), Reason> {
        let mut parts = value.split(',').map(str::trim);
        let what = parts.next().unwrap_or("");
        if what == "noalert" {
            draft.rule.silent = true;
            return Ok(());
        }
        let name = parts.next().unwrap_or("");
        let (mut keeper, mut seconds) = (None, BIT_SECONDS);
        for part in parts {
            match part.split_once(char::is_whitespace).map(|(name, value)| (name, value.trim())) {
                Some(("track", "ip_src")) => keeper = Some(Keeper::Source),
                Some(("track", "ip_dst")) => keeper = Some(Keeper::Destination),
                Some(("track", "ip_pair")) => keeper = Some(Keeper::Pair),
                Some(("track", "tx")) => keeper = Some(Keeper::Flow),
                Some(("expire", value)) => seconds = value.parse().map_err(|_| format!("{value} is no number"))?,
                _ => return Err(format!("{part} is unknown")),
            }
        }
        self.bits(draft, what, name, keeper.ok_or("track is missing")?, seconds)
    }

    fn bits(&mut self, draft: &mut Draft, what: &str, names: &str, keeper: Keeper, seconds: u32) -> Result<(), Reason> {
        let names: Vec<&str> = names.split('|').map(str::trim).filter(|name| !name.is_empty()).collect();
        let first = *names.first().ok_or("it wants a name")?;
        if names.len() > 1 && !matches!(what, "isset" | "isnotset") {
            return Err("only isset and isnotset take several names".into());
        }
        let numbers: Vec<u32> = names.iter().map(|name| self.name(name)).collect();
        let name = self.name(first);
        let rule = &mut draft.rule;
        match what {
            "isset" => rule.asks.push(StateTest::Bits { keeper, names: numbers, set: true }),
            "isnotset" => rule.asks.push(StateTest::Bits { keeper, names: numbers, set: false }),
            "set" => rule.sets.push(StateChange::Set { keeper, name, seconds }),
            "unset" => rule.sets.push(StateChange::Unset { keeper, name }),
            "toggle" => rule.sets.push(StateChange::Toggle { keeper, name, seconds }),
            other => return Err(format!("{other} is unknown")),
        }
        Ok(())
    }

    fn flow_number(&mut self, draft: &mut Draft, value: &str) -> Result<(), Reason> {
        let parts: Vec<&str> = value.split(',').map(str::trim).collect();
        let (name, sign, value) = match parts.as_slice() {
            [name, sign] => (self.name(name), *sign, ""),
            [name, sign, value] => (self.name(name), *sign, *value),
            _ => return Err("it wants a name, what is done, and a value".into()),
        };
        let rule = &mut draft.rule;
        match sign {
            "isset" => rule.asks.push(StateTest::Known { name, known: true }),
            "notset" | "isnotset" => rule.asks.push(StateTest::Known { name, known: false }),
            _ => {
                let value: u64 = value.parse().map_err(|_| format!("{value} is no number"))?;
                let change = match sign {
                    "+" => Some(NumberChange::Grow(value)),
                    "-" => Some(NumberChange::Shrink(value)),
                    "=" => Some(NumberChange::Become(value)),
                    _ => None,
                };
                match (change, sign) {
                    (Some(change), _) => rule.sets.push(StateChange::Number { name, change }),
                    (None, "!=") => {
                        let how = comparison("=")?;
                        rule.asks.push(StateTest::Number { name, how, value, negated: true });
                    }
                    (None, sign) => {
                        let how = comparison(sign)?;
                        rule.asks.push(StateTest::Number { name, how, value, negated: false });
                    }
                }
            }
        }
        Ok(())
    }

    fn data_set(&mut self, draft: &mut Draft, value: &str) -> Result<(), Reason> {
        let mut parts = value.split(',').map(str::trim);
        let ask = match parts.next().unwrap_or("") {
            "isset" => Ask::In,
            "isnotset" => Ask::NotIn,
            "set" => Ask::Add,
            "unset" => Ask::Remove,
            other => return Err(format!("{other} is unknown")),
        };
        let name = parts.next().unwrap_or("").to_owned();
        let (mut kind, mut file, mut json, mut memory) = (None, None, None::<Json>, Memory::default());
        for part in parts {
            match part.split_once(char::is_whitespace).map(|(name, value)| (name, value.trim())) {
                Some(("type", value)) => {
                    kind = Some(Kind::named(value).ok_or_else(|| format!("{value} is no type of a set"))?);
                }
                Some(("load", value)) => file = Some((value.to_owned(), true)),
                Some(("state", value)) => file = Some((value.to_owned(), false)),
                Some(("save", _)) => {}
                Some(("memcap", value)) => memory.bytes = Some(size("memcap", value)?),
                Some(("hashsize", value)) => memory.rows = Some(size("hashsize", value)?),
                Some(("format", "json")) => json.get_or_insert_default().whole = true,
                Some(("format", "ndjson" | "jsonline")) => json.get_or_insert_default().whole = false,
                Some(("value_key", value)) => json.get_or_insert_default().value = value.to_owned(),
                Some(("array_key", value)) => json.get_or_insert_default().array = value.to_owned(),
                // What is said of a value besides is told by no alert.
                Some(("format" | "enrichment_key" | "context_key", _)) => {}
                None if part == "remove_key" => {}
                _ => return Err(format!("{part} is unknown")),
            }
        }
        let set = self.set(&name, kind, file, json, memory)?;
        draft.lists.push(Condition::Set(SetTest { set, ask }), false)
    }

    fn reputation(&mut self, draft: &mut Draft, value: &str) -> Result<(), Reason> {
        let mut parts = value.split(',').map(str::trim);
        let name = parts.next().unwrap_or("").to_owned();
        let sign = parts.next().unwrap_or("");
        let number = parts.next().unwrap_or("");
        let (mut kind, mut file, mut memory) = (None, None, Memory::default());
        for part in parts {
            match part.split_once(char::is_whitespace).map(|(name, value)| (name, value.trim())) {
                Some(("type", value)) => kind = Kind::named(value),
                Some(("load", value)) => file = Some((value.to_owned(), true)),
                Some(("memcap", value)) => memory.bytes = Some(size("memcap", value)?),
                Some(("hashsize", value)) => memory.rows = Some(size("hashsize", value)?),
                _ => return Err(format!("{part} is unknown")),
            }
        }
        let test = NumberTest::parse(&format!("{sign}{number}"))?;
        let set = self.set(&name, kind, file, None, memory)?;
        draft.lists.push(Condition::Set(SetTest { set, ask: Ask::Reputation(test) }), false)
    }

    /// A list of digests of files, one a line.
    fn digests(&mut self, draft: &mut Draft, value: &str, id: BufferId, length: usize) -> Result<(), Reason> {
        draft.addresses_only = false;
        let (value, ask) = match value.strip_prefix('!') {
            Some(value) => (value.trim(), Ask::NotIn),
            None => (value, Ask::In),
        };
        let file = value.trim_matches('"').to_owned();
        let set = self.set(
            &format!("{file} {length}"),
            Some(Kind::Digest(length)),
            Some((file.clone(), true)),
            None,
            Memory::default(),
        )?;
        draft.lists.push_to(id, Condition::Set(SetTest { set, ask }))
    }

    /// A set that another rule has named, or a new one.
    fn set(
        &mut self,
        name: &str,
        kind: Option<Kind>,
        file: Option<(String, bool)>,
        json: Option<Json>,
        memory: Memory,
    ) -> Result<Arc<ValueSet>, Reason> {
        if name.is_empty() {
            return Err("it wants a name".into());
        }
        if let Some(set) = self.sets.iter().find(|set| set.name == name) {
            if kind.is_some_and(|kind| kind != set.kind) {
                return Err(format!("the set {name} has another type in another rule"));
            }
            return Ok(set.clone());
        }
        let kind = kind.ok_or("the type is missing")?;
        let file: Option<PathBuf> = match file {
            // What was kept of an earlier run need not be there.
            Some((file, wanted)) => Some(self.folder.join(file)).filter(|path| wanted || path.exists()),
            None => None,
        };
        let number = self.sets.len();
        let set = match (json, &file) {
            (Some(json), Some(file)) => ValueSet::load_json(name, number, kind, file, &json)?,
            _ => ValueSet::load(name, number, kind, file.as_deref())?,
        };
        let set = Arc::new(set.within(memory)?);
        self.sets.push(set.clone());
        Ok(set)
    }
}

fn size(what: &str, text: &str) -> Result<u64, Reason> {
    number(text).ok_or_else(|| format!("{what}: {text} is no size"))
}
