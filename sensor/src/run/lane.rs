//! One capture thread of a running sensor: every stage by plain calls, then a push into the spool.
//!
//! Events are gathered for at most [`PUSH_AFTER`] or [`PUSH_EVENTS`]. The counters that others see change only together
//! with a push, so that the ledger's lines agree with each other at every moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use luytre_events::Event;
use luytre_events::ledger::Stage;

use super::load::{Load, LoadChange, LoadCounts, Step};
use super::orders::{Bulletin, Orders};
use super::teller::Teller;
use crate::capture::datalink::now_ns;
use crate::capture::{CaptureError, Next, PacketSource, SourceCounts};
use crate::packets::{KeepCounts, Keeper, Shelf};
use crate::pipeline::{Front, Inline, Shards, worker_stages};
use crate::spool::SpoolWriter;
use crate::worker::{EventSink, WorkerCounts};

const PUSH_AFTER: Duration = Duration::from_millis(100);
const PUSH_EVENTS: usize = 512;
/// How many packets may pass between two looks at the clock.
const LOOK_EVERY: u64 = 128;

/// The lines of a lane in the order of the data.
const CHAIN: [&str; 6] = ["capture", "filter", "decode", "flow", "detail", "protocols"];

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
    /// What was given up because it could not keep up.
    pub load: LoadCounts,
    /// The number of the orders that it works by, while it works.
    pub orders: Option<u64>,
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
    /// What it works by, limits of which the lane takes a `1/lanes` share.
    pub bulletin: Arc<Bulletin>,
    /// How many lanes there are.
    pub lanes: usize,
    /// The number of its source.
    pub source: usize,
    /// Whether the kernel runs the source's filter.
    pub filters_in_kernel: bool,
    /// Whether the source can wait for the spool (a file) or not (a wire).
    pub can_wait: bool,
    /// Whether packet times are the present, so that silence also moves the clock.
    pub is_present: bool,
    /// What its packets are filed under.
    pub name: String,
    /// Where packets are kept, if at all.
    pub packets: Option<Arc<Shelf>>,
    /// Tells when it gives up more than before, or less.
    pub teller: Arc<Teller>,
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
    started: Instant,
    load: Load,
    step: Step,
    orders: Arc<Orders>,
    /// Packets that the source gave, those that were filtered out among them.
    came: u64,
    /// Packets that the source had lost at the latest push, and whether it has lost more since the push before.
    lost: (u64, bool),
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
        let orders = settings.bulletin.newest();
        let shards = Shards::single(&orders.worker, settings.lanes);
        let back = Inline { shards, sink: Gather::default() };
        let mut front = Front::new(1, 0, orders.checksums);
        front.set_rules(orders.worker.rules.is_some());
        let keeper = keeper(&settings, &orders);
        let now = Instant::now();
        let mut lane = Lane {
            source,
            settings,
            front,
            back,
            keeper,
            spool,
            state,
            pushed: now,
            started: now,
            load: Load::default(),
            step: Step::default(),
            orders,
            came: 0,
            lost: (0, false),
        };
        lane.take_filter();
        lane.publish(SourceCounts::default(), None);
        lane
    }

    /// Works until `stop` turns true, the source ends, or it fails; then ends all flows and pushes what is left.
    pub fn run(mut self, stop: &AtomicBool) -> Result<(), CaptureError> {
        let result = self.packets(stop);
        self.front.finish(&mut self.back);
        // Nothing comes any more: there is time to hand over every flow record.
        self.settings.can_wait = true;
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
                    self.came += 1;
                    let passed = self.front.packet(&packet, &mut self.back);
                    if let Some(keeper) = self.keeper.as_mut().filter(|_| passed) {
                        let member = self.back.shards.take_member();
                        if self.step.keeps_packets() {
                            keeper.packet(&packet, member.as_ref(), self.front.datagram());
                        } else {
                            keeper.spare(&packet);
                        }
                    }
                    if self.back.sink.0.len() >= PUSH_EVENTS {
                        self.push();
                    }
                    if self.came.is_multiple_of(LOOK_EVERY) {
                        self.look_around();
                    }
                }
                Next::Idle => {
                    if self.settings.is_present {
                        self.front.tick(now_ns(), &mut self.back);
                    }
                    self.look_around();
                }
                Next::End => break,
            }
        }
        Ok(())
    }

    /// What is done between two packets now and then.
    fn look_around(&mut self) {
        if self.pushed.elapsed() >= PUSH_AFTER {
            self.push();
        }
        if !self.settings.can_wait {
            self.look_at_load();
        }
        if let Some(orders) = self.settings.bulletin.newer_than(self.orders.number) {
            self.take_up(orders);
        }
    }

    /// Goes on by other orders, between two packets.
    fn take_up(&mut self, orders: Arc<Orders>) {
        self.back.shards.adopt(&orders.worker, self.settings.lanes);
        self.front.set_checksums(orders.checksums);
        self.front.set_rules(orders.worker.rules.is_some());
        if let Some(keeper) = &mut self.keeper {
            keeper.set_cutoffs(orders.cutoffs.clone());
        }
        self.orders = orders;
        self.take_filter();
        self.push();
    }

    fn take_filter(&mut self) {
        if !self.settings.filters_in_kernel {
            self.front.set_filter(self.orders.filter(self.settings.source));
        }
    }

    /// Gives up more, or less, as the queues fill or empty.
    fn look_at_load(&mut self) {
        let waiting = self.source.fullness_percent().max(self.spool.fullness_percent());
        let fullness_percent = if std::mem::take(&mut self.lost.1) { 100 } else { waiting };
        let now_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let step = self.load.look(fullness_percent, now_ns);
        let before = std::mem::replace(&mut self.step, step);
        if step == before {
            return;
        }
        self.back.shards.set_detail(step.detail());
        let (source, now, was) = (self.settings.name.clone(), step.name(), before.name());
        let change = LoadChange { step: now, before: was, fullness_percent, source: source.clone() };
        if step > before {
            let gives_up = step.sacrifice().map_or("", |sacrifice| sacrifice.gives_up);
            tracing::warn!(source, step = now, fullness_percent, "cannot keep up: {gives_up}");
        } else {
            tracing::info!(source, step = now, "keeping up again: {was} is no longer given up");
        }
        self.settings.teller.tell(change.into_body(), None);
    }

    fn push(&mut self) {
        self.pushed = Instant::now();
        if let Some(keeper) = &mut self.keeper {
            keeper.tick();
        }
        let events = std::mem::take(&mut self.back.sink.0);
        let source: SourceCounts = self.source.counts();
        self.lost = (source.ring_full, self.lost.1 || source.ring_full > self.lost.0);
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
        counts.packets = self.front.stages(source);
        counts.work = self.back.shards.counts();
        counts.flows = self.back.shards.flows();
        counts.kept = self.keeper.as_ref().map(Keeper::counts);
        counts.load = self.load.counts();
        counts.orders = Some(self.orders.number);
        if let Some(events) = events.filter(|events| !events.is_empty()) {
            self.spool.push(events);
        }
    }
}

/// What keeps a lane's packets. Without it the lane works all the same: packets are what is sacrificed first.
fn keeper(settings: &LaneSettings, orders: &Orders) -> Option<Keeper> {
    let shelf = settings.packets.clone()?;
    let keeper = Keeper::start(shelf, orders.cutoffs.clone(), &settings.name, settings.can_wait);
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
        for line in lane.packets.iter().cloned().chain(worker_stages(&lane.work, 0)) {
            match sum.iter_mut().find(|stage| stage.name == line.name) {
                Some(stage) => add(stage, &line),
                None => sum.push(line),
            }
        }
    }
    sum.sort_by_key(|stage| CHAIN.iter().position(|name| *name == stage.name));
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
