//! Keywords of protocols in signatures: what a rule finds in our own recordings is what the events of the same recording
//! tell. And packets that carry others, on packets made here.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What is read of a capture with rules.
fn read(capture: &Path, rules: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keywords.rules");
    std::fs::write(&path, rules.join("\n")).unwrap();
    let sensor = Command::new(env!("CARGO_BIN_EXE_luytre-sensor"));
    let output = { sensor }.arg("read").arg("--rules").arg(&path).arg(capture).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let all = format!("{} rules, 0 of them cannot match here, 0 cannot be used", rules.len());
    assert!(told.contains(&all), "{told}");
    let lines = output.stdout.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn recording(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/protocols").join(name)
}

fn alerts(events: &[Value], sid: &str) -> usize {
    events.iter().filter(|event| event["event"]["kind"] == "alert" && event["rule"]["id"] == sid).count()
}

fn told(events: &[Value], dataset: &str, is_it: impl Fn(&Value) -> bool) -> usize {
    events.iter().filter(|event| event["event"]["dataset"] == dataset && is_it(event)).count()
}

#[test]
fn requests_of_modbus_are_found_by_function_and_data() {
    let events = read(
        &recording("modbus/testdata/device.pcap"),
        &[
            "alert modbus any any -> any any (modbus: function 3; sid:1;)",
            "alert modbus any any -> any any (modbus: access write; sid:2;)",
            "alert modbus any any -> any any (modbus: function !assigned; sid:3;)",
            "alert modbus any any -> any any (modbus: access read coils; sid:4;)",
        ],
    );
    let asked = |is_it: &dyn Fn(&Value) -> bool| told(&events, "modbus", |event| is_it(&event["modbus"]));
    let reads = asked(&|modbus| modbus["function_code"] == 3);
    let writes = asked(&|modbus| modbus["access"].as_str().is_some_and(|access| access.contains("write")));
    let coils = asked(&|modbus| modbus["function_code"] == 1);
    assert!(reads > 0 && writes > 0 && coils > 0, "the recording has changed");
    let found = ["1", "2", "3", "4"].map(|sid| alerts(&events, sid));
    assert_eq!(found, [reads, writes, 0, coils]);
}

#[test]
fn messages_of_dnp3_are_found_by_function_and_object() {
    let events = read(
        &recording("dnp3/testdata/stations.pcap"),
        &[
            "alert dnp3 any any -> any any (dnp3_func:read; sid:1;)",
            "alert dnp3 any any -> any any (dnp3_func:response; sid:2;)",
            "alert dnp3 any any -> any any (dnp3_obj:60,1; sid:3;)",
        ],
    );
    let with = |is_it: &dyn Fn(&Value) -> bool| told(&events, "dnp3", |event| is_it(&event["dnp3"]));
    let reads = with(&|dnp3| dnp3["function_code"] == 1);
    let responses = with(&|dnp3| dnp3["function_code"] == 129);
    let classes = with(&|dnp3| dnp3["objects"].as_array().is_some_and(|all| all.iter().any(|one| one == "g60v1")));
    assert!(reads > 0 && responses > 0, "the recording has changed");
    assert_eq!(["1", "2", "3"].map(|sid| alerts(&events, sid)), [reads, responses, classes]);
}

#[test]
fn exchanges_of_ike_are_found_by_their_numbers() {
    let events = read(
        &recording("ike/testdata/tunnels.pcap"),
        &[
            "alert ike any any -> any any (ike.exchtype:34; sid:1;)",
            "alert ike any any -> any any (ike.exchtype:2; sid:2;)",
            "alert ike any any -> any any (ike.nonce_payload_length:>7; sid:3;)",
        ],
    );
    let exchanges = |number: u64| told(&events, "ike", |event| event["ike"]["exchange_number"] == number);
    let nonces = told(&events, "ike", |event| {
        event["ike"]["payloads"].as_array().is_some_and(|all| {
            all.iter().any(|one| one.as_str().is_some_and(|name| name.to_lowercase().contains("nonce")))
        })
    });
    assert!(exchanges(34) > 0 && nonces > 0, "the recording has changed");
    assert_eq!(["1", "2", "3"].map(|sid| alerts(&events, sid)), [exchanges(34), exchanges(2), nonces]);
}

#[test]
fn data_connections_of_ftp_are_found_by_their_mode() {
    let events = read(
        &recording("ftp/testdata/transfers.pcap"),
        &[
            "alert ftp any any -> any any (ftp.mode:passive; sid:1;)",
            "alert ftp any any -> any any (ftp.mode:active; sid:2;)",
            "alert ftp any any -> any any (ftp.completion_code; content:\"226\"; sid:3;)",
        ],
    );
    let exchanges = |is_it: &dyn Fn(&Value) -> bool| told(&events, "ftp", is_it);
    let code = |event: &Value, wanted: u64| {
        event["ftp"]["reply"]["codes"].as_array().is_some_and(|codes| codes.iter().any(|code| *code == wanted))
    };
    let passive = exchanges(&|event| code(event, 227) || code(event, 229));
    let active = exchanges(&|event| event["ftp"]["data"]["mode"] == "active");
    let done = exchanges(&|event| code(event, 226));
    assert!(passive + active > 0 && done > 0, "the recording has changed");
    assert_eq!(["1", "2", "3"].map(|sid| alerts(&events, sid)), [passive, active, done]);
}

/// A classic capture of raw IP packets, one a second.
fn capture(folder: &tempfile::TempDir, packets: &[Vec<u8>]) -> std::path::PathBuf {
    const RAW_IP: u32 = 101;
    let mut bytes = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, RAW_IP] {
        bytes.extend(word.to_le_bytes());
    }
    for (second, packet) in (1_700_000_000_u32..).zip(packets) {
        let length = u32::try_from(packet.len()).unwrap();
        for word in [second, 0, length, length] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(packet);
    }
    let path = folder.path().join("made.pcap");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn ipv4(protocol: u8, source: [u8; 4], destination: [u8; 4], inside: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + inside.len()).unwrap().to_be_bytes();
    let head = [&[0x45, 0][..], &length, &[0, 1, 0, 0, 64, protocol, 0, 0], &source, &destination].concat();
    [head.as_slice(), inside].concat()
}

