//! Sealing: everything about an alert out of the rolling stores into one signed bundle.
//!
//! Comes in: an alert's id, who wants it held and why. Goes out: a bundle in the store, held. What could not be had (a
//! sensor that is away, packets that have outlived their time) is said in the manifest and in the answer; the rest is
//! sealed all the same, and can be sealed again when the sensor is back. [`AT_A_TIME`] are sealed at a time, further ones
//! wait; everything is written to the disk as it comes, but for single files and events.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use luytre_collector_api::{Alert, EvidenceKind, Hold, HoldAnswer, HoldRequest, RuleKind, SearchRequest};
use luytre_events::wire::PacketsWish;
use luytre_events::{CommunityId, EventId};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::archive::{ArchiveError, Writer, locked};
use super::manifest::{CarvedFile, FORMAT, Flow, Manifest, Programs, READ_ME, Rules, names};
use super::store::{Draft, EvidenceError, Store, Wish};
use crate::api::RulesInForce;
use crate::clock::now_ns;
use crate::detect::alert::SEPARATOR;
use crate::fanout::{Entry, Fanout};
use crate::fleet::{Fleet, FleetError};
use crate::intake::{Files, Next, Packets};
use crate::search::{Search, SearchError};
use crate::settings::Settings;

/// Bundles that are made at a time.
const AT_A_TIME: usize = 2;
/// The most events of a bundle; of more, the newest.
const EVENTS_MAX: u32 = 10_000;
/// The most flows whose packets are in a bundle.
const FLOWS_MAX: usize = 500;
/// The most carved files of a bundle.
const FILES_MAX: usize = 64;
/// The most bytes of rules in a bundle; beyond it only the alert's own file.
const RULES_MAX_BYTES: usize = 64 << 20;
/// Events and packets so long before the alert and after it belong to it.
const AROUND_NS: i64 = 24 * 3_600_000_000_000;
/// Letters of a password; each has 5 bits.
const PASSWORD_LETTERS: usize = 20;

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No such alert.
    #[error("no alert has the id {0}; it may have outlived its time")]
    Alert(String),
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] EvidenceError),
    /// The archive could not be written.
    #[error("write the bundle")]
    Archive(#[from] ArchiveError),
    /// The key could not be had.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// Events could not be searched.
    #[error("search the events of the alert")]
    Search(#[from] SearchError),
    /// Something else.
    #[error("{0}")]
    Failed(String),
}

/// What sealing works with; cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    /// Where bundles go.
    pub store: Store,
    /// Alerts.
    pub fanout: Fanout,
    /// Events.
    pub search: Search,
    /// Packets that sensors keep.
    pub packets: Packets,
    /// Files that sensors keep.
    pub files: Files,
    /// Files that were scanned.
    pub scanned: PathBuf,
    /// Rules.
    pub rules: RulesInForce,
    /// The key to sign with.
    pub fleet: Fleet,
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// Where everything is.
    pub data: PathBuf,
    turns: Arc<tokio::sync::Semaphore>,
}

/// What is put together.
struct Gathered {
    entry: Entry,
    events: Vec<Json>,
    flows: Vec<(Flow, Draft)>,
    files: Vec<(CarvedFile, Vec<u8>)>,
    missing: Vec<String>,
}

impl Sealer {
    /// With all its parts.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the collector of its own")]
    pub fn new(
        store: Store,
        fanout: Fanout,
        search: Search,
        (packets, files): (Packets, Files),
        rules: RulesInForce,
        fleet: Fleet,
        settings: Settings,
        data: &std::path::Path,
    ) -> Sealer {
        let turns = Arc::new(tokio::sync::Semaphore::new(AT_A_TIME));
        let (scanned, data, settings) = (data.join("files"), data.to_owned(), Arc::new(settings));
        Sealer { store, fanout, search, packets, files, scanned, rules, fleet, settings, data, turns }
    }

