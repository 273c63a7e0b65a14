//! Reports as documents.

use axum::http::StatusCode;
use luytre_console::model::Role;
use serde_json::{Value, json};

use crate::fakes::alert;
use crate::harness::Console;

fn notes(document: &Value) -> Vec<(String, String)> {
    let blocks = document["blocks"].as_array().unwrap();
    let notes = blocks.iter().filter(|b| b["type"] == "note");
    notes.map(|b| (b["tone"].as_str().unwrap().to_owned(), b["text"].as_str().unwrap().to_owned())).collect()
}

fn fact(document: &Value, label: &str) -> String {
    let blocks = document["blocks"].as_array().unwrap();
    let items = blocks.iter().filter(|b| b["type"] == "facts").flat_map(|b| b["items"].as_array().unwrap());
    let fact = items.into_iter().find(|item| item["label"] == label).unwrap_or_else(|| panic!("no fact `{label}`"));
    fact["value"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_quiet_day_is_called_quiet_because_enough_was_seen() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Manager).await;
    let document = console.get(&lan, "/api/v1/reports/daily_summary?date=2026-11-22").await.json();
    assert_eq!((&document["lang"], &document["subtitle"]), (&json!("vi"), &json!("Ngày 22/11/2026")));
    let (tone, text) = &notes(&document)[0];
    assert_eq!(tone, "good");
    assert!(text.contains("99,99 %"), "{text}");
    assert_eq!(fact(&document, "Sự kiện mạng đã ghi nhận"), "1.250");
    assert!(document["footer"].as_str().unwrap().contains("mã kiểm chứng"));
}

#[tokio::test]
async fn figures_agree_with_the_store_and_each_names_its_page() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    for (id, severity) in [("a1", "critical"), ("a2", "high"), ("a3", "low")] {
        console.collector.raise(alert(id, severity, "webshell"));
    }
    console.catch_up().await;
    console
        .post(&lan, "/api/v1/alerts/a3/close", json!({"verdict": "benign", "reason": "được phép", "version": 1}))
        .await;
    let english = console.get(&lan, "/api/v1/reports/daily_summary?date=2026-11-22&lang=en").await.json();
    let (tone, text) = &notes(&english)[0];
    assert_eq!(tone, "warning");
    assert_eq!(text, "2 alerts of high severity or above, 1 of them critical; 2 are still open.");
    assert_eq!(fact(&english, "Alerts"), "3");
    assert_eq!(fact(&english, "Alerts closed during the day"), "1");
    for block in english["blocks"].as_array().unwrap().iter().filter(|b| b["type"] == "bars") {
        for bar in block["items"].as_array().unwrap() {
            let page = bar["href"].as_str().unwrap();
            let list = console.get(&lan, &format!("/api/v1{page}")).await.json();
            assert_eq!(list["total"].to_string(), bar["text"].as_str().unwrap(), "{page}");
        }
    }
    let rows = english["blocks"].as_array().unwrap().iter().filter(|b| b["type"] == "table");
    for table in rows {
        let width = table["columns"].as_array().unwrap().len();
        assert!(table["rows"].as_array().unwrap().iter().all(|row| row["cells"].as_array().unwrap().len() == width));
    }
}

#[tokio::test]
async fn without_a_collector_nothing_is_called_quiet() {
    let console = Console::start_with(|settings| settings.collector.socket = "/nonexistent/api.sock".into()).await;
    let lan = console.user("lan", Role::Manager).await;
    let document = console.get(&lan, "/api/v1/reports/daily_summary?date=2026-11-20").await.json();
    let notes = notes(&document);
    assert!(notes.iter().all(|(tone, _)| tone == "warning"), "{notes:?}");
    assert!(notes[0].1.contains("chưa thể kết luận"), "{notes:?}");
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Manager).await;
    let status = async |path: &str| console.get(&lan, path).await.status;
    assert_eq!(status("/api/v1/reports/nonsense").await, StatusCode::NOT_FOUND);
    assert_eq!(status("/api/v1/reports/daily_summary?date=22/11/2026").await, StatusCode::BAD_REQUEST);
    let list = console.get(&lan, "/api/v1/reports").await.json();
    assert_eq!(list["items"][0]["title_vi"], "Báo cáo tóm tắt ngày");
}

#[tokio::test]
async fn a_press_that_is_missing_costs_only_the_pdf() {
    let console =
        Console::start_with(|settings| settings.press.program = Some("/nonexistent/luytre-press".into())).await;
    let lan = console.user("lan", Role::Manager).await;
    let pdf = console.get(&lan, "/api/v1/reports/daily_summary.pdf?date=2026-11-22").await;
    assert_eq!((pdf.status, &pdf.json()["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("press_failed")));
    assert_eq!(console.get(&lan, "/api/v1/reports/daily_summary").await.status, StatusCode::OK);
}