fn udp(ports: [u16; 2], inside: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + inside.len()).unwrap();
    let words = [ports[0], ports[1], length, 0].map(u16::to_be_bytes).concat();
    [words.as_slice(), inside].concat()
}

fn tcp(ports: [u16; 2], numbers: [u32; 2], flags: u8) -> Vec<u8> {
    let head = [ports[0].to_be_bytes(), ports[1].to_be_bytes()].concat();
    let numbers = numbers.map(u32::to_be_bytes).concat();
    [head.as_slice(), &numbers, &[0x50, flags, 0x20, 0, 0, 0, 0, 0]].concat()
}

#[test]
fn packets_that_carry_others_are_packets_to_rules() {
    const ECHO: [u8; 8] = [8, 0, 0, 0, 0, 1, 0, 1];
    let (one, other, inner, inmost) = ([192, 0, 2, 1], [192, 0, 2, 2], [198, 51, 100, 1], [198, 51, 100, 2]);
    let there = ipv4(4, one, other, &ipv4(1, inner, inmost, &ECHO));
    let back = ipv4(4, other, one, &ipv4(1, inmost, inner, &ECHO));
    let gre =
        ipv4(47, one, other, &[&[0, 0, 8, 0][..], &ipv4(17, inner, inmost, &udp([1000, 2000], b"inside"))].concat());
    let vxlan =
        [&[8, 0, 0, 0, 0, 0, 7, 0][..], &[2; 12], &[8, 0], &ipv4(17, inner, inmost, &udp([1, 2], b"deep"))].concat();
    let over_udp = ipv4(17, one, other, &udp([5000, 4789], &vxlan));
    let folder = tempfile::tempdir().unwrap();
    let path = capture(&folder, &[there.clone(), back, there, gre.clone(), gre, over_udp.clone(), over_udp]);
    let events = read(
        &path,
        &[
            "alert ip 192.0.2.0/24 any -> any any (ip_proto:4; sid:1;)",
            "alert ip 192.0.2.0/24 any -> any any (ip_proto:47; sid:2;)",
            "alert icmp 198.51.100.0/24 any -> any any (itype:8; sid:3;)",
            "alert udp 192.0.2.0/24 any -> any 4789 (content:\"deep\"; sid:4;)",
            "alert udp 198.51.100.0/24 any -> any any (content:\"inside\"; sid:5;)",
            "alert ip 192.0.2.0/24 any -> any any (ipv4-csum:invalid; sid:6;)",
            "alert ip 192.0.2.0/24 any -> 192.0.2.0/24 any (sid:7;)",
        ],
    );
    // Rules that ask for something of a packet are asked of each of them, carrier or not.
    assert_eq!(["1", "2", "3", "4", "5"].map(|sid| alerts(&events, sid)), [3, 2, 3, 2, 2]);
    // Rules that only ask for addresses: IP in IP is one flow of one direction, so are datagrams one way, and each packet of
    // GRE stands for itself.
    assert_eq!(alerts(&events, "7"), 1 + 2 + 1);
    assert_eq!(alerts(&events, "6"), 7, "every carrier has its own header");
    let flows =
        told(&events, "flow", |event| event["source"]["ip"].as_str().is_some_and(|ip| ip.starts_with("192.0.2.")));
    assert_eq!(flows, 0, "carriers are no flows of their own to anybody else");
}

