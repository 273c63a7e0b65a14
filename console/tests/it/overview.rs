//! The overview: its figures are those of the lists that they open.

use axum::http::{Method, StatusCode};
use luytre_console::clock::{from_text, to_text};
use luytre_console::model::Role;
use serde_json::{Value, json};

use crate::fakes::alert;
use crate::harness::Console;

/// An alert some hours before the console's clock begins.
async fn raise(console: &Console, id: &str, severity: &str, hours_ago: i64, agency: Option<&str>) {
    let mut one = alert(id, severity, "webshell");
    let at_us = from_text("2026-11-22T03:00:00Z").unwrap() - hours_ago * 3_600_000_000;
    one.time = to_text(at_us);
    one.raised = one.time.clone();
    one.agency = agency.map(|id| luytre_collector_api::Agency { id: id.into(), name: format!("Đơn vị {id}") });
    console.collector.raise(one);
}

#[tokio::test]
async fn a_manager_sees_this_period_beside_the_one_before() {
    let console = Console::start().await;
    let manager = console.user("truong", Role::Manager).await;
    let analyst = console.user("lan", Role::Analyst).await;
    for n in 0..12 {
        raise(&console, &format!("now{n}"), "medium", 5, Some("a")).await;
    }
    raise(&console, "worst", "critical", 30, Some("b")).await;
    raise(&console, "before", "high", 8 * 24, Some("c")).await;
    raise(&console, "long-ago", "high", 40 * 24, Some("c")).await;
    console.catch_up().await;
    let seen = console.get(&manager, "/api/v1/overview/state").await.json();
    assert_eq!((&seen["days"], &seen["alerts_total"]), (&json!(7), &json!({"now": 13, "before": 1})));
    assert_eq!(seen["alerts"]["critical"], json!({"now": 1, "before": 0}));
    assert_eq!(seen["alerts_open"]["high"], 2);
    // Each figure is what its list has.
    let list = format!(
        "/api/v1/alerts?status=all&from={}&to={}",
        seen["from"].as_str().unwrap(),
        seen["to"].as_str().unwrap()
    );
    assert_eq!(console.get(&manager, &list).await.json()["total"], 13);
    let days = seen["trend"].as_array().unwrap();
    assert_eq!(days.len(), 7);
    assert_eq!((&days[6]["day"], &days[6]["now"]), (&json!("2026-11-22"), &json!(12)), "05:00 in Viet Nam is today");
    assert_eq!(days.iter().map(|day| day["now"].as_u64().unwrap()).sum::<u64>(), 13);
    assert_eq!(days.iter().map(|day| day["before"].as_u64().unwrap()).sum::<u64>(), 1);
    let needs: Vec<&str> = seen["needs"].as_array().unwrap().iter().filter_map(|need| need["id"].as_str()).collect();
    assert_eq!(needs, ["b", "a", "c"], "what is critical, then what rises, then what is high");
    assert_eq!(seen["needs"][1]["reasons"], json!([{"kind": "rising", "number": 12, "before": 0}]));
    assert_eq!(seen["needs"][0]["name"], "Đơn vị b");
    let persistence = seen["attack"].as_array().unwrap().iter().find(|tactic| tactic["id"] == "persistence").unwrap();
    assert_eq!(
        (&persistence["techniques"][0]["id"], &persistence["techniques"][0]["alerts"]),
        (&json!("T1505.003"), &json!(13))
    );

    let closed = json!({"verdict": "true_positive", "reason": "đúng", "version": 1});
    assert_eq!(console.post(&analyst, "/api/v1/alerts/worst/close", closed).await.status, StatusCode::OK);
    console.clock.advance_s(60);
    let seen = console.get(&manager, "/api/v1/overview/state?days=1").await.json();
    assert_eq!((&seen["attacks"]["now"], &seen["decision_s"]["now"]), (&json!(1), &json!(30 * 3600)));
    assert_eq!(seen["alerts_total"]["now"], 12);
    assert_eq!(console.get(&manager, "/api/v1/overview/state?days=91").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn hidden_alerts_are_in_no_figure_and_changed_ones_are_counted_once() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    let me = console.get(&lan, "/api/v1/session").await.json()["user"]["id"].clone();
    let expires = to_text(from_text("2026-11-25T03:00:00Z").unwrap());
    let scope = json!({"rule_id": "webshell", "agency_id": "quiet"});
    let wish = json!({"scope": scope, "reason": "thử", "owner_id": me, "expires_at": expires, "hide_open": false});
    raise(&console, "a1", "high", 1, Some("a")).await;
    console.catch_up().await;
    let made = console.post(&lan, "/api/v1/suppressions", wish).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.json());
    raise(&console, "a2", "high", 1, Some("quiet")).await;
    raise(&console, "a1", "critical", 1, Some("a")).await;
    console.catch_up().await;
    let seen = console.get(&lan, "/api/v1/overview/state").await.json();
    assert_eq!(seen["alerts_total"]["now"], 1);
    assert_eq!((&seen["alerts"]["critical"]["now"], &seen["alerts"]["high"]["now"]), (&json!(1), &json!(0)));
    let work = console.get(&lan, "/api/v1/overview/work").await.json();
    assert_eq!((&work["open"]["critical"], &work["new_open"]["critical"]), (&json!(1), &json!(1)));
    assert_eq!(work["ending"][0]["reason"], "thử", "it ends within a week");
}

