//! Handovers of shifts: signed by two people, kept as they were shown.

use axum::http::{Method, StatusCode};
use luytre_console::model::Role;
use serde_json::{Value, json};

use crate::fakes::alert;
use crate::harness::{Browser, Console};

async fn id_of(console: &Console, browser: &Browser) -> String {
    console.get(browser, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned()
}

/// A console with two open alerts, a task that is overdue, one of a restricted case, and a silence that ends soon.
async fn busy() -> (Console, Browser, Browser) {
    let console = Console::start().await;
    let (lan, minh) = (console.user("lan", Role::Analyst).await, console.user("minh", Role::Manager).await);
    console.collector.raise(alert("a1", "high", "webshell"));
    console.collector.raise(alert("a2", "critical", "webshell"));
    console.catch_up().await;
    for (title, restricted) in [("Trang thông tin bị sửa", false), ("Chuyện riêng", true)] {
        let open = json!({"title": title, "severity": "high", "restricted": restricted});
        let case = console.post(&lan, "/api/v1/cases", open).await.json()["id"].as_str().unwrap().to_owned();
        let task = json!({"title": format!("Việc của {title}"), "check": false, "due_at": "2026-11-22T02:00:00Z"});
        let made = console.post(&lan, &format!("/api/v1/cases/{case}/tasks"), task).await;
        assert_eq!(made.status, StatusCode::OK);
    }
    let owner = id_of(&console, &lan).await;
    let hide = json!({"scope": {"rule_id": "webshell", "source_ip": "203.0.113.9"}, "reason": "máy quét của đội",
        "owner_id": owner, "expires_at": "2026-11-22T20:00:00Z", "hide_open": false});
    assert_eq!(console.post(&lan, "/api/v1/suppressions", hide).await.status, StatusCode::OK);
    (console, lan, minh)
}

#[tokio::test]
async fn both_sign_and_what_was_shown_stays_as_it_was() {
    let (console, lan, minh) = busy().await;
    let now = console.get(&lan, "/api/v1/shift").await.json();
    assert_eq!((now["clocks_total"].as_u64(), now["clocks_overdue"].as_u64()), (Some(2), Some(2)));
    assert_eq!(now["clocks"].as_array().unwrap().len(), 1, "restricted cases are counted and not named");
    assert_eq!((now["alerts"]["high"].as_u64(), now["alerts"]["critical"].as_u64()), (Some(1), Some(1)));
    assert_eq!((now["worst"][0]["id"].as_str(), now["silences"].as_array().unwrap().len()), (Some("a2"), 1));
    let to = id_of(&console, &minh).await;
    let hand = json!({"to_id": to, "remarks": "Gọi lại Sở Y tế lúc 8 giờ"});
    let made = console.post(&lan, "/api/v1/handovers", hand.clone()).await.json();
    let path = format!("/api/v1/handovers/{}", made["id"].as_str().unwrap());
    assert_eq!((made["state"].as_str(), made["is_whole"].as_bool()), (Some("waiting"), Some(true)));
    let twice = console.post(&lan, "/api/v1/handovers", hand).await;
    assert_eq!(twice.json()["code"], "handover_waits");
    let waiting = console.get(&minh, "/api/v1/handovers").await.json();
    assert_eq!((waiting["waiting"].as_array().unwrap().len(), waiting["total"].as_u64()), (1, Some(1)));
    assert_eq!(console.get(&lan, "/api/v1/handovers").await.json()["waiting"].as_array().unwrap().len(), 0);

    // The state goes on; what was signed does not.
    let close = json!({"version": 1, "verdict": "benign", "reason": "thử"});
    assert_eq!(console.post(&lan, "/api/v1/alerts/a2/close", close).await.status, StatusCode::OK);
    let take = |digest: &str| json!({"take": true, "answer": "Đã nhận", "digest": digest});
    let digest = made["digest"].as_str().unwrap().to_owned();
    for (who, digest, code) in [(&lan, digest.as_str(), "not_yours"), (&minh, "0000", "not_seen")] {
        let refused = console.post(who, &format!("{path}/answer"), take(digest)).await;
        assert_eq!((refused.status, refused.json()["code"].as_str()), (StatusCode::CONFLICT, Some(code)));
    }
    console.clock.advance_s(600);
    let taken = console.post(&minh, &format!("{path}/answer"), take(&digest)).await.json();
    assert_eq!((taken["state"].as_str(), taken["shown"]["alerts"]["critical"].as_u64()), (Some("taken"), Some(1)));
    assert_eq!(taken["shown"], made["shown"]);
    assert_eq!(taken["ended_at"], "2026-11-22T03:10:00Z");
    let again = console.post(&minh, &format!("{path}/answer"), take(&digest)).await;
    assert_eq!(again.json()["code"], "handover_over");

    let auditor = console.user("kiem-toan", Role::Auditor).await;
    let log = console.get(&auditor, "/api/v1/audit?kind=shift").await.json();
    let lines: Vec<(&str, &str)> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["action"].as_str().unwrap(), line["by"]["name"].as_str().unwrap()))
        .collect();
    assert_eq!(lines, [("shift.taken", "minh"), ("shift.handed", "lan")], "each by their own hand");
    assert_eq!(log["items"][0]["detail"]["sha256"], digest.as_str());
    assert_eq!(console.get(&auditor, &path).await.json()["answer"], "Đã nhận");
}

