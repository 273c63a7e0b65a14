//! A file to import: what it is, and its events as lines.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::translate::{Program, Translation};

/// A longer line is passed over.
const LINE_MAX_BYTES: usize = 4 << 20;
/// Lines that are looked at to find out whose they are.
const LINES_LOOKED_AT: usize = 20;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Packets.
    Capture,
    /// Events in our own text form.
    Events,
    /// Lines of another program.
    Log(Program),
}

impl Kind {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Capture => "capture",
            Kind::Events => "events",
            Kind::Log(program) => program.name(),
        }
    }
}

/// A file that is ready to be imported.
#[derive(Debug)]
pub struct Opened {
    /// Its kind.
    pub kind: Kind,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    path: PathBuf,
}

/// Finds out what a file is.
pub fn open(path: &Path) -> anyhow::Result<Opened> {
    let shown = path.display();
    let mut file = std::fs::File::open(path).with_context(|| format!("open {shown}"))?;
    let meta = file.metadata().with_context(|| format!("look at {shown}"))?;
    anyhow::ensure!(meta.is_file(), "{shown} is not a file; name captures and logs one by one");
    let mut digest = Sha256::new();
    let bytes = std::io::copy(&mut file, &mut digest).with_context(|| format!("read {shown}"))?;
    let sha256 = hex::encode(digest.finalize());
    let mut head = [0; 4];
    let mut content = unpacked(path, &Arc::default()).with_context(|| format!("read {shown}"))?;
    let kind = match content.fill_buf().with_context(|| format!("unpack {shown}"))?.get(..4) {
        Some(first) => {
            head.copy_from_slice(first);
            if is_capture(head) {
                Kind::Capture
            } else {
                log_kind(content).with_context(|| format!("import {shown}"))?
            }
        }
        None => anyhow::bail!("{shown} is empty"),
    };
    Ok(Opened { kind, sha256, bytes, path: path.to_owned() })
}

/// The first four bytes of pcap in microseconds and nanoseconds, both byte orders, and of pcapng.
fn is_capture(head: [u8; 4]) -> bool {
    let number = u32::from_be_bytes(head);
    [0xa1b2_c3d4, 0xd4c3_b2a1, 0xa1b2_3c4d, 0x4d3c_b2a1, 0x0a0d_0d0a].contains(&number)
}

fn log_kind(content: Box<dyn BufRead>) -> anyhow::Result<Kind> {
    let mut lines = LineReader { content, number: 0 };
    for _ in 0..LINES_LOOKED_AT {
        let Some(line) = lines.next()? else { break };
        let Ok(Json::Object(object)) = serde_json::from_slice(&line.unwrap_or_default()) else { continue };
        if object.get("event").and_then(|event| event.get("dataset")).is_some() {
            return Ok(Kind::Events);
        }
        if let Some(program) = Program::of(&object) {
            return Ok(Kind::Log(program));
        }
    }
    anyhow::bail!(
        "this is neither a capture (pcap, pcapng) nor a log of JSON lines that is understood (events of \
         luytre-sensor, EVE JSON of Suricata, JSON logs of Zeek)"
    )
}

/// The content of a file, unpacked where it is packed; `taken` counts bytes of the file itself.
fn unpacked(path: &Path, taken: &Arc<AtomicU64>) -> std::io::Result<Box<dyn BufRead>> {
    let mut file = std::fs::File::open(path)?;
    let mut head = [0; 4];
    let got = file.read(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    let counted = Counted { file, taken: taken.clone() };
    Ok(match head.get(..got) {
        Some([0x1f, 0x8b, ..]) => Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(counted))),
        Some([0x28, 0xb5, 0x2f, 0xfd]) => Box::new(BufReader::new(zstd::Decoder::new(counted)?)),
        _ => Box::new(BufReader::new(counted)),
    })
}

