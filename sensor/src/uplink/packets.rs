//! Answers to wishes for packets, beside everything else that goes up: each is read from disk on a thread of its own and
//! waits there until the collector has room for the next piece.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use luytre_events::wire::{PACKETS_PIECE_BYTES, PACKETS_PIECES, PacketsEnd, PacketsWish, SensorFrame};
use tokio::sync::mpsc;

use super::Source;
use crate::packets::Extraction;

/// The most answers at a time.
const ANSWERS_MAX: usize = 4;
/// An answer that nobody asks more of for so long is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The answers of one connection. Dropping it ends them.
pub(super) struct Answers {
    source: Arc<dyn Source>,
    frames: mpsc::Sender<SensorFrame>,
    /// By request: where a word that another piece may come goes.
    open: HashMap<u64, Sender<()>>,
}

impl Answers {
    /// No answers yet; their frames come out of the second.
    pub(super) fn new(source: Arc<dyn Source>) -> (Answers, mpsc::Receiver<SensorFrame>) {
        let (frames, ready) = mpsc::channel(1);
        (Answers { source, frames, open: HashMap::new() }, ready)
    }

    /// Begins an answer. A refusal is returned, to be sent at once.
    pub(super) fn begin(&mut self, request: u64, wish: PacketsWish) -> Option<SensorFrame> {
        if self.open.len() >= ANSWERS_MAX || self.open.contains_key(&request) {
            let reason = format!("the sensor answers {ANSWERS_MAX} wishes for packets already; ask again in a moment");
            return Some(SensorFrame::PacketsEnd { request, end: PacketsEnd::Failed { reason } });
        }
        let (more, allowed) = channel();
        for _ in 0..PACKETS_PIECES {
            // The other end is in our hands.
            let _ = more.send(());
        }
        self.open.insert(request, more);
        let (source, frames) = (self.source.clone(), self.frames.clone());
        tokio::task::spawn_blocking(move || {
            let end = match source.packets(&wish) {
                Ok(mut extraction) => answer(request, &mut extraction, &frames, &allowed),
                Err(reason) => Some(PacketsEnd::Failed { reason }),
            };
            if let Some(end) = end {
                // Without a connection there is nobody to tell.
                let _ = frames.blocking_send(SensorFrame::PacketsEnd { request, end });
            }
        });
        None
    }

    /// The collector has room for one more piece.
    pub(super) fn more(&mut self, request: u64) {
        if let Some(more) = self.open.get(&request) {
            // An answer that has just ended needs nothing more.
            let _ = more.send(());
        }
    }

    /// The answer has ended, or nobody waits for it any more.
    pub(super) fn end(&mut self, request: u64) {
        self.open.remove(&request);
    }
}

/// Sends pieces as they are allowed; nothing when nobody waits for them any more.
fn answer(
    request: u64,
    extraction: &mut Extraction,
    frames: &mpsc::Sender<SensorFrame>,
    allowed: &Receiver<()>,
) -> Option<PacketsEnd> {
    while let Some(piece) = extraction.next_piece(PACKETS_PIECE_BYTES) {
        match allowed.recv_timeout(PATIENCE) {
            Ok(()) => frames.blocking_send(SensorFrame::Packets { request, piece }).ok()?,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                let reason = "nobody took what was sent".to_owned();
                return Some(PacketsEnd::Failed { reason });
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return None,
        }
    }
    let summary = extraction.summary();
    Some(PacketsEnd::Whole { packets: summary.packets, cut: summary.cut, passed_over: summary.passed_over })
}
