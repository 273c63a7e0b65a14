//! One capture thread of a running sensor: every stage by plain calls, then a push into the spool.
//!
//! Events are gathered for at most [`PUSH_AFTER`] or [`PUSH_EVENTS`]. The counters that others see change only together
//! with a push, so that the ledger's lines agree with each other at every moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use luytre_events::Event;
use luytre_events::ledger::Stage;

use crate::capture::datalink::now_ns;
use crate::capture::{CaptureError, Next, PacketSource, SourceCounts};
use crate::decode::Checksums;
use crate::packets::settings::Cutoffs;
use crate::packets::{KeepCounts, Keeper, Shelf};
use crate::pipeline::{Front, Inline, Shards, worker_stages};
use crate::spool::SpoolWriter;
use crate::worker::{EventSink, WorkerCounts, WorkerSettings};

const PUSH_AFTER: Duration = Duration::from_millis(100);
const PUSH_EVENTS: usize = 512;
/// How many packets may pass between two looks at the clock.
const LOOK_EVERY: u64 = 128;

/// What others may see of a lane.
#[derive(Debug, Default)]
pub struct LaneCounts {
    /// Lines of capture and decode.
    pub packets: Vec<Stage>,
    /// What its shard counted.
    pub work: WorkerCounts,
    /// Flows that live.
    pub flows: usize,
    /// What became of packet bodies, where they are kept.
    pub kept: Option<KeepCounts>,
}

/// The visible state of a lane.
#[derive(Debug, Default)]
pub struct LaneState(Mutex<LaneCounts>);

impl LaneState {
    /// A look at the counters; holds up the lane's next push.
    pub fn look(&self) -> MutexGuard<'_, LaneCounts> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// How a lane treats its source.
#[derive(Clone)]
pub struct LaneSettings {
    /// Limits, of which the lane takes a `1/lanes` share, and the sensor's name.
    pub worker: WorkerSettings,
    /// What is done about wrong checksums.
    pub checksums: Checksums,
    /// How many lanes there are.
    pub lanes: usize,
    /// Whether the source can wait for the spool (a file) or not (a wire).
    pub can_wait: bool,
    /// Whether packet times are the present, so that silence also moves the clock.
    pub is_present: bool,
    /// What its packets are filed under.
    pub name: String,
    /// Where packets are kept and how much of each flow, if at all.
    pub packets: Option<(Arc<Shelf>, Cutoffs)>,
}

/// A capture thread's work.
pub struct Lane {
    source: Box<dyn PacketSource>,
    settings: LaneSettings,
    front: Front,
    back: Inline<Gather>,
    keeper: Option<Keeper>,
    spool: SpoolWriter,
    state: Arc<LaneState>,
    pushed: Instant,
}

/// Events that were made since the last push.
#[derive(Default)]
struct Gather(Vec<Event>);

impl EventSink for Gather {
    fn event(&mut self, event: Event) {
        self.0.push(event);
    }
}

impl Lane {
    /// A lane from a source into the spool.
    pub fn new(
        source: Box<dyn PacketSource>,
        settings: LaneSettings,
        spool: SpoolWriter,
        state: Arc<LaneState>,
    ) -> Lane {
        let shards = Shards::single(&settings.worker, settings.lanes);
        let back = Inline { shards, sink: Gather::default() };
        let front = Front::new(1, 0, settings.checksums);
        let keeper = keeper(&settings);
        let lane = Lane { source, settings, front, back, keeper, spool, state, pushed: Instant::now() };
        lane.publish(SourceCounts::default(), None);
        lane
    }

    /// Works until `stop` turns true, the source ends, or it fails; then ends all flows and pushes what is left.
    pub fn run(mut self, stop: &AtomicBool) -> Result<(), CaptureError> {
        let result = self.packets(stop);
        self.front.finish(&mut self.back);
        self.push();
        if let Some(keeper) = &mut self.keeper {
            keeper.finish();
            self.push();
        }
        result
    }

    fn packets(&mut self, stop: &AtomicBool) -> Result<(), CaptureError> {
        while !stop.load(Ordering::Relaxed) {
            match self.source.next()? {
                Next::Packet(packet) => {
                    self.front.packet(&packet, &mut self.back);
                    if let Some(keeper) = &mut self.keeper {
                        let member = self.back.shards.take_member();
                        keeper.packet(&packet, member.as_ref(), self.front.datagram());
                    }
                    if self.back.sink.0.len() >= PUSH_EVENTS {
                        self.push();
                    } else if self.front.packets().is_multiple_of(LOOK_EVERY) {
                        self.push_when_due();
                    }
                }
                Next::Idle => {
                    if self.settings.is_present {
                        self.front.tick(now_ns(), &mut self.back);
                    }
                    self.push_when_due();
                }
                Next::End => break,
            }
        }
        Ok(())
    }

    fn push_when_due(&mut self) {
        if self.pushed.elapsed() >= PUSH_AFTER {
            self.push();
        }
    }

    fn push(&mut self) {
        self.pushed = Instant::now();
        if let Some(keeper) = &mut self.keeper {
            keeper.tick();
        }
        let events = std::mem::take(&mut self.back.sink.0);
        let source: SourceCounts = self.source.counts();
        if self.settings.can_wait && !events.is_empty() {
            // May take long: the counters are not to be held up.
            self.spool.push_waiting(events);
            self.publish(source, None);
        } else {
            self.publish(source, Some(events));
        }
    }

    fn publish(&self, source: SourceCounts, events: Option<Vec<Event>>) {
        let mut counts = self.state.look();
        counts.packets = self.front.stages(source).into();
        counts.work = self.back.shards.counts();
        counts.flows = self.back.shards.flows();
        counts.kept = self.keeper.as_ref().map(Keeper::counts);
        if let Some(events) = events.filter(|events| !events.is_empty()) {
            self.spool.push(events);
        }
    }
}

/// What keeps a lane's packets. Without it the lane works all the same: packets are what is sacrificed first.
fn keeper(settings: &LaneSettings) -> Option<Keeper> {
    let (shelf, cutoffs) = settings.packets.clone()?;
    let keeper = Keeper::start(shelf, cutoffs, &settings.name, settings.can_wait);
    keeper.inspect_err(|error| tracing::error!(%error, "packets are not kept: their thread does not start")).ok()
}

/// The ledger's line of what is kept of packets; none where nothing is to be kept.
pub fn kept<'a>(lanes: impl IntoIterator<Item = &'a LaneCounts>) -> Option<Stage> {
    let mut sum: Option<KeepCounts> = None;
    for kept in lanes.into_iter().filter_map(|lane| lane.kept.as_ref()) {
        sum.get_or_insert_default().add(kept);
    }
    sum.map(KeepCounts::stage)
}

/// The ledger's lines of several lanes together.
pub fn stages<'a>(lanes: impl IntoIterator<Item = &'a LaneCounts>) -> Vec<Stage> {
    let mut sum: Vec<Stage> = Vec::new();
    for lane in lanes {
        let lines = lane.packets.iter().cloned().chain(worker_stages(&lane.work, 0));
        for (number, line) in lines.enumerate() {
            match sum.get_mut(number) {
                Some(stage) => add(stage, &line),
                None => sum.push(line),
            }
        }
    }
    sum
}

fn add(sum: &mut Stage, line: &Stage) {
    sum.counts.taken += line.counts.taken;
    sum.counts.given += line.counts.given;
    sum.counts.held += line.counts.held;
    for (reason, count) in &line.counts.dropped {
        *sum.counts.dropped.entry(reason.clone()).or_default() += count;
    }
}
