//! Events whose file is still to be scanned: one small file each, so that a crash forgets none.
//!
//! `DIR/<sha256>-<sensor>-<sequence>` holds the catalogue's digest and the event as a wire batch. Records of another
//! catalogue (an upgrade came between) are let go of: their files were announced, not scanned, and that is logged.

use std::io;
use std::path::{Path, PathBuf};

use luytre_events::wire::{Batch, Translation};
use luytre_events::{Catalogue, Event};

use super::files::{Waiting, write_whole};

/// Most events that wait for a scan.
pub const WAITING_MAX: usize = 20_000;
/// Most of them of one sensor: a sensor that announces more than it sends must leave room for the others.
pub const PER_SENSOR_MAX: usize = 2_500;

fn path(dir: &Path, sha256: &[u8; 32], event: &Event) -> PathBuf {
    dir.join(format!("{}-{}-{}", hex::encode(sha256), event.id.sensor, event.id.sequence))
}

/// Remembers that an event waits.
pub fn remember(dir: &Path, sha256: &[u8; 32], event: &Event) -> io::Result<()> {
    let batch = Batch::pack(std::slice::from_ref(event)).map_err(io::Error::other)?;
    let Some(batch) = batch else { return Ok(()) };
    let mut bytes = Catalogue::current().digest().to_vec();
    bytes.extend(luytre_events::wire::encode(&batch).map_err(io::Error::other)?);
    write_whole(&path(dir, sha256, event), &bytes)
}

/// Forgets it once its alerts are durable.
pub fn forget(dir: &Path, sha256: &[u8; 32], event: &Event) {
    // A record that stays is scanned once more and found to be alerted already.
    let _ = std::fs::remove_file(path(dir, sha256, event));
}

/// Everything that waited when the program ended.
pub fn load(dir: &Path) -> io::Result<Waiting> {
    std::fs::create_dir_all(dir)?;
    let mut waiting = Waiting::new();
    for entry in std::fs::read_dir(dir)?.flatten().take(WAITING_MAX) {
        match read(&entry.path()) {
            Some((sha256, event)) => waiting.entry(sha256).or_default().push(event),
            None => {
                tracing::warn!(file = %entry.path().display(), "let go of a file that waited for its scan: not readable");
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
    // The order in which a sensor saw them.
    waiting.values_mut().for_each(|events| events.sort_by(|a, b| a.id.cmp(&b.id)));
    Ok(waiting)
}

fn read(path: &Path) -> Option<([u8; 32], Event)> {
    let name = path.file_name()?.to_str()?;
    let mut sha256 = [0; 32];
    hex::decode_to_slice(name.get(..64)?, &mut sha256).ok()?;
    let sensor = name.get(65..)?.rsplit_once('-')?.0;
    let bytes = std::fs::read(path).ok()?;
    let (digest, batch) = bytes.split_first_chunk::<32>()?;
    if *digest != Catalogue::current().digest() {
        return None;
    }
    let batch: Batch = luytre_events::wire::decode(batch).ok()?;
    let (events, _) = batch.unpack(&sensor.into(), &Translation::from(Catalogue::current())).ok()?;
    Some((sha256, events.into_iter().next()?))
}
