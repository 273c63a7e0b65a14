//! Tuning: what people change about rules holds, is told where it concerns nothing, and is refused where it makes no sense.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use luytre_rules_engine::signatures::inspect::FlowNotes;
use luytre_rules_engine::signatures::language::Action;
use luytre_rules_engine::signatures::tuning::Tuning;
use luytre_rules_engine::signatures::{FlowFacts, Inspector, PacketFacts, Scene, Signatures};

const RULES: &str = r#"alert tcp-pkt any any -> any any (msg:"a"; content:"aa"; classtype:misc-attack; metadata:signature_severity Critical; sid:1; rev:3;)
alert tcp-pkt any any -> any any (msg:"b"; content:"bb"; threshold:type limit, track by_rule, count 1, seconds 60; sid:2;)
#alert tcp-pkt any any -> any any (msg:"c"; content:"cc"; sid:3;)
# only a remark with sid:9; in it
alert tcp-pkt $HOME_NET any -> any any (msg:"d"; content:"dd"; sid:4;)
"#;

fn tuned(name: &str, text: &str) -> Signatures {
    let mut tuning = Tuning::default();
    tuning.add(Path::new(name), text).unwrap();
    Signatures::compile_tuned(vec![(PathBuf::from("group.rules"), RULES.to_owned())], &tuning)
}

fn refused(text: &str) -> String {
    Tuning::default().add(Path::new("tuning.toml"), text).unwrap_err().to_string()
}

/// Signature ids and actions that payloads set off, one packet a second from a host.
fn told(set: Signatures, from: &str, payloads: &[&[u8]]) -> Vec<(u32, Action)> {
    let set = Arc::new(set);
    let mut engine = Inspector::new(set.clone());
    let mut notes = FlowNotes::default();
    let mut seen = Vec::new();
    for (second, payload) in (0i64..).zip(payloads) {
        let scene = scene(from.parse().unwrap(), second, payload);
        engine.packet(&scene, &mut notes);
        for alert in engine.take_alerts(&scene, &mut notes) {
            let rule = &set.rules()[alert.rule as usize];
            seen.push((rule.sid, alert.action.unwrap_or(rule.action)));
        }
    }
    seen
}

fn sids(set: Signatures, from: &str, payloads: &[&[u8]]) -> Vec<u32> {
    told(set, from, payloads).into_iter().map(|(sid, _)| sid).collect()
}

fn scene(source: IpAddr, second: i64, payload: &[u8]) -> Scene<'_> {
    Scene {
        time_ns: second * 1_000_000_000,
        flow: 1,
        transport: 6,
        source: (source, 40_000),
        destination: (IpAddr::from([198, 51, 100, 2]), 80),
        to_server: true,
        established: true,
        in_stream: false,
        protocol: None,
        unrecognised: false,
        facts: FlowFacts::default(),
        packet: Some(PacketFacts {
            payload,
            tcp: None,
            hops_left: 64,
            network_header: &[],
            transport_header: &[],
            whole: true,
            events: &[],
            vlans: &[],
        }),
        only_directed: false,
        only_files: false,
    }
}

const ALL: [&[u8]; 4] = [b"aa", b"bb", b"cc", b"dd"];

#[test]
fn rules_are_put_out_of_force_and_into_force_by_id_group_and_class() {
    let by = |text: &str| sids(tuned("t.toml", text), "10.0.0.1", &ALL);
    assert_eq!(by(""), [1, 2, 4]);
    assert_eq!(by("[[rule]]\nsid = [1]\ndisable = true\n"), [2, 4]);
    assert_eq!(by("[[rule]]\nsid = [\"1-2\"]\ndisable = true\n"), [4]);
    assert_eq!(by("[[rule]]\nclass = [\"misc-attack\"]\ndisable = true\n"), [2, 4]);
    assert_eq!(by("[[rule]]\ngroup = [\"gro*\"]\ndisable = true\n[[rule]]\nsid = [2, 3]\nenable = true\n"), [2, 3]);
    assert_eq!(by("[[rule]]\nsid = [3]\nenable = true\n"), [1, 2, 3, 4]);
    assert_eq!(by("[[rule]]\naction = [\"drop\", \"reject\"]\ndisable = true\n"), [1, 2, 4], "none of them");
    assert!(by("[[rule]]\naction = [\"alert\"]\ndisable = true\n").is_empty());
    let set = tuned("t.toml", "[[rule]]\ngroup = [\"group.rules\"]\ndisable = true\n");
    assert_eq!((set.len(), set.disabled), (0, 3));
}

#[test]
fn texts_priorities_and_groups_of_addresses_are_changed_and_the_digest_with_them() {
    let plain = tuned("t.toml", "");
    let set = tuned("t.toml", "[[rule]]\nsid = [1]\nreplace = { from = '\"aa\"', to = '\"xx\"' }\npriority = 4\n");
    assert_ne!(plain.digest, set.digest);
    let rule = set.rules().iter().find(|rule| rule.sid == 1).unwrap();
    assert_eq!(rule.priority, 4);
    let text = set.text(rule);
    assert!(text.contains("\"xx\"") && text.contains("priority:4;"), "{text}");
    let notes = luytre_rules_engine::signatures::notes::Notes::of(&text);
    assert_eq!(notes.severity.as_deref(), Some("tuned"), "the author's severity does not hold beside it");
    assert_eq!(sids(set, "10.0.0.1", &[b"aa", b"xx"]), [1]);
    let home = "[variables]\nHOME_NET = \"[203.0.113.0/24]\"\n";
    assert_eq!(sids(tuned("t.toml", home), "10.0.0.1", &[b"dd"]), [0u32; 0]);
    assert_eq!(sids(tuned("t.toml", home), "203.0.113.9", &[b"dd"]), [4]);
}