    /// Seals what there is about an alert, and holds it.
    pub async fn seal(&self, request: HoldRequest) -> Result<HoldAnswer, SealError> {
        let _turn = self.turns.acquire().await.map_err(|error| SealError::Failed(error.to_string()))?;
        let this = self.clone();
        let alert = request.alert.clone();
        let mut gathered = blocking(move || {
            this.store.tidy();
            this.events(&alert)
        })
        .await?;
        self.add_packets(&mut gathered).await?;
        self.add_files(&mut gathered).await;
        let this = self.clone();
        blocking(move || this.write(gathered, &request)).await
    }

    /// The alert and its events.
    fn events(&self, id: &str) -> Result<Gathered, SealError> {
        let found = self.fanout.get(id).map_err(|error| SealError::Failed(format!("read the alert {id}: {error}")))?;
        let entry = found.ok_or_else(|| SealError::Alert(id.to_owned()))?;
        let mut missing = Vec::new();
        let mut events = BTreeMap::new();
        let ids: Vec<String> = entry.alert.event_ids.iter().map(|id| format!("event.id:{}", quoted(id))).collect();
        self.gather(&entry, &ids.join(" OR "), &mut events, &mut missing)?;
        let gone = entry.alert.event_ids.len().saturating_sub(events.len());
        if gone > 0 {
            missing.push(format!("{gone} events that the alert names are no longer in the index"));
        }
        let flows = flows(events.values());
        if !flows.is_empty() {
            let any: Vec<String> = flows.iter().take(FLOWS_MAX).map(|flow| quoted(flow)).collect();
            self.gather(&entry, &format!("network.community_id:({})", any.join(" OR ")), &mut events, &mut missing)?;
        }
        // What a correlation counted has its subject in common, and is more than the events that the alert names.
        let subject: Vec<String> = subject(&entry).map(|(name, value)| format!("{name}:{}", quoted(value))).collect();
        if entry.alert.rule.kind == RuleKind::Correlation && !subject.is_empty() {
            self.gather(&entry, &subject.join(" AND "), &mut events, &mut missing)?;
        }
        let events = events.into_values().collect();
        Ok(Gathered { entry, events, flows: Vec::new(), files: Vec::new(), missing })
    }

    /// Adds the events of a query, in the order in which their sensor numbered them.
    fn gather(
        &self,
        entry: &Entry,
        query: &str,
        events: &mut BTreeMap<(String, u64), Json>,
        missing: &mut Vec<String>,
    ) -> Result<(), SealError> {
        if query.is_empty() {
            return Ok(());
        }
        let (from_ns, to_ns) = around(entry);
        let request = SearchRequest {
            query: query.to_owned(),
            from: Some(luytre_events::json::time_text(from_ns)),
            to: Some(luytre_events::json::time_text(to_ns)),
            limit: Some(EVENTS_MAX),
            ..SearchRequest::default()
        };
        let answer = self.search.run(&request, now_ns())?;
        if answer.total > u64::from(EVENTS_MAX) {
            missing.push(format!("of {} events only the newest {EVENTS_MAX} are here", answer.total));
        }
        missing.extend(answer.partial);
        for event in answer.events {
            let event = Json::Object(event.0);
            let id = event.pointer("/event/id").and_then(Json::as_str).and_then(|id| id.parse::<EventId>().ok());
            if let Some(id) = id {
                events.insert((id.sensor.to_string(), id.sequence), event);
            }
        }
        Ok(())
    }

