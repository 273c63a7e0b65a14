//! Signatures from text to match: our own rule file, matcher against plain evaluator, limits, and the published rules where
//! they are at hand.

#![cfg(feature = "signatures")]

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use luytre_rules_engine::signatures::buffer;
use luytre_rules_engine::signatures::inspect::{ALERTS_MAX, Buffers, FlowNotes};
use luytre_rules_engine::signatures::language::Variables;
use luytre_rules_engine::signatures::matcher::{Scratch, View};
use luytre_rules_engine::signatures::tuning::Tuning;
use luytre_rules_engine::signatures::{FlowFacts, Inspector, PacketFacts, Scene, Signatures, plain};
use proptest::prelude::*;

fn compiled(text: &str) -> Signatures {
    Signatures::compile(vec![(PathBuf::from("test.rules"), text.to_owned())], Variables::usual())
}

/// A moment in a TCP flow that is established, the client sending.
fn scene<'p>(payload: &'p [u8]) -> Scene<'p> {
    let address = |last: u8| IpAddr::from([192, 0, 2, last]);
    Scene {
        time_ns: 0,
        flow: 1,
        transport: 6,
        source: (address(1), 40_000),
        destination: (address(2), 80),
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
            vlans: &[],
            events: &[],
        }),
        only_directed: false,
        only_files: false,
    }
}

/// Signature ids that a payload sets off.
fn sids(rules: &str, payload: &[u8]) -> Vec<u32> {
    let set = Arc::new(compiled(rules));
    assert_eq!(set.broken, [], "{rules}");
    let mut engine = Inspector::new(set.clone());
    let mut notes = FlowNotes::default();
    let scene = scene(payload);
    engine.packet(&scene, &mut notes);
    let alerts = engine.take_alerts(&scene, &mut notes);
    let rules = set.rules();
    alerts.iter().map(|alert| rules[alert.rule as usize].sid).collect()
}

/// Whether a transaction with these buffers sets off the only rule.
fn transaction(rule: &str, protocol: &'static str, buffers: &[(&str, &[u8])]) -> bool {
    let set = Arc::new(compiled(rule));
    assert_eq!(set.broken, [], "{rule}");
    let mut engine = Inspector::new(set);
    let mut given = Buffers::default();
    for (name, bytes) in buffers {
        given.add(buffer::by_keyword(name).unwrap(), bytes);
    }
    let mut notes = FlowNotes::default();
    let scene = Scene { protocol: Some(protocol), packet: None, ..scene(&[]) };
    engine.transaction(&scene, &given, None, &[], &mut notes);
    !engine.take_alerts(&scene, &mut notes).is_empty()
}

#[test]
fn our_own_rules_load_and_what_does_not_is_reported_with_its_place() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testdata/signatures-with-faults.txt");
    let set = Signatures::load(&[path], Variables::usual()).unwrap();
    let mut loaded: Vec<u32> = set.rules().iter().map(|rule| rule.sid).collect();
    loaded.sort_unstable();
    assert_eq!(loaded, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(set.not_for_us, 1);
    let broken: Vec<String> = set.broken.iter().map(|one| one.what.clone()).collect();
    for (found, (line, word)) in broken.iter().zip([
        (14, "contnt: this keyword is unknown"),
        (15, "pcre: "),
        (16, "do not come together"),
        (17, "there is no sid"),
        (18, "$NOBODY is not set"),
    ]) {
        assert!(found.starts_with(&format!("line {line}, column ")) && found.contains(word), "{found}");
    }
    assert_eq!(broken.len(), 5, "{broken:?}");
    let unsupported: Vec<&str> = set.unsupported.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(unsupported, ["sid 10: lua: scripts are not supported"]);
}

