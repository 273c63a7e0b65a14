//! From each rule, traffic that should match it and near misses that should not, run through the engine.
//!
//! Comes in: files of rules. Goes out: how many rules alerted on what was made for them, how often a near miss was
//! silent, every rule for which that was not so, and why nothing could be made for the others. What a list asks for is
//! decided by the plain evaluator, headers and flows by what the rule says; the engine under test has to agree.

mod sample;
mod traffic;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use luytre_rules_engine::signatures::buffer::{self, Sender, When};
use luytre_rules_engine::signatures::inspect::{Buffers, FlowNotes};
use luytre_rules_engine::signatures::language::{Action, Arrow, Variables};
use luytre_rules_engine::signatures::rule::{Condition, PacketTest, Rule, Scope};
use luytre_rules_engine::signatures::ruleset::{InForce, texts_of};
use luytre_rules_engine::signatures::{FlowFacts, Inspector, PacketFacts, Scene, Signatures};

use traffic::{Built, build, holds, near_misses};

/// What came of many rules.
#[derive(Debug, Default)]
pub struct Tally {
    /// Rules.
    pub rules: usize,
    /// Rules that alerted on what was made for them.
    pub hits: usize,
    /// Rules that did not, by id.
    pub missed: Vec<u32>,
    /// Near misses that were tried.
    pub near: usize,
    /// Rules that alerted on one.
    pub wrong: Vec<u32>,
    /// Why nothing could be made, with how often.
    pub cannot: BTreeMap<&'static str, usize>,
}

/// Tries every rule of files and folders.
pub fn run(paths: &[PathBuf], list: usize) -> anyhow::Result<bool> {
    let set = Signatures::compile(texts_of(paths)?, Variables::usual());
    let tally = try_all(&set);
    println!("{} rules: {} alerted on what was made for them, {} did not", tally.rules, tally.hits, tally.missed.len());
    println!("{} near misses, {} rules alerted on one", tally.near, tally.wrong.len());
    let cannot: usize = tally.cannot.values().sum();
    println!("for {cannot} rules nothing could be made:");
    let mut reasons: Vec<_> = tally.cannot.iter().collect();
    reasons.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
    reasons.iter().for_each(|(why, times)| println!("  {times} {why}"));
    for (what, sids) in [("did not alert", &tally.missed), ("alerted on a near miss", &tally.wrong)] {
        sids.iter().take(list).for_each(|sid| println!("  sid {sid} {what}"));
    }
    Ok(tally.missed.is_empty() && tally.wrong.is_empty())
}

/// Tries every rule of a set, each for itself.
pub fn try_all(set: &Signatures) -> Tally {
    let mut tally = Tally::default();
    for rule in set.rules() {
        tally.rules += 1;
        match try_one(set, rule) {
            Ok(outcome) => {
                if outcome.hit {
                    tally.hits += 1;
                } else {
                    tally.missed.push(rule.sid);
                }
                tally.near += outcome.near;
                if outcome.wrong {
                    tally.wrong.push(rule.sid);
                }
            }
            Err(why) => *tally.cannot.entry(why).or_default() += 1,
        }
    }
    tally
}

struct Outcome {
    hit: bool,
    near: usize,
    wrong: bool,
}

fn try_one(set: &Signatures, rule: &InForce) -> Result<Outcome, &'static str> {
    possible(rule)?;
    let stage = Stage::new(set, rule)?;
    let mut variables = vec![0; rule.variables];
    let built: Vec<Built> = rule.lists.iter().map(|list| build(list, &mut variables)).collect::<Result<_, _>>()?;
    let mut bytes: Vec<Vec<u8>> = built.iter().map(|one| one.bytes.clone()).collect();
    for (bytes, list) in bytes.iter_mut().zip(&rule.lists).filter(|(_, list)| list.buffer == buffer::PAYLOAD) {
        // A packet that carries nothing is not looked into.
        bytes.resize(sized(rule, bytes.len().max(1)), b'.');
        if !holds(list, bytes, rule.variables) {
            return Err("a size of the packet that its contents do not let through");
        }
    }
    let hit = stage.alerts(&bytes, &stage.moment);
    let (mut near, mut wrong) = (0, false);
    for (at, (one, list)) in built.iter().zip(&rule.lists).enumerate() {
        for miss in near_misses(one) {
            if holds(list, &miss, rule.variables) {
                continue;
            }
            let mut bytes = bytes.clone();
            bytes[at] = miss;
            near += 1;
            wrong |= stage.alerts(&bytes, &stage.moment);
        }
    }
    for moment in stage.other_moments() {
        near += 1;
        wrong |= stage.alerts(&bytes, &moment);
    }
    Ok(Outcome { hit, near, wrong })
}