#[test]
fn what_still_comes_of_a_connection_that_is_over_is_no_new_flow_to_rules() {
    let (client, server) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let asks = |numbers, flags| ipv4(6, client, server, &tcp([40_000, 80], numbers, flags));
    let says = |numbers, flags| ipv4(6, server, client, &tcp([80, 40_000], numbers, flags));
    let mut packets = vec![asks([100, 0], 2), says([500, 101], 18), asks([101, 501], 16)];
    packets.extend([asks([101, 501], 17), says([501, 102], 17), asks([102, 502], 16)]);
    // Another host keeps the clock going until the connection was silent for long enough.
    packets.extend((0..30).map(|_| ipv4(17, [203, 0, 113, 1], [203, 0, 113, 2], &udp([1, 2], b"tick"))));
    packets.push(says([501, 102], 17));
    let folder = tempfile::tempdir().unwrap();
    let path = capture(&folder, &packets);
    let events = read(
        &path,
        &[
            "alert tcp any 80 -> any any (flow:to_client,established; flags:FA; sid:1;)",
            "alert tcp any any -> any any (flow:to_server; flags:S; flowbits:set,seen; flowbits:noalert; sid:2;)",
            "alert tcp any any -> any any (flow:to_client; flags:FA; flowbits:isset,seen; flow.age:>20; sid:3;)",
        ],
    );
    assert_eq!(alerts(&events, "1"), 2, "once when it ended, once when its end came again");
    assert_eq!(alerts(&events, "3"), 1, "what was remembered of it is still known");
}

#[test]
fn odd_headers_set_off_the_rules_that_name_them_and_sound_ones_none() {
    let (one, other) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let echo = ipv4(1, one, other, &[8, 0, 0, 0, 0, 1, 0, 1]);
    let odd_code = ipv4(1, one, other, &[8, 9, 0, 0, 0, 1, 0, 1]);
    let other_icmp = ipv4(58, one, other, &[128, 0, 0, 0, 0, 1, 0, 1]);
    let gre = ipv4(47, one, other, &[0, 7, 8, 0, 0, 0, 0, 0]);
    let cut = ipv4(132, one, other, &[0, 7, 0, 8]);
    let folder = tempfile::tempdir().unwrap();
    let path = capture(&folder, &[echo, odd_code.clone(), odd_code, other_icmp, gre, cut, vec![0x95; 40]]);
    let events = read(
        &path,
        &[
            "alert pkthdr any any -> any any (decode-event:icmpv4.unknown_code; sid:1;)",
            "alert pkthdr any any -> any any (decode-event:ipv4.icmpv6; sid:2;)",
            "alert pkthdr any any -> any any (decode-event:gre.wrong_version; sid:3;)",
            "alert pkthdr any any -> any any (decode-event:sctp.pkt_too_small; sid:4;)",
            "alert pkthdr any any -> any any (decode-event:ipraw.invalid_ip_version; sid:5;)",
            "alert pkthdr any any -> any any (decode-event:ipv4.trunc_pkt; sid:6;)",
        ],
    );
    assert_eq!(["1", "2", "3", "4", "5", "6"].map(|sid| alerts(&events, sid)), [2, 1, 1, 1, 1, 0]);
}

