//! Capture files as a [`PacketSource`]: pcap or pcapng by their first bytes, unpacked on the way where gzipped.
//!
//! Memory is bounded by the [`Window`], whatever the file says of itself. `-` is standard input.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::pcap::{HEADER_BYTES, PcapHeader, Record, Step};
use super::pcapng::Pcapng;
use super::window::{Seen, Window};
use super::{CaptureError, Next, Packet, PacketSource, SourceCounts};

enum Format {
    Pcap(PcapHeader),
    Pcapng(Box<Pcapng>),
}

/// A capture file being read.
pub struct FileSource {
    path: PathBuf,
    window: Window,
    format: Format,
    /// What to consume before the next step: the packet that was handed out last.
    consume: usize,
    /// The packet at the front of the window.
    record: Option<Record>,
    counts: SourceCounts,
    ended: bool,
}

impl FileSource {
    /// Opens a file and reads its header.
    pub fn open(path: &Path) -> Result<FileSource, CaptureError> {
        let stream: Box<dyn Read + Send> = if path == Path::new("-") {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(path).map_err(|source| CaptureError::Io { path: path.to_owned(), source })?)
        };
        FileSource::from_stream(path, stream)
    }

    /// Reads a capture from any stream; `path` is for messages.
    pub fn from_stream(path: &Path, stream: Box<dyn Read + Send>) -> Result<FileSource, CaptureError> {
        let io = |source| CaptureError::Io { path: path.to_owned(), source };
        let unknown = |reason| CaptureError::Unknown { path: path.to_owned(), reason };
        let mut window = Window::new(stream);
        window.need(HEADER_BYTES).map_err(io)?;
        if window.peek(2) == [0x1f, 0x8b] {
            let unpacked = flate2::read::MultiGzDecoder::new(WindowRead(window));
            window = Window::new(Box::new(unpacked));
            window.need(HEADER_BYTES).map_err(io)?;
        }
        let head = window.peek(HEADER_BYTES);
        let format = if head.is_empty() {
            return Err(unknown("the file is empty"));
        } else if Pcapng::begins(head) {
            Format::Pcapng(Box::default())
        } else if let Some(header) = PcapHeader::parse(head) {
            window.consume(HEADER_BYTES);
            Format::Pcap(header)
        } else {
            return Err(unknown("the file does not begin like a capture"));
        };
        Ok(FileSource {
            path: path.to_owned(),
            window,
            format,
            consume: 0,
            record: None,
            counts: SourceCounts::default(),
            ended: false,
        })
    }

    /// The file's name, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn step(&mut self) -> Result<Step, CaptureError> {
        let step = match &mut self.format {
            Format::Pcap(header) => header.next(&mut self.window),
            Format::Pcapng(pcapng) => pcapng.next(&mut self.window),
        };
        step.map_err(|source| {
            self.ended = true;
            CaptureError::Io { path: self.path.clone(), source }
        })
    }

    fn damaged(&mut self, reason: &'static str) -> CaptureError {
        self.ended = true;
        self.counts.damaged += 1;
        CaptureError::Damaged { path: self.path.clone(), offset: self.window.offset(), reason }
    }

    /// Moves to the next packet and says when it was captured; `None` at the end of the file.
    pub fn advance(&mut self) -> Result<Option<i64>, CaptureError> {
        self.record = None;
        while !self.ended {
            self.window.consume(std::mem::take(&mut self.consume));
            match self.step()? {
                Step::Record(record, consume) => {
                    self.consume = consume;
                    let time_ns = record.time_ns;
                    self.record = Some(record);
                    return Ok(Some(time_ns));
                }
                Step::Skip(count) => self.consume = count,
                Step::End => self.ended = true,
                Step::Cut(reason) | Step::Damaged(reason) => return Err(self.damaged(reason)),
            }
        }
        Ok(None)
    }

    /// The packet moved to.
    pub fn current(&self) -> Option<Packet<'_>> {
        let record = self.record.as_ref()?;
        Some(Packet {
            time_ns: record.time_ns,
            link: record.link,
            original_length: record.original_length,
            vlan: None,
            bytes: self.window.slice(record.from, record.to),
        })
    }
}

impl PacketSource for FileSource {
    fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        self.advance()?;
        Ok(self.current().map_or(Next::End, Next::Packet))
    }

    fn counts(&mut self) -> SourceCounts {
        self.counts
    }
}

/// Lets a decompressor read what a window has.
struct WindowRead(Window);

impl Read for WindowRead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if let Seen::Short(0) = self.0.need(1)? {
            return Ok(0);
        }
        let seen = self.0.peek(buffer.len());
        let count = seen.len();
        if let Some(room) = buffer.get_mut(..count) {
            room.copy_from_slice(seen);
        }
        self.0.consume(count);
        Ok(count)
    }
}
