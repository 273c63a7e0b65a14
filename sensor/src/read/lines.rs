//! Events as lines of text: on standard output, or in a directory with one file for each dataset.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use luytre_events::{Event, json};

use crate::worker::EventSink;

/// How much text is gathered before it is written, in bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// A file for each dataset (`dns.jsonl`) in this directory, which is made if need be.
    Directory(PathBuf),
    /// Nowhere: they are counted.
    Nowhere,
}

/// Open destinations.
pub struct Lines {
    directory: Option<PathBuf>,
    nowhere: bool,
    files: BTreeMap<&'static str, Target>,
}

struct Target {
    buffer: Vec<u8>,
    file: Box<dyn Write + Send>,
}

impl Lines {
    /// Makes the directory, where one is wanted.
    pub fn open(destination: &Destination) -> io::Result<Lines> {
        let directory = match destination {
            Destination::Stdout | Destination::Nowhere => None,
            Destination::Directory(directory) => {
                std::fs::create_dir_all(directory)?;
                Some(directory.clone())
            }
        };
        Ok(Lines { directory, nowhere: *destination == Destination::Nowhere, files: BTreeMap::new() })
    }

    /// The buffer that a dataset's lines are appended to; [`Lines::written`] must follow.
    pub fn buffer(&mut self, dataset: &'static str) -> io::Result<&mut Vec<u8>> {
        Ok(&mut self.target(dataset)?.buffer)
    }

    /// Writes a dataset's buffer when it has grown large.
    pub fn written(&mut self, dataset: &'static str) -> io::Result<()> {
        let target = self.target(dataset)?;
        if target.buffer.len() >= BUFFER_BYTES { target.write() } else { Ok(()) }
    }

    /// Writes what is left.
    pub fn close(mut self) -> io::Result<()> {
        for target in self.files.values_mut() {
            target.write()?;
            target.file.flush()?;
        }
        Ok(())
    }

    fn target(&mut self, dataset: &'static str) -> io::Result<&mut Target> {
        let name = if self.directory.is_some() { dataset } else { "" };
        match self.files.entry(name) {
            std::collections::btree_map::Entry::Occupied(target) => Ok(target.into_mut()),
            std::collections::btree_map::Entry::Vacant(place) => {
                let file: Box<dyn Write + Send> = match &self.directory {
                    None if self.nowhere => Box::new(io::sink()),
                    None => Box::new(StdoutUnbuffered),
                    Some(directory) => Box::new(File::create(directory.join(format!("{dataset}.jsonl")))?),
                };
                Ok(place.insert(Target { buffer: Vec::with_capacity(BUFFER_BYTES + 4096), file }))
            }
        }
    }
}

impl Target {
    fn write(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Standard output, whose own buffer would look for line ends in what is large already: whole buffers pass through it
/// with one call each.
struct StdoutUnbuffered;

impl Write for StdoutUnbuffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().lock().flush()
    }
}

/// Turns events into lines as they come; after an error it says stop and lets the rest go.
pub struct LineSink {
    lines: Option<Lines>,
    result: io::Result<()>,
    stop: Arc<AtomicBool>,
}

impl LineSink {
    /// A sink; `stop` is set when nothing more can be written.
    pub fn new(lines: Lines, stop: Arc<AtomicBool>) -> LineSink {
        LineSink { lines: Some(lines), result: Ok(()), stop }
    }

    /// Writes what is left and says how it went.
    pub fn close(self) -> io::Result<()> {
        match self.lines {
            Some(lines) => lines.close(),
            None => self.result,
        }
    }

    fn write(lines: &mut Lines, event: &Event) -> io::Result<()> {
        let dataset = event.dataset_name();
        let buffer = lines.buffer(dataset)?;
        json::write_event(event, buffer);
        buffer.push(b'\n');
        lines.written(dataset)
    }
}

impl EventSink for LineSink {
    fn event(&mut self, event: Event) {
        let Some(lines) = &mut self.lines else { return };
        if let Err(error) = LineSink::write(lines, &event) {
            self.lines = None;
            self.result = Err(error);
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}