struct Counted {
    file: std::fs::File,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let got = self.file.read(into)?;
        self.taken.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Lines of bounded length.
struct LineReader {
    content: Box<dyn BufRead>,
    number: u64,
}

impl LineReader {
    /// The next line; `None` inside for one that is too long. Nothing at the end.
    fn next(&mut self) -> anyhow::Result<Option<Option<Vec<u8>>>> {
        let mut line = Vec::new();
        let most = LINE_MAX_BYTES as u64 + 1;
        let got = (&mut self.content).take(most).read_until(b'\n', &mut line);
        self.number += 1;
        if got.with_context(|| format!("read line {}", self.number))? == 0 {
            return Ok(None);
        }
        if line.len() > LINE_MAX_BYTES && line.last() != Some(&b'\n') {
            self.content.skip_until(b'\n').with_context(|| format!("read line {}", self.number))?;
            return Ok(Some(None));
        }
        Ok(Some(Some(line)))
    }
}

/// The events of a file, one after the other.
pub struct Lines {
    kind: Kind,
    reader: LineReader,
    translation: Option<Translation>,
    child: Option<Child>,
    /// Bytes of the file that were read; of a capture nothing is known.
    taken: Arc<AtomicU64>,
    /// Lines that were no events, and the first reasons.
    pub passed_over: u64,
    /// The first reasons, with the line's number.
    pub reasons: Vec<String>,
}

/// So many lines that were passed over are told with their reason.
const REASONS_MAX: usize = 5;

impl Opened {
    /// Its events; captures are read by the sensor, which is found at this path.
    pub fn lines(&self, sensor: &Path) -> anyhow::Result<Lines> {
        let taken: Arc<AtomicU64> = Arc::default();
        let (content, child): (Box<dyn BufRead>, _) = match self.kind {
            Kind::Capture => {
                let (content, child) = read_capture(sensor, &self.path)?;
                (content, Some(child))
            }
            _ => (unpacked(&self.path, &taken).with_context(|| format!("read {}", self.path.display()))?, None),
        };
        let translation = match self.kind {
            Kind::Log(program) => Some(Translation::new(program, &self.path)),
            _ => None,
        };
        let reader = LineReader { content, number: 0 };
        Ok(Lines { kind: self.kind, reader, translation, child, taken, passed_over: 0, reasons: Vec::new() })
    }
}

fn read_capture(sensor: &Path, capture: &Path) -> anyhow::Result<(Box<dyn BufRead>, Child)> {
    let mut command = Command::new(sensor);
    // A name that looks like an option is none.
    command.args(["read".as_ref(), "--".as_ref(), capture.as_os_str()]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("start {}, which reads captures; name it with --sensor-program", sensor.display()))?;
    let stdout = child.stdout.take().context("the sensor has no output")?;
    Ok((Box::new(BufReader::with_capacity(1 << 16, stdout)), child))
}

impl Lines {
    /// The next event in our text form.
    #[expect(clippy::should_implement_trait, reason = "it may fail")]
    pub fn next(&mut self) -> anyhow::Result<Option<Json>> {
        loop {
            let Some(line) = self.reader.next()? else { return self.end().map(|()| None) };
            let Some(line) = line else {
                self.pass_over(format!("longer than {LINE_MAX_BYTES} bytes"));
                continue;
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            let read = serde_json::from_slice::<Json>(&line).map_err(|error| error.to_string());
            let event = read.and_then(|json| match &mut self.translation {
                Some(translation) => translation.event(&json, &line),
                None => Ok(json),
            });
            match event {
                Ok(event) => return Ok(Some(event)),
                Err(reason) => self.pass_over(reason),
            }
        }
    }

    fn pass_over(&mut self, reason: String) {
        self.passed_over += 1;
        if self.reasons.len() < REASONS_MAX {
            self.reasons.push(format!("line {}: {reason}", self.reader.number));
        }
    }

    /// The sensor says by its exit whether it could read the capture to its end; it has told the reason.
    fn end(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let status = child.wait().context("wait for the sensor")?;
        if !status.success() {
            self.reasons.push("the capture could not be read to its end".to_owned());
        }
        Ok(())
    }

    /// Bytes of the file that were read so far, where that can be told.
    pub fn taken_bytes(&self) -> Option<u64> {
        (self.kind != Kind::Capture).then(|| self.taken.load(Ordering::Relaxed))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