/// Why nothing can be made for a rule, as far as that is seen at once.
fn possible(rule: &Rule) -> Result<(), &'static str> {
    if !rule.unsupported.is_empty() {
        return Err("what the sensor does not support");
    }
    if rule.silent || !matches!(rule.action, Action::Alert | Action::Drop | Action::Reject) {
        return Err("rules that tell nothing");
    }
    if !rule.asks.is_empty() {
        return Err("what other rules must have remembered (flowbits and the like)");
    }
    if !rule.limits.is_empty() && rule.limits.iter().any(|limit| limit.count > 1) {
        return Err("limits that need several matches");
    }
    if rule.header.arrow == Arrow::Transaction {
        return Err("both directions of a transaction");
    }
    if matches!(rule.scope, Scope::Event) {
        return Err("events");
    }
    let mut seen = Vec::new();
    for list in &rule.lists {
        if list.conditions.iter().any(|condition| matches!(condition, Condition::Absent { .. })) {
            return Err("absent");
        }
        if seen.contains(&list.buffer) {
            return Err("a buffer that is looked into in two ways");
        }
        if list.buffer != buffer::PAYLOAD && list.buffer.buffer().when == When::Packet {
            return Err("headers as buffers");
        }
        seen.push(list.buffer);
    }
    Ok(())
}

/// The rule alone in an engine, and a moment in which its header holds.
struct Stage<'r> {
    rule: &'r Rule,
    set: Arc<Signatures>,
    moment: Moment,
}

#[derive(Debug, Clone)]
struct Moment {
    transport: u8,
    source: (IpAddr, u16),
    destination: (IpAddr, u16),
    to_server: bool,
    established: bool,
    protocol: Option<&'static str>,
}

impl<'r> Stage<'r> {
    fn new(set: &Signatures, rule: &'r InForce) -> Result<Stage<'r>, &'static str> {
        let text = set.text(rule);
        let own = Signatures::compile(vec![(PathBuf::from(&*rule.place.0), text)], Variables::usual());
        if own.len() != 1 {
            return Err("rules that name files");
        }
        let header = &rule.header;
        let source = header.source.example().ok_or("no address fits")?;
        let destination = header.destination.example().ok_or("no address fits")?;
        let ports = (header.source_ports.example(), header.destination_ports.example());
        let (source, destination) = one_family(rule, source, destination).ok_or("addresses of two kinds")?;
        let server_sends = rule.lists.iter().any(|list| list.buffer.buffer().sender == Sender::Server);
        let moment = Moment {
            transport: transport(rule).ok_or("a protocol beside TCP, UDP and ICMP")?,
            source: (source, ports.0),
            destination: (destination, ports.1),
            to_server: !rule.flow.to_client && (rule.flow.to_server || !server_sends),
            established: !rule.flow.not_established,
            protocol: spoken(rule),
        };
        for test in &rule.packet {
            if !matches!(test, PacketTest::PayloadSize(_)) {
                return Err("headers of packets");
            }
        }
        if !rule.spoken.is_empty() {
            return Err("app-layer-protocol");
        }
        Ok(Stage { rule, set: Arc::new(own), moment })
    }

    /// Moments in which the rule must be silent.
    fn other_moments(&self) -> Vec<Moment> {
        let flow = &self.rule.flow;
        let mut all = Vec::new();
        if flow.to_server || flow.to_client {
            all.push(Moment { to_server: !self.moment.to_server, ..self.moment.clone() });
        }
        if flow.established || flow.not_established {
            all.push(Moment { established: !self.moment.established, ..self.moment.clone() });
        }
        if self.rule.protocol.is_some() {
            all.push(Moment { protocol: None, ..self.moment.clone() });
        }
        let header = &self.rule.header;
        if header.arrow == Arrow::Forward && matches!(self.moment.transport, 6 | 17) {
            let other = (1..=u16::MAX).find(|port| !header.destination_ports.contains(*port));
            if let Some(port) = other.filter(|_| !header.destination_ports.is_any()) {
                all.push(Moment { destination: (self.moment.destination.0, port), ..self.moment.clone() });
            }
        }
        all
    }

