//! Signatures on the packets of the past's flows.
//!
//! Comes in: the flows of a period, and signatures in a folder. Goes out: matches, as a sensor with these signatures would have
//! told them. The packets of a flow come from the sensor that keeps them; of those that it does not have any more, or that is
//! away, from sealed bundles. All of them are joined in the order of time and read by `luytre-sensor read`, a child that is
//! ended when the time is over. At most [`FLOWS_MAX`] flows, the first of the period, and as many bytes as were asked for;
//! what is beyond that, and flows of which nobody has packets, are told.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use luytre_collector_api::{BacktestAnswer, BacktestRequest, EvidenceKind, Looked};
use luytre_events::text::read_event;
use luytre_events::wire::PacketsWish;
use luytre_events::{CommunityId, Event, EventId};
use luytre_rules_engine::{Engine, Match};
use serde_json::Value as Json;

use super::past::Past;
use super::{BacktestError, Parts, Time, leave_out, looked};
use crate::evidence::capture::merge;
use crate::evidence::verify::Bundle;
use crate::intake::{Next, PacketsError};
use crate::search::moment;
use crate::search::walk::Walk;

/// Flows whose packets are looked at.
const FLOWS_MAX: usize = 5_000;
/// Packets of all flows when nothing is said, in megabytes.
const PACKETS_MB: u32 = 256;
/// Packets of all flows at most, in megabytes.
const PACKETS_MAX_MB: u32 = 4_096;
/// Packets so long before the first event of a flow and after the last belong to it.
const AROUND_NS: i64 = 3_600_000_000_000;
/// A sensor that did not answer in time so often is asked nothing more.
const LATE_MAX: u32 = 2;
/// Bundles that are looked into, the newest.
const BUNDLES_MAX: usize = 200;
/// The longest line of the child.
const LINE_MAX_BYTES: u64 = 8 << 20;
/// Alerts that are kept.
const ALERTS_MAX: usize = 200_000;
/// What the child says of rules that it cannot use, so many lines of it.
const SAID_MAX: usize = 20;

/// A flow of the period.
struct Flow {
    sensor: String,
    first_ns: i64,
    last_ns: i64,
}

/// Flows that events are of.
#[derive(Default)]
pub struct Wanted {
    flows: HashMap<[u8; 20], Flow>,
    passed_over: u64,
}

/// What is asked of them.
pub struct Asked<'a> {
    /// The folder with signatures.
    pub signatures: &'a Path,
    /// A folder that goes afterwards.
    pub scratch: &'a Path,
    /// The period.
    pub walk: &'a Walk,
    /// What `now` means in it.
    pub now_ns: i64,
}

impl Wanted {
    /// Remembers the flow of an event.
    pub fn add(&mut self, event: &Event) {
        let Some(flow) = &event.flow else { return };
        let is_full = self.flows.len() >= FLOWS_MAX;
        match self.flows.get_mut(&flow.community_id.0) {
            Some(known) => {
                known.first_ns = known.first_ns.min(event.time_ns);
                known.last_ns = known.last_ns.max(event.time_ns);
            }
            None if is_full => self.passed_over += 1,
            None => {
                let sensor = event.id.sensor.to_string();
                let (first_ns, last_ns) = (event.time_ns, event.time_ns);
                self.flows.insert(flow.community_id.0, Flow { sensor, first_ns, last_ns });
            }
        }
    }

    /// Reads their packets with the signatures.
    pub fn read(
        self,
        parts: &Parts<'_>,
        request: &BacktestRequest,
        asked: &Asked<'_>,
        past: &mut Past<'_>,
        time: Time<'_>,
        answer: &mut BacktestAnswer,
    ) -> Result<Looked, BacktestError> {
        if self.passed_over > 0 {
            let passed_over = self.passed_over;
            leave_out(answer, format!("{passed_over} events are of further flows; {FLOWS_MAX} flows were looked at"));
        }
        let all = self.flows.len();
        let mut flows: Vec<(CommunityId, Flow)> =
            self.flows.into_iter().map(|(id, flow)| (CommunityId(id), flow)).collect();
        flows.sort_by(|(_, a), (_, b)| a.first_ns.cmp(&b.first_ns));
        let left_bytes = u64::from(request.packets_mb.unwrap_or(PACKETS_MB).clamp(1, PACKETS_MAX_MB)) << 20;
        let mut gathering = Gathering { parts, asked, time, captures: Vec::new(), left_bytes, refused: HashMap::new() };
        let mut missing = gathering.from_sensors(flows, answer)?;
        gathering.from_evidence(&mut missing)?;
        if !missing.is_empty() {
            leave_out(answer, format!("of {} of {all} flows nobody has packets any more", missing.len()));
        }
        let captures = gathering.captures;
        if !captures.is_empty() {
            let whole = asked.scratch.join("all.pcapng");
            merge(&captures, &whole).context("join the packets; is there room for temporary files?")?;
            // Its events are nowhere but here; their flows can be looked for.
            let flow = |event: &Event| event.flow.as_ref().map(|flow| flow.community_id.to_string());
            past.take_all(alerts(parts, asked, &whole, time, answer)?, |event| flow(event).unwrap_or_default());
        }
        Ok(looked(captures.len(), all - captures.len()))
    }
}