#[test]
fn packets_that_do_not_fit_a_connection_set_off_the_rules_that_name_them() {
    let (client, server) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let asks = |numbers, flags| ipv4(6, client, server, &tcp([40_000, 80], numbers, flags));
    let says = |numbers, flags| ipv4(6, server, client, &tcp([80, 40_000], numbers, flags));
    let opening = [asks([100, 0], 2), says([500, 101], 18), asks([101, 501], 16)];
    let odd = [asks([101, 99_999], 16), asks([700, 0], 2), says([500, 101], 18)];
    let closing = [asks([101, 501], 17), says([501, 102], 17), asks([102, 502], 16)];
    let lonely = ipv4(6, client, server, &tcp([40_001, 80], [5, 0], 4));
    let folder = tempfile::tempdir().unwrap();
    let rules = [
        "alert tcp any any -> any any (stream-event:est_invalid_ack; sid:1;)",
        "alert tcp any any -> any any (stream-event:est_syn_resend_diff_seq; sid:2;)",
        "alert tcp any any -> any any (stream-event:est_synack_resend; sid:3;)",
        "alert tcp any any -> any any (stream-event:rst_but_no_session; sid:4;)",
        "alert tcp any any -> any any (stream-event:fin_out_of_window; sid:5;)",
    ];
    let found = |packets: &[Vec<u8>]| {
        let events = read(&capture(&folder, packets), &rules);
        ["1", "2", "3", "4", "5"].map(|sid| alerts(&events, sid))
    };
    assert_eq!(found(&[&opening[..], &closing].concat()), [0; 5]);
    assert_eq!(found(&[&opening[..], &odd, &closing, &[lonely]].concat()), [1, 1, 1, 1, 0]);
}

#[test]
fn a_forged_syn_hides_nothing_and_an_answered_one_begins_a_connection() {
    let (client, server) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let asks = |numbers, flags, data: &str| {
        ipv4(6, client, server, &[&tcp([40_000, 80], numbers, flags)[..], data.as_bytes()].concat())
    };
    let says = |numbers, flags| ipv4(6, server, client, &tcp([80, 40_000], numbers, flags));
    let (first, second) = ("GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n", "GET /again HTTP/1.1\r\nHost: a\r\n\r\n");
    let behind = |number: u32, text: &str| number + u32::try_from(text.len()).unwrap();
    let packets = [
        asks([100, 0], 2, ""),
        says([500, 101], 18),
        asks([101, 501], 16, ""),
        asks([70_000, 0], 2, ""),
        asks([101, 501], 24, first),
        says([501, behind(101, first)], 16),
        asks([9000, 0], 2, ""),
        says([7000, 9001], 18),
        asks([9001, 7001], 16, ""),
        asks([9001, 7001], 24, second),
        says([7001, behind(9001, second)], 16),
    ];
    let folder = tempfile::tempdir().unwrap();
    let rules = [
        "alert http any any -> any any (http.uri; content:\"/hidden\"; sid:1;)",
        "alert http any any -> any any (http.uri; content:\"/again\"; sid:2;)",
    ];
    let events = read(&capture(&folder, &packets), &rules);
    assert_eq!(["1", "2"].map(|sid| alerts(&events, sid)), [1, 1]);
    assert_eq!(told(&events, "flow", |_| true), 2);
}
