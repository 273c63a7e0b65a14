//! Replay: a bundle's events, and its packets read anew, through detection again.
//!
//! Comes in: a bundle, the sensor program (which reads the packets, as a child) and the scanner program (which looks at
//! carved files), today's rules. Goes out: a [`Replay`]: whether the sealed rules make the same alert of the sealed events,
//! and of what the sensor reads in the sealed packets; where not, each difference; and what today's rules would say.
//! Nothing of a running collector is touched; what is unpacked stands in a folder of its own that goes afterwards.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use luytre_collector_api::{Alert, RuleKind, Visibility};
use luytre_events::text::read_event;
use luytre_events::{Event, EventId};
use luytre_rules_engine::Engine;
use luytre_rules_engine::scanner::ScannerClient;
use serde::Serialize;
use serde_json::Value as Json;

use super::archive::unlocked;
use super::capture::merge;
use super::manifest::{Manifest, names};
use super::verify::Bundle;
use crate::detect::alert::SEPARATOR;
use crate::detect::groups::{GroupSettings, Groups, Surroundings};
use crate::enrich::Agencies;
use crate::fanout::Entry;

/// The most events that are taken from packets.
const EVENTS_MAX: usize = 500_000;
/// The longest line of the sensor.
const LINE_MAX_BYTES: u64 = 4 << 20;
/// One scan may take this long, in milliseconds.
const SCAN_MS: u32 = 10_000;

/// What replaying needs.
#[derive(Debug)]
pub struct Tools<'t> {
    /// Reads packets.
    pub sensor: &'t Path,
    /// Looks at carved files.
    pub scanner: &'t Path,
    /// Opens carved files.
    pub password: Option<&'t str>,
    /// Today's rules.
    pub rules: &'t [PathBuf],
    /// A folder for what is unpacked.
    pub scratch: &'t Path,
}

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What.
    pub what: String,
    /// As it was.
    pub then: String,
    /// As it is now.
    pub now: String,
}

/// What became of one way to the alert.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    /// How many events were looked at.
    pub events: usize,
    /// Whether the rule fired.
    pub fired: bool,
    /// What differs; of the same alert, nothing.
    pub differences: Vec<Difference>,
}

impl Outcome {
    /// Whether the same alert came of it.
    pub fn is_same(&self) -> bool {
        self.fired && self.differences.is_empty()
    }
}

/// An alert of today's rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Said {
    /// The rule.
    pub rule: String,
    /// Its name.
    pub name: String,
    /// On how many events.
    pub events: u64,
}

/// What a replay showed.
#[derive(Debug, Clone, Serialize)]
pub struct Replay {
    /// The alert.
    pub alert: String,
    /// Its rule.
    pub rule: String,
    /// Whether the rules in the bundle are those that raised the alert.
    pub same_rules: bool,
    /// The sealed events under the sealed rules.
    pub from_events: Outcome,
    /// The sealed packets, read anew, under the sealed rules; nothing where none are sealed.
    pub from_packets: Option<Outcome>,
    /// How many events of each dataset were sealed, and were read anew, where that differs.
    pub read_differently: Vec<Difference>,
    /// What today's rules say of the sealed events.
    pub today: Vec<Said>,
    /// Whether the alert's rule is among them.
    pub fires_today: bool,
    /// What could not be looked at.
    pub notes: Vec<String>,
}

impl Replay {
    /// Whether the bundle proves its alert.
    pub fn is_proved(&self) -> bool {
        self.from_events.is_same() && self.from_packets.as_ref().is_none_or(Outcome::is_same)
    }
}

