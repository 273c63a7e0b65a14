//! The seam between the engine and the machinery of one kind of rule: whatever finds matches in a stream of events.

use luytre_events::Event;

use crate::matched::Match;

/// Finds matches of one kind of rule. Events come in packet order; a detector may keep state between them, bounded by
/// itself.
pub trait Detector: Send {
    /// Looks at one event and appends what it found.
    fn process(&mut self, event: &Event, found: &mut Vec<Match>);

    /// How many groups of state it keeps.
    fn groups(&self) -> usize {
        0
    }

    /// How many groups it let go of because its limit was reached, since it was made.
    fn groups_dropped(&self) -> u64 {
        0
    }

    /// Its state, to be given to [`Detector::restore`] after a restart; nothing where it has none.
    fn snapshot(&self) -> Option<Vec<u8>> {
        None
    }

    /// Takes state back. Answers whether it could be used; state of rules that are gone is ignored.
    fn restore(&mut self, _state: &[u8]) -> bool {
        false
    }
}
