//! What is given up when a capture thread cannot keep up, in which order, and when it comes back.
//!
//! Comes in: how full the ring or the spool's queue is, and the time. Goes out: the [`Step`] that the thread works at, and
//! for how long it was at each. [`ORDER`] is the declaration: packet bodies first, then protocol detail of new flows, then
//! all protocol detail; flow records and counters never. Steps are entered one a look, in that order, and left one at a
//! time, after [`CALM_NS`] without need; what makes a step begin is well above what lets it end, so that none flutters.
//! A source that can wait (a capture file) gives up nothing. Nothing is kept over a restart.

use crate::worker::Detail;

/// How far a capture thread has gone in giving up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Step {
    /// Nothing is given up.
    #[default]
    Nothing,
    /// Packet bodies are not kept.
    Packets,
    /// Nor are new flows looked into.
    NewDetail,
    /// Nor is any flow.
    Detail,
}

/// One line of the declaration.
#[derive(Debug, Clone, Copy)]
pub struct Sacrifice {
    /// The step.
    pub step: Step,
    /// Its name in metrics, events and documents.
    pub name: &'static str,
    /// It begins when the fullest queue is at least so full, in percent.
    pub from_percent: u8,
    /// It ends when no queue has been fuller than this for [`CALM_NS`].
    pub until_percent: u8,
    /// What it gives up.
    pub gives_up: &'static str,
}

/// The order of sacrifice.
pub static ORDER: [Sacrifice; 3] = [
    Sacrifice {
        step: Step::Packets,
        name: "packets",
        from_percent: 50,
        until_percent: 20,
        gives_up: "packet bodies are not kept",
    },
    Sacrifice {
        step: Step::NewDetail,
        name: "new_detail",
        from_percent: 65,
        until_percent: 30,
        gives_up: "new flows are counted, not looked into",
    },
    Sacrifice {
        step: Step::Detail,
        name: "detail",
        from_percent: 80,
        until_percent: 40,
        gives_up: "all flows are counted, none is looked into",
    },
];

/// How long it must be calm before a step is left.
pub const CALM_NS: u64 = 5_000_000_000;
/// How many steps there are, with the one that gives up nothing.
pub const STEPS: usize = ORDER.len() + 1;

impl Step {
    /// Every step, from nothing to everything.
    pub const ALL: [Step; STEPS] = [Step::Nothing, Step::Packets, Step::NewDetail, Step::Detail];

    /// The name in metrics, events and documents.
    pub fn name(self) -> &'static str {
        self.sacrifice().map_or("nothing", |sacrifice| sacrifice.name)
    }

    /// Its line of the declaration.
    pub fn sacrifice(self) -> Option<&'static Sacrifice> {
        ORDER.iter().find(|sacrifice| sacrifice.step == self)
    }

    /// Whether packet bodies are kept.
    pub fn keeps_packets(self) -> bool {
        self < Step::Packets
    }

    /// What flows are looked into.
    pub fn detail(self) -> Detail {
        match self {
            Step::Nothing | Step::Packets => Detail::All,
            Step::NewDetail => Detail::Known,
            Step::Detail => Detail::None,
        }
    }

    fn next(self) -> Option<&'static Sacrifice> {
        ORDER.iter().find(|sacrifice| sacrifice.step > self)
    }

    fn before(self) -> Step {
        Step::ALL.into_iter().rev().find(|step| *step < self).unwrap_or_default()
    }
}

/// What a thread has given up so far; indexed like [`Step::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadCounts {
    /// The step it works at.
    pub step: Step,
    /// The fullest that a queue was at the latest look, in percent.
    pub fullness_percent: u8,
    /// Nanoseconds spent at each step.
    pub spent_ns: [u64; STEPS],
    /// How often each step was entered from the one before it.
    pub entered: [u64; STEPS],
}

impl LoadCounts {
    /// Adds those of another thread; the step is the further one.
    pub fn add(&mut self, other: &LoadCounts) {
        self.step = self.step.max(other.step);
        self.fullness_percent = self.fullness_percent.max(other.fullness_percent);
        for (sum, more) in self.spent_ns.iter_mut().zip(other.spent_ns) {
            *sum += more;
        }
        for (sum, more) in self.entered.iter_mut().zip(other.entered) {
            *sum += more;
        }
    }
}

/// Decides the step of one capture thread.
#[derive(Debug, Default)]
pub struct Load {
    counts: LoadCounts,
    looked_ns: Option<u64>,
    /// Since when the step in force has not been needed.
    calm_since_ns: Option<u64>,
}

impl Load {
    /// A look at how full the fullest queue is, at a time of a clock that never goes back. Says what the step is from now
    /// on.
    pub fn look(&mut self, fullness_percent: u8, now_ns: u64) -> Step {
        let passed_ns = now_ns.saturating_sub(*self.looked_ns.get_or_insert(now_ns));
        self.looked_ns = Some(now_ns);
        if let Some(spent_ns) = self.counts.spent_ns.get_mut(self.counts.step as usize) {
            *spent_ns += passed_ns;
        }
        self.counts.fullness_percent = fullness_percent;
        match self.counts.step.next() {
            Some(next) if fullness_percent >= next.from_percent => self.enter(next.step),
            _ => self.leave_when_calm(fullness_percent, now_ns),
        }
        self.counts.step
    }

    /// What was counted so far.
    pub fn counts(&self) -> LoadCounts {
        self.counts
    }