/// Replays a bundle, which should have been verified.
pub fn replay<R: Read + Seek>(bundle: &mut Bundle<R>, tools: &Tools<'_>) -> anyhow::Result<Replay> {
    let manifest = bundle.manifest()?;
    let alert: Alert = serde_json::from_slice(&bundle.bytes(names::ALERT)?).context("read the alert")?;
    let mut notes = manifest.missing.clone();
    let rules = [unpack_rules(bundle, tools.scratch)?];
    let events = sealed_events(&bundle.text(names::EVENTS)?)?;
    let files = files(bundle, &manifest, tools.password, &mut notes)?;
    let mut detection = |rules: &[PathBuf], events: &[Event]| {
        Detection { groups: &manifest, scanner: tools.scanner, files: &files }.run(rules, events, &mut notes)
    };
    let (digest, found) = detection(&rules, &events)?;
    let from_events =
        Comparison { alert: &alert, manifest: &manifest, of_packets: false }.outcome(&found, events.len());
    let (_, said) = detection(tools.rules, &events)?;
    let mut from_packets = None;
    let mut read_differently = Vec::new();
    if !manifest.flows.is_empty() {
        let signatures = signatures(&events, tools.scratch)?;
        let read = read_packets(bundle, &manifest, &alert, signatures.as_deref(), tools)?;
        let (_, found) = detection(&rules, &read)?;
        from_packets =
            Some(Comparison { alert: &alert, manifest: &manifest, of_packets: true }.outcome(&found, read.len()));
        read_differently = datasets(&events, &read, &manifest);
    }
    let mut today: Vec<Said> = said.iter().map(|entry| said_of(&entry.alert)).collect();
    today.sort();
    Ok(Replay {
        // A signature came with its alert: the sealed text is the one that raised it.
        same_rules: digest == alert.rule.ruleset || alert.rule.kind == RuleKind::Signature,
        fires_today: today.iter().any(|said| said.rule == alert.rule.id),
        alert: alert.id,
        rule: format!("{} ({})", alert.rule.name, alert.rule.id),
        from_events,
        from_packets,
        read_differently,
        today,
        notes,
    })
}

fn said_of(alert: &Alert) -> Said {
    Said { rule: alert.rule.id.clone(), name: alert.rule.name.clone(), events: alert.event_count }
}

fn unpack_rules<R: Read + Seek>(bundle: &mut Bundle<R>, scratch: &Path) -> anyhow::Result<PathBuf> {
    let folder = scratch.join("rules");
    std::fs::create_dir_all(&folder).context("make a folder for the rules")?;
    for name in bundle.names().into_iter().filter(|name| name.starts_with(names::RULES)) {
        // Names that lead out of their folder are no entries of a bundle.
        let path = scratch.join(&name);
        let parent = path.parent().context("a rule without a folder")?;
        std::fs::create_dir_all(parent).with_context(|| format!("make {}", parent.display()))?;
        std::fs::write(&path, bundle.bytes(&name)?).with_context(|| format!("unpack {name}"))?;
    }
    Ok(folder)
}

fn sealed_events(text: &str) -> anyhow::Result<Vec<Event>> {
    let mut events = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let what = || format!("read line {} of {}", number + 1, names::EVENTS);
        let json: Json = serde_json::from_str(line).with_context(what)?;
        let id = json.pointer("/event/id").and_then(Json::as_str).and_then(|id| id.parse().ok());
        let id: EventId = id.with_context(|| format!("{}: it has no event.id", what()))?;
        events.push(read_event(&json, id, 0).with_context(what)?.event);
    }
    Ok(events)
}

/// Contents of the carved files, by digest.
fn files<R: Read + Seek>(
    bundle: &mut Bundle<R>,
    manifest: &Manifest,
    password: Option<&str>,
    notes: &mut Vec<String>,
) -> anyhow::Result<HashMap<String, Vec<u8>>> {
    let mut files = HashMap::new();
    let Some(password) = password else {
        if !manifest.files.is_empty() {
            notes.push("the carved files were not scanned: name their password with --password".to_owned());
        }
        return Ok(files);
    };
    for file in &manifest.files {
        let content = unlocked(&bundle.bytes(&file.name)?, password).with_context(|| format!("open {}", file.name))?;
        files.insert(file.sha256.clone(), content);
    }
    Ok(files)
}

/// The signatures whose alerts are among the events, in a file for the sensor; nothing where there are none.
fn signatures(events: &[Event], scratch: &Path) -> anyhow::Result<Option<PathBuf>> {
    let texts: BTreeSet<String> =
        events.iter().filter_map(|event| Some(event.get_named("signature.text")?.borrow().to_text())).collect();
    if texts.is_empty() {
        return Ok(None);
    }
    let path = scratch.join("sealed.rules");
    std::fs::write(&path, Vec::from_iter(texts).join("\n")).context("unpack the signatures")?;
    Ok(Some(path))
}

/// Detection as the collector does it, on a few events.
struct Detection<'d> {
    groups: &'d Manifest,
    scanner: &'d Path,
    files: &'d HashMap<String, Vec<u8>>,
}