    async fn add_packets(&self, gathered: &mut Gathered) -> Result<(), SealError> {
        let mut left_bytes = u64::from(self.store.settings().packets_mb) << 20;
        let (from_ns, to_ns) = around(&gathered.entry);
        let sensor = gathered.entry.alert.sensor.clone();
        // Those that the alert names come first, so that they are here where there are too many.
        let named: BTreeSet<&str> = gathered.entry.alert.event_ids.iter().map(String::as_str).collect();
        let is_named =
            |event: &&Json| event.pointer("/event/id").and_then(Json::as_str).is_some_and(|id| named.contains(id));
        let (first, then): (Vec<&Json>, Vec<&Json>) = gathered.events.iter().partition(is_named);
        let flows = flows(first.into_iter().chain(then));
        if flows.len() > FLOWS_MAX {
            gathered.missing.push(format!("the packets of {} flows; {FLOWS_MAX} have theirs here", flows.len()));
        }
        for (number, community_id) in flows.into_iter().take(FLOWS_MAX).enumerate() {
            let Ok(flow) = community_id.parse::<CommunityId>() else { continue };
            let wish = PacketsWish { flow, from_ns, to_ns, limit_bytes: left_bytes };
            match self.fetch(&sensor, wish).await? {
                Ok((draft, packets, bytes, notes)) => {
                    left_bytes = left_bytes.saturating_sub(bytes);
                    gathered.missing.extend(notes.into_iter().map(|note| format!("packets of {community_id}: {note}")));
                    let name = format!("{}{:03}.pcapng", names::PACKETS, number + 1);
                    gathered.flows.push((Flow { community_id, name, packets }, draft));
                }
                Err(reason) => gathered.missing.push(format!("packets of {community_id}: {reason}")),
            }
            if left_bytes == 0 {
                gathered.missing.push("further packets: [evidence] packets_mb is used up".to_owned());
                break;
            }
        }
        Ok(())
    }

    /// The packets of a flow in a file; why there are none is no failure.
    async fn fetch(
        &self,
        sensor: &str,
        wish: PacketsWish,
    ) -> Result<Result<(Draft, u64, u64, Vec<String>), String>, SealError> {
        let mut answer = match self.packets.ask(sensor, wish).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let mut draft = self.store.draft()?;
        let mut bytes = 0;
        loop {
            match answer.next().await {
                Ok(Next::Piece(piece)) => {
                    bytes += piece.len() as u64;
                    draft = blocking(move || {
                        draft.write(&piece)?;
                        Ok::<_, SealError>(draft)
                    })
                    .await?;
                }
                Ok(Next::Whole { packets: 0, .. }) => return Ok(Err("the sensor has none any more".to_owned())),
                Ok(Next::Whole { packets, cut, passed_over }) => {
                    let mut notes = Vec::new();
                    if cut {
                        notes.push("there are more than [evidence] packets_mb allows".to_owned());
                    }
                    if passed_over > 0 {
                        notes.push(format!("{passed_over} parts of the sensor's store could not be read"));
                    }
                    return Ok(Ok((draft, packets, bytes, notes)));
                }
                Err(error) => return Ok(Err(error.to_string())),
            }
        }
    }

    async fn add_files(&self, gathered: &mut Gathered) {
        let digests: BTreeSet<(String, String)> = gathered
            .events
            .iter()
            .filter_map(|event| {
                let sha256 = event.pointer("/file/hash/sha256")?.as_str()?.to_owned();
                let sensor = event.pointer("/event/id")?.as_str()?.parse::<EventId>().ok()?.sensor.to_string();
                Some((sha256, sensor))
            })
            .collect();
        let mut known = BTreeSet::new();
        for (sha256, sensor) in digests {
            if !known.insert(sha256.clone()) {
                continue;
            }
            if known.len() > FILES_MAX {
                gathered.missing.push(format!("more than {FILES_MAX} carved files: the others are not here"));
                break;
            }
            match self.file(&sha256, &sensor).await {
                Ok(content) => {
                    let name = format!("{}{sha256}.zip", names::FILES);
                    gathered.files.push((CarvedFile { sha256, bytes: content.len() as u64, name }, content));
                }
                Err(reason) => gathered.missing.push(format!("the file {sha256}: {reason}")),
            }
        }
    }

    /// A carved file: from where it was scanned, from earlier evidence, or from the sensor.
    async fn file(&self, sha256: &str, sensor: &str) -> Result<Vec<u8>, String> {
        let mut digest = [0; 32];
        hex::decode_to_slice(sha256, &mut digest).map_err(|_| "its digest is none".to_owned())?;
        let path = self.scanned.join(sha256.get(..2).unwrap_or_default()).join(sha256);
        let (store, name) = (self.store.clone(), sha256.to_owned());
        let here = blocking(move || {
            let here = std::fs::read(path).ok().or_else(|| store.content(&name));
            Ok::<_, SealError>(here.filter(|content| hex::encode(Sha256::digest(content)) == name))
        });
        if let Ok(Some(content)) = here.await {
            return Ok(content);
        }
        self.files.fetch(sensor, digest).await.map_err(|error| error.to_string())
    }

