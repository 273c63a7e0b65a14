//! The shards of a capture file spread over threads, and their lines brought back into one order.
//!
//! The front gathers packets into rounds; each round goes to every thread, with the packets of its shards and all ticks.
//! Each thread answers a round with its lines in order, each under an [`OrderKey`]; the writer merges the answers to one
//! round before it looks at the next. Queues hold [`ROUNDS_MAX`] rounds, so a slow reader of the output slows the front.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use luytre_events::{Event, json};

use super::lines::Lines;
use crate::decode::Decoded;
use crate::pipeline::{Back, OrderKey, OrderedSink, Routed, RoutedArp, RoutedOdd, Shards};
use crate::worker::{EventSink, WorkerCounts, WorkerSettings};

/// The most rounds that wait for a thread, or for the writer.
const ROUNDS_MAX: usize = 3;
/// A round is sent when it holds this many packets ...
const ROUND_PACKETS: usize = 2048;
/// ... or this many bytes of payload.
const ROUND_BYTES: usize = 512 << 10;

/// What one thread has to do in a round.
#[derive(Default)]
struct Round {
    tasks: Vec<Task>,
    bytes: Vec<u8>,
}

enum Task {
    Tick(u64, i64),
    /// A packet whose payload and headers are the next so many bytes of the round.
    Packet(Box<Routed<'static>>, [usize; 3]),
    Arp(RoutedArp),
    Odd(RoutedOdd),
    Finish(u64),
}

/// One thread's answer to a round.
#[derive(Default)]
struct Answer {
    lines: Vec<Line>,
    text: Vec<u8>,
}

struct Line {
    key: OrderKey,
    dataset: &'static str,
    length: usize,
}

/// The threads.
pub struct Threads {
    rounds: Vec<Round>,
    queues: Vec<SyncSender<Round>>,
    workers: Vec<JoinHandle<WorkerCounts>>,
    writer: JoinHandle<io::Result<()>>,
    /// Which thread has a shard.
    count: usize,
    packets: usize,
    bytes: usize,
}

impl Threads {
    /// Starts `count` workers and the writer.
    pub fn start(settings: &WorkerSettings, count: usize, lines: Lines, stop: &Arc<AtomicBool>) -> Threads {
        let mut queues = Vec::new();
        let mut workers = Vec::new();
        let mut answers = Vec::new();
        for first in 0..count {
            let (queue, rounds) = sync_channel(ROUNDS_MAX);
            let (answer, receiver) = sync_channel(ROUNDS_MAX);
            let shards = Shards::new(settings, first, count);
            workers.push(std::thread::spawn(move || work(shards, &rounds, &answer)));
            queues.push(queue);
            answers.push(receiver);
        }
        let stop = stop.clone();
        let writer = std::thread::spawn(move || {
            let result = write(lines, &answers);
            if result.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            result
        });
        let rounds = (0..count).map(|_| Round::default()).collect();
        Threads { rounds, queues, workers, writer, count, packets: 0, bytes: 0 }
    }

    /// Sends what is left, waits for all threads, and says what they counted and how writing went.
    pub fn join(mut self) -> (WorkerCounts, io::Result<()>) {
        self.send();
        self.queues.clear();
        let mut counts = WorkerCounts::default();
        let mut panicked = false;
        for worker in self.workers {
            match worker.join() {
                Ok(more) => counts.add(&more),
                Err(_) => panicked = true,
            }
        }
        let written = self.writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer thread failed")));
        let written = if panicked { Err(io::Error::other("a worker thread failed")) } else { written };
        (counts, written)
    }

    fn send(&mut self) {
        (self.packets, self.bytes) = (0, 0);
        for (round, queue) in self.rounds.iter_mut().zip(&self.queues) {
            // A thread that is gone shows when it is joined.
            let _ = queue.send(std::mem::take(round));
        }
    }

    /// A packet of so many bytes was added: a round that is full is sent.
    fn added(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes;
        if self.packets >= ROUND_PACKETS || self.bytes >= ROUND_BYTES {
            self.send();
        }
    }

    fn all(&mut self, task: impl Fn() -> Task) {
        for round in &mut self.rounds {
            round.tasks.push(task());
        }
    }
}

impl Back for Threads {
    fn tick(&mut self, number: u64, clock_ns: i64) {
        self.all(|| Task::Tick(number, clock_ns));
    }

