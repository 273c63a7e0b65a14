//! Triage in groups: exact counts, decisions on all members, taking them back, notes, watching, saved views.

use axum::http::{Method, StatusCode};
use luytre_collector_api::Alert;
use luytre_console::model::Role;
use serde_json::{Value, json};

use crate::fakes::alert;
use crate::harness::{Browser, Console};

/// An alert from one address to another.
pub fn between(id: &str, severity: &str, rule: &str, source: &str, destination: &str) -> Alert {
    let mut alert = alert(id, severity, rule);
    alert.source = Some(luytre_collector_api::Endpoint { ip: source.into(), port: Some(40_000) });
    alert.destination = Some(luytre_collector_api::Endpoint { ip: destination.into(), port: Some(80) });
    alert
}

/// Five scans of the portal by three sources, one scan of another host, two calls of an office computer.
async fn with_groups() -> (Console, Browser) {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    for (n, source) in ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3", "192.0.2.1"].iter().enumerate() {
        console.collector.raise(between(&format!("s{n}"), "medium", "scan", source, "198.51.100.10"));
    }
    console.collector.raise(between("other", "low", "scan", "192.0.2.1", "198.51.100.11"));
    console.collector.raise(between("c0", "high", "beacon", "10.1.2.3", "203.0.113.9"));
    console.collector.raise(between("c1", "critical", "beacon", "10.1.2.3", "203.0.113.8"));
    console.catch_up().await;
    (console, lan)
}

async fn groups(console: &Console, who: &Browser, question: &str) -> Value {
    let answer = console.get(who, &format!("/api/v1/alerts/groups{question}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.bytes));
    answer.json()
}

fn of_host<'a>(list: &'a Value, host: &str) -> &'a Value {
    list["items"].as_array().unwrap().iter().find(|group| group["host"] == host).unwrap()
}

fn close_group(list: &Value, group: &Value) -> Value {
    json!({"groups": [group["key"]], "filter": {"by": "rule_host", "until": list["until"]}, "action": "close",
        "verdict": "benign", "reason": "quét định kỳ"})
}

#[tokio::test]
async fn a_group_says_exactly_what_it_hides() {
    let (console, lan) = with_groups().await;
    let list = groups(&console, &lan, "?sort=severity").await;
    assert_eq!((&list["total"], &list["alerts"]), (&json!(3), &json!(8)));
    let hosts: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|group| &group["host"]).collect();
    assert_eq!(hosts, ["10.1.2.3", "198.51.100.10", "198.51.100.11"], "worst first");
    let beacon = of_host(&list, "10.1.2.3");
    assert_eq!((&beacon["severity"], &beacon["lead"]["id"]), (&json!("critical"), &json!("c1")));
    assert_eq!((&beacon["destinations"], &beacon["new_destinations"]), (&json!(2), &json!(2)));
    let scans = of_host(&list, "198.51.100.10");
    assert_eq!((&scans["alerts"], &scans["sources"], &scans["new_destinations"]), (&json!(5), &json!(3), &json!(1)));
    assert_eq!((&scans["rules"], &scans["agencies"]), (&json!(1), &json!(1)));

    // Later alerts to the same places bring no new destination.
    console.collector.raise(between("c2", "high", "beacon", "10.9.9.9", "203.0.113.9"));
    console.catch_up().await;
    let list = groups(&console, &lan, "").await;
    assert_eq!(of_host(&list, "10.9.9.9")["new_destinations"], 0);
}