    fn enter(&mut self, step: Step) {
        self.counts.step = step;
        self.calm_since_ns = None;
        if let Some(entered) = self.counts.entered.get_mut(step as usize) {
            *entered += 1;
        }
    }

    fn leave_when_calm(&mut self, fullness_percent: u8, now_ns: u64) {
        let Some(here) = self.counts.step.sacrifice() else { return };
        if fullness_percent > here.until_percent {
            self.calm_since_ns = None;
            return;
        }
        let since_ns = *self.calm_since_ns.get_or_insert(now_ns);
        if now_ns.saturating_sub(since_ns) >= CALM_NS {
            self.counts.step = here.step.before();
            self.calm_since_ns = Some(now_ns);
        }
    }
}

luytre_events::record! {
    /// A capture thread has begun to give up more than before because it could not keep up, or less. Flow records and
    /// counters are never given up.
    pub struct LoadChange in "load" {
        /// What is given up from now on: nothing, packets (bodies are not kept), new_detail (nor are new flows looked
        /// into), detail (nor is any flow).
        step: &'static str = "load.step", Keyword, Column;
        /// What was given up before.
        before: &'static str = "load.before", Keyword, Term;
        /// How full the fullest of its queues was, in percent.
        fullness_percent: u8 = "load.fullness", Long, Column;
        /// The interface or capture file that it follows.
        source: String = "observer.ingress.interface.name", Keyword, Column;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn at(load: &mut Load, percent: u8, ns: u64) -> Step {
        load.look(percent, ns)
    }

    #[test]
    fn steps_are_entered_in_order_and_left_one_by_one_after_a_calm() {
        let mut load = Load::default();
        assert_eq!(at(&mut load, 49, 0), Step::Nothing);
        // A ring that is nearly full at once still goes through the order.
        assert_eq!(
            [1, 2, 3, 4].map(|ns| at(&mut load, 95, ns)),
            [Step::Packets, Step::NewDetail, Step::Detail, Step::Detail]
        );
        assert_eq!(load.counts().entered, [0, 1, 1, 1]);
        let mut left = Vec::new();
        for tick in 0..200 {
            left.push((tick, at(&mut load, 0, SECOND_NS + tick * SECOND_NS / 10)));
        }
        left.dedup_by_key(|(_, step)| *step);
        let expected = [(0, Step::Detail), (50, Step::NewDetail), (100, Step::Packets), (150, Step::Nothing)]
            .map(|(tick, step)| (tick, step));
        assert_eq!(left, expected);
    }

    #[test]
    fn what_lies_between_the_marks_changes_nothing_and_ends_a_calm() {
        let mut load = Load::default();
        at(&mut load, 60, 0);
        for tick in 0..1000 {
            assert_eq!(at(&mut load, if tick % 40 == 0 { 21 } else { 20 }, tick * SECOND_NS / 10), Step::Packets);
        }
        assert_eq!(load.counts().entered, [0, 1, 0, 0]);
    }

    #[test]
    fn the_declaration_is_in_order_and_has_room_between_its_marks() {
        let mut before = (Step::Nothing, 0, 0);
        for line in &ORDER {
            assert!(line.step > before.0 && line.from_percent > before.1 && line.until_percent > before.2);
            assert!(line.until_percent + 20 <= line.from_percent && line.from_percent < 100);
            before = (line.step, line.from_percent, line.until_percent);
        }
        assert_eq!(Step::ALL.map(|step| step as usize), [0, 1, 2, 3]);
        assert!(ORDER[0].step.detail() == Detail::All && !ORDER[0].step.keeps_packets(), "packets go before detail");
    }

    #[test]
    fn the_decision_record_says_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/decisions/0009-order-of-sacrifice.md");
        let page = std::fs::read_to_string(path).unwrap();
        for line in &ORDER {
            let row =
                format!("| `{}` | {} | {} % | {} % |", line.name, line.gives_up, line.from_percent, line.until_percent);
            assert!(page.contains(&row), "the record has no line {row}");
        }
    }

    proptest! {
        /// A queue that fills and empties by a random load: whatever happens, steps come one by one and in order, time
        /// adds up, and after enough calm nothing is given up.
        #[test]
        fn any_load_keeps_to_the_order(looks in proptest::collection::vec((0..=100u8, 1..2_000_000_000u64), 1..300)) {
            let mut load = Load::default();
            let (mut now_ns, mut before) = (7, Step::Nothing);
            let first_ns = now_ns;
            load.look(0, now_ns);
            let mut calm_ns = 0;
            for (percent, passed_ns) in looks {
                now_ns += passed_ns;
                let step = load.look(percent, now_ns);
                let (from, to) = (before as i32, step as i32);
                prop_assert!((to - from).abs() <= 1);
                if to > from {
                    prop_assert!(percent >= step.sacrifice().unwrap().from_percent);
                }
                if to < from {
                    prop_assert!(calm_ns + passed_ns >= CALM_NS, "left after {calm_ns} + {passed_ns}");
                    prop_assert!(percent <= before.sacrifice().unwrap().until_percent);
                }
                let calm = step.sacrifice().is_none_or(|line| percent <= line.until_percent);
                calm_ns = if calm && to == from { calm_ns + passed_ns } else { 0 };
                before = step;
            }
            let counts = load.counts();
            prop_assert_eq!(counts.spent_ns.iter().sum::<u64>(), now_ns - first_ns);
            for _ in 0..2 * STEPS {
                now_ns += CALM_NS;
                load.look(0, now_ns);
            }
            prop_assert_eq!(load.counts().step, Step::Nothing);
        }
    }
}