    /// Whether the rule alerts where its lists find these bytes.
    fn alerts(&self, bytes: &[Vec<u8>], moment: &Moment) -> bool {
        let mut engine = Inspector::new(self.set.clone());
        let mut notes = FlowNotes::default();
        let mut payload: Vec<u8> = Vec::new();
        let mut buffers = Buffers::default();
        for (list, bytes) in self.rule.lists.iter().zip(bytes) {
            if list.buffer == buffer::PAYLOAD { payload.clone_from(bytes) } else { buffers.add(list.buffer, bytes) }
        }
        payload.resize(sized(self.rule, payload.len()), b'.');
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
            transport: moment.transport,
            source: moment.source,
            destination: moment.destination,
            to_server: moment.to_server,
            established: moment.established,
            in_stream: false,
            protocol: moment.protocol,
            unrecognised: false,
            facts: FlowFacts::default(),
            packet: Some(packet),
            only_directed: false,
            only_files: false,
        };
        match self.rule.scope {
            Scope::Addresses => engine.addresses(&scene, &mut notes),
            Scope::Recognised => engine.recognised(&scene, &mut notes),
            Scope::Packet | Scope::PacketAndStream => engine.packet(&scene, &mut notes),
            Scope::Stream => engine.stream(&scene, &payload, 0, &mut notes),
            Scope::Transaction => {
                let scene = Scene { packet: None, ..scene };
                engine.transaction(&scene, &buffers, None, &payload, &mut notes);
            }
            Scope::Event => engine.events(&scene, &mut notes),
        }
        !engine.take_alerts(&scene, &mut notes).is_empty()
    }
}

/// The size that the rule lets a packet have, from this one on.
fn sized(rule: &Rule, size: usize) -> usize {
    let fits = |size: &usize| {
        rule.packet.iter().all(|test| match test {
            PacketTest::PayloadSize(test) => test.accepts(*size as u64),
            _ => true,
        })
    };
    (size..65_000).find(fits).unwrap_or(size)
}

fn transport(rule: &Rule) -> Option<u8> {
    Some(match rule.header.protocol.as_str() {
        "udp" | "dns" | "ntp" | "dhcp" | "tftp" | "snmp" | "sip" | "ike" | "quic" => 17,
        "icmp" | "icmpv4" => 1,
        "icmpv6" => 58,
        "sctp" | "igmp" | "esp" | "ipv6" | "ip6" | "pkthdr" => return None,
        _ => 6,
    })
}

/// What is spoken, by its name in rules: the table of the engine takes that name, too.
fn spoken(rule: &Rule) -> Option<&'static str> {
    let wanted = rule.protocol.as_deref()?;
    Some(Box::leak(wanted.to_owned().into_boxed_str()))
}

/// Sender and receiver of one family of addresses; "any" goes with either.
fn one_family(rule: &Rule, source: IpAddr, destination: IpAddr) -> Option<(IpAddr, IpAddr)> {
    if source.is_ipv4() == destination.is_ipv4() {
        return Some((source, destination));
    }
    let any: IpAddr = if source.is_ipv6() { [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into() } else { [192, 0, 2, 1].into() };
    if rule.header.destination.contains(any) { Some((source, any)) } else { None }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn our_own_rules_find_what_is_made_for_them_and_nothing_else() {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let paths = ["rules/signatures", "rules/engine/tests/testdata/signatures-with-faults.txt"]
            .map(|path| checkout.join(path));
        let set = Signatures::compile(texts_of(&paths).unwrap(), Variables::usual());
        let tally = try_all(&set);
        assert_eq!((tally.missed.as_slice(), tally.wrong.as_slice()), (&[][..], &[][..]), "{tally:?}");
        assert!(tally.hits >= 6 && tally.near > 20, "{tally:?}");
    }

    #[test]
    fn a_rule_that_finds_too_much_is_noticed() {
        // Of two rules only one is asked for here: what is made for it must not be silent about its direction.
        let text = r#"alert tcp-pkt any any -> any 80 (content:"abc"; content:"def"; distance:1; within:4; flow:to_server; sid:1;)"#;
        let set = Signatures::compile(vec![(PathBuf::from("x.rules"), text.to_owned())], Variables::usual());
        let rule = &set.rules()[0];
        let stage = Stage::new(&set, rule).unwrap();
        assert!(stage.alerts(&[b"abc.def".to_vec()], &stage.moment));
        assert!(!stage.alerts(&[b"abcdef".to_vec()], &stage.moment));
        assert_eq!(stage.other_moments().len(), 2, "another direction, another port");
    }

    #[test]
    fn published_rules_find_what_is_made_for_them() {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let corpus = std::env::var("LUYTRE_CORPUS").map(PathBuf::from).unwrap_or(checkout.join("../shared/corpus"));
        let folder = corpus.join("rules/et");
        if !folder.is_dir() {
            eprintln!("no published rules at {}: only our own were tried", folder.display());
            return;
        }
        // One of every sixteen: all of them are tried by `luytre-corpus-check --generated`.
        let texts = texts_of(&[folder]).unwrap().into_iter().map(|(path, text)| {
            let some: Vec<&str> = text.lines().filter(|line| line.starts_with("alert")).step_by(16).collect();
            (path, some.join("\n"))
        });
        let tally = try_all(&Signatures::compile(texts.collect(), Variables::usual()));
        assert_eq!((tally.missed.as_slice(), tally.wrong.as_slice()), (&[][..], &[][..]));
        assert!(tally.hits * 2 > tally.rules, "{tally:?}");
    }
}
