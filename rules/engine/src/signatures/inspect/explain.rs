//! How far a rule comes at one moment: the same questions as when it is asked, one after the other, each with its answer.
//!
//! Other than when it is asked, its prefilter does not count, and nothing that it would remember is changed.

use super::super::buffer::{self, BufferId, When};
use super::super::describe;
use super::super::language::Arrow;
use super::super::matcher::{Scratch, View};
use super::super::probe::{Attempt, Occasion, Probe};
use super::super::rule::{Condition, MatchList, Rule, Scope};
use super::super::scene::Scene;
use super::super::state::Memory;
use super::{EXCERPT_MAX_BYTES, FlowNotes, Inspector, Sight, of_packet};

impl Inspector {
    /// Tells the probe how far its rule comes here.
    pub(super) fn explain(&mut self, occasion: Occasion, scene: &Scene<'_>, sight: Sight<'_>, notes: &mut FlowNotes) {
        let Some(probe) = self.probe.clone() else { return };
        let set = self.set.clone();
        let Some(rule) = probe.target().and_then(|at| set.rules().get(usize::try_from(at).ok()?)) else { return };
        if !is_asked(rule.scope, occasion, scene.in_stream) {
            return;
        }
        let mut held = Vec::new();
        let failed = self.steps(rule, scene, sight, notes, &mut held).err();
        tell(&probe, occasion, scene, held, failed);
    }

    /// Everything that is asked, in order; what held is noted, the first that does not is the error.
    fn steps(
        &mut self,
        rule: &Rule,
        scene: &Scene<'_>,
        sight: Sight<'_>,
        notes: &mut FlowNotes,
        held: &mut Vec<String>,
    ) -> Result<(), String> {
        if let Some(why) = scene.refusal(rule) {
            return Err(why);
        }
        held.push("protocol, addresses, ports, direction, flow and headers".to_owned());
        let addresses = (scene.source.0, scene.destination.0);
        let memory = Memory { flow: &mut notes.memory, hosts: &mut self.hosts, addresses, time_ns: scene.time_ns };
        if let Some(test) = rule.asks.iter().find(|test| !memory.test(test)) {
            return Err(format!(
                "what earlier rules remember (flowbits and the like) is not as it should be: {test:?}"
            ));
        }
        if !rule.asks.is_empty() {
            held.push("what earlier rules remember".to_owned());
        }
        if rule.header.arrow == Arrow::Transaction && sight.transaction.is_some() && sight.request.is_none() {
            return Err("only one direction of the transaction is known yet".to_owned());
        }
        let mut scratch = Scratch::default();
        scratch.begin(rule.variables);
        for list in &rule.lists {
            self.list_steps(list, rule, scene, sight, &mut scratch, held)?;
        }
        Ok(())
    }

    fn list_steps(
        &mut self,
        list: &MatchList,
        rule: &Rule,
        scene: &Scene<'_>,
        sight: Sight<'_>,
        scratch: &mut Scratch,
        held: &mut Vec<String>,
    ) -> Result<(), String> {
        let name = list.buffer.buffer().name;
        let alone = matches!(list.conditions.as_slice(), [Condition::Numbers(_)]);
        let absent = list.conditions.iter().any(|condition| matches!(condition, Condition::Absent { .. }));
        if alone || absent {
            let both = rule.header.arrow == Arrow::Transaction;
            let asked = list.conditions.iter().map(describe::condition).collect::<Vec<_>>().join(", ");
            if !self.list_holds(list, scene, sight, both, &mut Vec::new()) {
                return Err(format!("{name}: {asked}"));
            }
            held.push(format!("{name}: {asked}"));
            return Ok(());
        }
        let views = views(list.buffer, scene, sight);
        if views.is_empty() {
            return Err(format!("{name}: it is not there"));
        }
        let best = views.iter().map(|(bytes, before)| {
            let shown = list
                .transforms
                .iter()
                .fold(std::borrow::Cow::Borrowed(bytes.as_slice()), |bytes, transform| transform.apply(bytes));
            let view = View { bytes: &shown, before: *before };
            let (count, found) = scratch.furthest(list, view);
            let mut places = found.into_iter();
            let lines = list.conditions.iter().take(count).map(|condition| {
                let place = describe::has_place(condition).then(|| places.next()).flatten();
                let said = describe::condition(condition);
                match place {
                    Some(place) => {
                        let end = place.end.min(place.start.saturating_add(EXCERPT_MAX_BYTES));
                        let there = describe::bytes(shown.get(place.start..end).unwrap_or(&[]));
                        format!("{name}: {said} at byte {}: {there}", place.start)
                    }
                    None => format!("{name}: {said}"),
                }
            });
            let lines: Vec<String> = lines.collect();
            (count, lines, describe::bytes(shown.get(..EXCERPT_MAX_BYTES).unwrap_or(&shown)), shown.len())
        });
        // The first of those that came furthest.
        let Some((count, lines, begin, size)) = best.reduce(|a, b| if b.0 > a.0 { b } else { a }) else {
            return Ok(());
        };
        held.extend(lines);
        match list.conditions.get(count) {
            None => Ok(()),
            Some(condition) => {
                held.push(format!("{name}: it has {size} bytes and begins {begin}"));
                Err(format!("{name}: {}", describe::condition(condition)))
            }
        }
    }
}

/// Whether a rule is asked at all on an occasion.
fn is_asked(scope: Scope, occasion: Occasion, in_stream: bool) -> bool {
    match scope {
        Scope::Addresses => occasion == Occasion::Flow,
        Scope::Recognised => occasion == Occasion::Recognised,
        Scope::Event => occasion == Occasion::Odd,
        Scope::Packet => occasion == Occasion::Packet,
        // What is part of no stream that is followed is looked at as it comes.
        Scope::Stream => occasion == Occasion::Stream || (occasion == Occasion::Packet && !in_stream),
        Scope::PacketAndStream => matches!(occasion, Occasion::Packet | Occasion::Stream),
        Scope::Transaction => occasion == Occasion::Transaction,
    }
}

/// Everything a buffer holds at a moment, with how many bytes of a stream came before.
fn views(id: BufferId, scene: &Scene<'_>, sight: Sight<'_>) -> Vec<(Vec<u8>, u64)> {
    if id == buffer::PAYLOAD {
        return sight.payload.map(|view| (view.bytes.to_vec(), view.before)).into_iter().collect();
    }
    if id.buffer().when == When::Packet {
        return of_packet(id, scene).map(|bytes| (bytes.into_owned(), 0)).into_iter().collect();
    }
    let all = sight.request.into_iter().chain(sight.transaction).flat_map(|buffers| buffers.of(id));
    all.map(|bytes| (bytes.to_vec(), 0)).collect()
}

fn tell(probe: &Probe, occasion: Occasion, scene: &Scene<'_>, held: Vec<String>, failed: Option<String>) {
    let (from, to) = (scene.source, scene.destination);
    let ends = format!("{} port {} to {} port {}", from.0, from.1, to.0, to.1);
    probe.tried(Attempt { time_ns: scene.time_ns, occasion, ends, held, failed });
}
