//! From the collector's stream to decisions and cases.

use axum::http::{Method, StatusCode};
use luytre_console::model::Role;
use serde_json::{Value, json};

use crate::fakes::alert;
use crate::harness::{Browser, Console};

async fn with_alerts() -> (Console, Browser) {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    console.collector.raise(alert("a1", "high", "webshell"));
    console.collector.raise(alert("a2", "low", "scan"));
    console.collector.raise(alert("a3", "critical", "webshell"));
    console.catch_up().await;
    (console, lan)
}

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn alerts_flow_in_once_and_resume_at_the_cursor() {
    let (console, lan) = with_alerts().await;
    let list = console.get(&lan, "/api/v1/alerts").await.json();
    assert_eq!((&list["total"], &list["counts"]["open"]), (&json!(3), &json!(3)));
    assert_eq!(list["counts"]["by_severity"], json!({"critical": 1, "high": 1, "medium": 0, "low": 1, "info": 0}));
    console.collector.raise(alert("a4", "low", "scan"));
    console.catch_up().await;
    assert_eq!(*console.collector.asked_after.lock().unwrap(), [0, 3]);
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.json()["total"], 4);
}

#[tokio::test]
async fn a_collector_that_counts_anew_is_followed_from_its_first_alert() {
    let (console, lan) = with_alerts().await;
    console.collector.forget();
    console.collector.raise(alert("n1", "high", "webshell"));
    let mut told = console.app.live.follow(None).receiver;
    let task = tokio::spawn(luytre_console::collector::stream::follow(console.app.clone()));
    let event = told.recv().await.unwrap();
    task.abort();
    assert!(event.data.contains("\"id\":\"n1\""), "{}", event.data);
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.json()["total"], 4);
    assert_eq!(*console.collector.asked_after.lock().unwrap(), [0, 3, 0]);
}

