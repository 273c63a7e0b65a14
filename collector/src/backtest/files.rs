//! YARA rules on the files that the past has left here.
//!
//! Comes in: events that name a file by its SHA-256. Goes out: matches, as the rules would have made them when the files came.
//! A file is looked for where carved files are kept and among the evidence; sensors are not asked for what they may still
//! have. Each is scanned once, in a scanner of its own, whatever the number of events. At most [`EVENTS_MAX`] events are
//! remembered, the oldest; further ones, files that are not here any more and those that could not be scanned are told.

use std::collections::BTreeMap;
use std::path::Path;

use luytre_collector_api::{BacktestAnswer, Looked};
use luytre_events::Event;
use luytre_rules_engine::Engine;
use luytre_rules_engine::scanner::ScannerClient;
use sha2::{Digest as _, Sha256};

use super::past::Past;
use super::{Parts, Time, leave_out, looked};

/// Events that are remembered.
const EVENTS_MAX: usize = 100_000;

/// Files that events name.
#[derive(Default)]
pub struct Wanted {
    of: BTreeMap<String, Vec<Event>>,
    events: usize,
    passed_over: u64,
}

impl Wanted {
    /// Remembers an event, where it names a file.
    pub fn add(&mut self, event: Event) {
        let Some(sha256) = event.get_named("file.hash.sha256").map(|value| value.borrow().to_text()) else { return };
        if self.events >= EVENTS_MAX {
            self.passed_over += 1;
            return;
        }
        self.events += 1;
        self.of.entry(sha256.to_ascii_lowercase()).or_default().push(event);
    }

    /// Scans the files that are here.
    pub fn scan(
        self,
        parts: &Parts<'_>,
        engine: &mut Engine,
        past: &mut Past<'_>,
        time: Time<'_>,
        answer: &mut BacktestAnswer,
    ) -> Looked {
        let settings = &parts.evidence.settings.files;
        let program = settings.scanner.clone().unwrap_or_else(ScannerClient::program_beside);
        let mut scanner = ScannerClient::new(&program, engine.rules().yara_sources(), settings.timeout_ms);
        if let Err(error) = scanner.start() {
            leave_out(answer, format!("no file was scanned: {error}"));
            return looked(0, self.of.len());
        }
        answer.broken.extend(scanner.broken().iter().map(|broken| format!("{}: {}", broken.file, broken.reason)));
        if self.passed_over > 0 {
            leave_out(answer, format!("{} events with a file; {EVENTS_MAX} were looked at", self.passed_over));
        }
        let (all, mut scanned, mut missing, mut failed) = (self.of.len(), 0, 0, 0);
        let mut found = Vec::new();
        for (sha256, events) in self.of {
            if time.is_over() {
                leave_out(answer, format!("the time was over: {} files were not looked at", all - scanned - missing));
                break;
            }
            time.control.tell("files", (scanned + missing) as u64, Some(all as u64), None);
            let Some(content) = content(parts, &sha256) else {
                missing += 1;
                continue;
            };
            scanned += 1;
            match scanner.scan(&content) {
                Ok(matches) => {
                    for event in events {
                        let made: Vec<_> = matches.iter().filter_map(|one| engine.file_match(&event, one)).collect();
                        found.extend(made.into_iter().map(|made| (made, event.clone())));
                    }
                }
                Err(error) => {
                    failed += 1;
                    leave_out(answer, format!("the file {sha256}: {error}"));
                }
            }
        }
        if missing > 0 {
            leave_out(answer, format!("{missing} of {all} files are no longer here"));
        }
        past.take_all(found, |event| event.id.to_string());
        looked(scanned - failed, all - (scanned - failed))
    }
}

/// A file that is here, and still what its name says.
fn content(parts: &Parts<'_>, sha256: &str) -> Option<Vec<u8>> {
    let is_digest = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    let folder = is_digest.then(|| sha256.get(..2)).flatten()?;
    let path = Path::new(&parts.evidence.scanned).join(folder).join(sha256);
    let content = std::fs::read(path).ok().or_else(|| parts.evidence.store.content(sha256));
    content.filter(|content| hex::encode(Sha256::digest(content)) == sha256)
}
