//! `check` and `test` for signatures: what cannot be used, what cannot match here, what is hopelessly slow, which tuning is idle.
//!
//! Comes in: paths, of which `.rules` files and those below folders count. Goes out: a line each with file, line, keyword
//! and reason, then a summary; of a test, which signatures alert on what it sends.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use luytre_rules_engine::signatures::buffer;
use luytre_rules_engine::signatures::inspect::{Buffers, FlowNotes};
use luytre_rules_engine::signatures::ruleset::{Reported, texts_of};
use luytre_rules_engine::signatures::tuning::Tuning;
use luytre_rules_engine::signatures::{FlowFacts, Inspector, PacketFacts, Scene, Signatures, review};
use serde::Deserialize;

use crate::test::bytes;

/// Answers whether every signature can be used, and with `strict` whether nothing at all is to be said about them.
pub(crate) fn check(paths: &[PathBuf], tuning: &[PathBuf], strict: bool, verbose: bool) -> Result<bool> {
    let texts = texts_of(&of_signatures(paths))?;
    let tuning = Tuning::load(tuning)?;
    if texts.is_empty() {
        return Ok(true);
    }
    let set = Signatures::compile_tuned(texts, &tuning);
    set.broken.iter().for_each(|one| say("", one));
    set.unsupported.iter().for_each(|one| say("cannot match here: ", one));
    let slow = review::review(&set);
    slow.iter().for_each(|one| say("slow: ", one));
    set.idle.iter().for_each(|one| say("tuning: ", one));
    if verbose {
        for rule in set.rules() {
            println!("{}:{}: sid {} rev {} {}", rule.place.0, rule.place.1, rule.sid, rule.rev, rule.message);
        }
    }
    println!(
        "{} signatures: {} broken, {} cannot match here, {} slow, {} out of force, {} for other engines, {} changes idle; digest {}",
        set.len(),
        set.broken.len(),
        set.unsupported.len(),
        slow.len(),
        set.disabled,
        set.not_for_us,
        set.idle.len(),
        set.digest,
    );
    let clean = set.unsupported.is_empty() && slow.is_empty() && set.idle.is_empty();
    Ok(set.broken.is_empty() && (clean || !strict))
}

/// What one side sends at one moment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traffic {
    /// What is spoken, as rules name it.
    protocol: Option<String>,
    /// The transport: tcp or udp.
    #[serde(default)]
    transport: Transport,
    /// The server sends.
    #[serde(default)]
    from_server: bool,
    /// Client and server.
    client: Option<SocketAddr>,
    server: Option<SocketAddr>,
    /// Payload of one packet: texts, or digits behind `hex:`.
    #[serde(default)]
    payload: Vec<String>,
    /// Buffers of one transaction.
    #[serde(default)]
    buffers: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Transport {
    #[default]
    Tcp,
    Udp,
}

/// Ids of the signatures that alert on traffic.
pub(crate) fn set_off(traffic: &Traffic, rules: &[PathBuf]) -> Result<Vec<String>> {
    let set = Arc::new(Signatures::compile_tuned(texts_of(&of_signatures(rules))?, &Tuning::default()));
    anyhow::ensure!(!set.is_empty(), "there is no signature that can be used beside this test");
    let payload = bytes(&traffic.payload)?;
    let mut buffers = Buffers::default();
    for (name, pieces) in &traffic.buffers {
        let id = buffer::by_keyword(name).with_context(|| format!("{name} is no buffer that rules know"))?;
        buffers.add(id, &bytes(pieces)?);
    }
    let usual = |last: u8, port: u16| SocketAddr::from(([192, 0, 2, last], port));
    let client = traffic.client.unwrap_or_else(|| usual(10, 40_000));
    let server = traffic.server.unwrap_or_else(|| usual(20, 80));
    let (source, destination) = if traffic.from_server { (server, client) } else { (client, server) };
    let packet = PacketFacts {
        payload: &payload,
        tcp: None,
        hops_left: 64,
        network_header: &[],
        transport_header: &[],
        whole: true,
        events: &[],
        vlans: &[],
    };
    let scene = Scene {
        time_ns: 0,
        flow: 1,
        transport: if traffic.transport == Transport::Udp { 17 } else { 6 },
        source: (source.ip(), source.port()),
        destination: (destination.ip(), destination.port()),
        to_server: !traffic.from_server,
        established: true,
        in_stream: false,
        // One test at a time: the name outlives it.
        protocol: traffic.protocol.clone().map(|name| &*name.leak()),
        unrecognised: false,
        facts: FlowFacts::default(),
        packet: Some(packet),
        only_directed: false,
        only_files: false,
    };
    let mut engine = Inspector::new(set.clone());
    let mut notes = FlowNotes::default();
    if !buffers.is_empty() {
        engine.transaction(&Scene { packet: None, ..scene }, &buffers, None, &payload, &mut notes);
    }
    engine.packet(&scene, &mut notes);
    let alerts = engine.take_alerts(&scene, &mut notes);
    let rule = |number: u32| usize::try_from(number).ok().and_then(|at| set.rules().get(at));
    Ok(alerts.iter().filter_map(|alert| rule(alert.rule)).map(|rule| rule.sid.to_string()).collect())
}

/// The paths that may hold signatures.
fn of_signatures(paths: &[PathBuf]) -> Vec<PathBuf> {
    paths.iter().filter(|path| path.is_dir() || is_rule_file(path)).cloned().collect()
}

/// Whether a file holds signatures, by its name.
pub(crate) fn is_rule_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".rules") || name.ends_with(".rules.gz")
}

/// File, line, what; a reason that begins with its line does not say it twice.
fn say(kind: &str, one: &Reported) {
    let own = format!("line {}, ", one.line);
    let what = one.what.strip_prefix(&own).unwrap_or(&one.what);
    println!("{}:{}: {kind}{what}", one.file, one.line);
}
