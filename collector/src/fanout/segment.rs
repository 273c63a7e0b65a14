//! One file of the fan-out: a run of alerts with rising sequence numbers.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::Entry;

/// The largest payload of a record; a larger one in a file is damage.
const PAYLOAD_MAX_BYTES: usize = 4 << 20;
const HEADER_BYTES: u64 = 8;

/// An open segment.
#[derive(Debug)]
pub(super) struct Segment {
    pub first: u64,
    path: PathBuf,
    file: File,
    /// Where each record begins.
    offsets: Vec<u64>,
    size_bytes: u64,
}

/// Alert and tracking as one payload.
pub(super) fn payload(entry: &Entry) -> io::Result<Vec<u8>> {
    let alert = serde_json::to_vec(&entry.alert)?;
    let length = u32::try_from(alert.len()).map_err(io::Error::other)?;
    let mut payload = Vec::with_capacity(alert.len() + 256);
    payload.extend_from_slice(&length.to_le_bytes());
    payload.extend_from_slice(&alert);
    serde_json::to_writer(&mut payload, &entry.tracking)?;
    if payload.len() > PAYLOAD_MAX_BYTES {
        return Err(io::Error::other(format!("an alert of {} bytes; at most {PAYLOAD_MAX_BYTES}", payload.len())));
    }
    Ok(payload)
}

fn split(payload: &[u8]) -> io::Result<(&[u8], &[u8])> {
    let damaged = || io::Error::other("an alert record is damaged");
    let (length, rest) = payload.split_first_chunk::<4>().ok_or_else(damaged)?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(damaged)
}

fn entry(payload: &[u8]) -> io::Result<Entry> {
    let (alert, tracking) = split(payload)?;
    Ok(Entry { alert: serde_json::from_slice(alert)?, tracking: serde_json::from_slice(tracking)? })
}

impl Segment {
    pub fn create(path: &Path, first: u64) -> io::Result<Segment> {
        let file = OpenOptions::new().read(true).append(true).create_new(true).open(path)?;
        // The name itself must be durable too.
        if let Some(Err(error)) = path.parent().map(|dir| File::open(dir).and_then(|dir| dir.sync_all())) {
            // Left there it would be in the way of the next try.
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(Segment { first, path: path.to_owned(), file, offsets: Vec::new(), size_bytes: 0 })
    }

    /// Reads every record. Answers the segment, the id of the alert of each record, and what is damaged. The tail of
    /// the last segment is cut where a crash tore it.
    pub fn open(path: &Path, first: u64, is_last: bool) -> io::Result<(Segment, Vec<String>, Option<String>)> {
        let file = OpenOptions::new().read(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        let mut segment = Segment { first, path: path.to_owned(), file, offsets: Vec::new(), size_bytes: 0 };
        let mut ids = Vec::new();
        let mut reader = BufReader::new(File::open(path)?);
        while let Some(payload) = next_record(&mut reader)? {
            let Ok(entry) = entry(&payload) else { break };
            ids.push(entry.alert.id);
            segment.offsets.push(segment.size_bytes);
            segment.size_bytes += HEADER_BYTES + payload.len() as u64;
        }
        let rest = length - segment.size_bytes;
        let damage = match (rest, is_last) {
            (0, _) => None,
            (_, true) => {
                tracing::warn!(file = %path.display(), bytes = rest, "cut the torn end of the alert log");
                segment.file.set_len(segment.size_bytes)?;
                segment.file.sync_all()?;
                None
            }
            (_, false) => Some(format!("{rest} bytes of {} are damaged; alerts in them are lost", path.display())),
        };
        Ok((segment, ids, damage))
    }

    /// The sequence number after the last one.
    pub fn next(&self) -> u64 {
        self.first + self.offsets.len() as u64
    }

    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub fn append(&mut self, payloads: &[Vec<u8>]) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut offsets = Vec::with_capacity(payloads.len());
        for payload in payloads {
            offsets.push(self.size_bytes + bytes.len() as u64);
            let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
            bytes.extend_from_slice(payload);
        }
        if let Err(error) = self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            // What was written in part must not stand before the next record.
            self.file.set_len(self.size_bytes)?;
            return Err(error);
        }
        self.size_bytes += bytes.len() as u64;
        self.offsets.extend(offsets);
        Ok(())
    }

    /// The JSON of an alert of this segment.
    pub fn alert_json(&self, sequence: u64) -> io::Result<Vec<u8>> {
        let payload = self.read(sequence)?;
        Ok(split(&payload)?.0.to_vec())
    }

    /// An alert of this segment.
    pub fn entry(&self, sequence: u64) -> io::Result<Entry> {
        entry(&self.read(sequence)?)
    }

    fn read(&self, sequence: u64) -> io::Result<Vec<u8>> {
        let number = usize::try_from(sequence - self.first).map_err(io::Error::other)?;
        let offset = *self.offsets.get(number).ok_or(io::ErrorKind::NotFound)?;
        let end = self.offsets.get(number + 1).copied().unwrap_or(self.size_bytes);
        let length = end.saturating_sub(offset + HEADER_BYTES);
        let mut payload = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut payload, offset + HEADER_BYTES)?;
        Ok(payload)
    }

    pub fn delete(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

/// The payload of the next record; nothing at the end or where the file is damaged.
fn next_record(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0; HEADER_BYTES as usize];
    if !filled(reader, &mut header)? {
        return Ok(None);
    }
    let [a, b, c, d, e, f, g, h] = header;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > PAYLOAD_MAX_BYTES {
        return Ok(None);
    }
    let mut payload = vec![0; length];
    let is_whole = filled(reader, &mut payload)? && crc32fast::hash(&payload) == u32::from_le_bytes([e, f, g, h]);
    Ok(is_whole.then_some(payload))
}

fn filled(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
