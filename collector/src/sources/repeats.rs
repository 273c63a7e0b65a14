//! Requests that are sent again: a sender that heard 503, or nothing because the connection was cut, must not have its events
//! twice.
//!
//! Comes in: what a request is known by, and its body's digest ([`Repeats::begin`]). Goes out: word that it is new, with a
//! [`Ticket`] for whoever makes its events durable, or that it is one of before, which is waited for. A request is known
//!
//! - by its `Idempotency-Key`, for [`KEPT_FOR`]: whatever was answered, the same key is the same request;
//! - else by the SHA-256 of its body, but only as long as nobody knows that its answer was heard: who has heard that
//!   something is taken and sends the same once more means it ([`Ticket::heard`]).
//!
//! At most [`KNOWN_MAX`] requests of a source are remembered, the oldest go first and are counted. Nothing is kept over a
//! restart: what was durable and not answered when the collector died comes twice.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How long a request is remembered.
pub const KEPT_FOR: Duration = Duration::from_secs(3600);
/// Requests that are remembered.
const KNOWN_MAX: usize = 4096;
/// The longest key, in bytes.
pub const KEY_MAX_BYTES: usize = 255;

/// What a request is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// What its sender called it.
    Named(String),
    /// What it holds.
    Body([u8; 32]),
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It waits for the writer.
    Waits,
    /// It is being written.
    Writes,
    /// Its events are durable.
    Durable,
    /// It was given up, and what it held is not kept.
    GivenUp,
}

/// The requests of one source; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Repeats(Arc<Mutex<Window>>);

#[derive(Debug, Default)]
struct Window {
    known: HashMap<Key, Known>,
    /// In the order in which they came; those that are forgotten stay here until their turn.
    order: VecDeque<(Instant, u64, Key)>,
    next: u64,
}

#[derive(Debug)]
struct Known {
    number: u64,
    body: [u8; 32],
    stage: watch::Sender<Stage>,
}

/// What a request turned out to be.
#[derive(Debug)]
pub enum Begun {
    /// Nobody knows it. Whoever waits for it holds the second part: where nobody does any more, it need not be written.
    New(Ticket, watch::Receiver<Stage>),
    /// It is there already, or on its way.
    Again(watch::Receiver<Stage>),
    /// The same key was used for something else.
    AnotherBody,
}

/// One request, for whoever writes it. Dropped before it is durable, it is given up.
#[derive(Debug)]
pub struct Ticket {
    repeats: Repeats,
    key: Key,
    number: u64,
}

impl Repeats {
    /// Looks a request up, and remembers it where it is new. Answers too how many had to be forgotten for it.
    pub fn begin(&self, key: Key, body: [u8; 32], now: Instant) -> (Begun, u64) {
        let mut window = self.lock();
        let forgotten = window.make_room(now);
        match window.known.get(&key) {
            Some(known) if known.body != body => return (Begun::AnotherBody, forgotten),
            Some(known) => return (Begun::Again(known.stage.subscribe()), forgotten),
            None => {}
        }
        let number = window.next;
        window.next += 1;
        let (stage, waiting) = watch::channel(Stage::Waits);
        window.known.insert(key.clone(), Known { number, body, stage });
        window.order.push_back((now, number, key.clone()));
        (Begun::New(Ticket { repeats: self.clone(), key, number }, waiting), forgotten)
    }