#[test]
fn a_rule_is_silent_about_some_hosts_only() {
    for (name, text) in [
        ("t.toml", "[[rule]]\nsid = [1]\nsuppress = { by = \"source\", addresses = [\"10.0.0.0/24\"] }\n"),
        ("threshold.config", "# ours\nsuppress gen_id 1, sig_id 1, \\\n  track by_src, ip [10.0.0.0/24,192.0.2.1]\n"),
    ] {
        assert_eq!(sids(tuned(name, text), "10.0.0.1", &ALL), [2, 4], "{name}");
        assert_eq!(sids(tuned(name, text), "10.0.1.1", &ALL), [1, 2, 4], "{name}");
    }
    assert_eq!(sids(tuned("threshold.config", "suppress gen_id 0, sig_id 0"), "10.0.0.1", &ALL), [0u32; 0]);
    let either = "suppress gen_id 1, sig_id 4, track by_either, ip 198.51.100.2";
    assert_eq!(sids(tuned("threshold.config", either), "10.0.0.1", &ALL), [1, 2]);
}

#[test]
fn limits_take_the_place_of_a_rules_own_and_rates_change_what_is_done() {
    let bb: [&[u8]; 5] = [b"bb"; 5];
    assert_eq!(sids(tuned("t.toml", ""), "10.0.0.1", &bb).len(), 1);
    for (name, text) in [
        ("t.toml", "[[rule]]\nsid = [2]\nlimit = { kind = \"limit\", by = \"source\", count = 3, seconds = 60 }\n"),
        ("x.config", "event_filter gen_id 1, sig_id 2, type limit, track by_src, count 3, seconds 60"),
    ] {
        assert_eq!(sids(tuned(name, text), "10.0.0.1", &bb).len(), 3, "{name}");
    }
    let general = "threshold gen_id 0, sig_id 0, type limit, track by_src, count 2, seconds 60";
    assert_eq!(sids(tuned("x.config", general), "10.0.0.1", &bb).len(), 1, "a rule with a limit keeps its own");
    assert_eq!(sids(tuned("x.config", general), "10.0.0.1", &[&b"aa"[..]; 5]).len(), 2);
    let rate = "rate_filter gen_id 1, sig_id 1, track by_src, count 2, seconds 60, new_action drop, timeout 60";
    let actions: Vec<Action> =
        told(tuned("x.config", rate), "10.0.0.1", &[&b"aa"[..]; 4]).iter().map(|one| one.1).collect();
    assert_eq!(actions, [Action::Alert, Action::Alert, Action::Drop, Action::Drop]);
}

#[test]
fn tuning_that_concerns_nothing_is_told_with_its_place() {
    let set = tuned(
        "t.toml",
        "\n[[rule]]\nsid = [77]\ndisable = true\n[[rule]]\nsid = [1]\nreplace = { from = \"zz\", to = \"y\" }\n",
    );
    let told: Vec<(u32, &str)> = set.idle.iter().map(|one| (one.line, one.what.as_str())).collect();
    assert_eq!(told, [(2, "no rule is sid 77"), (5, "no rule of sid 1 has the text \"zz\"")]);
    let set = tuned(
        "threshold.config",
        "suppress gen_id 1, sig_id 1\nsupress gen_id 1\nthreshold gen_id 1, sig_id 1, type never\n",
    );
    let told: Vec<u32> = set.idle.iter().map(|one| one.line).collect();
    assert_eq!(told, [2, 3], "{:?}", set.idle);
    assert!(!sids(set, "10.0.0.1", &ALL).contains(&1), "the good line holds");
    let broken = tuned("t.toml", "[[rule]]\nsid = [1]\nreplace = { from = \"content:\", to = \"contnt:\" }\n");
    assert_eq!(broken.broken.len(), 1, "a rule that tuning breaks is reported: {:?}", broken.broken);
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_do() {
    for (text, words) in [
        ("[[rule]]\nsid = [1]\n", "nothing is changed"),
        ("[[rule]]\ndisable = true\n", "every rule"),
        ("[[rule]]\nsid = [1]\ndisable = true\nenable = true\n", "leave one of them out"),
        ("[[rule]]\nsid = [\"9-1\"]\ndisable = true\n", "no range"),
        ("[[rule]]\nsid = [1]\npriority = 0\n", "no priority"),
        ("[[rule]]\nsid = [1]\nsuppress = { by = \"source\" }\n", "addresses are missing"),
        ("[[rule]]\nsid = [1]\nsuppress = { by = \"source\", addresses = [\"10.0.0\"] }\n", "no address"),
        ("[[rule]]\nsid = [1]\nlimit = { kind = \"limit\", by = \"source\", count = 0, seconds = 1 }\n", "count is 0"),
        ("[variables]\nHOME_NET = \"[10.0.0.0/8\"\n", "HOME_NET"),
        ("[[rule]]\nsid = [1]\ndisabel = true\n", "unknown field"),
    ] {
        let said = refused(text);
        assert!(said.contains(words) && said.starts_with("tuning.toml"), "{text}: {said}");
    }
}
