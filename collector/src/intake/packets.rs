//! Asking a connected sensor for the packets of a flow.
//!
//! An answer comes in pieces. The sensor sends a few, then one for each that was taken here, so a slow reader slows its
//! own answer and nobody else's. A sensor answers [`AT_A_TIME`] wishes at a time; a further one is refused at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use luytre_events::wire::{PACKETS_PIECES, PacketsEnd, PacketsWish};
use tokio::sync::mpsc;

/// How long a sensor may take for a piece.
const PIECE_PATIENCE: Duration = Duration::from_secs(30);
/// The most answers of one sensor at a time.
const AT_A_TIME: usize = 4;
/// The most words that wait for one connection.
const WORDS: usize = 64;

/// Why packets could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PacketsError {
    /// The sensor is not connected now, or hung up meanwhile.
    #[error("sensor {0} is not connected; its packets can be asked for when it is back")]
    Absent(String),
    /// It answers enough wishes already.
    #[error("sensor {0} answers {AT_A_TIME} wishes for packets already; ask again in a moment")]
    Busy(String),
    /// No piece in time.
    #[error("sensor {0} did not send packets in time; it may be overloaded, or the line to it slow")]
    Late(String),
    /// The sensor says why not.
    #[error("sensor {0} sends no packets: {1}")]
    Failed(String, String),
}

/// What a connection is told.
pub(super) enum Word {
    /// A wish; its pieces go to the sender.
    Want { wish: PacketsWish, answer: mpsc::Sender<Part> },
    /// A piece of a request was taken.
    More(u64),
}

/// What comes of an answer.
#[derive(Debug)]
pub(super) enum Part {
    /// The number it was given.
    Begun(u64),
    /// Bytes of the file.
    Piece(Vec<u8>),
    /// No more.
    End(PacketsEnd),
}

/// Asks sensors for packets; cheap to clone.
#[derive(Clone, Default)]
pub struct Packets(Arc<Mutex<HashMap<Arc<str>, mpsc::Sender<Word>>>>);

impl Packets {
    fn sensors(&self) -> MutexGuard<'_, HashMap<Arc<str>, mpsc::Sender<Word>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a connection hears wishes; replaces that of an older connection.
    pub(super) fn listen(&self, sensor: &Arc<str>) -> mpsc::Receiver<Word> {
        let (sender, receiver) = mpsc::channel(WORDS);
        self.sensors().insert(sensor.clone(), sender);
        receiver
    }

    /// Forgets connections that are gone.
    pub(super) fn tidy(&self) {
        self.sensors().retain(|_, sender| !sender.is_closed());
    }

    /// Asks a sensor; the answer comes by [`Answer::next`].
    pub async fn ask(&self, sensor: &str, wish: PacketsWish) -> Result<Answer, PacketsError> {
        let absent = || PacketsError::Absent(sensor.to_owned());
        let words = self.sensors().get(sensor).cloned().ok_or_else(absent)?;
        // Room for every piece that may be on its way, for the number and for the end.
        let (answer, parts) = mpsc::channel(PACKETS_PIECES as usize + 2);
        let asked = words.send(Word::Want { wish, answer });
        match tokio::time::timeout(PIECE_PATIENCE, asked).await {
            Ok(Ok(())) => Ok(Answer { sensor: sensor.to_owned(), parts, words, request: 0 }),
            Ok(Err(_)) => Err(absent()),
            Err(_) => Err(PacketsError::Late(sensor.to_owned())),
        }
    }
}

/// An answer on its way. Dropping it tells the sensor that it is enough.
pub struct Answer {
    sensor: String,
    parts: mpsc::Receiver<Part>,
    words: mpsc::Sender<Word>,
    request: u64,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.parts.close();
        // Any word makes the connection look for answers that nobody waits for.
        let _ = self.words.try_send(Word::More(self.request));
    }
}

/// What an answer consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The next bytes of a pcapng file.
    Piece(Vec<u8>),
    /// That was all.
    Whole {
        /// Packets in the answer.
        packets: u64,
        /// Whether there is more than the limit allowed.
        cut: bool,
        /// Segments and blocks of the sensor's store that could not be read.
        passed_over: u64,
    },
}

impl Answer {
    /// The next part; after [`Next::Whole`] or an error there is nothing more.
    pub async fn next(&mut self) -> Result<Next, PacketsError> {
        loop {
            let part = tokio::time::timeout(PIECE_PATIENCE, self.parts.recv()).await;
            match part.map_err(|_| PacketsError::Late(self.sensor.clone()))? {
                None => return Err(PacketsError::Absent(self.sensor.clone())),
                Some(Part::Begun(request)) => self.request = request,
                Some(Part::Piece(piece)) => {
                    // A connection that is gone ends the answer at the next part.
                    let _ = self.words.send(Word::More(self.request)).await;
                    return Ok(Next::Piece(piece));
                }
                Some(Part::End(PacketsEnd::Whole { packets, cut, passed_over })) => {
                    return Ok(Next::Whole { packets, cut, passed_over });
                }
                Some(Part::End(PacketsEnd::Failed { reason })) => {
                    return Err(match reason.as_str() {
                        BUSY => PacketsError::Busy(self.sensor.clone()),
                        _ => PacketsError::Failed(self.sensor.clone(), reason),
                    });
                }
            }
        }
    }
}

/// Stands for a reason of our own.
const BUSY: &str = "busy";

/// The answers of one connection.
#[derive(Default)]
pub(super) struct Answers {
    open: HashMap<u64, mpsc::Sender<Part>>,
    last: u64,
}

impl Answers {
    /// Takes up a wish; returns the number to ask under, or nothing where it is refused.
    pub(super) fn begin(&mut self, answer: mpsc::Sender<Part>) -> Option<u64> {
        self.last += 1;
        // Whoever asked may have given up; there is room for these in a new channel.
        if self.open.len() >= AT_A_TIME {
            let _ = answer.try_send(Part::End(PacketsEnd::Failed { reason: BUSY.to_owned() }));
            return None;
        }
        let _ = answer.try_send(Part::Begun(self.last));
        self.open.insert(self.last, answer);
        Some(self.last)
    }

    /// Whether a request is still open.
    pub(super) fn is_open(&self, request: u64) -> bool {
        self.open.contains_key(&request)
    }

    /// A piece of an answer; false when nobody waits for it, or when the sensor sends more than it was asked for.
    pub(super) fn piece(&mut self, request: u64, piece: Vec<u8>) -> bool {
        let Some(answer) = self.open.get(&request) else { return false };
        let taken = answer.try_send(Part::Piece(piece)).is_ok();
        if !taken {
            self.open.remove(&request);
        }
        taken
    }

    /// The end of an answer.
    pub(super) fn end(&mut self, request: u64, end: PacketsEnd) {
        if let Some(answer) = self.open.remove(&request) {
            // Nobody may wait for it any more.
            let _ = answer.try_send(Part::End(end));
        }
    }

    /// Forgets the answers that nobody waits for any more, and names them.
    pub(super) fn forget_abandoned(&mut self) -> Vec<u64> {
        let abandoned =
            self.open.iter().filter(|(_, answer)| answer.is_closed()).map(|(request, _)| *request).collect();
        self.open.retain(|_, answer| !answer.is_closed());
        abandoned
    }
}