#[tokio::test]
async fn groups_by_rule_source_and_agency_open_to_their_members() {
    let (console, lan) = with_groups().await;
    for (by, expected) in [("rule_host", 3), ("rule", 2), ("source", 4), ("agency", 1)] {
        let list = groups(&console, &lan, &format!("?by={by}")).await;
        assert_eq!(list["total"], expected, "{by}");
        let mut members = 0;
        for group in list["items"].as_array().unwrap() {
            let key = group["key"].as_str().unwrap();
            let shown = console.get(&lan, &format!("/api/v1/alerts?by={by}&group={key}")).await.json();
            assert_eq!(shown["total"], group["alerts"], "{by} {key}");
            members += shown["total"].as_u64().unwrap();
        }
        assert_eq!(members, 8, "{by}: every alert is in one group");
    }
    let everything = groups(&console, &lan, "?by=rule&status=all").await;
    assert_eq!((&everything["alerts"], &everything["newest_only"]), (&json!(8), &Value::Null));
    let narrowed = groups(&console, &lan, "?by=rule&severity=critical").await;
    assert_eq!((&narrowed["total"], &narrowed["alerts"]), (&json!(1), &json!(1)));
    let without = groups(&console, &lan, "?by=rule_host&not=ip:192.0.2.1,rule:beacon").await;
    assert_eq!((&without["total"], &without["alerts"]), (&json!(1), &json!(2)));
    for bad in ["?by=colour", "?not=colour:red", "?group=zzz", "?cursor=zzz"] {
        let answer = console.get(&lan, &format!("/api/v1/alerts/groups{bad}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn pages_of_groups_follow_each_other_without_gap_or_double() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    for n in 0..30 {
        let severity = ["low", "medium", "high"][n % 3];
        console.collector.raise(between(
            &format!("a{n:02}"),
            severity,
            "scan",
            "192.0.2.1",
            &format!("198.51.100.{}", n / 2),
        ));
    }
    console.catch_up().await;
    for sort in ["time", "severity"] {
        let (mut seen, mut next) = (Vec::new(), format!("?limit=4&sort={sort}"));
        loop {
            let page = groups(&console, &lan, &next).await;
            assert_eq!((&page["total"], &page["alerts"]), (&json!(15), &json!(30)));
            seen.extend(page["items"].as_array().unwrap().iter().map(|group| group["host"].to_string()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            next = format!("?limit=4&sort={sort}&until={}&cursor={cursor}", page["until"]);
        }
        assert_eq!(seen.len(), 15, "{sort}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 15, "{sort}: no group twice");
    }
}

#[tokio::test]
async fn a_decision_on_a_group_reaches_all_members_that_were_seen_and_no_other() {
    let (console, lan) = with_groups().await;
    let list = groups(&console, &lan, "").await;
    let scans = of_host(&list, "198.51.100.10").clone();
    console.collector.raise(between("late", "medium", "scan", "192.0.2.7", "198.51.100.10"));
    console.catch_up().await;
    let answer = console.post(&lan, "/api/v1/alerts/bulk", close_group(&list, &scans)).await.json();
    assert_eq!((&answer["changed"], &answer["unchanged"], &answer["failed"]), (&json!(5), &json!(0), &json!(0)));
    let left = groups(&console, &lan, "").await;
    let group = of_host(&left, "198.51.100.10");
    assert_eq!((&group["alerts"], &group["lead"]["id"]), (&json!(1), &json!("late")), "what arrived meanwhile is open");
    let one = console.get(&lan, "/api/v1/alerts/s3").await.json();
    assert_eq!((&one["triage"]["verdict"], &one["triage"]["reason"]), (&json!("benign"), &json!("quét định kỳ")));
    assert_eq!(one["history"][1]["by"]["name"], "lan");

    let without_until = json!({"groups": [scans["key"]], "action": "close", "verdict": "benign", "reason": "x"});
    let refused = console.post(&lan, "/api/v1/alerts/bulk", without_until).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.json()["fields"]["filter"].is_string());
}

#[tokio::test]
async fn a_group_becomes_one_case() {
    let (console, lan) = with_groups().await;
    let list = groups(&console, &lan, "").await;
    let wish = json!({"groups": [of_host(&list, "10.1.2.3")["key"]], "filter": {"until": list["until"]},
        "action": "escalate", "title": "Máy trạm gọi ra ngoài"});
    let answer = console.post(&lan, "/api/v1/alerts/bulk", wish).await.json();
    assert_eq!((&answer["changed"], &answer["case_number"]), (&json!(2), &json!(1)));
    let case = console.get(&lan, &format!("/api/v1/cases/{}", answer["case_id"].as_str().unwrap())).await.json();
    assert_eq!((&case["alert_count"], &case["severity"]), (&json!(2), &json!("critical")));
    assert_eq!(case["agency"]["name"], "Sở Y tế");
    assert_eq!(case["history"][1]["detail"]["alerts"], "2");

    // Nothing that could join it: no empty case is left behind.
    let again = json!({"ids": ["c0", "c1"], "action": "escalate", "title": "Lần nữa"});
    let answer = console.post(&lan, "/api/v1/alerts/bulk", again).await.json();
    assert_eq!((&answer["changed"], &answer["failed"]), (&json!(0), &json!(2)));
    assert_eq!(console.get(&lan, "/api/v1/cases").await.json()["total"], 1);
}

#[tokio::test]
async fn a_decision_is_taken_back_exactly_and_once() {
    let (console, lan) = with_groups().await;
    let admin = console.user("quan-tri", Role::Admin).await;
    let before = console.get(&lan, "/api/v1/alerts/s0").await.json()["triage"].clone();
    let list = groups(&console, &lan, "").await;
    let wish = close_group(&list, of_host(&list, "198.51.100.10"));
    let act = console.post(&lan, "/api/v1/alerts/bulk", wish).await.json()["act_id"].as_str().unwrap().to_owned();
    assert_eq!(console.get(&lan, "/api/v1/alerts/s0").await.json()["triage"]["act_id"], act.as_str());
    let path = format!("/api/v1/acts/{act}/undo");
    let undone = console.post(&lan, &path, json!({})).await.json();
    assert_eq!(undone, json!({"restored": 5}));
    let mut after = console.get(&lan, "/api/v1/alerts/s0").await.json()["triage"].clone();
    after["version"] = before["version"].clone();
    assert_eq!(after, before);
    let again = groups(&console, &lan, "").await;
    assert_eq!(of_host(&again, "198.51.100.10")["alerts"], 5);

    let twice = console.post(&lan, &path, json!({})).await;
    assert_eq!((twice.status, &twice.json()["code"]), (StatusCode::CONFLICT, &json!("already_undone")));
    let audit = console.get(&admin, "/api/v1/audit").await.json();
    let told: Vec<&Value> = audit["items"].as_array().unwrap().iter().take(2).map(|line| &line["action"]).collect();
    assert_eq!(told, ["alert.undone", "alert.closed"]);
    assert_eq!(audit["items"][1]["detail"]["alerts"], "5");
}

#[tokio::test]
async fn a_decision_that_others_built_upon_stays() {
    let (console, lan) = with_groups().await;
    let minh = console.user("minh", Role::Analyst).await;
    let list = groups(&console, &lan, "").await;
    let wish = close_group(&list, of_host(&list, "198.51.100.10"));
    let act = console.post(&lan, "/api/v1/alerts/bulk", wish).await.json()["act_id"].as_str().unwrap().to_owned();
    let reopen = json!({"reason": "chưa rõ", "version": 2});
    assert_eq!(console.post(&minh, "/api/v1/alerts/s2/reopen", reopen).await.status, StatusCode::OK);
    let refused = console.post(&lan, &format!("/api/v1/acts/{act}/undo"), json!({})).await;
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::CONFLICT, &json!("changed_since")));
    let message = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("1 of 5") && message.contains("Người dùng minh"), "{message}");
    assert_eq!(console.get(&lan, "/api/v1/alerts/s0").await.json()["triage"]["status"], "closed");
}

#[tokio::test]
async fn taking_back_a_case_closes_it_unless_somebody_works_on_it() {
    let (console, lan) = with_groups().await;
    let escalate = |id: &str, title: &str| json!({"ids": [id], "action": "escalate", "title": title});
    let first = console.post(&lan, "/api/v1/alerts/bulk", escalate("c0", "Nhầm")).await.json();
    let undo = |answer: &Value| format!("/api/v1/acts/{}/undo", answer["act_id"].as_str().unwrap());
    assert_eq!(console.post(&lan, &undo(&first), json!({})).await.json(), json!({"restored": 1}));
    let case = console.get(&lan, &format!("/api/v1/cases/{}", first["case_id"].as_str().unwrap())).await.json();
    assert_eq!((&case["status"], &case["alert_count"]), (&json!("closed"), &json!(0)));

    let second = console.post(&lan, "/api/v1/alerts/bulk", escalate("c1", "Thật")).await.json();
    let notes = format!("/api/v1/cases/{}/notes", second["case_id"].as_str().unwrap());
    console.post(&lan, &notes, json!({"text": "Đang xem."})).await;
    let refused = console.post(&lan, &undo(&second), json!({})).await;
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::CONFLICT, &json!("case_worked_on")));
    assert_eq!(console.get(&lan, "/api/v1/alerts/c1").await.json()["triage"]["status"], "escalated");
}