#[tokio::test]
async fn a_newer_state_of_an_alert_keeps_the_decision() {
    let (console, lan) = with_alerts().await;
    let close = json!({"verdict": "benign", "reason": "được phép", "version": 1});
    assert_eq!(console.post(&lan, "/api/v1/alerts/a1/close", close).await.status, StatusCode::OK);
    let mut grown = alert("a1", "high", "webshell");
    grown.event_count = 12;
    console.collector.raise(grown);
    console.catch_up().await;
    let detail = console.get(&lan, "/api/v1/alerts/a1").await.json();
    assert_eq!((&detail["alert"]["event_count"], &detail["triage"]["status"]), (&json!(12), &json!("closed")));
    assert_eq!(detail["history"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn filters_and_orders() {
    let (console, lan) = with_alerts().await;
    let cases = [
        ("?severity=high,critical&sort=severity", vec!["a3", "a1"]),
        ("?rule=scan", vec!["a2"]),
        ("?text=tai%20LEN%20so%20y%20te&sort=severity", vec!["a3", "a1", "a2"]),
        ("?text=khong-co", vec![]),
        ("?status=closed", vec![]),
        ("?ip=198.51.100.10&agency=syt&sensor=bien-dmz&severity=low", vec!["a2"]),
        ("?from=2026-11-22T02:30:00Z&to=2026-11-22T02:30:00.001Z&severity=low", vec!["a2"]),
        ("?to=2026-11-22T02:30:00Z", vec![]),
    ];
    for (query, expected) in cases {
        let list = console.get(&lan, &format!("/api/v1/alerts{query}")).await.json();
        assert_eq!(ids(&list), expected, "{query}");
    }
    for bad in ["?status=nonsense", "?severity=loud", "?from=gestern", "?cursor=zzz", "?sort=colour", "?unknown=1"] {
        let answer = console.get(&lan, &format!("/api/v1/alerts{bad}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_double() {
    let (console, lan) = with_alerts().await;
    for n in 4..=25 {
        let severity = ["low", "medium", "high"][n % 3];
        console.collector.raise(alert(&format!("b{n:02}"), severity, "scan"));
    }
    console.catch_up().await;
    for sort in ["time", "severity"] {
        let mut seen = Vec::new();
        let mut path = format!("/api/v1/alerts?limit=4&sort={sort}");
        loop {
            let page = console.get(&lan, &path).await.json();
            seen.extend(ids(&page));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/alerts?limit=4&sort={sort}&cursor={cursor}");
        }
        let all = ids(&console.get(&lan, &format!("/api/v1/alerts?limit=200&sort={sort}")).await.json());
        assert_eq!(seen, all);
        assert_eq!(seen.len(), 25);
    }
}

#[tokio::test]
async fn of_two_analysts_the_second_gets_the_alert_as_it_is() {
    let (console, lan) = with_alerts().await;
    let minh = console.user("minh", Role::Analyst).await;
    let close = |verdict: &str| json!({"verdict": verdict, "reason": "đã xem", "version": 1});
    assert_eq!(console.post(&lan, "/api/v1/alerts/a1/close", close("true_positive")).await.status, StatusCode::OK);
    let second = console.post(&minh, "/api/v1/alerts/a1/close", close("false_positive")).await;
    assert_eq!((second.status, &second.json()["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    let current = &second.json()["current"];
    assert_eq!((&current["triage"]["verdict"], &current["triage"]["version"]), (&json!("true_positive"), &json!(2)));
    assert_eq!(current["history"][1]["by"]["name"], "lan");
}

#[tokio::test]
async fn closing_needs_a_reason_and_teaches_the_next_one() {
    let (console, lan) = with_alerts().await;
    for reason in ["", "   ", &"x".repeat(2001)] {
        let answer = console
            .post(&lan, "/api/v1/alerts/a1/close", json!({"verdict": "benign", "reason": reason, "version": 1}))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.json()["fields"]["reason"].is_string());
    }
    let close = json!({"verdict": "false_positive", "reason": "công cụ quét nội bộ", "version": 1});
    console.post(&lan, "/api/v1/alerts/a1/close", close).await;
    let similar = console.get(&lan, "/api/v1/alerts/a3").await.json()["similar"].clone();
    assert_eq!((&similar[0]["id"], &similar[0]["reason"]), (&json!("a1"), &json!("công cụ quét nội bộ")));
    let reopened =
        console.post(&lan, "/api/v1/alerts/a1/reopen", json!({"reason": "xem lại", "version": 2})).await.json();
    assert_eq!((&reopened["triage"]["status"], &reopened["triage"]["verdict"]), (&json!("open"), &Value::Null));
    let actions: Vec<&Value> = reopened["history"].as_array().unwrap().iter().map(|h| &h["action"]).collect();
    assert_eq!(actions, ["raised", "closed", "reopened"]);
}

#[tokio::test]
async fn several_alerts_at_once_with_exact_counts() {
    let (console, lan) = with_alerts().await;
    let close = |ids: Value| json!({"ids": ids, "action": "close", "verdict": "test", "reason": "diễn tập"});
    let first = console.post(&lan, "/api/v1/alerts/bulk", close(json!(["a1"]))).await.json();
    assert_eq!((&first["changed"], &first["unchanged"], &first["failed"]), (&json!(1), &json!(0), &json!(0)));
    let second = console.post(&lan, "/api/v1/alerts/bulk", close(json!(["a1", "a2", "zz"]))).await.json();
    assert_eq!((&second["changed"], &second["unchanged"]), (&json!(1), &json!(1)));
    assert_eq!(second["failed"], 1);
    assert_eq!((&second["failures"][0]["id"], &second["failures"][0]["code"]), (&json!("zz"), &json!("not_found")));
    let without = json!({"ids": ["a3"], "action": "close", "verdict": "test"});
    assert_eq!(console.post(&lan, "/api/v1/alerts/bulk", without).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn work_is_given_to_people_who_do_it() {
    let (console, lan) = with_alerts().await;
    console.user("kiem-toan", Role::Auditor).await;
    let users = console.get(&lan, "/api/v1/users").await.json();
    let id = |name: &str| users["items"].as_array().unwrap().iter().find(|u| u["name"] == name).unwrap()["id"].clone();
    let assigned =
        console.post(&lan, "/api/v1/alerts/a1/assign", json!({"user_id": id("lan"), "version": 1})).await.json();
    assert_eq!(assigned["triage"]["assignee"]["name"], "lan");
    let auditor =
        console.post(&lan, "/api/v1/alerts/a2/assign", json!({"user_id": id("kiem-toan"), "version": 1})).await;
    assert_eq!(auditor.status, StatusCode::BAD_REQUEST);
    let mine = console.get(&lan, &format!("/api/v1/alerts?assignee={}", id("lan").as_str().unwrap())).await.json();
    assert_eq!(ids(&mine), ["a1"]);
    let nobody = console.post(&lan, "/api/v1/alerts/a1/assign", json!({"user_id": null, "version": 2})).await.json();
    assert!(nobody["triage"]["assignee"].is_null());
}

#[tokio::test]
async fn an_alert_becomes_a_case_and_the_case_is_worked() {
    let (console, lan) = with_alerts().await;
    let wish = json!({"title": "Web shell trên cổng dịch vụ", "version": 1});
    let case = console.post(&lan, "/api/v1/alerts/a1/escalate", wish).await.json();
    let id = case["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&case["number"], &case["severity"], &case["agency"]["name"]),
        (&json!(1), &json!("high"), &json!("Sở Y tế"))
    );
    assert_eq!(ids(&json!({"items": case["alerts"]})), ["a1"]);
    assert_eq!(console.get(&lan, "/api/v1/alerts/a1").await.json()["triage"]["case_number"], 1);

    let linked = console.post(&lan, &format!("/api/v1/cases/{id}/alerts"), json!({"alert_ids": ["a3"]})).await.json();
    assert_eq!(linked["alert_count"], 2);
    let noted =
        console.post(&lan, &format!("/api/v1/cases/{id}/notes"), json!({"text": "Đã cô lập máy chủ."})).await.json();
    assert_eq!(
        (&noted["notes"][0]["text"], &noted["notes"][0]["by"]["name"]),
        (&json!("Đã cô lập máy chủ."), &json!("lan"))
    );
    let version = noted["version"].clone();
    let change = json!({"status": "in_progress", "severity": "critical", "version": version});
    let path = format!("/api/v1/cases/{id}");
    let changed = console.call(&lan, Method::PATCH, &path, change.clone()).await.json();
    assert_eq!((&changed["status"], &changed["severity"]), (&json!("in_progress"), &json!("critical")));
    let stale = console.call(&lan, Method::PATCH, &path, change).await;
    assert_eq!((stale.status, &stale.json()["current"]["status"]), (StatusCode::CONFLICT, &json!("in_progress")));

    let found = console.get(&lan, "/api/v1/cases?text=cong%20dich%20vu&status=active").await.json();
    assert_eq!(found["total"], 1);
    assert_eq!(console.get(&lan, "/api/v1/cases?text=%231").await.json()["total"], 1);
}

#[tokio::test]
async fn a_case_takes_all_alerts_or_none() {
    let (console, lan) = with_alerts().await;
    let wish = json!({"title": "Thử", "severity": "low", "alert_ids": ["a1", "khong-co"]});
    assert_eq!(console.post(&lan, "/api/v1/cases", wish).await.status, StatusCode::NOT_FOUND);
    assert_eq!(console.get(&lan, "/api/v1/cases").await.json()["total"], 0);
    assert_eq!(console.get(&lan, "/api/v1/alerts/a1").await.json()["triage"]["status"], "open");
}

#[tokio::test]
async fn related_events_are_those_of_the_flow_and_of_the_alert() {
    let (console, lan) = with_alerts().await;
    let related = console.get(&lan, "/api/v1/alerts/a1/related").await.json();
    assert_eq!(related["events"][0]["event"]["id"], "s:1");
    let asked = console.collector.searches.lock().unwrap()[0].query.clone();
    assert_eq!(asked, "network.community_id:\"1:abc=\" OR event.id:\"s:1\"");
}

#[tokio::test]
async fn a_bad_query_names_its_place_and_a_missing_collector_is_told() {
    let (console, lan) = with_alerts().await;
    let bad = console.post(&lan, "/api/v1/search", json!({"query": "a ((" })).await;
    assert_eq!((bad.status, &bad.json()["position"]), (StatusCode::BAD_REQUEST, &json!(3)));

    let alone = Console::start_with(|settings| settings.collector.socket = "/nonexistent/api.sock".into()).await;
    let minh = alone.user("minh", Role::Analyst).await;
    let search = alone.post(&minh, "/api/v1/search", json!({"query": ""})).await;
    assert_eq!(
        (search.status, &search.json()["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("collector_unreachable"))
    );
    assert_eq!(alone.get(&minh, "/api/v1/alerts").await.status, StatusCode::OK);
    let health = alone.get(&Browser::default(), "/api/v1/health").await.json();
    assert_eq!((&health["ok"], &health["collector"]["reachable"]), (&json!(false), &json!(false)));
}
