//! Tests of the shapes: what each shipper sends, shortened.

use serde_json::json;

use super::*;

const RECEIVED_NS: i64 = 1_795_305_600_000_000_000;

fn read(json: &Json) -> Json {
    let event = event(json.to_string().as_bytes(), RECEIVED_NS).unwrap();
    let mut told = luytre_events::json::event_value(&event);
    let original = told.pointer("/event/original").and_then(Json::as_str);
    assert!(original.is_none_or(|text| text.starts_with('{')), "{told}");
    told.as_object_mut().unwrap().remove("@metadata");
    told
}

fn at(event: &Json, name: &str) -> Json {
    event.pointer(&format!("/{}", name.replace('.', "/"))).cloned().unwrap_or_default()
}

#[test]
fn a_logon_of_winlogbeat_is_about_who_logged_on() {
    let event = read(&json!({
        "@timestamp": "2026-11-22T01:00:00.123Z",
        "event": { "code": "4625", "kind": "event", "provider": "Microsoft-Windows-Security-Auditing",
            "action": "Logon", "dataset": "system.security" },
        "host": { "name": "may-tram-01.example", "ip": ["192.0.2.9"] },
        "log": { "level": "information" },
        "message": "An account failed to log on.",
        "agent": { "type": "winlogbeat", "version": "8.19.0" },
        "ecs": { "version": "8.0.0" },
        "winlog": {
            "channel": "Security", "event_id": "4625", "record_id": 123456, "task": "Logon",
            "provider_name": "Microsoft-Windows-Security-Auditing", "computer_name": "may-tram-01.example",
            "keywords": ["Audit Failure"],
            "event_data": { "TargetUserName": "quan-tri", "TargetDomainName": "TINH", "SubjectUserName": "-",
                "LogonType": "3", "IpAddress": "::ffff:198.51.100.7", "IpPort": "50123", "ProcessName": "-",
                "ProcessId": "0x0", "SubStatus": "0xc000006a", "Status": "0xc000006d", "WorkstationName": "KALI" },
        },
    }));
    for (name, value) in [
        ("event.dataset", json!("windows")),
        ("event.code", json!("4625")),
        ("event.outcome", json!("failure")),
        ("event.provider", json!("Microsoft-Windows-Security-Auditing")),
        ("data_stream.dataset", json!("system.security")),
        ("user.name", json!("quan-tri")),
        ("user.domain", json!("TINH")),
        ("winlog.logon.type", json!("3")),
        ("winlog.status", json!("0xc000006a")),
        ("winlog.record_id", json!("123456")),
        ("source.ip", json!("198.51.100.7")),
        ("source.port", json!(50123)),
        ("source.domain", json!("KALI")),
        ("host.name", json!("may-tram-01.example")),
        ("process.executable", Json::Null),
        ("@timestamp", json!("2026-11-22T01:00:00.123000000Z")),
    ] {
        assert_eq!(at(&event, name), value, "{name} of {event}");
    }
}

#[test]
fn a_start_of_a_program_has_its_parent_and_digest() {
    let sysmon = read(&json!({
        "@timestamp": "2026-11-22T01:00:00Z", "message": "Process Create",
        "winlog": { "event_id": 1, "provider_name": "Microsoft-Windows-Sysmon", "channel": "Microsoft-Windows-Sysmon/Operational",
            "event_data": { "Image": "C:\\Windows\\System32\\whoami.exe", "CommandLine": "whoami /all", "ProcessId": "812",
                "ParentImage": "C:\\inetpub\\w3wp.exe", "User": "TINH\\web", "Hashes": "MD5=00,SHA256=ABCDEF" } },
    }));
    assert_eq!(at(&sysmon, "process.name"), "whoami.exe");
    assert_eq!(at(&sysmon, "process.parent.executable"), "C:\\inetpub\\w3wp.exe");
    assert_eq!((at(&sysmon, "process.hash.sha256"), at(&sysmon, "process.pid")), ("abcdef".into(), 812.into()));
    assert_eq!((at(&sysmon, "file.hash.sha256"), at(&sysmon, "user.name")), ("abcdef".into(), "web".into()));
    let security = read(&json!({ "winlog": { "event_id": 4688, "channel": "Security", "event_data": {
        "NewProcessName": "C:\\x\\a.exe", "NewProcessId": "0x1f4", "SubjectUserName": "web" } } }));
    assert_eq!((at(&security, "process.name"), at(&security, "process.pid")), ("a.exe".into(), 500.into()));
    assert_eq!(at(&security, "@timestamp"), luytre_events::json::time_text(RECEIVED_NS), "when it came");
}

#[test]
fn other_shippers_and_lines_within_lines() {
    let nxlog = read(
        &json!({ "EventTime": "2026-11-22 08:00:00+07:00", "Hostname": "dc1", "EventType": "AUDIT_FAILURE",
        "Channel": "Security", "EventID": 4771, "TargetUserName": "quan-tri", "IpAddress": "192.0.2.5", "Message": "no" }),
    );
    assert_eq!((at(&nxlog, "event.code"), at(&nxlog, "user.name")), ("4771".into(), "quan-tri".into()));
    assert_eq!((at(&nxlog, "event.outcome"), at(&nxlog, "host.name")), ("failure".into(), "dc1".into()));
    assert_eq!(at(&nxlog, "@timestamp"), "2026-11-22T01:00:00.000000000Z");
    let vector =
        read(&json!({ "timestamp": "2026-11-22T01:00:00Z", "host": "fw", "hostname": "fw.example", "appname": "sshd",
        "severity": "err", "message": "từ chối", "source_type": "syslog", "source_ip": "192.0.2.3" }));
    assert_eq!((at(&vector, "event.dataset"), at(&vector, "log.syslog.appname")), ("log".into(), "sshd".into()));
    assert_eq!((at(&vector, "message"), at(&vector, "source.ip")), ("từ chối".into(), "192.0.2.3".into()));
    let eve = json!({ "timestamp": "2026-11-22T08:00:00+0700", "event_type": "dns", "src_ip": "192.0.2.1", "src_port": 5353,
        "dest_ip": "192.0.2.53", "dest_port": 53, "proto": "UDP", "dns": { "type": "query", "rrname": "mot-cua.example" } });
    for shipped in
        [eve.clone(), json!({ "@timestamp": "2026-11-22T01:00:01Z", "message": eve.to_string(), "agent": {} })]
    {
        assert_eq!(at(&read(&shipped), "dns.question.name"), "mot-cua.example");
    }
    let line = event("<13>1 - core app - - - một dòng".as_bytes(), RECEIVED_NS).unwrap();
    assert_eq!(line.dataset_name(), "syslog");
}

#[test]
fn odd_objects_are_events_or_say_why_not() {
    for odd in [
        json!({}),
        json!({ "source": { "ip": "nobody", "port": "-" }, "@timestamp": 5 }),
        json!({ "winlog": 7 }),
        json!({ "source.ip": ["192.0.2.1"], "network": { "transport": "carrier pigeon" } }),
        json!({ "event": { "dataset": "system.auth" }, "agent": {} }),
    ] {
        assert!(event(odd.to_string().as_bytes(), RECEIVED_NS).is_ok(), "{odd}");
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    assert!(event(deep.as_bytes(), RECEIVED_NS).is_ok());
    for no in ["7", "[1]", "{\"a\":", "\"text\""] {
        assert!(event(no.as_bytes(), RECEIVED_NS).is_err(), "{no}");
    }
}