/// Packets on their way here.
struct Gathering<'g> {
    parts: &'g Parts<'g>,
    asked: &'g Asked<'g>,
    time: Time<'g>,
    captures: Vec<PathBuf>,
    left_bytes: u64,
    /// Sensors that are asked nothing more, and how often others were late.
    refused: HashMap<String, u32>,
}

impl Gathering<'_> {
    /// Answers those of which the sensors have nothing.
    fn from_sensors(
        &mut self,
        flows: Vec<(CommunityId, Flow)>,
        answer: &mut BacktestAnswer,
    ) -> Result<Vec<CommunityId>, BacktestError> {
        let (all, mut missing) = (flows.len() as u64, Vec::new());
        for (number, (id, flow)) in flows.into_iter().enumerate() {
            if self.time.is_over() || self.left_bytes == 0 {
                leave_out(answer, format!("the time or packets_mb was used up after {number} of {all} flows"));
                missing.push(id);
                break;
            }
            self.time.control.tell("packets", number as u64, Some(all), Some(flow.first_ns));
            if self.refused.get(&flow.sensor).is_some_and(|late| *late >= LATE_MAX) {
                missing.push(id);
                continue;
            }
            match self.fetch(id, &flow)? {
                Ok(()) => {}
                Err(error) => {
                    let late = self.refused.entry(flow.sensor).or_default();
                    match error {
                        Some(absent @ PacketsError::Absent(_)) => {
                            *late = LATE_MAX;
                            leave_out(answer, absent.to_string());
                        }
                        Some(PacketsError::Late(_)) => *late += 1,
                        _ => {}
                    }
                    missing.push(id);
                }
            }
        }
        Ok(missing)
    }

    /// The packets of one flow into a file of its own. Nothing where the sensor has none.
    fn fetch(&mut self, flow: CommunityId, seen: &Flow) -> Result<Result<(), Option<PacketsError>>, BacktestError> {
        let wish = PacketsWish {
            flow,
            from_ns: seen.first_ns.saturating_sub(AROUND_NS),
            to_ns: seen.last_ns.saturating_add(AROUND_NS),
            limit_bytes: self.left_bytes,
        };
        let path = self.asked.scratch.join(format!("{}.pcapng", self.captures.len()));
        let mut file = None;
        let (packets, time) = (&self.parts.evidence.packets, self.time);
        let ended = self.parts.runtime.block_on(async {
            let mut answer = packets.ask(&seen.sensor, wish).await.map_err(Some)?;
            let mut bytes = 0_u64;
            loop {
                match answer.next().await.map_err(Some)? {
                    Next::Piece(piece) => {
                        bytes += piece.len() as u64;
                        let out = match &mut file {
                            Some(out) => out,
                            None => file.insert(std::fs::File::create(&path).map_err(|_| None)?),
                        };
                        out.write_all(&piece).map_err(|_| None)?;
                        // The rest of a long answer that nobody waits for any more.
                        if time.is_over() {
                            return Err(None);
                        }
                    }
                    Next::Whole { packets: 0, .. } => return Err(None),
                    Next::Whole { .. } => return Ok(bytes),
                }
            }
        });
        Ok(match ended {
            Ok(bytes) => {
                self.left_bytes = self.left_bytes.saturating_sub(bytes);
                self.captures.push(path);
                Ok(())
            }
            Err(error) => {
                if file.is_some() {
                    std::fs::remove_file(&path).context("remove packets that broke off")?;
                }
                Err(error)
            }
        })
    }

    /// Looks for flows in sealed bundles; those that are found are missing no longer.
    fn from_evidence(&mut self, missing: &mut Vec<CommunityId>) -> Result<(), BacktestError> {
        let store = &self.parts.evidence.store;
        let bundles = store.answer().items.into_iter().filter(|item| item.kind == EvidenceKind::Bundle);
        for item in bundles.take(BUNDLES_MAX) {
            if missing.is_empty() || self.time.is_over() || self.left_bytes == 0 {
                return Ok(());
            }
            // One that went meanwhile, or that is damaged, has nothing for us.
            let Some(Ok(mut bundle)) = store.file(&item.id).map(Bundle::open) else { continue };
            let Ok(manifest) = bundle.manifest() else { continue };
            for flow in manifest.flows {
                let Some(at) = missing.iter().position(|id| id.to_string() == flow.community_id) else { continue };
                let path = self.asked.scratch.join(format!("{}.pcapng", self.captures.len()));
                let mut file = std::fs::File::create(&path).context("unpack sealed packets")?;
                match bundle.copy(&flow.name, &mut file) {
                    Ok(bytes) => {
                        self.left_bytes = self.left_bytes.saturating_sub(bytes);
                        self.captures.push(path);
                        missing.swap_remove(at);
                    }
                    Err(_) => std::fs::remove_file(&path).context("remove packets that broke off")?,
                }
            }
        }
        Ok(())
    }
}