#[test]
fn places_of_contents_are_kept() {
    let rule = |options: &str| format!("alert tcp-pkt any any -> any any ({options} sid:1;)");
    for (options, yes, no) in [
        (r#"content:"b"; offset:1; depth:1;"#, &b"ab"[..], &b"ba"[..]),
        (r#"content:"a"; content:"b"; distance:1; within:2;"#, b"axxb a_b", b"ab"),
        (r#"content:"a"; content:"b"; distance:0; within:1; content:"c"; distance:0; within:1;"#, b"ab_abc", b"ab_ac"),
        (r#"content:"ab"; nocase;"#, b"xAB", b"xA"),
        (r#"content:"ab"; endswith;"#, b"ab ab", b"ab a"),
        (r#"content:"ab"; startswith;"#, b"ab", b" ab"),
        (r#"content:"a"; content:!"b"; within:2;"#, b"accb", b"acb ab"),
        (r#"content:"a"; isdataat:2,relative;"#, b"abc", b"ab"),
        (r#"pcre:"/^a+$/"; content:"a";"#, b"aaa", b"aab"),
        (r#"content:"x="; pcre:"/^\d+/R";"#, b"x=12", b"x=a1"),
        (r#"content:"L"; byte_jump:1,0,relative; content:"E"; distance:0; within:1;"#, b"L\x02abE", b"L\x01abE"),
        (r#"byte_extract:1,0,n; content:"x"; offset:n; depth:1;"#, b"\x02ax", b"\x01ax"),
        (r#"byte_test:2,>,256,0;"#, b"\x02\x00", b"\x00\x02"),
        (r#"byte_test:0,<,200,0,string,dec;"#, b"70", b"900"),
        (r#"dsize:3;"#, b"abc", b"ab"),
    ] {
        assert_eq!(sids(&rule(options), yes), [1], "{options} should find {yes:?}");
        assert_eq!(sids(&rule(options), no), [0u32; 0], "{options} should not find {no:?}");
    }
}

#[test]
fn buffers_are_changed_before_they_are_looked_into() {
    let rule = r#"alert dns any any -> any any (dns.query; dotprefix; content:".tre.example"; endswith; sid:1;)"#;
    assert!(transaction(rule, "dns", &[("dns.query", b"tre.example")]));
    assert!(transaction(rule, "dns", &[("dns.query", b"x.example"), ("dns.query", b"a.tre.example")]));
    assert!(!transaction(rule, "dns", &[("dns.query", b"xtre.example")]));
    assert!(!transaction(rule, "http", &[("dns.query", b"tre.example")]), "another protocol is spoken");
    let hidden = r#"alert http any any -> any any (http.cookie; content:"k="; base64_decode:relative; base64_data; content:"whoami"; sid:1;)"#;
    assert!(transaction(hidden, "http", &[("http.cookie", b"a=1; k=d2hvYW1p")]));
    assert!(!transaction(hidden, "http", &[("http.cookie", b"a=d2hvYW1p; k=")]));
    let absent = r#"alert http any any -> any any (http.uri; content:"/"; http.referer; absent; sid:1;)"#;
    assert!(transaction(absent, "http", &[("http.uri", b"/")]));
    assert!(!transaction(absent, "http", &[("http.uri", b"/"), ("http.referer", b"x")]));
}

#[test]
fn rules_that_pass_silence_those_behind_them() {
    let rules = "alert tcp-pkt any any -> any any (content:\"ab\"; sid:1;)\npass tcp-pkt any any -> any any (content:\"b\"; sid:2;)";
    assert_eq!(sids(rules, b"ab"), [0u32; 0]);
    assert_eq!(sids(rules, b"a"), [0u32; 0]);
}

#[test]
fn alerts_of_one_packet_have_a_ceiling_and_what_is_cut_is_counted() {
    let rules: String =
        (1..=40).map(|sid| format!("alert tcp-pkt any any -> any any (content:\"ab\"; sid:{sid};)\n")).collect();
    let mut engine = Inspector::new(Arc::new(compiled(&rules)));
    let mut notes = FlowNotes::default();
    let scene = scene(b"ab");
    engine.packet(&scene, &mut notes);
    assert_eq!(engine.take_alerts(&scene, &mut notes).len(), ALERTS_MAX);
    assert_eq!(engine.counts().cut, 40 - ALERTS_MAX as u64);
}

#[test]
fn hostile_rules_are_refused_or_end() {
    let many = r#"content:"a"; distance:0; "#.repeat(600);
    let deep = "[".repeat(5000);
    for rule in [
        format!("alert tcp any any -> any any ({many} sid:1;)"),
        format!("alert tcp {deep} any -> any any (sid:1;)"),
        format!("alert tcp any any -> any any (pcre:\"/{}/\"; sid:1;)", "(a{1,1000}){1,1000}".repeat(50)),
        "alert tcp any any -> any any (content:\"ab\"; within:99999999999; sid:1;)".to_owned(),
        format!("alert tcp any any -> any any (content:\"{}\"; sid:1;)", "a".repeat(100_000)),
    ] {
        let set = compiled(&rule);
        assert_eq!((set.broken.len(), set.len()), (1, 0), "{}", rule.get(..200).unwrap_or(&rule));
    }
    // A search that would take for ever is cut and counted.
    let backtracking = format!(
        "alert tcp-pkt any any -> any any ({} content:\"b\"; distance:0; sid:1;)",
        r#"content:"a"; distance:0; "#.repeat(30)
    );
    let mut engine = Inspector::new(Arc::new(compiled(&backtracking)));
    let mut notes = FlowNotes::default();
    let payload = [&b"b"[..], &[b'a'; 2000]].concat();
    let scene = scene(&payload);
    engine.packet(&scene, &mut notes);
    assert!(engine.take_alerts(&scene, &mut notes).is_empty());
    assert_eq!(engine.counts().searches_cut, 1);
}

#[test]
fn an_expression_that_backtracks_is_not_tried_at_every_place() {
    let rule = r#"alert tcp-pkt any any -> any any (pcre:"/(?=a)a/"; content:"b"; distance:5; within:1; sid:1;)"#;
    let mut engine = Inspector::new(Arc::new(compiled(rule)));
    let mut notes = FlowNotes::default();
    let payload = [b'a'; 60_000];
    let scene = scene(&payload);
    engine.packet(&scene, &mut notes);
    assert!(engine.take_alerts(&scene, &mut notes).is_empty());
    assert_eq!(engine.counts().searches_cut, 1, "what is given up is counted");
}

#[test]
fn the_published_rules_load() {
    let corpus = std::env::var("LUYTRE_CORPUS").map(PathBuf::from);
    let corpus = corpus.unwrap_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"));
    let folder = corpus.join("rules/et");
    if !folder.is_dir() {
        eprintln!("no published rules at {}: only our own were tried", folder.display());
        return;
    }
    let set = Signatures::load(&[folder], Variables::usual()).unwrap();
    let usable = set.len() - set.unsupported.len();
    let all = set.len() + set.broken.len();
    assert!(usable as f64 >= 0.995 * all as f64, "{usable} of {all}: {:?}", set.broken.first());
}

fn condition() -> impl Strategy<Value = String> {
    let letters = "[ab]{1,3}";
    prop_oneof![
        letters.prop_map(|text| format!("content:\"{text}\";")),
        letters.prop_map(|text| format!("content:!\"{text}\";")),
        (letters, 0..6u8).prop_map(|(text, n)| format!("content:\"{text}\"; offset:{n};")),
        (letters, 3..9u8).prop_map(|(text, n)| format!("content:\"{text}\"; depth:{n};")),
        (letters, 0..4u8, 3..7u8).prop_map(|(text, n, m)| format!("content:\"{text}\"; distance:{n}; within:{m};")),
        (letters, 0..3u8).prop_map(|(text, n)| format!("content:\"{text}\"; distance:-{n};")),
        (letters, 3..6u8).prop_map(|(text, n)| format!("content:!\"{text}\"; within:{n};")),
        letters.prop_map(|text| format!("content:\"{}\"; nocase;", text.to_uppercase())),
        letters.prop_map(|text| format!("content:\"{text}\"; endswith;")),
        (0..5u8).prop_map(|n| format!("isdataat:{n},relative;")),
        (0..5u8).prop_map(|n| format!("isdataat:!{n};")),
        (0..3u8, 90..100u8).prop_map(|(at, n)| format!("byte_test:1,>,{n},{at},relative;")),
        (0..3u8).prop_map(|n| format!("byte_jump:1,{n},relative,post_offset -96;")),
        (0..3u8).prop_map(|n| format!("byte_extract:1,{n},v{n},relative;")),
        Just("pcre:\"/a+b/\";".to_owned()),
        Just("pcre:\"/^b/R\";".to_owned()),
        (1..9u8).prop_map(|n| format!("bsize:<{n};")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The matcher finds what the plain evaluator finds, in any rule and payload.
    #[test]
    fn the_matcher_agrees_with_the_plain_evaluator(
        conditions in prop::collection::vec(condition(), 1..5),
        payload in "[abA]{0,14}",
        before in prop_oneof![Just(0u64), 0..5u64],
    ) {
        let set = compiled(&format!("alert tcp-pkt any any -> any any ({} sid:1;)", conditions.join(" ")));
        prop_assert_eq!(&set.broken, &[]);
        let rule = &set.rules()[0];
        let view = View { bytes: payload.as_bytes(), before };
        let list = &rule.lists[0];
        let mut scratch = Scratch::default();
        scratch.begin(rule.variables);
        let fast = scratch.holds(list, view);
        prop_assert_eq!(scratch.cut, 0);
        prop_assert_eq!(fast, plain::holds(&list.conditions, view, rule.variables), "{:?} in {:?}", conditions, payload);
    }

    /// No text makes the compiler panic.
    #[test]
    fn any_text_compiles_or_is_reported(text in "(alert|pass) (tcp|http) any any -> any [0-9,!:]{1,8} \\(([a-z_.]{1,12}(:[\"a-z0-9|,/\\\\ !<>-]{0,16})?; ?){0,5}sid:1;\\)") {
        let set = compiled(&text);
        prop_assert!(set.len() + set.broken.len() <= 1);
    }
}

#[test]
fn what_is_odd_about_a_packet_sets_off_its_rules_only() {
    let set = Arc::new(compiled(
        "alert pkthdr any any -> any any (decode-event:ipv6.frag_overlap; sid:1;)\n\
         alert pkthdr any any -> any any (decode-event:ipv6.trunc_pkt; sid:2;)\n\
         alert pkthdr any any -> any any (decode-event:not.known; sid:3;)\n",
    ));
    assert_eq!((set.broken.len(), set.unsupported.len()), (0, 1), "an event that is not told is reported");
    let mut engine = Inspector::new(set.clone());
    let mut notes = FlowNotes::default();
    let mut scene = scene(b"");
    scene.packet = scene.packet.map(|packet| PacketFacts { events: &["ipv6.frag_overlap"], ..packet });
    engine.events(&scene, &mut notes);
    let alerts = engine.take_alerts(&scene, &mut notes);
    let sids: Vec<u32> = alerts.iter().map(|alert| set.rules()[alert.rule as usize].sid).collect();
    assert_eq!(sids, [1]);
}

#[test]
fn several_numbers_of_a_transaction_are_asked_as_a_rule_says() {
    let (granted, published) = (2u64.to_be_bytes(), 3u64.to_be_bytes());
    let buffers = [("mqtt.type", &granted[..]), ("mqtt.type", &published[..])];
    let rule = |test: &str| format!("alert mqtt any any -> any any (mqtt.type:{test}; sid:1;)");
    for (test, matches) in [
        ("PUBLISH", true),
        ("PUBLISH,1", true),
        ("PUBLISH,0", false),
        ("PUBLISH,-1", true),
        ("PUBLISH,all", false),
        ("CONNECT", false),
        ("!CONNECT,all", true),
    ] {
        assert_eq!(transaction(&rule(test), "mqtt", &buffers), matches, "{test}");
    }
}

#[test]
fn settings_bits_and_enumerations_are_numbers_with_names() {
    let setting = [0, 0, 0, 1, 0, 0, 0x10, 0];
    for (test, matches) in [
        ("SETTINGS_HEADER_TABLE_SIZE", true),
        ("SETTINGS_HEADER_TABLE_SIZE>1000", true),
        ("SETTINGS_HEADER_TABLE_SIZE>5000", false),
        ("SETTINGS_ENABLE_PUSH", false),
    ] {
        let rule = format!("alert http2 any any -> any any (http2.settings:{test}; sid:1;)");
        assert_eq!(transaction(&rule, "http2", &[("http2.settings", &setting)]), matches, "{test}");
    }
    let flags = 0x80u64.to_be_bytes();
    for (test, matches) in
        [("fin", true), ("fin,!comp", true), ("fin,comp", false), ("*fin,comp", true), ("=fin", true)]
    {
        let rule = format!("alert websocket any any -> any any (websocket.flags:{test}; sid:1;)");
        assert_eq!(transaction(&rule, "websocket", &[("websocket.flags", &flags)]), matches, "{test}");
    }
}

#[test]
fn frames_are_found_by_the_protocol_of_the_header() {
    let set = compiled(
        "alert mqtt any any -> any any (frame:pdu; content:\"|10|\"; sid:1;)\n\
         alert http any any -> any any (frame:http1.request; content:\"GET\"; sid:2;)\n\
         alert smb any any -> any any (frame:smb2.hdr; content:\"SMB\"; sid:3;)\n\
         alert mqtt any any -> any any (frame:unheard.of; content:\"x\"; sid:4;)\n",
    );
    assert_eq!(set.broken, []);
    let noted: Vec<&str> = set.unsupported.iter().map(|report| report.what.as_str()).collect();
    assert!(noted.len() == 1 && noted[0].starts_with("sid 4"), "{noted:?}");
}

#[test]
fn parts_of_domain_names_are_looked_into() {
    let rule = |change: &str, name: &str| {
        format!("alert dns any any -> any any (dns.query; {change}; content:\"{name}\"; startswith; endswith; sid:1;)")
    };
    let name = [("dns.query", &b"www.example.gov.vn"[..])];
    assert!(transaction(&rule("domain", "example.gov.vn"), "dns", &name));
    assert!(transaction(&rule("tld", "gov.vn"), "dns", &name));
    assert!(!transaction(&rule("tld", "vn"), "dns", &name));
}

#[test]
fn a_set_that_follows_another_shares_the_rules_that_stay() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.rules");
    let list = folder.path().join("names.lst");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let load = |tuning: &Tuning, before: Option<&Signatures>| {
        Signatures::load_after(std::slice::from_ref(&file), tuning, before).unwrap()
    };
    std::fs::write(&list, "d3d3LmV4YW1wbGU=\n").unwrap();
    let kept = "alert tcp any any -> any any (content:\"kept\"; flowbits:set,a; sid:1;)\n";
    let goes = "alert tcp any any -> any any (content:\"goes\"; flowbits:isset,b; sid:2;)\n";
    let listed = "alert dns any any -> any any (dns.query; dataset:isset,names,type string,load names.lst; sid:3;)\n";
    let plain = Tuning::default();
    write(&[kept, goes, listed].concat());
    let first = load(&plain, None);
    assert_eq!((first.len(), first.broken.len()), (3, 0), "{:?}", first.broken);

    // One comes before it, one goes, and what is in a file beside it is read anew.
    let comes = "alert udp any any -> any any (content:\"comes\"; flowbits:isset,b; sid:4;)\n";
    write(&[comes, kept, listed].concat());
    let second = load(&plain, Some(&first));
    assert_eq!((second.len(), second.shared_with(&first)), (3, 1));
    let shared = second.rules().iter().find(|rule| rule.sid == 1).unwrap();
    assert_eq!((shared.place.1, &*second.text(shared)), (2, kept.trim()), "its line and its text are those of now");

    // What means the same bit has the same number, whichever set it came with.
    let bit = |set: &Signatures, sid: u32| {
        let rule = set.rules().iter().find(|rule| rule.sid == sid).unwrap();
        format!("{:?}", rule.asks)
    };
    assert_eq!(bit(&first, 2), bit(&second, 4));

    // Other groups of addresses, or other tuning: every rule may mean something else.
    let path = folder.path().join("tuning.toml");
    std::fs::write(&path, "[variables]\nHOME_NET = \"192.0.2.0/24\"\n").unwrap();
    let tuned = Tuning::load(&[path]).unwrap();
    assert_eq!(load(&tuned, Some(&second)).shared_with(&second), 0);
    assert_eq!(load(&plain, Some(&second)).shared_with(&second), 2);
}
