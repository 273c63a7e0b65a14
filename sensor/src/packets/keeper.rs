//! The capture thread's side: decides what is kept of a packet's flow, and copies it into a block.
//!
//! A packet that is kept costs one copy; everything else happens in the [`writer`](super::writer) thread. On overload the
//! queue to that thread is full: a source that cannot wait drops the block and counts it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use luytre_events::ledger::{Stage, StageCounts, Unit};

use super::Member;
use super::block::{Block, Name};
use super::settings::Cutoffs;
use super::shelf::Shelf;
use super::writer::{Writer, Written};
use crate::capture::Packet;

/// The most blocks that wait for the writer.
const QUEUE: usize = 32;
/// Packets reach the disk after this time even if their block is not full.
const HAND_OVER_AFTER: Duration = Duration::from_secs(1);
/// The name of the line in the ledger.
pub const STAGE: &str = "packets";

/// What became of the packets of a capture thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeepCounts {
    /// Packets that came.
    pub taken: u64,
    /// Packets on disk (they may have been removed since, when their time was over).
    pub given: u64,
    /// Packets on their way.
    pub held: u64,
    /// Packets that are not kept, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Bytes of those that were given up under load.
    pub spared_bytes: u64,
}

impl KeepCounts {
    /// Adds those of another capture thread.
    pub fn add(&mut self, other: &KeepCounts) {
        self.taken += other.taken;
        self.given += other.given;
        self.held += other.held;
        self.spared_bytes += other.spared_bytes;
        for (reason, count) in &other.dropped {
            *self.dropped.entry(reason.clone()).or_default() += count;
        }
    }

    /// The line of the ledger.
    pub fn stage(self) -> Stage {
        let KeepCounts { taken, given, held, dropped, .. } = self;
        Stage { name: STAGE.into(), unit: Unit::Packets, counts: StageCounts { taken, given, held, dropped } }
    }
}

/// Keeps the packets of one capture thread.
pub struct Keeper {
    cutoffs: Cutoffs,
    can_wait: bool,
    block: Block,
    since: Option<Instant>,
    queue: Option<SyncSender<Block>>,
    spare: Receiver<Block>,
    thread: Option<JoinHandle<()>>,
    written: Arc<Written>,
    taken: u64,
    /// Cut off, by protocol.
    cut: BTreeMap<Option<&'static str>, u64>,
    /// Dropped because the queue was full.
    slow: u64,
    /// Given up because the capture thread could not keep up, and their bytes.
    spared: (u64, u64),
    /// Handed over to the writer.
    handed_over: u64,
}

impl Keeper {
    /// For a capture thread of this name; `can_wait` says that its source can wait for a slow disk.
    pub fn start(shelf: Arc<Shelf>, cutoffs: Cutoffs, name: &str, can_wait: bool) -> std::io::Result<Keeper> {
        let (queue, blocks) = sync_channel(QUEUE);
        let (back, spare) = sync_channel(QUEUE);
        let written = Arc::new(Written::default());
        let writer = Writer::new(shelf, name.to_owned(), written.clone());
        let thread = std::thread::Builder::new().name("packets".into()).spawn(move || writer.run(&blocks, &back))?;
        Ok(Keeper {
            cutoffs,
            can_wait,
            block: Block::default(),
            since: None,
            queue: Some(queue),
            spare,
            thread: Some(thread),
            written,
            taken: 0,
            cut: BTreeMap::new(),
            slow: 0,
            spared: (0, 0),
            handed_over: 0,
        })
    }

    /// A packet, the flow it belongs to, and the datagram that it is a fragment of.
    pub fn packet(&mut self, packet: &Packet<'_>, member: Option<&Member>, datagram: Option<Name>) {
        self.taken += 1;
        if let Some(member) = member
            && !self.cutoffs.keeps(member.before_bytes, member.protocol)
        {
            *self.cut.entry(member.protocol).or_default() += 1;
            return;
        }
        if self.block.is_empty() {
            self.since = Some(Instant::now());
        }
        self.block.add(packet, member, datagram);
        if self.block.is_full() {
            self.hand_over();
        }
    }

    /// From now on this much of each flow is kept.
    pub fn set_cutoffs(&mut self, cutoffs: Cutoffs) {
        self.cutoffs = cutoffs;
    }

    /// A packet whose body is given up, because the capture thread cannot keep up.
    pub fn spare(&mut self, packet: &Packet<'_>) {
        self.taken += 1;
        self.spared.0 += 1;
        self.spared.1 += packet.bytes.len() as u64;
    }

    /// To be called now and then: hands over a block that has been waiting.
    pub fn tick(&mut self) {
        if self.since.is_some_and(|since| since.elapsed() >= HAND_OVER_AFTER) {
            self.hand_over();
        }
    }

    /// Hands over what there is and waits until it is on disk.
    pub fn finish(&mut self) {
        self.can_wait = true;
        self.hand_over();
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has said so on standard error; what it had is not counted as given.
            let _ = thread.join();
        }
    }

    /// What became of the packets so far.
    pub fn counts(&self) -> KeepCounts {
        let load = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let (given, lost) = (
            load(&self.written.given),
            [
                ("disk_full", load(&self.written.disk_full)),
                ("disk_error", load(&self.written.disk_error)),
                ("quota", load(&self.written.quota)),
            ],
        );
        let done = given + lost.iter().map(|(_, count)| count).sum::<u64>();
        let held = self.block.len() + self.handed_over.saturating_sub(done);
        let cut = self.cut.iter().map(|(protocol, count)| match protocol {
            Some(protocol) => (format!("cutoff_{protocol}"), *count),
            None => ("cutoff".to_owned(), *count),
        });
        let lost = lost
            .into_iter()
            .chain([("disk_slow", self.slow), ("load", self.spared.0)])
            .map(|(reason, count)| (reason.to_owned(), count));
        let dropped = cut.chain(lost).filter(|(_, count)| *count > 0).collect();
        KeepCounts { taken: self.taken, given, held, dropped, spared_bytes: self.spared.1 }
    }

    /// Hands over what there is.
    pub fn hand_over(&mut self) {
        self.since = None;
        let (Some(queue), false) = (&self.queue, self.block.is_empty()) else { return };
        let full = std::mem::replace(&mut self.block, self.spare.try_recv().unwrap_or_default());
        let packets = full.len();
        let sent = if self.can_wait { queue.send(full).map_err(|error| error.0) } else { try_send(queue, full) };
        match sent {
            Ok(()) => self.handed_over += packets,
            Err(mut block) => {
                self.slow += packets;
                block.clear();
                self.block = block;
            }
        }
    }
}

fn try_send(queue: &SyncSender<Block>, block: Block) -> Result<(), Block> {
    queue.try_send(block).map_err(|error| match error {
        TrySendError::Full(block) | TrySendError::Disconnected(block) => block,
    })
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.finish();
    }
}
