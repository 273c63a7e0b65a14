//! A capture file played as if it were live: at its own pace or as fast as it can be taken, and with its times moved to
//! the present where wanted.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::datalink::now_ns;
use super::{CaptureError, FileSource, Next, Packet, PacketSource, SourceCounts};

/// The longest sleep before the caller may look at other things.
const NAP: Duration = Duration::from_millis(20);

/// How fast a file is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speed {
    /// As it was captured.
    #[default]
    Realtime,
    /// As fast as it can be taken.
    Max,
}

/// A file being played.
pub struct Replay {
    file: FileSource,
    speed: Speed,
    /// Added to each packet's time.
    shift_ns: i64,
    /// The clock's time when the first packet was due, less that packet's own time.
    start_ns: Option<i64>,
    /// The packet that is due next was moved to already.
    pending: bool,
}

impl Replay {
    /// Opens a file. With `shift_to_now` its first packet happens now (at full speed: its last one, so that nothing lies
    /// in the future).
    pub fn open(path: &Path, speed: Speed, shift_to_now: bool) -> Result<Replay, CaptureError> {
        let shift_ns = if shift_to_now { shift(path, speed)? } else { 0 };
        Ok(Replay { file: FileSource::open(path)?, speed, shift_ns, start_ns: None, pending: false })
    }

    /// Whether the packet that is pending is due; sleeps a little where it is not.
    fn is_due(&mut self, time_ns: i64) -> bool {
        if self.speed == Speed::Max {
            return true;
        }
        let now_ns = now_ns();
        let start_ns = *self.start_ns.get_or_insert(now_ns.saturating_sub(time_ns));
        let early_ns = time_ns.saturating_add(start_ns).saturating_sub(now_ns);
        let Ok(early_ns) = u64::try_from(early_ns) else { return true };
        if early_ns > 0 {
            std::thread::sleep(NAP.min(Duration::from_nanos(early_ns)));
        }
        early_ns <= NAP.as_nanos() as u64
    }
}

/// How far to move a file's times.
fn shift(path: &Path, speed: Speed) -> Result<i64, CaptureError> {
    let mut file = FileSource::open(path)?;
    let mut reference = file.advance()?;
    if speed == Speed::Max {
        while let Ok(Some(time_ns)) = file.advance() {
            reference = reference.max(Some(time_ns));
        }
    }
    Ok(reference.map_or(0, |time_ns| now_ns().saturating_sub(time_ns)))
}

impl PacketSource for Replay {
    fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        if !self.pending {
            self.pending = self.file.advance()?.is_some();
        }
        let Some(time_ns) = self.file.current().map(|packet| packet.time_ns) else { return Ok(Next::End) };
        if !self.is_due(time_ns) {
            return Ok(Next::Idle);
        }
        self.pending = false;
        let shift_ns = self.shift_ns;
        let moved = |packet: Packet<'_>| packet.time_ns.saturating_add(shift_ns);
        Ok(match self.file.current() {
            Some(packet) => Next::Packet(Packet { time_ns: moved(packet), ..packet }),
            None => Next::End,
        })
    }

    fn counts(&mut self) -> SourceCounts {
        self.file.counts()
    }
}
