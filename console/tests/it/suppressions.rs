//! Suppressions: looked at before, hiding with a mark, counted, over by themselves.

use axum::http::StatusCode;
use luytre_console::model::Role;
use serde_json::{Value, json};

use crate::harness::{Browser, Console};
use crate::triage::between;

async fn with_alerts() -> (Console, Browser, String) {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    for n in 0..4 {
        console.collector.raise(between(&format!("a{n}"), "high", "scan", "192.0.2.1", "198.51.100.10"));
    }
    console.collector.raise(between("b0", "high", "scan", "192.0.2.2", "198.51.100.10"));
    console.catch_up().await;
    let users = console.get(&lan, "/api/v1/users").await.json();
    let id = users["items"][0]["id"].as_str().unwrap().to_owned();
    (console, lan, id)
}

fn wish(owner: &str, expires: &str) -> Value {
    json!({"scope": {"rule_id": "scan", "source_ip": "192.0.2.1"}, "reason": "máy quét đã đăng ký", "owner_id": owner,
        "expires_at": expires, "hide_open": true})
}

#[tokio::test]
async fn first_it_shows_what_it_would_have_hidden() {
    let (console, lan, _) = with_alerts().await;
    let escalate = json!({"title": "Quét thật", "version": 1});
    console.post(&lan, "/api/v1/alerts/a0/escalate", escalate).await;
    let close = json!({"verdict": "true_positive", "reason": "tấn công", "version": 1});
    console.post(&lan, "/api/v1/alerts/a1/close", close).await;
    let preview = console.get(&lan, "/api/v1/suppressions/preview?rule_id=scan&source_ip=192.0.2.1").await.json();
    assert_eq!((&preview["days"], &preview["alerts"], &preview["open"]), (&json!(30), &json!(4), &json!(2)));
    assert_eq!((&preview["in_cases"], &preview["true_positives"]), (&json!(1), &json!(1)));
    let share = &preview["agencies"][0];
    assert_eq!((&share["agency"]["name"], &share["alerts"]), (&json!("Sở Y tế"), &json!(4)));
    assert_eq!((&preview["cases"][0]["number"], &preview["cases"][0]["alerts"]), (&json!(1), &json!(1)));
    let wide = console.get(&lan, "/api/v1/suppressions/preview?rule_id=scan").await.json();
    assert_eq!(wide["alerts"], 5);
}

#[tokio::test]
async fn it_hides_with_a_mark_counts_and_ends_by_itself() {
    let (console, lan, owner) = with_alerts().await;
    let made = console.post(&lan, "/api/v1/suppressions", wish(&owner, "2026-11-22T03:20:00Z")).await.json();
    assert_eq!((&made["hidden_now"], &made["suppression"]["state"]), (&json!(4), &json!("active")));
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.json()["total"], 1);

    console.collector.raise(between("a5", "critical", "scan", "192.0.2.1", "198.51.100.12"));
    console.collector.raise(between("b1", "high", "scan", "192.0.2.2", "198.51.100.12"));
    console.catch_up().await;
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.json()["total"], 2);
    let hidden = console.get(&lan, "/api/v1/alerts?status=suppressed").await.json();
    assert_eq!(hidden["total"], 5, "hidden alerts are kept");
    let detail = console.get(&lan, "/api/v1/alerts/a5").await.json();
    assert_eq!(detail["triage"]["suppression_id"], made["suppression"]["id"]);
    let list = console.get(&lan, "/api/v1/suppressions").await.json();
    assert_eq!((&list["active"], &list["items"][0]["hidden"]), (&json!(1), &json!(5)));
    assert_eq!(list["hidden_today"], 5);

    console.clock.advance_s(1200);
    console.collector.raise(between("a6", "high", "scan", "192.0.2.1", "198.51.100.10"));
    console.catch_up().await;
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.json()["total"], 3, "its time is over");
    let list = console.get(&lan, "/api/v1/suppressions").await.json();
    assert_eq!((&list["active"], &list["items"][0]["state"]), (&json!(0), &json!("expired")));
}

#[tokio::test]
async fn what_it_hid_at_once_can_be_taken_back_and_it_can_be_ended() {
    let (console, lan, owner) = with_alerts().await;
    let made = console.post(&lan, "/api/v1/suppressions", wish(&owner, "2026-11-29T03:00:00Z")).await.json();
    let undo = format!("/api/v1/acts/{}/undo", made["act_id"].as_str().unwrap());
    assert_eq!(console.post(&lan, &undo, json!({})).await.json(), json!({"restored": 4}));
    let path = format!("/api/v1/suppressions/{}/end", made["suppression"]["id"].as_str().unwrap());
    assert_eq!(console.post(&lan, &path, json!({"reason": ""})).await.status, StatusCode::BAD_REQUEST);
    let ended = console.post(&lan, &path, json!({"reason": "hết đợt quét"})).await.json();
    assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("ended"), &json!("hết đợt quét")));
    let again = console.post(&lan, &path, json!({"reason": "lần nữa"})).await;
    assert_eq!((again.status, &again.json()["code"]), (StatusCode::CONFLICT, &json!("not_active")));
    console.collector.raise(between("a7", "high", "scan", "192.0.2.1", "198.51.100.10"));
    console.catch_up().await;
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.json()["total"], 6);
}

#[tokio::test]
async fn reason_owner_and_expiry_are_required() {
    let (console, lan, owner) = with_alerts().await;
    console.user("kiem-toan", Role::Auditor).await;
    let good = wish(&owner, "2026-11-23T03:00:00Z");
    for (field, value) in [
        ("reason", json!(" ")),
        ("expires_at", json!("2026-11-21T03:00:00Z")),
        ("expires_at", json!("2027-11-21T03:00:00Z")),
        ("expires_at", json!("mai")),
        ("owner_id", json!("nobody")),
    ] {
        let mut bad = good.clone();
        bad[field] = value.clone();
        let answer = console.post(&lan, "/api/v1/suppressions", bad).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field} {value}");
        assert!(answer.json()["fields"][field].is_string(), "{field} {value}");
    }
    let mut unknown = good;
    unknown["scope"]["rule_id"] = json!("khong-co");
    assert_eq!(console.post(&lan, "/api/v1/suppressions", unknown).await.status, StatusCode::NOT_FOUND);
    assert_eq!(console.get(&lan, "/api/v1/suppressions").await.json()["items"], json!([]));
}