#[tokio::test]
async fn nobody_signs_for_another_or_with_a_token_and_a_refusal_says_why() {
    let (console, lan, minh) = busy().await;
    let (lan_id, minh_id) = (id_of(&console, &lan).await, id_of(&console, &minh).await);
    let auditor = console.user("kiem-toan", Role::Auditor).await;
    console.user("root", Role::Admin).await;
    let auditor_id = id_of(&console, &auditor).await;
    for to in [lan_id.as_str(), auditor_id.as_str(), "none"] {
        let made = console.post(&lan, "/api/v1/handovers", json!({"to_id": to})).await;
        assert_eq!(made.status, StatusCode::BAD_REQUEST, "{to}");
    }
    let made = console.post(&auditor, "/api/v1/handovers", json!({"to_id": lan_id})).await;
    assert_eq!(made.status, StatusCode::FORBIDDEN);
    let token =
        console.post(&lan, "/api/v1/tokens", json!({"name": "script", "scope": "write", "days": 1})).await.json();
    let secret = token["secret"].as_str().or(token["token"].as_str()).unwrap_or_else(|| panic!("{token}")).to_owned();
    let request = axum::http::Request::post("/api/v1/handovers")
        .header("authorization", format!("Bearer {secret}"))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(json!({"to_id": minh_id}).to_string()));
    let signed = tower::ServiceExt::oneshot(console.router.clone(), request.unwrap()).await.unwrap();
    assert_eq!(signed.status(), StatusCode::FORBIDDEN, "a signature is given in person");

    let made = console.post(&lan, "/api/v1/handovers", json!({"to_id": minh_id})).await.json();
    let path = format!("/api/v1/handovers/{}", made["id"].as_str().unwrap());
    let refuse = |answer: &str| json!({"take": false, "answer": answer, "digest": made["digest"]});
    let silent = console.post(&minh, &format!("{path}/answer"), refuse(" ")).await;
    assert_eq!(silent.status, StatusCode::BAD_REQUEST);
    let other = console.post(&minh, &format!("{path}/withdraw"), Value::Null).await;
    assert_eq!(other.json()["code"], "not_yours");
    let refused = console.post(&minh, &format!("{path}/answer"), refuse("Chưa tới ca")).await.json();
    assert_eq!((refused["state"].as_str(), refused["answer"].as_str()), (Some("refused"), Some("Chưa tới ca")));
    let made = console.post(&lan, "/api/v1/handovers", json!({"to_id": minh_id})).await.json();
    let path = format!("/api/v1/handovers/{}/withdraw", made["id"].as_str().unwrap());
    assert_eq!(console.call(&lan, Method::POST, &path, Value::Null).await.json()["state"], "withdrawn");
    let list = console.get(&lan, "/api/v1/handovers?limit=1").await.json();
    assert_eq!((list["total"].as_u64(), list["items"].as_array().unwrap().len()), (Some(2), 1));
    let next = format!("/api/v1/handovers?limit=1&cursor={}", list["next_cursor"].as_str().unwrap());
    assert_eq!(console.get(&lan, &next).await.json()["items"][0]["state"], "refused");
}
