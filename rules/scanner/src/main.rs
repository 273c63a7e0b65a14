//! Scans files with YARA-X, as a child of the collector or of the rule tools.
//!
//! Comes in: frames on standard input ([`scan`]): rule sources once, then files. Goes out: one answer
//! each on standard output. Before the first frame the process gives up every right to open files, sockets and programs,
//! and bounds its memory, so a file that breaks the engine gains nothing and the parent only sees the pipe close. It ends
//! when standard input does. A scan that takes too long is stopped and answered as failed.

mod confine;
mod rules;
/// The words of the pipe: the same file that `luytre_events::scan` is, so that both ends cannot differ.
#[path = "../../../sensor/events/src/scan.rs"]
mod scan;

use std::io::{self, Write as _};
use std::process::ExitCode;

use scan::{ScanAnswer, ScanRequest};

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        println!("luytre-scanner {}: speaks frames on standard input and output", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    if let Err(error) = confine::confine() {
        eprintln!("luytre-scanner: give up rights: {error}; a kernel with Landlock is needed (Linux 5.13)");
        return ExitCode::from(1);
    }
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nobody else to tell.
            let _ = writeln!(io::stderr(), "luytre-scanner: {error}");
            ExitCode::from(1)
        }
    }
}

fn serve() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut compiled = rules::Compiled::none();
    while let Some(request) = scan::read_frame::<ScanRequest>(&mut input)? {
        let answer = match request {
            ScanRequest::Rules { sources, timeout_ms } => {
                let (made, broken) = rules::Compiled::new(&sources, timeout_ms);
                compiled = made;
                ScanAnswer::Ready { rules: compiled.count(), broken }
            }
            ScanRequest::Scan { id, content } => match compiled.scan(&content) {
                Ok(matches) => ScanAnswer::Done { id, matches },
                Err(reason) => ScanAnswer::Failed { id, reason },
            },
        };
        scan::write_frame(&mut output, &answer)?;
    }
    Ok(())
}