    fn write(&self, gathered: Gathered, request: &HoldRequest) -> Result<HoldAnswer, SealError> {
        let Gathered { entry, events, flows, files, mut missing } = gathered;
        let signer = self.fleet.evidence_signer()?;
        let rules = self.rules.get();
        let all_bytes: usize = rules.sources().map(|source| source.text.len()).sum();
        let own = rules.rule(&entry.alert.rule.id).map(|rule| rule.file.clone());
        let sealed: Vec<_> = rules
            .sources()
            .filter(|source| all_bytes <= RULES_MAX_BYTES || Some(&source.file) == own.as_ref())
            .collect();
        if all_bytes > RULES_MAX_BYTES {
            missing.push(format!("the rules are larger than {RULES_MAX_BYTES} bytes: only the alert's own are here"));
        }
        let settings = format!("{:#?}\n", self.settings);
        let sealed_ns = now_ns();
        let time = luytre_events::json::time_text(sealed_ns);
        let password = password()?;
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            sealed: time.clone(),
            by: request.by.clone(),
            reason: request.reason.clone(),
            alert: entry.alert.id.clone(),
            alert_sequence: entry.alert.sequence,
            group: entry.tracking.key.split(SEPARATOR).map(str::to_owned).collect(),
            programs: Programs {
                collector: env!("CARGO_PKG_VERSION").to_owned(),
                sensor: (
                    entry.alert.sensor.clone(),
                    self.fleet.sensor(&entry.alert.sensor).and_then(|sensor| sensor.program),
                ),
            },
            rules: Rules {
                alert: entry.alert.rule.ruleset.clone(),
                sealed: rules.digest().to_owned(),
                files: sealed.len() as u64,
            },
            configuration_sha256: hex::encode(Sha256::digest(settings.as_bytes())),
            grouping_s: (self.settings.alerts.window_s, self.settings.alerts.longest_s),
            missing: missing.clone(),
            events: events.len() as u64,
            flows: flows.iter().map(|(flow, _)| flow.clone()).collect(),
            files: files.iter().map(|(file, _)| file.clone()).collect(),
        };
        let draft = self.store.draft()?;
        let mut bundle = Bundle { writer: Writer::new(draft.writer()?, sealed_ns), sums: String::new() };
        bundle.text(names::MANIFEST, &json(&manifest)?)?;
        bundle.text(names::ALERT, &json(&entry.alert)?)?;
        let mut lines = String::new();
        for event in &events {
            lines.push_str(&event.to_string());
            lines.push('\n');
        }
        bundle.text(names::EVENTS, &lines)?;
        for (flow, draft) in &flows {
            bundle.add(&flow.name, &mut draft.reader()?)?;
        }
        for (file, content) in &files {
            bundle.add(&file.name, &mut locked(&file.sha256, content, &password, sealed_ns)?.as_slice())?;
        }
        for source in sealed {
            bundle.text(&format!("{}{}", names::RULES, source.file), &source.text)?;
        }
        bundle.text(names::SETTINGS, &settings)?;
        if let Ok(agencies) = std::fs::read_to_string(self.settings.agencies(&self.data)) {
            bundle.text(names::AGENCIES, &agencies)?;
        }
        bundle.text(names::AUTHORITY, &signer.authority_pem)?;
        bundle.text(names::SIGNER, &signer.certificate_pem)?;
        bundle.text(names::READ_ME, READ_ME)?;
        let Bundle { mut writer, sums } = bundle;
        let signature = signer.sign(sums.as_bytes()).map_err(|error| SealError::Failed(error.to_string()))?;
        writer.add(names::SUMS, &mut sums.as_bytes())?;
        writer.add(names::SIGNATURE, &mut signature.as_slice())?;
        drop(writer.finish()?);
        let hold = Hold { by: request.by.clone(), reason: request.reason.clone(), since: time };
        self.keep_files(&files, &entry.alert, &hold)?;
        let name = format!("chung-cu-{}.zip", entry.alert.id);
        let alert = Some(entry.alert.id);
        let wish = Wish { kind: EvidenceKind::Bundle, name, alert, hold, password: Some(password.clone()) };
        let item = self.store.add(draft, wish)?;
        Ok(HoldAnswer {
            item,
            password,
            missing,
            events: events.len() as u64,
            flows: flows.len() as u64,
            files: files.len() as u64,
        })
    }

    /// Carved files are evidence of their own, so that the same file of the next alert is here when no sensor has it.
    fn keep_files(&self, files: &[(CarvedFile, Vec<u8>)], alert: &Alert, hold: &Hold) -> Result<(), SealError> {
        for (file, content) in files.iter().filter(|(file, _)| self.store.content(&file.sha256).is_none()) {
            let mut draft = self.store.draft()?;
            draft.write(content)?;
            let (kind, name, alert) = (EvidenceKind::File, file.sha256.clone(), Some(alert.id.clone()));
            self.store.add(draft, Wish { kind, name, alert, hold: hold.clone(), password: None })?;
        }
        Ok(())
    }
}