    /// The sender has heard that it is taken: what it sends from now on is meant, unless it says itself that it is the same.
    pub fn heard(&self, key: &Key) {
        if matches!(key, Key::Body(_)) {
            let mut window = self.lock();
            if window.known.get(key).is_some_and(|known| *known.stage.borrow() == Stage::Durable) {
                window.known.remove(key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    /// Forgets what is too old and, where there are too many, the oldest; answers how many of the latter.
    fn make_room(&mut self, now: Instant) -> u64 {
        if self.order.len() >= 2 * KNOWN_MAX {
            let known = &self.known;
            self.order.retain(|(_, number, key)| known.get(key).is_some_and(|known| known.number == *number));
        }
        let mut forgotten = 0;
        loop {
            let is_old = |at: &Instant| now.saturating_duration_since(*at) >= KEPT_FOR;
            let Some((at, number, key)) = self.order.front() else { return forgotten };
            let is_known = self.known.get(key).is_some_and(|known| known.number == *number);
            if is_known && !is_old(at) && self.known.len() < KNOWN_MAX {
                return forgotten;
            }
            forgotten += u64::from(is_known && !is_old(at));
            if let Some((_, _, key)) = self.order.pop_front()
                && is_known
            {
                self.known.remove(&key);
            }
        }
    }
}

impl Ticket {
    /// Whether somebody still waits for it: else it is given up and need not be written, because its sender sends it again.
    pub fn is_wanted(&self) -> bool {
        let mut window = self.repeats.lock();
        let Some(known) = window.known.get(&self.key).filter(|known| known.number == self.number) else { return true };
        if known.stage.receiver_count() > 0 {
            known.stage.send_replace(Stage::Writes);
            return true;
        }
        window.known.remove(&self.key);
        false
    }

    /// Its events are durable.
    pub fn durable(self) {
        let window = self.repeats.lock();
        if let Some(known) = window.known.get(&self.key).filter(|known| known.number == self.number) {
            known.stage.send_replace(Stage::Durable);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut window = self.repeats.lock();
        let known = window.known.get(&self.key).filter(|known| known.number == self.number);
        if known.is_some_and(|known| *known.stage.borrow() != Stage::Durable)
            && let Some(known) = window.known.remove(&self.key)
        {
            known.stage.send_replace(Stage::GivenUp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(repeats: &Repeats, key: &Key, now: Instant) -> (Ticket, watch::Receiver<Stage>) {
        match repeats.begin(key.clone(), [1; 32], now).0 {
            Begun::New(ticket, waiting) => (ticket, waiting),
            other => panic!("it is known: {other:?}"),
        }
    }

    fn again(repeats: &Repeats, key: &Key, now: Instant) -> watch::Receiver<Stage> {
        match repeats.begin(key.clone(), [1; 32], now).0 {
            Begun::Again(waiting) => waiting,
            other => panic!("it is not known: {other:?}"),
        }
    }

    #[test]
    fn a_body_is_known_until_its_answer_was_heard_and_a_key_longer() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        for (key, is_known_for_long) in [(Key::Body([1; 32]), false), (Key::Named("a".into()), true)] {
            let (ticket, waiting) = new(&repeats, &key, now);
            assert_eq!(*again(&repeats, &key, now).borrow(), Stage::Waits);
            assert!(ticket.is_wanted());
            ticket.durable();
            assert_eq!(*waiting.borrow(), Stage::Durable);
            drop(waiting);
            assert_eq!(*again(&repeats, &key, now).borrow(), Stage::Durable, "the connection was cut");
            repeats.heard(&key);
            let later = repeats.begin(key.clone(), [1; 32], now).0;
            assert_eq!(matches!(later, Begun::Again(_)), is_known_for_long);
        }
        assert!(matches!(repeats.begin(Key::Named("a".into()), [2; 32], now).0, Begun::AnotherBody));
        assert!(matches!(repeats.begin(Key::Named("a".into()), [2; 32], now + KEPT_FOR).0, Begun::New(..)));
    }

    #[test]
    fn what_nobody_waits_for_is_not_written_and_what_failed_may_be_sent_anew() {
        let (repeats, now, key) = (Repeats::default(), Instant::now(), Key::Body([1; 32]));
        let (ticket, waiting) = new(&repeats, &key, now);
        drop(waiting);
        assert!(!ticket.is_wanted());
        let (second, waiting) = new(&repeats, &key, now);
        drop(ticket);
        assert_eq!(*waiting.borrow(), Stage::Waits, "another one of the same body");
        let joined = again(&repeats, &key, now);
        drop((waiting, second));
        assert_eq!(*joined.borrow(), Stage::GivenUp);
        // One that is being written goes on without anybody: its sender will ask.
        let (third, waiting) = new(&repeats, &key, now);
        assert!(third.is_wanted());
        drop(waiting);
        third.durable();
        assert_eq!(*again(&repeats, &key, now).borrow(), Stage::Durable);
    }

    #[test]
    fn however_many_come_only_so_many_are_remembered_and_the_rest_is_counted() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        let forgotten: u64 = (0..KNOWN_MAX + 10)
            .map(|number| {
                let (begun, forgotten) = repeats.begin(Key::Named(number.to_string()), [1; 32], now);
                if let Begun::New(ticket, _) = begun {
                    ticket.durable();
                }
                forgotten
            })
            .sum();
        assert_eq!(forgotten, 10);
        let window = repeats.lock();
        assert_eq!((window.known.len(), window.order.len()), (KNOWN_MAX, KNOWN_MAX));
    }

    #[test]
    fn bodies_whose_answers_were_heard_leave_nothing_behind() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        for number in 0..10_000_u32 {
            let mut body = [0; 32];
            body[..4].copy_from_slice(&number.to_be_bytes());
            let key = Key::Body(body);
            match repeats.begin(key.clone(), body, now).0 {
                Begun::New(ticket, _) => ticket.durable(),
                other => panic!("{other:?}"),
            }
            repeats.heard(&key);
        }
        let window = repeats.lock();
        assert!(window.known.is_empty() && window.order.len() <= 1);
    }

    #[test]
    fn one_that_nobody_answered_does_not_let_the_memory_of_others_grow() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        let (_stays, _waiting) = new(&repeats, &Key::Body([1; 32]), now);
        for number in 0..3 * KNOWN_MAX {
            let key = Key::Body(std::array::from_fn(|at| if at < 8 { number.to_be_bytes()[at] } else { 2 }));
            match repeats.begin(key.clone(), [2; 32], now).0 {
                Begun::New(ticket, _) => ticket.durable(),
                other => panic!("{other:?}"),
            }
            repeats.heard(&key);
        }
        assert!(repeats.lock().order.len() <= 2 * KNOWN_MAX);
    }
}
