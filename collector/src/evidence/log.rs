//! The log of what was done with evidence: a line each, chained by digests, so that a line that was changed, taken out or
//! put in shows.
//!
//! Comes in: what, on which item, by whom. Goes out: durable lines. A line torn by a crash is cut off at the next start;
//! it was not answered yet. The log grows with what people do and is never cut.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use luytre_collector_api::EvidenceLogLine;
use sha2::{Digest as _, Sha256};

/// The longest line; a longer one is damage.
const LINE_MAX_BYTES: usize = 64 << 10;
/// The longest text of whoever did something, and why, in letters.
const NOTE_MAX: usize = 500;

/// The log.
pub struct Log {
    path: PathBuf,
    file: File,
    last: String,
    length: u64,
}

impl Log {
    /// Opens or makes it.
    pub fn open(path: &Path) -> io::Result<Log> {
        let file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
        let mut lines = BufReader::new(File::open(path)?);
        let (mut last, mut length, mut line) = (String::new(), 0, Vec::new());
        loop {
            line.clear();
            let got = lines.read_until(b'\n', &mut line)?;
            if got == 0 || line.last() != Some(&b'\n') {
                break;
            }
            length += got as u64;
            last = digest(&line);
        }
        file.set_len(length)?;
        Ok(Log { path: path.to_owned(), file, last, length })
    }

    /// Writes a line; it is durable when this returns.
    pub fn write(&mut self, what: &str, id: &str, by: &str, note: &str) -> io::Result<()> {
        let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(NOTE_MAX).collect();
        let line = EvidenceLogLine {
            time: jiff::Timestamp::now().to_string(),
            what: what.to_owned(),
            id: id.to_owned(),
            by: plain(by),
            note: plain(note),
            before: self.last.clone(),
        };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        if let Err(error) = self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            // What was written of it would tear the next line.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += bytes.len() as u64;
        self.last = digest(&bytes);
        tracing::info!(what, id, by = line.by, note = line.note, "evidence");
        Ok(())
    }

    /// The newest lines, oldest first, and whether the chain holds from the first line on.
    pub fn read(&self, most: usize) -> io::Result<(Vec<EvidenceLogLine>, bool)> {
        let mut lines = BufReader::new(File::open(&self.path)?);
        let mut newest = std::collections::VecDeque::new();
        let (mut before, mut is_whole, mut line) = (String::new(), true, Vec::new());
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            match serde_json::from_slice::<EvidenceLogLine>(&line) {
                Ok(read) if line.len() <= LINE_MAX_BYTES => {
                    is_whole &= read.before == before;
                    newest.push_back(read);
                    if newest.len() > most {
                        newest.pop_front();
                    }
                }
                _ => is_whole = false,
            }
            before = digest(&line);
        }
        Ok((newest.into(), is_whole && before == self.last))
    }
}

fn digest(line: &[u8]) -> String {
    hex::encode(Sha256::digest(line))
}