#[tokio::test]
async fn notes_and_watching_leave_decisions_alone() {
    let (console, lan) = with_groups().await;
    let minh = console.user("minh", Role::Analyst).await;
    let noted = console.post(&minh, "/api/v1/alerts/c0/notes", json!({"text": "Đã gọi đơn vị."})).await.json();
    assert_eq!((&noted["history"][1]["action"], &noted["triage"]["version"]), (&json!("noted"), &json!(1)));
    assert_eq!(noted["history"][1]["detail"]["text"], "Đã gọi đơn vị.");
    let empty = console.post(&minh, "/api/v1/alerts/c0/notes", json!({"text": " "})).await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        console.post(&minh, "/api/v1/alerts/zz/notes", json!({"text": "x"})).await.status,
        StatusCode::NOT_FOUND
    );
    let close = json!({"verdict": "benign", "reason": "được phép", "version": 1});
    assert_eq!(console.post(&lan, "/api/v1/alerts/c0/close", close).await.status, StatusCode::OK);

    for _ in 0..2 {
        let watched = console.post(&minh, "/api/v1/alerts/c1/watch", json!({"on": true})).await.json();
        assert_eq!(watched["triage"]["watchers"].as_array().unwrap().len(), 1);
    }
    let users = console.get(&lan, "/api/v1/users").await.json();
    let id = users["items"].as_array().unwrap().iter().find(|u| u["name"] == "minh").unwrap()["id"].clone();
    let list = console.get(&minh, &format!("/api/v1/alerts?watcher={}", id.as_str().unwrap())).await.json();
    assert_eq!((&list["total"], &list["items"][0]["id"]), (&json!(1), &json!("c1")));
    let off = console.post(&minh, "/api/v1/alerts/c1/watch", json!({"on": false})).await.json();
    assert_eq!(off["triage"]["watchers"], json!([]));
}