/// A bundle that is written, with the digests of what is in it.
struct Bundle<W: std::io::Write> {
    writer: Writer<W>,
    sums: String,
}

impl<W: std::io::Write> Bundle<W> {
    fn text(&mut self, name: &str, text: &str) -> Result<(), ArchiveError> {
        self.add(name, &mut text.as_bytes())
    }

    fn add(&mut self, name: &str, content: &mut dyn std::io::Read) -> Result<(), ArchiveError> {
        let mut hashed = Hashed { content, hash: Sha256::new() };
        self.writer.add(name, &mut hashed)?;
        self.sums.push_str(&format!("{}  {name}\n", hex::encode(hashed.hash.finalize())));
        Ok(())
    }
}

/// Hashes what is read.
struct Hashed<'c> {
    content: &'c mut dyn std::io::Read,
    hash: Sha256,
}

impl std::io::Read for Hashed<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let got = self.content.read(into)?;
        self.hash.update(into.get(..got).unwrap_or_default());
        Ok(got)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, SealError> {
    serde_json::to_string_pretty(value).map_err(|error| SealError::Failed(error.to_string()))
}

fn around(entry: &Entry) -> (i64, i64) {
    (entry.tracking.first_ns.saturating_sub(AROUND_NS), entry.tracking.last_ns.saturating_add(AROUND_NS))
}

/// The names and values that an alert's matches have in common.
fn subject(entry: &Entry) -> impl Iterator<Item = (&str, &str)> {
    entry.tracking.key.split(SEPARATOR).skip(2).filter_map(|part| part.split_once('='))
}

/// A value as a query has it.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The Community IDs of events, in their order, each once.
fn flows<'e>(events: impl Iterator<Item = &'e Json>) -> Vec<String> {
    let mut flows: Vec<String> = Vec::new();
    for event in events {
        let flow = event.pointer("/network/community_id").and_then(Json::as_str);
        if let Some(flow) = flow.filter(|flow| !flows.iter().any(|known| known == flow)) {
            flows.push(flow.to_owned());
        }
    }
    flows
}

/// A password that nobody can guess and anybody can read out.
pub fn password() -> Result<String, SealError> {
    // 32 letters without those that look alike, so that each byte gives one without favouring any.
    const LETTERS: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y',
        'z', '2', '3', '4', '5', '6', '7', '8', '9', 'i',
    ];
    let mut bytes = [0; PASSWORD_LETTERS];
    getrandom::fill(&mut bytes).map_err(|error| SealError::Failed(format!("make a password: {error}")))?;
    Ok(bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32))).collect())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SealError> + Send + 'static,
) -> Result<T, SealError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| SealError::Failed(error.to_string()))?
}
