//! Typesets a document: reads JSON on standard input, writes a PDF on standard output.
//!
//! A child process of the console, so that the typesetter's size and faults stay away from it. It sees no file and no
//! network: the template and the fonts are part of the program, the document is a virtual file beside them and only ever
//! shown as text. Memory and processor time are limited before anything is read; what is too much ends the program with
//! a message, and the console answers without a PDF.

mod world;

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, setrlimit};

/// The largest document that is read.
const MAX_INPUT_BYTES: u64 = 16 << 20;

/// Processor time for one document, in seconds.
const MAX_CPU_S: u64 = 120;

/// The memory limit where none is given, in MiB.
const DEFAULT_MEMORY_MIB: u64 = 1024;

fn main() -> ExitCode {
    let memory_mib = match arguments() {
        Ok(memory_mib) => memory_mib,
        Err(error) => {
            eprintln!("luytre-press: {error:#}");
            return ExitCode::from(2);
        }
    };
    match print(memory_mib) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("luytre-press: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `--memory-mib N`.
fn arguments() -> anyhow::Result<u64> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => Ok(DEFAULT_MEMORY_MIB),
        (Some("--memory-mib"), Some(number)) => number.parse().context("read --memory-mib"),
        _ => anyhow::bail!("usage: luytre-press [--memory-mib N] < document.json > document.pdf"),
    }
}

fn print(memory_mib: u64) -> anyhow::Result<()> {
    limit(Resource::As, memory_mib.saturating_mul(1 << 20)).context("limit the memory")?;
    limit(Resource::Cpu, MAX_CPU_S).context("limit the processor time")?;
    limit(Resource::Core, 0).context("switch core dumps off")?;
    let mut input = Vec::new();
    std::io::stdin().take(MAX_INPUT_BYTES + 1).read_to_end(&mut input).context("read the document")?;
    anyhow::ensure!(input.len() as u64 <= MAX_INPUT_BYTES, "the document is larger than {MAX_INPUT_BYTES} bytes");
    let pdf = world::typeset(input)?;
    std::io::stdout().write_all(&pdf).context("write the PDF")
}

fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
        .map_err(|error| std::io::Error::from_raw_os_error(error.raw_os_error()))
}