impl Detection<'_> {
    /// Digest of the rules, and the alerts they raise.
    fn run(
        &self,
        rules: &[PathBuf],
        events: &[Event],
        notes: &mut Vec<String>,
    ) -> anyhow::Result<(String, Vec<Entry>)> {
        let mut engine = luytre_rules_engine::load(rules)?;
        let digest = engine.rules().digest().to_owned();
        let (window_s, longest_s) = self.groups.grouping_s;
        let mut groups = Groups::restore(&GroupSettings { window_s, longest_s }, Vec::new());
        let scans = self.scan(&engine, notes);
        let visibility = Visibility { seen: 0.0, unaccounted: 0, known: false };
        let surroundings = Surroundings { ruleset: &digest, visibility, now_ns: 0 };
        for event in events {
            for found in engine.process(event) {
                groups.take(&found, event, &surroundings, |_| None);
            }
            let sha256 = event.get_named("file.hash.sha256").map(|value| value.borrow().to_text());
            for scanned in sha256.and_then(|sha256| scans.get(&sha256)).into_iter().flatten() {
                if let Some(found) = engine.file_match(event, scanned) {
                    groups.take(&found, event, &surroundings, |_| None);
                }
            }
        }
        Ok((digest, groups.changed()))
    }

    fn scan(&self, engine: &Engine, notes: &mut Vec<String>) -> HashMap<String, Vec<luytre_events::scan::FileMatch>> {
        let sources = engine.rules().yara_sources();
        let mut scans = HashMap::new();
        if self.files.is_empty() || sources.is_empty() {
            return scans;
        }
        let mut scanner = ScannerClient::new(self.scanner, sources, SCAN_MS);
        for (sha256, content) in self.files {
            match scanner.scan(content) {
                Ok(matches) => drop(scans.insert(sha256.clone(), matches)),
                Err(error) => notes.push(format!("the file {sha256} was not scanned: {error}")),
            }
        }
        scans
    }
}

/// What the sensor sees in the sealed packets.
fn read_packets<R: Read + Seek>(
    bundle: &mut Bundle<R>,
    manifest: &Manifest,
    alert: &Alert,
    signatures: Option<&Path>,
    tools: &Tools<'_>,
) -> anyhow::Result<Vec<Event>> {
    let agencies = match bundle.text(names::AGENCIES) {
        Ok(text) => Agencies::parse(&text, Path::new(names::AGENCIES)).context("read the sealed agencies")?,
        Err(_) => Agencies::default(),
    };
    let mut events: Vec<Event> = Vec::new();
    let mut captures = Vec::new();
    for (number, flow) in manifest.flows.iter().enumerate() {
        let path = tools.scratch.join(format!("{number}.pcapng"));
        let mut file = std::fs::File::create(&path).with_context(|| format!("unpack {}", flow.name))?;
        bundle.copy(&flow.name, &mut file).with_context(|| format!("unpack {}", flow.name))?;
        captures.push(path);
    }
    let all = tools.scratch.join("all.pcapng");
    merge(&captures, &all)?;
    let command = read_command(tools.sensor, &all, signatures);
    read_capture(command, &all, alert, &agencies, &mut events)?;
    for (sequence, event) in (1..).zip(&mut events) {
        event.id.sequence = sequence;
    }
    Ok(events)
}

/// Reads a capture, with signatures where there are some.
fn read_command(sensor: &Path, capture: &Path, signatures: Option<&Path>) -> Command {
    let mut command = Command::new(sensor);
    command.arg("read");
    if let Some(signatures) = signatures {
        command.arg("--rules").arg(signatures);
    }
    command.arg("--").arg(capture);
    command
}

