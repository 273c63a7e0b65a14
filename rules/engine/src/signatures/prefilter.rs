//! Which rules are worth asking: one table of patterns for each way of looking into a buffer.
//!
//! Of each rule one content is chosen, the author's choice or the longest; the rule is asked where that content is found.
//! Rules without a content of [`PATTERN_MIN_BYTES`] are asked always, by transport, port and protocol. Case does not matter
//! here: the matcher looks closer. Before that a [`Gate`] turns away rules for other transports, protocols and directions.

use std::borrow::Cow;
use std::collections::HashMap;

use super::buffer::{BufferId, PAYLOAD};
use super::rule::{Condition, Content, MatchList, Rule, Scope};
use super::ruleset::InForce;
use super::transform::Transform;

mod addresses;
mod finder;
mod gate;
mod ports;

pub use addresses::AddressIndex;
use finder::Finder;
pub use finder::Seen;
pub use gate::{Gates, Moment, Spoken};
pub use ports::PortIndex;

/// Shorter contents are found nearly everywhere.
const PATTERN_MIN_BYTES: usize = 2;
/// More of a content is not looked for.
const PATTERN_MAX_BYTES: usize = 64;

/// The tables and what stands beside them.
#[derive(Debug, Default)]
pub struct Prefilters {
    /// What turns rules away at first sight.
    pub gates: Gates,
    /// For payloads of packets.
    pub packet: Lens,
    /// For pieces of streams.
    pub stream: Lens,
    /// For buffers of packets and transactions.
    pub lenses: Vec<Lens>,
    /// Which of these look into a buffer.
    by_buffer: HashMap<BufferId, Vec<usize>>,
    /// Rules that are asked of every packet.
    pub packets_always: PortIndex,
    /// Rules that are asked of every piece of a stream.
    pub streams_always: PortIndex,
    /// Rules that are asked of every transaction.
    pub transactions_always: Vec<u32>,
    /// Rules that are asked once for each direction of a flow.
    pub addresses: AddressIndex,
    /// Rules that are asked when a protocol becomes known.
    pub recognised: Vec<u32>,
    /// Rules that are asked of packets about which something odd was noticed.
    pub events: Vec<u32>,
}

/// A buffer, what is done to it, and what is looked for in it.
#[derive(Debug, Default)]
pub struct Lens {
    buffer: Option<BufferId>,
    transforms: Vec<Transform>,
    patterns: Vec<Vec<u8>>,
    /// For each pattern, the rules.
    rules: Vec<Vec<u32>>,
    places: HashMap<Vec<u8>, usize>,
    finder: Finder,
}

impl Prefilters {
    /// For rules in their order.
    pub fn new(rules: &[InForce]) -> Prefilters {
        let mut all = Prefilters { gates: Gates::new(rules), ..Prefilters::default() };
        for (number, rule) in (0u32..).zip(rules).filter(|(_, rule)| rule.unsupported.is_empty()) {
            all.add(number, rule);
        }
        for lens in [&mut all.packet, &mut all.stream].into_iter().chain(&mut all.lenses) {
            lens.build();
        }
        all
    }

    fn add(&mut self, number: u32, rule: &Rule) {
        match rule.scope {
            Scope::Addresses => return self.addresses.add(number, rule),
            Scope::Recognised => return self.recognised.push(number),
            Scope::Event => return self.events.push(number),
            _ => {}
        }
        let packet = matches!(rule.scope, Scope::Packet | Scope::PacketAndStream);
        let stream = matches!(rule.scope, Scope::Stream | Scope::PacketAndStream);
        match chosen(rule) {
            Some((list, pattern)) if list.buffer == PAYLOAD && rule.scope != Scope::Transaction => {
                if packet {
                    self.packet.add(pattern.clone(), number);
                }
                if stream {
                    self.stream.add(pattern, number);
                }
            }
            Some((list, pattern)) if rule.scope == Scope::Transaction => {
                self.lens(list).add(pattern, number);
            }
            _ => {
                if packet {
                    self.packets_always.add(number, rule);
                }
                if stream {
                    self.streams_always.add(number, rule);
                }
                if rule.scope == Scope::Transaction {
                    self.transactions_always.push(number);
                }
            }
        }
    }