/// What a sensor with these signatures says of a capture, within the period.
fn alerts(
    parts: &Parts<'_>,
    asked: &Asked<'_>,
    capture: &Path,
    time: Time<'_>,
    answer: &mut BacktestAnswer,
) -> Result<Vec<(Match, Event)>, BacktestError> {
    let program = sensor_program();
    let said = asked.scratch.join("said.txt");
    let errors = std::fs::File::create(&said).context("make a file for what the sensor says")?;
    let mut command = Command::new(&program);
    command.arg("read").arg("--rules").arg(asked.signatures).arg("--").arg(capture);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn();
    let mut child = child.with_context(|| format!("start {}, which reads packets", program.display()))?;
    let lines = child.stdout.take().context("the sensor has no output")?;
    let is_done = AtomicBool::new(false);
    let (found, is_ended) = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(&mut child, &is_done, time));
        let found = heard(parts, asked, lines);
        is_done.store(true, Ordering::Relaxed);
        (found, watching.join().unwrap_or(true))
    });
    let status = child.wait().context("wait for the sensor")?;
    if is_ended {
        leave_out(answer, "the time was over while the packets were read: not all of them were looked at".to_owned());
    } else if !status.success() {
        leave_out(answer, "the packets could not be read to their end".to_owned());
    }
    let said = std::fs::read_to_string(&said).unwrap_or_default();
    let broken = said.lines().filter_map(|line| line.strip_prefix("luytre-sensor: ")).take(SAID_MAX);
    answer.broken.extend(broken.map(|line| line.replace(&*asked.signatures.to_string_lossy(), "")));
    found
}

/// The sensor beside the running program, else whatever the PATH says.
fn sensor_program() -> PathBuf {
    let beside = std::env::current_exe().ok().map(|path| path.with_file_name("luytre-sensor"));
    beside.filter(|path| path.exists()).unwrap_or_else(|| "luytre-sensor".into())
}

/// Ends the child when the time is over before it is done; answers whether it did.
fn watch(child: &mut Child, is_done: &AtomicBool, time: Time<'_>) -> bool {
    while !is_done.load(Ordering::Relaxed) {
        if time.is_over() {
            // It may have ended by itself just now.
            let _ = child.kill();
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

fn heard(
    parts: &Parts<'_>,
    asked: &Asked<'_>,
    lines: impl std::io::Read,
) -> Result<Vec<(Match, Event)>, BacktestError> {
    let at = |text: &Option<String>, open| text.as_ref().map_or(Ok(open), |text| moment(text, asked.now_ns));
    let (from_ns, to_ns) = (at(&asked.walk.from, i64::MIN)?, at(&asked.walk.to, i64::MAX)?);
    let agencies = parts.agencies.get();
    // Without rules of its own it makes matches of what sensors alert.
    let mut engine = Engine::empty();
    let (mut found, mut line, mut lines) = (Vec::new(), Vec::new(), BufReader::new(lines));
    let mut sequence = 0;
    loop {
        line.clear();
        let got =
            (&mut lines).take(LINE_MAX_BYTES).read_until(b'\n', &mut line).context("read what the sensor says")?;
        // A line that is cut is the last of a child that was ended.
        if got == 0 || line.last() != Some(&b'\n') {
            return Ok(found);
        }
        let json: Json = serde_json::from_slice(&line).context("understand what the sensor says")?;
        if json.pointer("/event/dataset").and_then(Json::as_str) != Some("alert") {
            continue;
        }
        sequence += 1;
        let id = EventId { sensor: "backtest".into(), sequence };
        let mut event = read_event(&json, id, 0).context("understand what the sensor says")?.event;
        if !(from_ns..to_ns).contains(&event.time_ns) || found.len() >= ALERTS_MAX {
            continue;
        }
        agencies.add_to(&mut event);
        let made = engine.process(&event);
        found.extend(made.into_iter().map(|made| (made, event.clone())));
    }
}