#[tokio::test]
async fn an_analyst_sees_what_is_theirs_late_and_done() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    let minh = console.user("minh", Role::Analyst).await;
    let me = console.get(&lan, "/api/v1/session").await.json()["user"]["id"].clone();
    for n in 0..3 {
        raise(&console, &format!("a{n}"), "high", 1, None).await;
    }
    console.catch_up().await;
    console.post(&minh, "/api/v1/alerts/a0/assign", json!({"user_id": me, "version": 1})).await;
    console.post(&minh, "/api/v1/alerts/a1/close", json!({"verdict": "benign", "reason": "ổn", "version": 1})).await;
    let case = console.post(&minh, "/api/v1/cases", json!({"title": "Mất dữ liệu", "severity": "high"})).await.json();
    let secret = json!({"title": "Chỉ riêng", "severity": "high", "restricted": true});
    let secret = console.post(&minh, "/api/v1/cases", secret).await.json();
    let task = json!({"title": "Gọi đơn vị", "assignee_id": me, "due_at": "2026-11-22T04:00:00Z"});
    for (id, task) in
        [(&case["id"], task.clone()), (&secret["id"], json!({"title": "Kín", "due_at": "2026-11-22T04:00:00Z"}))]
    {
        let added = console.post(&minh, &format!("/api/v1/cases/{}/tasks", id.as_str().unwrap()), task).await;
        assert_eq!(added.status, StatusCode::OK, "{}", added.json());
    }
    let before = console.get(&lan, "/api/v1/overview/work").await.json();
    assert_eq!(
        (&before["mine"]["high"], &before["my_tasks"], &before["my_overdue"]),
        (&json!(1), &json!(1), &json!(0))
    );
    console.clock.advance_s(2 * 3600);
    let lan = console.log_in("lan").await;
    let late = console.get(&lan, "/api/v1/overview/work").await.json();
    assert_eq!((&late["my_overdue"], &late["overdue_total"]), (&json!(1), &json!(2)));
    let titles: Vec<&str> =
        late["overdue"].as_array().unwrap().iter().filter_map(|one| one["title"].as_str()).collect();
    assert_eq!(titles, ["Gọi đơn vị"], "a restricted case is counted and not named");
    let team: Vec<(&Value, &Value)> =
        late["team"].as_array().unwrap().iter().map(|one| (&one["user"]["name"], &one["decided"])).collect();
    assert_eq!(team, [(&json!("minh"), &json!(1))]);
    let stranger = console.user("so-y-te", Role::Agency).await;
    let refused = console.call(&stranger, Method::GET, "/api/v1/overview/work", Value::Null).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