    fn lens(&mut self, list: &MatchList) -> &mut Lens {
        let same = |lens: &Lens| lens.buffer == Some(list.buffer) && lens.transforms == list.transforms;
        let at = match self.lenses.iter().position(same) {
            Some(at) => at,
            None => {
                let transforms = list.transforms.clone();
                self.lenses.push(Lens { buffer: Some(list.buffer), transforms, ..Lens::default() });
                let at = self.lenses.len() - 1;
                self.by_buffer.entry(list.buffer).or_default().push(at);
                at
            }
        };
        &mut self.lenses[at]
    }

    /// The lenses that look into a buffer.
    pub fn lenses_of(&self, buffer: BufferId) -> impl Iterator<Item = &Lens> {
        let places = self.by_buffer.get(&buffer).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| self.lenses.get(*at))
    }
}

/// The content by which a rule is found.
pub fn chosen(rule: &Rule) -> Option<(&MatchList, Vec<u8>)> {
    let mut best: Option<(bool, bool, usize, &MatchList, &Content)> = None;
    for list in &rule.lists {
        let optional = list.conditions.iter().any(|condition| matches!(condition, Condition::Absent { .. }));
        let of_packet = list.buffer.buffer().when == super::buffer::When::Packet;
        let changed_payload = list.buffer == PAYLOAD && !list.transforms.is_empty();
        if optional
            || changed_payload
            || (rule.scope == Scope::Transaction && of_packet)
            || (of_packet && list.buffer != PAYLOAD)
        {
            continue;
        }
        for condition in &list.conditions {
            let Condition::Content(content) = condition else { continue };
            if content.negated || content.bytes.len() < PATTERN_MIN_BYTES {
                continue;
            }
            let rank = (content.fast, list.buffer != PAYLOAD, strength(&content.bytes));
            if best.as_ref().is_none_or(|(fast, buffer, length, ..)| rank > (*fast, *buffer, *length)) {
                best = Some((rank.0, rank.1, rank.2, list, content));
            }
        }
    }
    let (.., list, content) = best?;
    let part = content.fast_part.and_then(|(from, length)| content.bytes.get(from..from + length));
    let part = part.filter(|part| part.len() >= PATTERN_MIN_BYTES).unwrap_or(&content.bytes);
    let part = part.get(..PATTERN_MAX_BYTES).unwrap_or(part);
    Some((list, part.to_ascii_lowercase()))
}

/// How much finding a content says: bytes that it has not had before say more, and rare ones most.
fn strength(bytes: &[u8]) -> usize {
    let mut had = [false; 256];
    let each = |byte: &u8| {
        let new = !std::mem::replace(&mut had[usize::from(*byte)], true);
        match byte {
            _ if !new => 1,
            b'a'..=b'z' | b'A'..=b'Z' | b' ' | 0 => 3,
            b'!'..=b'~' | b'\r' | b'\n' | 1 | 0xff => 4,
            _ => 6,
        }
    };
    bytes.iter().map(each).sum()
}

impl Lens {
    fn add(&mut self, pattern: Vec<u8>, rule: u32) {
        let at = *self.places.entry(pattern.clone()).or_insert(self.patterns.len());
        if at == self.patterns.len() {
            self.patterns.push(pattern);
            self.rules.push(Vec::new());
        }
        if let Some(rules) = self.rules.get_mut(at) {
            rules.push(rule);
        }
    }

    fn build(&mut self) {
        self.places = HashMap::new();
        self.finder = Finder::new(&std::mem::take(&mut self.patterns));
    }

    /// The buffer as this lens shows it.
    pub fn shown<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        self.transforms.iter().fold(Cow::Borrowed(bytes), |bytes, transform| transform.apply(bytes))
    }

    /// Hands over the rules whose content is in the bytes, some perhaps more than once.
    pub fn candidates(&self, shown: &[u8], seen: &mut Seen, mut take: impl FnMut(u32)) {
        self.finder.find(shown, seen, |pattern| {
            for rule in self.rules.get(pattern).into_iter().flatten() {
                take(*rule);
            }
        });
    }
}