fn read_capture(
    mut command: Command,
    capture: &Path,
    alert: &Alert,
    agencies: &Agencies,
    events: &mut Vec<Event>,
) -> anyhow::Result<()> {
    let sensor = command.get_program().to_owned();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().with_context(|| {
            format!("start {}, which reads packets; name it with --sensor-program", Path::new(&sensor).display())
        })?;
    let mut lines = BufReader::new(child.stdout.take().context("the sensor has no output")?);
    let mut read = || -> anyhow::Result<()> {
        let mut line = Vec::new();
        while (&mut lines).take(LINE_MAX_BYTES).read_until(b'\n', &mut line).context("read what the sensor says")? > 0 {
            anyhow::ensure!(events.len() < EVENTS_MAX, "the packets make more than {EVENTS_MAX} events");
            let json: Json = serde_json::from_slice(&line).context("understand what the sensor says")?;
            let id = EventId { sensor: alert.sensor.as_str().into(), sequence: 0 };
            let mut event = read_event(&json, id, 0).context("understand what the sensor says")?.event;
            agencies.add_to(&mut event);
            events.push(event);
            line.clear();
        }
        Ok(())
    };
    let done = read();
    if done.is_err() {
        // Nobody reads it any more.
        let _ = child.kill();
    }
    let status = child.wait().context("wait for the sensor")?;
    done?;
    anyhow::ensure!(status.success(), "the sensor could not read {} to its end", capture.display());
    Ok(())
}

/// An alert and what is looked for of it.
struct Comparison<'c> {
    alert: &'c Alert,
    manifest: &'c Manifest,
    /// Of packets, the numbers of events are others. An alert on several flows shows one of them, the one that ended
    /// last: without the traffic of others around it that may be another one.
    of_packets: bool,
}

impl Comparison<'_> {
    /// Whether the alert is among those found, and what differs.
    fn outcome(&self, found: &[Entry], events: usize) -> Outcome {
        let of_group = found
            .iter()
            .filter(|entry| entry.tracking.key.split(SEPARATOR).eq(self.manifest.group.iter().map(String::as_str)));
        let nearest = of_group
            .map(|entry| self.differences(&entry.alert))
            .min_by_key(|differences| (differences.iter().any(|one| one.what == "id"), differences.len()));
        Outcome { events, fired: nearest.is_some(), differences: nearest.unwrap_or_default() }
    }

    fn differences(&self, now: &Alert) -> Vec<Difference> {
        /// As JSON, for comparing and for people.
        fn text(value: &impl Serialize) -> String {
            serde_json::to_string(value).unwrap_or_default()
        }
        let then = self.alert;
        let mut pairs = vec![
            ("severity", text(&then.severity), text(&now.severity)),
            ("event_count", text(&then.event_count), text(&now.event_count)),
            ("agency", text(&then.agency), text(&now.agency)),
        ];
        if self.of_packets && self.manifest.flows.len() > 1 {
            let asked = |alert: &Alert| -> Vec<(String, String)> {
                alert.matched.iter().map(|one| (one.field.clone(), one.wanted.clone())).collect()
            };
            pairs.push(("matched", text(&asked(then)), text(&asked(now))));
        } else {
            pairs.push(("matched", text(&then.matched), text(&now.matched)));
            pairs.push(("community_id", text(&then.community_id), text(&now.community_id)));
            pairs.push(("source", text(&then.source), text(&now.source)));
            pairs.push(("destination", text(&then.destination), text(&now.destination)));
        }
        if !self.of_packets {
            pairs.push(("id", then.id.clone(), now.id.clone()));
            pairs.push(("event_ids", text(&then.event_ids), text(&now.event_ids)));
        }
        let differing = pairs.into_iter().filter(|(_, then, now)| then != now);
        differing.map(|(what, then, now)| Difference { what: what.to_owned(), then, now }).collect()
    }
}

/// Datasets of which there are more or fewer events than were sealed, in the flows whose packets are here.
fn datasets(sealed: &[Event], read: &[Event], manifest: &Manifest) -> Vec<Difference> {
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let has_packets = |event: &&Event| {
        let flow = event.flow.as_ref().map(|flow| flow.community_id.to_string());
        flow.is_some_and(|flow| manifest.flows.iter().any(|one| one.community_id == flow))
    };
    let name = |event: &Event| {
        let json = luytre_events::json::event_value(event);
        json.pointer("/event/dataset").and_then(Json::as_str).unwrap_or_default().to_owned()
    };
    sealed.iter().filter(has_packets).for_each(|event| counts.entry(name(event)).or_default().0 += 1);
    read.iter().filter(has_packets).for_each(|event| counts.entry(name(event)).or_default().1 += 1);
    let differing = counts.into_iter().filter(|(_, (then, now))| then != now);
    differing.map(|(what, (then, now))| Difference { what, then: then.to_string(), now: now.to_string() }).collect()
}
