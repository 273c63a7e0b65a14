//! From the text of a rule to what the matcher needs.
//!
//! Keywords are taken in their order; each module here knows a family of them. What a rule asks for and the sensor cannot
//! see yet is noted in [`Rule::unsupported`]: such a rule loads, is reported, and never matches. What makes no sense is a
//! [`Fault`] with its place.

mod bytes;
mod certificates;
mod content;
mod events;
mod headers;
mod lists;
mod meta;
mod scope;
mod states;
mod words;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::buffer;
use super::language::{Action, Fault, Header, OptionText, Reason, Statement, Variables};
use super::modbus::ModbusTest;
use super::rule::{Condition, FlowTest, Rule, Scope};
use super::ruleset::Reported;
use super::sets::ValueSet;
use super::transform;
pub(super) use content::unquoted;
use lists::{Current, Lists};

/// What the rules of a set share while they are compiled.
#[derive(Debug, Default)]
pub struct Compiler {
    /// Groups of addresses and ports.
    pub variables: Variables,
    /// Folder in which files that rules name are looked for.
    pub folder: PathBuf,
    /// Names of bits and numbers.
    names: HashMap<String, u32>,
    /// Sets of values.
    sets: Vec<Arc<ValueSet>>,
    /// Classes and their priorities.
    classes: HashMap<String, u8>,
}

impl Compiler {
    /// With groups of addresses and ports. Bits and numbers keep the numbers that they have among `names`.
    pub fn new(variables: Variables, names: HashMap<String, u32>) -> Compiler {
        Compiler { variables, names, classes: meta::classes(), ..Compiler::default() }
    }

    /// Names of bits and numbers, with what stands for them in rules.
    pub fn into_names(self) -> HashMap<String, u32> {
        self.names
    }

    /// Lines that were left out of files with values.
    pub fn left_out(&self) -> Vec<Reported> {
        self.sets.iter().flat_map(|set| set.left_out.iter().cloned()).collect()
    }

    /// The number of a name.
    fn name(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        *self.names.entry(name.trim().to_owned()).or_insert(next)
    }

    /// Compiles a rule; nothing where it says itself that this engine need not know it (`requires`).
    pub fn rule(&mut self, statement: &Statement) -> Result<Option<Rule>, Fault> {
        let fault = |column: u32, keyword: &str, reason: Reason| Fault {
            line: statement.line,
            column,
            keyword: keyword.to_owned(),
            reason,
        };
        let header = Header::parse(&statement.header, &self.variables).map_err(|reason| fault(1, "", reason))?;
        let mut draft = Draft::new(statement.action, header);
        for option in &statement.options {
            if option.keyword.eq_ignore_ascii_case("requires") && !meta::required(option.value.as_deref().unwrap_or(""))
            {
                return Ok(None);
            }
            self.option(&mut draft, option).map_err(|reason| fault(option.column, &option.keyword, reason))?;
        }
        draft.finish().map(Some).map_err(|reason| fault(1, "", reason))
    }

    fn option(&mut self, draft: &mut Draft, option: &OptionText) -> Result<(), Reason> {
        let keyword = option.keyword.to_ascii_lowercase();
        let value = option.value.as_deref();
        if let Some(done) = draft.meta(&keyword, value, &self.classes) {
            return done;
        }
        if let Some(done) = draft.words(&keyword, value) {
            return done;
        }
        if let Some(id) = buffer::by_keyword(&keyword) {
            return draft.buffer(id, value);
        }
        if let Some(transform) = transform::parse(&keyword, value) {
            return draft.lists.transform(transform?);
        }
        if let Some(done) = draft.content(&keyword, value) {
            return done;
        }
        if let Some(done) = draft.bytes(&keyword, value) {
            return done;
        }
        if let Some(done) = draft.headers(&keyword, value) {
            return done;
        }
        if let Some(done) = draft.events(&keyword, value.unwrap_or("")) {
            return done;
        }
        if let Some(done) = draft.certificates(&keyword, value.unwrap_or("")) {
            return done;
        }
        if let Some(done) = self.states(draft, &keyword, value) {
            return done;
        }
        match unsupported(&keyword) {
            Some(why) => {
                draft.unsupported.push(format!("{keyword}: {why}"));
                Ok(())
            }
            None => Err("this keyword is unknown".into()),
        }
    }
}