#[tokio::test]
async fn what_was_decided_about_the_same_host_comes_first() {
    let (console, lan) = with_groups().await;
    for (id, verdict) in [("s0", "benign"), ("s1", "benign"), ("other", "false_positive")] {
        let close = json!({"verdict": verdict, "reason": format!("đã xem {id}"), "version": 1});
        console.post(&lan, &format!("/api/v1/alerts/{id}/close"), close).await;
        console.clock.advance_s(60);
    }
    let seen = console.get(&lan, "/api/v1/alerts/s2").await.json();
    let similar: Vec<(&Value, &Value)> =
        seen["similar"].as_array().unwrap().iter().map(|each| (&each["id"], &each["same_host"])).collect();
    let expected = [("s1", true), ("s0", true), ("other", false)].map(|(id, same)| (json!(id), json!(same)));
    assert_eq!(similar, expected.iter().map(|(id, same)| (id, same)).collect::<Vec<_>>());
    assert_eq!(seen["verdicts"], json!({"benign": 2, "false_positive": 1}));
}

#[tokio::test]
async fn views_are_ones_own_or_shared() {
    let (console, lan) = with_groups().await;
    let minh = console.user("minh", Role::Analyst).await;
    let view = |name: &str, shared: bool| json!({"name": name, "query": "severity=critical&by=rule", "shared": shared});
    console.post(&lan, "/api/v1/views", view("Của riêng", false)).await;
    let saved = console.post(&lan, "/api/v1/views", view("Ca đêm", true)).await.json();
    assert_eq!(saved["items"].as_array().unwrap().len(), 2);
    let replaced = console.post(&lan, "/api/v1/views", view("Ca đêm", true)).await.json();
    assert_eq!(replaced["items"].as_array().unwrap().len(), 2);
    let seen = console.get(&minh, "/api/v1/views").await.json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);
    assert_eq!((&seen["items"][0]["name"], &seen["items"][0]["owner"]["name"]), (&json!("Ca đêm"), &json!("lan")));
    let path = format!("/api/v1/views/{}", seen["items"][0]["id"].as_str().unwrap());
    let refused = console.call(&minh, Method::DELETE, &path, Value::Null).await;
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::CONFLICT, &json!("not_yours")));
    assert_eq!(console.call(&lan, Method::DELETE, &path, Value::Null).await.status, StatusCode::OK);
    let nameless = console.post(&lan, "/api/v1/views", view("  ", false)).await;
    assert_eq!(nameless.status, StatusCode::BAD_REQUEST);
}