    fn packet(&mut self, routed: &Routed<'_>) {
        let Some(round) = self.rounds.get_mut(routed.shard % self.count) else { return };
        let Decoded { payload, headers: (network, transport), .. } = routed.packet;
        for part in [payload, network, transport] {
            round.bytes.extend_from_slice(part);
        }
        let lengths = [payload, network, transport].map(<[u8]>::len);
        round.tasks.push(Task::Packet(Box::new(without_payload(routed)), lengths));
        self.added(lengths.iter().sum());
    }

    fn arp(&mut self, routed: &RoutedArp) {
        let Some(round) = self.rounds.get_mut(routed.shard % self.count) else { return };
        round.tasks.push(Task::Arp(*routed));
        self.added(0);
    }

    fn odd(&mut self, routed: &RoutedOdd) {
        let Some(round) = self.rounds.get_mut(routed.shard % self.count) else { return };
        round.tasks.push(Task::Odd(*routed));
        self.added(0);
    }

    fn finish(&mut self, number: u64) {
        self.all(|| Task::Finish(number));
    }
}

fn without_payload(routed: &Routed<'_>) -> Routed<'static> {
    let packet = Decoded { payload: &[], headers: (&[], &[]), ..routed.packet.clone() };
    let Routed { number, time_ns, clock_ns, key, side, shard, carries, .. } = *routed;
    Routed { number, time_ns, clock_ns, packet, key, side, shard, carries }
}

fn work(mut shards: Shards, rounds: &Receiver<Round>, answers: &SyncSender<Answer>) -> WorkerCounts {
    while let Ok(round) = rounds.recv() {
        let mut sink = AnswerSink { answer: Answer::default(), key: (0, 0) };
        let mut bytes = round.bytes.as_slice();
        for task in round.tasks {
            match task {
                Task::Tick(number, clock_ns) => shards.tick(number, clock_ns, &mut sink),
                Task::Finish(number) => shards.finish(number, &mut sink),
                Task::Odd(routed) => shards.odd(&routed, &mut sink),
                Task::Arp(routed) => shards.arp(&routed, &mut sink),
                Task::Packet(routed, lengths) => {
                    let [payload, network, transport] = lengths.map(|length| {
                        let (part, rest) = bytes.split_at_checked(length).unwrap_or_default();
                        bytes = rest;
                        part
                    });
                    let mut routed: Routed<'_> = *routed;
                    (routed.packet.payload, routed.packet.headers) = (payload, (network, transport));
                    shards.packet(&routed, &mut sink);
                }
            }
        }
        if answers.send(sink.answer).is_err() {
            break;
        }
    }
    shards.counts()
}

struct AnswerSink {
    answer: Answer,
    key: OrderKey,
}

impl EventSink for AnswerSink {
    fn event(&mut self, event: Event) {
        let before = self.answer.text.len();
        json::write_event(&event, &mut self.answer.text);
        self.answer.text.push(b'\n');
        let length = self.answer.text.len() - before;
        self.answer.lines.push(Line { key: self.key, dataset: event.dataset_name(), length });
    }
}

impl OrderedSink for AnswerSink {
    fn order(&mut self, key: OrderKey) {
        self.key = key;
    }
}

/// Merges the answers to each round. Lines with equal keys are all of one thread.
fn write(mut lines: Lines, answers: &[Receiver<Answer>]) -> io::Result<()> {
    loop {
        let round: Vec<Answer> = answers.iter().map_while(|answers| answers.recv().ok()).collect();
        if round.len() < answers.len() {
            return lines.close();
        }
        let mut heads: Vec<_> = round.iter().map(|a| (a.lines.iter().peekable(), a.text.as_slice())).collect();
        while let Some((head, text)) = heads
            .iter_mut()
            .filter_map(|(head, text)| Some((head.peek()?.key, head, text)))
            .min_by_key(|(key, ..)| *key)
            .map(|(_, head, text)| (head, text))
        {
            let Some(line) = head.next() else { break };
            let (bytes, rest) = text.split_at_checked(line.length).unwrap_or_default();
            *text = rest;
            lines.buffer(line.dataset)?.extend_from_slice(bytes);
            lines.written(line.dataset)?;
        }
    }
}