/// Why a keyword that is known cannot be satisfied.
fn unsupported(keyword: &str) -> Option<&'static str> {
    let lines = include_str!("unsupported.txt").lines();
    lines.filter_map(|line| line.split_once(' ')).find(|(name, _)| *name == keyword).map(|(_, why)| why)
}

/// A rule that is being put together.
struct Draft {
    rule: Rule,
    lists: Lists,
    unsupported: Vec<String>,
    /// A keyword asks for packets.
    wants_packet: bool,
    /// All keywords so far could be asked of addresses alone.
    addresses_only: bool,
    sid_seen: bool,
    /// The protocol whose event or frame it asks for.
    event_protocol: Option<String>,
}

impl Draft {
    fn new(action: Action, header: Header) -> Draft {
        let rule = Rule {
            sid: 0,
            gid: 1,
            rev: 0,
            message: String::new(),
            class: None,
            priority: 3,
            action,
            header,
            flow: FlowTest::default(),
            packet: Vec::new(),
            lists: Vec::new(),
            asks: Vec::new(),
            sets: Vec::new(),
            limits: Vec::new(),
            silences: Arc::default(),
            silent: action == Action::Config,
            tells_pass: false,
            protocol: None,
            spoken: Vec::new(),
            scope: Scope::Packet,
            unsupported: Vec::new(),
            variables: 0,
        };
        let lists = Lists::default();
        let unsupported = Vec::new();
        let (wants_packet, addresses_only, sid_seen, event_protocol) = (false, true, false, None);
        Draft { rule, lists, unsupported, wants_packet, addresses_only, sid_seen, event_protocol }
    }

    /// A sticky buffer, or a number that a keyword of the same name asks for.
    fn buffer(&mut self, id: buffer::BufferId, value: Option<&str>) -> Result<(), Reason> {
        let known = id.buffer();
        self.addresses_only = false;
        if !known.filled {
            self.unsupported.push(format!("{}: no parser fills it yet", known.name));
        }
        let of_numbers = matches!(known.holds, buffer::Holds::Number | buffer::Holds::Numbers | buffer::Holds::Flags);
        match (known.holds, value) {
            (_, Some(value)) if of_numbers => self.lists.number(id, value),
            (_, None) if of_numbers => Err("it wants a number".into()),
            // Files of a name: the keyword itself says what to find.
            // Conditions on its version are not asked yet; the interface is.
            (_, Some(value)) if id == buffer::DCERPC_INTERFACE => {
                self.lists.named(id, value.split(',').next().unwrap_or(value))
            }
            (_, Some(value)) if id == buffer::MODBUS_REQUEST => {
                self.lists.judged(id, Condition::Modbus(ModbusTest::parse(value)?))
            }
            // Which way is told by where it is found.
            (_, Some("to_client" | "to_server")) => {
                self.lists.begin(Current::Buffer(id));
                Ok(())
            }
            (_, Some(value)) => self.lists.named(id, value),
            (_, None) => {
                self.lists.begin(if id == buffer::PAYLOAD { Current::Payload } else { Current::Buffer(id) });
                Ok(())
            }
        }
    }

    fn finish(mut self) -> Result<Rule, Reason> {
        if !self.sid_seen {
            return Err("there is no sid".into());
        }
        self.rule.variables = self.lists.variables();
        self.rule.lists = self.lists.finish()?;
        self.rule.unsupported = self.unsupported;
        self.rule.protocol = self.event_protocol;
        scope::settle(&mut self.rule, self.wants_packet, self.addresses_only)?;
        Ok(self.rule)
    }
}
